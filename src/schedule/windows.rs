//! Weekly hours on a real clock: open now, the next opening, the next closing; exact across DST changes and holidays.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::Wall;
use crate::campaign::{Calendar, Campaign, DayKind, HolidayRule, WeekHours, Window};

const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: i64 = 60_000_000;

/// Which weekday's hours a date has.
#[derive(Clone, Copy, Debug)]
pub struct Days<'a> {
    calendar: Option<&'a Calendar>,
    rule: HolidayRule,
}

impl<'a> Days<'a> {
    pub fn new(calendar: Option<&'a Calendar>, rule: HolidayRule) -> Self {
        Self { calendar, rule }
    }

    pub fn of(campaign: &'a Campaign) -> Self {
        Self::new(campaign.calendar.as_deref(), campaign.calling_hours.holidays)
    }

    /// Monday is 0; a make-up working day is a Monday; `None` on a holiday, and in a year that nobody published.
    fn weekday(self, day: i64) -> Option<usize> {
        // 1970-01-01 was a Thursday.
        let natural = (day + 3).rem_euclid(7) as usize;
        let (HolidayRule::Closed, Some(calendar)) = (self.rule, self.calendar) else { return Some(natural) };
        match calendar.kind(date(day)) {
            Ok(None) => Some(natural),
            Ok(Some(DayKind::Workday)) => Some(0),
            Ok(Some(DayKind::Holiday)) | Err(_) => None,
        }
    }

    /// The weekday whose slot of the answer model counts: on a holiday the natural one.
    pub fn slot_weekday(self, zone: &TimeZone, at: Wall) -> u8 {
        let day = local_day(zone, at);
        self.weekday(day).unwrap_or((day + 3).rem_euclid(7) as usize) as u8
    }
}

/// Is the local clock inside the hours?
pub fn open_at(week: &WeekHours, days: Days, zone: &TimeZone, at: Wall) -> bool {
    next(week, days, zone, at, Wall(at.0.saturating_add(1)), true).is_some()
}

/// The earliest instant in `from..limit` at which the hours are open (or closed, if that is `wanted`). Between two
/// transitions of the zone the local clock runs evenly, so each stretch is searched by itself: an hour that DST leaves
/// out opens nothing, and one that it repeats opens twice.
pub fn next(week: &WeekHours, days: Days, zone: &TimeZone, from: Wall, limit: Wall, wanted: bool) -> Option<Wall> {
    let mut at = from.0;
    while at < limit.0 {
        let instant = Wall(at).timestamp();
        let offset = i64::from(zone.to_offset(instant).seconds()) * 1_000_000;
        let end = change_after(zone, instant).unwrap_or(i64::MAX).min(limit.0);
        let (local, local_end) = (at.saturating_add(offset), end.saturating_add(offset));
        if let Some(hit) = next_local(week, days, local, local_end, wanted) {
            return Some(Wall(hit - offset));
        }
        at = end;
    }
    None
}

/// The next instant after `at` at which the local clock stands on a multiple of so many minutes, or jumps.
pub fn next_step(zone: &TimeZone, at: Wall, minutes: u16) -> Wall {
    let step = i64::from(minutes.max(1)) * MINUTE_US;
    let ahead = step - local_us(zone, at).rem_euclid(step);
    Wall(change_after(zone, at.timestamp()).unwrap_or(i64::MAX).min(at.0.saturating_add(ahead)))
}

/// Microseconds since 1970 as the local clock shows them.
pub fn local_us(zone: &TimeZone, at: Wall) -> i64 {
    at.0.saturating_add(i64::from(zone.to_offset(at.timestamp()).seconds()) * 1_000_000)
}

/// Days since 1970 as the local clock shows them.
pub fn local_day(zone: &TimeZone, at: Wall) -> i64 {
    local_us(zone, at).div_euclid(DAY_US)
}

/// Minute of the local day.
pub fn local_minute(zone: &TimeZone, at: Wall) -> u16 {
    (local_us(zone, at).rem_euclid(DAY_US) / MINUTE_US) as u16
}

fn change_after(zone: &TimeZone, instant: Timestamp) -> Option<i64> {
    zone.following(instant).next().map(|change| change.timestamp().as_microsecond())
}

