//! A whole model: manifest, one or two forests, and what they come to.

use super::booster::{Booster, sigmoid};
use super::calibration::Calibration;
use super::forest::Forest;
use super::manifest::{Blend, Manifest};
use super::refusal::Refusal;
use super::simd::Simd;
use super::tree::{Node, Test};

#[derive(Clone, Debug)]
pub struct Scorer {
    manifest: Manifest,
    a: Forest,
    /// With its blend.
    b: Option<(Forest, Blend)>,
}

impl Scorer {
    /// `a` and `b` are the bytes of the files that the manifest names.
    pub fn new(manifest: Manifest, a: &[u8], b: Option<&[u8]>) -> Result<Self, Refusal> {
        let a = forest(&manifest, "a", a)?;
        let b = match (b, manifest.blend) {
            (Some(bytes), Some(blend)) => Some((forest(&manifest, "b", bytes)?, blend)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Refusal::Manifest("`models.b` and `blend` come together".to_owned()));
            }
        };
        Ok(Self { manifest, a, b })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Values of one row; rows stand one after the other.
    pub fn width(&self) -> usize {
        self.manifest.features.len()
    }

    /// Of the first model alone.
    pub fn margins(&self, rows: &[f32], simd: Simd) -> Vec<f32> {
        self.a.margins(rows, simd)
    }

    /// Blended and calibrated.
    pub fn probabilities(&self, rows: &[f32], simd: Simd) -> Vec<f64> {
        let margins = self.a.margins(rows, simd);
        // One model as it is says what XGBoost says; double precision would differ in the last bits.
        if self.b.is_none() && self.manifest.calibration == Calibration::None {
            return margins.into_iter().map(|margin| f64::from(sigmoid(margin))).collect();
        }
        let mut logits: Vec<f64> = margins.into_iter().map(f64::from).collect();
        if let Some((b, Blend { w, c })) = &self.b {
            for (logit, other) in logits.iter_mut().zip(b.margins(rows, simd)) {
                *logit = w * *logit + (1.0 - w) * f64::from(other) + c;
            }
        }
        logits.into_iter().map(|logit| self.manifest.calibration.probability(logit)).collect()
    }

    /// The number of the first stratum that begins at or below it; none below all of them.
    pub fn stratum(&self, probability: f64) -> Option<usize> {
        self.manifest.strata.iter().position(|stratum| probability >= stratum.from)
    }
}

fn forest(manifest: &Manifest, model: &str, bytes: &[u8]) -> Result<Forest, Refusal> {
    let booster = Booster::load(bytes)?;
    check(manifest, &booster).map_err(|what| Refusal::Manifest(format!("model `{model}`: {what}")))?;
    Ok(Forest::new(booster))
}

