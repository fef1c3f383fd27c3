//! Sealed outcomes as files for retraining, by day. At least once: a cursor moves only after the files are durable.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Code, Diagnostic, Now};
use crate::store::{Store, StoreError};

use super::day_files::{DayFiles, File};
use super::facts::{Facts, counted, size};
use super::slots::export_slots;
use super::write_record::Style;

/// Rows held in memory, and so at most in one file; after each such chunk the cursor moves.
const CHUNK: usize = 20_000;
const PAGE: usize = 1_000;
/// Outcomes sealed in one transaction.
const SEAL: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    pub style: Style,
    /// Made if need be; files go to `dt=YYYY-MM-DD/` inside.
    pub out: PathBuf,
    /// Whose cursor it is. By default each format and folder has its own, so that a new folder gets everything.
    pub consumer: Option<String>,
    /// Everything again. The cursor ends where it would have.
    pub from_start: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    pub out: PathBuf,
    pub format: &'static str,
    pub profile: &'static str,
    pub consumer: String,
    pub rows: u64,
    /// Lines of slots, in files of their own.
    pub slot_rows: u64,
    pub size_bytes: u64,
    pub files: Vec<PathBuf>,
    /// Number of days written to.
    pub days: u64,
    /// The consumer has everything up to this seal.
    pub cursor: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl ExportError {
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Write { .. } => Code::ExportWrite,
        }
    }

    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code(), self.to_string())
    }
}

/// Seals what is finished and writes what this consumer does not have yet. Readers drop duplicates by `attempt_id` and
/// `revision`.
pub async fn export<S: Store>(store: &mut S, options: &ExportOptions, now: Now) -> Result<ExportReport, ExportError> {
    // A daemon may go on finishing attempts meanwhile: what is not full is the end.
    while store.seal(now, SEAL).await? >= SEAL as u64 {}
    fs::create_dir_all(&options.out).map_err(|source| ExportError::Write { path: options.out.clone(), source })?;
    let consumer = options.consumer.clone().unwrap_or_else(|| default_consumer(options));
    let known = store.cursor(&consumer).await?;
    let mut after = if options.from_start { 0 } else { known };
    let mut report = ExportReport {
        out: options.out.clone(),
        format: options.style.format.as_str(),
        profile: options.style.profile.as_str(),
        consumer,
        rows: 0,
        slot_rows: 0,
        size_bytes: 0,
        files: Vec::new(),
        days: 0,
        cursor: known,
    };
    let mut days = BTreeSet::new();
    while let Some(chunk) = next_chunk(store, after, options.style).await? {
        after = chunk.last;
        let rows = chunk.files.rows();
        report.rows += rows as u64;
        for File { day, path, size_bytes } in chunk.files.write(&options.out)? {
            days.insert(day);
            report.size_bytes += size_bytes;
            report.files.push(path);
        }
        let was_short = rows < CHUNK;
        if after > report.cursor {
            store.set_cursor(&report.consumer, after).await?;
            report.cursor = after;
        }
        if was_short {
            break;
        }
    }
    report.days = days.len() as u64;
    let slots = format!("{}/slots", report.consumer);
    let slots = export_slots(store, &slots, options.from_start, &options.out, options.style.format).await?;
    report.slot_rows = slots.rows;
    report.size_bytes += slots.size_bytes;
    report.files.extend(slots.files);
    Ok(report)
}

/// Rows of the next seals.
#[derive(Debug)]
struct Chunk {
    last: u64,
    files: DayFiles,
}

async fn next_chunk<S: Store>(store: &mut S, after: u64, style: Style) -> Result<Option<Chunk>, ExportError> {
    let mut chunk = Chunk { last: after, files: DayFiles::new(style) };
    while chunk.files.rows() < CHUNK {
        let page = store.outcomes(chunk.last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            chunk.last = chunk.last.max(row.seal);
            chunk.files.take(row)?;
        }
    }
    Ok((chunk.files.rows() > 0).then_some(chunk))
}

fn default_consumer(options: &ExportOptions) -> String {
    let style = options.style;
    let folder = fs::canonicalize(&options.out).unwrap_or_else(|_| options.out.clone());
    let features = if style.features { "+features" } else { "" };
    format!("{}:{}{features}:{}", style.format.as_str(), style.profile.as_str(), folder.display())
}

