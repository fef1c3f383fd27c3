//! What dials have told so far: how many, and how many were answered, by everything that the answer model looks at.

use std::collections::BTreeMap;

use crate::contact::CallResult;

use super::{Past, Reachability, Slot};

/// Counts of one campaign. Each day that passes makes what was learned before it worth [`Tally::KEPT_PER_DAY`] of what it
/// was: habits change, and so do lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    counts: BTreeMap<Place, Count>,
    /// The day that weights are of, in days since 1970.
    day: Option<i64>,
}

/// Where a dial belongs. Ordered by segment, then slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub segment: u8,
    pub slot: Slot,
    pub past: Past,
}

/// Discounted counts: not whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    pub dials: f32,
    pub answered: f32,
}

impl Tally {
    pub const KEPT_PER_DAY: f32 = 0.97;
    /// What is worth less than this is forgotten; so the table holds no more than half a year of dials needs.
    const FORGOTTEN: f32 = 0.01;
    /// Older dials are not worth reading from a store.
    pub const DAYS: i64 = 150;

    /// `day` in days since 1970 (UTC). One that is earlier than the latest day seen is worth what its age says.
    pub fn add(&mut self, day: i64, place: Place, dials: u32, answered: u32) {
        self.turn(day);
        let age = self.day.unwrap_or(day) - day;
        let worth = Self::KEPT_PER_DAY.powi(i32::try_from(age).unwrap_or(i32::MAX));
        if worth < Self::FORGOTTEN || dials == 0 {
            return;
        }
        let count = self.counts.entry(Place { past: place.past.tidy(), ..place }).or_default();
        count.dials += worth * dials as f32;
        count.answered += worth * answered.min(dials) as f32;
    }

    /// A day has begun.
    pub fn turn(&mut self, day: i64) {
        let passed = self.day.map_or(0, |last| (day - last).max(0));
        self.day = self.day.max(Some(day));
        if passed > 0 {
            let worth = Self::KEPT_PER_DAY.powi(i32::try_from(passed).unwrap_or(i32::MAX));
            self.counts.retain(|_, count| {
                count.dials *= worth;
                count.answered *= worth;
                count.dials >= Self::FORGOTTEN
            });
        }
    }

    /// Segments have got other numbers; `None` for one that is gone.
    pub fn renumber(&mut self, number: impl Fn(u8) -> Option<u8>) {
        let counts = std::mem::take(&mut self.counts);
        let moved = counts
            .into_iter()
            .filter_map(|(place, count)| Some((Place { segment: number(place.segment)?, ..place }, count)));
        self.counts = moved.collect();
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn counts(&self) -> impl Iterator<Item = (Place, Count)> {
        self.counts.iter().map(|(place, count)| (*place, *count))
    }
}

impl Place {
    pub fn fresh(segment: u8, slot: Slot) -> Self {
        Self { segment, slot, past: Past::default() }
    }

    /// As a store has it.
    pub fn stored(segment: u8, slot: Slot, attempts: u8, same_hour_fails: u8, reachability: i8) -> Self {
        let past = Past { attempts, same_hour_fails, reachability: Reachability::from_steps(reachability) };
        Self { segment, slot, past: past.tidy() }
    }
}

/// Did somebody come to the phone? `None` where the result says nothing of the hour: the number is dead, or the failure
/// was on our side or the network's.
pub fn answered(result: CallResult) -> Option<bool> {
    match result {
        CallResult::Answered | CallResult::Abandoned => Some(true),
        CallResult::Machine
        | CallResult::NoAnswer
        | CallResult::Busy
        | CallResult::Rejected
        | CallResult::PoweredOff
        | CallResult::NotReachable => Some(false),
        CallResult::Fax
        | CallResult::VacantNumber
        | CallResult::Suspended
        | CallResult::NetworkFailure
        | CallResult::TrunkRefused
        | CallResult::Cancelled
        | CallResult::Void
        | CallResult::UnknownCounted => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sole(tally: &Tally) -> Count {
        let mut counts = tally.counts();
        let (_, count) = counts.next().unwrap();
        assert!(counts.next().is_none());
        count
    }

    #[test]
    fn a_day_takes_three_hundredths_of_what_was_known() {
        let mut tally = Tally::default();
        let place = Place::fresh(0, Slot::new(0, 600));
        tally.add(100, place, 10, 4);
        tally.add(102, place, 10, 2);
        let kept = 0.97_f32 * 0.97;
        let count = sole(&tally);
        assert!(
            (count.dials - (10.0 * kept + 10.0)).abs() < 1e-4 && (count.answered - (4.0 * kept + 2.0)).abs() < 1e-4
        );
    }

    #[test]
    fn the_order_in_which_days_are_read_changes_nothing() {
        let place = Place::fresh(0, Slot::new(0, 600));
        let tally = |days: [i64; 3]| {
            let mut tally = Tally::default();
            for day in days {
                tally.add(day, place, day as u32, 1);
            }
            sole(&tally)
        };
        let (up, down) = (tally([10, 11, 40]), tally([40, 11, 10]));
        assert!((up.dials - down.dials).abs() < 1e-3 && (up.answered - down.answered).abs() < 1e-4);
    }

    #[test]
    fn what_is_very_old_is_forgotten() {
        let mut tally = Tally::default();
        tally.add(0, Place::fresh(0, Slot::new(0, 600)), 1, 1);
        tally.turn(Tally::DAYS + 3);
        assert!(tally.is_empty());
        tally.add(0, Place::fresh(0, Slot::new(0, 600)), 1, 1);
        assert!(tally.is_empty(), "and not taken in again");
    }

    #[test]
    fn a_past_beyond_the_classes_counts_as_the_last_of_them() {
        let mut tally = Tally::default();
        let place = |attempts| Place::stored(1, Slot::new(3, 600), attempts, 9, 100);
        tally.add(5, place(7), 1, 0);
        tally.add(5, place(200), 1, 0);
        assert!((sole(&tally).dials - 2.0).abs() < f32::EPSILON);
    }
}
