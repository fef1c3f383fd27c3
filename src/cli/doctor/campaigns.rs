//! Would the folder of campaigns be taken?

use crate::campaign::{Status, load};
use crate::daemon::config::Config;
use crate::daemon::read_folder;

use super::Finding;

const CHECK: &str = "campaigns";

pub(super) fn check(config: &Config) -> Finding {
    let folder = config.campaigns.display();
    let read = read_folder(&config.campaigns, Some(config.known_names()));
    let loaded = read.map_err(|finding| vec![finding]).and_then(|snapshot| load(&snapshot));
    let remedy = "`goldenhour check --config FILE` shows each with its place";
    match loaded {
        Err(findings) => {
            let errors = findings.iter().filter(|finding| finding.is_error());
            Finding::fail(CHECK, format!("{folder}: mistakes: {}", errors.count()), remedy)
        }
        Ok(plan) if plan.campaigns.is_empty() => {
            Finding::warn(CHECK, format!("{folder} holds no campaign"), "docs/CAMPAIGNS.md begins with one")
        }
        Ok(plan) => {
            let active = plan.campaigns.iter().filter(|campaign| campaign.status == Status::Active).count();
            let what = format!("{folder}: {} campaigns, {active} of them active", plan.campaigns.len());
            match plan.warnings.len() {
                0 => Finding::ok(CHECK, what),
                warnings => Finding::warn(CHECK, format!("{what}, {warnings} warnings"), remedy),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn missing_empty_and_bad_folders_are_told_apart() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("g.yaml"), "drain_timeout: 1m\n").unwrap();
        let config = Config::load(&home.path().join("g.yaml")).unwrap().config;
        assert_eq!(check(&config).result, Verdict::Fail);
        std::fs::create_dir(&config.campaigns).unwrap();
        assert!(check(&config).what.contains("no campaign"));
        std::fs::write(config.campaigns.join("a.yaml"), "schema: goldenhour/v1\n").unwrap();
        assert_eq!(check(&config).result, Verdict::Fail);
    }
}
