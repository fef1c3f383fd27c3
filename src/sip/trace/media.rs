//! A session description in one line: where the sound goes, which codecs, which way, and whether it is encrypted.

use crate::sip::bytes::{find, number, split_once, trim};

use super::mask;

/// Streams that are told.
const STREAMS: usize = 4;
/// Codecs of one stream.
const CODECS: usize = 12;

#[derive(Default)]
struct Stream<'a> {
    kind: &'a [u8],
    port: u16,
    profile: &'a [u8],
    address: Option<&'a [u8]>,
    /// Payload type and name.
    formats: Vec<(u8, &'a [u8])>,
    direction: Option<&'a [u8]>,
    crypto: Option<&'a [u8]>,
}

/// `audio 192.0.2.1:4000 PCMA,telephone-event sendrecv RTP/AVP`, for each stream.
pub(super) fn summary(body: &[u8], out: &mut String) {
    let (mut address, mut direction) = (None, None);
    let mut streams: Vec<Stream<'_>> = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = find(rest, b'\n').map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = tail;
        let Some((kind, value)) = split_once(trim(line), b'=') else { continue };
        if kind == b"m" {
            if streams.len() == STREAMS {
                break;
            }
            streams.push(media_line(value));
            continue;
        }
        match (kind, streams.last_mut()) {
            (b"c", Some(stream)) => stream.address = host(value),
            (b"c", None) => address = host(value),
            (b"a", Some(stream)) => attribute(value, stream),
            (b"a", None) => direction = way(value).or(direction),
            _ => {}
        }
    }
    for (at, stream) in streams.iter().enumerate() {
        if at > 0 {
            out.push_str(" | ");
        }
        show(stream, (address, direction), out);
    }
    if streams.is_empty() {
        out.push_str("no stream");
    }
}

fn show(stream: &Stream<'_>, session: (Option<&[u8]>, Option<&[u8]>), out: &mut String) {
    mask::text(stream.kind, out);
    out.push(' ');
    mask::text(stream.address.or(session.0).unwrap_or(b"?"), out);
    out.push(':');
    out.push_str(&stream.port.to_string());
    out.push(' ');
    for (at, (payload, name)) in stream.formats.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if name.is_empty() {
            out.push_str(&payload.to_string());
        } else {
            mask::text(name, out);
        }
    }
    out.push(' ');
    mask::text(stream.direction.or(session.1).unwrap_or(b"sendrecv"), out);
    out.push(' ');
    mask::text(stream.profile, out);
    if let Some(suite) = stream.crypto {
        out.push_str(" crypto ");
        mask::text(suite, out);
    }
}

fn media_line(value: &[u8]) -> Stream<'_> {
    let mut words = value.split(|b| *b == b' ').filter(|word| !word.is_empty());
    let kind = words.next().unwrap_or(&[]);
    let port = words.next().unwrap_or(&[]);
    let port = split_once(port, b'/').map_or(port, |(port, _)| port);
    let profile = words.next().unwrap_or(&[]);
    let formats = words.take(CODECS).filter_map(|word| number(word, 127)).map(|pt| (pt as u8, known(pt)));
    Stream {
        kind,
        port: number(port, 65_535).unwrap_or(0) as u16,
        profile,
        formats: formats.collect(),
        ..Stream::default()
    }
}

/// Payload types whose meaning is fixed (RFC 3551 §6).
const fn known(payload: u32) -> &'static [u8] {
    match payload {
        0 => b"PCMU",
        3 => b"GSM",
        4 => b"G723",
        8 => b"PCMA",
        9 => b"G722",
        13 => b"CN",
        18 => b"G729",
        _ => b"",
    }
}

/// `IN IP4 192.0.2.1`, perhaps with a TTL.
fn host(value: &[u8]) -> Option<&[u8]> {
    let host = value.split(|b| *b == b' ').filter(|word| !word.is_empty()).nth(2)?;
    Some(split_once(host, b'/').map_or(host, |(host, _)| host))
}

fn way(value: &[u8]) -> Option<&[u8]> {
    matches!(value, b"sendrecv" | b"sendonly" | b"recvonly" | b"inactive").then_some(value)
}

fn attribute<'a>(value: &'a [u8], stream: &mut Stream<'a>) {
    stream.direction = way(value).or(stream.direction);
    match split_once(value, b':') {
        Some((b"rtpmap", map)) => {
            let Some((payload, name)) = split_once(map, b' ') else { return };
            let name = split_once(name, b'/').map_or(name, |(name, _)| name);
            let payload = number(payload, 127);
            if let Some(format) = stream.formats.iter_mut().find(|(known, _)| Some(u32::from(*known)) == payload) {
                format.1 = trim(name);
            }
        }
        // The key itself is left out: it opens the conversation.
        Some((b"crypto", line)) => {
            let suite = line.split(|b| *b == b' ').filter(|word| !word.is_empty()).nth(1);
            stream.crypto = stream.crypto.or(suite);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> String {
        let mut out = String::new();
        summary(body.as_bytes(), &mut out);
        out
    }

    #[test]
    fn a_description_is_told_in_one_line() {
        let offer = "v=0\r\no=+999100000001 1 1 IN IP4 10.0.0.1\r\ns=+999100000001\r\np=+999100000001\r\nc=IN IP4 10.0.0.1\r\n\
            m=audio 4000 RTP/SAVP 8 0 101 96\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n\
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
            m=video 0 RTP/AVP 31\r\n";
        assert_eq!(
            of(offer),
            "audio 10.0.0.1:4000 PCMA,PCMU,telephone-event,96 sendonly RTP/SAVP crypto AES_CM_128_HMAC_SHA1_80 \
             | video 10.0.0.1:0 31 sendrecv RTP/AVP"
        );
    }

    #[test]
    fn hold_for_all_streams_and_an_address_of_one_are_seen() {
        let answer = "c=IN IP4 10.0.0.1\r\na=inactive\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 10.0.0.9\r\n";
        assert_eq!(of(answer), "audio 10.0.0.9:4000 PCMA inactive RTP/AVP");
        assert_eq!(of("v=0\r\n"), "no stream");
    }
}