fn next_local(week: &WeekHours, days: Days, from: i64, end: i64, wanted: bool) -> Option<i64> {
    let mut at = from;
    while at < end {
        let day = at.div_euclid(DAY_US);
        let (midnight, next_midnight) = (day * DAY_US, (day + 1) * DAY_US);
        let windows = days.weekday(day).map_or(&[][..], |weekday| week.day(weekday));
        if let Some(hit) = within_day(windows, midnight, at, wanted) {
            return (hit < end).then_some(hit);
        }
        at = next_midnight;
    }
    None
}

fn within_day(windows: &[Window], midnight: i64, from: i64, wanted: bool) -> Option<i64> {
    let mut at = from;
    for window in windows {
        let (opens, closes) =
            (midnight + i64::from(window.from.0) * MINUTE_US, midnight + i64::from(window.to.0) * MINUTE_US);
        if wanted && at < closes {
            return Some(at.max(opens));
        }
        if !wanted && at < opens {
            return Some(at);
        }
        at = at.max(closes);
    }
    (!wanted && at < midnight + DAY_US).then_some(at)
}

fn date(day: i64) -> Date {
    TimeZone::UTC.to_datetime(Wall(day.saturating_mul(DAY_US)).timestamp()).date()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const ALWAYS: Days<'static> = Days { calendar: None, rule: HolidayRule::Open };

    fn week(text: &str) -> WeekHours {
        WeekHours::new(std::array::from_fn(|_| text.split(' ').map(|w| Window::parse(w).unwrap()).collect()))
    }

    fn at(text: &str) -> Wall {
        Wall::parse(text).unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn opening(week: &WeekHours, zone: &TimeZone, from: &str) -> Wall {
        next(week, ALWAYS, zone, at(from), Wall::MAX, true).unwrap()
    }

    fn closing(week: &WeekHours, zone: &TimeZone, from: &str) -> Wall {
        next(week, ALWAYS, zone, at(from), Wall::MAX, false).unwrap()
    }

    #[test]
    fn opening_and_closing_follow_the_local_clock() {
        let (week, zone) = (week("09:00-12:00 13:30-20:00"), zone("Asia/Shanghai"));
        assert_eq!(opening(&week, &zone, "2026-12-01T07:00:00+08:00"), at("2026-12-01T09:00:00+08:00"));
        assert_eq!(opening(&week, &zone, "2026-12-01T10:00:00+08:00"), at("2026-12-01T10:00:00+08:00"));
        assert_eq!(closing(&week, &zone, "2026-12-01T10:00:00+08:00"), at("2026-12-01T12:00:00+08:00"));
        assert_eq!(opening(&week, &zone, "2026-12-01T20:00:00+08:00"), at("2026-12-02T09:00:00+08:00"));
        assert!(!open_at(&week, ALWAYS, &zone, at("2026-12-01T12:00:00+08:00")));
        assert!(open_at(&week, ALWAYS, &zone, at("2026-12-01T19:59:59+08:00")));
    }

    #[test]
    fn windows_that_meet_at_midnight_stay_open_through_it() {
        let (week, zone) = (week("00:00-02:00 22:00-24:00"), zone("Europe/Berlin"));
        assert_eq!(closing(&week, &zone, "2026-06-01T23:00:00+02:00"), at("2026-06-02T02:00:00+02:00"));
    }

    #[test]
    fn an_hour_that_dst_leaves_out_opens_nothing_and_a_repeated_one_opens_twice() {
        let (week, zone) = (week("02:15-02:45"), zone("America/New_York"));
        assert_eq!(opening(&week, &zone, "2026-03-08T00:00:00-05:00"), at("2026-03-09T02:15:00-04:00"));
        let twice = self::week("01:15-01:45");
        assert_eq!(opening(&twice, &zone, "2026-11-01T00:00:00-04:00"), at("2026-11-01T01:15:00-04:00"));
        assert_eq!(opening(&twice, &zone, "2026-11-01T01:45:00-04:00"), at("2026-11-01T01:15:00-05:00"));
        let cut = self::week("02:30-04:00");
        assert_eq!(opening(&cut, &zone, "2026-03-08T00:00:00-05:00"), at("2026-03-08T03:00:00-04:00"));
    }

    #[test]
    fn openings_agree_with_the_clock_minute_by_minute_around_every_change() {
        let week = week("00:30-01:40 02:10-03:05 22:50-23:59");
        for name in ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Shanghai"] {
            let zone = zone(name);
            for start in
                ["2026-03-07T20:00:00Z", "2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-11-01T00:00:00Z"]
            {
                let start = at(start).0;
                let minutes: Vec<bool> = (0..2_000)
                    .map(|m| {
                        let local = zone.to_datetime(Wall(start + m * MINUTE_US).timestamp());
                        let minute = local.hour() as u16 * 60 + local.minute() as u16;
                        week.day(0).iter().any(|w| w.contains(crate::campaign::Minute(minute)))
                    })
                    .collect();
                for from in (0..1_000).step_by(7) {
                    for wanted in [true, false] {
                        let want = (from..2_000).find(|m| minutes[*m] == wanted).map(|m| start + m as i64 * MINUTE_US);
                        let got = next(&week, ALWAYS, &zone, Wall(start + from as i64 * MINUTE_US), Wall::MAX, wanted);
                        if want.is_some() {
                            assert_eq!(got.map(|w| w.0), want, "{name} {from} {wanted}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn holidays_are_closed_and_a_make_up_saturday_has_mondays_hours() {
        let calendar = Calendar {
            name: "c".into(),
            version: "1".into(),
            years: BTreeSet::from([2026]),
            days: BTreeMap::from([
                (jiff::civil::date(2026, 10, 1), DayKind::Holiday),
                (jiff::civil::date(2026, 10, 10), DayKind::Workday),
            ]),
        };
        let days = Days::new(Some(&calendar), HolidayRule::Closed);
        let mut only_weekdays = week("09:00-12:00");
        only_weekdays.days[5].clear();
        only_weekdays.days[6].clear();
        let zone = zone("Asia/Shanghai");
        let open = |text| open_at(&only_weekdays, days, &zone, at(text));
        assert!(!open("2026-10-01T10:00:00+08:00"));
        assert!(open("2026-10-10T10:00:00+08:00"));
        assert!(!open("2026-10-17T10:00:00+08:00"));
        assert!(!open("2027-01-04T10:00:00+08:00"), "a year that nobody published");
        assert_eq!(days.slot_weekday(&zone, at("2026-10-10T10:00:00+08:00")), 0);
    }

    #[test]
    fn in_every_zone_of_the_world_an_opening_is_the_first_open_instant() {
        let week = week("00:00-00:10 01:30-02:20 09:00-12:00 23:40-24:00");
        let mut checked = 0;
        for name in jiff::tz::db().available() {
            let Ok(zone) = TimeZone::get(name.as_str()) else { continue };
            // Around each of its changes of 2026, and on a plain day.
            let year = at("2026-01-01T00:00:00Z").timestamp()..at("2027-01-01T00:00:00Z").timestamp();
            let mut starts = vec![at("2026-06-15T03:07:00Z").0];
            let changes = zone.following(year.start).take_while(|change| change.timestamp() < year.end);
            starts.extend(changes.map(|change| change.timestamp().as_microsecond() - 90 * MINUTE_US));
            for from in starts.iter().flat_map(|start| (0..5).map(move |n| start + n * 37 * MINUTE_US)) {
                for wanted in [true, false] {
                    let hit = next(&week, ALWAYS, &zone, Wall(from), Wall::MAX, wanted).unwrap();
                    let clock_says = |instant: i64| {
                        let local = zone.to_datetime(Wall(instant).timestamp());
                        let minute = crate::campaign::Minute(local.hour() as u16 * 60 + local.minute() as u16);
                        week.day(0).iter().any(|window| window.contains(minute)) == wanted
                    };
                    assert!(clock_says(hit.0), "{} {hit}", name.as_str());
                    let mut before = (from..hit.0).step_by(MINUTE_US as usize);
                    assert!(!before.any(clock_says), "{} {hit}", name.as_str());
                    checked += 1;
                }
            }
        }
        assert!(checked > 5_000, "{checked}");
    }

    #[test]
    fn slot_steps_follow_zones_of_odd_offsets() {
        let step = |name, text| next_step(&zone(name), at(text), 30);
        assert_eq!(step("Asia/Shanghai", "2026-12-01T09:00:00+08:00"), at("2026-12-01T09:30:00+08:00"));
        assert_eq!(step("Asia/Kathmandu", "2026-12-01T00:00:00Z"), at("2026-12-01T00:15:00Z"));
        assert_eq!(step("America/New_York", "2026-03-08T06:59:00Z"), at("2026-03-08T07:00:00Z"));
    }

    #[test]
    fn nothing_ever_opens_in_an_empty_week() {
        let limit = at("2027-12-01T00:00:00Z");
        let week = WeekHours::default();
        assert_eq!(next(&week, ALWAYS, &zone("Europe/London"), at("2026-12-01T00:00:00Z"), limit, true), None);
    }
}
