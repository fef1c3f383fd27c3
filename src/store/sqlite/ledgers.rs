//! Ledgers of contacts and phones, as the rules read them: for a batch that authorises, and in pages for the engine.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::base::{AttemptId, CampaignIx, ContactId, Now, PhoneId, Wall};
use crate::contact::CallResult;
use crate::engine::LedgerPage;
use crate::gate::{DncMark, Ledger, PastDial};
use crate::store::StoreError;
use crate::store::pages::{LedgerCursor, LedgerPart};

use super::sql::{self, Binds, Cells};

/// Dials before that are not counted by any cap we ship; refusals, complaints and the like are kept for ever.
pub(super) const LOOK_BACK: Duration = Duration::from_hours(90 * 24);

/// Ledgers by subject. Phones carry their sealed number.
#[derive(Default)]
pub(super) struct Ledgers {
    pub(super) contacts: HashMap<ContactId, Ledger>,
    pub(super) phones: HashMap<PhoneId, (Ledger, Option<Vec<u8>>)>,
}

/// Fields for [`read_marks`] of `c`, a contact or a phone, and its do-not-call entry `d`.
pub(super) const MARKS: [&str; 5] =
    ["c.refused_at", "c.complained_at", "c.abandoned_at", "d.token IS NOT NULL", "d.until"];

const DIAL: [&str; 8] =
    ["a.contact", "a.phone", "hex(a.id)", "a.at", "a.campaign", "a.result", "a.contacted", "a.free"];

/// Each statement takes a JSON array of ids; those of dials take the start of the look-back before it.
pub(super) struct Statements {
    pub(super) contacts: String,
    pub(super) phones: String,
    pub(super) dials_of_contacts: String,
    pub(super) dials_of_phones: String,
}

pub(super) static STATEMENTS: LazyLock<Statements> = LazyLock::new(|| {
    let join = |table: &str| {
        format!(
            "FROM json_each(?) j CROSS JOIN {table} c ON c.id = j.value
                LEFT JOIN dnc d ON d.token = c.token AND d.removed_at IS NULL"
        )
    };
    // A live attempt counts however old it is.
    let dials = |column: &str| {
        let from = format!(
            "FROM (SELECT ? AS since) CROSS JOIN json_each(?) j CROSS JOIN attempt a ON a.{column} = j.value
             WHERE (a.at > since OR a.result IS NULL) AND a.result IS NOT 'void'"
        );
        sql::pack(&DIAL, &from)
    };
    let of = |more: &[&'static str]| [&["c.id"], &MARKS[..], more].concat();
    Statements {
        contacts: sql::pack(&of(&[]), &join("contact")),
        phones: sql::pack(&of(&["c.dead_at IS NOT NULL", "hex(c.sealed)"]), &join("phone")),
        dials_of_contacts: dials("contact"),
        dials_of_phones: dials("phone"),
    }
});

/// What a page of ledgers reads at once.
static PAGE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let Statements { contacts, phones, dials_of_contacts, dials_of_phones } = &*STATEMENTS;
    Arc::from(format!("SELECT ({contacts}), ({phones}), ({dials_of_contacts}), ({dials_of_phones})"))
});

/// Whose ledgers, as parameters.
pub(super) struct Wanted {
    pub(super) contacts: String,
    pub(super) phones: String,
}

impl Wanted {
    pub(super) fn new(contacts: impl Iterator<Item = ContactId>, phones: impl Iterator<Item = PhoneId>) -> Self {
        Self { contacts: sql::json_ids(contacts.map(|id| id.0)), phones: sql::json_ids(phones.map(|id| id.0)) }
    }

    /// For both statements of dials, in their order.
    pub(super) fn bind_dials(&self, binds: &mut Binds, now: Wall) {
        let since = (now - LOOK_BACK).0;
        binds.int(since).text(&self.contacts).int(since).text(&self.phones);
    }
}

impl Ledgers {
    pub(super) fn read_contacts(&mut self, packed: &str) -> Result<(), StoreError> {
        for mut cells in sql::records(packed) {
            let id = ContactId(cells.small()?);
            let ledger = read_marks(&mut cells)?;
            self.contacts.insert(id, ledger);
        }
        Ok(())
    }

    pub(super) fn read_phones(&mut self, packed: &str) -> Result<(), StoreError> {
        for mut cells in sql::records(packed) {
            let id = PhoneId(cells.small()?);
            let mut ledger = read_marks(&mut cells)?;
            ledger.dead = cells.yes()?;
            self.phones.insert(id, (ledger, cells.maybe_blob()?));
        }
        Ok(())
    }

    /// Of ledgers that are here already.
    pub(super) fn read_dials(&mut self, of_contacts: &str, of_phones: &str, now: Wall) -> Result<(), StoreError> {
        for cells in sql::records(of_contacts) {
            let (contact, dial) = read_dial(cells)?;
            self.contacts.entry(contact).and_modify(|ledger| ledger.dials.push(dial));
        }
        for cells in sql::records(of_phones) {
            let (_, dial) = read_dial(cells)?;
            self.phones.entry(dial.phone).and_modify(|(ledger, _)| ledger.dials.push(dial));
        }
        for ledger in self.contacts.values_mut().chain(self.phones.values_mut().map(|(ledger, _)| ledger)) {
            settle(ledger, now - LOOK_BACK);
        }
        Ok(())
    }
}

