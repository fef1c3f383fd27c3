//! Lawful hours as spans of real time: weekly windows, holidays and clock changes walked forward from an instant.
//!
//! Nothing here turns a local time into an instant by name. A walk starts from an instant, adds local time up to the next
//! clock jump, and looks at the clock anew behind it. Gaps and overlaps therefore need no rule of their own.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::Wall;
use crate::campaign::{Calendar, CapOrigin, DayKind, HolidayRule, WeekHours, Window, ZoneRule};
use crate::contact::ZoneIx;

use super::Facts;
use super::local::{DAY, Local, date, micros, next_jump, weekday};

/// How far ahead anybody looks for the next opening: longer than any run of holidays.
const HORIZON: Duration = Duration::from_hours(21 * 24);
/// Clock jumps within the horizon; zones have four a year.
const MAX_JUMPS: usize = 16;
/// Windows and zones tried before we say that nothing opens.
const MAX_MOVES: usize = 4_096;
const SATURDAY: usize = 5;

/// The hours of one owner. The campaign's are already inside the policy's; both are asked all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law<'a> {
    pub(super) owner: CapOrigin,
    week: &'a WeekHours,
    holidays: HolidayRule,
    calendar: Option<&'a Calendar>,
}

/// What a law makes of one local day.
#[derive(Clone, Copy, Debug)]
pub(super) enum DayLaw<'a> {
    Windows(&'a [Window]),
    Holiday,
    /// Nobody has published whether this day is one.
    Unpublished(i16),
    NoCalendar,
}

/// From the instant asked about until the next change, `None` if there is none in reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Open { until: Option<Wall> },
    Shut { until: Option<Wall> },
}

/// When a call that rings must be cancelled: the earliest closing over all zones and owners. `now` itself if it should
/// not ring at all, `None` if nothing closes within the next three weeks.
pub fn closing_time(facts: &Facts) -> Option<Wall> {
    let zones = clocks(facts);
    if zones.is_empty() {
        return Some(facts.now);
    }
    let mut earliest = None;
    for ix in zones {
        for law in laws(facts) {
            let closing = match law.span(facts.zones.get(*ix), facts.now, HORIZON) {
                Span::Open { until } => until,
                Span::Shut { .. } => Some(facts.now),
            };
            earliest = match (earliest, closing) {
                (Some(a), Some(b)) => Some(b.min(a)),
                (one, other) => one.or(other),
            };
        }
    }
    earliest
}

/// The zones whose clocks count; all of them must show lawful hours. Empty if nobody knows where the phone is.
pub(super) fn clocks<'a>(facts: &Facts<'a>) -> &'a [ZoneIx] {
    let hours = &facts.campaign.calling_hours;
    match &hours.zone {
        ZoneRule::Fixed(zone) => std::slice::from_ref(zone),
        ZoneRule::Customer if facts.phone_zones.is_empty() => hours.fallback_zone.as_slice(),
        ZoneRule::Customer => facts.phone_zones,
    }
}

pub(super) fn laws<'a>(facts: &Facts<'a>) -> [Law<'a>; 2] {
    let (campaign, policy) = (facts.campaign, &facts.campaign.policy);
    let calendar = campaign.calendar.as_deref();
    let hours = &campaign.calling_hours;
    [
        Law { owner: CapOrigin::Campaign, week: &hours.week, holidays: hours.holidays, calendar },
        Law { owner: CapOrigin::Policy, week: &policy.hours, holidays: policy.holidays, calendar },
    ]
}

/// Open in every zone under every law from `at` until after `at + ring`.
pub(super) fn hold(facts: &Facts, at: Wall, ring: Duration) -> bool {
    clocks(facts)
        .iter()
        .all(|ix| laws(facts).iter().all(|law| law.span(facts.zones.get(*ix), at, ring) == Span::Open { until: None }))
}

/// The earliest instant, not before `from`, at which a call may ring for `ring`. `None` beyond the horizon.
///
/// Each move goes to the earliest instant at which one law could hold, so no instant that satisfies all is stepped over.
pub(super) fn next_open(facts: &Facts, from: Wall, ring: Duration) -> Option<Wall> {
    let zones = clocks(facts);
    if zones.is_empty() {
        return None;
    }
    let mut at = from;
    for _ in 0..MAX_MOVES {
        let before = at;
        for ix in zones {
            for law in laws(facts) {
                at = law.next_fit(facts.zones.get(*ix), at, ring)?;
            }
        }
        if at == before {
            return Some(at);
        }
        if at > from + HORIZON {
            return None;
        }
    }
    None
}

