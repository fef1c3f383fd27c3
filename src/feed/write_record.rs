//! One outcome as a line of CSV or of JSON, for machines or for spreadsheets.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::fmt::temporal::DateTimePrinter;
use serde_json::{Map, Value};

use crate::base::Wall;
use crate::contact::{ColumnValue, Columns};
use crate::store::OutcomeRow;

use super::record::{COLUMNS, Cell};
use super::spreadsheet::escaped;

/// Name of the last column of `--features`: a JSON object.
pub const FEATURES: &str = "features";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    /// JSON Lines: one object a line.
    Jsonl,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Values as they are, the customer key verbatim.
    #[default]
    Machine,
    /// For people: what a spreadsheet would take for a formula is disarmed, keys and numbers are masked.
    Spreadsheet,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub format: Format,
    pub profile: Profile,
    /// With the list's columns and attributes as of the dial.
    pub features: bool,
}

impl Format {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

impl Profile {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Spreadsheet => "spreadsheet",
        }
    }
}

/// Collects the lines of one file.
#[derive(Debug)]
pub struct RecordWriter {
    style: Style,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    Csv(Box<csv::Writer<Vec<u8>>>),
    Jsonl(Vec<u8>),
}

impl RecordWriter {
    pub fn new(style: Style) -> io::Result<Self> {
        let lines = match style.format {
            Format::Csv => {
                let names = COLUMNS.iter().map(|column| column.name).chain(style.features.then_some(FEATURES));
                let mut writer = csv::Writer::from_writer(Vec::new());
                writer.write_record(names)?;
                Lines::Csv(Box::new(writer))
            }
            Format::Jsonl => Lines::Jsonl(Vec::new()),
        };
        Ok(Self { style, lines })
    }

    pub fn write(&mut self, row: &OutcomeRow) -> io::Result<()> {
        let Style { profile, features: with_features, .. } = self.style;
        match &mut self.lines {
            Lines::Csv(out) => {
                for column in COLUMNS {
                    out.write_field(text(profile, (column.get)(row)).as_bytes())?;
                }
                if with_features {
                    out.write_field(features(&row.columns).to_string())?;
                }
                out.write_record(None::<&[u8]>)?;
            }
            Lines::Jsonl(out) => {
                let mut between = '{';
                for column in COLUMNS {
                    // Names are identifiers of ours: nothing in them needs escaping.
                    write!(out, "{between}\"{}\":", column.name)?;
                    json(out, profile, (column.get)(row))?;
                    between = ',';
                }
                if with_features {
                    write!(out, ",\"{FEATURES}\":")?;
                    serde_json::to_writer(&mut *out, &features(&row.columns))?;
                }
                out.write_all(b"}\n")?;
            }
        }
        Ok(())
    }

    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self.lines {
            Lines::Csv(out) => out.into_inner().map_err(|error| io::Error::other(error.to_string())),
            Lines::Jsonl(out) => Ok(out),
        }
    }
}

/// RFC 3339 in UTC, always six decimals, so that the text sorts as the time does.
pub fn rfc3339(at: Wall) -> String {
    DateTimePrinter::new().precision(Some(6)).timestamp_to_string(&at.timestamp())
}

/// The columns of a list row as one JSON object, attributes as an object inside.
pub fn features(columns: &Columns) -> Value {
    let member = |(name, value): (&String, &ColumnValue)| (name.clone(), feature(value));
    Value::Object(columns.0.iter().map(member).collect())
}

fn feature(value: &ColumnValue) -> Value {
    match value {
        ColumnValue::Number(n) => Value::from(*n),
        ColumnValue::Integer(n) => Value::from(*n),
        ColumnValue::Text(text) => Value::from(text.as_str()),
        ColumnValue::Bool(yes) => Value::from(*yes),
        ColumnValue::Time(at) => Value::from(rfc3339(*at)),
        ColumnValue::Attributes(inner) => {
            Value::Object(inner.iter().map(|(name, value)| (name.clone(), feature(value))).collect::<Map<_, _>>())
        }
    }
}

/// Only texts are escaped: a negative number of ours is a number in a spreadsheet too.
fn text(profile: Profile, cell: Cell<'_>) -> Cow<'_, str> {
    match (cell, profile) {
        (Cell::None, _) => Cow::Borrowed(""),
        (Cell::Text(text), Profile::Machine) => text,
        (Cell::Text(text), Profile::Spreadsheet) => match escaped(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(safe) => Cow::Owned(safe),
        },
        (Cell::Personal(value), Profile::Machine) => Cow::Borrowed(value.reveal()),
        (Cell::Personal(value), Profile::Spreadsheet) => Cow::Owned(escaped(&value.to_string()).into_owned()),
        (Cell::Integer(n), _) => Cow::Owned(n.to_string()),
        (Cell::Short(n), _) => finite(n.is_finite(), &n),
        (Cell::Number(n), _) => finite(n.is_finite(), &n),
        (Cell::Bool(yes), _) => Cow::Borrowed(if yes { "true" } else { "false" }),
        (Cell::Time(at), _) => Cow::Owned(rfc3339(at)),
    }
}

fn finite(is_finite: bool, n: &impl ToString) -> Cow<'static, str> {
    if is_finite { Cow::Owned(n.to_string()) } else { Cow::Borrowed("") }
}

