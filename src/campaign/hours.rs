//! Hours of a week, as law (calling hours) and as preference (golden hours).

use std::fmt;

use crate::contact::ZoneIx;

/// Minute of a local day, 0 to 1,440.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub u16);

/// `from` inclusive, `to` exclusive; `from < to`. `"09:00-12:00"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    pub from: Minute,
    pub to: Minute,
}

/// Windows per weekday, Monday first; sorted, not touching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeekHours {
    pub days: [Vec<Window>; 7],
}

/// HARD. Already intersected with the policy's hours: a campaign may only narrow them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallingHours {
    pub zone: ZoneRule,
    /// For contacts whose zone neither list nor number tells. `None`: they are refused.
    pub fallback_zone: Option<ZoneIx>,
    pub week: WeekHours,
    pub holidays: HolidayRule,
}

/// Whose clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneRule {
    Customer,
    /// One zone for everybody; only where the policy allows it.
    Fixed(ZoneIx),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolidayRule {
    /// Public holidays are closed; a make-up working day counts as the weekday the calendar says.
    Closed,
    /// Holidays are ordinary days.
    Open,
}

impl Minute {
    pub const END_OF_DAY: Self = Self(1_440);

    /// Reads `HH:MM`, `24:00` included.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let two_digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
        if !two_digits(hour) || !two_digits(minute) {
            return None;
        }
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        let at = hour * 60 + minute;
        (minute < 60 && at <= Self::END_OF_DAY.0).then_some(Self(at))
    }
}

impl Window {
    /// Reads `HH:MM-HH:MM`. An empty or backward window is `None`: a night that crosses midnight is two windows.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (Minute::parse(from)?, Minute::parse(to)?);
        (from < to).then_some(Self { from, to })
    }

    pub fn contains(self, at: Minute) -> bool {
        self.from <= at && at < self.to
    }
}

impl WeekHours {
    /// Sorts and joins windows that touch or overlap.
    pub fn new(mut days: [Vec<Window>; 7]) -> Self {
        for windows in &mut days {
            windows.sort_unstable();
            let mut joined: Vec<Window> = Vec::with_capacity(windows.len());
            for window in windows.drain(..) {
                match joined.last_mut() {
                    Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
                    _ => joined.push(window),
                }
            }
            *windows = joined;
        }
        Self { days }
    }

    /// Monday is 0.
    pub fn day(&self, weekday: usize) -> &[Window] {
        self.days.get(weekday).map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut days: [Vec<Window>; 7] = Default::default();
        for (weekday, out) in days.iter_mut().enumerate() {
            for a in self.day(weekday) {
                for b in other.day(weekday) {
                    let (from, to) = (a.from.max(b.from), a.to.min(b.to));
                    if from < to {
                        out.push(Window { from, to });
                    }
                }
            }
        }
        Self::new(days)
    }

    pub fn is_empty(&self) -> bool {
        self.days.iter().all(Vec::is_empty)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_read_strictly() {
        assert_eq!(Window::parse("09:00-12:30").map(|w| (w.from.0, w.to.0)), Some((540, 750)));
        assert_eq!(Window::parse("00:00-24:00").map(|w| w.to), Some(Minute::END_OF_DAY));
        for bad in
            ["9:00-12:00", "12:00-09:00", "09:00-09:00", "25:00-26:00", "09:60-10:00", "24:01-24:02", "+1:00-02:00"]
        {
            assert_eq!(Window::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn joining_and_intersecting_keep_windows_apart() {
        let w = |s| Window::parse(s).unwrap();
        let mut a: [Vec<Window>; 7] = Default::default();
        a[0] = vec![w("13:00-18:00"), w("09:00-12:00"), w("11:00-12:30")];
        let a = WeekHours::new(a);
        assert_eq!(a.day(0), [w("09:00-12:30"), w("13:00-18:00")]);
        let mut b: [Vec<Window>; 7] = Default::default();
        b[0] = vec![w("12:00-14:00")];
        assert_eq!(a.intersect(&WeekHours::new(b)).day(0), [w("12:00-12:30"), w("13:00-14:00")]);
    }
}
