//! 200 OKs as some gateways write them: with a `Server` header in GBK, bytes that are no UTF-8.

use crate::sip::Packet;

/// "中国网关" (China gateway) in GBK.
const SERVER: &[u8] = b"\xd6\xd0\xb9\xfa\xcd\xf8\xb9\xd8 1.0";

/// The datagram with its `Server` replaced, if it is a 200 to an INVITE and its Call-ID is among the chosen `share`.
/// Repetitions of a datagram are dressed alike.
pub(super) fn dress(datagram: &[u8], share: f64) -> Option<Packet> {
    if share <= 0.0 || !datagram.starts_with(b"SIP/2.0 200 ") || !line(datagram, b"CSeq: ")?.1.ends_with(b" INVITE") {
        return None;
    }
    let (_, call_id) = line(datagram, b"Call-ID: ")?;
    let drawn = f64::from(hash(call_id)) / (f64::from(u32::MAX) + 1.0);
    let (at, old) = line(datagram, b"Server: ").filter(|_| drawn < share)?;
    let (head, tail) = (datagram.get(..at)?, datagram.get(at + old.len()..)?);
    Some(Packet::from(&[head, SERVER, tail].concat()[..]))
}

/// Where the value of the first such header line stands.
fn line<'a>(datagram: &'a [u8], name: &[u8]) -> Option<(usize, &'a [u8])> {
    let mut at = 0;
    for line in datagram.split(|b| *b == b'\n') {
        if let Some(value) = line.strip_prefix(name) {
            return Some((at + name.len(), value.strip_suffix(b"\r").unwrap_or(value)));
        }
        at += line.len() + 1;
    }
    None
}

/// FNV-1a, and a finaliser because neighbouring Call-IDs must have nothing in common.
fn hash(bytes: &[u8]) -> u32 {
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(call_id: u32, cseq: &str) -> Vec<u8> {
        format!("SIP/2.0 200 OK\r\nServer: far\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n")
            .into()
    }

    #[test]
    fn only_the_chosen_share_of_answers_is_dressed() {
        let dressed = (0..1_000).filter(|n| dress(&ok(*n, "1 INVITE"), 0.3).is_some()).count();
        assert!((200..400).contains(&dressed), "{dressed}");
        assert_eq!(dress(&ok(1, "1 INVITE"), 0.0), None);
        assert_eq!(dress(&ok(1, "2 BYE"), 1.0), None);
        assert_eq!(dress(&ok(1, "1 INVITE").replace_start(b"SIP/2.0 180 OK"), 1.0), None);
    }

    #[test]
    fn the_rest_of_the_message_stays_as_it_was() {
        let plain = ok(7, "1 INVITE");
        let dressed = dress(&plain, 1.0).unwrap();
        assert!(std::str::from_utf8(&dressed).is_err());
        let at = dressed.windows(SERVER.len()).position(|w| w == SERVER).unwrap();
        let back = [&dressed[..at], b"far", &dressed[at + SERVER.len()..]].concat();
        assert_eq!(back, plain);
    }

    trait ReplaceStart {
        fn replace_start(self, with: &[u8]) -> Self;
    }

    impl ReplaceStart for Vec<u8> {
        fn replace_start(mut self, with: &[u8]) -> Self {
            self[..with.len()].copy_from_slice(with);
            self
        }
    }
}
