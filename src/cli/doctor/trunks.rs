//! Does each trunk answer an OPTIONS (RFC 3261 §11)? Almost any answer will do: it says that somebody is there.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::base::Wall;
use crate::daemon::config::{Config, TrunkConfig};
use crate::daemon::{find, seed};
use crate::sip::header::Name;
use crate::sip::message::{Message, Start};
use crate::sip::{Target, Transport};
use crate::wire;

use super::Finding;

const CHECK: &str = "trunk";
/// Sent again with twice the pause, as timer E does (RFC 3261 §17.1.2.2); in all 3.5 s.
const PAUSES_MS: [u64; 3] = [500, 1_000, 2_000];
const DATAGRAM: usize = 8_192;
/// For the answer over a connection, which needs no repetition.
const PATIENCE: Duration = Duration::from_millis(3_500);
const EXPIRY_WARNING_DAYS: i64 = 21;

pub(super) fn check(config: &Config, now: Wall) -> Vec<Finding> {
    let seed = seed().unwrap_or(0);
    // One after the other: they share the port.
    config.trunks.iter().flat_map(|trunk| ask_trunk(config, trunk, seed, now)).collect()
}

fn ask_trunk(config: &Config, trunk: &TrunkConfig, seed: u64, now: Wall) -> Vec<Finding> {
    let TrunkConfig { name, peer, .. } = trunk;
    let targets = match find(config, peer) {
        Err(why) => {
            let remedy = "is it spelled right, and do the name servers (`dns`, else /etc/resolv.conf) know it?";
            return vec![Finding::unreachable(CHECK, format!("{name}: {why}"), remedy)];
        }
        Ok(found) => found.routes.iter().map(|route| route.target).collect::<Vec<_>>(),
    };
    if let Some(addr) = peer.addr() {
        return ask_target(config, trunk, (Target::new(peer.transport, addr), &peer.to_string()), seed, now);
    }
    let ask = |to: &Target| ask_target(config, trunk, (*to, &format!("{peer} ({to})")), seed, now);
    targets.iter().flat_map(ask).collect()
}

/// `at`: the place in words.
fn ask_target(config: &Config, trunk: &TrunkConfig, (to, at): (Target, &str), seed: u64, now: Wall) -> Vec<Finding> {
    let name = &trunk.name;
    if to.transport == Transport::Udp {
        return vec![judge(trunk, at, ask(to.addr, config.sip, seed).unwrap_or_else(Answer::Refused))];
    }
    match connected(config, trunk, to, seed) {
        Err(Missing::Files(why)) => {
            vec![Finding::fail(CHECK, format!("{name} at {at}: {why}"), "compare `tls` of the trunk with the files")]
        }
        Err(Missing::Connection(why)) => {
            vec![Finding::unreachable(CHECK, format!("{name} at {at}: {why}"), why.remedy())]
        }
        Ok(wire::Answer { message, runs_out }) => {
            let reply = message.and_then(|bytes| reply(&bytes, &call_id(seed)));
            let answer = reply.map_or(Answer::Silence { own_port: true }, Answer::Reply);
            [judge(trunk, at, answer)].into_iter().chain(runs_out.and_then(|at| expiry(name, at, now))).collect()
        }
    }
}

/// Why there is no connection to ask over.
pub(super) enum Missing {
    /// Certificates and keys of ours.
    Files(String),
    Connection(wire::Failure),
}

/// How the daemon makes a connection to this trunk.
pub(super) fn tls(trunk: &TrunkConfig, over: Transport) -> Result<Option<wire::ClientTls>, Missing> {
    match over {
        Transport::Tls => wire::ClientTls::new(&trunk.tls, &trunk.peer.host).map(Some).map_err(Missing::Files),
        Transport::Udp | Transport::Tcp => Ok(None),
    }
}

/// A connection of our own to `to`.
pub(super) fn way<'a>(config: &Config, to: Target, tls: Option<&'a wire::ClientTls>) -> wire::Way<'a> {
    wire::Way { to: to.addr, from: config.sip.ip(), tls, patience: PATIENCE }
}

