//! Takes back what a load wrote before it was published: a dry run, or a crash. In steps, so that a daemon goes on.

use sqlx::sqlite::SqliteConnection;

use crate::base::ListId;
use crate::store::StoreError;

use super::sql::{self, Binds, Cells};
use super::{breathe, writing};

/// Rows looked at in one transaction.
const STEP: i64 = 4_000;

/// Each with the first id and the last of its range; the children first. A number or a contact that was there before may
/// have got a link or a line, so those are looked for everywhere.
const STEPS: &[(&str, &str)] = &[
    ("SELECT 1, coalesce(max(id), 0) FROM lead", "DELETE FROM listed WHERE list = ?1 AND lead BETWEEN ?2 AND ?3"),
    ("SELECT l.first_lead, (SELECT coalesce(max(id), 0) FROM lead) FROM list l WHERE l.id = ?", LEADS),
    ("SELECT 1, coalesce(max(id), 0) FROM contact", LINKS),
    ("SELECT 1, coalesce(max(id), 0) FROM phone", SHARERS),
    ("SELECT l.first_phone, (SELECT coalesce(max(id), 0) FROM phone) FROM list l WHERE l.id = ?", PHONE_TOKENS),
    ("SELECT l.first_phone, (SELECT coalesce(max(id), 0) FROM phone) FROM list l WHERE l.id = ?", PHONES),
    ("SELECT l.first_contact, (SELECT coalesce(max(id), 0) FROM contact) FROM list l WHERE l.id = ?", CONTACT_TOKENS),
    ("SELECT l.first_contact, (SELECT coalesce(max(id), 0) FROM contact) FROM list l WHERE l.id = ?", CONTACTS),
];

const LEADS: &str = "DELETE FROM lead WHERE id BETWEEN ?2 AND ?3 AND ?1";
const LINKS: &str = "DELETE FROM contact_phone WHERE (SELECT contact >= first_contact OR phone >= first_phone
    FROM list WHERE id = ?1) AND contact BETWEEN ?2 AND ?3";
const SHARERS: &str = "DELETE FROM shared_phone WHERE (SELECT contact >= first_contact OR phone >= first_phone
    FROM list WHERE id = ?1) AND phone BETWEEN ?2 AND ?3";
const PHONE_TOKENS: &str =
    "DELETE FROM phone_token WHERE token IN (SELECT token FROM phone WHERE id BETWEEN ?2 AND ?3) AND ?1";
const PHONES: &str = "DELETE FROM phone WHERE id BETWEEN ?2 AND ?3 AND ?1";
const CONTACT_TOKENS: &str =
    "DELETE FROM contact_token WHERE token IN (SELECT token FROM contact WHERE id BETWEEN ?2 AND ?3) AND ?1";
const CONTACTS: &str = "DELETE FROM contact WHERE id BETWEEN ?2 AND ?3 AND ?1";

/// Erased people whom the list named, and no published one since: they are forgotten again, with their numbers.
const FORGET: [&str; 3] = [
    "UPDATE contact SET sealed = NULL WHERE id IN (SELECT c.id FROM dnc d JOIN contact_token x ON x.token = d.token
            JOIN contact c ON c.id = x.id
        WHERE d.kind = 'contact' AND d.reason = 'erased' AND c.sealed IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM lead l JOIN listed r ON r.lead = l.id JOIN list i ON i.id = r.list
                WHERE l.contact = c.id AND i.state = 1 AND i.at > d.at))",
    "UPDATE phone SET sealed = NULL WHERE id IN (SELECT x.phone FROM dnc d JOIN contact_token t ON t.token = d.token
            JOIN contact c ON c.id = t.id JOIN contact_phone x ON x.contact = c.id
        WHERE d.kind = 'contact' AND d.reason = 'erased' AND c.sealed IS NULL)
        AND NOT EXISTS (SELECT 1 FROM contact_phone y JOIN contact k ON k.id = y.contact
            WHERE y.phone = phone.id AND k.sealed IS NOT NULL)",
    "DELETE FROM contact_phone WHERE contact IN (SELECT c.id FROM dnc d JOIN contact_token t ON t.token = d.token
            JOIN contact c ON c.id = t.id
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
    relax(conn).await?;
    let done = take_back(conn, list).await;
    tighten(conn).await?;
    done
}

/// For what is not in force yet, or goes: no sync at each commit, and no check of foreign keys, which would look up
/// every parent of a new row, and walk whole tables for the children of one that is deleted.
pub(super) async fn relax(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA foreign_keys = OFF; PRAGMA synchronous = NORMAL").execute(conn).await?;
    Ok(())
}

/// As every connection of the house is.
pub(super) async fn tighten(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL").execute(conn).await?;
    Ok(())
}

async fn take_back(conn: &mut SqliteConnection, list: ListId) -> Result<(), StoreError> {
    for (range, delete) in STEPS {
        let mut binds = Binds::default();
        if range.contains('?') {
            binds.int(i64::from(list.0));
        }
        let Some(row) = sql::row(conn, range, binds).await? else { continue };
        let mut cells = Cells::of(&row);
        let (mut from, last) = (cells.int()?, cells.int()?);
        while from <= last {
            let mut binds = Binds::default();
            binds.int(i64::from(list.0)).int(from).int(from + STEP - 1);
            let mut tx = writing(conn).await?;
            sql::run(&mut tx, delete, binds).await?;
            tx.commit().await?;
            breathe().await;
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
