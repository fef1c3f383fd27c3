//! `goldenhour check` as people run it: findings with carets, and exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The shipped folder's shared files, and one campaign.
fn folder(campaign: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    for under in ["policies", "calendars", "dispositions"] {
        fs::create_dir(home.path().join(under)).unwrap();
        for entry in fs::read_dir(shipped.join(under)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                fs::copy(entry.path(), home.path().join(under).join(entry.file_name())).unwrap();
            }
        }
    }
    fs::write(home.path().join("campaign.yaml"), campaign).unwrap();
    home
}

fn check(home: &TempDir) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_goldenhour")).arg("check").arg(home.path()).output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

#[test]
fn six_different_mistakes_are_six_findings_with_carets() {
    let (output, said) = check(&folder(include_str!("../fixtures/six-mistakes.yaml")));
    assert_eq!(output.status.code(), Some(3), "{said}");
    let mut codes: Vec<&str> = said.lines().filter_map(|line| line.split_once("error[")?.1.split(']').next()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["GH1003", "GH1006", "GH1006", "GH1007", "GH1009", "GH1011"], "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("| ") && line.trim_end().ends_with('^')).count(), 6, "{said}");
    assert!(said.matches(" = help: ").count() >= 5, "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("6 errors, 0 warnings"), "{said}");
}

#[test]
fn a_line_without_end_is_shown_in_part() {
    let long =
        format!("schema: goldenhour/v1\ncampaign: {}\nscenario: \"{}\n", "x".repeat(100_000), "账".repeat(30_000));
    let (output, said) = check(&folder(&long));
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("error[GH1"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 160), "{said}");
}
