//! One version of campaigns: a folder, or one file among the shared files of the configured folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::base::{Code, Diagnostic};
use crate::campaign::{Folder, Plan, load};
use crate::cli::exit::{Exit, Stop};
use crate::cli::site::Site;
use crate::daemon::read_folder;

use super::fields::{Field, differing};

pub(super) struct Version {
    pub plan: Plan,
    files: Folder,
    /// The path of the one file, where it is one.
    only: Option<String>,
}

impl Version {
    pub(super) fn read(site: &Site, path: &Path) -> Result<Self, Stop> {
        let known = Some(site.config().known_names());
        let invalid = |finding| Stop::one(Exit::Invalid, finding);
        let (files, only) = if path.is_dir() {
            (read_folder(path, known).map_err(invalid)?, None)
        } else {
            let bytes = fs::read(path)
                .map_err(|why| invalid(Diagnostic::error(Code::File, format!("{}: {why}", path.display()))))?;
            let mut files = read_folder(&site.config().campaigns, known).map_err(invalid)?;
            files.files.retain(|_, bytes| !is_campaign(bytes));
            let name = path.file_name().map_or_else(|| "campaign.yaml".into(), |name| name.to_string_lossy());
            files.root.clear();
            files.insert(name.clone(), bytes);
            (files, Some(name.into_owned()))
        };
        let plan = load(&files).map_err(|findings| {
            Stop::found(Exit::Invalid, findings.into_iter().filter(Diagnostic::is_error).collect())
        })?;
        Ok(Self { plan, files, only })
    }

    /// Of files against each other: the two that were named, or all of two folders.
    pub(super) fn differing(&self, new: &Self) -> BTreeMap<String, Vec<Field>> {
        let mut out = BTreeMap::new();
        if let (Some(old), Some(own)) = (&self.only, &new.only) {
            out.insert(own.clone(), differing(self.files.get(old), new.files.get(own)));
        } else {
            let paths: BTreeSet<&String> = self.files.files.keys().chain(new.files.files.keys()).collect();
            for path in paths.into_iter().filter(|path| is_yaml(path)) {
                out.insert(path.clone(), differing(self.files.get(path), new.files.get(path)));
            }
        }
        out.retain(|_, fields| !fields.is_empty());
        out
    }
}

fn is_yaml(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// By its first key, as the loader tells them apart.
pub(in crate::cli) fn is_campaign(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let schema = text.lines().find_map(|line| line.strip_prefix("schema:"));
    schema
        .is_some_and(|schema| schema.split('#').next().unwrap_or_default().trim().trim_matches('"') == "goldenhour/v1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn campaigns_are_told_from_what_they_share() {
        assert!(is_campaign(b"# x\nschema: goldenhour/v1\n") && is_campaign(b"schema: \"goldenhour/v1\" # y\n"));
        assert!(!is_campaign(b"schema: goldenhour/policy/v1\n") && !is_campaign(b"# nothing\n"));
    }
}
