//! Lists in: short transactions beside a running daemon, nothing visible before the list is published.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, ContactId, LeadId, ListId, PhoneId, Pii, Wall};
use crate::campaign::ListMap;
use crate::contact::{ClosedWhy, LeadState, Row, is_test_number};
use crate::store::keys::{Sealed, Token};
use crate::store::{ImportCounts, ImportStart, Keys, ListInfo, StoreError};

use super::batch::read_state;
use super::listed::{self, Listed};
use super::sql::{self, Binds, Cells, Sizes};
use super::{dnc, give_up, open, operate, writing};

/// A load under way.
pub(super) struct Load {
    pub(super) list: ListId,
    pub(super) campaign: CampaignIx,
    counts: ImportCounts,
    shared: BTreeSet<PhoneId>,
    /// Only one load at a time, of any process: a list that is still loading without this lock was left by a crash.
    _lock: File,
}

static CONTACTS: LazyLock<Arc<str>> =
    LazyLock::new(|| by_token(&["hex(t.token)", "t.id", "t.sealed IS NULL"], "contact"));
static PHONES: LazyLock<Arc<str>> =
    LazyLock::new(|| by_token(&["hex(t.token)", "t.id", "t.owner", "t.shared", "t.sealed IS NULL"], "phone"));
static MARKED: LazyLock<Arc<str>> = LazyLock::new(|| by_token(&["hex(t.token)"], "dnc"));
static LEADS: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM (SELECT ? AS campaign) k CROSS JOIN json_each(?) j
        CROSS JOIN lead l ON l.contact = j.value AND l.campaign = k.campaign";
    Arc::from(sql::pack(&["l.id", "l.contact", "l.state", "l.until"], from))
});
static NEW_CONTACTS: LazyLock<Sizes> = LazyLock::new(|| Sizes::insert("contact(id, token, sealed)", 3));
static NEW_PHONES: LazyLock<Sizes> = LazyLock::new(|| Sizes::insert("phone(id, token, sealed, is_test, owner)", 5));
static NEW_LINKS: LazyLock<Sizes> = LazyLock::new(|| pairs("contact_phone"));
static NEW_SHARERS: LazyLock<Sizes> = LazyLock::new(|| pairs("shared_phone"));
static SHARED: LazyLock<Sizes> = LazyLock::new(|| Sizes::new("UPDATE phone SET shared = 1 WHERE id IN (", "?", ")"));
static NEW_LEADS: LazyLock<Sizes> = LazyLock::new(|| Sizes::insert("lead(id, campaign, contact)", 3));

pub(super) async fn begin(
    conn: &mut SqliteConnection,
    path: &Path,
    list: &ListInfo,
    now: Wall,
) -> Result<(ImportStart, Option<Load>), StoreError> {
    let lock = open::hold(path, "import-lock")?;
    give_up::left_by_a_crash(conn).await?;
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
    let text = "INSERT INTO list(campaign, name, sha256, at, expires, state, first_contact, first_phone, first_lead)
        SELECT ?, ?, ?, ?, ?, 0, (SELECT coalesce(max(id), 0) + 1 FROM contact),
            (SELECT coalesce(max(id), 0) + 1 FROM phone), (SELECT coalesce(max(id), 0) + 1 FROM lead)
        RETURNING id";
    let id = sql::number(&mut tx, text, binds).await?;
    tx.commit().await?;
    let list = ListId(u32::try_from(id).map_err(|_| StoreError::Exhausted("lists"))?);
    let load = Load { list, campaign, counts: ImportCounts::default(), shared: BTreeSet::new(), _lock: lock };
    Ok((ImportStart::Load(list), Some(load)))
}

pub(super) async fn rows(
    conn: &mut SqliteConnection,
    keys: &Keys,
    load: &mut Load,
    rows: &[Row],
) -> Result<(), StoreError> {
    let mut tx = writing(conn).await?;
    let mut counts = load.counts;
    counts.rows += rows.len() as u64;
    let contacts = note_contacts(&mut tx, keys, rows, &mut counts).await?;
    let phones = note_phones(&mut tx, keys, rows, &contacts, &mut load.shared).await?;
    counts.shared_phones = load.shared.len() as u64;
    note_leads(&mut tx, load, rows, &contacts, &phones, &mut counts).await?;
    tx.commit().await?;
    load.counts = counts;
    Ok(())
}

