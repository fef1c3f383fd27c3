//! One record of a list to one `contact::Row`, or the first reason why not.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::base::{Code, Pii};
use crate::contact::{ColumnValue, Columns, Country, Row, normalise, province_of, zones_of};
use crate::model::Feature;

use super::ListError;
use super::cells;
use super::csv::CELL_MAX;
use super::header::{Layout, ScoreAt};
use super::reject::{Reject, shape};
use super::table::Record;

/// Of a customer key, in bytes.
pub const KEY_MAX: usize = 128;
const LANGUAGE_MAX: usize = 35;
/// Zone names seen so far; a list rarely has more.
const ZONES_KEPT: usize = 64;

#[derive(Debug)]
pub struct RowReader {
    layout: Layout,
    country: Option<Country>,
    /// As the list spells it, and as the IANA database does.
    zones: Vec<(String, String)>,
    /// Cells that the last row was loaded without.
    pub notes: Vec<Reject>,
}

/// A row, and what a model needs to score it.
#[derive(Debug)]
pub struct ReadRow {
    pub row: Row,
    /// Empty where the list brings its scores; otherwise the row's own score means nothing yet.
    pub features: Vec<f32>,
}

/// Why a record is not a row.
#[derive(Debug)]
pub enum Refusal {
    Row(Reject),
    /// The whole file cannot be trusted.
    File(ListError),
}

impl From<Reject> for Refusal {
    fn from(reject: Reject) -> Self {
        Self::Row(reject)
    }
}

/// One record under its layout.
#[derive(Clone, Copy)]
struct Line<'a> {
    record: Record<'a>,
    layout: &'a Layout,
}

impl RowReader {
    pub fn new(layout: Layout, country: Option<Country>) -> Self {
        Self { layout, country, zones: Vec::new(), notes: Vec::new() }
    }

    pub fn read(&mut self, record: Record<'_>) -> Result<ReadRow, Refusal> {
        self.notes.clear();
        let Self { layout, country, zones, notes } = self;
        let line = Line { record, layout };
        line.check_text()?;
        let key = line.key()?;
        let phones = line.phones(*country, notes)?;
        let (score, features) = match &layout.score {
            ScoreAt::Column(column) => (line.required(*column, Code::ListScore, cells::score)?, Vec::new()),
            ScoreAt::Features(places) => (0.0, line.features(places)?),
            ScoreAt::Same(score) => (*score, Vec::new()),
        };
        let zones = line.zones(&phones, zones)?;
        let language = line.language()?;
        let consent = line.optional(layout.consent, cells::boolean)?;
        let tags = line.optional(layout.tags, cells::tags)?.unwrap_or_default();
        let attempts_used = line.optional(layout.attempts_used, cells::attempts_used)?.unwrap_or(0);
        let value = match layout.value {
            Some(column) => line.required(column, Code::ListValue, cells::value)?,
            None => 1.0,
        };
        let columns = line.columns()?;
        let row = Row {
            line: record.line,
            key,
            phones,
            zones,
            language,
            consent,
            tags,
            attempts_used,
            score,
            value,
            columns,
        };
        Ok(ReadRow { row, features })
    }
}

