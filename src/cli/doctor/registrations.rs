//! Does a gateway accept our credentials, and does it know our address? A REGISTER without Contact asks for that and
//! changes nothing (RFC 3261 §10.2.3).

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::base::{Rng, Tick};
use crate::daemon::config::{Config, TrunkConfig};
use crate::daemon::{find, peer, seed};
use crate::sip::ids::Ids;
use crate::sip::message::{Message, Start};
use crate::sip::register::{Input, Output, Registration};
use crate::sip::{self, Caller, Failure, Packet, Register, Report, Transport, Unanswered};
use crate::wire;

use super::Finding;
use super::trunks::{self, Missing};

const CHECK: &str = "register";
/// All pauses together.
const PATIENCE: Duration = Duration::from_secs(4);
/// Datagrams that are looked at.
const DATAGRAMS: usize = 64;
const DATAGRAM: usize = 8_192;

/// `is_running`: the daemon has its port, and should be registered.
pub(super) fn check(config: &Config, is_running: bool) -> Vec<Finding> {
    let seed = seed().unwrap_or(0);
    let asked = config.trunks.iter().filter_map(|trunk| {
        let wish = trunk.register.as_ref()?;
        let mut who = peer(trunk);
        match find(config, &trunk.peer) {
            // The finding on the trunk has said it.
            Err(_) => return None,
            Ok(found) => {
                who.transport = found.transport;
                who.addr = found.routes.first().map_or(who.addr, |route| route.target.addr);
            }
        }
        let said = if who.transport == Transport::Udp {
            ask(&who, wish, config.sip, seed).map_err(|error| error.to_string())
        } else {
            match ask_connected(config, trunk, &who, wish, seed) {
                // So is this.
                Err(Missing::Files(_) | Missing::Connection(_)) => return None,
                Ok(report) => Ok(report),
            }
        };
        let place = match our_address(config, who.transport) {
            _ if !is_running => Place::Nowhere,
            Some(_) => Place::Known,
            None => Place::Connection,
        };
        Some(said.map_or_else(|why| unreachable(trunk, &why), |said| judge(trunk, &said, place)))
    });
    asked.collect()
}

/// Where the daemon can be reached, as the registrar should know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It does not run.
    Nowhere,
    Known,
    /// By the daemon's own connection: its number is nothing that we could ask for.
    Connection,
}

fn judge(trunk: &TrunkConfig, report: &Report, place: Place) -> Finding {
    let TrunkConfig { name, peer, .. } = trunk;
    match report {
        Report::Bound { expires } => {
            Finding::ok(CHECK, format!("{name} at {peer} knows our address for another {} s", expires.as_secs()))
        }
        Report::Unbound => match place {
            Place::Known => {
                let what = format!("{name} at {peer} accepts our credentials, and does not know our address");
                Finding::unreachable(CHECK, what, "the log of the daemon says what came of its REGISTER")
            }
            Place::Nowhere => Finding::ok(
                CHECK,
                format!("{name} at {peer} accepts our credentials; the daemon registers when it runs"),
            ),
            Place::Connection => Finding::ok(CHECK, format!("{name} at {peer} accepts our credentials")),
        },
        Report::Failed { why, .. } => match why {
            Failure::Unauthorised(why) => Finding::fail(CHECK, format!("{name} at {peer}: {why}"), remedy(why)),
            Failure::Status(403) => {
                let what = format!("{name} at {peer} refuses our registration with 403");
                Finding::fail(
                    CHECK,
                    what,
                    "compare user, realm, password and `register` with the account at the gateway",
                )
            }
            Failure::Status(_) | Failure::Silence | Failure::Unreachable | Failure::NotBound => {
                unreachable(trunk, &why.to_string())
            }
        },
    }
}

const fn remedy(why: &Unanswered) -> &'static str {
    match why {
        Unanswered::NoCredentials => "give the trunk an `auth`",
        Unanswered::OtherRealm { .. } => {
            "write that realm into `auth.realm` of the trunk, if it is really your gateway's"
        }
        Unanswered::Unsupported => {
            "MD5, SHA-256 and SHA-512-256 with qop auth are supported: set one of them at the gateway"
        }
        Unanswered::Rejected => {
            "compare `auth.user` and the `password_file` of the trunk with the account at the gateway"
        }
    }
}

fn unreachable(trunk: &TrunkConfig, why: &str) -> Finding {
    let TrunkConfig { name, peer, .. } = trunk;
    let remedy = "is it a registrar, and does it know the account? See the finding on this trunk above, too";
    Finding::unreachable(CHECK, format!("{name} at {peer} does not say whether we are registered: {why}"), remedy)
}

