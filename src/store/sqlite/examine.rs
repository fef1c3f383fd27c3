//! A look at a database for `doctor`, which changes nothing in it.

use sqlx::Connection as _;

use super::Sqlite;
use super::open::MIGRATIONS;
use super::sql::{self, Binds};
use crate::base::Wall;
use crate::store::StoreError;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The journal is a write-ahead log, as several processes beside each other need it.
    pub wal: bool,
    /// Migrations that this program brings along, and those that the database has had.
    pub newest: usize,
    pub schema: usize,
    /// `None` before the first migration.
    pub keys_fit: Option<bool>,
    /// The latest time that was ever stored.
    pub high_water: Option<Wall>,
}

impl Sqlite {
    /// Call it instead of [`Sqlite::migrate`]. Fails where the file cannot be read or locked for writing.
    pub async fn examine(&mut self) -> Result<Examined, StoreError> {
        let keys = self.keys.fingerprint();
        // A writer's lock, given back at once: it shows that the file, its log and its folder can be written.
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        let wal =
            sql::number(&mut tx, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", Binds::default()).await?;
        let schema = sql::number(&mut tx, "PRAGMA user_version", Binds::default()).await?;
        let schema = usize::try_from(schema).unwrap_or(usize::MAX);
        let mut examined =
            Examined { wal: wal == 1, newest: MIGRATIONS.len(), schema, keys_fit: None, high_water: None };
        if schema > 0 {
            let known = "SELECT coalesce((SELECT v FROM meta WHERE k = 'keys'), 0)";
            let known = sql::number(&mut tx, known, Binds::default()).await?;
            examined.keys_fit = Some(known == keys);
            let high = "SELECT coalesce((SELECT v FROM meta WHERE k = 'high_water'), 0)";
            examined.high_water = Some(Wall(sql::number(&mut tx, high, Binds::default()).await?));
        }
        tx.rollback().await?;
        Ok(examined)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::Keys;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn a_look_tells_an_empty_file_a_migrated_one_and_foreign_keys_apart() {
        let home = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", home.path().join("g.db").display());
        let keys = |name: &str| Arc::new(Keys::load_or_create(&home.path().join(name)).unwrap());
        run(async {
            let mut store = Sqlite::open(&url, keys("own")).await.unwrap();
            let empty = store.examine().await.unwrap();
            assert_eq!((empty.wal, empty.schema, empty.keys_fit), (true, 0, None));
            store.migrate().await.unwrap();
            let full = store.examine().await.unwrap();
            assert_eq!((full.schema, full.keys_fit), (full.newest, Some(true)));
            let mut other = Sqlite::open(&url, keys("other")).await.unwrap();
            assert_eq!(other.examine().await.unwrap().keys_fit, Some(false));
        });
    }
}
