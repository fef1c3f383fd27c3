//! The embedded store: SQLite in WAL mode, one connection per value, `synchronous=FULL` always.

mod batch;
mod browse;
mod dnc;
mod erase;
mod examine;
mod export;
mod give_up;
mod heard;
mod import;
mod label;
mod leads;
mod ledgers;
mod listed;
mod lists;
mod load_contacts;
mod load_leads;
mod load_phones;
mod look;
mod open;
mod operate;
mod outcome_row;
mod pack;
mod recover;
mod scores;
mod shown;
mod slots;
mod sql;
mod switches;
mod tokens;
mod trials;
mod versions;
mod write;

pub use examine::Examined;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Sqlite as Driver, Transaction};

use super::{
    DncChange, DncEntry, DncFilter, DncSubjectKey, Erased, ImportCounts, ImportStart, Labelled, LeadCounts,
    LedgerCursor, ListInfo, NewDnc, NewLabel, OutcomeRow, Paused, Stats, Switch, SwitchOf, Turned,
};
use super::{Keys, Store, StoreError};
use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, Now, PhoneId, Pii, Wall};
use crate::contact::Row;
use crate::engine::{Committed, Epoch, Heard, LeadRow, LedgerPage, RecoveredAttempt, SlotRow, StoreRequest, Talked};

/// One connection to one file.
pub struct Sqlite {
    conn: SqliteConnection,
    keys: Arc<Keys>,
    path: PathBuf,
    dialling: Option<Dialling>,
    load: Option<import::Load>,
}

/// What `begin` gave us.
struct Dialling {
    epoch: Epoch,
    trunks: Vec<Arc<str>>,
    versions: versions::Versions,
    _lock: File,
}

impl Sqlite {
    /// `sqlite://path`; the file is made if it is missing. Call [`Sqlite::migrate`] next.
    pub async fn open(url: &str, keys: Arc<Keys>) -> Result<Self, StoreError> {
        let path = open::path_of(url)?;
        let conn = open::connect(url, &path).await?;
        Ok(Self { conn, keys, path, dialling: None, load: None })
    }

    /// Brings the schema up to date, and makes sure that these are the database's keys. Changes nothing if both hold.
    pub async fn migrate(&mut self) -> Result<(), StoreError> {
        open::migrate(&mut self.conn, &self.keys).await
    }

    /// The wall of whoever is about to dial runs at a rate of its own.
    pub async fn note_trial_clock(&mut self) -> Result<(), StoreError> {
        operate::note_trial_clock(&mut self.conn).await
    }

    /// Writes back what the log holds. Without it a later opener does so.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.conn.close().await?)
    }
}

#[cfg(test)]
impl Sqlite {
    /// For tests of what no caller may do.
    pub(in crate::store) async fn raw(&mut self, text: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(text).execute(&mut self.conn).await?;
        Ok(())
    }
}

/// Takes the one writer's lock at once, so that what is read inside stays true until the commit.
async fn writing(conn: &mut SqliteConnection) -> Result<Transaction<'_, Driver>, StoreError> {
    Ok(conn.begin_with("BEGIN IMMEDIATE").await?)
}

/// Between short transactions that follow one another: SQLite's waiters poll, and would never find the lock free.
async fn breathe() {
    #[expect(clippy::disallowed_methods, reason = "a polling waiter cannot be heard, only be given time")]
    tokio::time::sleep(BREATH).await;
}

