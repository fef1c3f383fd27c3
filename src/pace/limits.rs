//! One owner's ceilings, a trunk's or a campaign's share of it: concurrent calls and dials per second together.

use crate::base::Tick;

use super::{Lines, RateLimit};

/// A limit that the owner does not set is `None`.
#[derive(Clone, Debug)]
pub struct Limits {
    lines: Lines,
    rate: Option<RateLimit>,
}

impl Limits {
    pub fn new(max_calls: Option<u32>, max_cps: Option<u32>) -> Self {
        Self { lines: Lines::new(max_calls.unwrap_or(u32::MAX)), rate: max_cps.map(RateLimit::new) }
    }

    /// How many dials may be reserved now.
    pub fn free(&self, now: Tick) -> u32 {
        self.lines.free().min(self.rate.as_ref().map_or(u32::MAX, |rate| rate.free(now)))
    }

    /// When time alone gives one more; `now` if one is free. `None`: an event must come first.
    pub fn next_free(&self, now: Tick) -> Option<Tick> {
        if self.lines.free() == 0 {
            return None;
        }
        self.rate.as_ref().map_or(Some(now), |rate| rate.next_free(now))
    }

    /// Calls under way and dials reserved.
    pub fn busy(&self) -> u32 {
        self.lines.busy()
    }

    /// A dial has been decided and will be sent, or not, before long.
    pub fn reserve(&mut self) {
        self.lines.take();
        self.rate.iter_mut().for_each(RateLimit::reserve);
    }

    /// Its INVITE has left.
    pub fn sent(&mut self, now: Tick) {
        self.rate.iter_mut().for_each(|rate| rate.sent(now));
    }

    /// It never left: the store refused, or the permit ran out.
    pub fn give_back(&mut self) {
        self.lines.release();
        self.rate.iter_mut().for_each(RateLimit::give_back);
    }

    /// A leg that was sent has ended.
    pub fn ended(&mut self) {
        self.lines.release();
    }

    /// New ceilings after a reload; what is under way keeps counting. A rate that was not limited before knows nothing
    /// of the last second.
    pub fn set(&mut self, max_calls: Option<u32>, max_cps: Option<u32>) {
        self.lines.set_max(max_calls.unwrap_or(u32::MAX));
        match (&mut self.rate, max_cps) {
            (Some(rate), Some(max)) => rate.set_max(max),
            (None, Some(max)) => self.rate = Some(RateLimit::new(max)),
            (Some(_) | None, None) => self.rate = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_of_lines_and_rate_decides() {
        let mut limits = Limits::new(Some(3), Some(2));
        assert_eq!(limits.free(Tick(0)), 2);
        for _ in 0..2 {
            limits.reserve();
            limits.sent(Tick(0));
        }
        assert_eq!((limits.free(Tick(0)), limits.next_free(Tick(0))), (0, Some(Tick(1_010_000))));
        assert_eq!(limits.free(Tick(2_000_000)), 1);
        limits.reserve();
        limits.sent(Tick(2_000_000));
        assert_eq!((limits.free(Tick(9_000_000)), limits.next_free(Tick(9_000_000))), (0, None));
        limits.ended();
        assert_eq!((limits.free(Tick(9_000_000)), limits.busy()), (1, 2));
    }

    #[test]
    fn a_dial_given_back_leaves_no_trace() {
        let mut limits = Limits::new(Some(1), Some(1));
        limits.reserve();
        assert_eq!(limits.free(Tick(0)), 0);
        limits.give_back();
        assert_eq!(limits.free(Tick(0)), 1);
    }

    #[test]
    fn lower_ceilings_after_a_reload_count_what_is_under_way() {
        let mut limits = Limits::new(None, Some(5));
        for at in 0..4 {
            limits.reserve();
            limits.sent(Tick(at));
        }
        limits.set(Some(5), Some(2));
        assert_eq!(limits.free(Tick(10)), 0);
        assert_eq!(limits.next_free(Tick(10)), Some(Tick(1_010_002)));
        assert_eq!(limits.free(Tick(2_000_000)), 1);
    }
}
