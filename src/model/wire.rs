//! What `save_model` of XGBoost 3 wrote, as it stands in the file: JSON or UBJ, told apart by their second byte.

use serde::{Deserialize, Deserializer, de};

use super::refusal::Refusal;
use super::ubj;

/// A model of a thousand trees of depth 8 has some 20.
const FILE_MAX_MIB: usize = 64;

/// Keys that an evaluation does not need are passed over: XGBoost adds some with every version.
#[derive(Debug, Deserialize)]
pub(super) struct WireModel {
    pub(super) learner: Learner,
    pub(super) version: Vec<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    #[serde(default)]
    pub(super) feature_types: Vec<String>,
    pub(super) gradient_booster: GradientBooster,
    #[serde(rename = "learner_model_param")]
    pub(super) param: LearnerParam,
    pub(super) objective: Objective,
}

#[derive(Debug, Deserialize)]
pub(super) struct GradientBooster {
    pub(super) name: String,
    pub(super) model: Option<TreeModel>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeModel {
    /// A booster of another kind has none, and is refused by its name.
    pub(super) trees: Option<Vec<WireTree>>,
    #[serde(default)]
    pub(super) tree_info: Vec<i64>,
}

/// Numbers as texts: XGBoost writes its parameters so.
#[derive(Debug, Deserialize)]
pub(super) struct LearnerParam {
    pub(super) base_score: String,
    pub(super) num_class: String,
    pub(super) num_feature: String,
    #[serde(default = "one")]
    pub(super) num_target: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Objective {
    pub(super) name: String,
}

/// A structure of arrays, by node.
#[derive(Debug, Deserialize)]
pub(super) struct WireTree {
    pub(super) left_children: Vec<i64>,
    pub(super) right_children: Vec<i64>,
    pub(super) split_indices: Vec<i64>,
    pub(super) split_conditions: Vec<Single>,
    pub(super) default_left: Vec<Flag>,
    #[serde(default)]
    pub(super) split_type: Vec<Flag>,
    #[serde(default)]
    pub(super) categories: Vec<i64>,
    #[serde(default)]
    pub(super) categories_nodes: Vec<i64>,
    #[serde(default)]
    pub(super) categories_segments: Vec<i64>,
    #[serde(default)]
    pub(super) categories_sizes: Vec<i64>,
    pub(super) tree_param: TreeParam,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeParam {
    pub(super) size_leaf_vector: String,
}

/// 0 or 1; older writers said false or true.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Flag {
    Number(u8),
    Word(bool),
}

impl Flag {
    pub(super) fn is_set(self) -> bool {
        match self {
            Self::Number(number) => number != 0,
            Self::Word(word) => word,
        }
    }
}

/// A number in single precision, as XGBoost means it: read from its digits in one step, or not at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single(pub(super) f32);

impl<'de> Deserialize<'de> for Single {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read as a double, which may be off by its last bit, and rounded again: wrong only next to the middle between two
        // singles, where one bit decides.
        let double = f64::deserialize(deserializer)?;
        let (low, high) = (double.next_down() as f32, double.next_up() as f32);
        if double != 0.0 && low.to_bits() != high.to_bits() {
            return Err(de::Error::custom(format!("{double:e} lies between two numbers: save the model as UBJ")));
        }
        Ok(Self(double as f32))
    }
}

fn one() -> String {
    "1".to_owned()
}

pub(super) fn parse(bytes: &[u8]) -> Result<WireModel, Refusal> {
    if bytes.len() > FILE_MAX_MIB << 20 {
        return Err(Refusal::File(FILE_MAX_MIB));
    }
    // In JSON a quote or white space comes after the brace, in UBJ the type of the first key's length.
    let is_ubj = matches!(bytes, [b'{', b'i' | b'U' | b'I' | b'l' | b'L', ..]);
    let wrong = |error: serde_json::Error| Refusal::Json(error.to_string());
    if is_ubj {
        return WireModel::deserialize(ubj::parse(bytes)?).map_err(wrong);
    }
    serde_json::from_slice(bytes).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_the_middle_between_two_singles_is_refused_and_beside_it_read() {
        let read = |text: &str| serde_json::from_str::<Single>(text).map(|single| single.0.to_bits());
        assert!(read("1.000000059604644775390625").unwrap_err().to_string().contains("save the model as UBJ"));
        assert_eq!(read("1.00000005").unwrap(), 1.0_f32.to_bits());
        assert_eq!(read("1.00000007").unwrap(), 1.0_f32.next_up().to_bits());
    }
}
