//! Takes back what a load wrote before it was published: a dry run, or a crash. In steps, so that a daemon goes on.

use sqlx::sqlite::SqliteConnection;

use crate::base::ListId;
use crate::store::StoreError;

use super::sql::{self, Binds, Cells};
use super::writing;

/// Rows looked at in one transaction.
const STEP: i64 = 20_000;

/// Each with the first id and the last of its range; the children first.
const STEPS: &[(&str, &str)] = &[
    ("SELECT coalesce(max(id), 0) FROM lead", "DELETE FROM listed WHERE list = ? AND lead BETWEEN ? AND ?"),
    ("SELECT coalesce(max(id), 0) FROM lead", LEADS),
    ("SELECT coalesce(max(id), 0) FROM contact", LINKS),
    ("SELECT coalesce(max(id), 0) FROM phone", PHONES),
    ("SELECT coalesce(max(id), 0) FROM contact", CONTACTS),
];

const LEADS: &str = "DELETE FROM lead WHERE id >= (SELECT first_lead FROM list WHERE id = ?) AND id BETWEEN ? AND ?";
const LINKS: &str = "DELETE FROM contact_phone WHERE (SELECT contact >= first_contact OR phone >= first_phone
    FROM list WHERE id = ?) AND contact BETWEEN ? AND ?";
const PHONES: &str = "DELETE FROM phone WHERE id >= (SELECT first_phone FROM list WHERE id = ?) AND id BETWEEN ? AND ?";
const CONTACTS: &str =
    "DELETE FROM contact WHERE id >= (SELECT first_contact FROM list WHERE id = ?) AND id BETWEEN ? AND ?";

/// Lists that are still loading although nobody holds the importers' lock.
pub(super) async fn left_by_a_crash(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    for row in sql::rows(conn, "SELECT id FROM list WHERE state = 0", Binds::default()).await? {
        list(conn, ListId(Cells::of(&row).small()?)).await?;
    }
    Ok(())
}

/// Only one load runs at a time, so every row behind the firsts that its list noted is its own.
pub(super) async fn list(conn: &mut SqliteConnection, list: ListId) -> Result<(), StoreError> {
    for (last, delete) in STEPS {
        let last = sql::number(conn, last, Binds::default()).await?;
        let mut from = 0;
        while from <= last {
            let mut binds = Binds::default();
            binds.int(i64::from(list.0)).int(from).int(from + STEP - 1);
            let mut tx = writing(conn).await?;
            sql::run(&mut tx, delete, binds).await?;
            tx.commit().await?;
            from += STEP;
        }
    }
    let mut binds = Binds::default();
    binds.int(i64::from(list.0));
    let mut tx = writing(conn).await?;
    sql::run(&mut tx, "DELETE FROM list WHERE id = ?", binds).await?;
    tx.commit().await?;
    Ok(())
}
