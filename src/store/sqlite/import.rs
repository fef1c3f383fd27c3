//! Lists in: short transactions beside a running daemon, nothing visible before the list is published.
//!
//! A load is invisible until it is published and taken back if it never is, so its steps need no sync of their own and
//! no check of foreign keys; the commit that publishes it has both.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, ListId, PhoneId, Wall};
use crate::campaign::ListMap;
use crate::contact::Row;
use crate::store::keys::Sealer;
use crate::store::{ImportCounts, ImportStart, Keys, ListInfo, StoreError};

use super::load_contacts::Contacts;
use super::load_leads::{Leads, Place};
use super::load_phones::Phones;
use super::sql::{self, Binds, Cells};
use super::tokens::Tokens;
use super::{give_up, open, operate, pack, writing};

/// Rows of one transaction, some 10 ms of the one writer's lock: a daemon that dials from the same database waits for it,
/// and what a step needs of ciphers and texts is done before, so that the lock is free about half of the time.
const STEP: usize = 1_024;
/// All numbers of a step go into one statement.
const _: () = assert!(STEP * ListMap::MAX_PHONES <= pack::ROWS);
/// Bytes of one transaction, about.
const STEP_BYTES: usize = 4 * 1024 * 1024;

/// A load under way.
pub(super) struct Load {
    place: Place,
    counts: ImportCounts,
    shared: BTreeSet<PhoneId>,
    contacts: Tokens,
    phones: Tokens,
    next_contact: NextId,
    next_phone: NextId,
    next_lead: NextId,
    /// A step failed, and what is in memory no longer tells what is in the database.
    broken: bool,
    /// Only one load at a time, of any process: a list that is still loading without this lock was left by a crash.
    _lock: File,
}

pub(super) async fn begin(
    conn: &mut SqliteConnection,
    path: &Path,
    list: &ListInfo,
    now: Wall,
) -> Result<(ImportStart, Option<Load>), StoreError> {
    let lock = open::hold(path, "import-lock")?;
    give_up::left_by_a_crash(conn).await?;
    pack::prepare(conn).await?;
    let mut tx = writing(conn).await?;
    let campaign = operate::index_of(&mut tx, &list.campaign).await?;
    let mut binds = Binds::default();
    binds.int(i64::from(campaign.0)).blob(&list.sha256);
    let known = "SELECT id, rows FROM list WHERE campaign = ? AND sha256 = ? AND state = 1";
    if let Some(row) = sql::row(&mut tx, known, binds).await? {
        let mut cells = Cells::of(&row);
        return Ok((ImportStart::Already { list: ListId(cells.small()?), rows: cells.small()? }, None));
    }
    let mut binds = Binds::default();
    binds.int(i64::from(campaign.0)).text(&list.name).blob(&list.sha256).int(now.0);
    binds.maybe_int(list.expires_after.map(|after| (now + after).0));
    binds
        .maybe_text(list.model_id.as_deref())
        .maybe_text(list.model_version.as_deref())
        .text(list.model_alias.as_str());
    let text = "INSERT INTO list(campaign, name, sha256, at, expires, model_id, model_version, model_alias, state, first_contact,
            first_phone, first_lead)
        SELECT ?, ?, ?, ?, ?, ?, ?, ?, 0, (SELECT coalesce(max(id), 0) + 1 FROM contact),
            (SELECT coalesce(max(id), 0) + 1 FROM phone), (SELECT coalesce(max(id), 0) + 1 FROM lead)
        RETURNING id, first_contact, first_phone, first_lead";
    let Some(row) = sql::row(&mut tx, text, binds).await? else { return Err(StoreError::NoImport) };
    tx.commit().await?;
    let load = Load::new(Cells::of(&row), campaign, lock)?;
    Ok((ImportStart::Load(load.place.list), Some(load)))
}

pub(super) async fn rows(
    conn: &mut SqliteConnection,
    keys: &Keys,
    load: &mut Load,
    rows: &[Row],
) -> Result<(), StoreError> {
    if load.broken {
        return Err(StoreError::NoImport);
    }
    load.broken = true;
    give_up::relax(conn).await?;
    let done = steps(conn, &mut keys.sealer(), load, rows, keys).await;
    give_up::tighten(conn).await?;
    done?;
    load.broken = false;
    Ok(())
}

pub(super) async fn finish(
    conn: &mut SqliteConnection,
    mut load: Load,
    publish: bool,
) -> Result<ImportCounts, StoreError> {
    if !publish {
        give_up::list(conn, load.place.list).await?;
        return Ok(load.counts);
    }
    if load.broken {
        return Err(StoreError::NoImport);
    }
    give_up::relax(conn).await?;
    let written = load.write_tokens(conn, false).await;
    give_up::tighten(conn).await?;
    written?;
    let mut tx = writing(conn).await?;
    let mut binds = Binds::default();
    binds.int(load.counts.rows as i64).int(i64::from(load.place.list.0));
    if sql::run(&mut tx, "UPDATE list SET state = 1, rows = ? WHERE id = ? AND state = 0", binds).await? != 1 {
        return Err(StoreError::NoImport);
    }
    let mut binds = Binds::default();
    binds.int(i64::from(load.place.campaign.0)).int(i64::from(load.place.list.0));
    let reopen = "UPDATE lead SET state = 'waiting', until = 0, next_phone = 0, next_free = 0
        WHERE campaign = ? AND state IN ('exhausted', 'expired')
            AND EXISTS (SELECT 1 FROM listed r WHERE r.lead = lead.id AND r.list = ?)";
    load.counts.reopened = sql::run(&mut tx, reopen, binds).await?;
    operate::bump(&mut tx).await?;
    tx.commit().await?;
    Ok(load.counts)
}

