//! Dials per second, held in every window of one second and not only in those that start on the second.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Tick;

/// A dial that may leave at some moment not known yet is *reserved*; once its INVITE is handed over it is *sent*. What is
/// reserved counts against every window, so however late the store's answer comes, no window ever holds too many.
#[derive(Clone, Debug)]
pub struct RateLimit {
    max: u32,
    /// The last dials sent, oldest first; never more than `max`.
    sent: VecDeque<Tick>,
    reserved: u32,
}

impl RateLimit {
    /// Between our clock reading and the socket lie a channel and a thread. A window this much longer than a second keeps
    /// the wire inside the limit when they are late by up to as much; it costs one part in a hundred of the rate.
    pub const GUARD: Duration = Duration::from_millis(10);
    const WINDOW: Duration = Duration::from_millis(1_010);
    /// No trunk takes more; it bounds what we remember.
    pub const MAX_PER_S: u32 = 20_000;

    pub fn new(max_per_s: u32) -> Self {
        let max = max_per_s.min(Self::MAX_PER_S);
        Self { max, sent: VecDeque::with_capacity(max as usize), reserved: 0 }
    }

    /// How many may be reserved now.
    pub fn free(&self, now: Tick) -> u32 {
        self.max.saturating_sub(self.reserved).saturating_sub(self.sent_lately(now))
    }

    /// Reserve and send in one.
    pub fn take(&mut self, now: Tick) {
        self.reserve();
        self.sent(now);
    }

    pub fn reserve(&mut self) {
        self.reserved = self.reserved.saturating_add(1);
    }

    /// A reserved dial has left.
    pub fn sent(&mut self, now: Tick) {
        self.reserved = self.reserved.saturating_sub(1);
        if self.sent.len() >= self.max as usize {
            self.sent.pop_front();
        }
        if self.max > 0 {
            self.sent.push_back(now);
        }
    }

    /// A reserved dial will never leave.
    pub fn give_back(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// After a reload. Of what was sent, as many as the new limit could ever ask about are kept.
    pub fn set_max(&mut self, max_per_s: u32) {
        self.max = max_per_s.min(Self::MAX_PER_S);
        let surplus = self.sent.len().saturating_sub(self.max as usize);
        self.sent.drain(..surplus);
        self.sent.reserve((self.max as usize).saturating_sub(self.sent.len()));
    }

    /// When one more is free; `now` if one is. `None` where only an event can help: all are reserved, or the limit is zero.
    pub fn next_free(&self, now: Tick) -> Option<Tick> {
        if self.free(now) > 0 {
            return Some(now);
        }
        let room = self.max.checked_sub(self.reserved)?.checked_sub(1)? as usize;
        // Room for one more once all but `room` of the sent ones have left the window.
        let leaves = self.sent.len().checked_sub(room + 1)?;
        self.sent.get(leaves).map(|at| *at + Self::WINDOW)
    }

    fn sent_lately(&self, now: Tick) -> u32 {
        let left = self.sent.partition_point(|at| *at + Self::WINDOW <= now);
        (self.sent.len() - left) as u32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Rng;

    const SECOND: u64 = 1_000_000;

    /// The most dials in any window of one second: one that ends with a dial holds as many as any.
    fn most_in_a_second(dials: &[Tick]) -> usize {
        let mut first = 0;
        let mut most = 0;
        for (last, at) in dials.iter().enumerate() {
            while at.0 - dials[first].0 >= SECOND {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    #[test]
    fn a_burst_waits_for_its_first_dial_to_leave_the_window() {
        let mut limit = RateLimit::new(3);
        for at in [0, 100, 200] {
            limit.take(Tick(at));
        }
        assert_eq!(limit.free(Tick(SECOND)), 0);
        assert_eq!(limit.next_free(Tick(SECOND)), Some(Tick(1_010_000)));
        assert_eq!(limit.free(Tick(1_010_000)), 1);
        assert_eq!(limit.free(Tick(1_010_199)), 2);
    }

    #[test]
    fn a_reserved_dial_counts_until_it_has_left_however_late() {
        let mut limit = RateLimit::new(1);
        limit.reserve();
        assert_eq!((limit.free(Tick(9 * SECOND)), limit.next_free(Tick(9 * SECOND))), (0, None));
        limit.sent(Tick(10 * SECOND));
        assert_eq!(limit.next_free(Tick(10 * SECOND)), Some(Tick(11_010_000)));
        limit.reserve();
        limit.give_back();
        assert_eq!(limit.free(Tick(12 * SECOND)), 1);
    }

    #[test]
    fn a_limit_of_zero_lets_nothing_through_and_waits_for_nothing() {
        let mut limit = RateLimit::new(0);
        assert_eq!((limit.free(Tick(5)), limit.next_free(Tick(5))), (0, None));
        limit.take(Tick(5));
        assert_eq!(limit.free(Tick(9 * SECOND)), 0);
    }

    proptest! {
        #[test]
        fn no_second_holds_more_than_the_limit_and_a_greedy_caller_reaches_it(
            max in 1u32..60, seed: u64, greedy: bool, delay_us in 0u32..300_000
        ) {
            let mut rng = Rng::seeded(seed);
            let mut limit = RateLimit::new(max);
            let mut waiting: VecDeque<Tick> = VecDeque::new();
            let (mut dials, mut now) = (Vec::new(), 0);
            while now < 10 * SECOND {
                while waiting.front().is_some_and(|due| due.0 <= now) {
                    waiting.pop_front();
                    limit.sent(Tick(now));
                    dials.push(Tick(now));
                }
                let wanted = if greedy { limit.free(Tick(now)) } else { limit.free(Tick(now)).min(rng.below(4)) };
                for _ in 0..wanted {
                    if greedy {
                        limit.take(Tick(now));
                        dials.push(Tick(now));
                    } else {
                        limit.reserve();
                        waiting.push_back(Tick(now + u64::from(delay_us) + u64::from(rng.below(1_000))));
                    }
                }
                now += if greedy { 1_000 } else { u64::from(rng.below(50_000)) };
            }
            prop_assert!(most_in_a_second(&dials) <= max as usize);
            prop_assert!(!greedy || dials.len() as u64 >= u64::from(max) * 10 * 98 / 100);
        }

        #[test]
        fn next_free_is_the_first_instant_with_room(max in 1u32..20, gaps in prop::collection::vec(0u64..200_000, 1..80)) {
            let mut limit = RateLimit::new(max);
            let mut now = Tick(0);
            for gap in gaps {
                now = Tick(now.0 + gap);
                if limit.free(now) > 0 {
                    limit.take(now);
                }
                let next = limit.next_free(now).unwrap();
                prop_assert!(limit.free(next) > 0);
                prop_assert!(next == now || limit.free(Tick(next.0 - 1)) == 0);
            }
        }
    }
}
