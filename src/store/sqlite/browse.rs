//! Pages for the API. They are read on a connection of their own and hold up nobody who dials.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::base::{AttemptId, ListId, Wall};
use crate::contact::CallResult;
use crate::store::keys::Sealed;
use crate::store::{AttemptRow, Browse, DncEntry, DncSubjectKey, Keys, ListRow, OutcomeRow, StoreError};

use super::Sqlite;
use super::outcome_row::{outcomes, read};
use super::sql::{self, Binds, Cells};

const LISTS: &str = "SELECT i.id, c.name, i.name, i.sha256, i.rows, i.at, i.expires
    FROM list i JOIN campaign c ON c.ix = i.campaign WHERE i.state = 1 AND i.id <= ? AND i.id >= ?
    ORDER BY i.id DESC LIMIT ?";

/// Ids of attempts sort by time.
const ATTEMPTS: &str = "SELECT a.id, c.name, a.at, a.trunk, p.sealed, a.result, o.disposition, o.t_ended, a.revisions,
        a.golden, a.attempt_no
    FROM attempt a JOIN campaign c ON c.ix = a.campaign JOIN phone p ON p.id = a.phone
        LEFT JOIN outcome o ON o.attempt = a.id AND o.revision = a.revisions - 1
    WHERE a.id <= ? AND a.id >= ? ORDER BY a.id DESC LIMIT ?";

/// Along the index of outcomes by attempt.
static FINISHED: LazyLock<Arc<str>> = LazyLock::new(|| {
    outcomes(
        "outcome o LEFT JOIN seal s ON s.outcome = o.seq",
        "o.attempt > ? AND a.at >= ? AND a.at < ? AND o.revision = a.revisions - 1 ORDER BY o.attempt LIMIT ?",
    )
});

impl Browse for Sqlite {
    async fn lists(&mut self, before: Option<ListId>, limit: usize) -> Result<Vec<ListRow>, StoreError> {
        let last = before.map_or(i64::MAX, |list| i64::from(list.0) - 1);
        lists(&mut self.conn, last, 0, limit).await
    }

    async fn list(&mut self, list: ListId) -> Result<Option<ListRow>, StoreError> {
        let id = i64::from(list.0);
        Ok(lists(&mut self.conn, id, id, 1).await?.pop())
    }

    async fn attempts(&mut self, before: Option<AttemptId>, limit: usize) -> Result<Vec<AttemptRow>, StoreError> {
        let last = before.map_or(AttemptId(u128::MAX), |attempt| AttemptId(attempt.0.saturating_sub(1)));
        attempts(&mut self.conn, &self.keys, last, AttemptId(0), limit).await
    }

    async fn attempt_row(&mut self, attempt: AttemptId) -> Result<Option<AttemptRow>, StoreError> {
        Ok(attempts(&mut self.conn, &self.keys, attempt, attempt, 1).await?.pop())
    }

    async fn finished(
        &mut self,
        after: AttemptId,
        period: Range<Wall>,
        limit: usize,
    ) -> Result<Vec<OutcomeRow>, StoreError> {
        let mut binds = Binds::default();
        binds.blob(&after.bytes()).int(period.start.0).int(period.end.0);
        binds.int(i64::try_from(limit).unwrap_or(i64::MAX));
        let [packed] = sql::texts(&mut self.conn, &FINISHED, binds).await?;
        sql::records(&packed).map(|cells| Ok(read(cells)?.1)).collect()
    }

    async fn is_of_a_trial_clock(&mut self) -> Result<bool, StoreError> {
        super::operate::is_of_a_trial_clock(&mut self.conn).await
    }

    async fn dnc_entry(&mut self, subject: &DncSubjectKey) -> Result<Option<DncEntry>, StoreError> {
        super::dnc::entry(&mut self.conn, &self.keys, subject).await
    }
}

async fn lists(conn: &mut SqliteConnection, last: i64, first: i64, limit: usize) -> Result<Vec<ListRow>, StoreError> {
    let mut binds = Binds::default();
    binds.int(last).int(first).int(i64::try_from(limit).unwrap_or(i64::MAX));
    sql::rows(conn, LISTS, binds).await?.iter().map(list).collect()
}

fn list(row: &SqliteRow) -> Result<ListRow, StoreError> {
    let mut cells = Cells::of(row);
    Ok(ListRow {
        list: ListId(cells.small()?),
        campaign: cells.text()?.to_owned(),
        name: cells.text()?.to_owned(),
        sha256: cells.bytes()?,
        rows: cells.small()?,
        at: Wall(cells.int()?),
        expires: cells.maybe_int()?.map(Wall),
    })
}

async fn attempts(
    conn: &mut SqliteConnection,
    keys: &Keys,
    last: AttemptId,
    first: AttemptId,
    limit: usize,
) -> Result<Vec<AttemptRow>, StoreError> {
    let mut binds = Binds::default();
    binds.blob(&last.bytes()).blob(&first.bytes()).int(i64::try_from(limit).unwrap_or(i64::MAX));
    sql::rows(conn, ATTEMPTS, binds).await?.iter().map(|row| attempt(row, keys)).collect()
}

fn attempt(row: &SqliteRow, keys: &Keys) -> Result<AttemptRow, StoreError> {
    let mut cells = Cells::of(row);
    Ok(AttemptRow {
        attempt: AttemptId::from_bytes(cells.bytes()?),
        campaign: cells.text()?.to_owned(),
        authorised_at: Wall(cells.int()?),
        trunk: cells.text()?.to_owned(),
        number: cells.maybe_blob()?.and_then(|sealed| keys.open(Sealed::Phone, &sealed)),
        result: match cells.maybe_text()? {
            Some(word) => {
                Some(CallResult::parse(word).ok_or_else(|| StoreError::Corrupt(format!("the call result `{word}`")))?)
            }
            None => None,
        },
        disposition: cells.maybe_text()?.map(str::to_owned),
        ended_at: cells.maybe_int()?.map(Wall),
        revisions: cells.small()?,
        golden: cells.yes()?,
        attempt_no: cells.small()?,
    })
}