pub(super) async fn finish(
    conn: &mut SqliteConnection,
    mut load: Load,
    publish: bool,
) -> Result<ImportCounts, StoreError> {
    if !publish {
        give_up::list(conn, load.list).await?;
        return Ok(load.counts);
    }
    let mut tx = writing(conn).await?;
    let mut binds = Binds::default();
    binds.int(load.counts.rows as i64).int(i64::from(load.list.0));
    if sql::run(&mut tx, "UPDATE list SET state = 1, rows = ? WHERE id = ? AND state = 0", binds).await? != 1 {
        return Err(StoreError::NoImport);
    }
    let mut binds = Binds::default();
    binds.int(i64::from(load.campaign.0)).int(i64::from(load.list.0));
    let reopen = "UPDATE lead SET state = 'waiting', until = 0, next_phone = 0, next_free = 0
        WHERE campaign = ? AND state IN ('exhausted', 'expired')
            AND EXISTS (SELECT 1 FROM listed r WHERE r.lead = lead.id AND r.list = ?)";
    load.counts.reopened = sql::run(&mut tx, reopen, binds).await?;
    operate::bump(&mut tx).await?;
    tx.commit().await?;
    Ok(load.counts)
}

/// The contact of each row.
async fn note_contacts(
    conn: &mut SqliteConnection,
    keys: &Keys,
    rows: &[Row],
    counts: &mut ImportCounts,
) -> Result<Vec<ContactId>, StoreError> {
    let tokens: Vec<Token> = rows.iter().map(|row| keys.token(Sealed::Contact, &row.key)).collect();
    let (mut known, mut erased) = (HashMap::new(), HashMap::new());
    let [packed] = sql::texts(conn, &CONTACTS, tokens_in(&tokens)).await?;
    for mut cells in sql::records(&packed) {
        let (token, id) = (Token(cells.bytes()?), ContactId(cells.small()?));
        if cells.yes()? {
            erased.insert(token, id);
        }
        known.insert(token, id);
    }
    let mut next = next_id(conn, "SELECT coalesce(max(id), 0) + 1 FROM contact", "contacts").await?;
    let mut new = Vec::new();
    let mut out = Vec::with_capacity(rows.len());
    for (row, token) in rows.iter().zip(tokens) {
        if let Some(ContactId(id)) = erased.remove(&token) {
            let sealed = keys.seal(Sealed::Contact, &row.key)?;
            seal_again(conn, "UPDATE contact SET sealed = ?1 WHERE id IN (?2, ?3)", id, &sealed, ContactId(id)).await?;
        }
        let id = if let Some(id) = known.get(&token) {
            *id
        } else {
            let id = ContactId(next.take()?);
            new.push((id, token, keys.seal(Sealed::Contact, &row.key)?));
            known.insert(token, id);
            id
        };
        out.push(id);
    }
    counts.new_contacts += new.len() as u64;
    let bind = |binds: &mut Binds, (id, token, sealed): &(ContactId, Token, Vec<u8>)| {
        binds.int(i64::from(id.0)).blob(&token.0).blob(sealed);
    };
    sql::run_all(conn, &NEW_CONTACTS, &new, bind).await?;
    surface(conn, new.iter().map(|(_, token, _)| *token).collect()).await?;
    Ok(out)
}

/// One number of one row.
#[derive(Clone, Copy)]
struct Cell<'r> {
    contact: ContactId,
    number: &'r Pii<String>,
    token: Token,
}

#[derive(Clone, Copy)]
struct KnownPhone {
    id: PhoneId,
    owner: ContactId,
    shared: bool,
}