/// The manifest says what the columns mean; a forest that sees them otherwise would score without a word, and wrongly.
fn check(manifest: &Manifest, booster: &Booster) -> Result<(), String> {
    let features = &manifest.features;
    if booster.features() != features.len() {
        return Err(format!("it has {} features, the manifest {}", booster.features(), features.len()));
    }
    for (name, feature) in booster.feature_names().iter().zip(features) {
        if *name != feature.name {
            return Err(format!("its feature `{name}` is `{}` in the manifest", feature.name));
        }
    }
    for node in booster.trees.iter().flat_map(|tree| &tree.nodes) {
        let Node::Split(split) = node else { continue };
        let Some(feature) = features.get(split.feature) else { continue };
        let is_right = match &split.test {
            Test::Below(_) => feature.is_number(),
            Test::Set(set) => {
                !feature.is_number() && set.codes().last().is_none_or(|code| (*code as usize) < feature.categories())
            }
        };
        if !is_right {
            return Err(format!("it splits `{}` as another type, or by categories that are not listed", feature.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::tree::Split;

    const NUMBERS: &[u8] = include_bytes!("../../tests/fixtures/models/numbers.ubj");
    const MIXED: &[u8] = include_bytes!("../../tests/fixtures/models/mixed.ubj");

    fn manifest() -> Value {
        json!({
            "schema": "goldenhour/model/v1", "name": "toy", "version": "1", "target": "convert",
            "features": [
                {"name": "age", "type": "number"}, {"name": "balance", "type": "number"},
                {"name": "index", "type": "number"},
            ],
            "models": {"a": {"file": "a.ubj"}},
            "calibration": {"kind": "none"},
            "strata": [{"name": "A", "from": 0.5}, {"name": "B", "from": 0.2}],
            "info": {"anything": [1, 2]},
        })
    }

    fn load(manifest: &Value, a: &[u8], b: Option<&[u8]>) -> Result<Scorer, String> {
        let manifest = Manifest::parse(manifest.to_string().as_bytes()).map_err(|refusal| refusal.to_string())?;
        Scorer::new(manifest, a, b).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn two_models_are_blended_as_logits_and_then_calibrated() {
        let alone = load(&manifest(), NUMBERS, None).unwrap();
        let row = [41.0, f32::NAN, 0.3];
        let margin = f64::from(alone.margins(&row, Simd::best())[0]);
        let mut blended = manifest();
        blended["models"]["b"] = json!({"file": "b.json"});
        blended["blend"] = json!({"w": 0.25, "c": 0.5});
        blended["calibration"] = json!({"kind": "platt", "a": 2.0, "b": -1.0});
        let blended = load(&blended, NUMBERS, Some(NUMBERS)).unwrap();
        let z = 0.25 * margin + 0.75 * margin + 0.5;
        let p = 1.0 / (1.0 + (-(2.0 * z - 1.0)).exp());
        assert!((blended.probabilities(&row, Simd::best())[0] - p).abs() < 1e-12);
    }

    #[test]
    fn strata_begin_at_their_cut() {
        let scorer = load(&manifest(), NUMBERS, None).unwrap();
        for (p, stratum) in [(0.9, Some(0)), (0.5, Some(0)), (0.49, Some(1)), (0.1, None)] {
            assert_eq!(scorer.stratum(p), stratum, "{p}");
        }
    }

    #[test]
    fn a_manifest_that_does_not_fit_its_trees_is_refused() {
        let mut fewer = manifest();
        fewer["features"].as_array_mut().unwrap().pop();
        assert!(load(&fewer, NUMBERS, None).unwrap_err().contains("3 features, the manifest 2"));
        let mut typed = manifest();
        typed["features"][0] = json!({"name": "age", "type": "category", "categories": ["young", "old"]});
        assert!(load(&typed, NUMBERS, None).unwrap_err().contains("splits `age` as another type"));
        let mut named = manifest();
        let more = ["marital", "job", "branch"].map(|name| json!({"name": name, "type": "number"}));
        named["features"].as_array_mut().unwrap().extend(more);
        assert!(load(&named, MIXED, None).unwrap_err().contains("its feature `marital` is `balance`"));
    }

    fn strata(count: u32) -> Value {
        (0..count).map(|n| json!({"name": n.to_string(), "from": 1.0 - f64::from(n) / 1_000.0})).collect()
    }

    fn numbers(count: u32) -> Value {
        (0..count).map(|n| json!({"name": n.to_string(), "type": "number"})).collect()
    }

    #[test]
    fn a_manifest_beyond_all_size_is_not_read_and_one_of_many_strata_is() {
        assert_eq!(Manifest::parse(&vec![b' '; (16 << 20) + 1]).unwrap_err(), Refusal::File(16));
        let mut most = manifest();
        most["strata"] = strata(100);
        assert!(load(&most, NUMBERS, None).is_ok());
    }

    #[test]
    fn the_weight_of_a_blend_is_a_share() {
        for w in [1.5, -0.1] {
            let mut blended = manifest();
            blended["models"]["b"] = json!({"file": "b.ubj"});
            blended["blend"] = json!({"w": w, "c": 0.0});
            assert!(load(&blended, NUMBERS, Some(NUMBERS)).unwrap_err().contains("`blend`: `w`"));
        }
    }

    #[test]
    fn trees_that_ask_for_categories_of_a_number_or_beyond_the_list_are_refused() {
        let booster = Booster::load(MIXED).unwrap();
        let sets = || {
            booster.trees.iter().flat_map(|tree| &tree.nodes).filter_map(|node| match node {
                Node::Split(Split { feature, test: Test::Set(set), .. }) => {
                    Some((*feature, set.codes().last().copied()))
                }
                Node::Split(_) | Node::Leaf(_) => None,
            })
        };
        let feature = |at: usize, name: &String, short: usize| {
            let codes = sets().filter(|(of, _)| *of == at).filter_map(|(_, last)| last).max();
            let names = |last: u32| (0..=last as usize - short).map(|code| code.to_string()).collect::<Vec<_>>();
            match codes {
                Some(last) => json!({"name": name, "type": "category", "categories": names(last)}),
                None => json!({"name": name, "type": "number"}),
            }
        };
        let of = |short: usize| {
            let mut manifest = manifest();
            let names = booster.feature_names().iter().enumerate();
            manifest["features"] = names.map(|(at, name)| feature(at, name, short)).collect();
            manifest
        };
        assert_eq!(load(&of(0), MIXED, None).map(|scorer| scorer.width()), Ok(booster.features()));
        assert!(load(&of(1), MIXED, None).unwrap_err().contains("categories that are not listed"));
        let mut typed = of(0);
        let (at, _) = sets().next().unwrap();
        typed["features"][at] = json!({"name": booster.feature_names()[at], "type": "number"});
        assert!(load(&typed, MIXED, None).unwrap_err().contains("as another type"));
    }

    #[test]
    fn manifests_that_contradict_themselves_are_refused() {
        for (key, value, why) in [
            ("schema", json!("goldenhour/model/v9"), "`schema`"),
            ("version", json!("a/b"), "`version`"),
            ("name", json!("two words"), "`name`"),
            ("models", json!({"a": {"file": "../../a.ubj"}}), "must be a name in this folder"),
            ("models", json!({"a": {"file": ".a.ubj"}}), "must be a name in this folder"),
            ("models", json!({"a": {"file": "a.pickle"}}), "must be a name in this folder"),
            ("models", json!({"a": {"file": "a.ubj"}, "b": {"file": "b.ubj"}}), "need a `blend`"),
            ("blend", json!({"w": 0.5, "c": 0.0}), "needs a second model"),
            ("calibration", json!({"kind": "platt", "a": -1.0, "b": 0.0}), "`calibration`"),
            ("calibration", json!({"kind": "beta"}), "unknown variant"),
            ("strata", json!([{"name": "A", "from": 0.1}, {"name": "B", "from": 0.2}]), "`strata`"),
            ("strata", json!([{"name": "A", "from": 0.2}, {"name": "A", "from": 0.1}]), "`strata`"),
            ("reference", json!({"edges": [0.1, 0.2], "counts": [1, 2]}), "`reference`"),
            ("reference", json!({"edges": [0.2, 0.1], "counts": [1, 2, 3]}), "`reference`"),
            ("reference", json!({"edges": [0.1, 1.5], "counts": [1, 2, 3]}), "`reference`"),
            ("strata", json!([{"name": "A", "from": 1.5}]), "`strata`"),
            ("strata", json!([{"name": "", "from": 0.5}]), "`strata`"),
            ("strata", strata(101), "`strata`"),
            ("name", json!(""), "`name`"),
            ("name", json!("n".repeat(101)), "`name`"),
            ("features", json!([]), "`features`"),
            ("features", json!(vec![json!({"name": "age", "type": "number"}); 2]), "`features`"),
            ("features", numbers(4_097), "`features`"),
            ("threshold", json!(0.5), "unknown field `threshold`"),
        ] {
            let mut changed = manifest();
            changed[key] = value;
            let refusal = load(&changed, NUMBERS, None).unwrap_err();
            assert!(refusal.contains(why), "{key}: {refusal}");
        }
    }
}
