//! Alert rules in Prometheus's own words: they are understood, and each fires in its case and in no healthy one.

use std::path::Path;
use std::process::Command;

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .output()
        .expect("promtool is not on the PATH: run scripts/test, which unpacks it");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn prometheus_understands_the_rules() {
    promtool(&["check", "rules", "grafana/alerts/goldenhour.yaml"]);
}

#[test]
fn each_alert_fires_in_its_case_and_is_silent_in_the_cases_beside_it() {
    promtool(&["test", "rules", "tests/fixtures/alerts/minutes.yaml", "tests/fixtures/alerts/days.yaml"]);
}
