//! One batch, one durable transaction: load what its requests touch, decide them in order, write everything at once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, Now, PhoneId, Pii, Wall};
use crate::contact::{ClosedWhy, LeadState};
use crate::engine::{
    AsStored, Committed, DncRequest, DncSubject, Intent, Outcome, SlotLog, StoreReply, StoreRequest, last_gate, refused,
};
use crate::gate::{PastDial, Rule, Verdict};
use crate::store::keys::Sealed;
use crate::store::records::OutcomeSource;
use crate::store::{Keys, Paused, StoreError};

use super::ledgers::{self, Ledgers, Phone, Statements, Wanted};
use super::sql::{self, Binds, Cells};
use super::write::{Finished, NewAttempt, Writes};
use super::{Dialling, dnc, operate, slots};

/// What the batch may see and change. Requests see what those before them did.
struct Work<'a> {
    now: Wall,
    dialling: &'a mut Dialling,
    keys: &'a Keys,
    paused: Paused,
    leads: HashMap<LeadId, Lead>,
    ledgers: Ledgers,
    attempts: HashMap<AttemptId, Known>,
    writes: Writes<'a>,
}

#[derive(Clone, Copy)]
struct Lead {
    contact: ContactId,
    campaign: CampaignIx,
    state: LeadState,
}

/// An attempt that a request names.
#[derive(Clone, Copy)]
struct Known {
    at: Wall,
    lead: LeadId,
    contact: ContactId,
    phone: PhoneId,
    campaign: CampaignIx,
    revisions: u16,
}

/// Opens the transaction, and reads all that the batch needs to know, in one step.
static LOAD: LazyLock<Arc<str>> = LazyLock::new(|| {
    let lead = [&["c.id", "l.id", "l.campaign", "l.state", "l.until"], &ledgers::MARKS[..]].concat();
    let leads = sql::pack(
        &lead,
        "FROM json_each(?) j CROSS JOIN lead l ON l.id = j.value CROSS JOIN contact c ON c.id = l.contact
            LEFT JOIN dnc d ON d.token = c.token AND d.removed_at IS NULL",
    );
    let attempts = sql::pack(
        &["hex(a.id)", "a.at", "a.lead", "a.contact", "a.phone", "a.campaign", "a.revisions"],
        "FROM json_each(?) j CROSS JOIN attempt a ON a.id = unhex(j.value)",
    );
    let Statements { phones, dials_of_contacts, dials_of_shared, .. } = &*ledgers::STATEMENTS;
    let standing = operate::STANDING;
    Arc::from(format!(
        "BEGIN IMMEDIATE; SELECT ({standing}), ({leads}), ({attempts}), ({phones}), ({dials_of_contacts}),
            ({dials_of_shared})"
    ))
});

/// On an error the transaction may still be open: the caller rolls back.
pub(super) async fn commit(
    conn: &mut SqliteConnection,
    keys: &Keys,
    dialling: &mut Dialling,
    now: Now,
    batch: &[StoreRequest],
) -> Result<Committed, StoreError> {
    let mut work = Work::load(conn, keys, dialling, now.wall, batch).await?;
    let mut committed = Committed { replies: Vec::with_capacity(batch.len()), ..Committed::default() };
    for request in batch {
        let reply = match request {
            StoreRequest::Authorise(intent) => work.authorise(conn, intent, &mut committed).await?,
            StoreRequest::Reroute(intent) => work.reroute(intent, &mut committed),
            StoreRequest::Finish(outcome) => work.finish(outcome),
            StoreRequest::Dnc(request) => work.dnc(conn, request).await?,
            StoreRequest::Slot(log) => work.slot(conn, log).await?,
        };
        committed.replies.push(reply);
    }
    work.writes.flush_and_commit(conn, work.now).await?;
    Ok(committed)
}

/// What a batch names: leads and attempts of everything, the rest of authorisations, which alone ask the rules.
#[derive(Default)]
struct Named {
    leads: Vec<LeadId>,
    attempts: Vec<AttemptId>,
    contacts: Vec<ContactId>,
    phones: Vec<PhoneId>,
}

