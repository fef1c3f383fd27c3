//! From rows loaded to success: leads, each counted in every step that it came to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::LeadId;
use crate::engine::{Blocked, Fate};
use crate::gate::Rule;

use super::attempt::Reach;
use super::people::People;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// `loaded` of `plan`, and those dialled that were erased since.
    pub loaded: u64,
    /// Not turned away by the campaign's own conditions, segments or a missing number. Who was dialled was eligible then.
    pub eligible: u64,
    pub dialled: u64,
    pub answered: u64,
    pub right_party: u64,
    pub success: u64,
    /// Of `dialled`: erased since. Nobody can tell who they were.
    pub erased: u64,
}

impl Funnel {
    /// `fates`: every lead, as `plan` sees it.
    pub fn of(fates: &BTreeMap<LeadId, Fate>, people: &People) -> Self {
        let erased = people.leads().filter(|lead| !fates.contains_key(lead)).count() as u64;
        let turned_away = |fate: &Fate| matches!(fate, Fate::Blocked(Blocked::Rule(Rule::Eligible) | Blocked::NoPhone));
        let eligible = fates.iter().filter(|(lead, fate)| !turned_away(fate) || people.get(**lead).is_some()).count();
        Self {
            loaded: fates.len() as u64 + erased,
            eligible: eligible as u64 + erased,
            dialled: people.tried(),
            answered: people.at_least(Reach::Answered),
            right_party: people.at_least(Reach::RightParty),
            success: people.at_least(Reach::Success),
            erased,
        }
    }

    pub fn join(self, other: Self) -> Self {
        Self {
            loaded: self.loaded + other.loaded,
            eligible: self.eligible + other.eligible,
            dialled: self.dialled + other.dialled,
            answered: self.answered + other.answered,
            right_party: self.right_party + other.right_party,
            success: self.success + other.success,
            erased: self.erased + other.erased,
        }
    }

    pub const fn steps(&self) -> [(&'static str, u64); 6] {
        [
            ("Loaded", self.loaded),
            ("Eligible", self.eligible),
            ("Dialled", self.dialled),
            ("Answered", self.answered),
            ("Right party", self.right_party),
            ("Success", self.success),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::figures::attempt::{Attempt, talked, unanswered};
    use crate::contact::{ClosedWhy, OutcomeKind};

    #[test]
    fn no_step_is_larger_than_the_one_before_whatever_became_of_the_leads() {
        let mut people = People::default();
        // Lead 1 converted, lead 2 is not eligible any more, lead 9 was erased.
        for attempt in [
            talked(OutcomeKind::Success),
            Attempt { lead: LeadId(2), ..talked(OutcomeKind::Failure) },
            Attempt { lead: LeadId(9), ..unanswered() },
        ] {
            people.add(&attempt, attempt.reach().unwrap());
        }
        let away = Fate::Blocked(Blocked::Rule(Rule::Eligible));
        let fates = BTreeMap::from([
            (LeadId(1), Fate::Closed(ClosedWhy::Success)),
            (LeadId(2), away),
            (LeadId(3), away),
            (LeadId(4), Fate::Now),
            (LeadId(5), Fate::Blocked(Blocked::NoPhone)),
        ]);
        let funnel = Funnel::of(&fates, &people);
        let steps = funnel.steps().map(|(_, count)| count);
        assert_eq!(steps, [6, 4, 3, 2, 2, 1]);
        assert_eq!(funnel.erased, 1);
        assert!(steps.is_sorted_by(|a, b| a >= b));
        assert_eq!(funnel.join(funnel).success, 2);
    }
}
