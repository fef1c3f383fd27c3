//! `goldenhour test PATH...`: the tests that campaigns and policies carry, run on the engine's own path.

mod report;
mod watch;

use std::path::{Path, PathBuf};

use crate::base::{Code, Diagnostic};
use crate::campaign::{TestSubject, load};
use crate::daemon::read_folder;
use crate::engine::try_set;

use super::check::{bare, concerns, holds, home_of, not_ours};
use super::exit::{Exit, Stop};
use super::output;

use report::{Report, Tried};

/// Run the tests of campaigns and policies: a folder of campaigns, or single files of one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of campaigns, or files inside one
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Run again whenever a file changes, until Ctrl-C
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Show how many tests look at each rule, segment and retry rule
    #[arg(long)]
    coverage: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    if args.watch {
        return watch::run(&args.paths, || once(args));
    }
    once(args)
}

fn once(args: &Args) -> Result<Exit, Stop> {
    let report = report(&args.paths);
    if args.json {
        output::say_json(&report.json())?;
    } else {
        if !report.findings.is_empty() {
            output::complain_findings(&report.findings);
        }
        output::say(report.text(args.coverage).trim_end())?;
    }
    Ok(report.exit())
}

fn report(paths: &[PathBuf]) -> Report {
    let mut report = Report::default();
    for path in paths {
        try_path(path, &mut report);
    }
    report
}

/// A folder of campaigns, or the tests that one of its files holds.
fn try_path(path: &Path, report: &mut Report) {
    if !path.exists() {
        return report.findings.push(not_ours(path));
    }
    let (folder, only) = if path.is_dir() { (path, None) } else { (home_of(path), Some(path)) };
    let snapshot = match read_folder(folder, None) {
        Ok(snapshot) if only.is_none_or(|file| holds(&snapshot, file)) => snapshot,
        Ok(_) => return report.findings.extend(only.map(not_ours)),
        Err(finding) => return report.findings.push(finding),
    };
    let plan = match load(&snapshot) {
        Ok(plan) => plan,
        Err(findings) => {
            let (here, elsewhere): (Vec<_>, Vec<_>) =
                findings.into_iter().filter(Diagnostic::is_error).partition(|finding| concerns(finding, only));
            if here.is_empty() {
                report.findings.extend(only.map(|file| broken_neighbours(file, &elsewhere)));
            }
            return report.findings.extend(here);
        }
    };
    if only.is_none() {
        let has_test = |name: &str| {
            plan.tests
                .iter()
                .any(|set| matches!(&set.subject, TestSubject::Campaign(campaign) if campaign.name == name))
        };
        let names = plan.campaigns.iter().map(|campaign| campaign.name.clone());
        report.without.extend(names.filter(|name| !has_test(name)));
    }
    for set in plan.tests {
        if only.is_none_or(|file| Path::new(&set.source.name).ends_with(bare(file))) {
            let trials = try_set(&set, &plan.zones);
            report.tried.push(Tried { set, trials });
        }
    }
}

