//! Ledgers of contacts and phones, as the rules read them: for a batch that authorises, and in pages for the engine.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;

use crate::base::{AttemptId, CampaignIx, ContactId, Now, PhoneId, Wall};
use crate::contact::CallResult;
use crate::engine::LedgerPage;
use crate::gate::{DncMark, Ledger, PastDial};
use crate::store::StoreError;
use crate::store::pages::{LedgerCursor, LedgerPart};

use super::sql::{self, Binds, Cells};

/// Dials before that are not counted by any cap we ship; refusals, complaints and the like are kept for ever.
pub(super) const LOOK_BACK: Duration = Duration::from_hours(90 * 24);

/// Ledgers by subject.
#[derive(Default)]
pub(super) struct Ledgers {
    pub(super) contacts: HashMap<ContactId, Ledger>,
    pub(super) phones: HashMap<PhoneId, Phone>,
}

pub(super) struct Phone {
    pub(super) ledger: Ledger,
    /// The number; `None` once erased.
    pub(super) sealed: Option<Vec<u8>>,
    /// Whose it is, if nobody shares it: all its dials are theirs.
    pub(super) sole: Option<ContactId>,
}

/// Fields for [`read_marks`] of `c`, a contact or a phone, and its do-not-call entry `d`.
pub(super) const MARKS: [&str; 5] =
    ["c.refused_at", "c.complained_at", "c.abandoned_at", "d.token IS NOT NULL", "d.until"];

const DIAL: [&str; 9] =
    ["a.contact", "a.phone", "hex(a.id)", "a.at", "a.campaign", "a.result", "a.contacted", "a.free", "a.callback"];

/// Each statement takes a JSON array of ids; those of dials take the start of the look-back before it.
pub(super) struct Statements {
    pub(super) contacts: String,
    pub(super) phones: String,
    pub(super) dials_of_contacts: String,
    pub(super) dials_of_shared: String,
}

/// Of phone `c`. The table tells it: `c.shared` begins anew for whoever has the number of somebody who was erased.
const SHARED: &str = "EXISTS (SELECT 1 FROM shared_phone s WHERE s.phone = c.id AND s.contact <> c.owner)";

