//! Lists that were published, as the daemon and people ask for them.

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, ListId};
use crate::store::StoreError;

use super::sql::{self, Binds, Cells};

pub(super) async fn since(conn: &mut SqliteConnection, after: ListId) -> Result<Vec<(ListId, CampaignIx)>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(after.0));
    let text = "SELECT id, campaign FROM list WHERE id > ? AND state = 1 ORDER BY id";
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let mut cells = Cells::of(row);
        Ok((ListId(cells.small()?), CampaignIx(cells.small()?)))
    };
    sql::rows(conn, text, binds).await?.iter().map(read).collect()
}
