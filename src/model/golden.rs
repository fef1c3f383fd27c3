//! Against what XGBoost itself said: models and margins that `tests/fixtures/models/make.py` wrote.

use serde_json::{Value, json};

use crate::base::Rng;

use super::tree::{Node, Split, Test};
use super::{Booster, Forest, Refusal, Simd};

const SETS: [Simd; 3] = [Simd::Scalar, Simd::Avx2, Simd::Avx512];

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/models/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The rows of a model, one after the other, and the bits of their margins.
fn rows(name: &str) -> (Vec<f32>, Vec<u32>) {
    let (mut rows, mut margins) = (Vec::new(), Vec::new());
    for line in String::from_utf8(file(name)).unwrap().lines() {
        let mut bits: Vec<u32> = line.split(' ').map(|word| u32::from_str_radix(word, 16).unwrap()).collect();
        margins.push(bits.pop().unwrap());
        rows.extend(bits.into_iter().map(f32::from_bits));
    }
    assert!(margins.len() >= 70);
    (rows, margins)
}

fn bits(margins: &[f32]) -> Vec<u32> {
    margins.iter().map(|margin| margin.to_bits()).collect()
}

#[test]
fn margins_are_those_of_xgboost_bit_for_bit() {
    for name in ["mixed", "numbers", "bushy", "parallel"] {
        let forest = Forest::new(Booster::load(&file(&format!("{name}.ubj"))).unwrap());
        let (rows, margins) = rows(&format!("{name}.rows"));
        for simd in SETS.into_iter().filter(|simd| simd.is_available()) {
            assert_eq!(bits(&forest.margins(&rows, simd)), margins, "{name}, {simd:?}");
        }
    }
}

#[test]
fn json_and_ubj_hold_the_same_model() {
    for name in ["mixed", "numbers"] {
        let json = Booster::load(&file(&format!("{name}.json"))).unwrap();
        assert_eq!(json, Booster::load(&file(&format!("{name}.ubj"))).unwrap(), "{name}");
    }
}

#[test]
fn a_model_with_one_number_changed_says_something_else() {
    let text = String::from_utf8(file("numbers.json")).unwrap();
    let (rows, margins) = rows("numbers.rows");
    let changed = text.replace("\"base_score\":\"[3E-1]\"", "\"base_score\":\"[3.01E-1]\"");
    assert_ne!(text, changed);
    let booster = Booster::load(changed.as_bytes()).unwrap();
    assert_ne!(bits(&Forest::new(booster).margins(&rows, Simd::best())), margins);
}

#[test]
fn what_is_no_forest_for_yes_or_no_is_refused_by_name() {
    for (name, word) in
        [("dart", "dart"), ("linear", "gblinear"), ("classes", "multi:softprob"), ("counts", "count:poisson")]
    {
        let refusal = Booster::load(&file(&format!("refused-{name}.json"))).unwrap_err();
        assert!(matches!(&refusal, Refusal::Unsupported { found, .. } if found == word), "{name}: {refusal}");
    }
}

fn threshold(node: &Node) -> Option<f32> {
    match node {
        Node::Split(Split { test: Test::Below(threshold), .. }) => Some(*threshold),
        Node::Split(_) | Node::Leaf(_) => None,
    }
}

#[test]
fn every_instruction_set_says_the_same_of_values_near_thresholds() {
    let mut rng = Rng::seeded(5);
    for name in ["mixed", "bushy", "numbers"] {
        let booster = Booster::load(&file(&format!("{name}.ubj"))).unwrap();
        let thresholds: Vec<f32> = booster.trees.iter().flat_map(|tree| &tree.nodes).filter_map(threshold).collect();
        let value = |rng: &mut Rng| match rng.below(8) {
            0 => f32::NAN,
            1 => rng.below(260) as f32,
            2 => [0.0, -0.0, -1.0, 2.5, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY][rng.below(8) as usize],
            3 => thresholds[rng.below(thresholds.len() as u32) as usize].next_down(),
            4 => thresholds[rng.below(thresholds.len() as u32) as usize].next_up(),
            _ => thresholds[rng.below(thresholds.len() as u32) as usize],
        };
        // Not a multiple of a block.
        let rows: Vec<f32> = (0..1_001 * booster.features()).map(|_| value(&mut rng)).collect();
        let forest = Forest::new(booster);
        let scalar = bits(&forest.margins(&rows, Simd::Scalar));
        assert_eq!(scalar.len(), 1_001);
        for simd in [Simd::Avx2, Simd::Avx512] {
            assert!(bits(&forest.margins(&rows, simd)) == scalar, "{name}, {simd:?}");
        }
    }
}

#[test]
fn a_damaged_file_is_refused_or_is_a_model_and_never_a_crash() {
    let mut rng = Rng::seeded(9);
    for name in ["numbers.ubj", "parallel.ubj", "mixed.ubj", "numbers.json"] {
        let whole = file(name);
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=rng.below(3) {
                let at = rng.below(bytes.len() as u32) as usize;
                bytes[at] = rng.below(256) as u8;
            }
            if rng.below(4) == 0 {
                bytes.truncate(rng.below(whole.len() as u32) as usize);
            }
            if let Ok(booster) = Booster::load(&bytes) {
                let row = vec![0.5; booster.features()];
                let _says_something = Forest::new(booster).margins(&row, Simd::best());
            }
        }
    }
}

/// `numbers.json` with one text in place of another.
fn changed(from: &str, to: &str) -> Refusal {
    let text = String::from_utf8(file("numbers.json")).unwrap();
    assert!(text.contains(from), "{from}");
    Booster::load(text.replacen(from, to, 1).as_bytes()).unwrap_err()
}

