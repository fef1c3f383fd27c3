//! What a list says of a lead, as a row of its own: compared with what the list before said, and kept for exports.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{LeadId, ListId, PhoneId};
use crate::contact::Row;
use crate::store::{StoreError, columns};

use super::sql::{self, Binds, Cells, Sizes};

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

static NEW: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::insert(
        "listed(lead, list, score, value, consent, attempts_used, language, tags, zones, columns, phone0, phone1,
            phone2, phone3)",
        14,
    )
});

impl Listed {
    pub(super) fn of(row: &Row, phones: &[PhoneId]) -> Self {
        let tags = (!row.tags.is_empty()).then(|| serde_json::Value::from(row.tags.clone()).to_string());
        let mut four = [None; 4];
        four.iter_mut().zip(phones).for_each(|(slot, phone)| *slot = Some(*phone));
        Self {
            score: row.score,
            value: row.value,
            consent: row.consent,
            attempts_used: row.attempts_used,
            language: row.language.as_deref().map(sql::clean).filter(|language| !language.is_empty()),
            tags,
            zones: sql::clean(&row.zones.join(" ")),
            columns: columns::to_json(&row.columns),
            phones: four,
        }
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

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    list: ListId,
    lines: &[(LeadId, Listed)],
) -> Result<(), StoreError> {
    let bind = |binds: &mut Binds, (lead, line): &(LeadId, Listed)| {
        binds
            .int(i64::from(lead.0))
            .int(i64::from(list.0))
            .real(line.score)
            .real(line.value)
            .maybe_int(line.consent.map(i64::from))
            .int(i64::from(line.attempts_used))
            .maybe_text(line.language.as_deref())
            .maybe_text(line.tags.as_deref())
            .text(&line.zones)
            .text(&line.columns);
        for phone in line.phones {
            binds.maybe_int(phone.map(|id| i64::from(id.0)));
        }
    };
    sql::run_all(conn, &NEW, lines, bind).await?;
    Ok(())
}

fn phone(cells: &mut Cells) -> Result<Option<PhoneId>, StoreError> {
    Ok(cells.maybe_small()?.map(PhoneId))
}
