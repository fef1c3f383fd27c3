//! Who works when: a table of days, hours and heads, on the campaign's clock.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::Wall;
use crate::campaign::Window;

/// Lines of `day,from,to,agents`. A day is a date, a weekday, or a stretch of weekdays; lines of one day add up, and a date
/// that has lines of its own has no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    shifts: Vec<Shift>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shift {
    day: Day,
    window: Window,
    agents: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Date(Date),
    /// Monday 0; both ends included.
    Week(usize, usize),
}

/// Why a roster cannot be read; `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMistake {
    pub line: usize,
    pub why: String,
}

impl Roster {
    /// More lines are no roster; it bounds what is looked through for each day.
    const LINES_MAX: usize = 10_000;
    const AGENTS_MAX: u32 = 10_000;
    const HEADER: &'static str = "day,from,to,agents";

    pub fn parse(text: &str) -> Result<Self, RosterMistake> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let header = lines.next().map(|(_, line)| line.replace(' ', ""));
        if header.as_deref() != Some(Self::HEADER) {
            return Err(RosterMistake { line: 1, why: format!("the first line is not `{}`", Self::HEADER) });
        }
        let mut shifts = Vec::new();
        for (line, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
            if shifts.len() == Self::LINES_MAX {
                return Err(RosterMistake { line, why: format!("more than {} lines", Self::LINES_MAX) });
            }
            shifts.push(Shift::parse(text).map_err(|why| RosterMistake { line, why })?);
        }
        Ok(Self { shifts })
    }

    /// Every instant of `days` days from `start` at which the number of agents changes, with the new number, in order.
    pub(super) fn changes(&self, zone: &TimeZone, start: Wall, days: u32) -> Vec<(Wall, u32)> {
        let first = zone.to_datetime(start.timestamp()).date();
        let mut steps: Vec<(Wall, i64)> = Vec::new();
        for nth in 0..i64::from(days) {
            let Ok(day) = first.checked_add(nth.days()) else { break };
            for shift in self.of(day) {
                let at = |minute: u16| {
                    let midnight = super::Setting::midnight(zone, day);
                    let local = day.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes());
                    let exact = local.ok().and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok());
                    exact.map_or(midnight + Duration::from_secs(60 * u64::from(minute)), Wall::from)
                };
                steps.push((at(shift.window.from.0), i64::from(shift.agents)));
                steps.push((at(shift.window.to.0), -i64::from(shift.agents)));
            }
        }
        steps.sort_unstable();
        let mut changes: Vec<(Wall, u32)> = Vec::new();
        let mut heads = 0;
        for (at, by) in steps {
            heads += by;
            let people = u32::try_from(heads.max(0)).unwrap_or(u32::MAX);
            match changes.last_mut() {
                Some(last) if last.0 == at => last.1 = people,
                Some(_) | None => changes.push((at, people)),
            }
        }
        changes
    }

    fn of(&self, day: Date) -> impl Iterator<Item = &Shift> {
        let own = self.shifts.iter().any(|shift| shift.day == Day::Date(day));
        let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        self.shifts.iter().filter(move |shift| match shift.day {
            Day::Date(date) => date == day,
            Day::Week(from, to) => !own && from <= weekday && weekday <= to,
        })
    }
}

impl Shift {
    fn parse(line: &str) -> Result<Self, String> {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        let [day, from, to, agents] = cells[..] else {
            return Err(format!("{} cells, and a shift has four", cells.len()));
        };
        let day = Day::parse(day).ok_or_else(|| format!("`{day}` is no day: 2026-12-01, mon, or mon-fri"))?;
        let window = Window::parse(&format!("{from}-{to}")).ok_or_else(|| {
            format!("`{from}` to `{to}` is no shift: HH:MM and HH:MM of one day, the end after the start")
        })?;
        let agents = agents.parse().ok().filter(|agents| *agents <= Roster::AGENTS_MAX);
        let agents = agents.ok_or_else(|| format!("a number of agents up to {} was expected", Roster::AGENTS_MAX))?;
        Ok(Self { day, window, agents })
    }
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let named = |name: &str| NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
        if let Some(day) = named(text) {
            return Some(Self::Week(day, day));
        }
        if text.len() == "2026-12-01".len() {
            return Date::from_str(text).ok().map(Self::Date);
        }
        let (from, to) = text.split_once('-')?;
        let (from, to) = (named(from)?, named(to)?);
        (from < to).then_some(Self::Week(from, to))
    }
}

