//! Leads with what the newest published list says of them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, ContactId, LeadId, ListId, PhoneId, Pii, Split, Wall};
use crate::engine::{LeadRow, PhoneRow};
use crate::store::columns;
use crate::store::keys::Sealed;
use crate::store::{Keys, StoreError};

use super::batch::read_state;
use super::sql::{self, Binds, Cells};

const FROM: &str = "FROM lead l
    JOIN listed r ON r.lead = l.id AND r.list = (SELECT max(x.list) FROM listed x JOIN list y ON y.id = x.list
        WHERE x.lead = l.id AND y.state = 1)
    JOIN list i ON i.id = r.list
    JOIN contact c ON c.id = l.contact
    LEFT JOIN phone p0 ON p0.id = r.phone0 LEFT JOIN phone p1 ON p1.id = r.phone1
    LEFT JOIN phone p2 ON p2.id = r.phone2 LEFT JOIN phone p3 ON p3.id = r.phone3 WHERE";

/// `which`: a condition over `l`, with its order and limit.
pub(super) fn select(which: &str) -> Arc<str> {
    let (score, value) = (sql::digits("r.score"), sql::digits("r.value"));
    let fields = [
        "l.id",
        "l.contact",
        "hex(substr(c.token, 1, 8))",
        "l.campaign",
        "l.state",
        "l.until",
        "l.next_phone",
        "l.next_free",
        "r.list",
        "i.expires",
        &score,
        &value,
        "r.consent",
        "r.attempts_used",
        "r.columns",
        "r.zones",
        "p0.id",
        "p0.is_test",
        "p0.dead_at IS NOT NULL",
        "p1.id",
        "p1.is_test",
        "p1.dead_at IS NOT NULL",
        "p2.id",
        "p2.is_test",
        "p2.dead_at IS NOT NULL",
        "p3.id",
        "p3.is_test",
        "p3.dead_at IS NOT NULL",
    ];
    Arc::from(sql::pack_some(&fields, &format!("{FROM} {which}")))
}

static PAGE: LazyLock<Arc<str>> =
    LazyLock::new(|| select("l.campaign = ? AND l.id > ? AND l.state = 'waiting' ORDER BY l.id LIMIT ?"));

static OF_LIST: LazyLock<Arc<str>> =
    LazyLock::new(|| select("l.id > ? AND l.id <= ? AND r.list = ? AND l.state = 'waiting' ORDER BY l.id"));

static OF_CONTACT: LazyLock<Arc<str>> = LazyLock::new(|| select("l.contact = ? ORDER BY l.id"));

static KEYS: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM json_each(?) j CROSS JOIN contact c ON c.id = j.value WHERE c.sealed IS NOT NULL";
    Arc::from(sql::pack(&["c.id", "hex(c.sealed)"], from))
});

pub(super) async fn page(
    conn: &mut SqliteConnection,
    campaign: CampaignIx,
    after: LeadId,
    limit: usize,
) -> Result<Vec<LeadRow>, StoreError> {
    read_page(conn, &PAGE, campaign, after, limit).await
}

/// By a statement of [`select`] that takes campaign, the lead before, and how many.
pub(super) async fn read_page(
    conn: &mut SqliteConnection,
    statement: &Arc<str>,
    campaign: CampaignIx,
    after: LeadId,
    limit: usize,
) -> Result<Vec<LeadRow>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(campaign.0)).int(i64::from(after.0)).int(i64::try_from(limit).unwrap_or(i64::MAX));
    let [found] = sql::texts(conn, statement, binds).await?;
    sql::records(&found).map(read).collect()
}

/// A span of ids at a time: an index by list would cost every import, and a walk over all leads would hold up commits.
pub(super) async fn of_list(
    conn: &mut SqliteConnection,
    list: ListId,
    after: LeadId,
    span: u32,
) -> Result<(Vec<LeadRow>, Option<LeadId>), StoreError> {
    let up_to = after.0.saturating_add(span);
    let mut binds = Binds::default();
    binds.int(i64::from(after.0)).int(i64::from(up_to)).int(i64::from(list.0));
    let [found] = sql::texts(conn, &OF_LIST, binds).await?;
    let rows = sql::records(&found).map(read).collect::<Result<Vec<_>, _>>()?;
    let last = sql::number(conn, "SELECT coalesce(max(id), 0) FROM lead", Binds::default()).await?;
    Ok((rows, (i64::from(up_to) < last).then_some(LeadId(up_to))))
}

