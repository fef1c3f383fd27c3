//! A row that was not loaded, or a cell that was left out of one: where, and why, without showing what stood there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::Code;

use super::atomic::AtomicFile;

/// One finding in a list or a label file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// From 1, the header included.
    pub line: u64,
    /// The header's name; empty where the whole row is meant.
    pub column: String,
    #[serde(serialize_with = "code_text")]
    pub code: Code,
    /// Values appear as their shape only, see `shape`.
    pub reason: String,
    /// True where the row was loaded without the cell.
    pub loaded: bool,
}

impl Reject {
    pub fn row(line: u64, code: Code, reason: impl Into<String>) -> Self {
        Self { line, column: String::new(), code, reason: reason.into(), loaded: false }
    }

    pub fn cell(line: u64, column: &str, code: Code, reason: impl Into<String>) -> Self {
        Self { line, column: column.to_owned(), code, reason: reason.into(), loaded: false }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.column.is_empty() {
            write!(f, "{}: ", self.column)?;
        }
        write!(f, "{} [{}]", self.reason, self.code)
    }
}

/// What a value looked like, without what it was: digits become `0`, letters `a` or `A`, everything else `_`, but for
/// the punctuation of numbers and times. Enough to see a decimal comma or a date in the wrong column.
pub fn shape(value: &str) -> String {
    const SHOWN: usize = 24;
    let mut out: String = value
        .chars()
        .take(SHOWN)
        .map(|c| match c {
            '0'..='9' => '0',
            c if c.is_lowercase() => 'a',
            c if c.is_alphabetic() => 'A',
            '.' | ',' | '-' | '+' | ':' | '/' | ' ' | '%' | '"' | '{' | '[' | '(' | ')' => c,
            _ => '_',
        })
        .collect();
    if value.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

/// Made when the first reject arrives, so that a clean list leaves no file behind.
#[derive(Debug)]
pub struct RejectFile {
    path: Option<PathBuf>,
    open: Option<csv::Writer<AtomicFile>>,
}

impl RejectFile {
    /// `None` writes nothing.
    pub fn new(path: Option<&Path>) -> Self {
        Self { path: path.map(Path::to_owned), open: None }
    }

    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let writer = match &mut self.open {
            Some(writer) => writer,
            none @ None => {
                let mut writer = csv::Writer::from_writer(AtomicFile::create(path)?);
                writer.write_record(["line", "column", "code", "reason", "loaded"])?;
                none.insert(writer)
            }
        };
        let loaded = if reject.loaded { "yes" } else { "no" };
        let column = super::spreadsheet::escaped(&reject.column);
        writer.write_record([
            &reject.line.to_string(),
            column.as_ref(),
            &reject.code.to_string(),
            &reject.reason,
            loaded,
        ])?;
        Ok(())
    }

    /// Where it lies, if there was anything to write.
    pub fn finish(self) -> io::Result<Option<PathBuf>> {
        let Some(writer) = self.open else { return Ok(None) };
        let file = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        file.commit().map(Some)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn code_text<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_shows_the_mistake_and_not_the_value() {
        assert_eq!(shape("0,83"), "0,00");
        assert_eq!(shape("+999200000001"), "+000000000000");
        assert_eq!(shape("Zhang 三"), "Aaaaa A");
        assert_eq!(shape(&"9".repeat(30)), format!("{}…", "0".repeat(24)));
    }

    #[test]
    fn the_file_appears_with_the_first_reject_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.rejects.csv");
        assert_eq!(RejectFile::new(Some(&path)).finish().unwrap(), None);
        let mut file = RejectFile::new(Some(&path));
        file.write(&Reject::cell(7, "score", Code::ListScore, "a, \"b\"")).unwrap();
        assert!(!path.exists());
        assert_eq!(file.finish().unwrap(), Some(path.clone()));
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, "line,column,code,reason,loaded\n7,score,GH2007,\"a, \"\"b\"\"\",no\n");
    }
}
