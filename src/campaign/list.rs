//! `list:`, the mapping from a file's columns to what a lead needs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Share;
use crate::contact::Country;

use super::ListSource;

/// Every name on the right is a column of the file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMap {
    /// `lists/installment/{run_date}.csv`: what feeds load, and `import` when it names no list. May be absent.
    pub source: Option<ListSource>,
    pub key: String,
    /// In dial order; at most [`ListMap::MAX_PHONES`].
    pub phones: Vec<String>,
    /// Of numbers without a country code, where it is not the daemon's.
    pub country: Option<Country>,
    /// A WHATWG label; UTF-8 without one.
    pub encoding: Option<String>,
    pub score: ScoreBy,
    /// `model: { id, version, score, calibrated }`; of a model that scores the list itself, its manifest tells them.
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
    pub refuse_if: RefuseIf,
}

/// What a row's score comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScoreBy {
    /// A column of the list.
    Column(String),
    /// `model: { dir }`: the folder of a model, relative to the campaigns folder, that scores the rows as they are loaded.
    Model {
        dir: String,
        /// `on_error: plain_order`: the score that everybody gets where the model is broken. `None` refuses the list.
        base_rate: Option<Share>,
    },
}

/// When a list is more likely a mistake than a list: nothing of it is loaded then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefuseIf {
    /// Of rows that can be loaded.
    pub rows_below: Option<u64>,
    /// Of all rows.
    pub duplicate_keys_above: Option<Share>,
    /// Rows without a usable score, of all rows.
    pub missing_score_above: Option<Share>,
    /// Population stability index of the scores against the list before, in thousandths: 0.25 is 250.
    pub score_psi_above: Option<u32>,
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

    /// Is a list whose model is broken loaded all the same?
    pub fn has_plain_order(&self) -> bool {
        matches!(self.score, ScoreBy::Model { base_rate: Some(_), .. })
    }
}
