//! A list at hand: a file that can be read twice, with its checksum, wherever it came from.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::campaign::ListMap;

use super::claim::Claim;
use super::source::Fingerprint;
use super::spool::{drain, nameless, rewind};
use super::{ListError, ReadOptions, Rows};

#[derive(Debug)]
pub struct ListFile {
    /// As its source names it.
    shown: PathBuf,
    file: File,
    print: Fingerprint,
    /// Of a file that others may still write to.
    stamp: Option<Stamp>,
    claim: Option<Claim>,
}

type Stamp = (u64, Option<SystemTime>);

impl ListFile {
    /// A path. A pipe is read once, into a nameless file in `spool`.
    pub fn open(path: &Path, spool: &Path) -> Result<Self, ListError> {
        let mut file = File::open(path).map_err(ListError::Io)?;
        let about = file.metadata().map_err(ListError::Io)?;
        if about.is_dir() {
            return Err(ListError::Io(std::io::Error::other("it is a folder")));
        }
        if !about.is_file() {
            return Self::kept(path.to_owned(), file, spool);
        }
        let claim = Claim::beside(path)?;
        let stamp = Some(stamp(&file)?);
        let print = drain(&mut file, None)?;
        Ok(Self { shown: path.to_owned(), file, print, stamp, claim })
    }

    /// What comes once: it is kept in a nameless file in `spool`.
    pub fn kept(shown: PathBuf, from: impl std::io::Read, spool: &Path) -> Result<Self, ListError> {
        let mut file = nameless(spool).map_err(ListError::Io)?;
        let print = drain(from, Some(&mut file))?;
        Ok(Self { shown, file, print, stamp: None, claim: None })
    }

    pub fn shown(&self) -> &Path {
        &self.shown
    }

    pub fn print(&self) -> &Fingerprint {
        &self.print
    }

    /// Short, for tables and file names.
    pub fn name(&self) -> String {
        self.shown.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// From the first row on. One at a time: all share one place in the file.
    pub fn rows(&mut self, map: &ListMap, options: &ReadOptions) -> Result<Rows, ListError> {
        rewind(&mut self.file)?;
        Rows::of_file(self.file.try_clone().map_err(ListError::Io)?, map, options)
    }

    /// Once all rows are read: were they the rows that the checksum and the sender mean?
    pub fn confirm(&self, rows: u64) -> Result<(), ListError> {
        if self.stamp.is_some() && self.stamp != Some(stamp(&self.file)?) {
            return Err(ListError::Changed);
        }
        self.claim.as_ref().map_or(Ok(()), |claim| claim.check(&self.print, rows))
    }
}

fn stamp(file: &File) -> Result<Stamp, ListError> {
    let about = file.metadata().map_err(ListError::Io)?;
    Ok((about.len(), about.modified().ok()))
}
