//! `goldenhour simulate` as people run it: the same report twice, and a requirement that fails.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::Site;
use crate::report::after_four_weeks;
use crate::trial::Trial;

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
    let figures = report["figures"].as_array().unwrap();
    let spread = |figure: &Value| figure["p05"].as_f64() < figure["p95"].as_f64();
    assert!(figures.iter().any(spread), "runs of one seed would all be the same: {report}");
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
fn of_a_list_with_nobody_to_call_nothing_is_rehearsed() {
    let home = home("p50(successes) >= 1", 0);
    fs::write(home.path().join("list.csv"), "id,phone,score\nk1,not a number,0.5\n").unwrap();
    let output = simulate(home.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("none of the 1 rows can be called"), "{output:?}");
    assert!(said.contains("goldenhour import --dry-run"), "{said}");
}

#[test]
fn a_truth_that_is_no_chance_is_refused_with_its_line() {
    let home = home("p50(successes) >= 1", 20);
    let output = simulate(home.path(), &["--truth", "yes"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("line 2: column `yes` of --truth is empty or not declared"), "{said}");
}

/// Answers of 100 dials, from 18:00 to 20:00 and before noon.
fn evening_and_morning(hours: &Value) -> (f64, f64) {
    let of = |from: &str, until: &str| {
        let within = |hour: &&Value| (from..until).contains(&hour["hour"].as_str().unwrap());
        let hours: Vec<&Value> = hours.as_array().unwrap().iter().filter(within).collect();
        let sum = |key: &str| hours.iter().map(|hour| hour[key].as_f64().unwrap()).sum::<f64>();
        100.0 * sum("answered") / sum("attempts")
    };
    (of("18:00", "20:00"), of("09:00", "12:00"))
}

/// Whose evenings were answered for four weeks, while its file says that mornings are.
fn misled() -> Site {
    let site = after_four_weeks();
    let more = "segments: [{ name: high, when: 'score >= 0.5' }, { name: rest, when: 'score >= 0.02' }]\n\
                golden_hours: { prior_weight_calls: 20, answer_rate: { golden: 45%, other: 20% }, seed: { all: [\"09:00-12:00\"] } }\n\
                calling_hours: { mon-sun: [\"09:00-10:00\", \"18:00-20:00\"], fallback_zone: Asia/Shanghai }\n";
    let attempts = "{ max: 9, max_per_day: 1 }";
    let text = Trial { more, attempts, ..Trial::default() }.text();
    site.write("campaigns/trial.yaml", &text);
    site
}

#[test]
fn with_a_database_people_answer_as_it_has_learned_and_the_output_says_so() {
    let site = misled();
    let counted = "SELECT count(*) FROM outcome WHERE result IN \
                   ('answered','machine','no_answer','busy','not_reachable')";
    let attempts = site.number(counted);
    let list = site.path("list.csv");
    let campaign = site.path("campaigns/trial.yaml");
    let files = [campaign.to_str().unwrap(), "--list", list.to_str().unwrap()];
    let flags = ["--agents", "1", "--days", "2", "--from", "2026-12-01", "--json"];
    let simulate = || site.run("simulate", &[&files[..], &flags].concat());
    let (text, again) = (simulate(), simulate());
    assert_eq!(text, again, "the same seed and the same database");
    let report: Value = serde_json::from_str(&text).unwrap();
    let curves = &report["answer_curves"];
    assert_eq!((&curves["from"], &curves["attempts"]), (&"learned".into(), &attempts.into()), "{report}");
    let (evening, morning) = evening_and_morning(&report["hours"]);
    assert!(evening > morning + 5.0, "{evening} {morning}: {report}");

    let seeded = crate::trial::without_config("simulate", &[&files[..], &flags].concat());
    let seeded: Value = serde_json::from_slice(&seeded.stdout).unwrap();
    assert_eq!(seeded["answer_curves"]["from"], "seed", "{seeded}");
    let (evening, morning) = evening_and_morning(&seeded["hours"]);
    assert!(morning > evening + 5.0, "{evening} {morning}: {seeded}");
    let said = site.run("simulate", &[&files[..], &["--agents", "1", "--days", "1"]].concat());
    let line = said.lines().find(|line| line.contains("answer curves: ")).unwrap();
    assert!(line.contains("learned from ") && line.ends_with(" attempts up to 2026-11-28"), "{line}");
}

#[test]
fn plan_and_diff_with_agents_rehearse_by_the_database_too() {
    let site = misled();
    let at = ["--at", "2026-12-01T00:30:00Z", "--agents", "1", "--json"];
    let (one, again) = (site.run("plan", &at), site.run("plan", &at));
    assert_eq!(one, again);
    let plan: Value = serde_json::from_str(&one).unwrap();
    let plan = &plan["campaigns"][0];
    assert_eq!(plan["answer_curves"]["from"], "learned", "{plan}");
    let (evening, morning) = evening_and_morning(&plan["expected"]);
    assert!(evening > morning, "{evening} {morning}: {plan}");

    let text = std::fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    site.write("old.yaml", &text);
    site.write("new.yaml", &text.replace("name: high", "name: gold").replace("name: rest", "name: others"));
    let (old, new) = (site.path("old.yaml"), site.path("new.yaml"));
    let files = [old.to_str().unwrap(), new.to_str().unwrap(), "--days", "1"];
    let said: Value = serde_json::from_str(&site.run("diff", &[&files[..], &at].concat())).unwrap();
    let rehearsal = &said["campaigns"][0]["rehearsal"];
    let from = |side: &str| rehearsal[side]["answer_curves"]["from"].as_str();
    assert_eq!((from("old"), from("new")), (Some("learned"), Some("seed")), "{rehearsal}");
    let said = site.run("diff", &[&files[..], &at[..4]].concat());
    assert!(said.contains("\n  old answer curves: learned from "), "{said}");
    assert!(said.contains("\n  new answer curves: seeded by the campaign, nothing learned yet"), "{said}");
}

#[test]
fn before_there_is_a_database_the_seed_holds_and_one_that_cannot_be_read_is_refused() {
    let home = home("p50(successes) >= 0", 50);
    let site = tempfile::tempdir().unwrap();
    let config = site.path().join("goldenhour.yaml");
    fs::write(&config, "database: \"sqlite://var/goldenhour.db\"\n").unwrap();
    let with_config = ["--config", config.to_str().unwrap()];
    let said = simulate(home.path(), &with_config);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("answer curves: seeded by the campaign, nothing learned yet"), "{said}");
    let said = simulate(home.path(), &[]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("answer curves: seeded by the campaign (--config asks a database for better)"), "{said}");
    fs::create_dir(site.path().join("var")).unwrap();
    fs::write(site.path().join("var/goldenhour.db"), "no database\n").unwrap();
    let refused = simulate(home.path(), &with_config);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(4), 0), "{refused:?}");
    let said: Value =
        serde_json::from_slice(&simulate(home.path(), &[&with_config[..], &["--json"]].concat()).stdout).unwrap();
    assert_eq!((&said["ok"], &said["exit"]), (&false.into(), &4.into()), "{said}");
}
