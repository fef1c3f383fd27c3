//! Where facts are kept. One trait for every database, one conformance suite for every implementation.
//!
//! The daemon's store writer owns one value and feeds it batches; the command line opens its own beside it. A value is
//! one connection, and every change is one durable transaction.

mod browse;
mod chain;
mod columns;
#[cfg(test)]
pub(crate) mod conformance;
mod error;
mod keys;
mod pages;
mod records;
mod sqlite;
mod switch;

use std::future::Future;

pub use browse::{AttemptRow, Browse, ListRow};
pub use error::StoreError;
pub use keys::{Keys, KeysError, Token};
pub use pages::{
    ArmSeen, CallSeen, DncChange, DncEntry, DncFilter, DncSubjectKey, Erased, ImportCounts, ImportStart, LeadCounts,
    LedgerCursor, ListInfo, ListSeen, ModelAlias, NewDnc, Paused, Stats,
};
pub use records::{Label, LabelTarget, Labelled, NewLabel, OutcomeRow, OutcomeSource, PlanVersion};
pub use sqlite::{Examined, Sqlite};
pub use switch::{Switch, SwitchOf, Turned};

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, Now, PhoneId, Pii};
use crate::contact::Row;
use crate::engine::{Committed, Epoch, Heard, LeadRow, LedgerPage, RecoveredAttempt, SlotRow, StoreRequest, Talked};

/// Answers of every method are `Send`: the HTTP side awaits them on any thread.
pub trait Store: Sized + Send {
    // -- the daemon's writer --

    /// Takes the database for dialling. Whoever held it before is fenced: its commits fail with [`StoreError::Fenced`].
    /// `trunks` are the names behind the `TrunkIx` of coming intents; the store keeps names, which outlive a
    /// configuration. Fails with [`StoreError::Held`] while another process dials from the same database.
    fn begin(&mut self, node: &str, trunks: &[String], now: Now) -> impl Answer<Epoch>;

    /// Closes what earlier epochs left alive: the attempts as `unknown_counted` (revision 0), their leads with them.
    /// What it returns may still be ringing: SIP recovery CANCELs it. A second call returns nothing.
    fn recover(&mut self, now: Now) -> impl Answer<Vec<RecoveredAttempt>>;

    /// What a recovery closed since then. Its process may have died before its CANCELs arrived, or were sent at all: the
    /// next one sends them again, which costs a 481 at worst.
    fn recovered_since(&mut self, since: crate::base::Wall) -> impl Answer<Vec<RecoveredAttempt>>;

    /// One durable transaction. On any error nothing of the batch is written, or, where the commit itself failed, it is
    /// in doubt: either way the shell answers `Doubt` to each authorisation and offers each outcome again. Needs
    /// [`Store::begin`].
    ///
    /// An authorisation in doubt was never dialled, so it may be finished with result `void`: `fresh` says whether it
    /// had been written after all.
    fn commit(&mut self, now: Now, batch: &[StoreRequest]) -> impl Answer<Committed>;

    // -- what the engine loads --

    /// The stable index of each name, in the order of `names`; new names get the next free one.
    fn campaign_ix(&mut self, names: &[String]) -> impl Answer<Vec<CampaignIx>>;

    /// Open leads behind `after` (`LeadId(0)` starts), by id, with what the newest published list says of them.
    fn leads(&mut self, campaign: CampaignIx, after: LeadId, limit: usize) -> impl Answer<Vec<LeadRow>>;

    /// Lists that were published after this one, oldest first, each with its campaign. Loads follow one another, so ids
    /// follow the order of publishing. `ListId(0)` starts.
    fn lists_since(&mut self, after: ListId) -> impl Answer<Vec<(ListId, CampaignIx)>>;

    /// As [`Store::leads`], of the leads that this list names, among the `span` ids behind `after`. The second part says
    /// behind which id to go on, `None` at the end.
    fn leads_of_list(&mut self, list: ListId, after: LeadId, span: u32) -> impl Answer<(Vec<LeadRow>, Option<LeadId>)>;

    /// Every contact and phone with a history or a do-not-call mark, in pages, each with its whole ledger; a subject may
    /// come twice. The second part is the cursor of the next page, `None` at the end.
    fn ledgers(
        &mut self,
        after: LedgerCursor,
        limit: usize,
        now: Now,
    ) -> impl Answer<(LedgerPage, Option<LedgerCursor>)>;

    /// How often each of our own numbers was shown since then, void attempts left out, by number. It walks the attempts
    /// since then.
    fn shown_since(&mut self, since: crate::base::Wall) -> impl Answer<Vec<(String, u32)>>;

    /// What attempts of one campaign told of answers since then, for the answer model; sorted.
    fn heard_since(&mut self, campaign: CampaignIx, since: crate::base::Wall) -> impl Answer<Vec<Heard>>;

    /// What slots had to offer and what was made of it, in the order of `seq`.
    fn slots(&mut self, after: u64, limit: usize) -> impl Answer<Vec<SlotRow>>;

    /// How long the calls of each trunk were talked since then, those alone that a carrier bills, alike ones together, in
    /// order. It walks the attempts since then.
    fn talked_since(&mut self, since: crate::base::Wall) -> impl Answer<Vec<Talked>>;

    /// Grows whenever a list was published, the do-not-call list changed, a pause was set or somebody was erased, by any
    /// process. Cheap.
    fn changes(&mut self) -> impl Answer<u64>;

    /// Do-not-call marks that were made or removed after `change`, of the contacts and phones that are known, oldest
    /// first. Ask with the counter as of the last answer.
    fn dnc_since(&mut self, change: u64, limit: usize) -> impl Answer<Vec<DncChange>>;

