//! Lists in, outcomes out, labels back in: everything that crosses the house's border as a file.

mod atomic;
mod cells;
mod claim;
mod csv;
mod day_files;
mod drift;
mod encoding;
mod error;
mod export;
mod facts;
mod header;
mod import;
mod labels;
mod list_file;
mod list_info;
mod list_model;
mod manifest;
mod model_folder;
#[cfg(feature = "parquet")]
mod parquet;
mod piped;
mod reach;
mod record;
mod refuse;
mod reject;
mod row_reader;
mod rows;
mod score;
mod slots;
mod source;
mod spool;
mod spreadsheet;
mod table;
mod table_rows;
mod timetable;
mod write_record;
mod xlsx;

#[cfg(test)]
mod bad_inputs;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fixture;

pub use atomic::AtomicFile;
pub use day_files::{DayFiles, File};
pub use drift::Scores;
pub use error::ListError;
pub use export::{ExportError, ExportOptions, ExportReport, export};
pub use header::{HeaderError, Missing};
pub use import::{ImportError, ImportOptions, ImportReport, ImportStatus, Stored, dry_run, import};
pub use labels::{Dispositions, LabelOptions, LabelReport, import_labels};
pub use list_file::ListFile;
pub use list_info::list_info;
pub use model_folder::{ModelFolderError, load_manifest, load_model};
pub use reach::{DatabaseSource, Hidden, ServerSource, Sources, reach, web_tls};
pub use record::{COLUMNS, Cell, Column, Kind, SCHEMA_VERSION};
pub use reject::Reject;
pub use rows::{Parsed, ROWS_MAX, ReadOptions, Rows, Tally};
pub use score::{ScoreError, ScoreOptions, ScoreReport, score};
pub use slots::write_slots;
pub use source::Fingerprint;
pub use table_rows::TableRows;
pub use timetable::{Agenda, Timetable};
pub use write_record::{Format, Profile, Style, features, rfc3339};
