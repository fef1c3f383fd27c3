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
    ("SELECT coalesce(max(id), 0) FROM phone", SHARERS),
    ("SELECT coalesce(max(id), 0) FROM phone", PHONES),
    ("SELECT coalesce(max(id), 0) FROM contact", CONTACTS),
];

const LEADS: &str = "DELETE FROM lead WHERE id >= (SELECT first_lead FROM list WHERE id = ?) AND id BETWEEN ? AND ?";
const LINKS: &str = "DELETE FROM contact_phone WHERE (SELECT contact >= first_contact OR phone >= first_phone
    FROM list WHERE id = ?) AND contact BETWEEN ? AND ?";
const SHARERS: &str = "DELETE FROM shared_phone WHERE (SELECT contact >= first_contact OR phone >= first_phone
    FROM list WHERE id = ?) AND phone BETWEEN ? AND ?";
const PHONES: &str = "DELETE FROM phone WHERE id >= (SELECT first_phone FROM list WHERE id = ?) AND id BETWEEN ? AND ?";
const CONTACTS: &str =
    "DELETE FROM contact WHERE id >= (SELECT first_contact FROM list WHERE id = ?) AND id BETWEEN ? AND ?";

/// Erased people whom the list named, and no published one since: they are forgotten again, with their numbers.
const FORGET: [&str; 3] = [
    "UPDATE contact SET sealed = NULL WHERE id IN (SELECT c.id FROM dnc d JOIN contact c ON c.token = d.token
        WHERE d.kind = 'contact' AND d.reason = 'erased' AND c.sealed IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM lead l JOIN listed r ON r.lead = l.id JOIN list i ON i.id = r.list
                WHERE l.contact = c.id AND i.state = 1 AND i.at > d.at))",
    "UPDATE phone SET sealed = NULL WHERE id IN (SELECT x.phone FROM dnc d JOIN contact c ON c.token = d.token
            JOIN contact_phone x ON x.contact = c.id
        WHERE d.kind = 'contact' AND d.reason = 'erased' AND c.sealed IS NULL)
        AND NOT EXISTS (SELECT 1 FROM contact_phone y JOIN contact k ON k.id = y.contact
            WHERE y.phone = phone.id AND k.sealed IS NOT NULL)",
    "DELETE FROM contact_phone WHERE contact IN (SELECT c.id FROM dnc d JOIN contact c ON c.token = d.token
        WHERE d.kind = 'contact' AND d.reason = 'erased' AND c.sealed IS NULL)",
];

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
    for forget in FORGET {
        sql::run(&mut tx, forget, Binds::default()).await?;
    }
    sql::run(&mut tx, "DELETE FROM list WHERE id = ?", binds).await?;
    tx.commit().await?;
    Ok(())
}
