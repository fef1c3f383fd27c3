//! `goldenhour score` against XGBoost itself, which scripts/train-venv installs: 200,000 rows, to the last bit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A model with numbers, categories and missing values, its data, and what XGBoost says of them.
const MAKE: &str = r#"
import json, sys
import numpy as np, xgboost as xgb
home, n = sys.argv[1], 200_000
rng = np.random.default_rng(3)
jobs = [f"job {i}" for i in range(180)]
x = np.empty((n, 5), dtype=np.float32)
x[:, 0], x[:, 1], x[:, 2] = rng.normal(40, 12, n), rng.exponential(1000, n), rng.integers(0, 4, n)
x[:, 3], x[:, 4] = rng.integers(0, 180, n), rng.integers(0, 50, n)
z = 0.03 * (x[:, 0] - 40) + np.isin(x[:, 3] % 9, [1, 4]) * 0.9 + (x[:, 2] == 2) * 0.7 - 1
y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(np.float32)
x[rng.random((n, 5)) < 0.07] = np.nan
names, types = ["age", "balance", "marital", "job", "campaigns"], ["q", "q", "c", "c", "q"]
d = lambda: xgb.DMatrix(x, y, feature_names=names, feature_types=types, enable_categorical=True)
params = dict(objective="binary:logistic", max_depth=6, max_cat_to_onehot=5, tree_method="hist", max_bin=700, seed=1)
booster = xgb.train(params, d(), 60)
booster.save_model(f"{home}/a.ubj")
features = [{"name": a, "type": "number"} for a in names]
features[2] = {"name": "marital", "type": "category", "categories": ["single", "married", "divorced", "widowed"]}
features[3] = {"name": "job", "type": "category", "categories": jobs}
manifest = dict(schema="goldenhour/model/v1", name="toy", version="1", target="convert", features=features,
                models={"a": {"file": "a.ubj"}}, calibration={"kind": "none"})
json.dump(manifest, open(f"{home}/model.json", "w"))
def cell(row, at):
    value = row[at]
    if np.isnan(value):
        return ["", "NA", "", "unheard of", "NaN"][at]
    return features[at]["categories"][int(value)] if "categories" in features[at] else f"{value:.9g}"
with open(f"{home}/data.csv", "w") as file:
    print("job,id,balance,name,age,campaigns,marital", file=file)
    for nth, row in enumerate(x):
        print(cell(row, 3), nth, cell(row, 1), "x", cell(row, 0), cell(row, 4), cell(row, 2), sep=",", file=file)
booster.predict(d(), output_margin=True).astype("<f4").tofile(f"{home}/margins")
booster.predict(d()).astype("<f4").tofile(f"{home}/probabilities")
"#;

/// The script prints where it is.
fn python() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/train-venv");
    let said = Command::new(script).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    PathBuf::from(String::from_utf8(said.stdout).unwrap().trim())
}

fn made() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let made = Command::new(python()).args(["-c", MAKE]).arg(home.path()).output();
    let made = made.expect("scripts/train-venv makes the Python that this needs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    home
}

fn run(home: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.arg("score").arg("--model").arg(home).arg("--data").arg(home.join("data.csv"));
    command.arg("--out").arg(home.join("out.csv")).args(more).output().unwrap()
}

/// The second column of what was written, and the numbers of XGBoost for the same rows.
fn scores(home: &Path, more: &[&str], file: &str) -> Vec<(f32, f32)> {
    let said = run(home, more);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = fs::read_to_string(home.join("out.csv")).unwrap();
    let ours = text.lines().skip(1).enumerate().map(|(nth, line)| {
        let (id, score) = line.split_once(',').unwrap();
        assert_eq!(id, nth.to_string());
        score.parse().unwrap()
    });
    let theirs = fs::read(home.join(file)).unwrap();
    let theirs: Vec<f32> = theirs.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    assert_eq!(theirs.len(), 200_000);
    let both: Vec<(f32, f32)> = ours.zip(theirs).collect();
    assert_eq!(both.len(), 200_000);
    both
}

#[test]
fn two_hundred_thousand_scores_are_those_of_xgboost() {
    let home = made();
    let home = home.path();
    for simd in ["auto", "scalar"] {
        let margins = scores(home, &["--margin", "--simd", simd], "margins");
        let other = margins.iter().filter(|(ours, theirs)| ours.to_bits() != theirs.to_bits()).count();
        assert_eq!(other, 0, "{simd}");
    }
    // Between 0 and 1 the bits of two neighbours differ by one.
    let far = |(ours, theirs): &&(f32, f32)| ours.to_bits().abs_diff(theirs.to_bits()) > 1;
    assert_eq!(scores(home, &[], "probabilities").iter().filter(far).count(), 0);
}
