//! How much of each list was worked: tried at least once, reached, and closed, by why.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{ListId, hex};
use crate::contact::ClosedWhy;
use crate::store::ListRow;

use super::attempt::Reach;
use super::people::Person;
use super::rate::Rate;

/// One version of a list. A lead belongs to the newest list that names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Penetration {
    pub campaign: String,
    pub list: String,
    /// The first digits of the SHA-256 of file and mapping.
    pub version: String,
    pub loaded_at: String,
    pub rows: u64,
    /// Leads that it is the newest list of.
    pub leads: u64,
    pub tried: Rate,
    pub right_party: Rate,
    pub success: Rate,
    pub open: u64,
    pub closed: BTreeMap<&'static str, u64>,
    pub closed_in_all: u64,
}

/// Leads of one list, counted.
#[derive(Clone, Debug, Default)]
pub struct Worked {
    leads: u64,
    tried: u64,
    right_party: u64,
    success: u64,
    open: u64,
    closed: BTreeMap<ClosedWhy, u64>,
}

/// Leads by their newest list.
pub type Lists = BTreeMap<ListId, Worked>;

impl Worked {
    pub fn add(&mut self, closed: Option<ClosedWhy>, person: Option<Person>) {
        let came_to = |reach| u64::from(person.is_some_and(|person| person.reach >= reach));
        self.leads += 1;
        self.tried += came_to(Reach::Dialled);
        self.right_party += came_to(Reach::RightParty);
        self.success += came_to(Reach::Success);
        match closed {
            Some(why) => *self.closed.entry(why).or_default() += 1,
            None => self.open += 1,
        }
    }

    pub fn of(&self, list: &ListRow, loaded_at: String) -> Penetration {
        Penetration {
            campaign: list.campaign.clone(),
            list: list.name.clone(),
            version: hex(&list.sha256).chars().take(8).collect(),
            loaded_at,
            rows: list.rows,
            leads: self.leads,
            tried: Rate::new(self.tried, self.leads),
            right_party: Rate::new(self.right_party, self.leads),
            success: Rate::new(self.success, self.leads),
            open: self.open,
            closed: self.closed.iter().map(|(why, count)| (why.as_str(), *count)).collect(),
            closed_in_all: self.closed.values().sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{LeadId, Wall};
    use crate::cli::report::figures::attempt::{Attempt, talked, unanswered};
    use crate::cli::report::figures::people::People;
    use crate::contact::{ContactKind, OutcomeKind};

    #[test]
    fn every_lead_is_open_or_closed_and_tried_or_not() {
        let mut people = People::default();
        for attempt in [unanswered(), talked(OutcomeKind::Success)] {
            people.add(&attempt, attempt.reach().unwrap());
        }
        let mut worked = Worked::default();
        worked.add(Some(ClosedWhy::Success), people.get(LeadId(1)));
        worked.add(None, people.get(LeadId(2)));
        worked.add(Some(ClosedWhy::Dnc), None);
        let list = ListRow {
            list: ListId(1),
            campaign: "c".into(),
            name: "l.csv".into(),
            sha256: [0xab; 32],
            rows: 3,
            at: Wall(0),
            expires: None,
        };
        let shown = worked.of(&list, "today".to_owned());
        assert_eq!((shown.leads, shown.open, shown.closed_in_all), (3, 1, 2));
        assert_eq!((shown.tried.hits, shown.success.hits, shown.version.as_str()), (1, 1, "abababab"));
        assert_eq!(shown.closed, BTreeMap::from([("success", 1), ("dnc", 1)]));
    }

    #[test]
    fn somebody_else_who_answers_is_no_right_party_of_a_list() {
        let stranger = Attempt { contact: ContactKind::WrongParty, ..talked(OutcomeKind::Neutral) };
        let mut people = People::default();
        people.add(&stranger, stranger.reach().unwrap());
        let mut worked = Worked::default();
        worked.add(None, people.get(LeadId(1)));
        assert_eq!((worked.tried, worked.right_party), (1, 0));
    }
}