impl Named {
    fn of(batch: &[StoreRequest]) -> Self {
        let mut named = Self::default();
        for request in batch {
            match request {
                StoreRequest::Authorise(intent) | StoreRequest::Reroute(intent) => {
                    named.leads.push(intent.lead);
                    named.attempts.push(intent.attempt);
                    named.contacts.push(intent.contact);
                    named.phones.push(intent.phone);
                }
                StoreRequest::Finish(outcome) => {
                    named.leads.push(outcome.lead);
                    named.attempts.push(outcome.attempt);
                }
                StoreRequest::Dnc(_) | StoreRequest::Slot(_) => {}
            }
        }
        unique(&mut named.leads);
        unique(&mut named.attempts);
        unique(&mut named.contacts);
        unique(&mut named.phones);
        named
    }
}

impl<'a> Work<'a> {
    async fn load(
        conn: &mut SqliteConnection,
        keys: &'a Keys,
        dialling: &'a mut Dialling,
        wall: Wall,
        batch: &[StoreRequest],
    ) -> Result<Self, StoreError> {
        let named = Named::of(batch);
        let wanted = Wanted::new(named.contacts.iter().copied(), named.phones.iter().copied());
        let mut binds = Binds::default();
        binds
            .text(&sql::json_ids(named.leads.iter().map(|id| id.0)))
            .text(&sql::json_blobs(named.attempts.iter().map(|id| id.bytes())))
            .text(&wanted.phones);
        wanted.bind_dials(&mut binds, wall);
        let [standing, leads, attempts, phones, of_contacts, of_shared] = sql::texts(conn, &LOAD, binds).await?;
        let standing = operate::read_standing(&standing)?;
        if standing.epoch != dialling.epoch.0 {
            return Err(StoreError::Fenced);
        }
        let writes = Writes::new(dialling.epoch);
        let mut work = Self {
            now: StoreRequest::latest(batch).fold(wall.max(standing.high_water), Wall::max),
            dialling,
            keys,
            paused: standing.paused,
            leads: HashMap::with_capacity(named.leads.len()),
            ledgers: Ledgers::default(),
            attempts: HashMap::with_capacity(named.attempts.len()),
            writes,
        };
        work.read_leads(&leads)?;
        work.read_attempts(&attempts)?;
        work.ledgers.read_phones(&phones)?;
        work.ledgers.read_dials(&of_contacts, &of_shared, work.now)?;
        Ok(work)
    }

    /// And of each lead's contact everything but its dials.
    fn read_leads(&mut self, packed: &str) -> Result<(), StoreError> {
        for mut cells in sql::records(packed) {
            let (contact, id) = (ContactId(cells.small()?), LeadId(cells.small()?));
            let campaign = CampaignIx(cells.small()?);
            let state = read_state(&mut cells)?;
            self.leads.insert(id, Lead { contact, campaign, state });
            let ledger = ledgers::read_marks(&mut cells)?;
            self.ledgers.contacts.insert(contact, ledger);
        }
        Ok(())
    }

    fn read_attempts(&mut self, packed: &str) -> Result<(), StoreError> {
        for mut cells in sql::records(packed) {
            let id = AttemptId::from_bytes(cells.bytes()?);
            let known = Known {
                at: Wall(cells.int()?),
                lead: LeadId(cells.small()?),
                contact: ContactId(cells.small()?),
                phone: PhoneId(cells.small()?),
                campaign: CampaignIx(cells.small()?),
                revisions: cells.small()?,
            };
            self.attempts.insert(id, known);
        }
        Ok(())
    }

