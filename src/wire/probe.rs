//! Finds out that nobody listens at a gateway's address: an unconnected socket is never told of ICMP errors, so when
//! requests have to be repeated a connected one sends a keep-alive (RFC 5626 §3.5.1) and looks at the answer.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::base::Tick;
use crate::line::{LineTrunk, Transport};

/// Probes of one trunk are this far apart.
const EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Probe {
    trunks: Vec<Trunk>,
}

#[derive(Debug)]
struct Trunk {
    addr: SocketAddr,
    socket: Option<std::net::UdpSocket>,
    sent: Option<Tick>,
}

impl Probe {
    /// Of the trunks that datagrams go to: a connection finds out by itself.
    pub(super) fn of(trunks: &[LineTrunk]) -> Self {
        let datagrams = trunks.iter().filter(|trunk| trunk.transport == Transport::Udp);
        Self::new(
            datagrams
                .filter(|trunk| !trunk.is_nowhere())
                .flat_map(|trunk| trunk.targets().into_iter().map(|to| to.addr))
                .collect(),
        )
    }

    fn new(trunks: Vec<SocketAddr>) -> Self {
        Self { trunks: trunks.into_iter().map(|addr| Trunk { addr, socket: None, sent: None }).collect() }
    }

    /// Something was repeated: asks again at every trunk, and returns those whose last probe came back refused.
    pub(super) fn ask(&mut self, now: Tick) -> Vec<SocketAddr> {
        self.trunks.iter_mut().filter_map(|trunk| trunk.ask(now)).collect()
    }
}

impl Trunk {
    fn ask(&mut self, now: Tick) -> Option<SocketAddr> {
        if self.sent.is_some_and(|sent| now.since(sent) < EVERY) {
            return None;
        }
        self.sent = Some(now);
        if self.socket.is_none() {
            self.socket = connected(self.addr);
        }
        let socket = self.socket.as_ref()?;
        // The refusal of one datagram is reported with the next call on the socket.
        let before = refused(socket.send(b"\r\n\r\n").map(drop));
        let after = refused(socket.recv(&mut [0; 8]).map(drop));
        (before || after).then_some(self.addr)
    }
}

fn connected(to: SocketAddr) -> Option<std::net::UdpSocket> {
    let any = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect(to).ok()?;
    Some(socket)
}

fn refused(result: std::io::Result<()>) -> bool {
    result.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address where nobody listens, and one where somebody does.
    fn pair() -> (SocketAddr, std::net::UdpSocket) {
        let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        (gone, std::net::UdpSocket::bind("127.0.0.1:0").unwrap())
    }

    #[test]
    fn only_the_address_where_nobody_listens_is_reported() {
        let (gone, there) = pair();
        let mut probe = Probe::new(vec![gone, there.local_addr().unwrap()]);
        let first = probe.ask(Tick(0));
        let second = probe.ask(Tick(500_000));
        assert!(first.iter().chain(&second).all(|addr| *addr == gone) && !second.is_empty());
    }

    #[test]
    fn probes_keep_their_distance() {
        let (gone, _there) = pair();
        let mut probe = Probe::new(vec![gone]);
        probe.ask(Tick(0));
        assert!(probe.ask(Tick(499_999)).is_empty());
    }
}
