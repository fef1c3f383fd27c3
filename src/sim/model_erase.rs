//! A person is taken out of the model store, as every store must do it.

use crate::base::{ContactId, Pii};
use crate::contact::{ClosedWhy, Columns, LeadState};

use super::ModelStore;
use super::model_store::{ModelSubject, slot};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelErased {
    pub numbers: u64,
    pub shared_numbers: u64,
    pub leads: u64,
    pub attempts: u64,
}

impl ModelStore {
    /// `None`: no such person, or erased before.
    pub fn erase(&mut self, key: &Pii<String>) -> Option<ModelErased> {
        let id = self.find_contact(key)?;
        // The entry, and the news of it.
        let subject = ModelSubject::Customer(key.clone());
        self.dnc_add_one(subject.clone(), None);
        self.changes += 1;
        if let Some(entry) = self.dnc.get_mut(&subject) {
            entry.change = self.changes;
        }
        let mut erased = ModelErased::default();
        let person = self.contacts.get_mut(slot(id.0))?;
        person.erased = true;
        for phone in std::mem::take(&mut person.phones) {
            let Some(number) = self.phones.get_mut(slot(phone.0)) else { continue };
            number.contacts.remove(&id);
            if number.contacts.is_empty() {
                number.erased = true;
                erased.numbers += 1;
            } else {
                erased.shared_numbers += 1;
            }
        }
        erased.leads = self.forget_leads(id);
        erased.attempts = self.attempts().values().filter(|attempt| attempt.contact == id).count() as u64;
        Some(erased)
    }

    fn forget_leads(&mut self, contact: ContactId) -> u64 {
        let mut leads = 0;
        for lead in self.leads.iter_mut().filter(|lead| lead.contact == contact) {
            leads += 1;
            lead.line.language = None;
            lead.line.tags = Vec::new();
            lead.line.columns = Columns::default();
            if !matches!(lead.state, LeadState::Closed(_)) {
                lead.state = LeadState::Closed(ClosedWhy::Dnc);
            }
        }
        leads
    }
}