    async fn authorise(
        &mut self,
        conn: &mut SqliteConnection,
        intent: &'a Intent,
        committed: &mut Committed,
    ) -> Result<StoreReply, StoreError> {
        let attempt = intent.attempt;
        if self.attempts.contains_key(&attempt) {
            let verdict = refused(Rule::LiveAttempt, "this attempt was authorised before".to_owned());
            return Ok(StoreReply::Refused { attempt, verdict });
        }
        let number = match self.judge(intent, committed) {
            Ok(number) => number,
            Err(verdict) => return Ok(StoreReply::Refused { attempt, verdict }),
        };
        let free = intent.facts.free_of_daily_budget;
        let dial = PastDial {
            attempt,
            at: self.now,
            campaign: intent.campaign_ix,
            phone: intent.phone,
            result: None,
            contact: false,
            free,
            callback: false,
        };
        committed.numbers.push((attempt, number));
        let version = self.dialling.versions.of(conn, intent.campaign_ix, &intent.campaign).await?;
        let trunk = self.dialling.trunk(intent.trunk);
        self.writes.attempts.push(NewAttempt { intent, version, trunk, at: self.now });
        let known = Known {
            at: self.now,
            lead: intent.lead,
            contact: intent.contact,
            phone: intent.phone,
            campaign: intent.campaign_ix,
            revisions: 0,
        };
        self.attempts.insert(attempt, known);
        self.note_or_forget(known, attempt, Some(dial));
        Ok(StoreReply::Authorised { attempt })
    }

    /// Of an attempt under way, whose own dial does not stand in its way.
    fn reroute(&mut self, intent: &'a Intent, committed: &mut Committed) -> StoreReply {
        let attempt = intent.attempt;
        let same = |known: &Known| {
            let ids = (known.lead, known.contact, known.phone);
            known.revisions == 0 && ids == (intent.lead, intent.contact, intent.phone)
        };
        let Some(known) = self.attempts.get(&attempt).copied().filter(same) else {
            let verdict = refused(Rule::LiveAttempt, "the store knows no such attempt under way".to_owned());
            return StoreReply::Refused { attempt, verdict };
        };
        let contact = self.ledgers.contacts.get(&known.contact);
        let own = contact.and_then(|ledger| ledger.dials.iter().find(|dial| dial.attempt == attempt).copied());
        self.note_or_forget(known, attempt, None);
        let judged = self.judge(intent, committed);
        self.note_or_forget(known, attempt, own);
        match judged {
            Ok(number) => {
                committed.numbers.push((attempt, number));
                self.writes.rerouted.push((intent, self.dialling.trunk(intent.trunk)));
                StoreReply::Authorised { attempt }
            }
            Err(verdict) => StoreReply::Refused { attempt, verdict },
        }
    }

    fn note_or_forget(&mut self, known: Known, attempt: AttemptId, dial: Option<PastDial>) {
        let contact = self.ledgers.contacts.get_mut(&known.contact);
        let phone = self.ledgers.phones.get_mut(&known.phone).map(|phone| &mut phone.ledger);
        for ledger in contact.into_iter().chain(phone) {
            match dial {
                Some(dial) => ledger.note(dial),
                None => ledger.forget(attempt),
            }
        }
    }

    /// The number, if it may be called now, by the ledgers as stored.
    fn judge(&self, intent: &Intent, committed: &mut Committed) -> Result<Pii<String>, Verdict> {
        let no = |rule, why: &str| Err(refused(rule, why.to_owned()));
        let lead = self.leads.get(&intent.lead).copied();
        let Some(lead) = lead.filter(|l| l.contact == intent.contact && l.campaign == intent.campaign_ix) else {
            return no(Rule::Number, "the store does not know this lead");
        };
        let (Some(contact), Some(Phone { ledger: phone, sealed, sole })) =
            (self.ledgers.contacts.get(&intent.contact), self.ledgers.phones.get(&intent.phone))
        else {
            return no(Rule::Number, "the store does not know this phone");
        };
        if sole.is_some_and(|owner| owner != intent.contact) {
            return no(Rule::Number, "the store knows this phone as somebody else's");
        }
        let Some(sealed) = sealed else { return no(Rule::Number, "the person was erased") };
        let paused = self.paused.holds(intent.campaign_ix);
        let trunk = self.dialling.trunk(intent.trunk);
        let trunk_stopped = self.paused.trunks.iter().any(|stopped| **stopped == *trunk);
        // Damage, or a key that the keys file lacks: of this number only, so the rest of the batch goes on.
        let Some(number) = self.keys.open(Sealed::Phone, sealed) else {
            committed.unopened.push(intent.phone);
            return no(Rule::Number, "the number does not open with the keys at hand");
        };
        let (now, lead) = (self.now, lead.state);
        let known = AsStored { now, lead, paused, trunk_stopped, contact, phone, number: &number };
        match last_gate(intent, &known) {
            Verdict::Allow => Ok(number),
            refused @ Verdict::Refuse { .. } => Err(refused),
        }
    }