pub(super) async fn of_contact(conn: &mut SqliteConnection, contact: ContactId) -> Result<Vec<LeadRow>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(contact.0));
    let [found] = sql::texts(conn, &OF_CONTACT, binds).await?;
    sql::records(&found).map(read).collect()
}

pub(super) async fn find_contact(
    conn: &mut SqliteConnection,
    keys: &Keys,
    key: &Pii<String>,
) -> Result<Option<ContactId>, StoreError> {
    let mut binds = Binds::default();
    binds.blob(&keys.token(Sealed::Contact, key).0);
    let text =
        "SELECT c.id FROM contact_token x JOIN contact c ON c.id = x.id WHERE x.token = ? AND c.sealed IS NOT NULL";
    let row = sql::row(conn, text, binds).await?;
    row.map(|row| Cells::of(&row).small().map(ContactId)).transpose()
}

pub(super) async fn find_phone(
    conn: &mut SqliteConnection,
    keys: &Keys,
    e164: &Pii<String>,
) -> Result<Option<PhoneId>, StoreError> {
    let mut binds = Binds::default();
    binds.blob(&keys.token(Sealed::Phone, e164).0);
    let text = "SELECT p.id FROM phone_token x JOIN phone p ON p.id = x.id WHERE x.token = ? AND p.sealed IS NOT NULL";
    let row = sql::row(conn, text, binds).await?;
    row.map(|row| Cells::of(&row).small().map(PhoneId)).transpose()
}

pub(super) async fn customer_keys(
    conn: &mut SqliteConnection,
    keys: &Keys,
    contacts: &[ContactId],
) -> Result<Vec<Option<Pii<String>>>, StoreError> {
    let mut found = HashMap::new();
    let mut binds = Binds::default();
    binds.text(&sql::json_ids(contacts.iter().map(|id| id.0)));
    let [packed] = sql::texts(conn, &KEYS, binds).await?;
    for mut cells in sql::records(&packed) {
        let id = ContactId(cells.small()?);
        let sealed = cells.maybe_blob()?.unwrap_or_default();
        found.insert(id, keys.open(Sealed::Contact, &sealed));
    }
    Ok(contacts.iter().map(|id| found.get(id).cloned().flatten()).collect())
}

fn read(mut cells: Cells) -> Result<LeadRow, StoreError> {
    let lead = LeadId(cells.small()?);
    let contact = ContactId(cells.small()?);
    let split = Split(u64::from_be_bytes(cells.bytes()?));
    let campaign_ix = CampaignIx(cells.small()?);
    let state = read_state(&mut cells)?;
    let (next_phone, next_free) = (cells.small()?, cells.yes()?);
    let list = ListId(cells.small()?);
    let list_expires = cells.maybe_int()?.map(Wall);
    let (score, value) = (cells.real()? as f32, cells.real()? as f32);
    let consent = cells.maybe_int()?.map(|yes| yes != 0);
    let attempts_used = cells.small()?;
    let text = cells.text()?;
    let columns = columns::from_json(text).ok_or_else(|| StoreError::Corrupt(format!("the columns of lead {lead}")))?;
    let zones: Vec<String> = cells.text()?.split_whitespace().map(str::to_owned).collect();
    let mut phones = Vec::new();
    for _ in 0..crate::campaign::ListMap::MAX_PHONES {
        let (id, is_test, dead) = (cells.maybe_small()?, cells.maybe_int()?, cells.yes()?);
        if let Some(id) = id {
            phones.push(PhoneRow { phone: PhoneId(id), is_test: is_test == Some(1), dead, zones: zones.clone() });
        }
    }
    Ok(LeadRow {
        lead,
        contact,
        split,
        campaign_ix,
        list,
        list_expires,
        phones,
        score,
        value,
        consent,
        attempts_used,
        columns,
        state,
        next_phone,
        next_free,
    })
}
