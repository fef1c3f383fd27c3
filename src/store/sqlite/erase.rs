//! A person is taken out of the database: what names or describes them goes, what the bank must be able to prove stays.

use sqlx::sqlite::SqliteConnection;

use crate::base::{ContactId, Now, PhoneId, Pii};
use crate::store::keys::{Sealed, Token};
use crate::store::{Erased, Keys, StoreError};

use super::sql::{self, Binds, Cells};
use super::{dnc, operate, writing};

/// Attempts, their outcomes and the chain over them stay, without a person; numbers that others have too stay theirs.
pub(super) async fn contact(
    conn: &mut SqliteConnection,
    keys: &Keys,
    key: &Pii<String>,
    now: Now,
) -> Result<Option<Erased>, StoreError> {
    // What is overwritten here is gone from the file, too.
    sqlx::raw_sql("PRAGMA secure_delete = ON").execute(&mut *conn).await?;
    let mut tx = writing(conn).await?;
    let token = keys.token(Sealed::Contact, key);
    let mut binds = Binds::default();
    binds.blob(&token.0);
    let text =
        "SELECT c.id FROM contact_token x JOIN contact c ON c.id = x.id WHERE x.token = ? AND c.sealed IS NOT NULL";
    let known = sql::row(&mut tx, text, binds).await?;
    let Some(row) = known else { return Ok(None) };
    let id = ContactId(Cells::of(&row).small()?);
    let now = now.wall.max(operate::high_water(&mut tx).await?);
    dnc::note_erased(&mut tx, token, now).await?;
    let mut erased = Erased::default();
    for (phone, token, is_shared) in phones_of(&mut tx, id).await? {
        if is_shared {
            leave_number(&mut tx, phone, id).await?;
            erased.shared_numbers += 1;
        } else {
            forget_number(&mut tx, phone, token).await?;
            erased.numbers += 1;
        }
    }
    erased.leads = forget_person(&mut tx, id).await?;
    let mut binds = Binds::default();
    binds.int(i64::from(id.0));
    let attempts = sql::number(&mut tx, "SELECT count(*) FROM attempt WHERE contact = ?", binds).await?;
    erased.attempts = u64::try_from(attempts).unwrap_or(0);
    tx.commit().await?;
    // A reader may stand in the way; then the log is overwritten a little later, as it always is.
    drop(sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await);
    Ok(Some(erased))
}

/// Each with whether somebody else has it too.
async fn phones_of(conn: &mut SqliteConnection, contact: ContactId) -> Result<Vec<(PhoneId, Token, bool)>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(contact.0));
    let text = "SELECT p.id, p.token, EXISTS (SELECT 1 FROM contact_phone y WHERE y.phone = p.id
                AND y.contact <> x.contact)
        FROM contact_phone x JOIN phone p ON p.id = x.phone WHERE x.contact = ? ORDER BY p.id";
    let mut out = Vec::new();
    for row in sql::rows(conn, text, binds).await? {
        let mut cells = Cells::of(&row);
        out.push((PhoneId(cells.small()?), Token(cells.bytes()?), cells.yes()?));
    }
    Ok(out)
}

/// It is one of the others' from now on.
async fn leave_number(conn: &mut SqliteConnection, phone: PhoneId, contact: ContactId) -> Result<(), StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(contact.0)).int(i64::from(phone.0));
    let text = "UPDATE phone SET (owner, shared) = (SELECT min(x.contact), count(*) > 1 FROM contact_phone x
        WHERE x.phone = phone.id AND x.contact <> ?) WHERE id = ?";
    sql::run(conn, text, binds).await?;
    Ok(())
}

async fn forget_number(conn: &mut SqliteConnection, phone: PhoneId, token: Token) -> Result<(), StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(phone.0));
    sql::run(conn, "UPDATE phone SET sealed = NULL WHERE id = ?", binds).await?;
    dnc::forget_subject(conn, token).await
}

/// Returns how many leads they were.
async fn forget_person(conn: &mut SqliteConnection, contact: ContactId) -> Result<u64, StoreError> {
    let one = || {
        let mut binds = Binds::default();
        binds.int(i64::from(contact.0));
        binds
    };
    sql::run(conn, "UPDATE contact SET sealed = NULL WHERE id = ?", one()).await?;
    sql::run(conn, "DELETE FROM contact_phone WHERE contact = ?", one()).await?;
    let clear = "UPDATE listed SET language = NULL, tags = NULL, columns = '{}'
        WHERE lead IN (SELECT id FROM lead WHERE contact = ?)";
    sql::run(conn, clear, one()).await?;
    sql::run(conn, "UPDATE lead SET state = 'dnc', until = 0 WHERE contact = ? AND state = 'waiting'", one()).await?;
    let leads = sql::number(conn, "SELECT count(*) FROM lead WHERE contact = ?", one()).await?;
    Ok(u64::try_from(leads).unwrap_or(0))
}