/// Where we listen for this transport.
fn our_address(config: &Config, over: Transport) -> Option<SocketAddr> {
    match over {
        Transport::Udp => Some(config.sip),
        Transport::Tcp => config.sip_tcp,
        Transport::Tls => config.sip_tls.as_ref().map(|(address, _)| *address),
    }
}

fn settings(own: SocketAddr, rng: &mut Rng) -> sip::Config {
    let mut key = [0; 32];
    rng.fill(&mut key);
    sip::Config { user_agent: "goldenhour-doctor".into(), ..sip::Config::new(own, key) }
}

/// Over a connection of its own. Nothing is sent twice there, so that time plays no part.
fn ask_connected(
    config: &Config,
    trunk: &TrunkConfig,
    peer: &sip::Peer,
    wish: &Register,
    seed: u64,
) -> Result<Report, Missing> {
    let tls = trunks::tls(trunk, peer.transport)?;
    let mut rng = Rng::seeded(seed);
    let settings = settings(config.sip, &mut rng);
    let ids = Ids::new(&settings.key);
    let caller = Caller { config: &settings, ids: &ids, peer };
    let own = our_address(config, peer.transport).unwrap_or(config.sip);
    let mut query = Registration::query(wish.clone(), rng, &caller, Tick(0), own);
    let mut report = Report::Failed { why: Failure::Silence, again: None };
    let mut first = Vec::new();
    if let Said::Send(bytes) = said(&mut query) {
        first.extend_from_slice(&bytes);
    }
    let way = trunks::way(config, peer.target(), tls.as_ref());
    let talked = wire::converse(
        way,
        |_| first,
        |bytes| {
            hear(&mut query, &caller, Tick(0), bytes);
            match said(&mut query) {
                Said::Nothing => wire::Reply::Wait,
                Said::Send(bytes) => wire::Reply::Say(bytes.to_vec()),
                Said::Report(judged) => {
                    report = judged;
                    wire::Reply::Done
                }
            }
        },
    );
    talked.map_err(Missing::Connection)?;
    Ok(report)
}

/// What a query wants next: it never wants two things at a time.
enum Said {
    Nothing,
    Send(Packet),
    Report(Report),
}

fn said(query: &mut Registration) -> Said {
    while let Some(output) = query.poll_output() {
        match output {
            Output::Send(_, bytes) => return Said::Send(bytes),
            Output::Report(report) => return Said::Report(report),
            Output::Resent | Output::Authenticated => {}
        }
    }
    Said::Nothing
}

