//! RTP ports: handed out, rested after use, never twice at a time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Tick;

use super::MediaRange;

/// Ports by their index in the range: 0 is the first even port, 1 the next.
#[derive(Debug)]
pub(super) struct Ports {
    first: u16,
    count: u16,
    /// Never handed out so far: this index and all above.
    fresh: u16,
    /// Bound, and free from the time given. Oldest first.
    resting: VecDeque<(Tick, u16)>,
    quarantine: Duration,
}

/// A port to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// Bound since an earlier leg.
    Bound(u16),
    /// To be bound first.
    Fresh(u16),
}

/// Which port of a pair (RFC 3550 §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The even one.
    Rtp,
    /// The odd one above.
    Rtcp,
}

impl Ports {
    pub(super) fn new(range: &MediaRange, quarantine: Duration) -> Self {
        let first = range.first_port.saturating_add(range.first_port % 2);
        let count = if range.last_port > first { (range.last_port - first).div_ceil(2) } else { 0 };
        Self { first, count, fresh: 0, resting: VecDeque::new(), quarantine }
    }

    pub(super) fn count(&self) -> u16 {
        self.count
    }

    /// One that is bound already if there is any, so that only the busiest hour decides how many sockets are open.
    pub(super) fn take(&mut self, now: Tick) -> Option<Port> {
        if let Some((_, ix)) = self.resting.pop_front_if(|(free, _)| *free <= now) {
            return Some(Port::Bound(ix));
        }
        let ix = self.fresh;
        (ix < self.count).then(|| {
            self.fresh += 1;
            Port::Fresh(ix)
        })
    }

    pub(super) fn rest(&mut self, now: Tick, ix: u16) {
        self.resting.push_back((now + self.quarantine, ix));
    }

    pub(super) fn number(&self, ix: u16, lane: Lane) -> u16 {
        let rtp = self.first + ix * 2;
        match lane {
            Lane::Rtp => rtp,
            Lane::Rtcp => rtp + 1,
        }
    }

    pub(super) fn index(&self, port: u16) -> Option<(u16, Lane)> {
        let above = port.checked_sub(self.first)?;
        let lane = if above % 2 == 0 { Lane::Rtp } else { Lane::Rtcp };
        Some((above / 2, lane)).filter(|(ix, _)| *ix < self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(first_port: u16, last_port: u16) -> Ports {
        let range = MediaRange { address: [127, 0, 0, 1].into(), first_port, last_port };
        Ports::new(&range, Duration::from_secs(2))
    }

    #[test]
    fn only_whole_pairs_of_the_range_are_handed_out() {
        for (first, last, want) in
            [(20_000, 20_005, vec![20_000, 20_002, 20_004]), (20_001, 20_004, vec![20_002]), (20_000, 20_000, vec![])]
        {
            let mut ports = ports(first, last);
            let mut got = Vec::new();
            while let Some(Port::Fresh(ix)) = ports.take(Tick(0)) {
                got.push(ports.number(ix, Lane::Rtp));
                for lane in [Lane::Rtp, Lane::Rtcp] {
                    assert_eq!(ports.index(ports.number(ix, lane)), Some((ix, lane)));
                }
            }
            assert_eq!(got, want);
        }
    }

    #[test]
    fn a_port_rests_before_it_is_used_again_and_is_then_taken_before_a_fresh_one() {
        let mut ports = ports(20_000, 20_003);
        assert_eq!(ports.take(Tick(0)), Some(Port::Fresh(0)));
        ports.rest(Tick(0), 0);
        assert_eq!(ports.take(Tick(1_999_999)), Some(Port::Fresh(1)));
        assert_eq!(ports.take(Tick(1_999_999)), None);
        assert_eq!(ports.take(Tick(2_000_000)), Some(Port::Bound(0)));
    }
}
