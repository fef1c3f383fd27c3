//! One line of a list, parsed and normalised.

use crate::base::Pii;

use super::Columns;

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
