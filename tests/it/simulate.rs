//! `goldenhour simulate` as people run it: the same report twice, and a requirement that fails.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A flow, the shared policies, and so many people.
fn home(require: &str, leads: u32) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("policies")).unwrap();
    let policy = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [marketing]\nsources: [\"x\"]\n\
                  consent: not_refused\ncalling_hours: { mon-sun: [\"09:00-20:00\"], holidays: open }\n\
                  attempts: { max: 3, max_per_day: 1 }\n";
    fs::write(home.path().join("policies/p.yaml"), policy).unwrap();
    let campaign = format!(
        "schema: goldenhour/v1\ncampaign: c\nscenario: activation\npurpose: marketing\nuse: {{ policy: p@1 }}\n\
         list: {{ key: id, phones: [phone], score: score }}\ncalling_hours: {{ fallback_zone: Asia/Shanghai }}\n\
         pacing: {{ mode: progressive, ring: 20s }}\nagents: {{ queue: desk, wrap_up: 150s }}\n\
         dispositions: {{ accepted: {{ outcome: success, contact: right_party, then: final }} }}\n\
         goals: {{ accepted: 5 }}\nsimulate: {{ roster: r.csv, runs: 3, require: ['{require}', 'policy.violations == 0'] }}\n"
    );
    fs::write(home.path().join("c.yaml"), campaign).unwrap();
    // Another campaign's mistake is no business of this one's.
    fs::write(home.path().join("broken.yaml"), "schema: goldenhour/v1\ncampaign: [\n").unwrap();
    fs::write(home.path().join("r.csv"), "day,from,to,agents\nmon-sun,10:00,12:00,5\n").unwrap();
    let mut list = "id,phone,score\n".to_owned();
    for n in 0..leads {
        writeln!(list, "k{n},+999{:09},0.{}", 300_000_000 + n, 1 + n % 9).unwrap();
    }
    fs::write(home.path().join("list.csv"), list).unwrap();
    home
}

fn simulate(home: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.arg("simulate").arg(home.join("c.yaml")).arg("--list").arg(home.join("list.csv"));
    command.args(["--days", "1"]).args(more).output().unwrap()
}

#[test]
fn the_same_seed_prints_the_same_report_and_another_one_does_not() {
    let home = home("p50(successes) >= 1", 800);
    let json = |seed| simulate(home.path(), &["--json", "--seed", seed]);
    let (one, again, other) = (json("7"), json("7"), json("8"));
    assert_eq!(one.status.code(), Some(0), "{}", String::from_utf8_lossy(&one.stderr));
    assert!(one.stdout == again.stdout && one.stdout != other.stdout);
    let report: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!((&report["ok"], &report["leads"], &report["runs"]), (&true.into(), &800.into(), &3.into()), "{report}");
    let hours: Vec<&str> =
        report["hours"].as_array().unwrap().iter().map(|hour| hour["hour"].as_str().unwrap()).collect();
    assert_eq!(hours, ["10:00", "11:00"], "the roster's, on the contacts' clock: {report}");
    assert_eq!(report["segments"][0]["first"], "Tue 2026-12-01 10:00", "{report}");
    let table = simulate(home.path(), &["--agents", "9"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("800 leads, 9 agents, 1 day from 2026-12-01 (Asia/Shanghai), 3 runs, seed 1"), "{table}");
    assert!(table.contains("holds  policy.violations == 0: 0") && table.contains("never dialled: none"), "{table}");
    assert!(!table.contains("+999") && !table.contains("k1,"), "{table}");
}

#[test]
fn a_requirement_that_is_missed_exits_5_and_says_by_how_much() {
    let home = home("p05(successes) >= 500", 200);
    let output = simulate(home.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("GH1051") && said.contains("`p05(successes) >= 500` does not hold: it is "), "{said}");
    assert!(said.contains(" off") && String::from_utf8_lossy(&output.stdout).contains("FAILS"), "{said}");
    let report: Value = serde_json::from_slice(&simulate(home.path(), &["--json"]).stdout).unwrap();
    assert_eq!((&report["ok"], &report["exit"]), (&false.into(), &5.into()), "{report}");
    fs::write(home.path().join("r.csv"), "day,from,to,agents\nmon,12:00,10:00,5\n").unwrap();
    let output = simulate(home.path(), &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 2"), "{output:?}");
}

#[test]
fn outcomes_of_a_rehearsal_are_files_as_the_export_writes_them_and_the_same_each_time() {
    let home = home("p50(successes) >= 1", 400);
    let folders = ["one", "two"].map(|name| home.path().join(name));
    for folder in &folders {
        let output = simulate(home.path(), &["--seed", "7", "--runs", "1", "--outcomes", folder.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let files =
        folders.map(|folder| fs::read_dir(folder.join("dt=2026-12-01")).unwrap().map(|f| f.unwrap().path()).collect());
    let [mut one, mut two]: [Vec<std::path::PathBuf>; 2] = files;
    one.sort();
    two.sort();
    let contents = |files: &[std::path::PathBuf]| files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let (texts, again): (Vec<String>, Vec<String>) = (contents(&one), contents(&two));
    assert!(texts == again && texts.len() == 2, "{one:?}");
    let first: Value = serde_json::from_str(texts[0].lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["trunk"], &first["list"], &first["revision"]),
        (&"simulated".into(), &"list.csv".into(), &0.into())
    );
    assert!(first["customer_key"].as_str().unwrap().starts_with('k') && first["features"].is_object(), "{first}");
    let noted = texts[0].lines().filter(|line| line.contains("\"source\":\"label\"")).count();
    assert!(noted > 5 && texts[1].contains("\"eligible\":"), "{noted} noted");
    // A second rehearsal's belong to others.
    let folder = home.path().join("one");
    let refused = simulate(home.path(), &["--runs", "1", "--outcomes", folder.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("is not empty"), "{said}");
    let refused = simulate(home.path(), &["--outcomes", home.path().join("three").to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("--outcomes is of one run"), "{said}");
}

#[test]
fn a_truth_that_is_no_chance_is_refused_with_its_line() {
    let home = home("p50(successes) >= 1", 20);
    let output = simulate(home.path(), &["--truth", "yes"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("line 2: column `yes` of --truth is empty or not declared"), "{said}");
}
