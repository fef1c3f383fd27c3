//! Does the configuration read, with every secret that it names?

use std::path::Path;

use crate::base::Diagnostic;
use crate::daemon::config::Config;

use super::Finding;

const CHECK: &str = "configuration";

/// Without a configuration nothing else can be checked.
pub(super) fn check(path: &Path) -> (Option<Config>, Vec<Finding>) {
    match Config::load(path) {
        Ok(loaded) => {
            let mut found = vec![Finding::ok(CHECK, format!("{} reads well", path.display()))];
            found.extend(loaded.warnings.iter().map(|warning| tell(warning, Finding::warn)));
            if loaded.config.trunks.is_empty() {
                let remedy = "name a gateway under `trunks:`";
                found.push(Finding::warn(CHECK, "there is no trunk, so nobody can be called", remedy));
            }
            (Some(loaded.config), found)
        }
        Err(findings) => (None, findings.iter().map(|finding| tell(finding, Finding::fail)).collect()),
    }
}

fn tell(finding: &Diagnostic, make: fn(&'static str, String, String) -> Finding) -> Finding {
    let place = finding.line_column().map(|(line, column)| format!("{line}:{column}: ")).unwrap_or_default();
    let remedy = finding.hint.clone().unwrap_or_else(|| format!("docs/errors/{}.md", finding.code));
    make(CHECK, format!("{place}{}: {}", finding.code, finding.message), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn each_mistake_is_a_failure_with_its_place_and_code() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("g.yaml");
        std::fs::write(&path, "databse: x\ndrain_timeout: soon\n").unwrap();
        let (config, found) = check(&path);
        assert!(config.is_none() && found.len() == 2, "{found:?}");
        assert!(found[0].what.starts_with("1:1: GH1003") && found[0].remedy.as_deref().unwrap().contains("database"));
        std::fs::write(&path, "drain_timeout: 1m\n").unwrap();
        let (config, found) = check(&path);
        assert_eq!((config.is_some(), found[0].result, found[1].result), (true, Verdict::Ok, Verdict::Warn));
    }
}