async fn steps(
    conn: &mut SqliteConnection,
    sealer: &mut Sealer<'_>,
    load: &mut Load,
    mut rows: &[Row],
    keys: &Keys,
) -> Result<(), StoreError> {
    while !rows.is_empty() {
        let (step, behind) = rows.split_at(fitting(rows));
        load.step(conn, sealer, step, keys).await?;
        if load.contacts.is_full() || load.phones.is_full() {
            load.write_tokens(conn, true).await?;
        }
        rows = behind;
    }
    Ok(())
}

/// How many rows one transaction takes, at least one.
fn fitting(rows: &[Row]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&Row| {
        bytes += row.weight();
        bytes <= STEP_BYTES
    };
    rows.iter().take(STEP).take_while(fits).count().max(1)
}

impl Load {
    /// `id, first_contact, first_phone, first_lead`
    fn new(mut cells: Cells, campaign: CampaignIx, lock: File) -> Result<Self, StoreError> {
        let list = cells.int()?;
        let list = ListId(u32::try_from(list).map_err(|_| StoreError::Exhausted("lists"))?);
        let [contact, phone, lead] = [cells.int()?, cells.int()?, cells.int()?];
        let first_contact = u32::try_from(contact).map_err(|_| StoreError::Exhausted("contacts"))?;
        Ok(Self {
            place: Place { list, campaign, first_contact },
            counts: ImportCounts::default(),
            shared: BTreeSet::new(),
            contacts: Tokens::contacts(contact > 1),
            phones: Tokens::phones(phone > 1),
            next_contact: NextId { next: contact, what: "contacts" },
            next_phone: NextId { next: phone, what: "phones" },
            next_lead: NextId { next: lead, what: "leads" },
            broken: false,
            _lock: lock,
        })
    }

    /// Only the transaction at its end holds the writer's lock: the ciphers and the texts are done by then. Ids may be
    /// given out before, since nobody else gives any while the load runs.
    async fn step(
        &mut self,
        conn: &mut SqliteConnection,
        sealer: &mut Sealer<'_>,
        rows: &[Row],
        keys: &Keys,
    ) -> Result<(), StoreError> {
        let counts = &mut self.counts;
        counts.rows += rows.len() as u64;
        let mut contacts = Contacts::find(conn, sealer, &mut self.contacts, &mut self.next_contact, rows).await?;
        counts.new_contacts += contacts.new;
        let of = (rows, contacts.ids.as_slice());
        let mut phones = Phones::find(conn, sealer, &mut self.phones, &mut self.next_phone, of).await?;
        let fours = phones.of_rows(rows);
        let of = (rows, &contacts, fours.as_slice());
        let leads = Leads::find(conn, self.place, &mut self.next_lead, of, counts).await?;
        let mut tx = writing(conn).await?;
        contacts.write(&mut tx, keys, rows).await?;
        phones.write(&mut tx, keys, &mut self.shared).await?;
        leads.write(&mut tx).await?;
        counts.shared_phones = self.shared.len() as u64;
        tx.commit().await?;
        Ok(())
    }

    async fn write_tokens(&mut self, conn: &mut SqliteConnection, more: bool) -> Result<(), StoreError> {
        self.contacts.write(conn, more).await?;
        self.phones.write(conn, more).await
    }
}

/// Ids are 32 bits wide: the engine holds them by the million.
pub(super) struct NextId {
    next: i64,
    what: &'static str,
}

impl NextId {
    /// What [`NextId::take`] gives next; 0 if there is none.
    pub(super) fn peek(&self) -> u32 {
        u32::try_from(self.next).unwrap_or(0)
    }

    pub(super) fn take(&mut self) -> Result<u32, StoreError> {
        let id = u32::try_from(self.next).map_err(|_| StoreError::Exhausted(self.what))?;
        self.next += 1;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pii;
    use crate::contact::{ColumnValue, Columns};

    fn row(text: usize) -> Row {
        Row {
            line: 2,
            key: Pii::new("k1".to_owned()),
            phones: vec![Pii::new("+999200000001".to_owned())],
            zones: Vec::new(),
            language: None,
            consent: None,
            tags: Vec::new(),
            attempts_used: 0,
            score: 0.5,
            value: 1.0,
            columns: Columns([("note".to_owned(), ColumnValue::Text("x".repeat(text)))].into()),
        }
    }

    #[test]
    fn a_transaction_takes_so_many_rows_and_bytes_and_no_more() {
        assert_eq!(fitting(&vec![row(0); 3 * STEP]), STEP);
        assert_eq!(fitting(&vec![row(64 * 1024); STEP]), STEP_BYTES / row(64 * 1024).weight());
        assert_eq!(fitting(&[row(2 * STEP_BYTES), row(0)]), 1, "one row at least");
    }
}