/// The phones of each row, in dial order.
async fn note_phones(
    conn: &mut SqliteConnection,
    keys: &Keys,
    rows: &[Row],
    contacts: &[ContactId],
    shared: &mut BTreeSet<PhoneId>,
) -> Result<Vec<Vec<PhoneId>>, StoreError> {
    let cells: Vec<Cell> = contacts
        .iter()
        .zip(rows)
        .map(|(contact, row)| {
            row.phones
                .iter()
                .take(ListMap::MAX_PHONES)
                .map(|number| Cell { contact: *contact, number, token: keys.token(Sealed::Phone, number) })
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>()
        .concat();
    let tokens: Vec<Token> = cells.iter().map(|cell| cell.token).collect();
    let mut known: HashMap<Token, KnownPhone> = HashMap::new();
    let mut erased = HashMap::new();
    let [packed] = sql::texts(conn, &PHONES, tokens_in(&tokens)).await?;
    for mut cells in sql::records(&packed) {
        let token = Token(cells.bytes()?);
        let phone = KnownPhone { id: PhoneId(cells.small()?), owner: ContactId(cells.small()?), shared: cells.yes()? };
        if cells.yes()? {
            erased.insert(token, phone.id);
        }
        known.insert(token, phone);
    }
    let mut next = next_id(conn, "SELECT coalesce(max(id), 0) + 1 FROM phone", "phones").await?;
    let (mut new, mut links) = (Vec::new(), Vec::new());
    let (mut newly_shared, mut sharers) = (Vec::new(), Vec::new());
    for Cell { contact, number, token } in &cells {
        if !known.contains_key(token) {
            let id = PhoneId(next.take()?);
            new.push((id, *token, keys.seal(Sealed::Phone, number)?, is_test_number(number.reveal()), *contact));
            known.insert(*token, KnownPhone { id, owner: *contact, shared: false });
        }
        let Some(phone) = known.get_mut(token) else { continue };
        if let Some(PhoneId(id)) = erased.remove(token) {
            let sealed = keys.seal(Sealed::Phone, number)?;
            // What was dialled for those before still counts for the number.
            if phone.owner != *contact {
                sharers.extend([(phone.id, phone.owner), (phone.id, *contact)]);
            }
            (phone.owner, phone.shared) = (*contact, false);
            let text = "UPDATE phone SET sealed = ?1, owner = ?3, shared = 0 WHERE id = ?2";
            seal_again(conn, text, id, &sealed, *contact).await?;
        }
        if phone.owner != *contact && !phone.shared {
            phone.shared = true;
            newly_shared.push(phone.id);
            sharers.push((phone.id, phone.owner));
        }
        if phone.shared {
            shared.insert(phone.id);
            sharers.push((phone.id, *contact));
        }
        links.push((*contact, phone.id));
    }
    let bind = |binds: &mut Binds, new: &(PhoneId, Token, Vec<u8>, bool, ContactId)| {
        let (id, token, sealed, is_test, owner) = new;
        binds.int(i64::from(id.0)).blob(&token.0).blob(sealed).int(i64::from(*is_test)).int(i64::from(owner.0));
    };
    sql::run_all(conn, &NEW_PHONES, &new, bind).await?;
    let bind = |binds: &mut Binds, (contact, phone): &(ContactId, PhoneId)| {
        binds.int(i64::from(contact.0)).int(i64::from(phone.0));
    };
    sql::run_all(conn, &NEW_LINKS, &links, bind).await?;
    let bind = |binds: &mut Binds, (phone, contact): &(PhoneId, ContactId)| {
        binds.int(i64::from(phone.0)).int(i64::from(contact.0));
    };
    sql::run_all(conn, &NEW_SHARERS, &sharers, bind).await?;
    sql::run_all(conn, &SHARED, &newly_shared, |binds, id| {
        binds.int(i64::from(id.0));
    })
    .await?;
    surface(conn, new.iter().map(|(_, token, ..)| *token).collect()).await?;
    let mut ids = links.iter().map(|(_, phone)| *phone);
    Ok(rows.iter().map(|row| ids.by_ref().take(row.phones.len().min(ListMap::MAX_PHONES)).collect()).collect())
}

async fn note_leads(
    conn: &mut SqliteConnection,
    load: &Load,
    rows: &[Row],
    contacts: &[ContactId],
    phones: &[Vec<PhoneId>],
    counts: &mut ImportCounts,
) -> Result<(), StoreError> {
    let mut known: BTreeMap<ContactId, (LeadId, LeadState)> = BTreeMap::new();
    let mut binds = Binds::default();
    binds.int(i64::from(load.campaign.0)).text(&sql::json_ids(contacts.iter().map(|id| id.0)));
    let [packed] = sql::texts(conn, &LEADS, binds).await?;
    for mut cells in sql::records(&packed) {
        let (lead, contact) = (LeadId(cells.small()?), ContactId(cells.small()?));
        known.insert(contact, (lead, read_state(&mut cells)?));
    }
    let leads: Vec<LeadId> = known.values().map(|(lead, _)| *lead).collect();
    let mut before = listed::newest(conn, &leads, load.list).await?;
    let mut next = next_id(conn, "SELECT coalesce(max(id), 0) + 1 FROM lead", "leads").await?;
    let (mut new, mut lines) = (Vec::new(), Vec::new());
    for ((row, contact), phones) in rows.iter().zip(contacts).zip(phones) {
        let (lead, state) = if let Some(known) = known.get(contact) {
            *known
        } else {
            let fresh = (LeadId(next.take()?), LeadState::Waiting { until: Wall::default() });
            new.push((fresh.0, *contact));
            known.insert(*contact, fresh);
            fresh
        };
        let line = Listed::of(row, phones);
        match before.get(&lead) {
            Some((list, _)) if *list == load.list => {
                counts.repeated += 1;
                continue;
            }
            Some((_, old)) if *old == line => counts.unchanged += 1,
            Some(_) => counts.updated_leads += 1,
            None => counts.new_leads += 1,
        }
        if matches!(state, LeadState::Closed(why) if ClosedWhy::reopens_with_a_newer_list(why)) {
            counts.reopened += 1;
        }
        before.insert(lead, (load.list, line.clone()));
        lines.push((lead, line));
    }
    let bind = |binds: &mut Binds, (lead, contact): &(LeadId, ContactId)| {
        binds.int(i64::from(lead.0)).int(i64::from(load.campaign.0)).int(i64::from(contact.0));
    };
    sql::run_all(conn, &NEW_LEADS, &new, bind).await?;
    listed::insert(conn, load.list, &lines).await
}

/// The bank names somebody again who was erased here.
async fn seal_again(
    conn: &mut SqliteConnection,
    text: &'static str,
    id: u32,
    sealed: &[u8],
    contact: ContactId,
) -> Result<(), StoreError> {
    let mut binds = Binds::default();
    binds.blob(sealed).int(i64::from(id)).int(i64::from(contact.0));
    sql::run(conn, text, binds).await?;
    Ok(())
}

async fn surface(conn: &mut SqliteConnection, new: Vec<Token>) -> Result<(), StoreError> {
    let [packed] = sql::texts(conn, &MARKED, tokens_in(&new)).await?;
    for mut cells in sql::records(&packed) {
        dnc::surface(conn, Token(cells.bytes()?)).await?;
    }
    Ok(())
}

fn by_token(fields: &[&str], table: &str) -> Arc<str> {
    Arc::from(sql::pack(fields, &format!("FROM json_each(?) j CROSS JOIN {table} t ON t.token = unhex(j.value)")))
}

/// Pairs that may be there already.
fn pairs(into: &str) -> Sizes {
    let head = format!("INSERT OR IGNORE INTO {into} SELECT * FROM (VALUES ");
    Sizes::new(&head, "(?,?)", ") WHERE column1 IS NOT NULL")
}

fn tokens_in(tokens: &[Token]) -> Binds {
    let mut binds = Binds::default();
    binds.text(&sql::json_blobs(tokens.iter().map(|token| token.0)));
    binds
}

/// Ids are 32 bits wide: the engine holds them by the million.
struct NextId {
    next: i64,
    what: &'static str,
}

async fn next_id(conn: &mut SqliteConnection, text: &'static str, what: &'static str) -> Result<NextId, StoreError> {
    Ok(NextId { next: sql::number(conn, text, Binds::default()).await?, what })
}

impl NextId {
    fn take(&mut self) -> Result<u32, StoreError> {
        let id = u32::try_from(self.next).map_err(|_| StoreError::Exhausted(self.what))?;
        self.next += 1;
        Ok(id)
    }
}
