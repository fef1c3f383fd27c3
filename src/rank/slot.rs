//! Slot: one half hour of the week, on the clock of whoever is called.

use std::fmt;

use jiff::civil::DateTime;

/// Half hours, because golden hours start on them (`"11:30-12:00"`); a whole hour would blur the prior.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    pub const PER_DAY: u16 = 48;
    pub const PER_WEEK: usize = 7 * Self::PER_DAY as usize;
    pub const MINUTES: u16 = 30;

    /// Monday is 0. Values beyond the week wrap into it.
    pub fn new(weekday: u8, minute_of_day: u16) -> Self {
        let half_hour = (minute_of_day / Self::MINUTES).min(Self::PER_DAY - 1);
        Self(u16::from(weekday % 7) * Self::PER_DAY + half_hour)
    }

    /// Of a position in a table of [`Slot::PER_WEEK`]; beyond the week it wraps.
    pub fn at(ix: u16) -> Self {
        Self(ix % Self::PER_WEEK as u16)
    }

    /// Of a local time, by its own weekday.
    pub fn of(local: DateTime) -> Self {
        let weekday = local.weekday().to_monday_zero_offset().unsigned_abs();
        Self::new(weekday, u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs()))
    }

    /// Position in a table of [`Slot::PER_WEEK`].
    pub fn ix(self) -> usize {
        usize::from(self.0)
    }

    /// Monday is 0.
    pub fn weekday(self) -> u8 {
        (self.0 / Self::PER_DAY) as u8
    }

    pub fn hour(self) -> u8 {
        (self.minute() / 60) as u8
    }

    /// Minute of the local day at which it starts.
    pub fn minute(self) -> u16 {
        self.0 % Self::PER_DAY * Self::MINUTES
    }
}

/// `tue-09:30`, as in outcomes and exports.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let day = DAYS.get(usize::from(self.weekday())).copied().unwrap_or("mon");
        write!(f, "{day}-{:02}:{:02}", self.minute() / 60, self.minute() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_names_its_half_hour() {
        let slot = Slot::of(jiff::civil::date(2026, 12, 1).at(9, 59, 59, 0));
        assert_eq!(slot.to_string(), "tue-09:30");
        assert_eq!(slot, Slot::new(1, 570));
        assert_eq!(Slot::new(6, 1_439).ix(), Slot::PER_WEEK - 1);
    }
}
