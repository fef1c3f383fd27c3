//! Lists into the model store, with the counts that every store must give.

use std::collections::BTreeSet;

use crate::base::{CampaignIx, ContactId, LeadId, ListId, PhoneId, Pii, Wall};
use crate::contact::{LeadState, Row, is_test_number};
use crate::gate::Ledger;

use super::ModelStore;
use super::model_store::{Lead, Line, ModelSubject, Number, Person, slot};

/// A list about to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct ModelList {
    pub campaign: CampaignIx,
    /// A list with the digest of an earlier one is that list.
    pub digest: [u8; 32],
    pub expires: Option<Wall>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelCounts {
    pub rows: u64,
    pub new_contacts: u64,
    pub new_leads: u64,
    pub updated_leads: u64,
    pub unchanged: u64,
    pub repeated: u64,
    pub shared_phones: u64,
    pub reopened: u64,
}

impl ModelStore {
    /// `None` if this very list was loaded before.
    pub fn import(&mut self, list: ModelList, rows: &[Row]) -> Option<ModelCounts> {
        if self.lists.iter().any(|(campaign, digest, _)| *campaign == list.campaign && *digest == list.digest) {
            return None;
        }
        self.lists.push((list.campaign, list.digest, list.expires));
        let id = ListId(self.lists.len() as u32);
        let mut counts = ModelCounts { rows: rows.len() as u64, ..ModelCounts::default() };
        let mut linked = BTreeSet::new();
        for row in rows {
            let contact = self.note_contact(&row.key, &mut counts);
            let phones: Vec<PhoneId> = row.phones.iter().take(4).map(|n| self.note_phone(n, contact)).collect();
            linked.extend(&phones);
            self.note_lead(list.campaign, id, contact, line(row, phones), &mut counts);
        }
        let shared = linked.iter().filter_map(|phone: &PhoneId| self.phones.get(slot(phone.0)));
        counts.shared_phones = shared.filter(|phone| phone.contacts.len() > 1).count() as u64;
        self.changes += 1;
        Some(counts)
    }

    fn note_contact(&mut self, key: &Pii<String>, counts: &mut ModelCounts) -> ContactId {
        if let Some(id) = self.by_key.get(key).copied() {
            if let Some(person) = self.contacts.get_mut(slot(id.0)) {
                person.erased = false;
            }
            return id;
        }
        let person = Person { key: key.clone(), phones: BTreeSet::new(), ledger: Ledger::default(), erased: false };
        self.contacts.push(person);
        let id = ContactId(self.contacts.len() as u32);
        self.by_key.insert(key.clone(), id);
        counts.new_contacts += 1;
        self.surface(&ModelSubject::Customer(key.clone()));
        id
    }

    fn note_phone(&mut self, e164: &Pii<String>, contact: ContactId) -> PhoneId {
        let id = if let Some(id) = self.by_number.get(e164) {
            *id
        } else {
            let is_test = is_test_number(e164.reveal());
            let number = Number {
                e164: e164.clone(),
                is_test,
                contacts: BTreeSet::new(),
                ever: BTreeSet::new(),
                ledger: Ledger::default(),
                erased: false,
            };
            self.phones.push(number);
            let id = PhoneId(self.phones.len() as u32);
            self.by_number.insert(e164.clone(), id);
            self.surface(&ModelSubject::Phone(e164.clone()));
            id
        };
        if let Some(number) = self.phones.get_mut(slot(id.0)) {
            number.contacts.insert(contact);
            number.ever.insert(contact);
            number.erased = false;
        }
        if let Some(person) = self.contacts.get_mut(slot(contact.0)) {
            person.phones.insert(id);
        }
        id
    }

    fn note_lead(
        &mut self,
        campaign: CampaignIx,
        list: ListId,
        contact: ContactId,
        line: Line,
        counts: &mut ModelCounts,
    ) {
        let known = self.lead_of.get(&(contact, campaign)).and_then(|id| self.leads.get_mut(slot(id.0)));
        let Some(lead) = known else {
            let state = LeadState::Waiting { until: Wall::default() };
            let lead = Lead { contact, campaign, state, next_phone: 0, next_free: false, list, line };
            self.leads.push(lead);
            self.lead_of.insert((contact, campaign), LeadId(self.leads.len() as u32));
            counts.new_leads += 1;
            return;
        };
        if lead.list == list {
            counts.repeated += 1;
            return;
        }
        if lead.line == line {
            counts.unchanged += 1;
        } else {
            counts.updated_leads += 1;
        }
        (lead.list, lead.line) = (list, line);
        if matches!(lead.state, LeadState::Closed(why) if why.reopens_with_a_newer_list()) {
            lead.state = LeadState::Waiting { until: Wall::default() };
            (lead.next_phone, lead.next_free) = (0, false);
            counts.reopened += 1;
        }
    }

    /// An entry older than its subject becomes news.
    fn surface(&mut self, subject: &ModelSubject) {
        if let Some(entry) = self.dnc.get_mut(subject) {
            self.changes += 1;
            entry.change = self.changes;
        }
    }
}

fn line(row: &Row, phones: Vec<PhoneId>) -> Line {
    Line {
        score: row.score,
        value: row.value,
        consent: row.consent,
        attempts_used: row.attempts_used,
        language: row.language.clone(),
        tags: row.tags.clone(),
        zones: row.zones.clone(),
        columns: row.columns.clone(),
        phones,
    }
}
