//! A campaign rehearsed: the engine that dials live, days ahead in seconds, on a simulated line with simulated people.
//!
//! Where [`super::World`] looks for broken promises with every fault it can think of, a rehearsal asks what to expect of a
//! campaign, a list and so many agents. Nothing fails here but people; the promises are counted all the same.

mod answers;
mod crowd;
mod desk;
mod ease;
mod figures;
mod flow_keys;
mod leads;
mod records;
mod roster;
mod run;
mod setting;
mod shelf;
mod spread;
mod uncalled;
mod verdict;
mod watch;

#[cfg(test)]
mod tests;

pub use answers::{Answers, Curves};
pub use figures::{HourFigures, RunFigures, SegmentFigures};
pub use leads::{Card, Leads};
pub use records::{AttemptRecord, Record};
pub use roster::{Roster, RosterMistake};
pub use run::Rehearsal;
pub use setting::{Capacity, Setting};
pub use spread::Spread;
pub use verdict::Verdict;
