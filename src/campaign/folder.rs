//! What the shell hands over: every file of the campaigns folder, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

/// A snapshot of the folder. The core reads no disk: reload is a new snapshot.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// How diagnostics name the folder: the path as the user gave it, without a slash at the end. May be empty.
    pub root: String,
    /// Path inside the folder, with `/` → bytes. YAML, Markdown and WAV; others are ignored.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// Names of the daemon's configuration. `None` (as in `check` without one): queues and trunks are not checked.
    pub known: Option<KnownNames>,
    /// To find what is over: `check` refuses a run that has ended. The daemon, which must go on with the others, asks for
    /// no day.
    pub today: Option<Date>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNames {
    pub queues: BTreeSet<String>,
    pub trunks: BTreeSet<String>,
}

impl Folder {
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.files.insert(path.into(), bytes.into());
    }

    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(AsRef::as_ref)
    }

    /// The name of a file in diagnostics.
    pub fn shown(&self, path: &str) -> String {
        if self.root.is_empty() { path.to_owned() } else { format!("{}/{path}", self.root) }
    }

    /// Paths of a subfolder with that extension, for `did you mean`.
    pub fn paths_in(&self, under: &str, ext: &str) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(move |path| path.starts_with(under) && path.ends_with(ext))
    }

    /// Is it a file that the loader reads? The shell uses it to decide what to open.
    pub fn wants(path: &str) -> bool {
        [".yaml", ".yml", ".md", ".wav"].iter().any(|ext| path.ends_with(ext))
            && !path.contains("/.")
            && !path.starts_with('.')
    }
}
