//! Masks for what is kept of messages. A number keeps its ends, as `Pii` shows them; who stands beside it keeps nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::base::hex_byte;
use crate::sip::bytes::{display, param, split_once};
use crate::sip::uri::Uri;

/// So many digits may be a number. Ports, statuses and payload types have fewer.
const A_NUMBER: usize = 6;
/// As `Pii`: shorter ones show nothing at all.
const SHOWS_ITS_ENDS: usize = 9;
const HIDDEN: usize = 4;
const LEFT: usize = 4;
/// More is never shown of the front: what follows a number may have joined it.
const HEAD_MAX: usize = 5;
/// Signs between two digits of one number: blanks, dashes, brackets, whatever is no letter.
const GAP: usize = 3;
/// Bytes of a value that are looked at.
const LOOKED_AT: usize = 240;

/// The peer's own words on one line, with every number in them masked. Addresses of machines stay.
pub(super) fn text(value: &[u8], out: &mut String) {
    let value = value.get(..LOOKED_AT).unwrap_or(value);
    if let Some(plain) = plain(value) {
        return out.push_str(plain);
    }
    let value = unescaped(value);
    let chars: Vec<char> = display(&value).chars().collect();
    let mut rest = chars.as_slice();
    let mut starts = true;
    while let [first, tail @ ..] = rest {
        let address = if starts && (first.is_ascii_digit() || *first == '[') { address_len(rest) } else { 0 };
        let shown = if address > 0 { address } else { usize::from(!first.is_numeric()) };
        starts = !first.is_alphanumeric();
        if shown > 0 {
            out.extend(rest.iter().take(shown).map(|c| if c.is_control() { ' ' } else { *c }));
            rest = rest.get(shown..).unwrap_or(&[]);
            continue;
        }
        let (len, digits) = run(rest);
        if digits.len() < A_NUMBER {
            out.extend(rest.iter().take(len).map(|c| if c.is_control() { ' ' } else { *c }));
        } else {
            number(&digits, out);
        }
        rest = rest.get(len..).unwrap_or(tail);
        starts = false;
    }
}

/// Most values: a word or two with hardly a digit, or the address of a machine.
fn plain(value: &[u8]) -> Option<&str> {
    let is_plain = |b: &u8| matches!(b, b' '..=b'~') && *b != b'%';
    let text = value.iter().all(is_plain).then(|| std::str::from_utf8(value).ok())??;
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    (digits < A_NUMBER || text.parse::<Ipv4Addr>().is_ok()).then_some(text)
}

/// A URI: scheme, a masked user, where it leads. Parameters may say anything and are left out, but for the transport.
pub(super) fn uri(uri: &[u8], out: &mut String) {
    let Some((scheme, rest)) = split_once(uri, b':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return out.push_str("****");
    };
    let scheme = display(scheme).to_ascii_lowercase();
    out.push_str(&scheme);
    out.push(':');
    if scheme != "sip" && scheme != "sips" {
        return user(rest, out);
    }
    let Ok(parsed) = Uri::parse(uri) else { return out.push_str("****") };
    if !parsed.user.is_empty() {
        user(parsed.user, out);
        out.push('@');
    }
    text(parsed.host, out);
    if let Some(port) = parsed.port {
        out.push(':');
        out.push_str(&port.to_string());
    }
    let over = param(parsed.params, b"transport").unwrap_or(&[]);
    let known = ["udp", "tcp", "tls", "ws", "wss", "sctp"];
    if let Some(over) = known.into_iter().find(|known| over.eq_ignore_ascii_case(known.as_bytes())) {
        out.push_str(";transport=");
        out.push_str(over);
    }
}

