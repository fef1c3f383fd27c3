//! A store in memory, pure: the same requests and replies as a database, with a disk that can fail around a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, Now, PhoneId, Pii, Split, Wall};
use crate::contact::{ClosedWhy, Columns, LeadState};
use crate::engine::{
    AsStored, Committed, DncRequest, DncSubject, Epoch, Heard, Intent, LeadRow, LedgerPage, Outcome, PhoneRow,
    RecoveredAttempt, SlotLog, SlotRow, StoreReply, StoreRequest, Talked, billed_s, last_gate, refused,
};
use crate::gate::{DncMark, Ledger, PastDial, Rule, Verdict};
use crate::rank::{Place, answered};
use crate::schedule::day_number;

/// Everything in it is committed: a batch is applied whole or not at all, so a crash loses only who was dialling.
#[derive(Clone, Debug, Default)]
pub struct ModelStore {
    pub(super) campaigns: Vec<String>,
    pub(super) lists: Vec<(CampaignIx, [u8; 32], Option<Wall>)>,
    pub(super) contacts: Vec<Person>,
    pub(super) phones: Vec<Number>,
    pub(super) leads: Vec<Lead>,
    pub(super) by_key: BTreeMap<Pii<String>, ContactId>,
    pub(super) by_number: BTreeMap<Pii<String>, PhoneId>,
    pub(super) lead_of: BTreeMap<(ContactId, CampaignIx), LeadId>,
    pub(super) dnc: BTreeMap<ModelSubject, ModelDnc>,
    attempts: BTreeMap<AttemptId, ModelAttempt>,
    live: BTreeSet<AttemptId>,
    paused_all: bool,
    paused: BTreeSet<CampaignIx>,
    stopped: BTreeSet<String>,
    slots: Vec<SlotRow>,
    high_water: Wall,
    epoch: Epoch,
    running: Option<Epoch>,
    trunks: Vec<String>,
    pub(super) changes: u64,
}

/// What the disk does with a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// It fails, and nothing is written.
    Before,
    /// It is written, and nobody hears of it: in doubt.
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No `begin`, or another one since.
    #[error("fenced")]
    Fenced,
    #[error("the commit failed or is in doubt")]
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) key: Pii<String>,
    pub(super) phones: BTreeSet<PhoneId>,
    pub(super) ledger: Ledger,
    pub(super) erased: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) e164: Pii<String>,
    pub(super) is_test: bool,
    pub(super) contacts: BTreeSet<ContactId>,
    /// And whoever had it before they were erased.
    pub(super) ever: BTreeSet<ContactId>,
    pub(super) ledger: Ledger,
    pub(super) erased: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Lead {
    pub(super) contact: ContactId,
    pub(super) campaign: CampaignIx,
    pub(super) state: LeadState,
    pub(super) next_phone: u8,
    pub(super) next_free: bool,
    pub(super) list: ListId,
    pub(super) line: Line,
}

/// What the newest list says of a lead.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) score: f64,
    pub(super) value: f64,
    pub(super) consent: Option<bool>,
    pub(super) attempts_used: u16,
    pub(super) language: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) zones: Vec<String>,
    pub(super) columns: Columns,
    pub(super) phones: Vec<PhoneId>,
}

/// One attempt with all its outcomes: what invariants are checked against.
#[derive(Clone, Debug)]
pub struct ModelAttempt {
    pub lead: LeadId,
    pub contact: ContactId,
    pub phone: PhoneId,
    pub campaign: CampaignIx,
    pub place: Place,
    /// The segment's name.
    pub segment: Arc<str>,
    pub trunk: String,
    pub caller_id: Arc<str>,
    pub at: Wall,
    pub epoch: Epoch,
    pub free: bool,
    /// Revision by revision.
    pub outcomes: Vec<Outcome>,
}

impl ModelAttempt {
    fn is_of(&self, intent: &Intent) -> bool {
        (self.lead, self.contact, self.phone) == (intent.lead, intent.contact, intent.phone)
    }
}

