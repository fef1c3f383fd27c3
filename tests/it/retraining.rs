//! The loop in a world that drifts, with the program, its export and the trainer as they are: what exploration is for.

use std::process::Command;

use serde_json::Value;

struct Round {
    predicted_by_observed: f64,
    capture_20: f64,
}

/// The last of three rounds. A world of fewer customers leaves too much to chance, a larger one takes its time.
fn last_round(way: &str) -> Round {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/train-loop"));
    command.args(["--goldenhour", env!("CARGO_BIN_EXE_goldenhour"), "--seeds", "1", "--customers", "60000"]);
    let output = command.args(["--ways", way, "--out"]).arg(home.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let number = |name: &str| last[name].as_f64().unwrap();
    Round { predicted_by_observed: number("predicted") / number("observed"), capture_20: number("capture_20") }
}

#[test]
fn the_loop_stays_honest_with_exploration_and_promises_too_much_without() {
    let (with, without) = (last_round("exploration, weighted"), last_round("no exploration"));
    let off = |round: &Round| (round.predicted_by_observed - 1.0).abs();
    assert!(off(&with) < 0.05, "with exploration: {}", with.predicted_by_observed);
    assert!(without.predicted_by_observed > 1.10, "without: {}", without.predicted_by_observed);
    assert!(with.capture_20 > without.capture_20, "{} against {}", with.capture_20, without.capture_20);
}