impl fmt::Display for RosterMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Setting;

    fn changes(text: &str, from: &str, days: u32) -> Vec<String> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let roster = Roster::parse(text).unwrap_or_else(|why| panic!("{why}"));
        let start = Setting::midnight(&zone, from.parse().unwrap());
        let shown = |(at, agents): (Wall, u32)| {
            let local = zone.to_datetime(at.timestamp()).strftime("%d %H:%M").to_string();
            format!("{local} {agents}")
        };
        roster.changes(&zone, start, days).into_iter().map(shown).collect()
    }

    #[test]
    fn shifts_of_a_day_add_up_and_a_date_has_its_own() {
        let text = "day,from,to,agents\nmon-fri,09:00,18:00,10\ntue,12:00,20:00,5\n2026-12-02,10:00,12:00,3\n";
        assert_eq!(
            changes(text, "2026-12-01", 2),
            ["01 09:00 10", "01 12:00 15", "01 18:00 5", "01 20:00 0", "02 10:00 3", "02 12:00 0"]
        );
        assert_eq!(changes(text, "2026-12-05", 2), [] as [String; 0]);
    }

    #[test]
    fn a_line_that_is_no_shift_is_named() {
        for (line, said) in [
            ("someday,09:00,18:00,1", "is no day"),
            ("mon,18:00,09:00,1", "is no shift"),
            ("mon,9:00,18:00,1", "is no shift"),
            ("mon,09:00,18:00,many", "a number of agents"),
            ("mon,09:00,18:00", "3 cells"),
            ("fri-mon,09:00,18:00,1", "is no day"),
        ] {
            let mistake = Roster::parse(&format!("day,from,to,agents\n\n{line}\n")).unwrap_err();
            assert_eq!(mistake.line, 3);
            assert!(mistake.why.contains(said), "{mistake}");
        }
        assert_eq!(Roster::parse("mon,09:00,18:00,1\n").unwrap_err().line, 1);
    }

    #[test]
    fn a_roster_is_read_as_spreadsheets_write_it_and_people_comment_it() {
        let text = "\u{feff}day, from, to, agents\r\n# of December\r\n\r\n\"tue\",\"09:00\",\"12:00\",5\r\n";
        assert_eq!(changes(text, "2026-12-01", 1), ["01 09:00 5", "01 12:00 0"]);
    }

    #[test]
    fn where_one_shift_takes_over_from_another_nobody_goes_home_between() {
        let text = "day,from,to,agents\ntue,09:00,12:00,5\ntue,12:00,15:00,5\n";
        assert_eq!(changes(text, "2026-12-01", 1), ["01 09:00 5", "01 12:00 5", "01 15:00 0"]);
    }

    #[test]
    fn a_roster_has_bounds() {
        let shift = |agents| Roster::parse(&format!("day,from,to,agents\nmon,09:00,18:00,{agents}\n"));
        assert!(shift(10_000).is_ok() && shift(10_001).unwrap_err().why.contains("up to 10000"));
        let lines = |count| Roster::parse(&format!("day,from,to,agents\n{}", "mon,09:00,18:00,1\n".repeat(count)));
        assert!(lines(10_000).is_ok());
        assert_eq!(lines(10_001).unwrap_err().to_string(), "line 10002: more than 10000 lines");
    }

    #[test]
    fn on_the_day_that_the_clocks_change_shifts_begin_when_the_clock_says() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let roster = Roster::parse("day,from,to,agents\nsun,09:00,18:00,1\n").unwrap();
        let start = Setting::midnight(&zone, "2026-03-08".parse().unwrap());
        let [(nine, 1), (six, 0)] = roster.changes(&zone, start, 1)[..] else { panic!("one shift") };
        assert_eq!(nine, Wall::parse("2026-03-08T09:00:00-04:00").unwrap());
        assert_eq!(six, Wall::parse("2026-03-08T18:00:00-04:00").unwrap());
    }
}
