//! The phones of one step of a load: found, numbered and sealed before the writer's lock is taken, written under it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{ContactId, PhoneId, Pii};
use crate::campaign::ListMap;
use crate::contact::{Row, is_test_number};
use crate::store::keys::{Sealed, Sealer, Token};
use crate::store::{Keys, StoreError};

use super::import::NextId;
use super::pack::{self, Blobs, Ints};
use super::sql::{self, Binds, Sizes};
use super::tokens::Tokens;

/// What one row has, in dial order.
pub(super) type Four = [Option<PhoneId>; ListMap::MAX_PHONES];

/// In the order of the rows.
pub(super) struct Phones<'r> {
    cells: Vec<Cell<'r>>,
    new: usize,
    first: u32,
    tokens: Vec<u8>,
    sealed: Blobs,
    is_test: Vec<u8>,
    /// Of the new ones, the contact that came with it.
    owners: Vec<ContactId>,
}

/// One number of one row.
struct Cell<'r> {
    contact: ContactId,
    number: &'r Pii<String>,
    id: PhoneId,
    /// Nobody knew it before.
    made: bool,
}

struct KnownPhone {
    owner: ContactId,
    shared: bool,
    erased: bool,
}

/// What a step finds out about numbers that more than one contact has.
#[derive(Default)]
struct Shared {
    newly: Vec<u32>,
    /// Everybody behind them, the known ones again.
    sharers: Vec<(PhoneId, ContactId)>,
}

static NEW: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (token, sealed, is_test, owner) = (pack::fixed(2, 16), pack::blob(3), pack::digit(6), pack::int(7));
    Arc::from(format!(
        "INSERT INTO phone(id, token, sealed, is_test, owner)
            SELECT ?1 + i, {token}, {sealed}, {is_test}, {owner} FROM nth WHERE i < ?10"
    ))
});

static LINKS: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (contact, phone) = (pack::int(1), pack::int(4));
    Arc::from(format!(
        "INSERT OR IGNORE INTO contact_phone(contact, phone) SELECT {contact}, {phone} FROM nth WHERE i < ?7"
    ))
});

static SHARERS: LazyLock<Sizes> = LazyLock::new(|| {
    let head = "INSERT OR IGNORE INTO shared_phone(phone, contact) SELECT * FROM (VALUES ";
    Sizes::new(head, "(?,?)", ") WHERE column1 IS NOT NULL")
});

static KNOWN: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM json_each(?) j CROSS JOIN phone p ON p.id = j.value";
    Arc::from(sql::pack(&["p.id", "p.owner", "p.shared", "p.sealed IS NULL"], from))
});

