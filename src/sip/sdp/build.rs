//! Writes offers and answers.

use crate::sip::bytes::{find, push_ip, push_number, trim};

use super::crypto::{write_agreed, write_offered};
use super::{Codec, Direction, EVENT_PAYLOAD_TYPE, Local, Media, Session};

/// PCMA and PCMU in the order we prefer, key presses, 20 ms. `id` and `version` go into the origin line (RFC 3264 §8).
pub fn write_offer(local: &Local, id: u64, version: u32, direction: Direction, out: &mut Vec<u8>) {
    let codecs = match local.prefer {
        Codec::Pcma => [Codec::Pcma, Codec::Pcmu],
        Codec::Pcmu => [Codec::Pcmu, Codec::Pcma],
    };
    write_head(local, id, version, out);
    let formats = codecs.map(|codec| (codec.payload_type(), codec.rtpmap()));
    let keys = |out: &mut Vec<u8>| local.srtp.iter().for_each(|secret| write_offered(secret, out));
    write_formats(local, (local.srtp.is_some(), &formats, Some(EVENT_PAYLOAD_TYPE)), keys, out);
    write_direction(direction, out);
}

/// Answers every stream of the offer: the audio we agreed on as it was offered, all others with port 0 (RFC 3264 §6).
pub fn write_answer(offer: &[u8], agreed: (&Session, &Media), local: &Local, id: u64, version: u32, out: &mut Vec<u8>) {
    let (session, media) = agreed;
    write_head(local, id, version, out);
    let mut index = 0;
    let mut rest = offer;
    while !rest.is_empty() {
        let end = find(rest, b'\n').map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = tail;
        let Some(stream) = trim(line).strip_prefix(b"m=") else { continue };
        if index == session.index {
            let formats = [(media.payload_type, media.codec.rtpmap())];
            let keys = |out: &mut Vec<u8>| media.srtp.iter().for_each(|srtp| write_agreed(srtp, out));
            write_formats(local, (media.srtp.is_some(), &formats, media.event_payload_type), keys, out);
            write_direction(session.answer_direction(), out);
        } else if index < session.streams {
            write_refused(stream, out);
        }
        index = index.saturating_add(1);
    }
}

fn write_head(local: &Local, id: u64, version: u32, out: &mut Vec<u8>) {
    let ip = local.rtp.ip();
    let family: &[u8] = if ip.is_ipv4() { b" IN IP4 " } else { b" IN IP6 " };
    out.extend_from_slice(b"v=0\r\no=- ");
    push_number(id, out);
    out.push(b' ');
    push_number(u64::from(version), out);
    out.extend_from_slice(family);
    push_ip(ip, out);
    out.extend_from_slice(b"\r\ns=-\r\nc=");
    out.extend_from_slice(family.trim_ascii_start());
    push_ip(ip, out);
    out.extend_from_slice(b"\r\nt=0 0\r\n");
}

/// The stream up to its direction.
fn write_formats(
    local: &Local,
    (secure, formats, event): (bool, &[(u8, &str)], Option<u8>),
    keys: impl FnOnce(&mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"m=audio ");
    push_number(u64::from(local.rtp.port()), out);
    out.extend_from_slice(if secure { b" RTP/SAVP" } else { b" RTP/AVP" });
    for pt in formats.iter().map(|(pt, _)| *pt).chain(event) {
        out.push(b' ');
        push_number(u64::from(pt), out);
    }
    out.extend_from_slice(b"\r\n");
    keys(out);
    let events = event.map(|pt| (pt, "telephone-event/8000"));
    for (pt, name) in formats.iter().copied().chain(events) {
        out.extend_from_slice(b"a=rtpmap:");
        push_number(u64::from(pt), out);
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if let Some(pt) = event {
        out.extend_from_slice(b"a=fmtp:");
        push_number(u64::from(pt), out);
        out.extend_from_slice(b" 0-15\r\n");
    }
}

fn write_direction(direction: Direction, out: &mut Vec<u8>) {
    out.extend_from_slice(b"a=ptime:20\r\na=");
    out.extend_from_slice(direction.attribute().as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `m=` line of the offer with its port replaced by 0.
fn write_refused(stream: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"m=");
    for (position, word) in stream.split(|&b| b == b' ').enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(if position == 1 { b"0" } else { word });
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: fn() -> Local = || Local { rtp: "127.0.0.1:20000".parse().unwrap(), prefer: Codec::Pcma, srtp: None };

    #[test]
    fn the_offer_reads_as_it_must() {
        let mut out = Vec::new();
        write_offer(&LOCAL(), 7, 1, Direction::SendRecv, &mut out);
        expect_test::expect![[r"
            v=0
            o=- 7 1 IN IP4 127.0.0.1
            s=-
            c=IN IP4 127.0.0.1
            t=0 0
            m=audio 20000 RTP/AVP 8 0 101
            a=rtpmap:8 PCMA/8000
            a=rtpmap:0 PCMU/8000
            a=rtpmap:101 telephone-event/8000
            a=fmtp:101 0-15
            a=ptime:20
            a=sendrecv
        "]]
        .assert_eq(&String::from_utf8(out).unwrap().replace("\r\n", "\n"));
    }

    #[test]
    fn an_answer_refuses_every_other_stream_and_mirrors_payload_types_and_direction() {
        let offer = b"v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=video 9 RTP/SAVPF 96 97\r\n\
            m=audio 4000 RTP/AVP 3 0 8 99\r\na=rtpmap:99 telephone-event/8000\r\na=sendonly\r\nm=audio 5000 RTP/AVP 8\r\n";
        let session = Session::parse(offer).unwrap();
        let media = session.agree(false).unwrap();
        let mut out = Vec::new();
        write_answer(offer, (&session, &media), &LOCAL(), 7, 2, &mut out);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().filter(|l| l.starts_with("m=") || l.starts_with("a=")).collect();
        let want = [
            "m=video 0 RTP/SAVPF 96 97",
            "m=audio 20000 RTP/AVP 0 99",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:99 telephone-event/8000",
            "a=fmtp:99 0-15",
            "a=ptime:20",
            "a=recvonly",
            "m=audio 0 RTP/AVP 8",
        ];
        assert_eq!(lines, want);
    }

    #[test]
    fn our_own_offer_is_understood_by_our_own_reader() {
        let mut out = Vec::new();
        let local = Local { rtp: "[::1]:20000".parse().unwrap(), prefer: Codec::Pcmu, srtp: None };
        write_offer(&local, 7, 1, Direction::SendOnly, &mut out);
        let media = Session::parse(&out).unwrap().agree(false).unwrap();
        assert_eq!((media.remote, media.codec, media.direction), (local.rtp, Codec::Pcmu, Direction::RecvOnly));
    }
}
