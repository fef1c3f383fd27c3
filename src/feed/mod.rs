//! Lists in, outcomes out, labels back in: everything that crosses the house's border as a file.

mod atomic;
mod cells;
mod csv;
mod encoding;
mod error;
mod export;
mod facts;
mod header;
mod import;
mod labels;
mod record;
mod reject;
mod row_reader;
mod rows;
mod source;
mod spreadsheet;
mod write_record;

#[cfg(test)]
mod bad_inputs;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fixture;

pub use error::ListError;
pub use export::{ExportError, ExportOptions, ExportReport, export};
pub use header::{HeaderError, Missing};
pub use import::{ImportError, ImportOptions, ImportReport, ImportStatus, Stored, dry_run, import};
pub use labels::{Dispositions, LabelOptions, LabelReport, import_labels};
pub use record::{COLUMNS, Cell, Column, Kind, SCHEMA_VERSION};
pub use reject::Reject;
pub use rows::{Parsed, ROWS_MAX, ReadOptions, Rows, Tally};
pub use source::{Fingerprint, fingerprint};
pub use write_record::{Format, Profile, Style, features, rfc3339};
