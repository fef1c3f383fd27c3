//! The repository's text files in memory, so that every check can also be fed a bad one.

use std::fmt;
use std::fs;
use std::path::Path;

/// One text file; `path` is relative to the repository, with `/`.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<SourceFile>,
}

/// What is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// Not ours, or not text.
const SKIP_FOLDERS: &[&str] = &["target", ".git", "var", ".venv", "node_modules"];
const TEXT_ENDINGS: &[&str] = &[
    "rs",
    "toml",
    "md",
    "yaml",
    "yml",
    "json",
    "sql",
    "sh",
    "py",
    "txt",
    "csv",
    "html",
    "css",
    "js",
    "xml",
    "service",
    "proptest-regressions",
];
/// Text files without an ending live here.
const SCRIPT_FOLDERS: &[&str] = &["scripts/", ".ci/", ".config/"];

impl Tree {
    /// Every text file of the repository, sorted by path.
    pub(crate) fn read() -> Self {
        let mut tree = Self::default();
        tree.read_folder(Path::new(env!("CARGO_MANIFEST_DIR")), "");
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree
    }

    /// For the tests of the checks.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into() };
        Self { files: files.iter().map(file).collect() }
    }

    /// The Rust files below any of these folders (`src/`).
    pub(crate) fn rust<'a>(&'a self, folders: &'a [&str]) -> impl Iterator<Item = &'a SourceFile> {
        self.files
            .iter()
            .filter(move |file| file.ends_in("rs") && folders.iter().any(|folder| file.path.starts_with(folder)))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !SKIP_FOLDERS.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &format!("{path}/"));
            } else if kind.is_file() && is_text(&path) {
                let bytes = fs::read(entry.path()).unwrap_or_default();
                self.files.push(SourceFile { path, text: String::from_utf8_lossy(&bytes).into_owned() });
            }
        }
    }
}

impl SourceFile {
    pub(crate) fn ends_in(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == ending)
    }

    pub(crate) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

fn is_text(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    TEXT_ENDINGS.contains(&ending) || SCRIPT_FOLDERS.iter().any(|folder| path.starts_with(folder))
}