/// Whom an entry names, known to the store or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelSubject {
    Customer(Pii<String>),
    Phone(Pii<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelDnc {
    pub until: Option<Wall>,
    pub removed: bool,
    pub change: u64,
}

impl ModelStore {
    /// As every store: refusals and the like count for ever, dials for so long.
    const LOOK_BACK: Duration = Duration::from_hours(90 * 24);

    pub fn begin(&mut self, trunks: &[String], now: Now) -> Epoch {
        self.epoch.0 += 1;
        self.running = Some(self.epoch);
        self.trunks = trunks.to_vec();
        self.high_water = self.high_water.max(now.wall);
        self.epoch
    }

    /// The process dies. What was committed stays; whoever comes next calls `begin` and `recover`.
    pub fn crash(&mut self) {
        self.running = None;
    }

    pub fn recover(&mut self, now: Now) -> Result<Vec<RecoveredAttempt>, ModelError> {
        let epoch = self.running.ok_or(ModelError::Fenced)?;
        self.high_water = self.high_water.max(now.wall);
        let now = self.high_water;
        let left: Vec<AttemptId> = self.live.iter().copied().collect();
        let mut recovered = Vec::new();
        for id in left {
            let Some(attempt) = self.attempts.get(&id).filter(|attempt| attempt.epoch != epoch) else { continue };
            let left = RecoveredAttempt {
                attempt: id,
                lead: attempt.lead,
                contact: attempt.contact,
                phone: attempt.phone,
                campaign_ix: attempt.campaign,
                trunk: attempt.trunk.clone(),
                caller_id: attempt.caller_id.to_string(),
                number: self.phone(attempt.phone).filter(|phone| !phone.erased).map(|phone| phone.e164.clone()),
                authorised_at: attempt.at,
            };
            let next_phone = self.lead(attempt.lead).map_or(0, |lead| lead.next_phone);
            let outcome = Outcome::unknown_counted(&left, now, attempt.free, next_phone);
            recovered.push(left);
            self.apply(&outcome, outcome.lead_state, now);
        }
        Ok(recovered)
    }

    pub fn commit(&mut self, now: Now, batch: &[StoreRequest], fault: Fault) -> Result<Committed, ModelError> {
        let epoch = self.running.ok_or(ModelError::Fenced)?;
        if fault == Fault::Before {
            return Err(ModelError::Failed);
        }
        self.high_water = StoreRequest::latest(batch).fold(self.high_water.max(now.wall), Wall::max);
        let now = self.high_water;
        let mut committed = Committed::default();
        for request in batch {
            let reply = match request {
                StoreRequest::Authorise(intent) => self.authorise(intent, epoch, now, &mut committed),
                StoreRequest::Reroute(intent) => self.reroute(intent, now, &mut committed),
                StoreRequest::Finish(outcome) => self.finish(outcome, now),
                StoreRequest::Dnc(request) => self.note_dnc(request),
                StoreRequest::Slot(log) => self.note_slot(log),
            };
            committed.replies.push(reply);
        }
        if fault == Fault::After { Err(ModelError::Failed) } else { Ok(committed) }
    }

    fn authorise(&mut self, intent: &Intent, epoch: Epoch, now: Wall, committed: &mut Committed) -> StoreReply {
        let attempt = intent.attempt;
        if self.attempts.contains_key(&attempt) {
            let verdict = refused(Rule::LiveAttempt, "this attempt was authorised before".to_owned());
            return StoreReply::Refused { attempt, verdict };
        }
        let number = match self.judge(intent, now, None) {
            Ok(number) => number,
            Err(verdict) => return StoreReply::Refused { attempt, verdict },
        };
        committed.numbers.push((attempt, number));
        let new = ModelAttempt {
            lead: intent.lead,
            contact: intent.contact,
            phone: intent.phone,
            campaign: intent.campaign_ix,
            place: intent.context.place(),
            segment: intent.campaign.segment(intent.context.segment).map_or("", |segment| &segment.name).into(),
            trunk: self.trunk(intent),
            caller_id: Arc::clone(&intent.caller_id),
            at: now,
            epoch,
            free: intent.facts.free_of_daily_budget,
            outcomes: Vec::new(),
        };
        self.live.insert(attempt);
        self.note_dial(attempt, &new);
        self.attempts.insert(attempt, new);
        StoreReply::Authorised { attempt }
    }

    fn reroute(&mut self, intent: &Intent, now: Wall, committed: &mut Committed) -> StoreReply {
        let attempt = intent.attempt;
        let same = |known: &ModelAttempt| known.outcomes.is_empty() && known.is_of(intent);
        if !self.attempts.get(&attempt).is_some_and(same) {
            let verdict = refused(Rule::LiveAttempt, "the store knows no such attempt under way".to_owned());
            return StoreReply::Refused { attempt, verdict };
        }
        match self.judge(intent, now, Some(attempt)) {
            Ok(number) => committed.numbers.push((attempt, number)),
            Err(verdict) => return StoreReply::Refused { attempt, verdict },
        }
        let trunk = self.trunk(intent);
        if let Some(known) = self.attempts.get_mut(&attempt) {
            known.trunk = trunk;
            known.caller_id = Arc::clone(&intent.caller_id);
        }
        StoreReply::Authorised { attempt }
    }

    /// The number, if it may be called now. `own` is the attempt itself, which does not stand in its own way.
    fn judge(&self, intent: &Intent, now: Wall, own: Option<AttemptId>) -> Result<Pii<String>, Verdict> {
        let no = |rule, why: &str| Err(refused(rule, why.to_owned()));
        let lead = self.lead(intent.lead);
        let Some(lead) = lead.filter(|l| l.contact == intent.contact && l.campaign == intent.campaign_ix) else {
            return no(Rule::Number, "the store does not know this lead");
        };
        let Some(phone) = self.phone(intent.phone) else {
            return no(Rule::Number, "the store does not know this phone");
        };
        if phone.ever.len() == 1 && !phone.ever.contains(&intent.contact) {
            return no(Rule::Number, "the store knows this phone as somebody else's");
        }
        if phone.erased {
            return no(Rule::Number, "the person was erased");
        }
        let mut contact_ledger = self.contact_ledger(intent.contact, now);
        let mut phone_ledger = self.phone_ledger(intent.phone, now);
        if let Some(own) = own {
            contact_ledger.forget(own);
            phone_ledger.forget(own);
        }
        let known = AsStored {
            now,
            lead: lead.state,
            paused: self.paused_all || self.paused.contains(&intent.campaign_ix),
            trunk_stopped: self.stopped.contains(&self.trunk(intent)),
            contact: &contact_ledger,
            phone: &phone_ledger,
            number: &phone.e164,
        };
        match last_gate(intent, &known) {
            Verdict::Allow => Ok(phone.e164.clone()),
            refused @ Verdict::Refuse { .. } => Err(refused),
        }
    }

    fn trunk(&self, intent: &Intent) -> String {
        self.trunks.get(intent.trunk.ix()).cloned().unwrap_or_else(|| format!("trunk-{}", intent.trunk))
    }

    fn finish(&mut self, outcome: &Outcome, now: Wall) -> StoreReply {
        let attempt = outcome.attempt;
        let known = self.attempts.get(&attempt).filter(|known| known.lead == outcome.lead);
        let Some(known) = known.filter(|known| known.outcomes.len() == usize::from(outcome.revision)) else {
            return StoreReply::Finished { attempt, fresh: false };
        };
        let state = outcome.lead_state_given(self.contact_ledger(known.contact, now).dnc);
        self.apply(outcome, state, now);
        StoreReply::Finished { attempt, fresh: true }
    }

    fn apply(&mut self, outcome: &Outcome, state: LeadState, now: Wall) {
        let Some(attempt) = self.attempts.get_mut(&outcome.attempt) else { return };
        attempt.outcomes.push(outcome.clone());
        let attempt = attempt.clone();
        self.live.remove(&outcome.attempt);
        self.note_dial(outcome.attempt, &attempt);
        let marks = outcome.marks(now);
        if let Some(person) = self.contacts.get_mut(slot(attempt.contact.0)) {
            marks.note_in(&mut person.ledger);
        }
        if let Some(phone) = self.phones.get_mut(slot(attempt.phone.0)) {
            marks.note_in(&mut phone.ledger);
            phone.ledger.dead |= marks.phone_dead.is_some();
        }
        if outcome.revision == 0
            && let Some(lead) = self.leads.get_mut(slot(attempt.lead.0))
        {
            lead.state = state;
            lead.next_phone = outcome.next_phone;
            lead.next_free = outcome.next_free;
        }
    }

    /// Brings both ledgers up to date with the attempt's newest outcome.
    fn note_dial(&mut self, id: AttemptId, attempt: &ModelAttempt) {
        let newest = attempt.outcomes.last();
        let dial = PastDial {
            attempt: id,
            at: attempt.at,
            campaign: attempt.campaign,
            phone: attempt.phone,
            result: newest.map(|outcome| outcome.result),
            contact: newest.is_some_and(Outcome::is_contact),
            free: newest.map_or(attempt.free, |outcome| outcome.free),
            callback: newest.is_some_and(Outcome::asks_for_callback),
        };
        let person = self.contacts.get_mut(slot(attempt.contact.0)).map(|person| &mut person.ledger);
        let phone = self.phones.get_mut(slot(attempt.phone.0)).map(|phone| &mut phone.ledger);
        for ledger in person.into_iter().chain(phone) {
            if dial.counts() { ledger.note(dial) } else { ledger.forget(id) }
        }
    }

    fn note_dnc(&mut self, request: &DncRequest) -> StoreReply {
        let subject = match request.subject {
            DncSubject::Contact(id) => self.contact(id).map(|person| ModelSubject::Customer(person.key.clone())),
            DncSubject::Phone(id) => self.phone(id).map(|phone| ModelSubject::Phone(phone.e164.clone())),
        };
        if let Some(subject) = subject {
            self.dnc_add(subject, request.until);
        }
        StoreReply::Noted
    }

    /// A customer brings every number that they have.
    pub fn dnc_add(&mut self, subject: ModelSubject, until: Option<Wall>) {
        let numbers: Vec<ModelSubject> = match &subject {
            ModelSubject::Phone(_) => Vec::new(),
            ModelSubject::Customer(key) => {
                let person = self.by_key.get(key).and_then(|id| self.contact(*id));
                let phones = person.into_iter().flat_map(|person| &person.phones);
                phones.filter_map(|id| self.phone(*id)).map(|phone| ModelSubject::Phone(phone.e164.clone())).collect()
            }
        };
        for subject in [subject].into_iter().chain(numbers) {
            self.dnc_add_one(subject, until);
        }
    }

    pub(super) fn dnc_add_one(&mut self, subject: ModelSubject, until: Option<Wall>) {
        self.changes += 1;
        let new = ModelDnc { until, removed: false, change: self.changes };
        let known = self.dnc.entry(subject).or_insert(new);
        let stronger = match (known.until, until) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(until)) => until > known,
        };
        if known.removed || stronger {
            *known = new;
        }
    }

    pub fn dnc_remove(&mut self, subject: &ModelSubject) -> bool {
        self.changes += 1;
        let change = self.changes;
        let Some(entry) = self.dnc.get_mut(subject).filter(|entry| !entry.removed) else { return false };
        (entry.removed, entry.change) = (true, change);
        true
    }

    /// How often each of our own numbers was shown since then.
    pub fn shown_since(&self, since: Wall) -> Vec<(String, u32)> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for attempt in self.attempts.values().filter(|attempt| attempt.at >= since) {
            let newest = attempt.outcomes.last();
            if newest.is_none_or(|outcome| outcome.result != crate::contact::CallResult::Void) {
                *counts.entry(attempt.caller_id.to_string()).or_default() += 1;
            }
        }
        counts.into_iter().collect()
    }

    /// What attempts of one campaign told of answers since then.
    pub fn heard_since(&self, campaign: CampaignIx, since: Wall) -> Vec<Heard> {
        let mut heard: Vec<Heard> = Vec::new();
        for attempt in self.attempts.values().filter(|attempt| attempt.campaign == campaign && attempt.at >= since) {
            let result = attempt.outcomes.last().map(|outcome| outcome.result);
            if let Some(came) = result.and_then(answered) {
                let (segment, Place { slot, past, .. }) = (Arc::clone(&attempt.segment), attempt.place);
                let (day, answered) = (day_number(attempt.at), u32::from(came));
                heard.push(Heard { day, segment, slot, past, dials: 1, answered });
            }
        }
        heard.sort();
        heard.dedup_by(|next, sum| {
            let alike = (next.day, &next.segment, next.slot, next.past) == (sum.day, &sum.segment, sum.slot, sum.past);
            if alike {
                (sum.dials, sum.answered) = (sum.dials + next.dials, sum.answered + next.answered);
            }
            alike
        });
        heard
    }

    /// How long the calls of each trunk were talked since then: those that a carrier bills.
    pub fn talked_since(&self, since: Wall) -> Vec<Talked> {
        let mut counts: BTreeMap<(&str, u32), u32> = BTreeMap::new();
        for attempt in self.attempts.values().filter(|attempt| attempt.at >= since) {
            let first = attempt.outcomes.first();
            let times = first.map(|outcome| outcome.times).unwrap_or_default();
            if let Some(seconds) = billed_s(first.map(|outcome| outcome.result), times.answered, times.ended) {
                *counts.entry((&attempt.trunk, seconds)).or_default() += 1;
            }
        }
        let talked = |((trunk, seconds), calls): ((&str, u32), u32)| Talked { trunk: trunk.into(), seconds, calls };
        counts.into_iter().map(talked).collect()
    }

    fn note_slot(&mut self, log: &SlotLog) -> StoreReply {
        self.slots.extend(SlotRow::of(log, self.slots.len() as u64));
        StoreReply::Noted
    }

    pub fn slots(&self, after: u64, limit: usize) -> Vec<SlotRow> {
        self.slots.iter().skip(after as usize).take(limit).cloned().collect()
    }

    pub fn stop_trunk(&mut self, name: &str, stopped: bool) {
        self.changes += 1;
        if stopped {
            self.stopped.insert(name.to_owned());
        } else {
            self.stopped.remove(name);
        }
    }

    pub fn stopped_trunks(&self) -> Vec<String> {
        self.stopped.iter().cloned().collect()
    }

    pub fn set_paused(&mut self, campaign: Option<CampaignIx>, paused: bool) {
        self.changes += 1;
        match campaign {
            None => self.paused_all = paused,
            Some(ix) if paused => {
                self.paused.insert(ix);
            }
            Some(ix) => {
                self.paused.remove(&ix);
            }
        }
    }

    pub fn campaign_ix(&mut self, name: &str) -> CampaignIx {
        let at = self.campaigns.iter().position(|known| known == name).unwrap_or_else(|| {
            self.campaigns.push(name.to_owned());
            self.campaigns.len() - 1
        });
        CampaignIx(u16::try_from(at).unwrap_or(u16::MAX))
    }

    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn high_water(&self) -> Wall {
        self.high_water
    }

    pub fn is_paused(&self, campaign: CampaignIx) -> bool {
        self.paused_all || self.paused.contains(&campaign)
    }

    /// Open leads behind `after`, by id.
    pub fn leads(&self, campaign: CampaignIx, after: LeadId, limit: usize) -> Vec<LeadRow> {
        let ids = (after.0.saturating_add(1)..).map(LeadId);
        let behind = self.leads.get(after.ix()..).unwrap_or_default();
        let open = ids
            .zip(behind)
            .filter(|(_, lead)| lead.campaign == campaign && !matches!(lead.state, LeadState::Closed(_)));
        open.take(limit).map(|(id, lead)| self.row(id, lead)).collect()
    }

    pub fn leads_of(&self, contact: ContactId) -> Vec<LeadRow> {
        let ids = (1..).map(LeadId);
        let all = ids.zip(&self.leads).filter(|(_, lead)| lead.contact == contact);
        all.map(|(id, lead)| self.row(id, lead)).collect()
    }

    /// Where every lead stands: one of `waiting`, `dialling` or why it is closed.
    pub fn lead_counts(&self, campaign: CampaignIx) -> (u64, u64, BTreeMap<ClosedWhy, u64>) {
        let dialled: BTreeSet<LeadId> =
            self.live.iter().filter_map(|id| self.attempts.get(id)).map(|a| a.lead).collect();
        let (mut waiting, mut dialling, mut closed) = (0, 0, BTreeMap::new());
        for (id, lead) in (1..).map(LeadId).zip(&self.leads).filter(|(_, lead)| lead.campaign == campaign) {
            match lead.state {
                _ if dialled.contains(&id) => dialling += 1,
                LeadState::Closed(why) => *closed.entry(why).or_default() += 1,
                LeadState::Waiting { .. }
                | LeadState::Reserved
                | LeadState::Dialling
                | LeadState::InCall
                | LeadState::WrapUp => waiting += 1,
            }
        }
        (waiting, dialling, closed)
    }

    /// All at once: contacts and phones with a history or a mark.
    pub fn ledgers(&self, now: Now) -> LedgerPage {
        let now = now.wall.max(self.high_water);
        let contacts =
            (1..=self.contacts.len() as u32).map(|id| (ContactId(id), self.contact_ledger(ContactId(id), now)));
        let phones = (1..=self.phones.len() as u32).map(|id| (PhoneId(id), self.phone_ledger(PhoneId(id), now)));
        LedgerPage {
            contacts: contacts.filter(|(_, ledger)| *ledger != Ledger::default()).collect(),
            phones: phones.filter(|(_, ledger)| *ledger != Ledger::default()).collect(),
        }
    }

    pub fn attempts(&self) -> &BTreeMap<AttemptId, ModelAttempt> {
        &self.attempts
    }

    pub fn find_contact(&self, key: &Pii<String>) -> Option<ContactId> {
        self.by_key.get(key).copied().filter(|id| self.contact(*id).is_some_and(|person| !person.erased))
    }

    fn contact_ledger(&self, id: ContactId, now: Wall) -> Ledger {
        let Some(person) = self.contact(id) else { return Ledger::default() };
        as_of(&person.ledger, now, self.mark(&ModelSubject::Customer(person.key.clone())))
    }

    fn phone_ledger(&self, id: PhoneId, now: Wall) -> Ledger {
        let Some(phone) = self.phone(id) else { return Ledger::default() };
        as_of(&phone.ledger, now, self.mark(&ModelSubject::Phone(phone.e164.clone())))
    }

    fn mark(&self, subject: &ModelSubject) -> Option<DncMark> {
        self.dnc.get(subject).filter(|entry| !entry.removed).map(|entry| DncMark { until: entry.until })
    }

    fn row(&self, id: LeadId, lead: &Lead) -> LeadRow {
        let phone = |phone: &PhoneId| {
            let known = self.phone(*phone);
            PhoneRow {
                phone: *phone,
                is_test: known.is_some_and(|known| known.is_test),
                dead: known.is_some_and(|known| known.ledger.dead),
                zones: lead.line.zones.clone(),
            }
        };
        LeadRow {
            lead: id,
            contact: lead.contact,
            split: self.contact(lead.contact).map_or(Split::default(), |person| split(&person.key)),
            campaign_ix: lead.campaign,
            list: lead.list,
            list_expires: self.lists.get(slot(lead.list.0)).and_then(|(_, _, expires)| *expires),
            phones: lead.line.phones.iter().map(phone).collect(),
            score: lead.line.score as f32,
            value: lead.line.value as f32,
            consent: lead.line.consent,
            attempts_used: lead.line.attempts_used,
            columns: lead.line.columns.clone(),
            state: lead.state,
            next_phone: lead.next_phone,
            next_free: lead.next_free,
        }
    }

    fn contact(&self, id: ContactId) -> Option<&Person> {
        self.contacts.get(slot(id.0))
    }

    fn phone(&self, id: PhoneId) -> Option<&Number> {
        self.phones.get(slot(id.0))
    }

    fn lead(&self, id: LeadId) -> Option<&Lead> {
        self.leads.get(slot(id.0))
    }
}

/// No key here is secret: a digest serves as well as a blind index.
fn split(key: &Pii<String>) -> Split {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(key.reveal().as_bytes());
    let (head, _) = digest.split_at(8);
    Split(u64::from_be_bytes(head.try_into().unwrap_or_default()))
}

/// Ids count from 1. The place of 0 is one that no vector has.
pub(super) fn slot(id: u32) -> usize {
    (id as usize).wrapping_sub(1)
}

fn as_of(ledger: &Ledger, now: Wall, dnc: Option<DncMark>) -> Ledger {
    let since = now - ModelStore::LOOK_BACK;
    let mut ledger = Ledger { dnc, ..ledger.clone() };
    ledger.dials.retain(|dial| dial.at > since || dial.result.is_none());
    ledger.dials.sort_by_key(|dial| (dial.at, dial.attempt));
    ledger
}
