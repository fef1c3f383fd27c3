//! A reading of the clock that hangs in a zone. Always made from an instant, so it is never ambiguous.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use crate::base::Wall;
use crate::campaign::Window;

pub(super) const DAY: i64 = 86_400_000_000;
const MINUTE: i64 = 60_000_000;

/// Microseconds of local time since the local 1 January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Local(i64);

impl Local {
    pub(super) fn at(zone: &TimeZone, at: Wall) -> Self {
        let at = at.timestamp();
        Self(at.as_microsecond() + i64::from(zone.to_offset(at).seconds()) * 1_000_000)
    }

    /// Days since 1 January 1970.
    pub(super) fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    pub(super) fn micro_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    pub(super) fn minute_of_day(self) -> u16 {
        (self.micro_of_day() / MINUTE) as u16
    }
}

/// Monday is 0; 1 January 1970 was a Thursday.
pub(super) fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

pub(super) fn date(day: i64) -> Date {
    Offset::UTC.to_datetime(Wall(day.saturating_mul(DAY)).timestamp()).date()
}

/// Start and end of a window in microseconds of the day; the end is the first moment outside.
pub(super) fn micros(window: Window) -> (i64, i64) {
    (i64::from(window.from.0) * MINUTE, i64::from(window.to.0) * MINUTE)
}

/// The first instant of a local day: 00:00, or what the clock shows instead where it skips midnight.
pub(super) fn start_of(zone: &TimeZone, date: Date) -> Option<Wall> {
    zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible().ok().map(Wall::from)
}

/// The next instant after `at` at which the zone's clock jumps.
pub(super) fn next_jump(zone: &TimeZone, at: Wall) -> Wall {
    zone.following(at.timestamp()).next().map_or(Wall::MAX, |jump| Wall::from(jump.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weekdays_are_those_of_the_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // Monday evening in UTC is Tuesday morning in Shanghai.
        let local = Local::at(&zone, Wall::parse("2026-11-30T17:30:00Z").unwrap());
        assert_eq!((weekday(local.day()), local.minute_of_day()), (1, 90));
        assert_eq!(date(local.day()).to_string(), "2026-12-01");
    }

    #[test]
    fn a_day_that_begins_at_one_starts_at_the_jump() {
        // Chile moves its clock from 24:00 to 01:00.
        let zone = TimeZone::get("America/Santiago").unwrap();
        let start = start_of(&zone, "2026-09-06".parse().unwrap()).unwrap();
        assert_eq!(start.to_string(), "2026-09-06T04:00:00Z");
        assert_eq!(next_jump(&zone, Wall(start.0 - 1)), start);
        assert_eq!(Local::at(&zone, start).minute_of_day(), 60);
    }
}
