//! What the tests came to: one line for each file, failures with their places, and what no test looks at.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::base::{Code, Diagnostic, render_json};
use crate::campaign::TestSet;
use crate::cli::output;
use crate::engine::{Coverage, Mismatch, Tally, Trial};

use super::Exit;

#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) tried: Vec<Tried>,
    /// Campaigns that no file tests.
    pub(super) without: Vec<String>,
    /// Of files that cannot be read; nothing was tried in their folder.
    pub(super) findings: Vec<Diagnostic>,
}

/// One file.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) set: TestSet,
    pub(super) trials: Vec<Trial>,
}

impl Report {
    pub(super) fn exit(&self) -> Exit {
        if self.findings.iter().any(Diagnostic::is_error) {
            return Exit::Invalid;
        }
        if self.tried.iter().any(|tried| tried.failed() > 0) { Exit::Failure } else { Exit::Ok }
    }

    pub(super) fn text(&self, coverage: bool) -> String {
        let mut out = String::new();
        for tried in &self.tried {
            let _infallible =
                writeln!(out, "{}: {}", tried.set.source.name, counts(tried.trials.len(), tried.failed()));
            for (trial, mismatch) in tried.mismatches() {
                let _infallible = writeln!(out, "{}", shown(&tried.set, trial, mismatch));
            }
        }
        let found = self.coverage();
        if coverage {
            let _infallible = writeln!(out, "{}", table(&found));
        } else {
            for one in found.iter().filter(|one| one.untested().next().is_some()) {
                let names: Vec<&str> = one.untested().collect();
                let _infallible = writeln!(out, "{}: rules without a test: {}", one.subject, names.join(", "));
            }
        }
        for name in &self.without {
            let _infallible = writeln!(out, "{name}: no tests");
        }
        let (tests, failed) = self
            .tried
            .iter()
            .fold((0, 0), |(tests, failed), tried| (tests + tried.trials.len(), failed + tried.failed()));
        let passed =
            if failed > 0 { format!("{} passed, {failed} failed", tests - failed) } else { "all passed".to_owned() };
        let files = plural(self.tried.len(), "file");
        let _infallible = match tests {
            0 if !self.findings.is_empty() => Ok(()),
            0 => writeln!(out, "no tests"),
            tests => writeln!(out, "{} in {files}, {passed}", plural(tests, "test")),
        };
        out
    }

    pub(super) fn json(&self) -> Value {
        let files = self.tried.iter().map(|tried| {
            let tests = tried.trials.iter().map(|trial| {
                let failures: Vec<Value> =
                    trial.failures.iter().map(|mismatch| mismatch_json(&tried.set, trial, mismatch)).collect();
                json!({ "name": trial.name.value, "ok": trial.failures.is_empty(), "failures": failures })
            });
            json!({
                "file": tried.set.source.name,
                "subject": tried.set.subject.name(),
                "passed": tried.trials.len() - tried.failed(),
                "failed": tried.failed(),
                "tests": tests.collect::<Vec<_>>(),
            })
        });
        let tallies = |tallies: &[Tally]| -> Value {
            tallies
                .iter()
                .map(|tally| (tally.name.clone(), json!(tally.tests)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let coverage = self.coverage().into_iter().map(|one| {
            json!({
                "subject": one.subject,
                "untested": one.untested().collect::<Vec<_>>(),
                "rules": tallies(&one.rules),
                "segments": tallies(&one.segments),
                "retries": tallies(&one.retries),
            })
        });
        json!({
            "ok": self.exit() == Exit::Ok,
            "files": files.collect::<Vec<_>>(),
            "without_tests": self.without,
            "coverage": coverage.collect::<Vec<_>>(),
            "findings": render_json(&self.findings),
        })
    }

    fn coverage(&self) -> Vec<Coverage> {
        Coverage::of(self.tried.iter().map(|tried| (&tried.set, tried.trials.as_slice())))
    }
}

impl Tried {
    fn failed(&self) -> usize {
        self.trials.iter().filter(|trial| !trial.failures.is_empty()).count()
    }

    fn mismatches(&self) -> impl Iterator<Item = (&Trial, &Mismatch)> {
        self.trials.iter().flat_map(|trial| trial.failures.iter().map(move |mismatch| (trial, mismatch)))
    }
}

fn finding(set: &TestSet, trial: &Trial, mismatch: &Mismatch) -> Diagnostic {
    let message = format!("{}: expected {}", trial.name.value, mismatch.expected);
    Diagnostic::error(Code::CampaignTest, message).at(&set.source, mismatch.span)
}

/// The caret, what came, and every reason on a line of its own.
fn shown(set: &TestSet, trial: &Trial, mismatch: &Mismatch) -> String {
    let finding = finding(set, trial, mismatch);
    let width = finding.line_column().map_or(1, |(line, _)| line.to_string().len());
    let mut out = finding.to_string();
    let got = std::iter::once(format!("got: {}", mismatch.got));
    for line in got.chain(mismatch.verdict.iter().cloned()) {
        let _infallible = write!(out, "\n{:width$} = {line}", "");
    }
    out
}

fn mismatch_json(set: &TestSet, trial: &Trial, mismatch: &Mismatch) -> Value {
    let place = finding(set, trial, mismatch).line_column();
    json!({
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
        "expected": mismatch.expected,
        "got": mismatch.got,
        "verdict": mismatch.verdict,
    })
}

fn table(found: &[Coverage]) -> String {
    let mut table = output::table();
    table.set_header(["campaign", "what", "name", "tests"]);
    for one in found {
        let kinds = [("rule", &one.rules), ("segment", &one.segments), ("retry", &one.retries)];
        for (kind, tallies) in kinds {
            for tally in tallies {
                let tests = if tally.tests == 0 { "no test".to_owned() } else { tally.tests.to_string() };
                table.add_row([one.subject.as_str(), kind, &tally.name, &tests]);
            }
        }
    }
    table.to_string()
}

fn counts(tests: usize, failed: usize) -> String {
    let failed_too = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{}, {} passed{failed_too}", plural(tests, "test"), tests - failed)
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
