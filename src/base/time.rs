//! The two clocks, both handed in from outside: a monotonic tick for timers, a wall clock for law and logs.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;

/// Microseconds of a monotonic clock. Its origin is the start of the process or of the simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

/// Microseconds of UTC since 1970. It may jump, in either direction; nothing but law, logs and ids may depend on it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

/// One reading of both clocks, taken together by the shell and passed into every machine of the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub tick: Tick,
    pub wall: Wall,
}

/// Where the shell gets its time from. The core never sees one: it is handed `Now`.
pub trait Clock: Send + Sync {
    fn now(&self) -> Now;
}

impl Tick {
    pub const MAX: Self = Self(u64::MAX);

    /// Time passed since `earlier`; zero if `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Wall {
    pub const MAX: Self = Self(i64::MAX);

    /// Reads RFC 3339, as on the command line and in campaign tests.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<Timestamp>().map(Self::from)
    }

    /// Clamped to the years jiff can name; nothing that we store lies outside them.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }

    /// Time passed since `earlier`; zero if `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }
}

impl From<Timestamp> for Wall {
    fn from(at: Timestamp) -> Self {
        Self(at.as_microsecond())
    }
}

impl Now {
    /// Both clocks moved on by the same amount.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { tick: self.tick + by, wall: self.wall + by }
    }
}

impl Add<Duration> for Tick {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }
}

impl Add<Duration> for Wall {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(micros(by)))
    }
}

impl Sub<Duration> for Wall {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(micros(by)))
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

fn micros(by: Duration) -> u64 {
    u64::try_from(by.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_move_together_and_never_wrap() {
        let now = Now::default().plus(Duration::from_secs(3));
        assert_eq!((now.tick, now.wall), (Tick(3_000_000), Wall(3_000_000)));
        assert_eq!(Tick::MAX + Duration::MAX, Tick::MAX);
        assert_eq!(Wall::MAX + Duration::MAX, Wall::MAX);
    }

    #[test]
    fn a_wall_clock_that_went_back_has_passed_no_time() {
        assert_eq!(Wall(5).since(Wall(9)), Duration::ZERO);
        assert_eq!(Tick(5).since(Tick(9)), Duration::ZERO);
    }

    #[test]
    fn rfc_3339_round_trips() {
        let at = Wall::parse("2026-12-01T09:30:00+08:00").unwrap();
        assert_eq!(at.to_string(), "2026-12-01T01:30:00Z");
    }
}