/// From the daemon's own port, where it is free. Time is what the pauses add up to: nobody needs it to be exact.
fn ask(peer: &sip::Peer, wish: &Register, own: SocketAddr, seed: u64) -> std::io::Result<Report> {
    let socket = match UdpSocket::bind(own) {
        Ok(socket) => socket,
        Err(error) if error.kind() == ErrorKind::AddrInUse => UdpSocket::bind((own.ip(), 0))?,
        Err(error) => return Err(error),
    };
    // Connected, so that an ICMP error reaches us, and no stranger does.
    socket.connect(peer.addr)?;
    let mut rng = Rng::seeded(seed);
    let config = settings(socket.local_addr()?, &mut rng);
    let ids = Ids::new(&config.key);
    let caller = Caller { config: &config, ids: &ids, peer };
    let mut now = Tick(0);
    let mut query = Registration::query(wish.clone(), rng, &caller, now, own);
    let mut buffer = [0; DATAGRAM];
    for _ in 0..DATAGRAMS {
        match said(&mut query) {
            Said::Send(bytes) => {
                socket.send(&bytes)?;
            }
            Said::Report(report) => return Ok(report),
            Said::Nothing => {}
        }
        let Some((at, _)) = query.poll_timeout().filter(|(at, _)| at.since(Tick(0)) <= PATIENCE) else { break };
        socket.set_read_timeout(Some(at.since(now).max(Duration::from_millis(1))))?;
        match socket.recv(&mut buffer) {
            Ok(length) => hear(&mut query, &caller, now, buffer.get(..length).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                now = at;
                query.handle(&caller, now, Input::Timeout);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Report::Failed { why: Failure::Silence, again: None })
}

fn hear(query: &mut Registration, caller: &Caller<'_>, now: Tick, datagram: &[u8]) {
    let Ok(message) = Message::parse(datagram) else { return };
    let id = message.get(sip::header::Name::CallId).map(|call_id| caller.ids.leg(call_id));
    if let Start::Status { code, .. } = message.start
        && id.is_some_and(|id| query.owns(id, &message))
    {
        query.handle(caller, now, Input::Response(&message, code));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::cli::doctor::report::Verdict;

    const ANY: &str = "127.0.0.1:0";

    fn trunk(peer: SocketAddr) -> TrunkConfig {
        config(&peer.to_string()).trunks.remove(0)
    }

    fn config(peer: &str) -> Config {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("password"), "s3cret\n").unwrap();
        let file = home.path().join("goldenhour.yaml");
        let auth = "auth: { user: bank, realm: r, password_file: password }, register: {}";
        let limits = "caller_ids: [\"123\"], max_calls: 1, max_cps: 1";
        std::fs::write(&file, format!("trunks: {{ gw: {{ uri: \"sip:{peer}\", {auth}, {limits} }} }}\n")).unwrap();
        Config::load(&file).unwrap().config
    }

    #[test]
    fn over_a_connection_it_asks_the_same_way_and_hears_that_a_password_is_wrong() {
        const CHALLENGE: &str =
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n";
        let registrar = TcpListener::bind(ANY).unwrap();
        let at = registrar.local_addr().unwrap();
        let serves = std::thread::spawn(move || {
            let (mut stream, _) = registrar.accept().unwrap();
            let mut seen = Vec::new();
            for _ in 0..2 {
                let mut buffer = [0; DATAGRAM];
                let length = stream.read(&mut buffer).unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                stream
                    .write_all(answer(&text, "401 Who", &format!("{CHALLENGE}Content-Length: 0\r\n")).as_bytes())
                    .unwrap();
                seen.push(text);
            }
            seen
        });
        let config = config(&format!("{at};transport=tcp"));
        let findings = check(&config, false);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("user or password is wrong"), "{findings:?}");
        assert_eq!(findings[0].result, Verdict::Fail);
        let seen = serves.join().unwrap();
        assert!(seen.iter().all(|text| !text.contains("Contact:") && !text.contains("Expires:")), "{seen:?}");
        assert!(
            seen[1].contains("\r\nAuthorization: Digest username=\"bank\"") && seen[1].contains("SHA-256"),
            "{seen:?}"
        );
    }

    /// Repeats what a response must repeat.
    fn answer(request: &str, status: &str, headers: &str) -> String {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(&format!("{name}:"))));
        let echo = lines.map(|line| [line, "\r\n"].concat()).collect::<String>();
        format!("SIP/2.0 {status}\r\n{echo}{headers}\r\n")
    }

    /// A registrar that answers each request in turn.
    fn ask_registrar(answers: &'static [(&'static str, &'static str)]) -> (Report, Vec<String>) {
        let registrar = UdpSocket::bind(ANY).unwrap();
        let trunk = trunk(registrar.local_addr().unwrap());
        let serves = std::thread::spawn(move || {
            let mut seen = Vec::new();
            for (status, headers) in answers {
                let mut buffer = [0; DATAGRAM];
                let (length, from) = registrar.recv_from(&mut buffer).unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                registrar.send_to(answer(&text, status, headers).as_bytes(), from).unwrap();
                seen.push(text);
            }
            seen
        });
        let report = ask(&peer(&trunk), trunk.register.as_ref().unwrap(), ANY.parse().unwrap(), 7).unwrap();
        (report, serves.join().unwrap())
    }

    #[test]
    fn it_asks_with_credentials_and_changes_nothing() {
        const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n";
        let (report, seen) =
            ask_registrar(&[("401 Who", CHALLENGE), ("200 OK", "Contact: <sip:x@127.0.0.1:0>;expires=9\r\n")]);
        assert_eq!(report, Report::Bound { expires: Duration::from_secs(9) });
        assert!(seen.iter().all(|text| !text.contains("Contact:") && !text.contains("Expires:")), "{seen:?}");
        assert!(seen[1].contains("\r\nAuthorization: Digest username=\"bank\""), "{seen:?}");
    }

    #[test]
    fn a_daemon_that_runs_must_be_known_and_one_that_does_not_need_not() {
        let (report, _) = ask_registrar(&[("200 OK", "")]);
        let trunk = trunk("127.0.0.1:5080".parse().unwrap());
        let verdict = |place| judge(&trunk, &report, place).result;
        assert_eq!(
            [Place::Known, Place::Nowhere, Place::Connection].map(verdict),
            [Verdict::Fail, Verdict::Ok, Verdict::Ok]
        );
    }

    #[test]
    fn another_realm_is_said_with_both_names() {
        let (report, _) = ask_registrar(&[("401 Who", "WWW-Authenticate: Digest realm=\"theirs\", nonce=\"n\"\r\n")]);
        let finding = judge(&trunk("127.0.0.1:5080".parse().unwrap()), &report, Place::Known);
        assert!(finding.what.contains("realm \"theirs\"") && finding.what.contains("is \"r\""), "{}", finding.what);
    }
}
