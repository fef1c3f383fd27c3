//! A boosted forest for yes or no, and its margin exactly as XGBoost computes it.

use super::refusal::Refusal;
use super::tree::Tree;
use super::wire::{self, Learner, WireModel};

const TREES_MAX: usize = 100_000;
pub(super) const FEATURES_MAX: usize = 4_096;

/// `gbtree` with the objective `binary:logistic`.
#[derive(Clone, Debug, PartialEq)]
pub struct Booster {
    pub(super) trees: Vec<Tree>,
    pub(super) features: usize,
    /// As the file names them, if it does.
    names: Vec<String>,
    /// The margin before the first tree.
    pub(super) base: f32,
}

impl Booster {
    /// From the bytes of a file that XGBoost 3 wrote with `save_model`, as JSON or UBJ.
    pub fn load(bytes: &[u8]) -> Result<Self, Refusal> {
        let model = wire::parse(bytes)?;
        check_kind(&model)?;
        let Learner { feature_names, gradient_booster, param, .. } = model.learner;
        let features = param.num_feature.parse().ok().filter(|features| (1..=FEATURES_MAX).contains(features));
        let features = features.ok_or(Refusal::TooMany { most: FEATURES_MAX, what: "features, or none" })?;
        let model = gradient_booster.model.and_then(|model| Some((model.trees?, model.tree_info)));
        let (trees, classes) = model.ok_or_else(|| Refusal::Json("it has no trees".to_owned()))?;
        if trees.len() > TREES_MAX {
            return Err(Refusal::TooMany { most: TREES_MAX, what: "trees" });
        }
        if classes.len() != trees.len() || classes.iter().any(|class| *class != 0) {
            return Err(unsupported("tree_info", "other classes than 0", "one tree after the other for one class"));
        }
        let trees = trees.iter().enumerate().map(|(number, tree)| Tree::check(tree, number, features));
        let trees = trees.collect::<Result<_, _>>()?;
        let base = base_margin(&param.base_score)?;
        Ok(Self { trees, features, names: feature_names, base })
    }

    pub fn features(&self) -> usize {
        self.features
    }

    /// As the training data named them; none if it did not.
    pub fn feature_names(&self) -> &[String] {
        &self.names
    }

    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// `output_margin` of XGBoost: single precision, tree after tree. NaN is a missing value, a category is its code.
    pub fn margin(&self, row: &[f32]) -> f32 {
        self.trees.iter().fold(self.base, |sum, tree| sum + tree.leaf(row))
    }
}

/// What XGBoost makes of a margin (`common::Sigmoid`), bit for bit: e^88.7 is the largest that single precision holds.
pub(super) fn sigmoid(margin: f32) -> f32 {
    1.0 / ((-margin).min(88.7).exp() + 1.0 + 1e-16)
}

fn check_kind(model: &WireModel) -> Result<(), Refusal> {
    let learner = &model.learner;
    let version = || model.version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    if model.version.first() != Some(&3) {
        return Err(unsupported("version", &version(), "a model written by XGBoost 3"));
    }
    if learner.gradient_booster.name != "gbtree" {
        return Err(unsupported("the booster", &learner.gradient_booster.name, "`gbtree`"));
    }
    if learner.objective.name != "binary:logistic" {
        return Err(unsupported("the objective", &learner.objective.name, "`binary:logistic`"));
    }
    let param = &learner.param;
    if !matches!(param.num_class.as_str(), "0" | "1") {
        return Err(unsupported("num_class", &param.num_class, "0"));
    }
    if param.num_target != "1" {
        return Err(unsupported("num_target", &param.num_target, "1"));
    }
    if let Some(kind) =
        learner.feature_types.iter().find(|kind| !matches!(kind.as_str(), "float" | "int" | "i" | "q" | "c"))
    {
        return Err(unsupported("the type of a feature", kind, "`float`, `int`, `i`, `q` or `c`"));
    }
    Ok(())
}

/// `base_score` is a probability; since 3.1 it is a list of one in a text. The margin is its logit in single precision
/// (`ProbToMargin` of the logistic loss).
fn base_margin(text: &str) -> Result<f32, Refusal> {
    let number = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let score = number.parse::<f32>().ok().filter(|score| *score > 0.0 && *score < 1.0);
    let score = score.ok_or_else(|| unsupported("base_score", text, "one probability between 0 and 1"))?;
    Ok(-(1.0 / score - 1.0).ln())
}

fn unsupported(what: &'static str, found: &str, wanted: &'static str) -> Refusal {
    let found = found.chars().take(60).collect();
    Refusal::Unsupported { what, found, wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_probability_is_that_of_xgboost_and_not_nothing() {
        assert_eq!(sigmoid(-1_000.0).to_bits(), sigmoid(-88.7).to_bits());
        assert!(sigmoid(-1_000.0) > 0.0);
    }

    #[test]
    fn a_file_beyond_all_models_is_not_read() {
        assert_eq!(Booster::load(&vec![b' '; (64 << 20) + 1]).unwrap_err(), Refusal::File(64));
    }
}
