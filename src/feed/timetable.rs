//! When feeds and exports run: a crontab line on the clock of a zone.
//!
//! What falls into the hour that a change of clocks skips runs when the hour is over, once; what falls into the hour
//! that comes twice runs in the first one only.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use crate::base::Wall;

#[derive(Clone, Debug)]
pub struct Timetable {
    text: String,
    cron: Cron,
    zone: TimeZone,
}

impl Timetable {
    /// Five fields as in crontab(5), 0 and 7 being Sunday; `L`, `W` and `#` are understood too. `Err` says why not.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| error.to_string())?;
        let zone = TimeZone::get(zone).map_err(|_| "no time zone of the IANA database".to_owned())?;
        let table = Self { text: cron.to_owned(), cron: parsed, zone };
        match table.after(Wall::default()) {
            Some(_) => Ok(table),
            None => Err("it never comes".to_owned()),
        }
    }

    /// The first time behind `now`. `None`: never again.
    pub fn after(&self, now: Wall) -> Option<Wall> {
        let now = now.timestamp().to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&now, false).ok()?;
        Some(Wall::from(next.timestamp()))
    }

    /// The day that the zone's calendar shows.
    pub fn day(&self, at: Wall) -> jiff::civil::Date {
        self.zone.to_datetime(at.timestamp()).date()
    }
}

impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

/// What is due, of many timetables. Reads no clock: it is told the time, and asked when to come back.
#[derive(Clone, Debug, Default)]
pub struct Agenda(Vec<(Timetable, Option<Wall>)>);

impl Agenda {
    /// What should have run before `now` is not made up for.
    pub fn new(tables: impl IntoIterator<Item = Timetable>, now: Wall) -> Self {
        let first = |table: Timetable| {
            let next = table.after(now);
            (table, next)
        };
        Self(tables.into_iter().map(first).collect())
    }

    /// Positions of those whose time has come, each once however late it is.
    pub fn due(&mut self, now: Wall) -> Vec<usize> {
        let mut due = Vec::new();
        for (at, (table, next)) in self.0.iter_mut().enumerate() {
            if next.is_some_and(|next| next <= now) {
                *next = table.after(now);
                due.push(at);
            }
        }
        due
    }

    pub fn next(&self) -> Option<Wall> {
        self.0.iter().filter_map(|(_, next)| *next).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// When it runs, minute by minute, as the zone's own clock shows it with its offset.
    fn runs(cron: &str, zone: &str, from: &str, to: &str) -> Vec<String> {
        let (mut now, end) = (Wall::parse(from).unwrap(), Wall::parse(to).unwrap());
        let mut agenda = Agenda::new([Timetable::parse(cron, zone).unwrap()], now);
        let mut out = Vec::new();
        while now < end {
            now = now + Duration::from_mins(1);
            if !agenda.due(now).is_empty() {
                let zone = TimeZone::get(zone).unwrap();
                out.push(now.timestamp().to_zoned(zone).strftime("%d %H:%M%:z").to_string());
            }
        }
        out
    }

    // Europe/London: 2027-03-28 01:00 becomes 02:00; 2027-10-31 02:00 becomes 01:00.

    #[test]
    fn a_run_in_the_hour_that_spring_skips_comes_once_when_the_hour_is_over() {
        let runs = runs("30 1 * * *", "Europe/London", "2027-03-26T12:00:00Z", "2027-03-29T12:00:00Z");
        assert_eq!(runs, ["27 01:30+00:00", "28 02:00+01:00", "29 01:30+01:00"]);
    }

    #[test]
    fn a_run_in_the_hour_that_autumn_repeats_comes_once() {
        let runs = runs("30 1 * * *", "Europe/London", "2027-10-30T12:00:00Z", "2027-11-01T12:00:00Z");
        assert_eq!(runs, ["31 01:30+01:00", "01 01:30+00:00"]);
    }

    #[test]
    fn quarter_hours_go_on_through_both_nights_in_order() {
        for (from, to, count) in
            [("2027-03-28T00:00:00Z", "2027-03-28T03:00:00Z", 12), ("2027-10-31T00:00:00Z", "2027-10-31T03:00:00Z", 12)]
        {
            assert_eq!(runs("*/15 * * * *", "Europe/London", from, to).len(), count, "{from}");
        }
    }

    #[test]
    fn monday_to_friday_is_monday_to_friday() {
        // 2026-11-21 is a Saturday.
        let runs = runs("0 10 * * 1-5", "Asia/Shanghai", "2026-11-20T16:00:00Z", "2026-11-28T16:00:00Z");
        let days: Vec<&str> = runs.iter().map(|run| run.split(' ').next().unwrap()).collect();
        assert_eq!(days, ["23", "24", "25", "26", "27"]);
    }

    #[test]
    fn what_never_comes_or_says_nothing_is_refused() {
        for (cron, zone) in [
            ("0 0 30 2 *", "UTC"),
            ("", "UTC"),
            ("61 * * * *", "UTC"),
            ("* * * *", "UTC"),
            ("0 0 7 * * *", "UTC"),
            ("0 7 * * *", "Mars/Olympus"),
        ] {
            assert!(Timetable::parse(cron, zone).is_err(), "{cron} {zone}");
        }
    }

    #[test]
    fn what_is_late_runs_once_and_a_clock_set_back_repeats_nothing() {
        let wall = |text: &str| Wall::parse(text).unwrap();
        let tables = ["0 * * * *", "0 12 * * *"].map(|cron| Timetable::parse(cron, "UTC").unwrap());
        let mut agenda = Agenda::new(tables, wall("2026-12-01T08:30:00Z"));
        assert_eq!(agenda.next(), Some(wall("2026-12-01T09:00:00Z")));
        assert_eq!(agenda.due(wall("2026-12-01T08:59:59Z")), [0; 0]);
        assert_eq!(agenda.due(wall("2026-12-01T12:10:00Z")), [0, 1]);
        assert_eq!(agenda.due(wall("2026-12-01T09:00:00Z")), [0; 0]);
        assert_eq!(agenda.due(wall("2026-12-01T13:00:00Z")), [0]);
    }
}