impl<'a> Law<'a> {
    pub(super) fn day(&self, day: i64) -> DayLaw<'a> {
        match self.holidays {
            HolidayRule::Open => DayLaw::Windows(self.week.day(weekday(day))),
            HolidayRule::Closed => match self.calendar.map(|calendar| calendar.kind(date(day))) {
                None => DayLaw::NoCalendar,
                Some(Err(year)) => DayLaw::Unpublished(year.0),
                Some(Ok(Some(DayKind::Holiday))) => DayLaw::Holiday,
                Some(Ok(Some(DayKind::Workday))) if weekday(day) >= SATURDAY => DayLaw::Windows(self.week.day(0)),
                Some(Ok(Some(DayKind::Workday) | None)) => DayLaw::Windows(self.week.day(weekday(day))),
            },
        }
    }

    /// Weekly hours alone, as if no day were a holiday.
    pub(super) fn ordinary(&self, day: i64) -> &'a [Window] {
        match self.day(day) {
            DayLaw::Windows(windows) => windows,
            DayLaw::Holiday | DayLaw::Unpublished(_) | DayLaw::NoCalendar => self.week.day(weekday(day)),
        }
    }

    /// Open or shut at `from`, and until when, looking as far as `from + reach` and including it.
    pub(super) fn span(&self, zone: &TimeZone, from: Wall, reach: Duration) -> Span {
        let open = self.is_open(Local::at(zone, from));
        let until = self.change(zone, from, from + reach, open);
        if open { Span::Open { until } } else { Span::Shut { until } }
    }

    fn is_open(&self, local: Local) -> bool {
        holding(self.windows(local.day()), local.micro_of_day()).is_some()
    }

    fn windows(&self, day: i64) -> &'a [Window] {
        match self.day(day) {
            DayLaw::Windows(windows) => windows,
            DayLaw::Holiday | DayLaw::Unpublished(_) | DayLaw::NoCalendar => &[],
        }
    }

    fn change(&self, zone: &TimeZone, from: Wall, last: Wall, open: bool) -> Option<Wall> {
        let mut at = from;
        for _ in 0..MAX_JUMPS {
            let jump = next_jump(zone, at);
            let local = Local::at(zone, at);
            // What the clock shows at the jump itself is the new time, so the old one is followed up to the moment before.
            let reach = last.min(Wall(jump.0 - 1)).since(at);
            if let Some(ahead) = self.change_without_jump(local, open, reach) {
                return Some(at + ahead);
            }
            if jump > last {
                return None;
            }
            at = jump;
            if self.is_open(Local::at(zone, at)) != open {
                return Some(at);
            }
        }
        None
    }

    /// Local time from `local` to the next change, as if the clock never jumped; `None` beyond `reach`.
    fn change_without_jump(&self, local: Local, open: bool, reach: Duration) -> Option<Duration> {
        let reach = i64::try_from(reach.as_micros()).unwrap_or(i64::MAX);
        let (mut day, mut moment) = (local.day(), local.micro_of_day());
        let mut midnight = -moment;
        while midnight <= reach {
            let windows = self.windows(day);
            let change = if open {
                match holding(windows, moment) {
                    None => Some(moment),
                    // Until 24:00: whether it goes on is for the next day to say.
                    Some((_, to)) => (to < DAY).then_some(to),
                }
            } else {
                windows.iter().map(|window| micros(*window).0).find(|from| *from >= moment)
            };
            if let Some(change) = change {
                let ahead = midnight + change;
                return (ahead <= reach).then(|| Duration::from_micros(ahead.unsigned_abs()));
            }
            (day, moment, midnight) = (day + 1, 0, midnight + DAY);
        }
        None
    }

    /// The earliest instant from `at` on at which this law alone lets a call ring.
    fn next_fit(&self, zone: &TimeZone, at: Wall, ring: Duration) -> Option<Wall> {
        match self.span(zone, at, ring) {
            Span::Open { until: None } => Some(at),
            Span::Open { until: Some(closing) } => Some(closing),
            Span::Shut { .. } => match self.span(zone, at, HORIZON) {
                Span::Shut { until } | Span::Open { until } => until,
            },
        }
    }
}

fn holding(windows: &[Window], moment: i64) -> Option<(i64, i64)> {
    windows.iter().map(|window| micros(*window)).find(|(from, to)| *from <= moment && moment < *to)
}