    fn paused(&mut self) -> impl Answer<Paused>;

    /// The latest wall clock that a commit saw. `now` of a transaction is never earlier.
    fn high_water(&mut self) -> impl Answer<crate::base::Wall>;

    // -- operators --

    /// Stops something or lets it go on, and keeps who did it. A campaign that nobody knows is an error; a trunk is known
    /// by its name alone.
    fn turn(&mut self, switch: &Switch) -> impl Answer<()>;

    /// Switches that were turned after `change`, oldest first. Ask with the counter as of the last answer.
    fn turned_since(&mut self, change: u64, limit: usize) -> impl Answer<Vec<Turned>>;

    /// The last turn of one switch; `None` if nobody ever touched it.
    fn last_turn(&mut self, of: &SwitchOf) -> impl Answer<Option<Turned>>;

    /// The stronger of two entries for one subject holds: for ever before a date, the later date before the earlier.
    /// A customer brings every number that they have.
    fn dnc_add(&mut self, entry: &NewDnc) -> impl Answer<()>;

    /// `false` if there was no such entry. A customer's numbers stay listed: each is an entry of its own.
    fn dnc_remove(&mut self, subject: &DncSubjectKey, now: Now) -> impl Answer<bool>;

    /// By time of entry, newest first.
    fn dnc_list(&mut self, filter: DncFilter, limit: usize) -> impl Answer<Vec<DncEntry>>;

    /// Takes a person out: key, numbers that nobody else has, and what lists say of them. Attempts stay without a person;
    /// so does an entry on the do-not-call list, which names nobody. `None`: no such person, or erased before. A later
    /// list that names the customer brings their data back, and the entry still holds.
    fn erase(&mut self, key: &Pii<String>, now: Now) -> impl Answer<Option<Erased>>;

    fn lead_counts(&mut self, campaign: CampaignIx) -> impl Answer<LeadCounts>;

    fn stats(&mut self) -> impl Answer<Stats>;

    /// Entries in force on the do-not-call list. It walks the list.
    fn dnc_entries(&mut self, now: Now) -> impl Answer<u64>;

    /// Sealed outcomes that no consumer has acknowledged. It walks nothing.
    fn not_exported(&mut self) -> impl Answer<u64>;

    fn find_contact(&mut self, key: &Pii<String>) -> impl Answer<Option<ContactId>>;

    fn find_phone(&mut self, e164: &Pii<String>) -> impl Answer<Option<PhoneId>>;

    /// The contact's leads of all campaigns, closed ones included.
    fn leads_of(&mut self, contact: ContactId) -> impl Answer<Vec<LeadRow>>;

    /// The bank's keys of these contacts, in their order; `None` for erased and unknown ones.
    fn customer_keys(&mut self, contacts: &[ContactId]) -> impl Answer<Vec<Option<Pii<String>>>>;

    // -- lists in --

    /// Opens a load. Nothing of it is visible before [`Store::import_finish`], and short transactions let a running
    /// daemon go on. One load runs at a time, of any process: a second
    /// one fails with [`StoreError::Held`]. A load that was never finished is taken back.
    fn import_begin(&mut self, list: &ListInfo, now: Now) -> impl Answer<ImportStart>;

    /// The next rows, about a thousand at a time, from the load that this value has open. Of two rows with one key the
    /// first holds; feed reports the second.
    fn import_rows(&mut self, rows: &[Row]) -> impl Answer<()>;

    /// Publishes the list at once, or with `publish: false` (a dry run) gives it up. Counts are the same either way.
    /// A newer list reopens leads that are closed as exhausted or expired, and no others.
    fn import_finish(&mut self, publish: bool) -> impl Answer<ImportCounts>;

    /// The scores of the campaign's newest published list, counted in `bins` equal parts of `[0, 1]`; empty without one.
    fn score_bins(&mut self, campaign: &str, bins: u32) -> impl Answer<Vec<u64>>;

    // -- outcomes out, labels in --

    /// Numbers and chains outcomes that have no seal yet, at most `limit`; returns how many.
    fn seal(&mut self, now: Now, limit: usize) -> impl Answer<u64>;

    /// Sealed outcomes behind the seal number `after`, in order.
    fn outcomes(&mut self, after: u64, limit: usize) -> impl Answer<Vec<OutcomeRow>>;

    /// Every revision of one attempt, sealed or not (`seal` 0).
    fn attempt(&mut self, attempt: AttemptId) -> impl Answer<Vec<OutcomeRow>>;

    /// Recomputes the chain behind the seal number `after`; `Err` names the first link that does not hold. Returns the
    /// last number checked, `after` at the end.
    fn verify(&mut self, after: u64, limit: usize) -> impl Answer<u64>;

    /// How far a consumer has acknowledged; 0 for a new one.
    fn cursor(&mut self, consumer: &str) -> impl Answer<u64>;

    fn set_cursor(&mut self, consumer: &str, seal: u64) -> impl Answer<()>;

    /// Appends a revision to the attempt's outcome, or to the newest finished attempt of a customer. `None`: no such
    /// attempt, or it is not finished. The same label again changes nothing.
    fn add_label(&mut self, label: &NewLabel, now: Now) -> impl Answer<Option<Labelled>>;
}

/// What every method of a store returns.
pub trait Answer<T>: Future<Output = Result<T, StoreError>> + Send {}

impl<T, F: Future<Output = Result<T, StoreError>> + Send> Answer<T> for F {}
