//! Peers: the gateways we talk to, and nobody else. One per trunk, in the order of the daemon's trunks.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::register::Register;

/// A gateway. Datagrams from elsewhere get no answer, no memory, and one count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Requests go here, and responses are expected from exactly this address and port.
    pub addr: SocketAddr,
    /// Networks it may send from too, at any port.
    pub from: Vec<Network>,
    pub auth: Option<Credentials>,
    /// Domain of our own From and P-Asserted-Identity; our address where it is `None`.
    pub domain: Option<String>,
    /// What we register there, if anything.
    pub register: Option<Register>,
}

impl Peer {
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, from: Vec::new(), auth: None, domain: None, register: None }
    }

    pub fn owns(&self, addr: SocketAddr) -> bool {
        addr == self.addr || self.from.iter().any(|network| network.contains(addr.ip()))
    }

    /// Where a request for `wanted` really goes: there if it is the peer's own, else to the peer, which is our outbound
    /// proxy. A Contact never makes us send to a stranger.
    pub fn route(&self, wanted: Option<SocketAddr>) -> SocketAddr {
        wanted.filter(|addr| self.owns(*addr)).unwrap_or(self.addr)
    }
}

/// An address prefix such as `10.1.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub base: IpAddr,
    pub bits: u8,
}

impl Network {
    /// `10.1.0.0/16`, `2001:db8::/32`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().ok()?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
        (bits <= width).then_some(Self { base, bits })
    }

    pub fn contains(&self, addr: IpAddr) -> bool {
        let differ = match (self.base, addr) {
            (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        differ.leading_zeros() >= u32::from(self.bits)
    }
}

/// Digest credentials, given only to the peer they belong to and only for their realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub realm: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} at {})", self.user, self.realm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_address_and_port_plus_its_networks() {
        let mut peer = Peer::new("127.0.0.1:5080".parse().unwrap());
        assert!(peer.owns("127.0.0.1:5080".parse().unwrap()));
        assert!(!peer.owns("127.0.0.1:5081".parse().unwrap()));
        peer.from.push(Network::parse("10.1.0.0/16").unwrap());
        assert!(peer.owns("10.1.200.3:9".parse().unwrap()));
        assert!(!peer.owns("10.2.0.1:9".parse().unwrap()));
        assert_eq!(peer.route(Some("10.9.9.9:5060".parse().unwrap())), peer.addr);
    }

    #[test]
    fn networks_have_both_families_and_bounds() {
        assert!(Network::parse("2001:db8::/32").unwrap().contains("2001:db8:ffff::1".parse().unwrap()));
        assert!(!Network::parse("0.0.0.0/0").unwrap().contains("::1".parse().unwrap()));
        assert!(Network::parse("127.0.0.1").unwrap().contains("127.0.0.1".parse().unwrap()));
        assert_eq!(Network::parse("10.0.0.0/33"), None);
    }

    #[test]
    fn a_password_is_never_printed() {
        let c = Credentials { user: "u".into(), realm: "r".into(), password: "hunter2".into() };
        assert!(!format!("{c:?}").contains("hunter2"));
    }
}
