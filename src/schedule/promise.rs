//! What a promise to call back means on the clock.

use jiff::tz::TimeZone;

use crate::base::Wall;
use crate::campaign::{Minute, Promise};

/// The instant that was promised in a call that ended at `from`. `None`: no clock shows it.
pub fn promised_at(promise: Promise, zone: &TimeZone, from: Wall) -> Option<Wall> {
    match promise {
        Promise::Clock(minute) => next_at(minute, zone, from),
        Promise::After(after) => Some(from + after),
        Promise::At(at) => Some(at),
    }
}

/// Today if it lies ahead, else tomorrow. A time that a jump of the clock skips comes when the clock has passed it.
fn next_at(minute: Minute, zone: &TimeZone, from: Wall) -> Option<Wall> {
    let today = jiff::Timestamp::from_microsecond(from.0).ok()?.to_zoned(zone.clone()).date();
    let at = |day: jiff::civil::Date| {
        let time = day.at((minute.0 / 60) as i8, (minute.0 % 60) as i8, 0, 0);
        zone.to_ambiguous_timestamp(time).compatible().ok().map(Wall::from)
    };
    at(today).filter(|at| *at > from).or_else(|| at(today.tomorrow().ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::testing::at;

    fn next(clock: &str, zone: &str, from: &str) -> Wall {
        let zone = TimeZone::get(zone).unwrap();
        promised_at(Promise::Clock(Minute::parse(clock).unwrap()), &zone, at(from)).unwrap()
    }

    #[test]
    fn a_time_of_day_is_the_next_one_on_the_customers_clock() {
        let shanghai = |clock, from| next(clock, "Asia/Shanghai", from);
        assert_eq!(shanghai("15:00", "2026-12-01T10:00:00+08:00"), at("2026-12-01T15:00:00+08:00"));
        assert_eq!(shanghai("15:00", "2026-12-01T15:00:00+08:00"), at("2026-12-02T15:00:00+08:00"));
        // 23:30 on 30 November in New York.
        assert_eq!(next("09:00", "America/New_York", "2026-12-01T04:30:00Z"), at("2026-12-01T14:00:00Z"));
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_after_the_jump() {
        assert_eq!(next("02:30", "America/New_York", "2026-03-08T05:00:00Z"), at("2026-03-08T07:30:00Z"));
    }

    #[test]
    fn a_while_runs_from_the_end_of_the_call() {
        let from = at("2026-12-01T10:00:00+08:00");
        let after = Promise::After(Duration::from_hours(2));
        assert_eq!(promised_at(after, &TimeZone::UTC, from), Some(at("2026-12-01T12:00:00+08:00")));
    }
}