impl<'a> Line<'a> {
    fn cell(self, column: usize) -> &'a str {
        self.record.get(column).unwrap_or("").trim()
    }

    fn reject(self, column: usize, code: Code, reason: impl Into<String>) -> Reject {
        Reject::cell(self.record.line, self.layout.name(column), code, reason)
    }

    fn check_text(self) -> Result<(), Refusal> {
        let (record, layout) = (self.record, self.layout);
        let breaks = |column: &usize| record.get(*column).is_some_and(|cell| cell.contains('\n'));
        let broken = std::iter::once(&layout.key).chain(&layout.phones).find(|column| breaks(column));
        if let Some(column) = broken {
            if record.quoted {
                return Err(Refusal::File(ListError::Quote { opened: record.line, noticed: record.line }));
            }
            return Err(self.reject(*column, Code::ListCharacter, "holds a line break").into());
        }
        if record.len() != layout.names.len() {
            let reason = format!("{} cells, the header has {}", record.len(), layout.names.len());
            return Err(Reject::row(record.line, Code::ListRowLength, reason).into());
        }
        if let Some((column, why)) = record.flaw {
            return Err(self.reject(column, Code::ListValue, why).into());
        }
        if let Some((column, c)) = record.forbidden() {
            let reason = format!("holds the character U+{:04X}", u32::from(c));
            return Err(self.reject(column, Code::ListCharacter, reason).into());
        }
        match (0..record.len()).find(|column| record.get(*column).is_some_and(|cell| cell.len() > CELL_MAX)) {
            Some(column) => Err(self.reject(column, Code::ListLine, format!("longer than {CELL_MAX} bytes")).into()),
            None => Ok(()),
        }
    }

    /// Verbatim: blanks around it belong to it.
    fn key(self) -> Result<Pii<String>, Reject> {
        let column = self.layout.key;
        let key = self.record.get(column).unwrap_or("");
        if key.trim().is_empty() {
            return Err(self.reject(column, Code::ListKey, "the customer key is empty"));
        }
        if key.len() > KEY_MAX {
            return Err(self.reject(column, Code::ListKey, format!("a customer key has at most {KEY_MAX} bytes")));
        }
        Ok(Pii::new(key.to_owned()))
    }

    /// In dial order. A contact with one good number stays, without the bad ones.
    fn phones(self, country: Option<Country>, notes: &mut Vec<Reject>) -> Result<Vec<Pii<String>>, Reject> {
        let mut phones = Vec::with_capacity(self.layout.phones.len());
        let mut bad = Vec::new();
        for &column in &self.layout.phones {
            let cell = self.cell(column);
            if cell.is_empty() {
                continue;
            }
            match normalise(cell, country) {
                Ok(number) if phones.contains(&number.e164) => {}
                Ok(number) => phones.push(number.e164),
                Err(error) => {
                    let reason = format!("not a dialable number: {error} (`{}`)", shape(cell));
                    bad.push(self.reject(column, Code::ListPhone, reason));
                }
            }
        }
        if phones.is_empty() {
            let first = self.layout.phones.first().copied().unwrap_or(0);
            let empty = || self.reject(first, Code::ListPhone, "not a dialable number: the cell is empty");
            return Err(bad.into_iter().next().unwrap_or_else(empty));
        }
        notes.extend(bad.into_iter().map(|reject| Reject { loaded: true, ..reject }));
        Ok(phones)
    }

    /// The cells as they are, as `goldenhour score` reads them.
    fn features(self, places: &[(Feature, usize)]) -> Result<Vec<f32>, Reject> {
        let value = |(feature, column): &(Feature, usize)| {
            let cell = self.record.get(*column).unwrap_or("");
            feature.value(cell).map_err(|error| {
                let reason = format!("the model needs a number, this is {error}: `{}`", shape(cell));
                self.reject(*column, Code::ListScore, reason)
            })
        };
        places.iter().map(value).collect()
    }

    /// The list's own word, else every zone in which one of the numbers may ring.
    fn zones(self, phones: &[Pii<String>], known: &mut Vec<(String, String)>) -> Result<Vec<String>, Reject> {
        let Some((column, name)) = self.layout.zone.map(|c| (c, self.cell(c))).filter(|(_, cell)| !cell.is_empty())
        else {
            let mut zones: Vec<&str> = phones.iter().flat_map(|phone| zones_of(phone.reveal())).copied().collect();
            if phones.len() > 1 {
                zones.sort_unstable();
                zones.dedup();
            }
            return Ok(zones.into_iter().map(str::to_owned).collect());
        };
        if let Some((_, iana)) = known.iter().find(|(spelled, _)| spelled == name) {
            return Ok(vec![iana.clone()]);
        }
        let zone = TimeZone::get(name).ok();
        let Some(iana) = zone.as_ref().and_then(TimeZone::iana_name) else {
            let reason = format!("no time zone of the IANA database, but `{}`", shape(name));
            return Err(self.reject(column, Code::ListZone, reason));
        };
        if known.len() < ZONES_KEPT {
            known.push((name.to_owned(), iana.to_owned()));
        }
        Ok(vec![iana.to_owned()])
    }

    fn language(self) -> Result<Option<String>, Reject> {
        let Some(column) = self.layout.language else { return Ok(None) };
        let text = self.cell(column);
        let tag =
            text.len() <= LANGUAGE_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        match text {
            "" => Ok(None),
            text if tag => Ok(Some(text.to_owned())),
            text => Err(self.reject(column, Code::ListValue, format!("not a language tag, but `{}`", shape(text)))),
        }
    }

    fn columns(self) -> Result<Columns, Reject> {
        let mut columns = BTreeMap::new();
        let mut attributes = self.optional(self.layout.attributes, cells::attributes)?.unwrap_or_default();
        for (name, kind, column) in &self.layout.columns {
            if let Some(value) = self.optional(Some(*column), |text| cells::typed(*kind, text))? {
                columns.insert(name.clone(), value);
            }
        }
        for &column in &self.layout.spare {
            let (name, text) = (self.layout.name(column), self.cell(column));
            if !name.is_empty() && !text.is_empty() && !attributes.contains_key(name) {
                attributes.insert(name.to_owned(), ColumnValue::Text(text.to_owned()));
            }
        }
        if !attributes.is_empty() {
            columns.entry("attrs".to_owned()).or_insert(ColumnValue::Attributes(attributes));
        }
        Ok(Columns(columns))
    }

    fn required<T>(self, column: usize, code: Code, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Reject> {
        parse(self.cell(column)).map_err(|reason| self.reject(column, code, reason))
    }

    /// An empty cell is no value.
    fn optional<T>(
        self,
        column: Option<usize>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Reject> {
        let Some(column) = column else { return Ok(None) };
        if self.cell(column).is_empty() { Ok(None) } else { self.required(column, Code::ListValue, parse).map(Some) }
    }
}

/// Conditions ask for these by name, also where only the columns are at hand. A declared column of the name wins.
pub fn with_built_ins(mut row: Row) -> Row {
    let built_ins = [
        ("score", Some(ColumnValue::Number(row.score))),
        ("value", Some(ColumnValue::Number(row.value))),
        ("attempts_used", Some(ColumnValue::Integer(i64::from(row.attempts_used)))),
        ("consent", row.consent.map(ColumnValue::Bool)),
        ("language", row.language.clone().map(ColumnValue::Text)),
        ("phone_province", phone_province(&row.phones)),
        ("tags", Some(ColumnValue::Text(row.tags.join(";")))),
    ];
    for (name, value) in built_ins {
        if let Some(value) = value {
            row.columns.0.entry(name.to_owned()).or_insert(value);
        }
    }
    row
}

/// Of the first number, in dial order, whose province is known.
fn phone_province(phones: &[Pii<String>]) -> Option<ColumnValue> {
    phones.iter().find_map(|phone| province_of(phone.reveal())).map(|code| ColumnValue::Text(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{ColumnKind, ColumnSpec, ListMap};
    use crate::feed::fixture::{self, reject_of};

    fn two_phones() -> ListMap {
        ListMap {
            phones: vec!["mobile".into(), "home".into()],
            zone: None,
            consent: None,
            attributes: None,
            ..fixture::map()
        }
    }

    #[test]
    fn a_row_keeps_the_key_verbatim_and_the_types_of_its_columns() {
        let list = "contact_id,phone_e164,tz,lang,stage,score,score_rank,segment_tags,consent,attempts_used,attrs_json\n\
                    k 1,+999 200-000-001,asia/taipei,zh-CN,act,0.7,5,a=1;b,Y,2,\"{\"\"x\"\":1}\"\n";
        let (rows, rejects) = fixture::read(list, &fixture::full_map()).unwrap();
        assert_eq!(rejects, []);
        let row = &rows[0];
        assert_eq!((row.line, row.key.reveal().as_str(), row.phones[0].reveal().as_str()), (2, "k 1", "+999200000001"));
        assert_eq!((row.zones.as_slice(), row.language.as_deref()), (&["Asia/Taipei".to_owned()][..], Some("zh-CN")));
        assert_eq!((row.consent, row.attempts_used, row.tags.len(), row.value), (Some(true), 2, 2, 1.0));
        assert_eq!(row.columns.get("rank"), Some(&ColumnValue::Integer(5)));
        assert_eq!(row.columns.get("tags"), Some(&ColumnValue::Text("a=1;b".into())));
        let attributes = [("x", ColumnValue::Integer(1)), ("stage", ColumnValue::Text("act".into()))];
        let expected = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(row.columns.get("attrs"), Some(&ColumnValue::Attributes(expected)));
    }

    #[test]
    fn a_bad_second_number_is_noted_and_the_contact_stays() {
        let list = "contact_id,mobile,home,score\nk1,+999200000001,1.38e10,0.5\n";
        let mut rows = fixture::rows(list, &two_phones()).unwrap();
        assert!(rows.next().is_some());
        let [note] = rows.notes() else { panic!() };
        assert_eq!((note.column.as_str(), note.code, note.loaded), ("home", Code::ListPhone, true));
    }

    #[test]
    fn one_number_in_two_columns_is_one_number() {
        let list = "contact_id,mobile,home,score\nk1,+999200000001,+999-200-000-001,0.5\n";
        assert_eq!(fixture::read(list, &two_phones()).unwrap().0[0].phones.len(), 1);
    }

    #[test]
    fn without_a_zone_column_every_zone_of_every_number_counts() {
        let list = "contact_id,mobile,home,score\nk1,+12125550101,+13125550102,0.5\nk2,+999200000001,,0.5\n";
        let (rows, _) = fixture::read(list, &two_phones()).unwrap();
        assert_eq!(rows[0].zones, ["America/Chicago", "America/New_York"]);
        assert_eq!(rows[1].zones, [""; 0]);
    }

    #[test]
    fn the_first_number_whose_province_is_known_tells_it() {
        let list = "contact_id,mobile,home,score\n\
                    k1,+8613909510000,+8613000000000,0.5\nk2,+999200000001,+8613000000000,0.5\nk3,+999200000001,,0.5\n";
        let (rows, _) = fixture::read(list, &two_phones()).unwrap();
        let province = |row: usize| rows[row].columns.get("phone_province").cloned();
        assert_eq!(province(0), Some(ColumnValue::Text("CN-NX".into())));
        assert_eq!(province(1), Some(ColumnValue::Text("CN-SD".into())));
        assert_eq!(province(2), None);
    }

    #[test]
    fn a_missing_value_is_absent_and_a_wrong_one_is_refused() {
        let mut map = fixture::map();
        let spec = |kind| ColumnSpec { kind, from: "extra".into() };
        map.columns.insert("extra".into(), spec(ColumnKind::Bool));
        let list = format!("{},extra\nk1,+999200000001,,,0.5,,\nk2,+999200000002,,,0.5,,maybe\n", fixture::HEADER);
        let (rows, rejects) = fixture::read(list, &map).unwrap();
        assert_eq!((rows[0].columns.get("extra"), rows[0].consent), (None, None));
        assert_eq!((rejects[0].line, rejects[0].column.as_str(), rejects[0].code), (3, "extra", Code::ListValue));
        assert!(!rejects[0].reason.contains("maybe"));
    }

    #[test]
    fn every_refusal_names_its_column_and_hides_its_value() {
        for (line, column, code) in [
            (",+999200000009,Asia/Taipei,1,0.5,", "contact_id", Code::ListKey),
            ("k9,,Asia/Taipei,1,0.5,", "phone_e164", Code::ListPhone),
            ("k9,+999200000009,Mars/Olympus,1,0.5,", "tz", Code::ListZone),
            ("k9,+999200000009,Asia/Taipei,perhaps,0.5,", "consent", Code::ListValue),
            ("k9,+999200000009,Asia/Taipei,1,,", "score", Code::ListScore),
            ("k9,+999200000009,Asia/Taipei,1,0.5,{Zhang}", "attrs_json", Code::ListValue),
        ] {
            let reject = reject_of(line);
            assert_eq!((reject.line, reject.column.as_str(), reject.code), (4, column, code), "{line}");
            for secret in ["Mars", "perhaps", "Zhang", "200000009"] {
                assert!(!reject.reason.contains(secret), "{}", reject.reason);
            }
        }
    }

    #[test]
    fn a_key_or_a_cell_without_end_is_refused() {
        let long = "k".repeat(KEY_MAX + 1);
        assert_eq!(reject_of(&format!("{long},+999200000009,,1,0.5,")).code, Code::ListKey);
        let attributes = "x".repeat(CELL_MAX + 1);
        assert_eq!(reject_of(&format!("k9,+999200000009,,1,0.5,{attributes}")).code, Code::ListLine);
    }
}
