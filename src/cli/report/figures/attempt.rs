//! A finished attempt, as far as a report looks at it. Nothing of the person is in it.

use std::time::Duration;

use crate::base::{LeadId, ListId};
use crate::contact::{CallResult, ContactKind, OutcomeKind};
use crate::rank::answered;
use crate::store::OutcomeRow;

#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "a word of the exported record")]
pub struct Attempt {
    pub lead: LeadId,
    pub list: ListId,
    pub result: CallResult,
    pub outcome: OutcomeKind,
    pub contact: ContactKind,
    pub complaint: bool,
    pub talk: Duration,
    pub score: f32,
    /// As believed at the dial.
    pub p_answer: f32,
    pub segment: u8,
    /// Of the slot, on the contact's clock.
    pub weekday: u8,
    pub half_hour: u8,
    pub golden: bool,
    pub attempt_no: u16,
}

/// How far an attempt came. Each step holds all before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    #[default]
    Dialled,
    Answered,
    RightParty,
    Success,
}

impl Attempt {
    /// `None` for one that was provably never sent: it was no call.
    pub fn reach(&self) -> Option<Reach> {
        if !self.result.counts() {
            return None;
        }
        Some(match (self.contact, self.outcome) {
            (ContactKind::RightParty, OutcomeKind::Success) => Reach::Success,
            (ContactKind::RightParty, OutcomeKind::Neutral | OutcomeKind::Failure) => Reach::RightParty,
            (ContactKind::WrongParty, _) => Reach::Answered,
            (ContactKind::Nobody, _) if answered(self.result) == Some(true) => Reach::Answered,
            (ContactKind::Nobody, _) => Reach::Dialled,
        })
    }

    /// A success that a label brought to an attempt which had not reached the customer.
    pub fn is_late_success(&self) -> bool {
        self.outcome == OutcomeKind::Success && self.contact != ContactKind::RightParty
    }

    /// Does it say whether this hour is a good one? A dead number or a failure on our side does not.
    pub fn tells_of_the_hour(&self) -> bool {
        answered(self.result).is_some()
    }
}

impl From<&OutcomeRow> for Attempt {
    fn from(row: &OutcomeRow) -> Self {
        let (outcome, context) = (&row.outcome, &row.context);
        let talk = match (outcome.times.answered, outcome.times.ended) {
            (Some(from), Some(to)) => to.since(from),
            (None, _) | (_, None) => Duration::ZERO,
        };
        Self {
            lead: outcome.lead,
            list: context.list,
            result: outcome.result,
            outcome: outcome.outcome,
            contact: outcome.contact_kind,
            complaint: outcome.complaint,
            talk,
            score: context.score,
            p_answer: context.p_answer,
            segment: context.segment,
            weekday: context.slot_weekday,
            half_hour: context.slot_half_hour,
            golden: context.golden,
            attempt_no: context.attempt_no,
        }
    }
}

/// A first dial of lead 1 on a Tuesday at ten that nobody answered.
#[cfg(test)]
pub fn unanswered() -> Attempt {
    Attempt {
        lead: LeadId(1),
        list: ListId(1),
        result: CallResult::NoAnswer,
        outcome: OutcomeKind::Neutral,
        contact: ContactKind::Nobody,
        complaint: false,
        talk: Duration::ZERO,
        score: 0.5,
        p_answer: 0.25,
        segment: 0,
        weekday: 1,
        half_hour: 20,
        golden: false,
        attempt_no: 1,
    }
}

/// The same, and the customer answered.
#[cfg(test)]
pub fn talked(outcome: OutcomeKind) -> Attempt {
    let talk = Duration::from_mins(1);
    Attempt { result: CallResult::Answered, contact: ContactKind::RightParty, outcome, talk, ..unanswered() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_comes_as_far_as_it_says() {
        assert_eq!(unanswered().reach(), Some(Reach::Dialled));
        assert_eq!(talked(OutcomeKind::Failure).reach(), Some(Reach::RightParty));
        assert_eq!(talked(OutcomeKind::Success).reach(), Some(Reach::Success));
        let with = |result, contact| Attempt { result, contact, ..unanswered() }.reach();
        assert_eq!(with(CallResult::Abandoned, ContactKind::Nobody), Some(Reach::Answered));
        assert_eq!(with(CallResult::Answered, ContactKind::WrongParty), Some(Reach::Answered));
        assert_eq!(with(CallResult::Machine, ContactKind::Nobody), Some(Reach::Dialled));
    }

    #[test]
    fn what_was_never_sent_is_no_call_and_what_is_in_doubt_is_one() {
        let with = |result| Attempt { result, ..unanswered() }.reach();
        assert_eq!(with(CallResult::Void), None);
        assert_eq!(with(CallResult::UnknownCounted), Some(Reach::Dialled));
    }

    #[test]
    fn a_label_on_an_attempt_that_reached_nobody_is_a_late_success_and_no_step_of_the_funnel() {
        let labelled = Attempt { outcome: OutcomeKind::Success, ..unanswered() };
        assert!(labelled.is_late_success() && labelled.reach() == Some(Reach::Dialled));
        assert!(!talked(OutcomeKind::Success).is_late_success());
    }
}
