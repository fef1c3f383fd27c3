//! What a list says of a lead, as a row of its own: compared with what the list before said, and kept for exports.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{LeadId, ListId, PhoneId};
use crate::contact::Row;
use crate::store::{StoreError, columns};

use super::load_phones::Four;
use super::pack::{self, Blobs, Ints, Reals};
use super::sql::{self, Binds, Cells};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    score: f64,
    value: f64,
    consent: Option<bool>,
    attempts_used: u16,
    language: Option<String>,
    tags: Option<String>,
    zones: String,
    columns: String,
    phones: [Option<PhoneId>; 4],
}

/// Of the newest published list, or of the list being loaded.
static NEWEST: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (score, value) = (sql::digits("r.score"), sql::digits("r.value"));
    let fields = [
        "r.lead",
        "r.list",
        &score,
        &value,
        "r.consent",
        "r.attempts_used",
        "r.language",
        "r.tags",
        "r.zones",
        "r.columns",
        "r.phone0",
        "r.phone1",
        "r.phone2",
        "r.phone3",
    ];
    let from = "FROM (SELECT ? AS loading) k CROSS JOIN json_each(?) j CROSS JOIN listed r ON r.lead = j.value
        JOIN list i ON i.id = r.list WHERE i.state = 1 OR i.id = k.loading";
    Arc::from(sql::pack(&fields, from))
});

static NEW: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (lead, score, value) = (pack::int(2), pack::real::<SCORE_BITS>(5), pack::real::<VALUE_BITS>(8));
    let (consent, attempts_used) = (pack::digit(11), pack::int(12));
    let (language, tags) = (pack::maybe_text(15), pack::maybe_text(18));
    let (zones, columns) = (pack::text(21), pack::text(24));
    let [phone0, phone1, phone2, phone3] = [27, 30, 33, 36].map(pack::int);
    Arc::from(format!(
        "INSERT INTO listed(list, lead, score, value, consent, attempts_used, language, tags, zones, columns, phone0,
            phone1, phone2, phone3)
        SELECT ?1, {lead}, {score}, {value}, nullif({consent}, {NO_CONSENT}), {attempts_used}, {language}, {tags},
            {zones}, {columns}, {phone0}, nullif({phone1}, 0), nullif({phone2}, 0), nullif({phone3}, 0)
        FROM nth WHERE i < ?39"
    ))
});

/// A score is at most 1, a value at most 1e15.
const SCORE_BITS: u32 = 62;
const VALUE_BITS: u32 = 12;
/// Beside 0 and 1.
const NO_CONSENT: u8 = 2;

/// Rows to be, in the form that one statement takes.
#[derive(Default)]
pub(super) struct Lines {
    count: usize,
    leads: Ints,
    scores: Reals<SCORE_BITS>,
    values: Reals<VALUE_BITS>,
    consent: Vec<u8>,
    attempts_used: Ints,
    languages: Blobs,
    tags: Blobs,
    zones: Blobs,
    columns: Blobs,
    phones: [Ints; 4],
    /// Numbers that do not fit the form: smaller than anybody means.
    odd: Vec<(LeadId, f64, f64)>,
}

impl Lines {
    pub(super) fn push(&mut self, lead: LeadId, row: &Row, phones: &Four) -> Result<(), StoreError> {
        self.count += 1;
        self.leads.push(lead.0);
        let exact = [self.scores.push(row.score), self.values.push(row.value)];
        if exact.contains(&false) {
            self.odd.push((lead, row.score, row.value));
        }
        self.consent.push(b'0' + row.consent.map_or(NO_CONSENT, u8::from));
        self.attempts_used.push(u32::from(row.attempts_used));
        self.languages.push(language_of(row).unwrap_or_default().as_bytes());
        self.tags.push(tags_of(row).unwrap_or_default().as_bytes());
        self.zones.push(zones_of(row).as_bytes());
        self.columns.push_with(|into| columns::write(&row.columns, into))?;
        for (to, phone) in self.phones.iter_mut().zip(phones) {
            to.push(phone.map_or(0, |id| id.0));
        }
        Ok(())
    }

    pub(super) async fn write(self, conn: &mut SqliteConnection, list: ListId) -> Result<(), StoreError> {
        if self.count == 0 {
            return Ok(());
        }
        let mut binds = Binds::default();
        binds.int(i64::from(list.0));
        self.leads.bind(&mut binds);
        self.scores.bind(&mut binds);
        self.values.bind(&mut binds);
        binds.bytes(self.consent);
        self.attempts_used.bind(&mut binds);
        for blobs in [self.languages, self.tags, self.zones, self.columns] {
            blobs.bind_texts(&mut binds);
        }
        for phones in self.phones {
            phones.bind(&mut binds);
        }
        binds.int(self.count as i64);
        sql::run_text(conn, &NEW, binds).await?;
        for (lead, score, value) in self.odd {
            let mut binds = Binds::default();
            binds.real(score).real(value).int(i64::from(lead.0)).int(i64::from(list.0));
            sql::run(conn, "UPDATE listed SET score = ?, value = ? WHERE lead = ? AND list = ?", binds).await?;
        }
        Ok(())
    }
}

impl Listed {
    pub(super) fn of(row: &Row, phones: &Four) -> Self {
        Self {
            score: row.score,
            value: row.value,
            consent: row.consent,
            attempts_used: row.attempts_used,
            language: language_of(row),
            tags: tags_of(row),
            zones: zones_of(row).into_owned(),
            columns: columns::to_json(&row.columns),
            phones: *phones,
        }
    }
}

fn language_of(row: &Row) -> Option<String> {
    row.language.as_deref().map(sql::clean).filter(|language| !language.is_empty())
}

fn tags_of(row: &Row) -> Option<String> {
    (!row.tags.is_empty()).then(|| serde_json::Value::from(row.tags.clone()).to_string())
}

fn zones_of(row: &Row) -> Cow<'_, str> {
    match row.zones.as_slice() {
        [one] if !one.bytes().any(|byte| byte < b' ') => Cow::Borrowed(one),
        zones => Cow::Owned(sql::clean(&zones.join(" "))),
    }
}

pub(super) async fn newest(
    conn: &mut SqliteConnection,
    leads: &[LeadId],
    loading: ListId,
) -> Result<HashMap<LeadId, (ListId, Listed)>, StoreError> {
    let mut out: HashMap<LeadId, (ListId, Listed)> = HashMap::with_capacity(leads.len());
    let mut binds = Binds::default();
    binds.int(i64::from(loading.0)).text(&sql::json_ids(leads.iter().map(|id| id.0)));
    let [packed] = sql::texts(conn, &NEWEST, binds).await?;
    for mut cells in sql::records(&packed) {
        let (lead, list) = (LeadId(cells.small()?), ListId(cells.small()?));
        let listed = Listed {
            score: cells.real()?,
            value: cells.real()?,
            consent: cells.maybe_int()?.map(|yes| yes != 0),
            attempts_used: cells.small()?,
            language: cells.maybe_text()?.map(str::to_owned),
            tags: cells.maybe_text()?.map(str::to_owned),
            zones: cells.text()?.to_owned(),
            columns: cells.text()?.to_owned(),
            phones: [phone(&mut cells)?, phone(&mut cells)?, phone(&mut cells)?, phone(&mut cells)?],
        };
        if out.get(&lead).is_none_or(|(known, _)| *known < list) {
            out.insert(lead, (list, listed));
        }
    }
    Ok(out)
}

fn phone(cells: &mut Cells) -> Result<Option<PhoneId>, StoreError> {
    Ok(cells.maybe_small()?.map(PhoneId))
}
