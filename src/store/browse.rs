//! What people ask of a store through the API and in reports: a page of lists, a page of attempts, one entry. Nothing here
//! decides.

use std::ops::Range;

use crate::base::{AttemptId, ListId, Pii, Wall};
use crate::contact::CallResult;

use super::{Answer, DncEntry, DncSubjectKey, OutcomeRow};

pub trait Browse: Send {
    /// Published lists behind `before`, newest first; `None` starts with the newest.
    fn lists(&mut self, before: Option<ListId>, limit: usize) -> impl Answer<Vec<ListRow>>;

    fn list(&mut self, list: ListId) -> impl Answer<Option<ListRow>>;

    /// Attempts behind `before`, newest first, those under way included.
    fn attempts(&mut self, before: Option<AttemptId>, limit: usize) -> impl Answer<Vec<AttemptRow>>;

    fn attempt_row(&mut self, attempt: AttemptId) -> impl Answer<Option<AttemptRow>>;

    /// The newest revision of each finished attempt behind `after` that was authorised in `period`, by id, sealed or not;
    /// `AttemptId(0)` starts. Nothing of the person: no key, no number, no attribute.
    fn finished(&mut self, after: AttemptId, period: Range<Wall>, limit: usize) -> impl Answer<Vec<OutcomeRow>>;

    /// Did the wall of some daemon that dialled from here run at a rate of its own, as in a demo? Then how long a call took
    /// by it says nothing.
    fn is_of_a_trial_clock(&mut self) -> impl Answer<bool>;

    /// The entry of this subject, a removed or an ended one too.
    fn dnc_entry(&mut self, subject: &DncSubjectKey) -> impl Answer<Option<DncEntry>>;
}

/// What was loaded: the list's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    pub list: ListId,
    pub campaign: String,
    /// The file's name without its folder.
    pub name: String,
    /// Of the file and of the columns it was read by.
    pub sha256: [u8; 32],
    pub rows: u64,
    pub at: Wall,
    pub expires: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    pub attempt: AttemptId,
    pub campaign: String,
    /// By the store's clock.
    pub authorised_at: Wall,
    pub trunk: String,
    /// `None` once the person was erased.
    pub number: Option<Pii<String>>,
    /// `None` while it is under way.
    pub result: Option<CallResult>,
    /// Of the newest revision.
    pub disposition: Option<String>,
    pub ended_at: Option<Wall>,
    pub revisions: u16,
    pub golden: bool,
    pub attempt_no: u16,
}