#[test]
fn trees_that_are_no_trees_are_refused() {
    // The first tree: a root, whose children are 1 and 2.
    for (from, to, why) in [
        ("\"left_children\":[1,", "\"left_children\":[0,", "reached twice"),
        ("\"left_children\":[1,", "\"left_children\":[2,", "reached twice"),
        ("\"left_children\":[1,", "\"left_children\":[9999,", "no such node"),
        ("\"left_children\":[1,", "\"left_children\":[-7,", "a child is missing"),
        ("\"left_children\":[1,", "\"left_children\":[", "not of one length"),
        ("\"split_indices\":[", "\"split_indices\":[3,", "not of one length"),
        ("\"split_type\":[0", "\"split_type\":[1", "no set of categories"),
        ("\"categories_nodes\":[]", "\"categories_nodes\":[0]", "do not fit"),
        ("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\"", "vectors"),
        ("\"num_feature\":\"3\",\"num_target\"", "\"num_feature\":\"1\",\"num_target\"", "feature does not exist"),
    ] {
        let refusal = changed(from, to).to_string();
        assert!(refusal.contains(why), "{to}: {refusal}");
    }
}

#[test]
fn parameters_that_mean_another_sum_are_refused() {
    for (from, to, why) in [
        ("\"version\":[3,", "\"version\":[2,", "version"),
        ("\"base_score\":\"[3E-1]\"", "\"base_score\":\"[3E-1,5E-1]\"", "base_score"),
        ("\"base_score\":\"[3E-1]\"", "\"base_score\":\"[1E0]\"", "base_score"),
        ("\"num_target\":\"1\"", "\"num_target\":\"2\"", "num_target"),
        ("\"num_class\":\"0\"", "\"num_class\":\"3\"", "num_class"),
        ("\"tree_info\":[0", "\"tree_info\":[1", "tree_info"),
        ("\"base_score\":\"[3E-1]\"", "\"base_score\":\"[0E0]\"", "base_score"),
        ("\"tree_info\":[0,", "\"tree_info\":[", "tree_info"),
        ("\"feature_types\":[]", "\"feature_types\":[\"str\"]", "type of a feature"),
        ("\"num_feature\":\"3\",\"num_target\"", "\"num_feature\":\"9999999\",\"num_target\"", "features"),
        ("\"num_feature\":\"3\",\"num_target\"", "\"num_feature\":\"0\",\"num_target\"", "or none"),
    ] {
        let refusal = changed(from, to).to_string();
        assert!(refusal.contains(why), "{to}: {refusal}");
    }
}

/// One tree of one split by a set: 1 on its left, 2 on its right. These keys of the tree are changed.
fn of_one_split(changes: &[(&str, Value)]) -> Result<Booster, Refusal> {
    let mut tree = json!({
        "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
        "split_conditions": [0.0, 1.0, 2.0], "default_left": [0, 0, 0], "split_type": [1, 0, 0],
        "categories": [1, 3], "categories_nodes": [0], "categories_segments": [0], "categories_sizes": [2],
        "tree_param": {"size_leaf_vector": "1"},
    });
    for (key, value) in changes {
        tree[*key] = value.clone();
    }
    let model = json!({
        "version": [3, 2, 0],
        "learner": {
            "learner_model_param": {"base_score": "[5E-1]", "num_class": "0", "num_feature": "1", "num_target": "1"},
            "objective": {"name": "binary:logistic"},
            "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0], "trees": [tree]}},
        },
    });
    Booster::load(model.to_string().as_bytes())
}

#[test]
fn what_is_in_a_set_goes_right_in_whatever_order_it_is_written_and_what_is_no_category_left() {
    let forest = Forest::new(of_one_split(&[("categories", json!([3, 0]))]).unwrap());
    let rows = [0.0, 3.0, 1.0, -1.0, 1e30];
    for simd in SETS.into_iter().filter(|simd| simd.is_available()) {
        assert_eq!(forest.margins(&rows, simd), [2.0, 2.0, 1.0, 1.0, 1.0], "{simd:?}");
    }
}

#[test]
fn arrays_that_lie_about_each_other_or_hold_no_number_are_refused() {
    let none = || json!([]);
    for (changes, why) in [
        (&[("split_type", json!([1]))][..], "not of one length"),
        (&[("categories_sizes", json!([2, 0]))], "do not fit"),
        (&[("categories_sizes", json!([3]))], "do not fit"),
        (&[("categories", json!([1, 16_777_215]))], "do not fit"),
        (&[("categories", json!([-1, 3]))], "do not fit"),
        (
            &[
                ("categories_nodes", json!([0, 1])),
                ("categories_segments", json!([0, 0])),
                ("categories_sizes", json!([2, 2])),
            ],
            "do not fit",
        ),
        (&[("split_conditions", json!([0.0, 1e39, 2.0]))], "not finite"),
        (&[("split_indices", json!([-1, 0, 0]))], "feature does not exist"),
        (
            &[
                ("left_children", none()),
                ("right_children", none()),
                ("split_indices", none()),
                ("split_conditions", none()),
                ("default_left", none()),
                ("split_type", none()),
            ],
            "no nodes",
        ),
    ] {
        let refusal = of_one_split(changes).unwrap_err().to_string();
        assert!(refusal.contains(why), "{changes:?}: {refusal}");
    }
    let many = vec![-1; super::tree::NODES_MAX + 1];
    assert!(of_one_split(&[("left_children", json!(many))]).unwrap_err().to_string().contains("more than a million"));
}
