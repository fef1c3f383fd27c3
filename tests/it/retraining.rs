//! The loop in a world that drifts, with the program, its export and the trainer as they are: what exploration is for.

use std::process::Command;

use serde_json::Value;

struct Round {
    predicted_by_observed: f64,
    auc: f64,
    capture_20: f64,
    /// The interval of `auc` by the calls that the model chose; none of the last round.
    checked: Option<[f64; 2]>,
}

/// Three of them. A world of fewer customers leaves too much to chance, a larger one takes its time.
fn rounds(way: &str) -> Vec<Round> {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/train-loop"));
    command.args(["--goldenhour", env!("CARGO_BIN_EXE_goldenhour"), "--seeds", "1", "--customers", "60000"]);
    let output = command.args(["--ways", way, "--out"]).arg(home.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let round = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let number = |name: &str| line[name].as_f64().unwrap();
        let predicted_by_observed = number("predicted") / number("observed");
        let checked = line["checked"].as_array().map(|checked| [1, 2].map(|at| checked[at].as_f64().unwrap()));
        Round { predicted_by_observed, auc: number("auc"), capture_20: number("capture_20"), checked }
    };
    lines.lines().map(round).collect()
}

/// A single world of this size: one tenth is what chance leaves of it. docs/RETRAINING.md has larger ones, and their means.
#[test]
fn with_exploration_the_loop_stays_honest_and_finds_more_and_without_it_promises_too_much() {
    let (with, without) = (rounds("exploration, weighted"), rounds("no exploration"));
    assert_eq!((with.len(), without.len()), (3, 3));
    let off = |round: &Round| (round.predicted_by_observed - 1.0).abs();
    assert!(with.iter().all(|round| off(round) < 0.10), "{:?}", with.iter().map(off).collect::<Vec<_>>());
    assert!(without[0].predicted_by_observed > 1.15, "without: {}", without[0].predicted_by_observed);
    for (with, without) in with.iter().zip(&without) {
        assert!(with.capture_20 > without.capture_20 + 0.01, "{} against {}", with.capture_20, without.capture_20);
        assert!(with.auc > without.auc, "{} against {}", with.auc, without.auc);
    }
    for (with, without) in with.iter().zip(&without).take(2) {
        let [low, high] = with.checked.unwrap();
        // One interval in twenty does not hold the truth; a little more of this one does.
        let told = (low - 0.02..high + 0.02).contains(&with.auc);
        assert!(told, "its own calls tell how good it is: {low} to {high}, {}", with.auc);
        let [_, high] = without.checked.unwrap();
        assert!(high < without.auc - 0.03, "without draws they do not: at most {high}, {}", without.auc);
    }
}
