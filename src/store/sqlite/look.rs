//! Looking at a database that somebody else may be dialling from: one moment of it, and nothing written.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::base::{CampaignIx, LeadId, PhoneId, Pii, Wall};
use crate::engine::LeadRow;
use crate::store::keys::Sealed;
use crate::store::{Keys, KeysError, ListSeen, StoreError};

use super::sql::{self, Binds, Cells};
use super::{Sqlite, leads, open};

const BUSY: Duration = Duration::from_secs(5);

static EVERY: LazyLock<Arc<str>> = LazyLock::new(|| leads::select("l.campaign = ? AND l.id > ? ORDER BY l.id LIMIT ?"));

static NUMBERS: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM json_each(?) j CROSS JOIN phone p ON p.id = j.value WHERE p.sealed IS NOT NULL";
    Arc::from(sql::pack(&["p.id", "hex(p.sealed)"], from))
});

impl Sqlite {
    /// Opens an existing database for reading only. Every answer is of the moment of opening, whatever a running daemon
    /// writes meanwhile. A schema of another version is refused: it is not brought up to date here.
    pub async fn look(url: &str, keys: Arc<Keys>) -> Result<Self, StoreError> {
        let path = open::path_of(url)?;
        let refused = |why: String| StoreError::Open { url: url.to_owned(), why };
        let options = SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(BUSY);
        let options = options.pragma("temp_store", "memory").disable_statement_logging();
        let mut conn = options.connect().await.map_err(|why| refused(why.to_string()))?;
        // The snapshot is taken by the first question inside.
        sqlx::raw_sql("BEGIN").execute(&mut conn).await?;
        let version = sql::number(&mut conn, "PRAGMA user_version", Binds::default()).await?;
        if usize::try_from(version).ok() != Some(open::VERSION) {
            let ours = open::VERSION;
            let what = format!("its schema is {version}, ours is {ours}; `goldenhour migrate` brings it up to date");
            return Err(StoreError::Version(what));
        }
        let known = sql::number(&mut conn, "SELECT v FROM meta WHERE k = 'keys'", Binds::default()).await?;
        if known != keys.fingerprint() {
            return Err(StoreError::Keys(KeysError::Other));
        }
        Ok(Self { conn, keys, path, dialling: None, load: None })
    }

    /// The table of campaign names, by index.
    pub async fn campaign_table(&mut self) -> Result<Vec<(CampaignIx, String)>, StoreError> {
        let rows = sql::rows(&mut self.conn, "SELECT ix, name FROM campaign ORDER BY ix", Binds::default()).await?;
        let read = |row| {
            let mut cells = Cells::of(row);
            Ok((CampaignIx(cells.small()?), cells.text()?.to_owned()))
        };
        rows.iter().map(read).collect()
    }

    /// As [`crate::store::Store::leads`], closed ones too.
    pub async fn every_lead(
        &mut self,
        campaign: CampaignIx,
        after: LeadId,
        limit: usize,
    ) -> Result<Vec<LeadRow>, StoreError> {
        leads::read_page(&mut self.conn, &EVERY, campaign, after, limit).await
    }

    /// Published lists of a campaign, oldest first.
    pub async fn lists_of(&mut self, campaign: CampaignIx) -> Result<Vec<ListSeen>, StoreError> {
        let text = "SELECT name, rows, at, expires FROM list WHERE campaign = ? AND state = 1 ORDER BY id";
        let mut binds = Binds::default();
        binds.int(i64::from(campaign.0));
        let rows = sql::rows(&mut self.conn, text, binds).await?;
        let read = |row| {
            let mut cells = Cells::of(row);
            Ok(ListSeen {
                name: cells.text()?.to_owned(),
                rows: cells.small()?,
                at: Wall(cells.int()?),
                expires: cells.maybe_int()?.map(Wall),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Numbers of these phones, in their order, to be shown masked; `None` for erased and unknown ones.
    pub async fn numbers(&mut self, phones: &[PhoneId]) -> Result<Vec<Option<Pii<String>>>, StoreError> {
        let mut found = HashMap::new();
        let mut binds = Binds::default();
        binds.text(&sql::json_ids(phones.iter().map(|id| id.0)));
        let [packed] = sql::texts(&mut self.conn, &NUMBERS, binds).await?;
        for mut cells in sql::records(&packed) {
            let id = PhoneId(cells.small()?);
            let sealed = cells.maybe_blob()?.unwrap_or_default();
            found.insert(id, self.keys.open(Sealed::Phone, &sealed));
        }
        Ok(phones.iter().map(|id| found.get(id).cloned().flatten()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store as _;

    async fn database(folder: &tempfile::TempDir) -> (String, Arc<Keys>, Sqlite) {
        let keys = Arc::new(Keys::load_or_create(&folder.path().join("keys")).unwrap());
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let mut store = Sqlite::open(&url, Arc::clone(&keys)).await.unwrap();
        store.migrate().await.unwrap();
        (url, keys, store)
    }

    #[tokio::test]
    async fn it_sees_one_moment_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (url, keys, mut store) = database(&folder).await;
        store.campaign_ix(&["a".to_owned()]).await.unwrap();
        let mut look = Sqlite::look(&url, keys).await.unwrap();
        store.campaign_ix(&["b".to_owned()]).await.unwrap();
        assert_eq!(look.campaign_table().await.unwrap(), [(CampaignIx(0), "a".to_owned())]);
        let everything = crate::store::Switch {
            of: crate::store::SwitchOf::Everything,
            paused: true,
            hang_up: false,
            who: "a test".to_owned(),
            reason: "of a test".to_owned(),
            at: Wall(1),
        };
        assert!(look.turn(&everything).await.is_err());
        assert!(!store.paused().await.unwrap().all);
    }

    #[tokio::test]
    async fn foreign_keys_and_a_foreign_schema_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (url, keys, mut store) = database(&folder).await;
        let other = Arc::new(Keys::load_or_create(&folder.path().join("other")).unwrap());
        assert!(matches!(Sqlite::look(&url, other).await, Err(StoreError::Keys(KeysError::Other))));
        store.raw("PRAGMA user_version = 99").await.unwrap();
        let error = Sqlite::look(&url, keys).await.unwrap_err().to_string();
        assert!(error.contains("its schema is 99"), "{error}");
        assert!(
            Sqlite::look("sqlite:///nowhere/at/all.db", Arc::new(Keys::load(&folder.path().join("keys")).unwrap()))
                .await
                .is_err()
        );
    }
}
