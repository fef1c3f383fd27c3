//! The ledgers the engine holds: only for people and numbers with a history, so that ten million fresh leads cost nothing.

use std::collections::HashMap;

use crate::base::{AttemptId, ContactId, PhoneId, Wall};
use crate::contact::CallResult;
use crate::gate::{DncMark, Ledger, PastDial};

use super::LedgerPage;

/// Looked up, never walked: the order of a hash map must not reach a decision.
#[derive(Debug, Default)]
pub struct Book {
    contacts: HashMap<ContactId, Ledger>,
    phones: HashMap<PhoneId, Ledger>,
    blank: Ledger,
}

impl Book {
    pub fn load(&mut self, page: LedgerPage) {
        self.contacts.extend(page.contacts);
        self.phones.extend(page.phones);
    }

    pub fn contact(&self, id: ContactId) -> &Ledger {
        self.contacts.get(&id).unwrap_or(&self.blank)
    }

    pub fn phone(&self, id: PhoneId) -> &Ledger {
        self.phones.get(&id).unwrap_or(&self.blank)
    }

    /// Nothing is known of either.
    pub fn is_blank(&self, contact: ContactId, phone: PhoneId) -> bool {
        !self.contacts.contains_key(&contact) && !self.phones.contains_key(&phone)
    }

    /// On both sides of the account.
    pub fn note(&mut self, contact: ContactId, dial: PastDial) {
        self.contacts.entry(contact).or_default().note(dial);
        self.phones.entry(dial.phone).or_default().note(dial);
    }

    pub fn forget(&mut self, contact: ContactId, phone: PhoneId, attempt: AttemptId) {
        if let Some(ledger) = self.contacts.get_mut(&contact) {
            ledger.forget(attempt);
        }
        if let Some(ledger) = self.phones.get_mut(&phone) {
            ledger.forget(attempt);
        }
    }

    pub fn mark(&mut self, contact: ContactId, phone: PhoneId, at: Wall, marks: Marks) {
        let ledger = self.contacts.entry(contact).or_default();
        let set = |slot: &mut Option<Wall>, on: bool| {
            if on {
                *slot = (*slot).max(Some(at));
            }
        };
        set(&mut ledger.refused_at, marks.refused);
        set(&mut ledger.complained_at, marks.complained);
        set(&mut ledger.abandoned_at, marks.abandoned);
        if marks.phone_dead || marks.abandoned {
            let ledger = self.phones.entry(phone).or_default();
            ledger.dead |= marks.phone_dead;
            set(&mut ledger.abandoned_at, marks.abandoned);
        }
    }

    pub fn dnc_contact(&mut self, id: ContactId, mark: Option<DncMark>) {
        self.contacts.entry(id).or_default().dnc = mark;
    }

    pub fn dnc_phone(&mut self, id: PhoneId, mark: Option<DncMark>) {
        self.phones.entry(id).or_default().dnc = mark;
    }
}

/// What an outcome leaves behind besides the dial itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub refused: bool,
    pub complained: bool,
    pub abandoned: bool,
    pub phone_dead: bool,
}

impl Marks {
    pub fn of(result: CallResult, refused: bool, complained: bool, phone_dead: bool) -> Self {
        Self { refused, complained, abandoned: result == CallResult::Abandoned, phone_dead }
    }
}
