//! The words between the engine and whatever keeps its facts: SQLite or PostgreSQL in life, a model in `sim`.
//!
//! A store takes a batch of requests, commits it in one durable transaction, and answers each request in order.
//! Nothing is on the wire before `Authorised`; a batch whose commit is in doubt answers `Doubt`, and nobody dials.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{
    AttemptId, CampaignIx, ContactId, LeadId, ListId, Now, PhoneId, Pii, Reach, Share, Split, Tick, TrunkIx, Wall,
};
use crate::call::{MediaQuality, ReleaseSide};
use crate::campaign::Campaign;
use crate::contact::{CallResult, ClosedWhy, Columns, ContactKind, LeadState, OutcomeKind, ZoneIx, Zones};
use crate::gate::{DncMark, LeadFacts, Ledger, Verdict};
use crate::rank::{Past, Place, Reachability, Slot};

use super::SlotLog;

#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// Asks the gate once more inside the transaction, with ledgers as stored, and inserts the attempt if it says yes.
    Authorise(Box<Intent>),
    /// The same of an attempt that was authorised, over another trunk: its first one could not take it. Answered as
    /// `Authorise` is; of the intent only trunk and caller id are written.
    Reroute(Box<Intent>),
    /// Appends the outcome (once per attempt and revision) and moves the lead, in the same transaction.
    Finish(Box<Outcome>),
    /// A do-not-call entry made by a flow, an agent or a disposition; in force at once.
    Dnc(DncRequest),
    /// What a slot had to offer and what was made of it; appended.
    Slot(Box<SlotLog>),
}

impl StoreRequest {
    /// What the engine knows of the wall that the store's clock may have forgotten.
    pub fn latest(batch: &[Self]) -> impl Iterator<Item = Wall> {
        batch.iter().filter_map(|request| match request {
            Self::Authorise(intent) | Self::Reroute(intent) => Some(intent.law),
            Self::Finish(_) | Self::Dnc(_) | Self::Slot(_) => None,
        })
    }
}

/// In the order of the requests, one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreReply {
    /// Durable. The number travels beside this reply, to the line, past the engine.
    Authorised { attempt: AttemptId },
    /// Nothing was written; the lead is the engine's again.
    Refused { attempt: AttemptId, verdict: Verdict },
    /// The commit failed or is in doubt: never dial. If it was written after all, recovery finds it.
    Doubt { attempt: AttemptId },
    /// `fresh` is false for a second writer, whose outcome was dropped.
    Finished { attempt: AttemptId, fresh: bool },
    /// A do-not-call entry, or a slot.
    Noted,
}

/// What a commit gives back to the shell. Numbers go to the line and nowhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    pub replies: Vec<StoreReply>,
    pub numbers: Vec<(AttemptId, Pii<String>)>,
    /// Phones whose sealed number does not open: their authorisations are refused, and somebody should know.
    pub unopened: Vec<PhoneId>,
}

/// A wish to dial, with everything the last gate needs and everything that retraining will want to know.
#[derive(Clone, Debug)]
pub struct Intent {
    pub attempt: AttemptId,
    pub lead: LeadId,
    pub contact: ContactId,
    pub phone: PhoneId,
    pub campaign_ix: CampaignIx,
    /// The plan it was decided under, and finishes under.
    pub campaign: Arc<Campaign>,
    pub facts: LeadFacts,
    pub phone_zones: Arc<[ZoneIx]>,
    pub zones: Arc<Zones>,
    pub trunk: TrunkIx,
    pub caller_id: Arc<str>,
    pub test_numbers_only: bool,
    /// Of the trunk: what the number itself is held against.
    pub reach: Arc<Reach>,
    pub context: Context,
    pub decided: Now,
    /// What the gate was asked by: no earlier than anything this process has seen on the wall. The store counts the attempt
    /// from here, or from what it knows to be later, so that a clock that falls back shortens no cap.
    pub law: Wall,
    /// 500 ms of monotonic time from before the request was sent (docs/ARCHITECTURE.md, "the permit").
    pub permit_until: Tick,
}

/// Why this lead, then: logged with every attempt, because it cannot be added later.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    pub list: ListId,
    pub score: f32,
    pub value: f32,
    pub p_answer: f32,
    /// What the order was made by.
    pub index_value: f32,
    /// Probability that the policy chose this lead in this slot; 1 where greedy.
    pub propensity: f64,
    pub explore: bool,
    pub segment: u8,
    /// Weekday of the contact's zone, Monday 0, and local half hour, 0 to 47.
    pub slot_weekday: u8,
    pub slot_half_hour: u8,
    pub golden: bool,
    pub attempt_no: u16,
    /// Of its two last dials that nobody answered, how many were in this local hour.
    pub same_slot_fails: u8,
    /// How easily the person is reached, by all campaigns' dials before.
    pub reachability: Reachability,
    /// Since the last dial of this contact in any campaign.
    pub since_last: Option<Duration>,
    /// Of a campaign with an experiment.
    pub trial: Option<InTrial>,
}

