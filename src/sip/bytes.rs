//! Small scans over bytes. SIP is read as bytes and never as text: a header in GBK is as good as any other.

use std::net::{IpAddr, SocketAddr};

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Position of the first `needle`, eight bytes at a time (Warren, "Hacker's Delight" §6-1).
pub fn find(bytes: &[u8], needle: u8) -> Option<usize> {
    find_any(bytes, [needle])
}

/// Position of the first of these.
fn find_any<const N: usize>(bytes: &[u8], needles: [u8; N]) -> Option<usize> {
    let patterns = needles.map(|needle| LOW.wrapping_mul(u64::from(needle)));
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let hits = patterns.iter().fold(0, |hits, pattern| {
            let diff = word ^ pattern;
            hits | (diff.wrapping_sub(LOW) & !diff & HIGH)
        });
        // What a borrow marks wrongly lies above a right mark.
        if hits != 0 {
            return Some(index * 8 + (hits.trailing_zeros() / 8) as usize);
        }
    }
    tail.iter().position(|b| needles.contains(b)).map(|at| words.len() * 8 + at)
}

/// SP, HT, and the CR LF of a folded line.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !is_space(*first) {
            break;
        }
        bytes = rest;
    }
    bytes
}

pub fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes {
        if !is_space(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

pub fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// Before and after the first `at`, which belongs to neither.
pub fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = find(bytes, at)?;
    Some((bytes.get(..index)?, bytes.get(index + 1..)?))
}

/// Decimal digits and nothing else; `None` past `max`, so that overlarge values are refused and never wrapped.
pub fn number(bytes: &[u8], max: u32) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for &byte in bytes {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u64::from(byte - b'0');
        if value > u64::from(max) {
            return None;
        }
    }
    u32::try_from(value).ok()
}

/// `token` of RFC 3261 §25.1.
pub const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Past a quoted string that opens at the start of `bytes`: the length with both quotes, `None` if it never closes.
///
/// The second byte of a GBK character may be a backslash. Where the strict reading finds no end, a quote that is
/// followed by `<`, `;`, `,` or the end closes it.
pub fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    (1..bytes.len())
        .find(|&at| {
            bytes.get(at) == Some(&b'"')
                && bytes.get(at - 1).is_some_and(|&b| b == b'\\')
                && at >= 2
                && bytes.get(at - 2).is_some_and(|&b| b >= 0x80)
                && matches!(trim_start(bytes.get(at + 1..).unwrap_or(&[])).first(), None | Some(b'<' | b';' | b','))
        })
        .map(|at| at + 1)
}

/// Splits at `separator` outside quotes and angle brackets, trimmed. A list that ends in a separator yields an empty
/// last element, so that the caller can refuse it.
pub fn split_list(bytes: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = element_len(text, separator);
        rest = text.get(end + 1..);
        text.get(..end).map(trim)
    })
}

/// Length of the first element of a list: up to the first `separator` outside quotes and angle brackets.
pub fn element_len(bytes: &[u8], separator: u8) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let Some(hit) = find_any(rest, [separator, b'"', b'<'])
    {
        at += hit;
        let inner = rest.get(hit..).unwrap_or(&[]);
        at += match inner.first() {
            Some(b'"') => quoted_len(inner).unwrap_or(1),
            Some(b'<') => find(inner, b'>').unwrap_or(inner.len()),
            Some(_) | None => return at,
        };
    }
    bytes.len()
}

/// The value of `;name=value` among parameters as they stand after the URI or the sent-by. A parameter without a value
/// yields the empty slice. Linear white space around `;` and `=` is legal (RFC 3261 §25.1).
pub fn param<'a>(params: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    split_list(params, b';').find_map(|one| {
        let (key, value) = split_once(one, b'=').unwrap_or((one, &[]));
        trim_end(key).eq_ignore_ascii_case(name).then(|| trim(value))
    })
}

/// Appends a decimal number: much cheaper than formatting, and every message has a dozen.
pub fn push_number(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        start -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or(&[]));
}

/// Appends the value of a header line. A fold counts as one space (RFC 3261 §7.3.1), and so does any other line end:
/// nothing of the peer's that we write back can begin a line of its own.
pub fn push_value(value: &[u8], out: &mut Vec<u8>) {
    if find(value, b'\n').is_none() && find(value, b'\r').is_none() {
        return out.extend_from_slice(value);
    }
    let mut lines = value.split(|b| matches!(b, b'\r' | b'\n')).map(trim).filter(|line| !line.is_empty());
    out.extend_from_slice(lines.next().unwrap_or(&[]));
    for line in lines {
        out.push(b' ');
        out.extend_from_slice(line);
    }
}

