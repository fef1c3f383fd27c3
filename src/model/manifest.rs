//! `model.json` of a model folder: which files, which features, how two models are blended and calibrated.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::booster::FEATURES_MAX;
use super::calibration::Calibration;
use super::feature::Feature;
use super::refusal::Refusal;

const SCHEMA: &str = "goldenhour/model/v1";
const TEXT_MAX_MIB: usize = 16;
const STRATA_MAX: usize = 100;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    pub name: String,
    pub version: String,
    pub target: Target,
    /// In the order of the columns of the trees.
    pub features: Vec<Feature>,
    pub models: ModelFiles,
    pub blend: Option<Blend>,
    pub calibration: Calibration,
    #[serde(default)]
    pub strata: Vec<Stratum>,
    pub reference: Option<Reference>,
    /// For people.
    #[serde(default)]
    pub info: Value,
}

/// What the probability is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Convert,
    Answer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFiles {
    pub a: ModelFile,
    pub b: Option<ModelFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// A name in the folder of the manifest.
    pub file: String,
}

/// Of two margins: `w * a + (1 - w) * b + c`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    pub w: f64,
    pub c: f64,
}

/// From this probability on, down to the next one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stratum {
    pub name: String,
    pub from: f64,
}

/// How the training data were spread, to see later whether lists still are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Inner edges of the bins of the calibrated probability.
    pub edges: Vec<f64>,
    pub counts: Vec<u64>,
    #[serde(default)]
    pub features: BTreeMap<String, Value>,
}

impl Manifest {
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        if text.len() > TEXT_MAX_MIB << 20 {
            return Err(Refusal::File(TEXT_MAX_MIB));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| Refusal::Manifest(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Refusal> {
        let refuse = |what: String| Err(Refusal::Manifest(what));
        if self.schema != SCHEMA {
            return refuse(format!("`schema` is `{}`, not `{SCHEMA}`", self.schema));
        }
        for (key, text) in [("name", &self.name), ("version", &self.version)] {
            let is_plain = |c: char| c.is_ascii_graphic() && c != '/' && c != '\\';
            if text.is_empty() || text.len() > 100 || !text.chars().all(is_plain) {
                return refuse(format!("`{key}` must have 1 to 100 characters without blanks and slashes"));
            }
        }
        let names: BTreeSet<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        if names.len() != self.features.len() || names.is_empty() || names.len() > FEATURES_MAX {
            return refuse(format!("`features`: 1 to {FEATURES_MAX}, each once"));
        }
        let files = [Some(&self.models.a), self.models.b.as_ref()];
        for ModelFile { file } in files.into_iter().flatten() {
            // A manifest that points out of its folder is not a model.
            let ends_well = [".json", ".ubj"].iter().any(|end| file.ends_with(end));
            if !ends_well || file.starts_with('.') || file.contains(['/', '\\', '\0']) {
                return refuse(format!("`models`: `{file}` must be a name in this folder that ends in .json or .ubj"));
            }
        }
        match (&self.models.b, self.blend) {
            (None, Some(_)) => return refuse("`blend` needs a second model, `models.b`".to_owned()),
            (Some(_), None) => return refuse("two models need a `blend`".to_owned()),
            (Some(_), Some(blend)) if !(0.0..=1.0).contains(&blend.w) || !blend.c.is_finite() => {
                return refuse("`blend`: `w` must lie in [0, 1] and `c` be finite".to_owned());
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        self.calibration.check()?;
        self.check_cuts()
    }

    fn check_cuts(&self) -> Result<(), Refusal> {
        let refuse = |what: &str| Err(Refusal::Manifest(what.to_owned()));
        let names: BTreeSet<&str> = self.strata.iter().map(|stratum| stratum.name.as_str()).collect();
        if names.len() != self.strata.len() || names.contains("") || names.len() > STRATA_MAX {
            return refuse("`strata`: at most 100, each with a name of its own");
        }
        let is_share = |value: &f64| (0.0..=1.0).contains(value);
        let descends = self.strata.is_sorted_by(|above, below| above.from > below.from);
        if !descends || !self.strata.iter().all(|stratum| is_share(&stratum.from)) {
            return refuse("`strata`: `from` must descend and lie in [0, 1]");
        }
        if let Some(Reference { edges, counts, .. }) = &self.reference
            && (counts.len() != edges.len() + 1 || !edges.is_sorted() || !edges.iter().all(is_share))
        {
            return refuse("`reference`: `edges` must ascend in [0, 1], and `counts` be one more than they are");
        }
        Ok(())
    }
}