impl<'r> Phones<'r> {
    pub(super) async fn find(
        conn: &mut SqliteConnection,
        sealer: &mut Sealer<'_>,
        known: &mut Tokens,
        next: &mut NextId,
        (rows, contacts): (&'r [Row], &[ContactId]),
    ) -> Result<Self, StoreError> {
        let numbers = || {
            let pairs = contacts.iter().zip(rows);
            pairs.flat_map(|(id, row)| row.phones.iter().take(ListMap::MAX_PHONES).map(|number| (*id, number)))
        };
        let tokens: Vec<Token> = numbers().map(|(_, number)| sealer.token(Sealed::Phone, number)).collect();
        let found = known.find(conn, &tokens).await?;
        let mut out = Self {
            cells: Vec::with_capacity(tokens.len()),
            new: 0,
            first: next.peek(),
            tokens: Vec::with_capacity(tokens.len() * 16),
            sealed: Blobs::default(),
            is_test: Vec::with_capacity(tokens.len()),
            owners: Vec::with_capacity(tokens.len()),
        };
        for (((contact, number), token), found) in numbers().zip(tokens).zip(found) {
            let id = found.or_else(|| known.fresh(token));
            let made = id.is_none();
            let id = if let Some(id) = id {
                id
            } else {
                let id = next.take()?;
                known.note(token, id);
                out.tokens.extend_from_slice(&token.0);
                out.sealed.push_with(|into| sealer.seal_into(Sealed::Phone, number, into))?;
                out.is_test.push(b'0' + u8::from(is_test_number(number.reveal())));
                out.owners.push(contact);
                out.new += 1;
                id
            };
            out.cells.push(Cell { contact, number, id: PhoneId(id), made });
        }
        Ok(out)
    }

    /// Of each row.
    pub(super) fn of_rows(&self, rows: &[Row]) -> Vec<Four> {
        let mut ids = self.cells.iter().map(|cell| cell.id);
        let four = |row: &Row| {
            let mut four = [None; ListMap::MAX_PHONES];
            four.iter_mut().take(row.phones.len()).for_each(|place| *place = ids.next());
            four
        };
        rows.iter().map(four).collect()
    }

    /// Takes what [`Phones::find`] prepared. Numbers that serve several contacts are added to `shared`.
    pub(super) async fn write(
        &mut self,
        conn: &mut SqliteConnection,
        keys: &Keys,
        shared: &mut BTreeSet<PhoneId>,
    ) -> Result<(), StoreError> {
        let Shared { newly, sharers } = self.share(conn, keys, shared).await?;
        if self.new > 0 {
            let mut binds = Binds::default();
            binds.int(i64::from(self.first)).bytes(std::mem::take(&mut self.tokens));
            std::mem::take(&mut self.sealed).bind_blobs(&mut binds);
            binds.bytes(std::mem::take(&mut self.is_test));
            let mut owners = Ints::default();
            self.owners.iter().for_each(|owner| owners.push(owner.0));
            owners.bind(&mut binds);
            binds.int(self.new as i64);
            sql::run_text(conn, &NEW, binds).await?;
        }
        let (mut contacts, mut phones) = (Ints::default(), Ints::default());
        for cell in &self.cells {
            contacts.push(cell.contact.0);
            phones.push(cell.id.0);
        }
        let mut binds = Binds::default();
        contacts.bind(&mut binds);
        phones.bind(&mut binds);
        binds.int(self.cells.len() as i64);
        sql::run_text(conn, &LINKS, binds).await?;
        let bind = |binds: &mut Binds, (phone, contact): &(PhoneId, ContactId)| {
            binds.int(i64::from(phone.0)).int(i64::from(contact.0));
        };
        sql::run_all(conn, &SHARERS, &sharers, bind).await?;
        if !newly.is_empty() {
            let mut binds = Binds::default();
            binds.text(&sql::json_ids(newly));
            let text = "UPDATE phone SET shared = 1 WHERE id IN (SELECT value FROM json_each(?))";
            sql::run(conn, text, binds).await?;
        }
        Ok(())
    }

    /// Which numbers got a second contact with this step; the third and those behind it change nothing.
    async fn share(
        &mut self,
        conn: &mut SqliteConnection,
        keys: &Keys,
        shared: &mut BTreeSet<PhoneId>,
    ) -> Result<Shared, StoreError> {
        let mut known = self.known(conn).await?;
        let mut found = Shared::default();
        for cell in self.cells.iter().filter(|cell| !cell.made) {
            let mine = cell.id.0.checked_sub(self.first).and_then(|at| self.owners.get(at as usize));
            let fresh = mine.map(|owner| KnownPhone { owner: *owner, shared: false, erased: false });
            if let Some(fresh) = fresh {
                known.entry(cell.id).or_insert(fresh);
            }
            let Some(phone) = known.get_mut(&cell.id) else { continue };
            if phone.erased {
                // What was dialled for those before still counts for the number.
                if phone.owner != cell.contact {
                    found.sharers.extend([(cell.id, phone.owner), (cell.id, cell.contact)]);
                }
                *phone = KnownPhone { owner: cell.contact, shared: false, erased: false };
                let mut binds = Binds::default();
                binds.blob(&keys.seal(Sealed::Phone, cell.number)?).int(i64::from(cell.contact.0));
                binds.int(i64::from(cell.id.0));
                let text = "UPDATE phone SET sealed = ?, owner = ?, shared = 0 WHERE id = ?";
                sql::run(conn, text, binds).await?;
            }
            if phone.owner != cell.contact && !phone.shared {
                phone.shared = true;
                found.newly.push(cell.id.0);
                found.sharers.push((cell.id, phone.owner));
            }
            if phone.shared {
                shared.insert(cell.id);
                found.sharers.push((cell.id, cell.contact));
            }
        }
        Ok(found)
    }

    /// What the database says of those that were there before the step.
    async fn known(&self, conn: &mut SqliteConnection) -> Result<BTreeMap<PhoneId, KnownPhone>, StoreError> {
        let before = self.cells.iter().filter(|cell| !cell.made && cell.id.0 < self.first).map(|cell| cell.id.0);
        let mut out = BTreeMap::new();
        let ids = sql::json_ids(before);
        if ids == "[]" {
            return Ok(out);
        }
        let mut binds = Binds::default();
        binds.text(&ids);
        let [packed] = sql::texts(conn, &KNOWN, binds).await?;
        for mut cells in sql::records(&packed) {
            let id = PhoneId(cells.small()?);
            let known = KnownPhone { owner: ContactId(cells.small()?), shared: cells.yes()?, erased: cells.yes()? };
            out.insert(id, known);
        }
        Ok(out)
    }
}
