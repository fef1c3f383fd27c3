//! What goes in and out of a store besides the engine's words: lists, do-not-call entries, counts.

use std::time::Duration;

use crate::base::{CampaignIx, ListId, Pii, Wall};
use crate::contact::{CallResult, ClosedWhy};
use crate::engine::DncSubject;
use crate::gate::DncMark;

/// A file about to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListInfo {
    pub campaign: String,
    /// The file's name without its folder.
    pub name: String,
    /// Of the file's bytes and of whatever else decides what its rows mean (the column mapping). A list with the digest
    /// of a published one of the same campaign is the same list.
    pub sha256: [u8; 32],
    pub expires_after: Option<Duration>,
    /// Whose scores it holds, as far as anybody said.
    pub model_id: Option<String>,
    pub model_version: Option<String>,
    pub model_alias: ModelAlias,
}

/// Whose turn it was to score a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelAlias {
    /// What is done as a rule.
    #[default]
    Champion,
    Challenger,
    /// Nobody's: the model was broken, and everybody has the same score.
    PlainOrder,
}

impl ModelAlias {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::PlainOrder => "plain_order",
        }
    }
}

/// What an arm of an experiment did so far, in customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmSeen {
    pub arm: String,
    /// Called at least once.
    pub contacts: u64,
    /// Talked to as the right party.
    pub reached: u64,
    pub successes: u64,
    pub complaints: u64,
}

/// What was predicted of a finished call, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallSeen {
    pub p_answer: f64,
    pub score: f64,
    pub result: CallResult,
    pub right_party: bool,
    pub success: bool,
}

/// A list that was loaded and published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSeen {
    /// Of its file.
    pub name: String,
    /// Rows that became leads, or brought known ones up to date.
    pub rows: u64,
    pub at: Wall,
    pub expires: Option<Wall>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStart {
    /// Send rows.
    Load(ListId),
    /// Loaded before, with so many rows: there is nothing to do, and no load is open.
    Already { list: ListId, rows: u64 },
}

/// `rows = new_leads + updated_leads + unchanged + repeated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    pub rows: u64,
    pub new_contacts: u64,
    pub new_leads: u64,
    /// Known leads of which the list says something new.
    pub updated_leads: u64,
    pub unchanged: u64,
    /// Rows whose key stood in the file before.
    pub repeated: u64,
    /// Numbers of this list that belong to more than one contact, each counted once.
    pub shared_phones: u64,
    /// Known leads that were exhausted or expired; they are among `updated_leads` and `unchanged` too.
    pub reopened: u64,
}

/// A do-not-call entry of the command line or an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDnc {
    pub subject: DncSubjectKey,
    pub reason: String,
    /// `operator`, `import`.
    pub source: &'static str,
    pub until: Option<Wall>,
    pub at: Wall,
}

/// In words of the world outside. Nobody needs to know the subject yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DncSubjectKey {
    /// `+` and digits.
    Phone(Pii<String>),
    /// The bank's customer key.
    Customer(Pii<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DncFilter {
    InForce,
    /// Removed ones too.
    All,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DncEntry {
    /// `None` once the person was erased.
    pub subject: Option<DncSubjectKey>,
    pub reason: String,
    pub source: String,
    pub at: Wall,
    pub until: Option<Wall>,
    pub removed_at: Option<Wall>,
}

/// `mark` is `None` where an entry was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DncChange {
    pub change: u64,
    pub subject: DncSubject,
    pub mark: Option<DncMark>,
}

/// What an erasure took away, and what it left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Numbers that nobody else has.
    pub numbers: u64,
    /// Numbers that stay, because they are another customer's too.
    pub shared_numbers: u64,
    pub leads: u64,
    /// They stay, and nobody can tell whose they are.
    pub attempts: u64,
}

/// Where the pages of `ledgers` go on. The default is the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerCursor {
    pub(crate) part: LedgerPart,
    pub(crate) after: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LedgerPart {
    #[default]
    Contacts,
    /// Subjects of the do-not-call list, by change.
    Dnc,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paused {
    pub all: bool,
    /// By index.
    pub campaigns: Vec<CampaignIx>,
    /// By name, in order.
    pub trunks: Vec<String>,
}

/// Every lead is in exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadCounts {
    pub waiting: u64,
    /// With a live attempt.
    pub dialling: u64,
    /// In the order of `ClosedWhy::ALL`, every one of them.
    pub closed: Vec<(ClosedWhy, u64)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub contacts: u64,
    pub phones: u64,
    pub leads: u64,
    pub attempts: u64,
    pub live: u64,
    pub outcomes: u64,
    pub sealed: u64,
    pub dnc: u64,
}

impl Paused {
    pub fn holds(&self, campaign: CampaignIx) -> bool {
        self.all || self.campaigns.contains(&campaign)
    }
}
