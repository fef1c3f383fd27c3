//! The values of one list row under the names that conditions use.

use std::collections::BTreeMap;

use crate::base::Wall;

/// A typed cell. An empty cell is no value at all: it is absent from [`Columns`].
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValue {
    Number(f64),
    Integer(i64),
    Text(String),
    Bool(bool),
    Time(Wall),
    /// A JSON column, one level deep, seen as `attrs['emp.var.rate']`.
    Attributes(BTreeMap<String, ColumnValue>),
}

/// Sorted by name; a campaign declares which names there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns(pub BTreeMap<String, ColumnValue>);

impl Columns {
    pub fn get(&self, name: &str) -> Option<&ColumnValue> {
        self.0.get(name)
    }
}