/// For people's eyes: UTF-8, or GB18030 where it is not that. Never for comparison, never for the wire.
pub fn display(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

pub fn push_ip(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(v4) => {
            for (index, octet) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                push_number(u64::from(octet), out);
            }
        }
        IpAddr::V6(v6) => out.extend_from_slice(v6.to_string().as_bytes()),
    }
}

/// `127.0.0.1:5060`, `[::1]:5060`.
pub fn push_addr(addr: SocketAddr, out: &mut Vec<u8>) {
    let brackets = addr.is_ipv6();
    if brackets {
        out.push(b'[');
    }
    push_ip(addr.ip(), out);
    out.extend_from_slice(if brackets { b"]:" } else { b":" });
    push_number(u64::from(addr.port()), out);
}

/// FNV-1a, to tell tags and branches of one Call-ID apart in small memories.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_agrees_with_the_plain_search_at_every_offset() {
        let text: Vec<u8> = (0..64u8).chain([0xff, 0x80, 0x0a, 0x0b]).collect();
        for start in 0..text.len() {
            for needle in [0, 0x0a, 0x0b, 0x3f, 0x80, 0xff, 0x81] {
                let slice = &text[start..];
                assert_eq!(find(slice, needle), slice.iter().position(|&b| b == needle), "{start} {needle}");
            }
        }
    }

    /// Byte by byte, as the grammar has it.
    fn plain_element_len(bytes: &[u8], separator: u8) -> usize {
        let (mut at, mut angle) = (0, false);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' if !angle => at += quoted_len(&bytes[at..]).unwrap_or(1) - 1,
                b'<' => angle = true,
                b'>' => angle = false,
                _ if byte == separator && !angle => return at,
                _ => {}
            }
            at += 1;
        }
        bytes.len()
    }

    #[test]
    fn an_element_ends_where_a_plain_reading_ends_it() {
        let mut rng = crate::base::Rng::seeded(1);
        let mut draw = |below: u32| (rng.u32() % below) as usize;
        for _ in 0..20_000 {
            let text: Vec<u8> = (0..draw(40)).map(|_| b",;<>\"\\ab:\xd5=."[draw(12)]).collect();
            for separator in [b',', b';'] {
                assert_eq!(element_len(&text, separator), plain_element_len(&text, separator), "{text:?}");
            }
        }
    }

    #[test]
    fn numbers_and_addresses_are_written_as_the_standard_library_does() {
        let text = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        for n in [0, 9, 10, 65_535, u64::MAX] {
            assert_eq!(text(&|out| push_number(n, out)), n.to_string());
        }
        for addr in ["127.0.0.1:5060", "[2001:db8::1]:1", "0.0.0.0:0"] {
            assert_eq!(text(&|out| push_addr(addr.parse().unwrap(), out)), addr);
        }
    }

    #[test]
    fn a_value_never_begins_a_line_of_its_own() {
        for (value, want) in [
            (&b"<sip:a@h>  ;tag=1"[..], &b"<sip:a@h>  ;tag=1"[..]),
            (b"<sip:a@h>\r\n\t ;tag=1", b"<sip:a@h> ;tag=1"),
            (b"a\n b\rX: y\r\n\r\nZ: z", b"a b X: y Z: z"),
            (b"\r\n ", b""),
        ] {
            let mut out = Vec::new();
            push_value(value, &mut out);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn names_are_shown_in_utf_8_or_gb18030() {
        assert_eq!(display("测试".as_bytes()), "测试");
        assert_eq!(display(b"\xb2\xe2\xca\xd4"), "测试");
        assert_eq!(display(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn numbers_past_their_bound_are_refused() {
        assert_eq!(number(b"0009", 100), Some(9));
        for bad in [&b""[..], b"-1", b"101", b"99999999999999999999999999", b"1 ", b"0x1"] {
            assert_eq!(number(bad, 100), None);
        }
    }

    #[test]
    fn parameters_are_found_through_white_space_and_quotes() {
        assert_eq!(param(b"  ;\r\n  tag = 98asjd8", b"tag"), Some(&b"98asjd8"[..]));
        assert_eq!(param(b";x=\"a;tag=no\";TAG=yes", b"tag"), Some(&b"yes"[..]));
        assert_eq!(param(b";rport;branch=z", b"rport"), Some(&b""[..]));
        assert_eq!(param(b";rport", b"tag"), None);
    }

    #[test]
    fn a_gbk_character_that_ends_in_a_backslash_does_not_swallow_the_quote() {
        assert_eq!(quoted_len(b"\"\xd5\x5c\" <sip:a@b>"), Some(4));
        assert_eq!(quoted_len(b"\"a\\\"b\" <sip:a@b>"), Some(6));
        assert_eq!(quoted_len(b"\"Mr. J. User <sip:j@example.com>"), None);
    }
}
