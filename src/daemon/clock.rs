//! The one place that reads the clocks of the operating system.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Clock, Now, Tick, Wall};

/// Ticks since it was made. The wall is the machine's own, or one that was set for a trial and runs at its own rate.
#[derive(Debug)]
pub struct OsClock {
    started: Instant,
    set: Option<SetWall>,
}

#[derive(Debug)]
struct SetWall {
    /// What it showed, or would have shown, at tick zero. Microseconds.
    start: AtomicI64,
    rate: f64,
}

impl OsClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
    pub fn new() -> Self {
        Self { started: Instant::now(), set: None }
    }

    /// For trials: the wall shows `start` now, and moves `rate` seconds in one. Ticks stay real.
    #[must_use]
    pub fn with_wall(mut self, start: Wall, rate: f64) -> Self {
        let since = self.tick();
        self.set = Some(SetWall { start: AtomicI64::new((start - since.mul_f64(rate)).0), rate });
        self
    }

    /// Wall seconds per second of the tick.
    pub fn rate(&self) -> f64 {
        self.set.as_ref().map_or(1.0, |set| set.rate)
    }

    /// A second of the wall is a second.
    pub fn keeps_time(&self) -> bool {
        (self.rate() - 1.0).abs() < f64::EPSILON
    }

    /// Moves a set wall ahead to that instant; never back. The machine's own clock is not ours to move.
    pub fn jump_to(&self, at: Wall) {
        if let Some(set) = &self.set {
            let ahead = at.0.saturating_sub(self.now().wall.0).max(0);
            set.start.fetch_add(ahead, Ordering::Relaxed);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
    fn tick(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Default for OsClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for OsClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
    fn now(&self) -> Now {
        let since = self.tick();
        let tick = Tick(u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
        let wall = match &self.set {
            Some(set) => Wall(set.start.load(Ordering::Relaxed)) + since.mul_f64(set.rate),
            None => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => Wall(0) + since,
                Err(before) => Wall(0) - before.duration(),
            },
        };
        Now { tick, wall }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_wall_starts_where_it_was_told_and_runs_at_its_rate() {
        let start = Wall::parse("2026-12-01T00:00:00Z").unwrap();
        let clock = OsClock::new().with_wall(start, 1_000.0);
        let a = clock.now();
        assert!(a.wall >= start && a.wall.since(start) < Duration::from_hours(1));
        // Long enough that a microsecond of rounding does not count.
        let passed = |now: &Now| now.tick.since(a.tick) >= Duration::from_micros(200);
        let b = std::iter::repeat_with(|| clock.now()).find(passed).unwrap();
        let (ticks, walls) = (b.tick.since(a.tick), b.wall.since(a.wall));
        assert!(walls >= ticks.mul_f64(990.0) && walls <= ticks.mul_f64(1_010.0), "{walls:?} in {ticks:?}");
        let later = start + Duration::from_hours(24);
        clock.jump_to(later);
        clock.jump_to(start);
        assert!(clock.now().wall >= later, "ahead once, and never back");
    }
}
