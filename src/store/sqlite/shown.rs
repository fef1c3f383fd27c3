//! How often each of our own numbers was shown, and how long our calls were talked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;

use crate::base::Wall;
use crate::contact::CallResult;
use crate::engine::{Talked, billed_s};
use crate::store::StoreError;

use super::sql::{self, Binds, Cells};

/// Ids sort by the clock of whoever wished to dial, which may lag behind the time that an attempt is counted from: by
/// this much at most, because a permit lasts half a second and a clock that fell back further is an incident.
const LAG: Duration = Duration::from_hours(48);

pub(super) async fn shown_since(conn: &mut SqliteConnection, since: Wall) -> Result<Vec<(String, u32)>, StoreError> {
    let mut binds = from(since);
    binds.text(CallResult::Void.as_str());
    let text = "SELECT caller_id, count(*) FROM attempt WHERE id >= ? AND at >= ? AND coalesce(result, '') <> ?
        GROUP BY caller_id ORDER BY caller_id";
    let rows = sql::rows(conn, text, binds).await?;
    let count = |mut cells: Cells<'_>| Ok((cells.text()?.to_owned(), cells.small()?));
    rows.iter().map(|row| count(Cells::of(row))).collect()
}

/// Attempts by trunk, first result, whether somebody answered, and seconds of talk, rounded up: which of them are billed is
/// the engine's rule.
pub(super) async fn talked_since(conn: &mut SqliteConnection, since: Wall) -> Result<Vec<Talked>, StoreError> {
    let text = "SELECT a.trunk, o.result, o.t_answered, coalesce(o.t_ended, o.t_answered) - o.t_answered, count(*)
        FROM attempt a LEFT JOIN outcome o ON o.attempt = a.id AND o.revision = 0
        WHERE a.id >= ? AND a.at >= ?
        GROUP BY 1, 2, o.t_answered IS NULL, (max(coalesce(o.t_ended, 0) - o.t_answered, 0) + 999999) / 1000000";
    let mut counts: BTreeMap<(Arc<str>, u32), u32> = BTreeMap::new();
    for row in sql::rows(conn, text, from(since)).await? {
        let mut cells = Cells::of(&row);
        let trunk = Arc::from(cells.text()?);
        let result = cells.maybe_text()?.and_then(CallResult::parse);
        let (answered, talk_us) = (cells.maybe_int()?.map(Wall), cells.maybe_int()?);
        let ended = answered.zip(talk_us).map(|(answered, talk)| Wall(answered.0.saturating_add(talk)));
        let count: u32 = cells.small()?;
        if let Some(seconds) = billed_s(result, answered, ended) {
            let calls = counts.entry((trunk, seconds)).or_default();
            *calls = calls.saturating_add(count);
        }
    }
    Ok(counts.into_iter().map(|((trunk, seconds), calls)| Talked { trunk, seconds, calls }).collect())
}

/// The first id and the time of an attempt since then.
pub(super) fn from(since: Wall) -> Binds {
    let millis = u128::try_from((since - LAG).0.div_euclid(1_000)).unwrap_or(0);
    let mut binds = Binds::default();
    // The first UUIDv7 of that millisecond (RFC 9562 section 5.7).
    binds.blob(&(millis << 80).to_be_bytes()).int(since.0);
    binds
}
