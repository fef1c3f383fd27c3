//! Via: who sent a request and where its answer goes (RFC 3261 §20.42, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use super::bytes::{
    element_len, is_token, param, push_ip, push_number, push_value, split_list, split_once, trim, trim_end, trim_start,
};
use super::uri::split_host_port;

/// The first value of a Via line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: &'a [u8],
    branch: &'a [u8],
    /// Length of this value within its line, up to the comma.
    pub len: usize,
}

impl<'a> Via<'a> {
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let len = element_len(line, b',');
        let mut rest = line.get(..len)?;
        // Another version is judged by the start line alone: its 505 needs a way back.
        for (part, want) in [(0, &b"SIP"[..]), (1, b""), (2, b"")] {
            rest = trim_start(rest);
            let end = rest.iter().take_while(|&&b| is_token(b)).count();
            let (word, tail) = rest.split_at_checked(end)?;
            (!word.is_empty() && (want.is_empty() || word.eq_ignore_ascii_case(want))).then_some(())?;
            rest = if part < 2 { trim_start(tail).strip_prefix(b"/")? } else { tail };
        }
        let (sent_by, params) = rest.split_at_checked(element_len(rest, b';'))?;
        let (host, port) = split_host_port(trim(sent_by))?;
        let mut branch = None;
        for one in split_list(params, b';').skip(1) {
            (!one.is_empty()).then_some(())?;
            let (name, value) = split_once(one, b'=').unwrap_or((one, &[]));
            if branch.is_none() && trim_end(name).eq_ignore_ascii_case(b"branch") {
                branch = Some(trim(value));
            }
        }
        Some(Self { host, port, params, branch: branch.unwrap_or(&[]), len })
    }

    /// Present and behind the magic cookie (RFC 3261 §8.1.1.7).
    pub fn branch(&self) -> Option<&'a [u8]> {
        Some(self.branch).filter(|b| b.len() > 7 && b.starts_with(b"z9hG4bK"))
    }

    pub fn wants_rport(&self) -> bool {
        param(self.params, b"rport").is_some()
    }

    /// Where the response goes: back to the source with `rport`, else to the source's address and the sent-by port
    /// (RFC 3261 §18.2.2, RFC 3581 §4). `maddr` is not followed: it would let a peer aim us at a third party.
    pub fn reply_to(&self, source: SocketAddr) -> SocketAddr {
        if self.wants_rport() { source } else { SocketAddr::new(source.ip(), self.port.unwrap_or(5060)) }
    }

    /// Writes a Via line back with `received` and `rport` filled in for its first value; the rest verbatim.
    pub fn write_reply(&self, line: &[u8], source: SocketAddr, out: &mut Vec<u8>) {
        let (first, rest) = line.split_at_checked(self.len).unwrap_or((line, &[]));
        let (mut received, mut rport) = (true, true);
        for (index, part) in split_list(first, b';').enumerate() {
            if index > 0 {
                out.push(b';');
            }
            push_value(part, out);
            if rport && index > 0 && part.eq_ignore_ascii_case(b"rport") {
                rport = false;
                out.push(b'=');
                push_number(u64::from(source.port()), out);
            }
            received &= !part.get(..8).is_some_and(|p| p.eq_ignore_ascii_case(b"received"));
        }
        if received && (self.wants_rport() || self.host_ip() != Some(source.ip())) {
            out.extend_from_slice(b";received=");
            push_ip(source.ip(), out);
        }
        push_value(rest, out);
    }

    /// The sent-by host where it is an address.
    pub fn host_ip(&self) -> Option<IpAddr> {
        super::uri::host_ip(self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_folds_and_several_values_are_read() {
        let via = Via::parse(
            b"SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP/2.0/UDP h",
        )
        .unwrap();
        assert_eq!((via.host, via.branch()), (&b"spindle.example.com"[..], Some(&b"z9hG4bK9ikj8"[..])));
        let via = Via::parse(b"SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255;branch=z9hG4bKas3").unwrap();
        assert_eq!((via.host, via.port), (&b"[2001:db8::9:1]"[..], Some(6050)));
    }

    #[test]
    fn empty_parameters_and_the_bare_cookie_are_refused() {
        assert_eq!(Via::parse(b"SIP/2.0/UDP 192.0.2.15;;,;,,"), None);
        assert_eq!(Via::parse(b"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK").unwrap().branch(), None);
        assert_eq!(Via::parse(b"SIP/2.0 192.0.2.1"), None);
    }

    #[test]
    fn a_parameter_that_stands_there_often_is_filled_once() {
        let line = b"SIP/2.0/UDP h;rport;rport;branch=z9hG4bKa";
        let mut out = Vec::new();
        Via::parse(line).unwrap().write_reply(line, "127.0.0.1:4000".parse().unwrap(), &mut out);
        assert_eq!(out, b"SIP/2.0/UDP h;rport=4000;rport;branch=z9hG4bKa;received=127.0.0.1");
    }

    #[test]
    fn the_reply_fills_rport_and_received_in_the_first_value_only() {
        let line = b"SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa, SIP/2.0/UDP x;rport";
        let via = Via::parse(line).unwrap();
        let source = "127.0.0.1:4000".parse().unwrap();
        let mut out = Vec::new();
        via.write_reply(line, source, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "SIP/2.0/UDP 10.0.0.1:5060;rport=4000;branch=z9hG4bKa;received=127.0.0.1, SIP/2.0/UDP x;rport"
        );
        assert_eq!(via.reply_to(source), source);
        let plain = Via::parse(b"SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bKa").unwrap();
        assert_eq!(plain.reply_to(source).port(), 5066);
    }
}
