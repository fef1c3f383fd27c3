//! Sealing, reading what is sealed, checking the chain, and how far each consumer has got.

use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{AttemptId, Wall};
use crate::store::chain;
use crate::store::{Keys, OutcomeRow, StoreError};

use super::outcome_row::{outcomes, outcomes_with_person, read, read_person};
use super::sql::{self, Binds, Cells, Sizes};
use super::writing;

static NEW: LazyLock<Sizes> = LazyLock::new(|| Sizes::insert("seal(seq, outcome, at, h)", 4));

static UNSEALED: LazyLock<Arc<str>> = LazyLock::new(|| {
    outcomes(
        "outcome o LEFT JOIN seal s ON s.outcome = o.seq",
        "o.seq > (SELECT coalesce(max(outcome), 0) FROM seal) ORDER BY o.seq LIMIT ?",
    )
});
static LINKS: LazyLock<Arc<str>> =
    LazyLock::new(|| outcomes("seal s JOIN outcome o ON o.seq = s.outcome", "s.seq > ? ORDER BY s.seq LIMIT ?"));
static SEALED: LazyLock<Arc<str>> = LazyLock::new(|| {
    outcomes_with_person("seal s JOIN outcome o ON o.seq = s.outcome", "s.seq > ? ORDER BY s.seq LIMIT ?")
});
static OF_ATTEMPT: LazyLock<Arc<str>> = LazyLock::new(|| {
    outcomes_with_person("outcome o LEFT JOIN seal s ON s.outcome = o.seq", "o.attempt = ? ORDER BY o.revision")
});

/// Rows in one transaction, whatever the caller asks for: dialling waits meanwhile.
const STEP: usize = 2_000;

/// The seal numbers outcomes without a gap, so the two ends of what waits for an export tell how much it is.
pub(super) async fn not_exported(conn: &mut SqliteConnection) -> Result<u64, StoreError> {
    let text = "SELECT (SELECT coalesce(max(seq), 0) FROM seal) - (SELECT coalesce(max(seq), 0) FROM export_cursor) AS waiting";
    let row = sql::row(conn, text, Binds::default()).await?;
    row.map_or(Ok(0), |row| Cells::of(&row).small())
}

pub(super) async fn seal(conn: &mut SqliteConnection, now: Wall, limit: usize) -> Result<u64, StoreError> {
    let mut tx = writing(conn).await?;
    let last = sql::row(&mut tx, "SELECT seq, h FROM seal ORDER BY seq DESC LIMIT 1", Binds::default()).await?;
    let (mut seq, mut hash) = match &last {
        Some(row) => {
            let mut cells = Cells::of(row);
            (cells.small::<u64>()?, cells.bytes()?)
        }
        None => (0, chain::START),
    };
    let mut binds = Binds::default();
    binds.int(limit.min(STEP) as i64);
    let [packed] = sql::texts(&mut tx, &UNSEALED, binds).await?;
    let mut links = Vec::new();
    for cells in sql::records(&packed) {
        let (outcome, content, _) = read(cells)?;
        seq += 1;
        hash = chain::link(&hash, seq, &content);
        links.push((seq, outcome, hash));
    }
    let bind = |binds: &mut Binds, (seq, outcome, hash): &(u64, i64, [u8; 32])| {
        binds.int(*seq as i64).int(*outcome).int(now.0).blob(hash);
    };
    sql::run_all(&mut tx, &NEW, &links, bind).await?;
    tx.commit().await?;
    Ok(links.len() as u64)
}

pub(super) async fn sealed(
    conn: &mut SqliteConnection,
    keys: &Keys,
    after: u64,
    limit: usize,
) -> Result<Vec<OutcomeRow>, StoreError> {
    let [packed] = sql::texts(conn, &SEALED, after_limit(after, limit)).await?;
    sql::records(&packed).map(|cells| read_person(cells, keys)).collect()
}

pub(super) async fn of_attempt(
    conn: &mut SqliteConnection,
    keys: &Keys,
    attempt: AttemptId,
) -> Result<Vec<OutcomeRow>, StoreError> {
    let mut binds = Binds::default();
    binds.blob(&attempt.bytes());
    let [packed] = sql::texts(conn, &OF_ATTEMPT, binds).await?;
    sql::records(&packed).map(|cells| read_person(cells, keys)).collect()
}

pub(super) async fn verify(conn: &mut SqliteConnection, after: u64, limit: usize) -> Result<u64, StoreError> {
    let mut hash = chain::START;
    if after > 0 {
        let mut binds = Binds::default();
        binds.int(i64::try_from(after).unwrap_or(i64::MAX));
        let row = sql::row(conn, "SELECT h FROM seal WHERE seq = ?", binds).await?;
        hash = Cells::of(&row.ok_or(StoreError::Chain { seal: after })?).bytes()?;
    }
    let mut last = after;
    let [packed] = sql::texts(conn, &LINKS, after_limit(after, limit)).await?;
    for cells in sql::records(&packed) {
        let (_, content, _) = read(cells)?;
        hash = chain::link(&hash, last + 1, &content);
        if content.seal != last + 1 || content.hash != hash {
            return Err(StoreError::Chain { seal: last + 1 });
        }
        last += 1;
    }
    Ok(last)
}

pub(super) async fn cursor(conn: &mut SqliteConnection, consumer: &str) -> Result<u64, StoreError> {
    let mut binds = Binds::default();
    binds.text(consumer);
    let row = sql::row(conn, "SELECT seq FROM export_cursor WHERE consumer = ?", binds).await?;
    row.map_or(Ok(0), |row| Cells::of(&row).small())
}

pub(super) async fn set_cursor(conn: &mut SqliteConnection, consumer: &str, seal: u64) -> Result<(), StoreError> {
    let mut binds = Binds::default();
    binds.text(consumer).int(i64::try_from(seal).unwrap_or(i64::MAX));
    let text = "INSERT INTO export_cursor VALUES (?, ?) ON CONFLICT(consumer) DO UPDATE SET seq = excluded.seq";
    sql::run(conn, text, binds).await?;
    Ok(())
}

fn after_limit(after: u64, limit: usize) -> Binds {
    let mut binds = Binds::default();
    binds.int(i64::try_from(after).unwrap_or(i64::MAX)).int(i64::try_from(limit).unwrap_or(i64::MAX));
    binds
}
