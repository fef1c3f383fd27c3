//! SIP URIs over bytes, as far as an endpoint needs them: scheme, user, host, port, parameters.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::bytes::{element_len, find, number, param, split_once};

/// A `sip:` or `sips:` URI (RFC 3261 §19.1). Nothing is unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    pub user: &'a [u8],
    /// With brackets where it is IPv6.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: &'a [u8],
    /// After `?`; never acted upon.
    pub headers: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUri {
    #[error("not a sip: or sips: URI")]
    Scheme,
    #[error("malformed URI")]
    Malformed,
}

impl<'a> Uri<'a> {
    pub fn parse(text: &'a [u8]) -> Result<Self, BadUri> {
        let (scheme, rest) = split_once(text, b':').ok_or(BadUri::Malformed)?;
        let valid = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.iter().all(valid) {
            return Err(BadUri::Malformed);
        }
        if !scheme.eq_ignore_ascii_case(b"sip") && !scheme.eq_ignore_ascii_case(b"sips") {
            return Err(BadUri::Scheme);
        }
        Self::after_scheme(rest).ok_or(BadUri::Malformed)
    }

    /// Where it points, if it says so by address.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(host_ip(self.host)?, self.port.unwrap_or(5060)))
    }

    pub fn is_loose_router(&self) -> bool {
        param(self.params, b"lr").is_some()
    }

    fn after_scheme(rest: &'a [u8]) -> Option<Self> {
        let clean = |b: &u8| *b > b' ' && !matches!(b, b'<' | b'>' | b'"' | 0x7f);
        rest.iter().all(clean).then_some(())?;
        let (user, rest) = split_once(rest, b'@').unwrap_or((&[], rest));
        let (rest, headers) = split_once(rest, b'?').unwrap_or((rest, &[]));
        let (host_port, params) = rest.split_at_checked(element_len(rest, b';'))?;
        let (host, port) = split_host_port(host_port)?;
        Some(Self { user, host, port, params, headers })
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`. What stands in brackets is only checked for its characters: RFC 5118 §4.10
/// asks to tolerate the three colons of RFC 3261's grammar.
pub fn split_host_port(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let host_len = match text.first()? {
        b'[' => find(text, b']')? + 1,
        _ => text.iter().take_while(|&&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')).count(),
    };
    let (host, rest) = text.split_at_checked(host_len)?;
    let v6 =
        |h: &[u8]| h.len() > 2 && h.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'[' | b']' | b':' | b'.'));
    (!host.is_empty() && (!host.starts_with(b"[") || v6(host))).then_some(())?;
    let rest = super::bytes::trim(rest);
    match rest.strip_prefix(b":") {
        Some(port) => Some((host, Some(u16::try_from(number(super::bytes::trim(port), 65_535)?).ok()?))),
        None => rest.is_empty().then_some((host, None)),
    }
}

/// The address a host names, if it is one.
pub fn host_ip(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    match text.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

/// Writes a user part, escaping what may not stand there: no header or parameter can be smuggled in through a name.
pub fn write_user(user: &str, out: &mut Vec<u8>) {
    for &byte in user.as_bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,/".contains(&byte);
        if plain {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

/// Writes a header value into a URI, escaping all that has a meaning there (RFC 3261 §19.1.1).
pub fn write_escaped(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_and_odd_users_survive() {
        let uri = Uri::parse(b"sip:user;par=u%40example.net@example.com:5070;transport=udp;lr?a=b").unwrap();
        assert_eq!((uri.user, uri.host, uri.port), (&b"user;par=u%40example.net"[..], &b"example.com"[..], Some(5070)));
        assert!(uri.is_loose_router());
        assert_eq!(uri.headers, b"a=b");
        assert_eq!(Uri::parse(b"sip:[2001:db8::10:5070]").unwrap().port, None);
        let v6 = Uri::parse(b"sip:+999100000001@[::1]:5070").unwrap();
        assert_eq!(v6.socket_addr(), Some("[::1]:5070".parse().unwrap()));
        assert!(Uri::parse(b"sip:user@[2001:db8:::192.0.2.1]").is_ok());
    }

    #[test]
    fn foreign_schemes_and_broken_uris_are_told_apart() {
        assert_eq!(Uri::parse(b"nobodyKnowsThisScheme:totallyopaquecontent"), Err(BadUri::Scheme));
        assert_eq!(Uri::parse(b"soap.beep://192.0.2.103:3002"), Err(BadUri::Scheme));
        for bad in [&b"<sip:user@example.com>"[..], b"sip:user@example.com; lr", b"sip:2001:db8::10", b"sip:", b"x"] {
            assert_eq!(Uri::parse(bad), Err(BadUri::Malformed), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_user_cannot_smuggle_a_header() {
        let mut out = Vec::new();
        write_user("+1>\r\nX: y", &mut out);
        assert_eq!(out, b"+1%3E%0D%0AX%3A%20y");
    }
}
