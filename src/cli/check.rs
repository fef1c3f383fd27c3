//! `goldenhour check PATH...`: every mistake of campaigns and configuration at once, with its place.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::base::{Code, Diagnostic, Wall, render_json};
use crate::campaign::{Folder, KnownNames, NamedModel, Plan, load};
use crate::daemon::config::Config;
use crate::daemon::read_folder;
use crate::feed::load_model;

use super::exit::{Exit, Stop};
use super::output;

/// Check campaign files: a folder of campaigns, or single files of one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of campaigns, or files inside one; without any, the folder that the configuration names
    #[arg(value_name = "PATH", required_unless_present = "config")]
    paths: Vec<PathBuf>,
    /// Also check this configuration, and that campaigns name its trunks and queues
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
    /// Find what is over by this time instead of now
    #[arg(long, value_name = "RFC3339", value_parser = Wall::parse)]
    at: Option<Wall>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let report = report(args);
    let invalid = report.findings.iter().any(|finding| finding.is_error() || args.deny_warnings);
    if args.json {
        output::say_json(&json!({
            "ok": !invalid,
            "checked": report.checked,
            "findings": render_json(&report.findings),
        }))?;
    } else {
        if !report.findings.is_empty() {
            output::complain_findings(&report.findings);
        }
        output::say(&report.summary())?;
    }
    Ok(if invalid { Exit::Invalid } else { Exit::Ok })
}

#[derive(Default)]
struct Report {
    /// Campaigns of folders, and single files, without an error.
    checked: Vec<String>,
    findings: Vec<Diagnostic>,
}

fn report(args: &Args) -> Report {
    let mut report = Report::default();
    let today = args.at.unwrap_or_else(|| super::now().wall).timestamp().to_zoned(TimeZone::UTC).date();
    let mut known = None;
    let mut paths = args.paths.clone();
    if let Some(path) = &args.config {
        match Config::load(path) {
            Ok(loaded) => {
                known = Some(loaded.config.known_names());
                if paths.is_empty() {
                    paths.push(loaded.config.campaigns);
                }
                report.findings.extend(loaded.warnings);
            }
            Err(findings) => report.findings.extend(findings),
        }
    }
    for path in &paths {
        report.check(path, known.clone(), today);
    }
    report
}

impl Report {
    fn check(&mut self, path: &Path, known: Option<KnownNames>, today: Date) {
        let (folder, only) = if path.is_dir() { (path, None) } else { (home_of(path), Some(path)) };
        let loaded = read_folder(folder, known).and_then(|snapshot| match only {
            Some(file) if !holds(&snapshot, file) => Err(not_ours(file)),
            Some(_) | None => Ok(Folder { today: Some(today), ..snapshot }),
        });
        let (plan, findings) = match loaded.map(|snapshot| load(&snapshot)) {
            Ok(Ok(mut plan)) => {
                let warnings = std::mem::take(&mut plan.warnings);
                let models = plan.models.iter().filter_map(|named| unusable(folder, named));
                let findings = models.chain(warnings).collect();
                (plan, findings)
            }
            Ok(Err(findings)) => (Plan::default(), findings),
            Err(finding) => (Plan::default(), vec![finding]),
        };
        let concerning: Vec<Diagnostic> = findings.into_iter().filter(|finding| concerns(finding, only)).collect();
        match only {
            None => self.checked.extend(plan.campaigns.iter().map(|campaign| campaign.name.clone())),
            Some(file) if !concerning.iter().any(Diagnostic::is_error) => self.checked.push(file.display().to_string()),
            Some(_) => {}
        }
        self.findings.extend(concerning);
    }

    fn summary(&self) -> String {
        let errors = self.findings.iter().filter(|finding| finding.is_error()).count();
        let warnings = self.findings.len() - errors;
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        if errors > 0 {
            return format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
        }
        let names = if self.checked.is_empty() { String::new() } else { format!(": {}", self.checked.join(", ")) };
        let tail = if warnings > 0 { format!("; {}", plural(warnings, "warning")) } else { String::new() };
        format!("{} checked{names}{tail}", self.checked.len())
    }
}

/// The core sees names of models; whether they are there and whole is told by the disk.
fn unusable(campaigns: &Path, named: &NamedModel) -> Option<Diagnostic> {
    let error = load_model(&campaigns.join(&named.dir)).err()?;
    let finding = Diagnostic::error(Code::ListModel, format!("this model cannot be used: {error}"));
    Some(
        finding
            .at(&named.source, named.span)
            .hint("the path is relative to the campaigns folder; no list can be loaded"),
    )
}

/// The campaigns folder that a single file belongs to: the nearest one above it that holds the policies.
pub(super) fn home_of(file: &Path) -> &Path {
    let above = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    above.ancestors().find(|folder| folder.join("policies").is_dir()).unwrap_or(above)
}

/// With a single file, findings of other campaigns are left out; those of shared files stay, because it stands on them.
pub(super) fn concerns(finding: &Diagnostic, only: Option<&Path>) -> bool {
    let (Some(only), Some((source, _))) = (only, &finding.at) else { return true };
    let is_shared = ["/policies/", "/calendars/", "/dispositions/"].iter().any(|folder| source.name.contains(folder));
    is_shared || Path::new(&source.name).ends_with(bare(only))
}

