//! Peers: the gateways we talk to, and nobody else. One per trunk, in the order of the daemon's trunks.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::locate::Route;
use super::register::Register;
use super::target::{Target, Transport};

/// A gateway. Datagrams from elsewhere get no answer, no memory, and one count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Requests go here, and over UDP responses are expected from exactly this address and port.
    pub addr: SocketAddr,
    pub transport: Transport,
    /// Where its name leads, in the order of priorities, each of them as good as `addr`, which is the first. Empty for a
    /// peer that is named by its address.
    pub routes: Vec<Route>,
    /// Where its name led before: calls that are there still end there.
    pub former: Vec<Target>,
    /// Our end of the connection to it, where there is one: nobody may listen at the address in our Contact, but whoever
    /// has this connection can use it.
    pub our_end: Option<SocketAddr>,
    /// Networks it may send from too, at any port.
    pub from: Vec<Network>,
    pub auth: Option<Credentials>,
    /// Domain of our own From and P-Asserted-Identity; our address where it is `None`.
    pub domain: Option<String>,
    /// What we register there, if anything.
    pub register: Option<Register>,
    /// The value of Diversion in each INVITE (RFC 5806), as it stands: [`super::is_diversion`] has let it through.
    pub diversion: Option<String>,
}

impl Peer {
    /// The address of a peer that has none.
    pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

    pub fn new(addr: SocketAddr) -> Self {
        let transport = Transport::Udp;
        let (routes, former, from) = (Vec::new(), Vec::new(), Vec::new());
        let (our_end, auth, domain, register, diversion) = (None, None, None, None, None);
        Self { addr, transport, routes, former, our_end, from, auth, domain, register, diversion }
    }

    /// A datagram is the peer's by address and port. Whoever opened a connection has shown that it is at its address, and
    /// its port means nothing. What must come over TLS is not believed without it.
    pub fn owns(&self, from: Target) -> bool {
        let carried = match (self.transport, from.transport) {
            // Requests that are too long for UDP go over TCP, and so may theirs.
            (Transport::Udp, Transport::Udp | Transport::Tcp) | (Transport::Tcp, Transport::Tcp) => true,
            (Transport::Tls, Transport::Tls) => true,
            (Transport::Udp | Transport::Tcp | Transport::Tls, _) => false,
        };
        let is_there = |addr: SocketAddr| {
            if from.transport.is_reliable() { from.addr.ip() == addr.ip() } else { from.addr == addr }
        };
        let itself = self.targets().chain(self.former.iter().copied()).any(|target| is_there(target.addr));
        carried && (itself || self.from.iter().any(|network| network.contains(from.addr.ip())))
    }

    pub fn target(&self) -> Target {
        Target::new(self.transport, self.addr)
    }

    /// Where a request for `wanted` really goes: there if it is the peer's own, else `home`, which is our outbound proxy.
    /// A Contact never makes us send to a stranger, and a peer has one connection, which takes everything.
    pub fn route(&self, wanted: Option<SocketAddr>, home: Target) -> Target {
        let datagrams = self.transport == Transport::Udp;
        let there = wanted.map(Target::udp).filter(|there| datagrams && self.owns(*there));
        there.unwrap_or(home)
    }

    /// Everywhere it can be reached, each of them the same to us.
    pub fn targets(&self) -> impl Iterator<Item = Target> + '_ {
        let alone = self.routes.is_empty().then(|| self.target());
        alone.into_iter().chain(self.routes.iter().map(|route| route.target))
    }

    /// Which of its targets speaks, or was spoken to, there.
    pub fn near(&self, there: Target) -> Target {
        let mut known = self.targets().chain(self.former.iter().copied());
        known.find(|target| target.addr == there.addr).unwrap_or(self.target())
    }

    /// A connection to one of its targets stands; `ours` is our end of it.
    pub fn connected(&mut self, to: Target, ours: SocketAddr) {
        if self.target() == to {
            self.our_end = Some(ours);
        }
        for route in self.routes.iter_mut().filter(|route| route.target == to) {
            route.our_end = Some(ours);
        }
    }

    /// Our end of the connection to that target, else of the one to the first.
    pub fn our_end_at(&self, to: Target) -> Option<SocketAddr> {
        let found = self.routes.iter().find(|route| route.target == to);
        found.and_then(|route| route.our_end).or(self.our_end)
    }

    /// Without an address: its name has not been found yet. Nothing is sent to it, and nothing comes from it.
    pub fn is_nowhere(&self) -> bool {
        self.addr == Self::NOWHERE
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
        assert!(peer.owns(target("127.0.0.1:5080")));
        assert!(!peer.owns(target("127.0.0.1:5081")));
        peer.from.push(Network::parse("10.1.0.0/16").unwrap());
        assert!(peer.owns(target("10.1.200.3:9")));
        assert!(!peer.owns(target("10.2.0.1:9")));
        assert_eq!(peer.route(Some("10.9.9.9:5060".parse().unwrap()), peer.target()), peer.target());
        assert_eq!(peer.route(Some("10.1.0.9:5060".parse().unwrap()), peer.target()), target("10.1.0.9:5060"));
    }

    #[test]
    fn a_connection_is_known_by_its_address_alone_and_tls_is_never_spoken_for() {
        let mut peer = Peer { transport: Transport::Tls, ..Peer::new("127.0.0.1:5061".parse().unwrap()) };
        peer.from.push(Network::parse("10.1.0.0/16").unwrap());
        assert!(peer.owns(target("tls:127.0.0.1:40000")) && peer.owns(target("tls:10.1.0.1:9")));
        assert!(!peer.owns(target("tls:127.0.0.2:5061")));
        for plain in ["127.0.0.1:5061", "tcp:127.0.0.1:5061", "10.1.0.1:9"] {
            assert!(!peer.owns(target(plain)), "{plain}");
        }
        assert_eq!(peer.route(Some("10.1.0.9:5060".parse().unwrap()), peer.target()), target("tls:127.0.0.1:5061"));
        peer.transport = Transport::Tcp;
        assert!(!peer.owns(target("127.0.0.1:5061")) && peer.owns(target("tcp:127.0.0.1:9")));
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
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
