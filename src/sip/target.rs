//! Where a message goes and how it travels (RFC 3261 §18).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::bytes::push_addr;

/// What carries a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    #[default]
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// As in Via.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As in URIs, and in front of an address of ours.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls].into_iter().find(|known| known.word().eq_ignore_ascii_case(word))
    }

    /// It sends lost bytes again by itself: no message is repeated on a timer (RFC 3261 §17).
    pub const fn is_reliable(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// RFC 3261 §19.1.2.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// What a URI says of it: nothing for UDP, which is what a URI without the parameter means.
    pub const fn uri_param(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
        }
    }
}

/// An address and the transport that leads there. Ours are written the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub transport: Transport,
    pub addr: SocketAddr,
}

impl Target {
    pub const fn new(transport: Transport, addr: SocketAddr) -> Self {
        Self { transport, addr }
    }

    pub const fn udp(addr: SocketAddr) -> Self {
        Self::new(Transport::Udp, addr)
    }

    /// `192.0.2.1:5060;transport=tcp`, the tail of a SIP URI.
    pub fn write_uri_tail(self, out: &mut Vec<u8>) {
        push_addr(self.addr, out);
        out.extend_from_slice(self.transport.uri_param().as_bytes());
    }
}

/// `192.0.2.1:5060`, `tcp:192.0.2.1:5060`, `tls:[2001:db8::1]:5061`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Udp => write!(f, "{}", self.addr),
            Transport::Tcp | Transport::Tls => write!(f, "{}:{}", self.transport.word(), self.addr),
        }
    }
}

/// This text names no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address with a transport")]
pub struct NoTarget;

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let named = |transport: Transport| text.strip_prefix(transport.word())?.strip_prefix(':');
        let (transport, addr) = [Transport::Tcp, Transport::Tls]
            .into_iter()
            .find_map(|transport| Some((transport, named(transport)?)))
            .unwrap_or((Transport::Udp, text));
        Ok(Self { transport, addr: addr.parse().map_err(|_| NoTarget)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_as_it_is_written() {
        for text in ["192.0.2.1:5060", "tcp:192.0.2.1:5060", "tls:[2001:db8::1]:5061"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert!("tcp:somewhere".parse::<Target>().is_err() && "sctp:192.0.2.1:1".parse::<Target>().is_err());
    }
}