fn json(out: &mut Vec<u8>, profile: Profile, cell: Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::None => out.write_all(b"null")?,
        Cell::Text(text) => serde_json::to_writer(out, &text)?,
        Cell::Personal(value) if profile == Profile::Machine => serde_json::to_writer(out, value.reveal())?,
        Cell::Personal(value) => serde_json::to_writer(out, &value.to_string())?,
        Cell::Integer(n) => write!(out, "{n}")?,
        Cell::Short(n) => serde_json::to_writer(out, &n)?,
        Cell::Number(n) => serde_json::to_writer(out, &n)?,
        Cell::Bool(yes) => write!(out, "{yes}")?,
        Cell::Time(at) => write!(out, "\"{}\"", rfc3339(at))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pii;
    use crate::feed::{fixture, spreadsheet};

    fn lines(style: Style, rows: &[OutcomeRow]) -> String {
        let mut writer = RecordWriter::new(style).unwrap();
        for row in rows {
            writer.write(row).unwrap();
        }
        String::from_utf8(writer.into_bytes().unwrap()).unwrap()
    }

    fn csv_cell(text: &str, name: &str) -> String {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let at = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
        reader.records().next().unwrap().unwrap()[at].to_owned()
    }

    const MACHINE: Style = Style { format: Format::Csv, profile: Profile::Machine, features: true };

    #[test]
    fn csv_and_json_say_the_same_and_read_back() {
        let row = fixture::outcome(7);
        let csv = lines(MACHINE, std::slice::from_ref(&row));
        let json = lines(Style { format: Format::Jsonl, ..MACHINE }, &[row]);
        let object: Map<String, Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(object.len(), COLUMNS.len() + 1);
        for column in COLUMNS {
            let cell = csv_cell(&csv, column.name);
            match &object[column.name] {
                Value::Null => assert_eq!(cell, "", "{}", column.name),
                Value::String(text) => assert_eq!(&cell, text),
                Value::Bool(yes) => assert_eq!(cell, yes.to_string()),
                Value::Number(n) => assert_eq!(cell.parse().ok(), n.as_f64(), "{}", column.name),
                Value::Array(_) | Value::Object(_) => panic!("{}", column.name),
            }
        }
        assert_eq!(csv_cell(&csv, "score"), "0.713106");
        assert_eq!(csv_cell(&csv, "customer_key"), "=cmd|7");
        assert_eq!(csv_cell(&csv, "t_answered"), "2026-12-01T01:30:17.000000Z");
        assert_eq!((csv_cell(&csv, "ring_ms"), csv_cell(&csv, "talk_ms")), ("8000".to_owned(), "30000".to_owned()));
        assert_eq!(object["features"]["attrs"]["emp.var.rate"], "-1.1");
        assert_eq!(serde_json::from_str::<Value>(&csv_cell(&csv, "features")).unwrap(), object["features"]);
    }

    #[test]
    fn the_spreadsheet_profile_disarms_formulas_and_masks_people() {
        let mut row = fixture::outcome(1);
        row.outcome.disposition = Some("=HYPERLINK(\"http://x\")".into());
        row.campaign = "@sum".into();
        row.customer_key = Some(Pii::new("+8613800138000".into()));
        let style = Style { profile: Profile::Spreadsheet, features: false, ..MACHINE };
        let text = lines(style, &[row]);
        assert_eq!(csv_cell(&text, "disposition"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(spreadsheet::unescaped(&csv_cell(&text, "campaign")), "@sum");
        assert_eq!(csv_cell(&text, "customer_key"), "'+86138****8000");
        assert_eq!(csv_cell(&text, "index_value"), "-0.25");
    }

    #[test]
    fn a_number_that_is_none_is_an_empty_cell_and_null() {
        let mut row = fixture::outcome(1);
        row.context.index_value = f32::NEG_INFINITY;
        assert_eq!(csv_cell(&lines(MACHINE, std::slice::from_ref(&row)), "index_value"), "");
        let json = lines(Style { format: Format::Jsonl, ..MACHINE }, &[row]);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["index_value"], Value::Null);
    }
}
