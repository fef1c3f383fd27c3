//! Does each trunk answer an OPTIONS (RFC 3261 §11)? Any answer will do: it says that somebody is there.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::daemon::config::{Config, TrunkConfig};
use crate::daemon::seed;

use super::Finding;

const CHECK: &str = "trunk";
/// Sent again with twice the pause, as timer E does (RFC 3261 §17.1.2.2); in all 3.5 s.
const PAUSES_MS: [u64; 3] = [500, 1_000, 2_000];
const DATAGRAM: usize = 8_192;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let seed = seed().unwrap_or(0);
    // One after the other: they share the port.
    let asked = config.trunks.iter().map(|trunk| {
        let answer = ask(trunk.peer, config.sip, seed);
        judge(trunk, answer.unwrap_or_else(Answer::Refused))
    });
    asked.collect()
}

#[derive(Debug)]
enum Answer {
    Status(u16),
    /// To a question from the daemon's own port, or from another one.
    Silence {
        own_port: bool,
    },
    /// The system's word, of an ICMP message or of our own network.
    Refused(std::io::Error),
}

fn judge(trunk: &TrunkConfig, answer: Answer) -> Finding {
    let TrunkConfig { name, peer, .. } = trunk;
    match answer {
        Answer::Status(status) => Finding::ok(CHECK, format!("{name} at {peer} answers OPTIONS with {status}")),
        Answer::Silence { own_port: false } => {
            let what = format!("{name} at {peer} does not answer OPTIONS from another port than `sip.listen`");
            Finding::warn(CHECK, what, "the metrics of the daemon say whether its calls ring")
        }
        Answer::Silence { own_port: true } => {
            let remedy = "is the address right, is UDP open both ways, does the gateway know our address?";
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
    let call_id = format!("doctor-{seed:016x}");
    let request = options(peer, local, &call_id, seed);
    let mut buffer = [0; DATAGRAM];
    for pause in PAUSES_MS {
        socket.send(request.as_bytes())?;
        socket.set_read_timeout(Some(Duration::from_millis(pause)))?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                if let Some(status) = status(buffer.get(..length).unwrap_or_default(), &call_id) {
                    return Ok(Answer::Status(status));
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Answer::Silence { own_port })
}

fn options(peer: SocketAddr, local: SocketAddr, call_id: &str, seed: u64) -> String {
    format!(
        "OPTIONS sip:{peer} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{seed:x};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:doctor@{local}>;tag={seed:x}\r\nTo: <sip:{peer}>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
         Contact: <sip:doctor@{local}>\r\nAccept: application/sdp\r\nUser-Agent: goldenhour-doctor\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Of a final answer to our own request.
fn status(datagram: &[u8], call_id: &str) -> Option<u16> {
    let text = String::from_utf8_lossy(datagram);
    let status: u16 = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    (status >= 200 && text.contains(call_id)).then_some(status)
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
        assert!(matches!(answer, Answer::Status(405)), "{answer:?}");
        answers.join().unwrap();
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
        assert_eq!(status(b"SIP/2.0 200 OK\r\nCall-ID: mine\r\n", "mine"), Some(200));
        assert_eq!(status(b"SIP/2.0 200 OK\r\nCall-ID: yours\r\n", "mine"), None);
        assert_eq!(status(b"SIP/2.0 100 Trying\r\nCall-ID: mine\r\n", "mine"), None);
        assert_eq!(status(b"BYE sip:a SIP/2.0\r\nCall-ID: mine\r\n", "mine"), None);
    }
}