/// `refused_at, complained_at, abandoned_at, has mark, until`
pub(super) fn read_marks(cells: &mut Cells) -> Result<Ledger, StoreError> {
    let refused_at = cells.maybe_int()?.map(Wall);
    let complained_at = cells.maybe_int()?.map(Wall);
    let abandoned_at = cells.maybe_int()?.map(Wall);
    let has_mark = cells.yes()?;
    let until = cells.maybe_int()?.map(Wall);
    let dnc = has_mark.then_some(DncMark { until });
    Ok(Ledger { dials: Vec::new(), refused_at, complained_at, abandoned_at, dnc, dead: false })
}

fn read_dial(mut cells: Cells) -> Result<(ContactId, PastDial), StoreError> {
    let contact = ContactId(cells.small()?);
    let phone = PhoneId(cells.small()?);
    let attempt = AttemptId::from_bytes(cells.bytes()?);
    let at = Wall(cells.int()?);
    let campaign = CampaignIx(cells.small()?);
    let result = match cells.maybe_text()? {
        Some(text) => {
            Some(CallResult::parse(text).ok_or_else(|| StoreError::Corrupt(format!("the call result `{text}`")))?)
        }
        None => None,
    };
    let dial = PastDial { attempt, at, campaign, phone, result, contact: cells.yes()?, free: cells.yes()? };
    Ok((contact, dial))
}

/// Oldest first, the oldest beyond [`Ledger::KEEP`] left out.
fn settle(ledger: &mut Ledger, since: Wall) {
    ledger.dials.retain(|dial| dial.at > since || dial.result.is_none());
    ledger.dials.sort_unstable_by_key(|dial| (dial.at, dial.attempt));
    ledger.dials.dedup_by_key(|dial| dial.attempt);
    let surplus = ledger.dials.len().saturating_sub(Ledger::KEEP);
    ledger.dials.drain(..surplus);
}

/// First contacts with attempts, then phones with attempts, then whoever is on the do-not-call list.
pub(super) async fn page(
    conn: &mut SqliteConnection,
    after: LedgerCursor,
    limit: usize,
    now: Now,
) -> Result<(LedgerPage, Option<LedgerCursor>), StoreError> {
    let limit = limit.clamp(1, i64::MAX as usize);
    let mut contacts = Vec::new();
    let mut phones = Vec::new();
    let mut last = after.after;
    let found = subjects(conn, after, limit).await?;
    for row in &found {
        let mut cells = Cells::of(row);
        last = cells.small()?;
        contacts.extend(cells.maybe_small()?.map(ContactId));
        phones.extend(cells.maybe_small()?.map(PhoneId));
    }
    let now = Wall(now.wall.0.max(super::operate::high_water(conn).await?.0));
    let mut ledgers = Ledgers::default();
    let wanted = Wanted::new(contacts.iter().copied(), phones.iter().copied());
    let mut binds = Binds::default();
    binds.text(&wanted.contacts).text(&wanted.phones);
    wanted.bind_dials(&mut binds, now);
    let [found_contacts, found_phones, of_contacts, of_phones] = sql::texts(conn, &PAGE, binds).await?;
    ledgers.read_contacts(&found_contacts)?;
    ledgers.read_phones(&found_phones)?;
    ledgers.read_dials(&of_contacts, &of_phones, now)?;
    let mut page = LedgerPage::default();
    for id in contacts {
        page.contacts.extend(ledgers.contacts.remove(&id).map(|ledger| (id, ledger)));
    }
    for id in phones {
        page.phones.extend(ledgers.phones.remove(&id).map(|(ledger, _)| (id, ledger)));
    }
    let next = match (found.len() < limit, after.part) {
        (false, part) => Some(LedgerCursor { part, after: last }),
        (true, LedgerPart::Contacts) => Some(LedgerCursor { part: LedgerPart::Phones, after: 0 }),
        (true, LedgerPart::Phones) => Some(LedgerCursor { part: LedgerPart::Dnc, after: 0 }),
        (true, LedgerPart::Dnc) => None,
    };
    Ok((page, next))
}

/// Rows of cursor, contact, phone. Every do-not-call entry is a change of its own.
async fn subjects(
    conn: &mut SqliteConnection,
    after: LedgerCursor,
    limit: usize,
) -> Result<Vec<SqliteRow>, StoreError> {
    let text = match after.part {
        LedgerPart::Contacts => {
            "SELECT DISTINCT contact, contact, NULL FROM attempt WHERE contact > ? ORDER BY contact LIMIT ?"
        }
        LedgerPart::Phones => "SELECT DISTINCT phone, NULL, phone FROM attempt WHERE phone > ? ORDER BY phone LIMIT ?",
        LedgerPart::Dnc => {
            "SELECT d.change, c.id, p.id FROM dnc d LEFT JOIN contact_token c ON c.token = d.token
                LEFT JOIN phone_token p ON p.token = d.token
             WHERE d.change > ? AND d.removed_at IS NULL ORDER BY d.change LIMIT ?"
        }
    };
    let mut binds = Binds::default();
    binds.int(i64::try_from(after.after).unwrap_or(i64::MAX)).int(limit as i64);
    sql::rows(conn, text, binds).await
}
