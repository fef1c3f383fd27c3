//! Attempts counted together, and the rates of them that a table shows.

use std::time::Duration;

use serde::Serialize;

use super::attempt::{Attempt, Reach};
use super::rate::Rate;

/// Attempts, each by how far it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub dialled: u64,
    pub answered: u64,
    pub right_party: u64,
    pub success: u64,
    pub complaints: u64,
    pub talk: Duration,
}

/// A line of the tables of campaigns and segments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    pub name: String,
    pub dialled: u64,
    /// Of the dials.
    pub answered: Rate,
    pub right_party: Rate,
    /// Of the right parties.
    pub success: Rate,
    pub complaints: u64,
    /// `None` where the clock of a trial has measured it.
    pub talk_s: Option<u64>,
}

impl Counts {
    pub fn add(&mut self, attempt: &Attempt, reach: Reach) {
        self.dialled += 1;
        self.answered += u64::from(reach >= Reach::Answered);
        self.right_party += u64::from(reach >= Reach::RightParty);
        self.success += u64::from(reach >= Reach::Success);
        self.complaints += u64::from(attempt.complaint);
        self.talk = self.talk.saturating_add(attempt.talk);
    }

    pub fn join(&mut self, other: &Self) {
        self.dialled += other.dialled;
        self.answered += other.answered;
        self.right_party += other.right_party;
        self.success += other.success;
        self.complaints += other.complaints;
        self.talk = self.talk.saturating_add(other.talk);
    }

    pub fn named(&self, name: String) -> Group {
        Group {
            name,
            dialled: self.dialled,
            answered: Rate::new(self.answered, self.dialled),
            right_party: Rate::new(self.right_party, self.dialled),
            success: Rate::new(self.success, self.right_party),
            complaints: self.complaints,
            talk_s: Some(self.talk.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::figures::attempt::{talked, unanswered};
    use crate::contact::OutcomeKind;

    #[test]
    fn every_rate_is_of_the_step_that_it_follows() {
        let mut counts = Counts::default();
        for attempt in [unanswered(), unanswered(), talked(OutcomeKind::Failure), talked(OutcomeKind::Success)] {
            counts.add(&attempt, attempt.reach().unwrap());
        }
        let group = counts.named("all".to_owned());
        assert_eq!((group.dialled, group.talk_s), (4, Some(120)));
        let shown = [group.answered, group.right_party, group.success].map(|rate| (rate.hits, rate.of));
        assert_eq!(shown, [(2, 4), (2, 4), (1, 2)]);
        let mut twice = counts;
        twice.join(&counts);
        assert_eq!((twice.dialled, twice.success), (8, 2));
    }
}