impl fmt::Display for ExportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = Facts::new(format!("outcomes → {}", self.out.display()));
        facts.add("format", format!("{}, {} profile", self.format, self.profile));
        if self.rows == 0 && self.slot_rows == 0 {
            facts.add("rows", format!("none: nothing is new behind seal {}", self.cursor));
            return facts.fmt(f);
        }
        facts.add("rows", counted(self.rows));
        facts.add("slots", counted(self.slot_rows));
        facts.add("files", format!("{} over {} days, {}", self.files.len(), self.days, size(self.size_bytes)));
        facts.add("up to seal", counted(self.cursor));
        facts.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::feed::fake::Fake;
    use crate::feed::write_record::{Format, Profile};
    use crate::feed::{csv::Records, fixture};

    fn options(out: &Path, format: Format) -> ExportOptions {
        let style = Style { format, profile: Profile::Machine, features: true };
        ExportOptions { style, out: out.to_owned(), consumer: None, from_start: false }
    }

    /// `(attempt_id, revision)` of every row in every file, as often as it stands there.
    fn keys(report: &ExportReport) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for file in &report.files {
            let text = fs::read_to_string(file).unwrap();
            let mut records = Records::new(text.as_bytes());
            assert_eq!(records.next().unwrap().unwrap().get(0), Some("attempt_id"));
            while let Some(record) = records.next().unwrap() {
                out.push((record.get(0).unwrap().to_owned(), record.get(1).unwrap().to_owned()));
            }
        }
        out
    }

    #[tokio::test]
    async fn slots_come_in_files_of_their_own_and_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Fake::with_outcomes(1);
        store.slots = fixture::slots();
        let options = options(dir.path(), Format::Csv);
        let report = export(&mut store, &options, Now::default()).await.unwrap();
        assert_eq!((report.rows, report.slot_rows), (1, 2));
        let text = fs::read_to_string(dir.path().join("dt=2026-12-01/slots-000000000001-000000000002.csv")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("attempts,same_slot_fails,reachability,eligible,dialled,drawn,propensity"));
        assert!(lines[1].ends_with(",star,1,18,2,1,-3,500,20,2,0.01"), "{}", lines[1]);
        let again = export(&mut store, &options, Now::default()).await.unwrap();
        assert_eq!((again.slot_rows, again.files.len()), (0, 0));
    }

    #[tokio::test]
    async fn days_get_files_of_their_own_and_nothing_comes_twice() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Fake::with_outcomes(3);
        store.outcomes[2].authorised_at = store.outcomes[2].authorised_at + Duration::from_hours(24);
        let options = options(dir.path(), Format::Csv);
        let report = export(&mut store, &options, Now::default()).await.unwrap();
        assert_eq!((report.rows, report.days, report.cursor), (3, 2, 3));
        assert!(report.files[1].starts_with(dir.path().join("dt=2026-12-02")));
        assert_eq!(keys(&report).len(), 3);
        let again = export(&mut store, &options, Now::default()).await.unwrap();
        assert_eq!((again.rows, again.files.len(), again.cursor), (0, 0, 3));
    }

    #[tokio::test]
    async fn another_folder_or_format_starts_from_the_beginning() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut store = Fake::with_outcomes(3);
        for options in
            [options(one.path(), Format::Csv), options(two.path(), Format::Csv), options(two.path(), Format::Jsonl)]
        {
            assert_eq!(export(&mut store, &options, Now::default()).await.unwrap().rows, 3);
        }
    }

    #[tokio::test]
    async fn a_crash_between_file_and_cursor_makes_duplicates_with_the_same_key_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path(), Format::Csv);
        let mut store = Fake::with_outcomes(2);
        store.cursor_fails = true;
        assert!(export(&mut store, &options, Now::default()).await.is_err());
        store.cursor_fails = false;
        store.outcomes.push(fixture::outcome(3));
        let report = export(&mut store, &options, Now::default()).await.unwrap();
        let mut files: Vec<PathBuf> =
            fs::read_dir(dir.path().join("dt=2026-12-01")).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        let all = keys(&ExportReport { files, ..report });
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (5, 3));
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_not_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        // A file stands where the day's folder would have to be made.
        fs::write(dir.path().join("dt=2026-12-01"), "").unwrap();
        let mut store = Fake::with_outcomes(1);
        let options = options(dir.path(), Format::Jsonl);
        let error = export(&mut store, &options, Now::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::ExportWrite);
        assert!(store.cursors.is_empty());
    }

    #[tokio::test]
    async fn many_rows_are_written_in_chunks_and_all_arrive() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Fake::with_outcomes(CHUNK as u64 + 10);
        let report = export(&mut store, &options(dir.path(), Format::Csv), Now::default()).await.unwrap();
        assert_eq!((report.files.len(), report.rows, report.cursor), (2, CHUNK as u64 + 10, CHUNK as u64 + 10));
        let all: BTreeSet<_> = keys(&report).into_iter().collect();
        assert_eq!(all.len(), CHUNK + 10);
    }

    #[tokio::test]
    async fn from_the_start_gives_everything_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Fake::with_outcomes(2);
        let mut options = options(dir.path(), Format::Jsonl);
        export(&mut store, &options, Now::default()).await.unwrap();
        options.from_start = true;
        let report = export(&mut store, &options, Now::default()).await.unwrap();
        assert_eq!((report.rows, report.cursor), (2, 2));
        assert!(report.to_string().contains("up to seal"));
    }
}
