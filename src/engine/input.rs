//! What the engine is told, and what it asks for in return.

use std::sync::Arc;

use crate::base::{CampaignIx, ContactId, LegId, PhoneId, QueueIx, TrunkIx, Wall};
use crate::call::{LegCommand, LegEvent, TrunkState};
use crate::campaign::Campaign;
use crate::contact::Zones;
use crate::gate::DncMark;

use super::{Counted, Heard, LeadRow, LedgerPage, StoreReply, StoreRequest, Talked, Whose};

#[derive(Clone, Debug)]
pub enum Input {
    /// All campaigns, checked, each with its place in the store's table of names. Replaces the plan before it.
    Plan(Vec<(CampaignIx, Arc<Campaign>)>, Zones),
    /// How often each of our own numbers was shown since the local day began. Once, before the first lead.
    Shown {
        since: Wall,
        counts: Vec<(Arc<str>, u32)>,
    },
    /// How long calls over each trunk were talked since the local day began. Once, before the first lead.
    Talked {
        since: Wall,
        calls: Vec<Talked>,
    },
    /// What attempts before told of answers. Once, after the plan and before the first lead.
    Heard(CampaignIx, Vec<Heard>),
    /// Histories; they come before the leads that need them.
    Ledgers(LedgerPage),
    /// A page of leads of one campaign, in ascending order of `LeadId`. Known leads are brought up to date.
    Leads(Vec<LeadRow>),
    /// Every open lead of a campaign has come since its plan was last replaced: it may dial again.
    LeadsRead(CampaignIx),
    /// Answers of the store, in any grouping.
    Stored(Vec<StoreReply>),
    Leg(LegId, LegEvent),
    Command(OperatorCommand),
    /// The line says how a trunk stands. Until it has said a word, a trunk is up.
    Trunk(TrunkIx, TrunkState),
    /// So many people stand behind a queue from now on. Until it is said, as many as the configuration has.
    Seats(QueueIx, u32),
    /// `poll_timeout` has come.
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorCommand {
    /// Nothing new goes out for this campaign; what is under way goes on.
    Pause(CampaignIx),
    Resume(CampaignIx),
    /// From another process or an agent. `None` takes the mark away. What rings for them now is cancelled.
    DncContact(ContactId, Option<DncMark>),
    DncPhone(PhoneId, Option<DncMark>),
    /// Nothing new goes out any more; what is under way goes on.
    Drain,
    /// Nothing new goes out over this trunk; what is under way goes on.
    StopTrunk(TrunkIx),
    ResumeTrunk(TrunkIx),
    /// Cancel what rings, hang up what talks, once.
    HangUp(Whose),
}

/// Ordered data; effects happen outside.
#[derive(Clone, Debug)]
pub enum Output {
    Store(StoreRequest),
    Leg(LegId, LegCommand),
    Count(Counted),
}

/// Why the engine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A flow waits for a key, or a call has lasted too long.
    AttemptTimer,
    /// A calling hour ends under a ringing phone.
    Closing,
    /// Another dial may go out.
    Decide,
    /// A lead is due, a slot begins, the wall clock may have jumped.
    Heartbeat,
}