/// The user part of a URI, or all of one that has no host.
fn user(user: &[u8], out: &mut String) {
    let end = user.iter().position(|b| matches!(b, b';' | b':' | b'?')).unwrap_or(user.len());
    let user = unescaped(user.get(..end).unwrap_or(user));
    let is_number = |b: &u8| b.is_ascii_digit() || b"+-.() ".contains(b);
    if !user.iter().all(is_number) {
        return out.push_str("****");
    }
    if user.starts_with(b"+") {
        out.push('+');
    }
    let digits: Vec<char> = user.iter().filter(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
    number(&digits, out);
}

fn number(digits: &[char], out: &mut String) {
    let shows = digits.len() >= SHOWS_ITS_ENDS;
    let (head, tail) = if shows { (digits.len() - HIDDEN - LEFT, LEFT) } else { (0, 0) };
    out.extend(digits.iter().take(head.min(HEAD_MAX)));
    out.push_str("****");
    out.extend(digits.iter().skip(digits.len() - tail));
}

/// The digits at the start, with what stands between them: its length, and the digits alone.
fn run(chars: &[char]) -> (usize, Vec<char>) {
    let (mut len, mut gap, mut digits) = (0, 0, Vec::new());
    for (at, c) in chars.iter().enumerate() {
        if gap > 0 && (c.is_numeric() || *c == '[') && address_len(chars.get(at..).unwrap_or(&[])) > 0 {
            break;
        }
        if c.is_numeric() {
            digits.push(*c);
            (len, gap) = (at + 1, 0);
        } else if c.is_alphanumeric() || gap == GAP {
            break;
        } else {
            gap += 1;
        }
    }
    (len, digits)
}

/// Of the address of a machine at the start, with its port; zero if there is none.
fn address_len(chars: &[char]) -> usize {
    const LONGEST: usize = 50;
    let of_an_address = |c: &&char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']');
    let word: String = chars.iter().take(LONGEST).take_while(of_an_address).collect();
    let word = word.trim_end_matches(['.', ':']);
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    let is_v4 = word.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4());
    let is_v6 = bare.is_some_and(|bare| bare.parse::<IpAddr>().is_ok());
    if is_v4 || is_v6 || word.parse::<SocketAddr>().is_ok() { word.len() } else { 0 }
}

fn is_scheme(text: &[u8]) -> bool {
    const LONGEST: usize = 8;
    (1..=LONGEST).contains(&text.len()) && text.iter().all(u8::is_ascii_alphabetic)
}

/// `%2B` is a plus: whoever hides a number so hides it from the mask too.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex_byte(*high, *low),
            _ => None,
        };
        out.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { rest.get(3..).unwrap_or(&[]) } else { tail };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(value: &str) -> String {
        let mut out = String::new();
        text(value.as_bytes(), &mut out);
        out
    }

    fn uri_of(value: &str) -> String {
        let mut out = String::new();
        uri(value.as_bytes(), &mut out);
        out
    }

    #[test]
    fn numbers_in_words_are_masked_however_they_are_written() {
        for (said, shown) in [
            ("no route to +999100000001 here", "no route to +9991****0001 here"),
            ("99910-000.0001", "9991****0001"),
            ("(999) 100 000 001", "(9991****0001"),
            ("%2B9991%30000%30001", "+9991****0001"),
            ("99 91\\00\u{2011}00\u{200b}00 01", "9991****0001"),
            ("９９９１０００００００１", "９９９１****０００１"),
            ("8001234", "****"),
            ("+999100000001 1234567890", "+99910****7890"),
            ("tab\there", "tab here"),
        ] {
            assert_eq!(text_of(said), shown);
        }
    }

    #[test]
    fn what_an_engineer_needs_stays() {
        for said in [
            "Q.850;cause=16;text=\"Normal call clearing\"",
            "399 10.20.30.40 \"No DTMF\"",
            "399 10.20.30.40:50600 \"No DTMF\"",
            "370 [2001:db8::1]:5061 \"Insufficient Bandwidth\"",
            "Asterisk PBX 18.9.0",
            "Busy Here",
        ] {
            assert_eq!(text_of(said), said);
        }
    }

    #[test]
    fn a_uri_keeps_where_it_leads_and_masks_whom_it_names() {
        for (uri, shown) in [
            ("sip:+999100000001@192.0.2.1:5080;user=phone", "sip:+9991****0001@192.0.2.1:5080"),
            ("SIP:0138-0013-8000@gw.example;transport=TCP", "sip:0138****8000@gw.example;transport=tcp"),
            ("sip:%2B999100000001;phone-context=+999@h", "sip:+9991****0001@h"),
            ("sip:zhang.san@h", "sip:****@h"),
            ("sip:999100000001", "sip:9991****0001"),
            ("sip:1.0.0.0.0.0.0.1.9.9.9.e164.arpa", "sip:100****1999.e164.arpa"),
            ("tel:+999-1000-00001;isub=1", "tel:+9991****0001"),
            ("sip:95500@[2001:db8::1]", "sip:****@[2001:db8::1]"),
            ("sip:a@b@+999100000001", "sip:****"),
            ("+999100000001", "****"),
        ] {
            assert_eq!(uri_of(uri), shown, "{uri}");
        }
    }
}