const BREATH: Duration = Duration::from_millis(3);

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store for Sqlite {
    async fn begin(&mut self, node: &str, trunks: &[String], now: Now) -> Result<Epoch, StoreError> {
        let lock = match self.dialling.take() {
            Some(Dialling { _lock: lock, .. }) => lock,
            None => open::hold(&self.path, "lock")?,
        };
        let epoch = recover::begin(&mut self.conn, node, now).await?;
        let trunks = trunks.iter().map(|name| Arc::from(name.as_str())).collect();
        self.dialling = Some(Dialling { epoch, trunks, versions: versions::Versions::default(), _lock: lock });
        Ok(epoch)
    }

    async fn recover(&mut self, now: Now) -> Result<Vec<RecoveredAttempt>, StoreError> {
        let Some(dialling) = &self.dialling else { return Err(StoreError::Fenced) };
        recover::recover(&mut self.conn, &self.keys, dialling.epoch, now).await
    }

    async fn recovered_since(&mut self, since: Wall) -> Result<Vec<RecoveredAttempt>, StoreError> {
        recover::lately(&mut self.conn, &self.keys, since).await
    }

    async fn commit(&mut self, now: Now, batch: &[StoreRequest]) -> Result<Committed, StoreError> {
        let Some(dialling) = &mut self.dialling else { return Err(StoreError::Fenced) };
        let committed = batch::commit(&mut self.conn, &self.keys, dialling, now, batch).await;
        if committed.is_err() {
            // They may name rows that are rolled back now.
            dialling.versions.forget();
            // It fails where no transaction is open: SQLite ends some by itself.
            drop(sqlx::raw_sql("ROLLBACK").execute(&mut self.conn).await);
        }
        committed
    }

    async fn campaign_ix(&mut self, names: &[String]) -> Result<Vec<CampaignIx>, StoreError> {
        operate::campaign_ix(&mut self.conn, names).await
    }

    async fn leads(&mut self, campaign: CampaignIx, after: LeadId, limit: usize) -> Result<Vec<LeadRow>, StoreError> {
        leads::page(&mut self.conn, campaign, after, limit).await
    }

    async fn lists_since(&mut self, after: ListId) -> Result<Vec<(ListId, CampaignIx)>, StoreError> {
        lists::since(&mut self.conn, after).await
    }

    async fn leads_of_list(
        &mut self,
        list: ListId,
        after: LeadId,
        span: u32,
    ) -> Result<(Vec<LeadRow>, Option<LeadId>), StoreError> {
        leads::of_list(&mut self.conn, list, after, span).await
    }

    async fn ledgers(
        &mut self,
        after: LedgerCursor,
        limit: usize,
        now: Now,
    ) -> Result<(LedgerPage, Option<LedgerCursor>), StoreError> {
        ledgers::page(&mut self.conn, after, limit, now).await
    }

    async fn shown_since(&mut self, since: Wall) -> Result<Vec<(String, u32)>, StoreError> {
        shown::shown_since(&mut self.conn, since).await
    }

    async fn heard_since(&mut self, campaign: CampaignIx, since: Wall) -> Result<Vec<Heard>, StoreError> {
        heard::heard_since(&mut self.conn, campaign, since).await
    }

    async fn slots(&mut self, after: u64, limit: usize) -> Result<Vec<SlotRow>, StoreError> {
        slots::after(&mut self.conn, after, limit).await
    }

    async fn talked_since(&mut self, since: Wall) -> Result<Vec<Talked>, StoreError> {
        shown::talked_since(&mut self.conn, since).await
    }

    async fn changes(&mut self) -> Result<u64, StoreError> {
        operate::meta(&mut self.conn, "changes").await
    }

    async fn dnc_since(&mut self, change: u64, limit: usize) -> Result<Vec<DncChange>, StoreError> {
        dnc::since(&mut self.conn, change, limit).await
    }

    async fn paused(&mut self) -> Result<Paused, StoreError> {
        operate::paused(&mut self.conn).await
    }

    async fn high_water(&mut self) -> Result<Wall, StoreError> {
        let micros = operate::meta(&mut self.conn, "high_water").await?;
        Ok(Wall(i64::try_from(micros).unwrap_or(i64::MAX)))
    }

    async fn turn(&mut self, switch: &Switch) -> Result<(), StoreError> {
        switches::turn(&mut self.conn, switch).await
    }

    async fn turned_since(&mut self, change: u64, limit: usize) -> Result<Vec<Turned>, StoreError> {
        switches::since(&mut self.conn, change, limit).await
    }

    async fn last_turn(&mut self, of: &SwitchOf) -> Result<Option<Turned>, StoreError> {
        switches::newest(&mut self.conn, of).await
    }

    async fn dnc_add(&mut self, entry: &NewDnc) -> Result<(), StoreError> {
        dnc::add(&mut self.conn, &self.keys, entry).await
    }

    async fn dnc_remove(&mut self, subject: &DncSubjectKey, now: Now) -> Result<bool, StoreError> {
        dnc::remove(&mut self.conn, &self.keys, subject, now.wall).await
    }

    async fn dnc_list(&mut self, filter: DncFilter, limit: usize) -> Result<Vec<DncEntry>, StoreError> {
        dnc::list(&mut self.conn, &self.keys, filter, limit).await
    }

    async fn erase(&mut self, key: &Pii<String>, now: Now) -> Result<Option<Erased>, StoreError> {
        erase::contact(&mut self.conn, &self.keys, key, now).await
    }

    async fn lead_counts(&mut self, campaign: CampaignIx) -> Result<LeadCounts, StoreError> {
        operate::lead_counts(&mut self.conn, campaign).await
    }

    async fn dnc_entries(&mut self, now: Now) -> Result<u64, StoreError> {
        dnc::entries(&mut self.conn, now.wall).await
    }

    async fn not_exported(&mut self) -> Result<u64, StoreError> {
        export::not_exported(&mut self.conn).await
    }

    async fn stats(&mut self) -> Result<Stats, StoreError> {
        operate::stats(&mut self.conn).await
    }

    async fn find_contact(&mut self, key: &Pii<String>) -> Result<Option<ContactId>, StoreError> {
        leads::find_contact(&mut self.conn, &self.keys, key).await
    }

    async fn find_phone(&mut self, e164: &Pii<String>) -> Result<Option<PhoneId>, StoreError> {
        leads::find_phone(&mut self.conn, &self.keys, e164).await
    }

    async fn leads_of(&mut self, contact: ContactId) -> Result<Vec<LeadRow>, StoreError> {
        leads::of_contact(&mut self.conn, contact).await
    }

    async fn customer_keys(&mut self, contacts: &[ContactId]) -> Result<Vec<Option<Pii<String>>>, StoreError> {
        leads::customer_keys(&mut self.conn, &self.keys, contacts).await
    }

    async fn import_begin(&mut self, list: &ListInfo, now: Now) -> Result<ImportStart, StoreError> {
        self.load = None;
        let (start, load) = import::begin(&mut self.conn, &self.path, list, now.wall).await?;
        self.load = load;
        Ok(start)
    }

    async fn import_rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let Some(load) = &mut self.load else { return Err(StoreError::NoImport) };
        import::rows(&mut self.conn, &self.keys, load, rows).await
    }

    async fn import_finish(&mut self, publish: bool) -> Result<ImportCounts, StoreError> {
        let Some(load) = self.load.take() else { return Err(StoreError::NoImport) };
        import::finish(&mut self.conn, load, publish).await
    }

    async fn score_bins(&mut self, campaign: &str, bins: u32) -> Result<Vec<u64>, StoreError> {
        scores::bins(&mut self.conn, campaign, bins).await
    }

    async fn seal(&mut self, now: Now, limit: usize) -> Result<u64, StoreError> {
        export::seal(&mut self.conn, now.wall, limit).await
    }

    async fn outcomes(&mut self, after: u64, limit: usize) -> Result<Vec<OutcomeRow>, StoreError> {
        export::sealed(&mut self.conn, &self.keys, after, limit).await
    }

    async fn attempt(&mut self, attempt: AttemptId) -> Result<Vec<OutcomeRow>, StoreError> {
        export::of_attempt(&mut self.conn, &self.keys, attempt).await
    }

    async fn verify(&mut self, after: u64, limit: usize) -> Result<u64, StoreError> {
        export::verify(&mut self.conn, after, limit).await
    }

    async fn cursor(&mut self, consumer: &str) -> Result<u64, StoreError> {
        export::cursor(&mut self.conn, consumer).await
    }

    async fn set_cursor(&mut self, consumer: &str, seal: u64) -> Result<(), StoreError> {
        export::set_cursor(&mut self.conn, consumer, seal).await
    }

    async fn add_label(&mut self, label: &NewLabel, now: Now) -> Result<Option<Labelled>, StoreError> {
        label::add(&mut self.conn, &self.keys, label, now.wall).await
    }
}