    /// Fresh if it is the next revision of an attempt that exists and belongs to this lead.
    fn finish(&mut self, outcome: &'a Outcome) -> StoreReply {
        let attempt = outcome.attempt;
        let known = self.attempts.get_mut(&attempt).filter(|known| known.lead == outcome.lead);
        let Some(known) = known.filter(|known| known.revisions == outcome.revision) else {
            return StoreReply::Finished { attempt, fresh: false };
        };
        known.revisions = known.revisions.saturating_add(1);
        let known = *known;
        let mark = self.ledgers.contacts.get(&known.contact).and_then(|ledger| ledger.dnc);
        let state = outcome.lead_state_given(mark);
        let marks = outcome.marks(self.now);
        let dial = PastDial {
            attempt,
            at: known.at,
            campaign: known.campaign,
            phone: known.phone,
            result: Some(outcome.result),
            contact: outcome.is_contact(),
            free: outcome.free,
            callback: outcome.asks_for_callback(),
        };
        let contact = self.ledgers.contacts.get_mut(&known.contact);
        let phone = self.ledgers.phones.get_mut(&known.phone).map(|phone| &mut phone.ledger);
        for ledger in contact.into_iter().chain(phone) {
            if dial.counts() {
                ledger.note(dial);
            } else {
                ledger.forget(attempt);
            }
            marks.note_in(ledger);
        }
        if let Some(phone) = self.ledgers.phones.get_mut(&known.phone) {
            phone.ledger.dead |= marks.phone_dead.is_some();
        }
        if outcome.revision == 0 {
            self.leads.entry(outcome.lead).and_modify(|lead| lead.state = state);
        }
        self.writes.finished.push(Finished {
            outcome,
            source: OutcomeSource::Engine,
            contact: known.contact,
            phone: known.phone,
            state,
            marks,
            label: None,
        });
        StoreReply::Finished { attempt, fresh: true }
    }

    async fn slot(&mut self, conn: &mut SqliteConnection, log: &SlotLog) -> Result<StoreReply, StoreError> {
        let version = self.dialling.versions.of(conn, log.campaign_ix, &log.campaign).await?;
        slots::note(conn, log, version).await?;
        Ok(StoreReply::Noted)
    }

    async fn dnc(&mut self, conn: &mut SqliteConnection, request: &DncRequest) -> Result<StoreReply, StoreError> {
        for (subject, mark) in dnc::note(conn, request).await? {
            let ledger = match subject {
                DncSubject::Contact(id) => self.ledgers.contacts.get_mut(&id),
                DncSubject::Phone(id) => self.ledgers.phones.get_mut(&id).map(|phone| &mut phone.ledger),
            };
            if let Some(ledger) = ledger {
                ledger.dnc = Some(mark);
            }
        }
        Ok(StoreReply::Noted)
    }
}

impl Dialling {
    fn trunk(&self, ix: crate::base::TrunkIx) -> Arc<str> {
        self.trunks.get(ix.ix()).map_or_else(|| Arc::from(format!("trunk-{ix}")), Arc::clone)
    }
}

/// `state, until`
pub(super) fn read_state(cells: &mut Cells) -> Result<LeadState, StoreError> {
    let closed = cells.word(|text| match text {
        "waiting" => Some(None),
        text => ClosedWhy::parse(text).map(Some),
    })?;
    let until = Wall(cells.int()?);
    Ok(closed.map_or(LeadState::Waiting { until }, LeadState::Closed))
}

fn unique<T: Ord>(ids: &mut Vec<T>) {
    ids.sort_unstable();
    ids.dedup();
}