/// Which arm of which experiment an attempt belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTrial {
    pub experiment: Arc<str>,
    pub arm: Arc<str>,
    /// The chance that a customer is in this arm.
    pub share: Share,
}

impl Context {
    /// Where the answer model counts it.
    pub fn place(&self) -> Place {
        let attempts = u8::try_from(self.attempt_no.saturating_sub(1)).unwrap_or(u8::MAX);
        Place {
            segment: self.segment,
            slot: Slot::new(self.slot_weekday, u16::from(self.slot_half_hour) * Slot::MINUTES),
            past: Past { attempts, same_hour_fails: self.same_slot_fails, reachability: self.reachability }.tidy(),
        }
    }
}

/// The whole end of an attempt. Revision 0 is the engine's; later ones bring labels and corrections.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "both are words of the glossary")]
pub struct Outcome {
    pub attempt: AttemptId,
    pub lead: LeadId,
    pub contact: ContactId,
    pub phone: PhoneId,
    pub campaign_ix: CampaignIx,
    pub revision: u16,
    pub result: CallResult,
    pub disposition: Option<Arc<str>>,
    /// What the disposition means; `Neutral` and `Nobody` without one.
    pub outcome: OutcomeKind,
    pub contact_kind: ContactKind,
    pub complaint: bool,
    pub times: Times,
    pub sip_status: Option<u16>,
    pub q850: Option<u8>,
    pub by: Option<ReleaseSide>,
    /// Of a call that had media.
    pub media: Option<Box<MediaQuality>>,
    /// Keys the callee pressed in the flow, at most 32.
    pub digits: String,
    /// They asked to be called back, and will be from then on: at the time they named, or after `min_gap` if they named none.
    pub callback_at: Option<Wall>,
    /// Excused from the daily budget by its retry rule.
    pub free: bool,
    pub phone_dead: bool,
    /// Where the lead stands from now on, and which of its phones is next.
    pub lead_state: LeadState,
    pub next_phone: u8,
    /// May the next attempt go out although the daily budget is used up?
    pub next_free: bool,
}

/// Wall times of what happened; `None` for what did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub queued: Option<Wall>,
    pub authorised: Option<Wall>,
    pub sent: Option<Wall>,
    pub ringing: Option<Wall>,
    pub answered: Option<Wall>,
    /// A transfer or an agent took over.
    pub connected: Option<Wall>,
    pub ended: Option<Wall>,
    pub wrap_ended: Option<Wall>,
}

impl Times {
    /// As they are stored and sealed.
    pub const fn in_order(&self) -> [Option<Wall>; 8] {
        let Self { queued, authorised, sent, ringing, answered, connected, ended, wrap_ended } = *self;
        [queued, authorised, sent, ringing, answered, connected, ended, wrap_ended]
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DncRequest {
    pub subject: DncSubject,
    /// Who says so: `flow`, `disposition`, `operator`, `import`.
    pub source: &'static str,
    pub reason: String,
    pub attempt: Option<AttemptId>,
    pub at: Wall,
    pub until: Option<Wall>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DncSubject {
    Phone(PhoneId),
    /// The person and every number they have.
    Contact(ContactId),
}

/// A lead as the store hands it to the engine's intake, in pages.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadRow {
    pub lead: LeadId,
    pub contact: ContactId,
    /// Where the contact falls in experiments.
    pub split: Split,
    pub campaign_ix: CampaignIx,
    pub list: ListId,
    pub list_expires: Option<Wall>,
    /// In dial order, at most four.
    pub phones: Vec<PhoneRow>,
    pub score: f32,
    pub value: f32,
    pub consent: Option<bool>,
    pub attempts_used: u16,
    /// For `eligible` and `segments`: the engine evaluates them at intake and does not keep them.
    pub columns: Columns,
    /// Reserved and later states come back as `Waiting`: recovery has closed what was live.
    pub state: LeadState,
    pub next_phone: u8,
    pub next_free: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PhoneRow {
    pub phone: PhoneId,
    pub is_test: bool,
    pub dead: bool,
    /// IANA names: all candidates.
    pub zones: Vec<String>,
}

/// Grows with every process that takes the database for dialling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// An attempt that a dead process left behind: closed as `unknown_counted`, and perhaps still ringing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredAttempt {
    pub attempt: AttemptId,
    pub lead: LeadId,
    pub contact: ContactId,
    pub phone: PhoneId,
    pub campaign_ix: CampaignIx,
    /// By name: the configuration may have changed since.
    pub trunk: String,
    pub caller_id: String,
    /// `None` if the person was erased meanwhile.
    pub number: Option<Pii<String>>,
    pub authorised_at: Wall,
}

/// Ledgers of contacts and phones that have a history, loaded before the leads that need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerPage {
    pub contacts: Vec<(ContactId, Ledger)>,
    pub phones: Vec<(PhoneId, Ledger)>,
}

impl Outcome {
    /// The end of an attempt that a dead process left behind, as recovery writes it at `found`: it may have rung, nobody can
    /// tell, so it is counted, and the person is not called again in doubt. `free` and `next_phone` are as they were.
    pub const fn unknown_counted(left: &RecoveredAttempt, found: Wall, free: bool, next_phone: u8) -> Self {
        Self {
            attempt: left.attempt,
            lead: left.lead,
            contact: left.contact,
            phone: left.phone,
            campaign_ix: left.campaign_ix,
            revision: 0,
            result: CallResult::UnknownCounted,
            disposition: None,
            outcome: OutcomeKind::Neutral,
            contact_kind: ContactKind::Nobody,
            complaint: false,
            times: Times {
                queued: None,
                authorised: Some(left.authorised_at),
                sent: None,
                ringing: None,
                answered: None,
                connected: None,
                ended: Some(found),
                wrap_ended: None,
            },
            sip_status: None,
            q850: None,
            by: None,
            media: None,
            digits: String::new(),
            callback_at: None,
            free,
            phone_dead: false,
            lead_state: LeadState::Closed(ClosedWhy::UnknownCounted),
            next_phone,
            next_free: false,
        }
    }

