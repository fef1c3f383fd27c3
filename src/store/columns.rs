//! Columns as text and back: JSON in which every value keeps its type.
//!
//! Times are `{"t": micros}` and attribute columns `{"a": {...}}`; a number has a point where an integer has none.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::Wall;
use crate::contact::{ColumnValue, Columns};

pub(crate) fn to_json(columns: &Columns) -> String {
    Value::Object(object(&columns.0)).to_string()
}

/// `None` for text that `to_json` cannot have written.
pub(crate) fn from_json(text: &str) -> Option<Columns> {
    match serde_json::from_str(text).ok()? {
        Value::Object(map) => cells(map).map(Columns),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

fn object(cells: &BTreeMap<String, ColumnValue>) -> Map<String, Value> {
    cells.iter().map(|(name, cell)| (name.clone(), value(cell))).collect()
}

/// A number that JSON cannot write (infinite, not a number) is no value; importers refuse them before.
fn value(cell: &ColumnValue) -> Value {
    match cell {
        ColumnValue::Number(number) => json!(number),
        ColumnValue::Integer(number) => json!(number),
        ColumnValue::Text(text) => json!(text),
        ColumnValue::Bool(yes) => json!(yes),
        ColumnValue::Time(at) => json!({ "t": at.0 }),
        ColumnValue::Attributes(cells) => json!({ "a": object(cells) }),
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
