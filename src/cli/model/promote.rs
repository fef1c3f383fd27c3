//! `goldenhour model promote`: which model directory is the champion, as a name that moves in one step.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Code, Diagnostic, Wall};
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;

/// Make a model the champion: `MODELS/champion` points to it from one moment to the next, and a line says who was before
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder with a model directory for each version
    #[arg(long, value_name = "DIR")]
    models: PathBuf,
    /// The model directory's name in that folder; or `challenger`, to promote what is called so
    name: String,
    /// What to point at it
    #[arg(long = "as", value_name = "ALIAS", default_value = "champion")]
    alias: Alias,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Alias {
    Champion,
    Challenger,
}

/// Every promotion, one JSON object a line, oldest first. Rolling back is a promotion too.
const AUDIT: &str = "promotions.jsonl";
const MANIFEST: &str = "model.json";

#[derive(Debug, Serialize)]
struct Report {
    alias: &'static str,
    model: String,
    before: Option<String>,
    at: String,
    user: u32,
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("`{0}` is not the name of a folder")]
    Name(String),
    #[error("there is no model `{0}`: {MANIFEST} is missing in it")]
    NoModel(String),
    #[error("`{0}` points to nothing")]
    NoAlias(&'static str),
    #[error("`{0}` is no link: something else than this command put it there")]
    NotALink(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let at = crate::cli::now().wall;
    match promote(&args.models, &args.name, args.alias, at) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(refusal) => {
            let finding = Diagnostic::error(Code::File, format!("{}: {refusal}", args.models.display()));
            output::failed(args.json, Stop::one(Exit::Failure, finding))
        }
    }
}

/// The new link is made beside the old one and renamed over it (POSIX rename: a reader sees the one or the other). The line
/// is durable before: a promotion that nobody can find again is worse than a line without one.
fn promote(models: &Path, name: &str, alias: Alias, at: Wall) -> Result<Report, Refusal> {
    use std::os::unix::fs::MetadataExt as _;
    let before = target(models, alias)?;
    let model = match name {
        "challenger" => target(models, Alias::Challenger)?.ok_or(Refusal::NoAlias("challenger"))?,
        "champion" => target(models, Alias::Champion)?.ok_or(Refusal::NoAlias("champion"))?,
        name => name.to_owned(),
    };
    let plain = !model.is_empty() && model != "." && model != ".." && !model.contains('/');
    if !plain {
        return Err(Refusal::Name(model));
    }
    if !models.join(&model).join(MANIFEST).is_file() {
        return Err(Refusal::NoModel(model));
    }
    let user = fs::metadata("/proc/self").map_or(0, |own| own.uid());
    let report = Report { alias: alias.as_str(), model, before, at: at.to_string(), user };
    note(models, &report)?;
    let fresh = models.join(format!(".{}.{}", alias.as_str(), std::process::id()));
    let _left_by_a_crash = fs::remove_file(&fresh);
    std::os::unix::fs::symlink(&report.model, &fresh)?;
    fs::rename(&fresh, models.join(alias.as_str()))?;
    fs::File::open(models)?.sync_all()?;
    Ok(report)
}

fn note(models: &Path, report: &Report) -> Result<(), Refusal> {
    let mut line = serde_json::to_string(report).map_err(io::Error::other)?;
    line.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(models.join(AUDIT))?;
    file.write_all(line.as_bytes())?;
    Ok(file.sync_all()?)
}

/// What an alias points to, by its name in the folder.
fn target(models: &Path, alias: Alias) -> Result<Option<String>, Refusal> {
    let path = models.join(alias.as_str());
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
        Ok(about) if !about.is_symlink() => Err(Refusal::NotALink(alias.as_str())),
        Ok(_) => Ok(Some(fs::read_link(&path)?.to_string_lossy().into_owned())),
    }
}

impl Alias {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before.as_deref().unwrap_or("nothing");
        write!(f, "{} is {} from now on; before it was {before}", self.alias, self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join(MANIFEST), "{}").unwrap();
        }
        folder
    }

    #[test]
    fn a_promotion_and_its_way_back_are_two_lines() {
        let folder = models(&["v1", "v2"]);
        let go = |name, alias| promote(folder.path(), name, alias, Wall(0)).map(|report| (report.model, report.before));
        assert_eq!(go("v1", Alias::Champion).unwrap(), ("v1".into(), None));
        assert_eq!(go("v2", Alias::Challenger).unwrap(), ("v2".into(), None));
        assert_eq!(go("challenger", Alias::Champion).unwrap(), ("v2".into(), Some("v1".into())));
        assert!(folder.path().join("champion").join(MANIFEST).is_file());
        assert_eq!(fs::read_link(folder.path().join("champion")).unwrap(), Path::new("v2"));
        assert_eq!(go("v1", Alias::Champion).unwrap(), ("v1".into(), Some("v2".into())));
        let audit = fs::read_to_string(folder.path().join(AUDIT)).unwrap();
        assert_eq!(audit.lines().count(), 4);
        assert!(audit.lines().last().unwrap().contains(r#""model":"v1","before":"v2""#), "{audit}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing is left beside");
    }

    #[test]
    fn what_a_promotion_left_that_died_is_in_nobodys_way() {
        let folder = models(&["v1"]);
        let fresh = folder.path().join(format!(".champion.{}", std::process::id()));
        std::os::unix::fs::symlink("v0", &fresh).unwrap();
        promote(folder.path(), "v1", Alias::Champion, Wall(0)).unwrap();
        assert_eq!(fs::read_link(folder.path().join("champion")).unwrap(), Path::new("v1"));
    }

    #[test]
    fn what_is_no_model_is_not_promoted_and_nothing_of_others_is_overwritten() {
        let folder = models(&["v1"]);
        let go = |name: &str| promote(folder.path(), name, Alias::Champion, Wall(0)).unwrap_err();
        assert!(matches!(go("v2"), Refusal::NoModel(_)));
        assert!(matches!(go("../v1"), Refusal::Name(_)));
        assert!(matches!(go(".."), Refusal::Name(_)));
        assert!(matches!(go("."), Refusal::Name(_)));
        assert!(matches!(go("challenger"), Refusal::NoAlias("challenger")));
        fs::create_dir(folder.path().join("champion")).unwrap();
        assert!(matches!(go("v1"), Refusal::NotALink("champion")));
        assert!(!folder.path().join(AUDIT).exists());
    }
}