    /// A late do-not-call wins: a person who is on the list for ever by now is not left waiting, nor closed in a way
    /// that a newer list reopens.
    pub fn lead_state_given(&self, contact: Option<DncMark>) -> LeadState {
        let for_ever = contact.is_some_and(|mark| mark.until.is_none());
        let reopens = match self.lead_state {
            LeadState::Waiting { .. } => true,
            LeadState::Closed(why) => why.reopens_with_a_newer_list(),
            LeadState::Reserved | LeadState::Dialling | LeadState::InCall | LeadState::WrapUp => true,
        };
        match self.lead_state {
            _ if for_ever && reopens => LeadState::Closed(ClosedWhy::Dnc),
            LeadState::Reserved | LeadState::Dialling | LeadState::InCall | LeadState::WrapUp => {
                LeadState::Waiting { until: Wall::default() }
            }
            state @ (LeadState::Waiting { .. } | LeadState::Closed(_)) => state,
        }
    }

    /// What it adds to the ledgers of its contact and its phone.
    pub fn marks(&self, recorded: Wall) -> Marks {
        let at = self.times.ended.unwrap_or(recorded).min(recorded);
        let when = |yes: bool| yes.then_some(at);
        Marks {
            refused: when(self.disposition.is_some() && self.outcome == OutcomeKind::Failure),
            complained: when(self.complaint),
            abandoned: when(self.result == CallResult::Abandoned),
            phone_dead: when(self.phone_dead),
        }
    }

    /// As a dial of the ledgers.
    pub fn is_contact(&self) -> bool {
        self.contact_kind == ContactKind::RightParty
    }

    pub fn asks_for_callback(&self) -> bool {
        self.callback_at.is_some()
    }
}

/// What outlives the look-back of the ledgers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub refused: Option<Wall>,
    pub complained: Option<Wall>,
    pub abandoned: Option<Wall>,
    pub phone_dead: Option<Wall>,
}

impl Marks {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The later instant of each holds. Death is the phone's own and is not noted here.
    pub fn note_in(&self, ledger: &mut Ledger) {
        ledger.refused_at = ledger.refused_at.max(self.refused);
        ledger.complained_at = ledger.complained_at.max(self.complained);
        ledger.abandoned_at = ledger.abandoned_at.max(self.abandoned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_behind_is_counted_and_closed_for_good() {
        let left = RecoveredAttempt {
            attempt: AttemptId(9),
            lead: LeadId(1),
            contact: ContactId(2),
            phone: PhoneId(3),
            campaign_ix: CampaignIx(4),
            trunk: "gw".to_owned(),
            caller_id: "+999100000001".to_owned(),
            number: None,
            authorised_at: Wall(5),
        };
        let outcome = Outcome::unknown_counted(&left, Wall(7), true, 2);
        assert_eq!((outcome.attempt, outcome.revision), (left.attempt, 0));
        assert_eq!(outcome.lead_state, LeadState::Closed(ClosedWhy::UnknownCounted));
        assert!(outcome.result.counts() && outcome.free && !outcome.is_contact());
        assert_eq!((outcome.times.authorised, outcome.times.ended), (Some(Wall(5)), Some(Wall(7))));
        assert_eq!((outcome.next_phone, outcome.next_free, outcome.marks(Wall(7)).is_empty()), (2, false, true));
    }
}
