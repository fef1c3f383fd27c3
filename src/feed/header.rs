//! A campaign's `list:` laid over a file's header: which column is what. All that is missing is said at once.

use std::fmt;

use crate::campaign::{ColumnKind, ListMap, ScoreBy};
use crate::model::Feature;

use super::table::Record;

/// Positions in the file's rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The header's own names, trimmed.
    pub names: Vec<String>,
    pub key: usize,
    pub phones: Vec<usize>,
    pub score: ScoreAt,
    pub value: Option<usize>,
    pub zone: Option<usize>,
    pub language: Option<usize>,
    pub consent: Option<usize>,
    pub tags: Option<usize>,
    pub attempts_used: Option<usize>,
    pub attributes: Option<usize>,
    /// Declared columns: the name that conditions use, the type, the place.
    pub columns: Vec<(String, ColumnKind, usize)>,
    /// What nobody mapped; kept as attributes.
    pub spare: Vec<usize>,
}

/// Where a row's score stands, or what a model makes it of.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoreAt {
    Column(usize),
    /// In the order of the model's features.
    Features(Vec<(Feature, usize)>),
    /// Plain order: one score for everybody.
    Same(f64),
}

/// Everything that is wrong with a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderError {
    pub missing: Vec<Missing>,
    pub twice: Vec<String>,
    /// The character that seems to separate the columns, where it is not a comma.
    pub separator: Option<char>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// As the campaign spells it.
    pub column: String,
    /// What it is needed for: the campaign's key that names it.
    pub role: String,
    /// The nearest name that the file has.
    pub near: Option<String>,
}

impl Layout {
    /// `features` are those of the model that scores the list, where there is one.
    pub fn new(header: Record<'_>, map: &ListMap, features: Option<&[Feature]>) -> Result<Self, HeaderError> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut error = HeaderError { twice: twice(&names), ..HeaderError::default() };
        let mut find = |role: &str, column: &str| place(&names, role, column, &mut error.missing);
        let key = find("list.key", &map.key);
        let phones = map.phones.iter().map(|column| find("list.phones", column)).collect();
        let score = match (&map.score, features) {
            (ScoreBy::Column(column), _) => ScoreAt::Column(find("list.score", column)),
            (ScoreBy::Model { .. }, Some(features)) => {
                let at = |feature: &Feature| (feature.clone(), find("a feature of list.model", &feature.name));
                ScoreAt::Features(features.iter().map(at).collect())
            }
            (ScoreBy::Model { base_rate, .. }, None) => ScoreAt::Same(base_rate.unwrap_or_default().fraction()),
        };
        let mut optional = |role: &str, column: &Option<String>| column.as_ref().map(|column| find(role, column));
        let value = optional("list.value", &map.value);
        let zone = optional("list.zone", &map.zone);
        let language = optional("list.language", &map.language);
        let consent = optional("list.consent", &map.consent);
        let tags = optional("list.tags", &map.tags);
        let attempts_used = optional("list.attempts_used", &map.attempts_used);
        let attributes = optional("list.attributes", &map.attributes);
        let columns = map
            .columns
            .iter()
            .map(|(name, spec)| (name.clone(), spec.kind, find(&format!("list.columns.{name}"), &spec.from)))
            .collect();
        let mut layout = Self {
            names: Vec::new(),
            key,
            phones,
            score,
            value,
            zone,
            language,
            consent,
            tags,
            attempts_used,
            attributes,
            columns,
            spare: Vec::new(),
        };
        if !error.missing.is_empty() || !error.twice.is_empty() {
            if let [only] = names.as_slice() {
                error.separator = [';', '\t', '|'].into_iter().find(|c| only.contains(*c));
            }
            return Err(error);
        }
        layout.spare = (0..names.len()).filter(|at| !layout.uses(*at)).collect();
        layout.names = names;
        Ok(layout)
    }

    pub fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }

    fn uses(&self, at: usize) -> bool {
        let optional =
            [self.value, self.zone, self.language, self.consent, self.tags, self.attempts_used, self.attributes];
        at == self.key
            || self.score == ScoreAt::Column(at)
            || self.phones.contains(&at)
            || optional.contains(&Some(at))
            || self.columns.iter().any(|(_, _, column)| *column == at)
    }
}

impl HeaderError {
    pub fn hint(&self) -> Option<String> {
        if let Some(separator) = self.separator {
            return Some(format!("the columns seem to be separated by {separator:?}; lists are separated by commas"));
        }
        let near: Vec<String> = self
            .missing
            .iter()
            .filter_map(|m| m.near.as_ref().map(|near| format!("`{near}` for `{}`", m.column)))
            .collect();
        (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            let names: Vec<String> = self.missing.iter().map(|m| format!("`{}` ({})", m.column, m.role)).collect();
            parts.push(format!("the header lacks {}", names.join(", ")));
        }
        if !self.twice.is_empty() {
            parts.push(format!("the header names `{}` twice", self.twice.join("`, `")));
        }
        f.write_str(&parts.join("; "))
    }
}

/// Zero where it is missing: the layout is thrown away then.
pub fn place(names: &[String], role: &str, column: &str, missing: &mut Vec<Missing>) -> usize {
    if let Some(at) = names.iter().position(|name| name == column.trim()) {
        return at;
    }
    let near = names
        .iter()
        .map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &column.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.clone());
    missing.push(Missing { column: column.to_owned(), role: role.to_owned(), near });
    0
}

pub fn twice(names: &[String]) -> Vec<String> {
    let mut sorted: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    sorted.sort_unstable();
    let mut out: Vec<String> = sorted
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a == b))
        .filter_map(|pair| pair.first())
        .map(|name| (*name).clone())
        .collect();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::csv::Records;
    use crate::feed::fixture;

    fn layout(header: &str, map: &ListMap) -> Result<Layout, HeaderError> {
        let mut records = Records::new(header.as_bytes());
        let Ok(Some(header)) = records.next() else { panic!() };
        Layout::new(header, map, None)
    }

    #[test]
    fn all_missing_columns_are_named_at_once_with_the_nearest_ones() {
        let error = layout("contact,phone,Score,tz\n", &fixture::map()).unwrap_err();
        let missing: Vec<&str> = error.missing.iter().map(|m| m.column.as_str()).collect();
        assert_eq!(missing, ["contact_id", "phone_e164", "score", "consent", "attrs_json"]);
        let hint = error.hint().unwrap();
        assert!(hint.contains("`contact` for `contact_id`") && hint.contains("`Score` for `score`"), "{hint}");
        assert!(error.to_string().contains("`score` (list.score)"));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let header = "contact_id,phone_e164,tz,consent,score,attrs_json,x,x,,\n";
        assert_eq!(layout(header, &fixture::map()).unwrap_err().twice, ["x"]);
    }

    #[test]
    fn another_separator_is_recognised() {
        let error = layout("contact_id;phone_e164;score\n", &fixture::map()).unwrap_err();
        assert!(error.hint().unwrap().contains("';'"));
    }

    #[test]
    fn what_nobody_mapped_is_spare() {
        let header = "contact_id, phone_e164 ,tz,consent,score,attrs_json,stage\n";
        let layout = layout(header, &fixture::map()).unwrap();
        assert_eq!((layout.phones.as_slice(), layout.spare.as_slice()), (&[1][..], &[6][..]));
    }
}
