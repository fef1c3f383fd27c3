//! Which call owns which RTP packet: a few sockets, told apart by who sends to them.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::base::LegId;

/// Our RTP sockets. While there are more of them than calls every call has one to itself.
#[derive(Debug)]
pub(super) struct Ports {
    locals: Vec<Local>,
    owners: HashMap<(u16, SocketAddr), LegId>,
    /// Where the search begins: a port that was just left may still get stray packets.
    next: usize,
}

#[derive(Debug)]
struct Local {
    addr: SocketAddr,
    calls: u32,
}

impl Ports {
    pub(super) fn new(locals: &[SocketAddr]) -> Self {
        let locals = locals.iter().map(|addr| Local { addr: *addr, calls: 0 }).collect();
        Self { locals, owners: HashMap::new(), next: 0 }
    }

    /// The least used port on which nobody else sends from `remote`. Callers that use one address for more calls than we
    /// have ports share: their packets are the first call's.
    pub(super) fn choose(&mut self, remote: Option<SocketAddr>) -> Option<(u16, SocketAddr)> {
        let count = self.locals.len();
        let order = (0..count).map(|n| (self.next + n) % count.max(1));
        let cost = |ix: &usize| {
            let taken = remote.is_some_and(|remote| self.owners.contains_key(&(*ix as u16, remote)));
            (taken, self.locals.get(*ix).map_or(u32::MAX, |local| local.calls))
        };
        let chosen = order.min_by_key(cost)?;
        self.next = chosen + 1;
        let local = self.locals.get_mut(chosen)?;
        local.calls += 1;
        Some((chosen as u16, local.addr))
    }

    /// Packets from `remote` are this call's from now on, unless they are another's already.
    pub(super) fn claim(&mut self, port: u16, remote: SocketAddr, leg: LegId) {
        self.owners.entry((port, remote)).or_insert(leg);
    }

    pub(super) fn disclaim(&mut self, port: u16, remote: SocketAddr, leg: LegId) {
        if self.owner(port, remote) == Some(leg) {
            self.owners.remove(&(port, remote));
        }
    }

    pub(super) fn release(&mut self, port: u16) {
        if let Some(local) = self.locals.get_mut(usize::from(port)) {
            local.calls = local.calls.saturating_sub(1);
        }
    }

    pub(super) fn owner(&self, port: u16, remote: SocketAddr) -> Option<LegId> {
        self.owners.get(&(port, remote)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::AttemptId;

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn calls_spread_over_the_ports_and_one_caller_address_is_never_shared_on_a_port() {
        let mut ports = Ports::new(&[addr(1), addr(2)]);
        let caller = addr(9);
        let (a, b) = (LegId(AttemptId(1)), LegId(AttemptId(2)));
        let (first, _) = ports.choose(Some(caller)).unwrap();
        ports.claim(first, caller, a);
        let (second, _) = ports.choose(Some(caller)).unwrap();
        assert_ne!(first, second);
        ports.claim(second, caller, b);
        assert!(ports.choose(Some(addr(10))).is_some());
        assert_eq!((ports.owner(first, caller), ports.owner(second, caller)), (Some(a), Some(b)));
        ports.disclaim(first, caller, b);
        assert_eq!(ports.owner(first, caller), Some(a), "only the owner gives up a claim");
        let (third, _) = ports.choose(Some(caller)).unwrap();
        ports.claim(third, caller, LegId(AttemptId(3)));
        assert_ne!(
            ports.owner(third, caller),
            Some(LegId(AttemptId(3))),
            "a third call of one address is not told apart"
        );
    }

    #[test]
    fn a_port_that_was_left_is_used_again() {
        let mut ports = Ports::new(&[addr(1)]);
        let leg = LegId(AttemptId(1));
        let (port, _) = ports.choose(Some(addr(9))).unwrap();
        ports.claim(port, addr(9), leg);
        ports.disclaim(port, addr(9), leg);
        ports.release(port);
        assert_eq!((ports.owner(port, addr(9)), ports.locals[0].calls), (None, 0));
        assert_eq!(Ports::new(&[]).choose(None), None);
    }
}
