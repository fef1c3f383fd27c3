//! Files of traces in one folder: numbered, appended to, the oldest removed. Together they never take more than they may.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::base::Wall;

/// The name that all files end with.
const ENDING: &str = "trace";
/// So many files share the room, so that little is removed at once.
const SHARES: u64 = 16;
const SMALLEST: u64 = 64 * 1024;
/// A daemon that starts again and again leaves small files.
const FILES_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    bytes_max: u64,
    /// Names the run: ticks of two runs cannot be compared.
    began: Wall,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    file: File,
    size: u64,
    /// The last writing may have left half a line.
    torn: bool,
}

impl Shelf {
    pub(super) fn new(folder: PathBuf, bytes_max: u64, began: Wall) -> Self {
        Self { folder, bytes_max, began, current: None }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whole lines. The folder is made with the first of them.
    pub(super) fn append(&mut self, lines: &str) -> io::Result<()> {
        let full = (self.bytes_max / SHARES).max(SMALLEST);
        if self.current.as_ref().is_none_or(|current| current.size + lines.len() as u64 > full) {
            self.current = Some(self.next(full)?);
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        let mut text = String::with_capacity(lines.len() + 1);
        if std::mem::take(&mut current.torn) {
            text.push('\n');
        }
        text.push_str(lines);
        let written = current.file.write_all(text.as_bytes());
        current.size += text.len() as u64;
        current.torn = written.is_err();
        written
    }

    /// Makes room for a whole file, and makes it.
    fn next(&self, full: u64) -> io::Result<Current> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut files = files(&self.folder)?;
        let number = files.last().map_or(0, |(number, ..)| number + 1);
        let mut size: u64 = files.iter().map(|(_, _, size)| size).sum();
        files.reverse();
        while size.saturating_add(full) > self.bytes_max || files.len() >= FILES_MAX {
            let Some((_, oldest, its_size)) = files.pop() else { break };
            fs::remove_file(&oldest)?;
            size -= its_size;
        }
        let path = self.folder.join(format!("{number:010}.{ENDING}"));
        let mut file = File::options().append(true).create_new(true).mode(0o600).open(path)?;
        let head = head(self.began);
        file.write_all(head.as_bytes())?;
        Ok(Current { file, size: head.len() as u64, torn: false })
    }
}

fn head(began: Wall) -> String {
    format!("goldenhour traces 1 {}\n", began.0)
}

/// The run that wrote a file with this first line; `None` for a file that is not ours.
pub(super) fn run_of(first_line: &str) -> Option<i64> {
    first_line.strip_prefix("goldenhour traces 1 ")?.parse().ok()
}

/// By number, the oldest first.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|ending| ending == ENDING)) {
            found.push((number, path, entry.metadata()?.len()));
        }
    }
    found.sort_unstable();
    Ok(found)
}