/// A folder is loaded whole or not at all, as by the daemon.
fn broken_neighbours(file: &Path, findings: &[Diagnostic]) -> Diagnostic {
    let first = findings.first().and_then(|finding| finding.at.as_ref()).map_or("another file", |(at, _)| &at.name);
    Diagnostic::error(Code::File, format!("{} cannot be tested: {first} has errors", file.display()))
        .hint("goldenhour check shows them; a folder of campaigns is loaded whole")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const POLICY: &str = r#"schema: goldenhour/policy/v1
policy: p
version: 1
title: p
purposes: [marketing]
calling_hours: { mon-sun: ["09:00-20:00"], holidays: open }
consent: not_refused
attempts: { max: 3, max_per_day: 1 }
sources: ["made up"]
"#;

    fn campaign(tests: &str) -> String {
        format!(
            "schema: goldenhour/v1\ncampaign: c\nscenario: revisit\npurpose: marketing\nuse: {{ policy: p@1 }}\n\
             list: {{ key: k, phones: [mobile], score: s }}\ncalling_hours: {{ fallback_zone: Asia/Shanghai }}\n\
             agents: {{ queue: q }}\ntests:\n{tests}"
        )
    }

    fn folder(tests: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("policies")).unwrap();
        fs::write(home.path().join("policies/p.yaml"), POLICY).unwrap();
        fs::write(home.path().join("c.yaml"), campaign(tests)).unwrap();
        home
    }

    fn tried(tests: &str) -> (Exit, String) {
        let home = folder(tests);
        let report = report(&[home.path().to_owned()]);
        let text = report.text(false) + &crate::base::render(&report.findings);
        (report.exit(), text.replace(&home.path().display().to_string(), "F"))
    }

    #[test]
    fn tests_that_pass_end_with_zero_and_what_no_test_looks_at() {
        let (exit, text) = tried("  - { name: night, at: \"2026-12-03 21:00\", expect: blocked_by calling_hours }\n");
        assert_eq!(exit, Exit::Ok);
        expect_test::expect![[r"
            F/c.yaml: 1 test, 1 passed
            c: rules without a test: dnc, attempts
            1 test in 1 file, all passed
        "]]
        .assert_eq(&text);
    }

    #[test]
    fn a_test_that_fails_shows_its_place_what_came_and_the_whole_verdict() {
        let (exit, text) = tried("  - { name: night, at: \"2026-12-03 21:00\", expect: allowed }\n");
        assert_eq!(exit, Exit::Failure);
        expect_test::expect![[r#"
            F/c.yaml: 1 test, 0 passed, 1 failed
            F/c.yaml:10:52: error[GH1050]: night: expected allowed
               |
            10 |   - { name: night, at: "2026-12-03 21:00", expect: allowed }
               |                                                    ^^^^^^^
               = got: blocked_by calling_hours, deferred_to 2026-12-04 09:00 Asia/Shanghai, asked at 2026-12-03 21:00 Asia/Shanghai
               = calling_hours: 21:00 in Asia/Shanghai, open 09:00-20:00 (policy)
            c: rules without a test: dnc, calling_hours, attempts
            1 test in 1 file, 0 passed, 1 failed
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_file_that_cannot_be_read_ends_with_three() {
        let (exit, text) = tried("  - { name: night, at: \"2026-12-03 21:00\", expect: blockd_by dnc }\n");
        assert_eq!(exit, Exit::Invalid);
        assert!(text.contains("did you mean `blocked_by`?"), "{text}");
    }

    #[test]
    fn a_single_file_runs_its_own_tests_and_a_foreign_one_is_refused() {
        let home = folder("  - { name: night, at: \"2026-12-03 21:00\", expect: blocked_by calling_hours }\n");
        let more = "schema: goldenhour/tests/v1\ncampaign: c\ntests: [{ name: listed, customer: { dnc: true }, expect: blocked_by dnc }]\n";
        fs::create_dir(home.path().join("tests")).unwrap();
        fs::write(home.path().join("tests/more.yaml"), more).unwrap();
        let names = |path: &str| -> Vec<String> {
            let report = report(&[home.path().join(path)]);
            report.tried.iter().flat_map(|tried| tried.trials.iter().map(|trial| trial.name.value.clone())).collect()
        };
        assert_eq!(names("tests/more.yaml"), ["listed"]);
        assert_eq!(names("c.yaml"), ["night"]);
        assert_eq!(names(""), ["night", "listed"]);
        assert_eq!(report(&[home.path().join("none.yaml")]).exit(), Exit::Invalid);
    }

    #[test]
    fn a_campaign_without_tests_is_named() {
        let home = folder("  - { name: listed, customer: { dnc: true }, expect: blocked_by dnc }\n");
        let bare = campaign("").replace("campaign: c", "campaign: bare").replace("tests:\n", "");
        fs::write(home.path().join("bare.yaml"), bare).unwrap();
        let report = report(&[home.path().to_owned()]);
        assert_eq!(report.exit(), Exit::Ok);
        assert!(report.text(false).contains("\nbare: no tests\n"), "{}", report.text(false));
    }

    #[test]
    fn coverage_counts_tests_by_rule_segment_and_retry() {
        let home = folder("  - { name: listed, customer: { dnc: true }, expect: blocked_by dnc }\n");
        let shown = report(&[home.path().to_owned()]).text(true);
        assert!(shown.contains("dnc") && shown.contains("no test"), "{shown}");
        let json = report(&[home.path().to_owned()]).json();
        assert_eq!(json["ok"], true);
        assert_eq!(json["coverage"][0]["untested"], serde_json::json!(["calling_hours", "attempts"]));
        assert_eq!(json["files"][0]["tests"][0]["name"], "listed");
    }
}
