//! Public holidays and make-up working days, as data that somebody publishes year by year.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub name: String,
    pub version: String,
    /// The years that the publisher has decided. Outside them the calendar knows nothing, and says so.
    pub years: BTreeSet<i16>,
    pub days: BTreeMap<Date, DayKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    Holiday,
    /// A Saturday or Sunday that is worked in place of a holiday (调休); it has the hours of a Monday.
    Workday,
}

impl Calendar {
    /// `Err` for a year that is not published.
    pub fn kind(&self, date: Date) -> Result<Option<DayKind>, UnpublishedYear> {
        if !self.years.contains(&date.year()) {
            return Err(UnpublishedYear(date.year()));
        }
        Ok(self.days.get(&date).copied())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the calendar has not been published for {0}")]
pub struct UnpublishedYear(pub i16);
