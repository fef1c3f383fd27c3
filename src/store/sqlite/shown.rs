//! How often each of our own numbers was shown.

use std::time::Duration;

use sqlx::sqlite::SqliteConnection;

use crate::base::Wall;
use crate::contact::CallResult;
use crate::store::StoreError;

use super::sql::{self, Binds, Cells};

/// Ids sort by the clock of whoever wished to dial, which may lag behind the time that an attempt is counted from: by
/// this much at most, because a permit lasts half a second and a clock that fell back further is an incident.
const LAG: Duration = Duration::from_hours(48);

pub(super) async fn since(conn: &mut SqliteConnection, since: Wall) -> Result<Vec<(String, u32)>, StoreError> {
    let millis = u128::try_from((since - LAG).0.div_euclid(1_000)).unwrap_or(0);
    let mut binds = Binds::default();
    // The first UUIDv7 of that millisecond (RFC 9562 section 5.7).
    binds.blob(&(millis << 80).to_be_bytes()).int(since.0).text(CallResult::Void.as_str());
    let text = "SELECT caller_id, count(*) FROM attempt WHERE id >= ? AND at >= ? AND coalesce(result, '') <> ?
        GROUP BY caller_id ORDER BY caller_id";
    let rows = sql::rows(conn, text, binds).await?;
    let count = |mut cells: Cells<'_>| Ok((cells.text()?.to_owned(), cells.small()?));
    rows.iter().map(|row| count(Cells::of(row))).collect()
}
