//! `list:`, the mapping from a file's columns to what a lead needs.

use std::collections::BTreeMap;
use std::time::Duration;

/// Every name on the right is a column of the file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMap {
    /// `lists/installment/{run_date}.csv`, shown and used by `import` when no file is named. May be absent.
    pub source: Option<String>,
    pub key: String,
    /// In dial order; at most [`ListMap::MAX_PHONES`].
    pub phones: Vec<String>,
    pub score: String,
    /// `model: { id, version, score, calibrated }`
    pub model_id: Option<String>,
    pub model_version: Option<String>,
    pub value: Option<String>,
    pub zone: Option<String>,
    pub language: Option<String>,
    pub consent: Option<String>,
    pub tags: Option<String>,
    pub attempts_used: Option<String>,
    /// A JSON column; conditions see it as `attrs`.
    pub attributes: Option<String>,
    /// Further columns for conditions, by the name conditions use.
    pub columns: BTreeMap<String, ColumnSpec>,
    pub expires_after: Option<Duration>,
}

/// `name: { type: number, from: column }`; `from` defaults to the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    pub kind: ColumnKind,
    pub from: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Number,
    Integer,
    Text,
    Bool,
    Time,
}

impl ListMap {
    pub const MAX_PHONES: usize = 4;
}