/// One OPTIONS over a connection of its own, made as the daemon makes it.
fn connected(config: &Config, trunk: &TrunkConfig, to: Target, seed: u64) -> Result<wire::Answer, Missing> {
    let over = to.transport;
    let tls = tls(trunk, over)?;
    let call_id = call_id(seed);
    let question = |ours| options(&trunk.peer.to_string(), Target::new(over, ours), &call_id, seed).into_bytes();
    let answered = |bytes: &[u8]| reply(bytes, &call_id).is_some();
    wire::ask(way(config, to, tls.as_ref()), question, answered).map_err(Missing::Connection)
}

/// `at`: when the certificate runs out, in seconds since 1970.
fn expiry(trunk: &str, at: i64, now: Wall) -> Option<Finding> {
    let days = (at - now.0 / 1_000_000) / 86_400;
    let what = format!("the certificate of {trunk} runs out in {days} days");
    (days < EXPIRY_WARNING_DAYS).then(|| Finding::warn(CHECK, what, "ask whoever runs the gateway for a new one"))
}

/// What stands in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reply {
    status: u16,
    retry_after_s: Option<u32>,
}

#[derive(Debug)]
enum Answer {
    Reply(Reply),
    /// To a question from the daemon's own port, or from another one.
    Silence {
        own_port: bool,
    },
    /// The system's word, of an ICMP message or of our own network.
    Refused(std::io::Error),
}

fn judge(trunk: &TrunkConfig, peer: &str, answer: Answer) -> Finding {
    let name = &trunk.name;
    match answer {
        Answer::Reply(Reply { status: 503, retry_after_s: Some(seconds) }) => {
            let what =
                format!("{name} at {peer} answers OPTIONS with 503 and asks for a pause of {seconds} s (Retry-After)");
            let remedy =
                "the daemon dials nothing on it for that long; if it comes often, lower `max_calls` or `max_cps`";
            Finding::warn(CHECK, what, remedy)
        }
        Answer::Reply(Reply { status: status @ (408 | 503), .. }) => {
            let what = format!("{name} at {peer} answers OPTIONS with {status}, as a proxy does whose gateway is gone");
            let remedy = "the daemon takes it for silent after two of them, and dials nothing on it: look behind it";
            Finding::warn(CHECK, what, remedy)
        }
        Answer::Reply(Reply { status, .. }) => {
            // Nothing here has shown them to anybody.
            let untried = trunk.auth.is_some() && trunk.register.is_none();
            let more = if untried { "; whether it takes our credentials, the first call tells" } else { "" };
            Finding::ok(CHECK, format!("{name} at {peer} answers OPTIONS with {status}{more}"))
        }
        Answer::Silence { .. } if trunk.options_every.is_none() => {
            let what = format!("{name} at {peer} does not answer OPTIONS, as its `options_every: off` says");
            Finding::warn(CHECK, what, "whether it is there, only calls will tell")
        }
        Answer::Silence { own_port: false } => {
            let what = format!("{name} at {peer} does not answer OPTIONS from another port than `sip.listen`");
            Finding::warn(CHECK, what, "the metrics of the daemon say whether its calls ring")
        }
        Answer::Silence { own_port: true } => {
            let remedy = "is the address right, is the way open in both directions, does the gateway know our address?";
            Finding::unreachable(CHECK, format!("{name} at {peer} does not answer OPTIONS"), remedy)
        }
        Answer::Refused(error) => {
            let remedy = "nobody listens there, or the network does not lead there: compare with the gateway";
            Finding::unreachable(CHECK, format!("{name} at {peer}: {error}"), remedy)
        }
    }
}