pub(super) static STATEMENTS: LazyLock<Statements> = LazyLock::new(|| {
    let join = |table: &str| {
        format!(
            "FROM json_each(?) j CROSS JOIN {table} c ON c.id = j.value
                LEFT JOIN dnc d ON d.token = c.token AND d.removed_at IS NULL"
        )
    };
    // A live attempt counts however old it is.
    let dials = |join: &str| {
        let from = format!(
            "FROM (SELECT ? AS since) CROSS JOIN json_each(?) j {join}
             WHERE (a.at > since OR a.result IS NULL) AND a.result IS NOT 'void'"
        );
        sql::pack(&DIAL, &from)
    };
    let of = |more: &[&'static str]| [&["c.id"], &MARKS[..], more].concat();
    Statements {
        contacts: sql::pack(&of(&[]), &join("contact")),
        phones: sql::pack(&of(&["c.dead_at IS NOT NULL", "hex(c.sealed)", "c.owner", SHARED]), &join("phone")),
        dials_of_contacts: dials("CROSS JOIN attempt a ON a.contact = j.value"),
        dials_of_shared: dials(
            "CROSS JOIN shared_phone x ON x.phone = j.value CROSS JOIN attempt a ON a.contact = x.contact AND a.phone = x.phone",
        ),
    }
});

/// What a page of ledgers reads at once.
static PAGE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let Statements { contacts, phones, dials_of_contacts, dials_of_shared } = &*STATEMENTS;
    Arc::from(format!("SELECT ({contacts}), ({phones}), ({dials_of_contacts}), ({dials_of_shared})"))
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
            let sealed = cells.maybe_blob()?;
            let owner = ContactId(cells.small()?);
            let sole = (!cells.yes()?).then_some(owner);
            self.phones.insert(id, Phone { ledger, sealed, sole });
        }
        Ok(())
    }

    /// Of ledgers that are here already. The owners of phones that nobody shares must be among the contacts.
    pub(super) fn read_dials(&mut self, of_contacts: &str, of_shared: &str, now: Wall) -> Result<(), StoreError> {
        for cells in sql::records(of_contacts) {
            let (contact, dial) = read_dial(cells)?;
            if let Some(phone) = self.phones.get_mut(&dial.phone).filter(|phone| phone.sole.is_some()) {
                phone.ledger.dials.push(dial);
            }
            self.contacts.entry(contact).and_modify(|ledger| ledger.dials.push(dial));
        }
        for cells in sql::records(of_shared) {
            let (_, dial) = read_dial(cells)?;
            self.phones.entry(dial.phone).and_modify(|phone| phone.ledger.dials.push(dial));
        }
        for ledger in self.contacts.values_mut().chain(self.phones.values_mut().map(|phone| &mut phone.ledger)) {
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
    let (contacted, free, callback) = (cells.yes()?, cells.yes()?, cells.yes()?);
    let dial = PastDial { attempt, at, campaign, phone, result, contact: contacted, free, callback };
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

/// First contacts with attempts and the phones they were dialled on, then whoever is on the do-not-call list.
pub(super) async fn page(
    conn: &mut SqliteConnection,
    after: LedgerCursor,
    limit: usize,
    now: Now,
) -> Result<(LedgerPage, Option<LedgerCursor>), StoreError> {
    let limit = limit.clamp(1, i64::MAX as usize);
    let now = Wall(now.wall.0.max(super::operate::high_water(conn).await?.0));
    let (found, contacts, phones) = subjects(conn, after, limit).await?;
    let wanted = Wanted::new(contacts.iter().copied(), phones.iter().copied());
    let mut binds = Binds::default();
    binds.text(&wanted.contacts).text(&wanted.phones);
    wanted.bind_dials(&mut binds, now);
    let [packed_contacts, packed_phones, of_contacts, of_shared] = sql::texts(conn, &PAGE, binds).await?;
    let mut ledgers = Ledgers::default();
    ledgers.read_contacts(&packed_contacts)?;
    ledgers.read_phones(&packed_phones)?;
    ledgers.read_dials(&of_contacts, &of_shared, now)?;
    let mut page = LedgerPage::default();
    for id in contacts {
        page.contacts.extend(ledgers.contacts.remove(&id).map(|ledger| (id, ledger)));
    }
    for id in phones {
        page.phones.extend(ledgers.phones.remove(&id).map(|phone| (id, phone.ledger)));
    }
    let next = match (found.last(), after.part) {
        (Some(last), part) if found.len() == limit => Some(LedgerCursor { part, after: *last }),
        (Some(_) | None, LedgerPart::Contacts) => Some(LedgerCursor { part: LedgerPart::Dnc, after: 0 }),
        (Some(_) | None, LedgerPart::Dnc) => None,
    };
    Ok((page, next))
}

static HISTORIES: LazyLock<Arc<str>> = LazyLock::new(|| {
    let contacts = "FROM (SELECT DISTINCT contact FROM attempt WHERE contact > ? ORDER BY contact LIMIT ?)";
    let phones =
        format!("FROM (SELECT DISTINCT contact, phone FROM attempt WHERE contact IN (SELECT contact {contacts}))");
    let (contacts, phones) = (sql::pack(&["contact"], contacts), sql::pack(&["contact", "phone"], &phones));
    Arc::from(format!("SELECT ({contacts}), ({phones})"))
});

/// Every do-not-call entry is a change of its own. The owner of a number comes along: the number's dials are theirs.
static LISTED: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM dnc d LEFT JOIN contact_token c ON c.token = d.token
        LEFT JOIN phone_token x ON x.token = d.token LEFT JOIN phone p ON p.id = x.id
        WHERE d.change > ? AND d.removed_at IS NULL ORDER BY d.change LIMIT ?";
    Arc::from(sql::pack_some(&["d.change", "coalesce(c.id, p.owner)", "p.id"], from))
});

/// The cursors of what was found, and whose ledgers to load, each once.
async fn subjects(
    conn: &mut SqliteConnection,
    after: LedgerCursor,
    limit: usize,
) -> Result<(Vec<u64>, Vec<ContactId>, Vec<PhoneId>), StoreError> {
    let mut binds = Binds::default();
    let from = i64::try_from(after.after).unwrap_or(i64::MAX);
    binds.int(from).int(limit as i64);
    let (mut found, mut contacts, mut phones) = (Vec::new(), Vec::new(), Vec::new());
    match after.part {
        LedgerPart::Contacts => {
            binds.int(from).int(limit as i64);
            let [who, dialled] = sql::texts(conn, &HISTORIES, binds).await?;
            for mut cells in sql::records(&who) {
                let id: u32 = cells.small()?;
                found.push(u64::from(id));
                contacts.push(ContactId(id));
            }
            for mut cells in sql::records(&dialled) {
                cells.int()?;
                phones.push(PhoneId(cells.small()?));
            }
        }
        LedgerPart::Dnc => {
            let [packed] = sql::texts(conn, &LISTED, binds).await?;
            for mut cells in sql::records(&packed) {
                found.push(cells.small()?);
                contacts.extend(cells.maybe_small()?.map(ContactId));
                phones.extend(cells.maybe_small()?.map(PhoneId));
            }
        }
    }
    contacts.sort_unstable();
    contacts.dedup();
    phones.sort_unstable();
    phones.dedup();
    Ok((found, contacts, phones))
}
