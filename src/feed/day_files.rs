//! Outcomes as files, one folder a day of the dial.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::store::OutcomeRow;

use super::atomic::AtomicFile;
use super::export::ExportError;
use super::write_record::{RecordWriter, Style};

/// Rows held in memory, until they are written.
#[derive(Debug)]
pub struct DayFiles {
    style: Style,
    rows: usize,
    days: BTreeMap<Date, Part>,
}

/// One that was written.
#[derive(Debug)]
pub struct File {
    pub day: Date,
    pub path: PathBuf,
    pub size_bytes: u64,
}

#[derive(Debug)]
struct Part {
    first: u64,
    last: u64,
    lines: RecordWriter,
}

impl DayFiles {
    pub fn new(style: Style) -> Self {
        Self { style, rows: 0, days: BTreeMap::new() }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn take(&mut self, row: &OutcomeRow) -> Result<(), ExportError> {
        let failed = |source| ExportError::Write { path: PathBuf::from("memory"), source };
        let day = row.authorised_at.timestamp().to_zoned(TimeZone::UTC).date();
        let part = match self.days.entry(day) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let lines = RecordWriter::new(self.style).map_err(failed)?;
                new.insert(Part { first: row.seal, last: row.seal, lines })
            }
        };
        self.rows += 1;
        part.last = row.seal;
        part.lines.write(row).map_err(failed)
    }

    /// To `dt=YYYY-MM-DD/` inside `out`, named by their seals: the same rows exported again take the place of the same file.
    pub fn write(self, out: &Path) -> Result<Vec<File>, ExportError> {
        let format = self.style.format.as_str();
        let one = |(day, part): (Date, Part)| {
            let name = format!("outcomes-{:012}-{:012}.{format}", part.first, part.last);
            let (path, size_bytes) = write_file(&out.join(format!("dt={day}")), &name, part.lines.into_bytes())?;
            Ok(File { day, path, size_bytes })
        };
        self.days.into_iter().map(one).collect()
    }
}

/// Whole or not at all.
pub(super) fn write_file(folder: &Path, name: &str, bytes: io::Result<Vec<u8>>) -> Result<(PathBuf, u64), ExportError> {
    let path = folder.join(name);
    let written = bytes.and_then(|bytes| {
        fs::create_dir_all(folder)?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(&bytes)?;
        Ok((file.commit()?, bytes.len() as u64))
    });
    written.map_err(|source| ExportError::Write { path, source })
}
