//! Attempts gathered by lead: who was tried, how often, and how far each came.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::LeadId;

use super::attempt::{Attempt, Reach};
use super::group::Counts;
use super::rate::Rate;
use super::scores::Scored;

/// Every lead with a dial in the period.
#[derive(Clone, Debug, Default)]
pub struct People {
    known: BTreeMap<LeadId, Person>,
    by_number: BTreeMap<u16, Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Person {
    pub attempts: u16,
    pub reach: Reach,
    /// At the first dial that reached the right party: later ones know more than the score did.
    score: Option<f32>,
}

/// The `n`th dial of a customer, as the campaign counts them; those from `n` on if it is the last line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Try {
    pub attempt_no: u16,
    pub and_more: bool,
    pub answered: Rate,
    pub right_party: Rate,
    /// Leads with so many dials in the period.
    pub leads: u64,
}

impl People {
    /// More lines than this nobody reads.
    const TRIES: u16 = 8;

    pub fn add(&mut self, attempt: &Attempt, reach: Reach) {
        let person = self.known.entry(attempt.lead).or_default();
        person.attempts = person.attempts.saturating_add(1);
        person.reach = person.reach.max(reach);
        if reach >= Reach::RightParty {
            person.score.get_or_insert(attempt.score);
        }
        self.by_number.entry(attempt.attempt_no.clamp(1, Self::TRIES)).or_default().add(attempt, reach);
    }

    pub fn get(&self, lead: LeadId) -> Option<Person> {
        self.known.get(&lead).copied()
    }

    pub fn tried(&self) -> u64 {
        self.known.len() as u64
    }

    pub fn leads(&self) -> impl Iterator<Item = LeadId> {
        self.known.keys().copied()
    }

    pub fn at_least(&self, reach: Reach) -> u64 {
        self.known.values().filter(|person| person.reach >= reach).count() as u64
    }

    pub fn scored(&self) -> Vec<Scored> {
        let of =
            |person: &Person| person.score.map(|score| Scored { score, converted: person.reach >= Reach::Success });
        self.known.values().filter_map(of).collect()
    }

    /// Without gaps from the first to the last that there is.
    pub fn tries<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Vec<Try> {
        let mut numbers: BTreeMap<u16, (Counts, u64)> = BTreeMap::new();
        for people in all {
            for (number, counts) in &people.by_number {
                numbers.entry(*number).or_default().0.join(counts);
            }
            for person in people.known.values() {
                numbers.entry(person.attempts.clamp(1, Self::TRIES)).or_default().1 += 1;
            }
        }
        let last = numbers.keys().next_back().copied().unwrap_or(0);
        let line = |attempt_no: u16| {
            let (counts, leads) = numbers.get(&attempt_no).copied().unwrap_or_default();
            Try {
                attempt_no,
                and_more: attempt_no == Self::TRIES,
                answered: Rate::new(counts.answered, counts.dialled),
                right_party: Rate::new(counts.right_party, counts.dialled),
                leads,
            }
        };
        (1..=last).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::figures::attempt::{talked, unanswered};
    use crate::contact::OutcomeKind;

    fn people(attempts: &[Attempt]) -> People {
        let mut people = People::default();
        for attempt in attempts {
            people.add(attempt, attempt.reach().unwrap());
        }
        people
    }

    #[test]
    fn a_lead_comes_as_far_as_its_best_attempt_and_is_scored_by_its_first_talk() {
        let people = people(&[
            unanswered(),
            Attempt { attempt_no: 2, score: 0.7, ..talked(OutcomeKind::Neutral) },
            Attempt { attempt_no: 3, score: 0.9, ..talked(OutcomeKind::Success) },
            Attempt { lead: LeadId(2), ..unanswered() },
        ]);
        assert_eq!((people.tried(), people.at_least(Reach::RightParty), people.at_least(Reach::Success)), (2, 1, 1));
        assert_eq!(people.scored(), [Scored { score: 0.7, converted: true }]);
        let tries = People::tries([&people].into_iter());
        let shown: Vec<_> = tries.iter().map(|one| (one.attempt_no, one.answered.of, one.leads)).collect();
        assert_eq!(shown, [(1, 2, 1), (2, 1, 0), (3, 1, 1)]);
    }

    #[test]
    fn the_last_line_holds_all_later_dials() {
        let people = people(&[Attempt { attempt_no: 40, ..unanswered() }]);
        let tries = People::tries([&people].into_iter());
        let last = tries.last().unwrap();
        assert_eq!((tries.len(), last.and_more, last.answered.of), (8, true, 1));
    }

    #[test]
    fn who_was_dialled_forty_times_makes_no_forty_lines() {
        let people = people(&[unanswered(); 40]);
        let tries = People::tries([&people].into_iter());
        assert_eq!((tries.len(), tries.last().unwrap().leads), (8, 1));
    }
}
