//! Outcomes that the store has not confirmed yet: what it says of their leads meanwhile is out of date.

use std::collections::BTreeMap;

use crate::base::{AttemptId, LeadId, Wall};
use crate::contact::LeadState;

use super::LeadRow;

/// Where a lead stands after an attempt, as the store will keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub state: LeadState,
    pub next_phone: u8,
    pub next_free: bool,
    pub phone_dead: bool,
    /// As [`super::Outcome::callback_at`].
    pub callback_at: Option<Wall>,
}

/// No more than the store has outcomes of ours to write.
#[derive(Debug, Default)]
pub struct Unwritten {
    leads: BTreeMap<LeadId, (AttemptId, Settled)>,
    attempts: BTreeMap<AttemptId, LeadId>,
}

impl Settled {
    /// What a list says, of a lead that stands here.
    pub fn over(self, row: LeadRow) -> LeadRow {
        LeadRow { state: self.state, next_phone: self.next_phone, next_free: self.next_free, ..row }
    }
}

impl Unwritten {
    pub fn note(&mut self, attempt: AttemptId, lead: LeadId, settled: Settled) {
        self.attempts.insert(attempt, lead);
        self.leads.insert(lead, (attempt, settled));
    }

    pub fn written(&mut self, attempt: AttemptId) {
        let Some(lead) = self.attempts.remove(&attempt) else { return };
        // A later attempt of the same lead may have ended since.
        if self.leads.get(&lead).is_some_and(|(of, _)| *of == attempt) {
            self.leads.remove(&lead);
        }
    }

    pub fn of(&self, lead: LeadId) -> Option<Settled> {
        self.leads.get(&lead).map(|(_, settled)| *settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Now, Rng};

    #[test]
    fn the_latest_end_of_a_lead_holds_until_it_is_written() {
        let mut rng = Rng::seeded(1);
        let [first, second] = [(); 2].map(|()| AttemptId::new(Now::default(), &mut rng));
        let settled = |until| Settled {
            state: LeadState::Waiting { until: Wall(until) },
            next_phone: 0,
            next_free: false,
            phone_dead: false,
            callback_at: None,
        };
        let mut unwritten = Unwritten::default();
        unwritten.note(first, LeadId(7), settled(1));
        unwritten.note(second, LeadId(7), settled(2));
        unwritten.written(first);
        assert_eq!(unwritten.of(LeadId(7)), Some(settled(2)));
        unwritten.written(second);
        assert_eq!(unwritten.of(LeadId(7)), None);
        assert!(unwritten.attempts.is_empty());
    }
}
