//! Do the tables and the decoder say the same? For tests of both.

use std::collections::{BTreeMap, BTreeSet};

use crate::campaign::decode::{Asked, Node, NodeKind, Scalar};

use super::{Shape, Value};

/// Shapes and words below these tables, by the decoder's name for them.
#[derive(Default)]
struct Shown {
    shapes: BTreeMap<&'static str, Vec<&'static Shape>>,
    words: BTreeMap<&'static str, BTreeSet<String>>,
}

/// Every difference in words. `only_shown` are lists of words that the decoder reads in another way.
pub fn differences(tables: &[&'static Shape], asked: &[Asked], only_shown: &[&str]) -> Vec<String> {
    let mut shown = Shown::default();
    for table in tables {
        shown.shape(table);
    }
    let mut out = Vec::new();
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut words: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for asked in asked {
        match asked {
            Asked::Keys { what, known, required } => {
                keys.entry(what).or_default().extend(known);
                let shapes = shown.shapes.get(what).map(Vec::as_slice).unwrap_or_default();
                let says = |shape: &Shape| {
                    required.iter().all(|key| shape.keys().any(|shown| shown.name == *key && shown.required))
                };
                if !shapes.iter().any(|shape| says(shape)) {
                    out.push(format!("{what}: the decoder requires {required:?}, the table does not"));
                }
            }
            Asked::Words { what, words: found } => {
                words.entry(what.as_str()).or_default().extend(found.iter().cloned());
            }
        }
    }
    for (what, shapes) in &shown.shapes {
        let in_table: BTreeSet<&str> = shapes.iter().flat_map(|shape| shape.keys()).map(|key| key.name).collect();
        compare(what, &in_table, keys.get(what).unwrap_or(&BTreeSet::new()), &mut out);
    }
    out.extend(keys.keys().filter(|what| !shown.shapes.contains_key(*what)).map(|what| format!("{what}: in no table")));
    for (what, in_table) in shown.words.iter().filter(|(what, _)| !only_shown.contains(what)) {
        compare(what, in_table, words.get(what).unwrap_or(&BTreeSet::new()), &mut out);
    }
    out.extend(words.keys().filter(|what| !shown.words.contains_key(*what)).map(|what| format!("{what}: in no table")));
    out
}

fn compare<T: Ord + std::fmt::Debug>(what: &str, table: &BTreeSet<T>, decoder: &BTreeSet<T>, out: &mut Vec<String>) {
    if decoder.is_empty() {
        out.push(format!("{what}: the sample of the test never asks for it"));
        return;
    }
    out.extend(table.difference(decoder).map(|key| format!("{what}: {key:?} is in the table, and not decoded")));
    out.extend(decoder.difference(table).map(|key| format!("{what}: {key:?} is decoded, and in no table")));
}

impl Shown {
    fn shape(&mut self, shape: &'static Shape) {
        let known = self.shapes.entry(shape.what).or_default();
        if known.iter().any(|known| std::ptr::eq(*known, shape)) {
            return;
        }
        known.push(shape);
        shape.keys().for_each(|key| self.value(key.value));
    }

    fn value(&mut self, value: Value) {
        match value {
            Value::Words(words) => {
                self.words.entry(words.what).or_default().extend((words.words)().into_iter().map(str::to_owned));
            }
            Value::Map(shape) => self.shape(shape),
            Value::List(value) | Value::Named(_, value) | Value::Each(_, value) => self.value(*value),
            Value::Either(values) => values.iter().for_each(|value| self.value(*value)),
            Value::Text
            | Value::Const(_)
            | Value::Of(_)
            | Value::Integer(..)
            | Value::Number(..)
            | Value::Bool
            | Value::Condition
            | Value::Scalar => {}
        }
    }
}

/// The tree as an editor's YAML 1.2 reader sees it.
pub fn json(node: &Node) -> serde_json::Value {
    match &node.kind {
        NodeKind::Scalar(scalar) => scalar_json(scalar),
        NodeKind::List(items) => items.iter().map(json).collect(),
        NodeKind::Map(entries) => entries.iter().map(|entry| (entry.key.text.clone(), json(&entry.value))).collect(),
        NodeKind::Refused => serde_json::Value::Null,
    }
}

fn scalar_json(scalar: &Scalar) -> serde_json::Value {
    let text = scalar.text.as_str();
    if scalar.quoted {
        return text.into();
    }
    match text {
        "" | "~" | "null" => serde_json::Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => number.into(),
            (Err(_), Ok(number)) if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => number.into(),
            (Err(_), Ok(_) | Err(_)) => text.into(),
        },
    }
}