/// From the daemon's own port, where it is free: a gateway may answer nobody else.
fn ask(peer: SocketAddr, own: SocketAddr, seed: u64) -> std::io::Result<Answer> {
    let (socket, own_port) = match UdpSocket::bind(own) {
        Ok(socket) => (socket, true),
        Err(error) if error.kind() == ErrorKind::AddrInUse => (UdpSocket::bind((own.ip(), 0))?, false),
        Err(error) => return Err(error),
    };
    // Connected, so that an ICMP error reaches us, and no stranger does.
    socket.connect(peer)?;
    let local = socket.local_addr()?;
    let call_id = call_id(seed);
    let request = options(&peer.to_string(), Target::udp(local), &call_id, seed);
    let mut buffer = [0; DATAGRAM];
    for pause in PAUSES_MS {
        socket.send(request.as_bytes())?;
        socket.set_read_timeout(Some(Duration::from_millis(pause)))?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                if let Some(reply) = reply(buffer.get(..length).unwrap_or_default(), &call_id) {
                    return Ok(Answer::Reply(reply));
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Answer::Silence { own_port })
}

fn call_id(seed: u64) -> String {
    format!("doctor-{seed:016x}")
}

/// `peer`: host and port, perhaps with a transport.
fn options(peer: &str, ours: Target, call_id: &str, seed: u64) -> String {
    let Target { transport, addr: local } = ours;
    let (via, param) = (transport.name(), transport.uri_param());
    format!(
        "OPTIONS sip:{peer} SIP/2.0\r\nVia: SIP/2.0/{via} {local};branch=z9hG4bK{seed:x};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:doctor@{local}>;tag={seed:x}\r\nTo: <sip:{peer}>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
         Contact: <sip:doctor@{local}{param}>\r\nAccept: application/sdp\r\nUser-Agent: goldenhour-doctor\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Of a final answer to our own request.
fn reply(datagram: &[u8], call_id: &str) -> Option<Reply> {
    let message = Message::parse(datagram).ok()?;
    let Start::Status { code: status, .. } = message.start else { return None };
    let ours = message.get(Name::CallId) == Some(call_id.as_bytes());
    (status >= 200 && ours).then(|| Reply { status, retry_after_s: message.retry_after_s() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "127.0.0.1:0";

    #[test]
    fn any_final_answer_to_the_question_says_that_somebody_is_there() {
        let gateway = UdpSocket::bind(ANY).unwrap();
        let peer = gateway.local_addr().unwrap();
        let answers = std::thread::spawn(move || {
            let mut buffer = [0; DATAGRAM];
            let (length, from) = gateway.recv_from(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            assert!(
                text.starts_with(&format!("OPTIONS sip:{peer} SIP/2.0\r\n")) && text.ends_with("\r\n\r\n"),
                "{text}"
            );
            let call_id = text.lines().find(|line| line.starts_with("Call-ID")).unwrap();
            gateway.send_to(format!("SIP/2.0 405 No\r\n{call_id}\r\n\r\n").as_bytes(), from).unwrap();
        });
        // Somebody has the daemon's port, so that another one is taken.
        let busy = UdpSocket::bind(ANY).unwrap();
        let answer = ask(peer, busy.local_addr().unwrap(), 7).unwrap();
        assert!(matches!(answer, Answer::Reply(Reply { status: 405, .. })), "{answer:?}");
        answers.join().unwrap();
    }

    #[test]
    fn a_certificate_that_runs_out_soon_is_a_warning() {
        let now = Wall(1_790_000_000_000_000);
        assert!(expiry("gw", 1_790_000_000 + 22 * 86_400, now).is_none());
        assert!(expiry("gw", 1_790_000_000 + 3 * 86_400 + 9, now).unwrap().what.contains("runs out in 3 days"));
    }

    #[test]
    fn a_port_where_nobody_listens_refuses() {
        let gone = UdpSocket::bind(ANY).unwrap().local_addr().unwrap();
        assert_eq!(
            ask(gone, ANY.parse().unwrap(), 7).err().map(|error| error.kind()),
            Some(ErrorKind::ConnectionRefused)
        );
    }

    #[test]
    fn answers_to_others_and_provisional_ones_are_not_heard() {
        let status = |bytes: &[u8]| reply(bytes, "mine").map(|reply| (reply.status, reply.retry_after_s));
        assert_eq!(status(b"SIP/2.0 200 OK\r\nCall-ID: mine\r\n\r\n"), Some((200, None)));
        assert_eq!(status(b"SIP/2.0 503 x\r\nRetry-After: 7\r\ni: mine\r\n\r\n"), Some((503, Some(7))));
        assert_eq!(status(b"SIP/2.0 200 OK\r\nCall-ID: yours\r\n\r\n"), None);
        assert_eq!(status(b"SIP/2.0 100 Trying\r\nCall-ID: mine\r\n\r\n"), None);
        assert_eq!(status(b"BYE sip:a SIP/2.0\r\nCall-ID: mine\r\n\r\n"), None);
    }
}
