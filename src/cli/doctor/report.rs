//! What doctor found: one line for each check, with what to do where it is not well.

use std::fmt;

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::output::table;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Warn,
    Fail,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) result: Verdict,
    pub(super) what: String,
    pub(super) remedy: Option<String>,
    /// The fault lies with something that the daemon depends on: exit code 4.
    #[serde(skip)]
    elsewhere: bool,
}

impl Finding {
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, result: Verdict::Ok, what: what.into(), remedy: None, elsewhere: false }
    }

    pub(super) fn warn(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { result: Verdict::Warn, remedy: Some(remedy.into()), ..Self::ok(check, what) }
    }

    pub(super) fn fail(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { result: Verdict::Fail, ..Self::warn(check, what, remedy) }
    }

    /// A failure of a database, a port or a trunk.
    pub(super) fn unreachable(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { elsewhere: true, ..Self::fail(check, what, remedy) }
    }
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    checks: Vec<Finding>,
}

impl Report {
    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.checks.extend(findings);
    }

    /// `None` if nothing failed. 4 if only something else is missing, 1 if something is wrong here.
    pub(super) fn exit(&self) -> Option<Exit> {
        let mut failed = self.checks.iter().filter(|finding| finding.result == Verdict::Fail).peekable();
        failed.peek()?;
        Some(if failed.all(|finding| finding.elsewhere) { Exit::Unreachable } else { Exit::Failure })
    }

    pub(super) fn summary(&self) -> String {
        let count = |verdict| self.checks.iter().filter(|finding| finding.result == verdict).count();
        format!("{} ok, {} to look at, {} failed", count(Verdict::Ok), count(Verdict::Warn), count(Verdict::Fail))
    }
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = table();
        for finding in &self.checks {
            table.add_row([finding.result.word(), finding.check, &finding.what]);
            if let Some(remedy) = &finding.remedy {
                table.add_row(["", "", &format!("-> {remedy}")]);
            }
        }
        writeln!(f, "{}", table.trim_fmt())?;
        write!(f, "{}", self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(findings: &[Finding]) -> Option<Exit> {
        let mut report = Report::default();
        report.extend(findings.iter().cloned());
        report.exit()
    }

    #[test]
    fn the_exit_code_says_whether_the_fault_is_here_or_elsewhere() {
        let ok = Finding::ok("a", "fine");
        let warn = Finding::warn("b", "hm", "look");
        let here = Finding::fail("c", "bad", "mend");
        let there = Finding::unreachable("d", "gone", "call them");
        assert_eq!(exit(&[ok.clone(), warn.clone()]), None);
        assert_eq!(exit(&[ok.clone(), there.clone()]), Some(Exit::Unreachable));
        assert_eq!(exit(&[warn, there, here]), Some(Exit::Failure));
    }

    #[test]
    fn people_get_the_remedy_under_its_check() {
        let mut report = Report::default();
        report.extend([Finding::ok("keys", "fine"), Finding::fail("disk", "full", "make room")]);
        let shown = report.to_string();
        let lines: Vec<&str> = shown.lines().map(str::trim).collect();
        assert!(lines.iter().any(|line| line.starts_with("FAIL") && line.ends_with("full")), "{shown}");
        assert!(lines.contains(&"-> make room"), "{shown}");
        assert_eq!(lines.last(), Some(&"1 ok, 0 to look at, 1 failed"));
    }
}
