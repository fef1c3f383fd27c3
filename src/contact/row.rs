//! One line of a list, parsed and normalised.

use crate::base::Pii;

use super::{ColumnValue, Columns};

/// What an importer makes of a line. Zones are names here; the store keeps names, the engine interns them.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line it stood on, from 1, the header included.
    pub line: u64,
    /// The bank's key for the person, verbatim.
    pub key: Pii<String>,
    /// In dial order, as `+` and digits; never empty, no number twice.
    pub phones: Vec<Pii<String>>,
    /// All candidate zones, as IANA names: one from the list's column, else those of the number's prefix. Empty: unknown.
    pub zones: Vec<String>,
    pub language: Option<String>,
    pub consent: Option<bool>,
    pub tags: Vec<String>,
    /// Attempts that the bank made before this list.
    pub attempts_used: u16,
    /// In `[0, 1]`.
    pub score: f64,
    /// What a success is worth, in the list's own unit; 1 without a value column.
    pub value: f64,
    /// The declared columns, for conditions, scripts and `export --features`.
    pub columns: Columns,
}

impl Row {
    /// About how many bytes it takes, in memory and in a store: batches of rows are cut by it.
    pub fn weight(&self) -> usize {
        let texts = self.phones.len() * 16 + self.tags.iter().map(String::len).sum::<usize>();
        256 + self.key.reveal().len() + texts + self.columns.0.values().map(weight_of).sum::<usize>()
    }
}

fn weight_of(value: &ColumnValue) -> usize {
    match value {
        ColumnValue::Number(_) | ColumnValue::Integer(_) | ColumnValue::Bool(_) | ColumnValue::Time(_) => 16,
        ColumnValue::Text(text) => 16 + text.len(),
        ColumnValue::Attributes(cells) => cells.iter().map(|(name, cell)| name.len() + weight_of(cell)).sum(),
    }
}
