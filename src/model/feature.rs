//! What a cell of a list means to a model.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::refusal::Refusal;

/// One column of the trees.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "RawFeature")]
pub struct Feature {
    pub name: String,
    /// Codes by category; none for a number.
    categories: Option<BTreeMap<String, u16>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeature {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    categories: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Number,
    Category,
}

/// A cell of a number that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number")]
pub struct NotANumber;

impl Feature {
    /// As the trees take it; NaN is missing. Nothing there, and a category that the training did not know, are missing.
    pub fn value(&self, cell: &str) -> Result<f32, NotANumber> {
        if let Some(categories) = &self.categories {
            return Ok(categories.get(cell).map_or(f32::NAN, |code| f32::from(*code)));
        }
        let cell = cell.trim();
        if matches!(cell, "" | "NA" | "NaN" | "null") {
            return Ok(f32::NAN);
        }
        // Through double precision, as every reader of tables in Python does it before XGBoost cuts it down.
        let value = cell.parse::<f64>().map_err(|_| NotANumber)? as f32;
        if value.is_infinite() {
            return Err(NotANumber);
        }
        Ok(value)
    }

    pub(super) fn is_number(&self) -> bool {
        self.categories.is_none()
    }

    pub(super) fn categories(&self) -> usize {
        self.categories.as_ref().map_or(0, BTreeMap::len)
    }
}

impl TryFrom<RawFeature> for Feature {
    type Error = Refusal;

    fn try_from(raw: RawFeature) -> Result<Self, Refusal> {
        let wrong = |what: &str| Err(Refusal::Manifest(format!("feature `{}`: {what}", raw.name)));
        if raw.name.is_empty() || raw.name.len() > 200 {
            return wrong("a name has 1 to 200 bytes");
        }
        let names = match (raw.kind, &raw.categories) {
            (Kind::Number, None) => return Ok(Self { name: raw.name, categories: None }),
            (Kind::Number, Some(_)) => return wrong("a number has no `categories`"),
            (Kind::Category, None) => return wrong("a category needs `categories`, in the order of their codes"),
            (Kind::Category, Some(names)) => names,
        };
        let codes: Option<BTreeMap<String, u16>> =
            names.iter().enumerate().map(|(code, name)| Some((name.clone(), u16::try_from(code).ok()?))).collect();
        match codes {
            Some(codes) if codes.len() == names.len() && !codes.contains_key("") => {
                Ok(Self { name: raw.name, categories: Some(codes) })
            }
            Some(_) => wrong("a category stands twice, or has no name"),
            None => wrong("more than 65,536 categories"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(json: &str) -> Result<Feature, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_is_read_or_missing_or_refused() {
        let age = feature(r#"{"name":"age","type":"number"}"#).unwrap();
        for (cell, value) in [("41", 41.0), (" -0.5 ", -0.5), ("1e3", 1000.0)] {
            assert!((age.value(cell).unwrap() - value).abs() < 1e-9, "{cell}");
        }
        for cell in ["", "NA", "NaN", "null", " ", "nan"] {
            assert!(age.value(cell).unwrap().is_nan(), "{cell:?}");
        }
        for cell in ["old", "1,5", "inf", "1e99", "0x10"] {
            assert_eq!(age.value(cell), Err(NotANumber), "{cell:?}");
        }
    }

    #[test]
    fn a_category_has_the_code_of_its_place_and_strangers_are_missing() {
        let job = feature(r#"{"name":"job","type":"category","categories":["admin.","blue-collar"]}"#).unwrap();
        assert!((job.value("blue-collar").unwrap() - 1.0).abs() < 1e-9);
        for cell in ["", "chef", "Admin.", "NA"] {
            assert!(job.value(cell).unwrap().is_nan(), "{cell:?}");
        }
    }

    #[test]
    fn features_that_contradict_themselves_are_refused() {
        for (json, why) in [
            (r#"{"name":"a","type":"number","categories":[]}"#, "no `categories`"),
            (r#"{"name":"a","type":"category"}"#, "needs `categories`"),
            (r#"{"name":"a","type":"category","categories":["x","x"]}"#, "twice"),
            (r#"{"name":"a","type":"category","categories":["x",""]}"#, "no name"),
            (r#"{"name":"","type":"number"}"#, "1 to 200 bytes"),
            (r#"{"name":"a","type":"text"}"#, "unknown variant"),
            (r#"{"name":"a","type":"number","unit":"y"}"#, "unknown field"),
        ] {
            assert!(feature(json).unwrap_err().contains(why), "{json}");
        }
        let long = format!(r#"{{"name":"{}","type":"number"}}"#, "a".repeat(201));
        assert!(feature(&long).unwrap_err().contains("1 to 200 bytes"));
        let names: Vec<String> = (0..=65_536).map(|n| n.to_string()).collect();
        let many = serde_json::json!({"name": "a", "type": "category", "categories": names}).to_string();
        assert!(feature(&many).unwrap_err().contains("more than 65,536"));
    }
}
