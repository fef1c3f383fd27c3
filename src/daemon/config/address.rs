//! Addresses as the configuration writes them: listeners, SIP URIs of gateways.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::sip::Transport;

/// What stands behind `sip:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SipUri<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    /// Of `;transport=`; no other parameter is known.
    pub(super) transport: Transport,
    pub(super) says_transport: bool,
}

/// RFC 3261 §19.1.2.
pub(super) const SIP_PORT: u16 = Transport::Udp.default_port();

impl<'a> SipUri<'a> {
    /// `sip:user@host:port`, perhaps with `;transport=tcp`; `None` if it is anything else.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("sip:")?;
        let says_transport = rest.contains(';');
        let (rest, transport) = match rest.split_once(';') {
            None => (rest, Transport::Udp),
            Some((rest, param)) => (rest, Transport::parse(param.strip_prefix("transport=")?)?),
        };
        let (user, host_port) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let (host, port) = match host_port.rsplit_once(':') {
            Some((host, port)) if !host_port.ends_with(']') => {
                (host, Some(port.parse().ok().filter(|port| *port > 0)?))
            }
            Some(_) | None => (host_port, None),
        };
        let host_fits = host.parse::<IpAddr>().is_ok()
            || v6_in_brackets(host).is_some()
            || !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        let user_fits = |user: &str| {
            !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&b))
        };
        (host_fits && user.is_none_or(user_fits)).then_some(Self { user, host, port, transport, says_transport })
    }

    /// `None` for a host name.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok().or_else(|| v6_in_brackets(self.host).map(IpAddr::V6))
    }
}

/// `udp://127.0.0.1:5060`; the scheme may be left to the caller to judge.
pub(super) fn listen(text: &str) -> Option<(&str, SocketAddr)> {
    let (scheme, address) = text.split_once("://")?;
    Some((scheme, address.parse().ok()?))
}

fn v6_in_brackets(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_uris_have_a_host_and_perhaps_user_and_port() {
        let uri = SipUri::parse("sip:8001@gw-a").unwrap();
        assert_eq!((uri.user, uri.host, uri.port, uri.ip()), (Some("8001"), "gw-a", None, None));
        let uri = SipUri::parse("sip:[2001:db8::1]:5080").unwrap();
        assert_eq!((uri.ip(), uri.port), ("2001:db8::1".parse().ok(), Some(5080)));
        assert_eq!(SipUri::parse("sip:[2001:db8::1]").unwrap().port, None);
        for bad in ["127.0.0.1", "sips:127.0.0.1", "sip:", "sip:@h", "sip:h:0", "sip:h:x", "sip:a b@h"] {
            assert_eq!(SipUri::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_uri_may_name_a_transport_and_nothing_else() {
        let uri = SipUri::parse("sip:gw.example.com:5061;transport=TLS").unwrap();
        assert_eq!((uri.host, uri.port, uri.transport), ("gw.example.com", Some(5061), Transport::Tls));
        assert_eq!(SipUri::parse("sip:[::1];transport=tcp").unwrap().transport, Transport::Tcp);
        assert_eq!(SipUri::parse("sip:h").unwrap().transport, Transport::Udp);
        for bad in ["sip:h;transport=ws", "sip:h;transport=", "sip:h;lr", "sip:h;transport=tcp;lr", "sip:h;"] {
            assert_eq!(SipUri::parse(bad), None, "{bad}");
        }
    }
}
