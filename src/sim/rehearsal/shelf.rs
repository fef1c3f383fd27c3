//! The store of a rehearsal: ledgers and lead states, and nothing that only a report of later days would want.
//!
//! It asks the same last gate as every store. [`crate::sim::ModelStore`] keeps every attempt with all its outcomes, which
//! a million attempts make too much of.

use std::collections::HashMap;

use crate::base::{AttemptId, ContactId, LeadId, PhoneId, Pii, Wall};
use crate::contact::LeadState;
use crate::engine::{
    AsStored, DncRequest, DncSubject, Intent, LedgerPage, Outcome, StoreReply, StoreRequest, last_gate, refused,
};
use crate::gate::{DncMark, Ledger, PastDial, Rule, Verdict};

use super::leads::Leads;

/// Looked up, never walked.
#[derive(Debug)]
pub struct Shelf {
    contacts: HashMap<ContactId, Ledger>,
    phones: HashMap<PhoneId, Ledger>,
    /// Of leads that were dialled.
    states: HashMap<LeadId, LeadState>,
    live: HashMap<AttemptId, PastDial>,
    blank: Ledger,
    /// In place of every number: the trunk of a rehearsal lets all of them out.
    number: Pii<String>,
}

impl Shelf {
    pub fn new(leads: &Leads) -> Self {
        Self {
            contacts: leads.ledgers.contacts.iter().cloned().collect(),
            phones: leads.ledgers.phones.iter().cloned().collect(),
            states: HashMap::new(),
            live: HashMap::new(),
            blank: Ledger::default(),
            number: Pii::new("+".to_owned()),
        }
    }

    pub fn commit(&mut self, now: Wall, request: &StoreRequest, leads: &Leads) -> StoreReply {
        match request {
            StoreRequest::Authorise(intent) => self.authorise(now, intent),
            // There is one trunk only.
            StoreRequest::Reroute(intent) => StoreReply::Doubt { attempt: intent.attempt },
            StoreRequest::Finish(outcome) => self.finish(now, outcome),
            StoreRequest::Dnc(request) => self.dnc(request, leads),
            StoreRequest::Slot(_) => StoreReply::Noted,
        }
    }

    /// What a lead that was dialled has behind it, as a store would give it out.
    pub fn ledgers(&self, contact: ContactId, phones: impl Iterator<Item = PhoneId>) -> LedgerPage {
        LedgerPage {
            contacts: self.contacts.get(&contact).map(|ledger| (contact, ledger.clone())).into_iter().collect(),
            phones: phones.filter_map(|phone| Some((phone, self.phones.get(&phone)?.clone()))).collect(),
        }
    }

    fn authorise(&mut self, now: Wall, intent: &Intent) -> StoreReply {
        let attempt = intent.attempt;
        if self.live.contains_key(&attempt) {
            let verdict = refused(Rule::LiveAttempt, "this attempt was authorised before".to_owned());
            return StoreReply::Refused { attempt, verdict };
        }
        let known = AsStored {
            now,
            lead: self.states.get(&intent.lead).copied().unwrap_or(LeadState::Waiting { until: Wall::default() }),
            paused: false,
            trunk_stopped: false,
            contact: self.contacts.get(&intent.contact).unwrap_or(&self.blank),
            phone: self.phones.get(&intent.phone).unwrap_or(&self.blank),
            number: &self.number,
        };
        let verdict = last_gate(intent, &known);
        if verdict != Verdict::Allow {
            return StoreReply::Refused { attempt, verdict };
        }
        let dial = PastDial {
            attempt,
            at: now,
            campaign: intent.campaign_ix,
            phone: intent.phone,
            result: None,
            contact: false,
            free: intent.facts.free_of_daily_budget,
            callback: false,
        };
        self.live.insert(attempt, dial);
        self.note(intent.contact, dial);
        StoreReply::Authorised { attempt }
    }

    fn finish(&mut self, now: Wall, outcome: &Outcome) -> StoreReply {
        let attempt = outcome.attempt;
        let Some(begun) = self.live.remove(&attempt) else { return StoreReply::Finished { attempt, fresh: false } };
        let dial = PastDial {
            result: Some(outcome.result),
            contact: outcome.is_contact(),
            free: outcome.free,
            callback: outcome.asks_for_callback(),
            ..begun
        };
        self.note(outcome.contact, dial);
        let marks = outcome.marks(now);
        let contact = self.contacts.entry(outcome.contact).or_default();
        marks.note_in(contact);
        let state = outcome.lead_state_given(contact.dnc);
        let phone = self.phones.entry(outcome.phone).or_default();
        marks.note_in(phone);
        phone.dead |= marks.phone_dead.is_some();
        self.states.insert(outcome.lead, state);
        StoreReply::Finished { attempt, fresh: true }
    }

    fn note(&mut self, contact: ContactId, dial: PastDial) {
        let contact = self.contacts.entry(contact).or_default();
        let phone = self.phones.entry(dial.phone).or_default();
        for ledger in [contact, phone] {
            if dial.counts() { ledger.note(dial) } else { ledger.forget(dial.attempt) }
        }
    }

    /// A customer brings every number that they have.
    fn dnc(&mut self, request: &DncRequest, leads: &Leads) -> StoreReply {
        let mark = Some(DncMark { until: request.until });
        match request.subject {
            DncSubject::Phone(phone) => self.phones.entry(phone).or_default().dnc = mark,
            DncSubject::Contact(contact) => {
                self.contacts.entry(contact).or_default().dnc = mark;
                for phone in leads.phones_of(contact) {
                    self.phones.entry(phone).or_default().dnc = mark;
                }
            }
        }
        StoreReply::Noted
    }
}
