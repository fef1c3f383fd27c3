//! Columns as text and back: JSON in which every value keeps its type.
//!
//! Times are `{"t": micros}` and attribute columns `{"a": {...}}`; a number has a point where an integer has none.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::base::Wall;
use crate::contact::{ColumnValue, Columns};

use super::StoreError;

pub(crate) fn to_json(columns: &Columns) -> String {
    let mut out = Vec::new();
    // Neither a `Vec` nor a map with text for keys can fail.
    let _infallible = write(columns, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Adds what [`to_json`] gives.
pub(crate) fn write(columns: &Columns, into: &mut Vec<u8>) -> Result<(), StoreError> {
    serde_json::to_writer(into, &Cells(&columns.0)).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// `None` for text that `to_json` cannot have written.
pub(crate) fn from_json(text: &str) -> Option<Columns> {
    match serde_json::from_str(text).ok()? {
        Value::Object(map) => cells(map).map(Columns),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

struct Cells<'c>(&'c BTreeMap<String, ColumnValue>);

struct Cell<'c>(&'c ColumnValue);

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, cell)| (name, Cell(cell))))
    }
}

impl Serialize for Cell<'_> {
    /// A number that JSON cannot write (infinite, not a number) is no value; importers refuse them before.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ColumnValue::Number(number) => to.serialize_f64(*number),
            ColumnValue::Integer(number) => to.serialize_i64(*number),
            ColumnValue::Text(text) => to.serialize_str(text),
            ColumnValue::Bool(yes) => to.serialize_bool(*yes),
            ColumnValue::Time(at) => to.collect_map([("t", at.0)]),
            ColumnValue::Attributes(cells) => to.collect_map([("a", Cells(cells))]),
        }
    }
}

fn cells(map: Map<String, Value>) -> Option<BTreeMap<String, ColumnValue>> {
    let mut out = BTreeMap::new();
    for (name, value) in map {
        if value.is_null() {
            continue;
        }
        out.insert(name, cell(value)?);
    }
    Some(out)
}

fn cell(value: Value) -> Option<ColumnValue> {
    match value {
        Value::Bool(yes) => Some(ColumnValue::Bool(yes)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(ColumnValue::Integer(whole)),
            None => number.as_f64().map(ColumnValue::Number),
        },
        Value::String(text) => Some(ColumnValue::Text(text)),
        Value::Object(map) => {
            let (tag, inner) = map.into_iter().next()?;
            match (tag.as_str(), inner) {
                ("t", Value::Number(at)) => at.as_i64().map(|at| ColumnValue::Time(Wall(at))),
                ("a", Value::Object(inner)) => cells(inner).map(ColumnValue::Attributes),
                _ => None,
            }
        }
        Value::Null | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_went() {
        let inner = BTreeMap::from([("emp.var.rate".to_owned(), ColumnValue::Number(-1.8))]);
        let columns = Columns(BTreeMap::from([
            ("whole".to_owned(), ColumnValue::Number(3.0)),
            ("tiny".to_owned(), ColumnValue::Number(1.25e-9)),
            ("count".to_owned(), ColumnValue::Integer(i64::MIN)),
            ("text".to_owned(), ColumnValue::Text("a \"b\"\n账".to_owned())),
            ("yes".to_owned(), ColumnValue::Bool(true)),
            ("at".to_owned(), ColumnValue::Time(Wall(-5))),
            ("attrs".to_owned(), ColumnValue::Attributes(inner)),
        ]));
        assert_eq!(from_json(&to_json(&columns)), Some(columns));
    }

    #[test]
    fn foreign_text_is_refused() {
        for bad in ["", "[]", "{\"a\":[1]}", "{\"a\":{\"x\":1}}", "{\"a\":{}}"] {
            assert_eq!(from_json(bad), None, "{bad}");
        }
    }
}
