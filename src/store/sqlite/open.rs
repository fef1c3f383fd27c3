//! Opening the file, bringing its schema up to date, and holding it against a second dialler.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::store::{Keys, KeysError, StoreError};

use super::sql::{self, Binds};

/// In order; the position, from 1, is SQLite's `user_version`.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_first.sql"),
    include_str!("../../../migrations/sqlite/0002_media_quality.sql"),
    include_str!("../../../migrations/sqlite/0003_switches.sql"),
    include_str!("../../../migrations/sqlite/0004_answers.sql"),
    include_str!("../../../migrations/sqlite/0005_experiment.sql"),
    include_str!("../../../migrations/sqlite/0006_list_model.sql"),
    include_str!("../../../migrations/sqlite/0007_model_alias.sql"),
];

/// Of a database that is up to date.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// A short transaction of another process (an import's batch, a do-not-call entry) is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// All multi-row statements in all sizes fit.
const STATEMENTS: usize = 256;

pub(super) fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let open = |why: &str| StoreError::Open { url: url.to_owned(), why: why.to_owned() };
    let rest = url.strip_prefix("sqlite:").ok_or_else(|| open("it must begin with `sqlite://`"))?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains('?') || path.contains(":memory:") {
        return Err(open("it must name a file, without parameters"));
    }
    Ok(PathBuf::from(path))
}

pub(super) async fn connect(url: &str, path: &Path) -> Result<SqliteConnection, StoreError> {
    let open = |why: String| StoreError::Open { url: url.to_owned(), why };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|why| open(why.to_string()))?;
    }
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(STATEMENTS)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("temp_store", "memory")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|why| open(why.to_string()))
}

/// Each step is one transaction. A database that is newer than this program is refused.
pub(super) async fn migrate(conn: &mut SqliteConnection, keys: &Keys) -> Result<(), StoreError> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    let version = sql::number(&mut tx, "PRAGMA user_version", Binds::default()).await?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(StoreError::Version(format!("its schema is {version}, ours is {}", MIGRATIONS.len())));
    };
    for step in missing {
        sqlx::raw_sql(*step).execute(&mut *tx).await?;
    }
    if !missing.is_empty() {
        let set = format!("PRAGMA user_version = {}", MIGRATIONS.len());
        sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut *tx).await?;
    }
    let mut binds = Binds::default();
    binds.int(keys.fingerprint());
    sql::run(&mut tx, "INSERT OR IGNORE INTO meta VALUES ('keys', ?)", binds).await?;
    let known = sql::number(&mut tx, "SELECT v FROM meta WHERE k = 'keys'", Binds::default()).await?;
    if known != keys.fingerprint() {
        return Err(StoreError::Keys(KeysError::Other));
    }
    tx.commit().await?;
    Ok(())
}

/// A lock that the system gives back when the process ends, however it ends. `what` is the lock's file extension.
pub(super) fn hold(path: &Path, what: &str) -> Result<File, StoreError> {
    let lock = path.with_added_extension(what);
    let held = || StoreError::Held { lock: lock.display().to_string() };
    let open = |why: std::io::Error| StoreError::Open { url: lock.display().to_string(), why: why.to_string() };
    let file = File::options().create(true).truncate(false).write(true).open(&lock).map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(held()),
        Err(TryLockError::Error(why)) => Err(open(why)),
    }
}
