//! The contacts of one step of a load: found, numbered and sealed before the writer's lock is taken, written under it.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::ContactId;
use crate::contact::Row;
use crate::store::keys::{Sealed, Sealer, Token};
use crate::store::{Keys, StoreError};

use super::import::NextId;
use super::pack::{self, Blobs};
use super::sql::{self, Binds};
use super::tokens::Tokens;

/// In the order of the rows.
pub(super) struct Contacts {
    pub(super) ids: Vec<ContactId>,
    /// The row is the first that names the contact: nobody knew it.
    pub(super) made: Vec<bool>,
    pub(super) new: u64,
    first: u32,
    tokens: Vec<u8>,
    sealed: Blobs,
}

static NEW: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (token, sealed) = (pack::fixed(2, 16), pack::blob(3));
    Arc::from(format!("INSERT INTO contact(id, token, sealed) SELECT ?1 + i, {token}, {sealed} FROM nth WHERE i < ?6"))
});

static ERASED: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM json_each(?) j CROSS JOIN contact c ON c.id = j.value WHERE c.sealed IS NULL";
    Arc::from(sql::pack(&["c.id"], from))
});

impl Contacts {
    pub(super) async fn find(
        conn: &mut SqliteConnection,
        sealer: &mut Sealer<'_>,
        known: &mut Tokens,
        next: &mut NextId,
        rows: &[Row],
    ) -> Result<Self, StoreError> {
        let tokens: Vec<Token> = rows.iter().map(|row| sealer.token(Sealed::Contact, &row.key)).collect();
        let found = known.find(conn, &tokens).await?;
        let mut out = Self {
            ids: Vec::with_capacity(rows.len()),
            made: Vec::with_capacity(rows.len()),
            new: 0,
            first: next.peek(),
            tokens: Vec::with_capacity(rows.len() * 16),
            sealed: Blobs::default(),
        };
        for ((row, token), found) in rows.iter().zip(tokens).zip(found) {
            let id = found.or_else(|| known.fresh(token));
            out.made.push(id.is_none());
            let id = if let Some(id) = id {
                id
            } else {
                let id = next.take()?;
                known.note(token, id);
                out.tokens.extend_from_slice(&token.0);
                out.sealed.push_with(|into| sealer.seal_into(Sealed::Contact, &row.key, into))?;
                out.new += 1;
                id
            };
            out.ids.push(ContactId(id));
        }
        Ok(out)
    }

    /// Takes what [`Contacts::find`] prepared.
    pub(super) async fn write(
        &mut self,
        conn: &mut SqliteConnection,
        keys: &Keys,
        rows: &[Row],
    ) -> Result<(), StoreError> {
        self.seal_again(conn, keys, rows).await?;
        if self.new == 0 {
            return Ok(());
        }
        let mut binds = Binds::default();
        binds.int(i64::from(self.first)).bytes(std::mem::take(&mut self.tokens));
        std::mem::take(&mut self.sealed).bind_blobs(&mut binds);
        binds.int(self.new as i64);
        sql::run_text(conn, &NEW, binds).await
    }

    /// The bank names somebody again who was erased here.
    async fn seal_again(&self, conn: &mut SqliteConnection, keys: &Keys, rows: &[Row]) -> Result<(), StoreError> {
        let known = || self.ids.iter().zip(&self.made).zip(rows).filter(|((_, made), _)| !**made);
        if known().next().is_none() {
            return Ok(());
        }
        let mut binds = Binds::default();
        binds.text(&sql::json_ids(known().map(|((id, _), _)| id.0)));
        let [packed] = sql::texts(conn, &ERASED, binds).await?;
        let mut erased = BTreeSet::new();
        for mut cells in sql::records(&packed) {
            erased.insert(ContactId(cells.small()?));
        }
        for ((id, _), row) in known() {
            if erased.remove(id) {
                let mut binds = Binds::default();
                binds.blob(&keys.seal(Sealed::Contact, &row.key)?).int(i64::from(id.0));
                sql::run(conn, "UPDATE contact SET sealed = ? WHERE id = ?", binds).await?;
            }
        }
        Ok(())
    }
}