/// A path as it ends inside a folder, without `./`.
pub(super) fn bare(path: &Path) -> &Path {
    path.strip_prefix("./").unwrap_or(path)
}

pub(super) fn holds(snapshot: &Folder, file: &Path) -> bool {
    snapshot.files.keys().any(|path| Path::new(&snapshot.shown(path)).ends_with(bare(file)))
}

pub(super) fn not_ours(file: &Path) -> Diagnostic {
    let why = if file.exists() { "is no file of a campaigns folder" } else { "does not exist" };
    Diagnostic::error(Code::File, format!("{} {why}", file.display()))
        .hint("name a folder of campaigns, or a YAML, Markdown or WAV file inside one")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::render;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("policies")).unwrap();
        for (name, text) in files {
            fs::write(home.path().join(name), text).unwrap();
        }
        home
    }

    const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: P\npurposes: [collection]\n\
        calling_hours: { mon-sun: [\"00:00-24:00\"], holidays: open, zone: any }\nconsent: not_refused\n\
        attempts: { max: 20, max_per_day: 20 }\nsources: [\"nobody\"]\n";
    const CAMPAIGN: &str = "schema: goldenhour/v1\ncampaign: a\nscenario: activation\npurpose: collection\n\
        use: { policy: p@1 }\nlist: { key: id, phones: [mobile], model: { dir: models/m } }\n\
        pacing: { mode: progressive }\nagents: { queue: q }\n";
    const MODEL: &str = r#"{ "schema": "goldenhour/model/v1", "name": "m", "version": "1", "target": "convert",
        "features": [{"name": "a", "type": "number"}, {"name": "b", "type": "number"}, {"name": "c", "type": "number"}],
        "models": {"a": {"file": "a.ubj"}}, "calibration": {"kind": "none"} }"#;

    fn checked(paths: Vec<PathBuf>) -> Report {
        report(&Args { paths, config: None, deny_warnings: false, at: None, json: false })
    }

    #[test]
    fn an_empty_folder_is_fine_and_a_missing_path_is_not() {
        let home = folder(&[]);
        assert_eq!(checked(vec![home.path().to_owned()]).summary(), "0 checked");
        let report = checked(vec![home.path().join("none.yaml")]);
        assert!(report.findings.iter().any(|finding| finding.message.contains("does not exist")));
        assert_eq!(report.summary(), "1 error, 0 warnings");
    }

    #[test]
    fn a_model_that_is_not_there_or_broken_is_an_error_at_its_place() {
        let home = folder(&[("policies/p.yaml", POLICY), ("a.yaml", CAMPAIGN)]);
        let report = checked(vec![home.path().to_owned()]);
        let [finding] = &report.findings[..] else { panic!("{}", render(&report.findings)) };
        assert_eq!((finding.code, finding.line_column()), (Code::ListModel, Some((6, 50))), "{finding}");
        assert_eq!(report.summary(), "1 error, 0 warnings");
        let model = home.path().join("models/m");
        fs::create_dir_all(&model).unwrap();
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/numbers.ubj");
        fs::copy(fixture, model.join("a.ubj")).unwrap();
        fs::write(model.join("model.json"), "{}").unwrap();
        assert_eq!(checked(vec![home.path().join("a.yaml")]).summary(), "1 error, 0 warnings");
        fs::write(model.join("model.json"), MODEL).unwrap();
        assert_eq!(checked(vec![home.path().to_owned()]).summary(), "1 checked: a");
    }

    #[test]
    fn a_single_file_is_not_blamed_for_its_neighbours() {
        let home = folder(&[("a.yaml", "schema: 1\n"), ("b.yaml", "schema: 2\n"), ("policies/p.yaml", "schema: 3\n")]);
        let names = |report: &Report| {
            let name = |finding: &Diagnostic| {
                let (source, _) = finding.at.as_ref().unwrap();
                Path::new(&source.name).file_name().unwrap().to_string_lossy().into_owned()
            };
            let mut names: Vec<String> = report.findings.iter().map(name).collect();
            names.dedup();
            names
        };
        assert_eq!(names(&checked(vec![home.path().join("a.yaml")])), ["a.yaml", "p.yaml"]);
        assert_eq!(names(&checked(vec![home.path().to_owned()])), ["a.yaml", "b.yaml", "p.yaml"]);
    }

    #[test]
    fn a_configuration_is_checked_and_brings_its_folder() {
        let home = folder(&[]);
        fs::create_dir(home.path().join("campaigns")).unwrap();
        let config = home.path().join("goldenhour.yaml");
        fs::write(&config, "drain_timeout: 1m\n").unwrap();
        let mut args =
            Args { paths: vec![], config: Some(config.clone()), deny_warnings: false, at: None, json: false };
        assert_eq!(report(&args).summary(), "0 checked");
        fs::write(&config, "drain_timeout: 1 minute\n").unwrap();
        args.paths.push(home.path().join("campaigns"));
        assert_eq!(report(&args).summary(), "1 error, 0 warnings");
    }
}
