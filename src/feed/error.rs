//! What stops a whole file. A bad row does not: that is a [`super::Reject`].

use thiserror::Error;

use crate::base::{Code, Diagnostic};

use super::csv::{CELL_MAX, LINE_MAX};
use super::header::HeaderError;
use super::model_folder::ModelFolderError;

/// Nothing of the file was loaded.
#[derive(Debug, Error)]
pub enum ListError {
    #[error("the list cannot be read: {0}")]
    Io(std::io::Error),
    #[error("line {line}: {what}")]
    Encoding {
        line: u64,
        what: String,
        /// The name to pass as `--encoding`.
        guess: Option<&'static str>,
    },
    #[error("no encoding is called `{0}`")]
    UnknownEncoding(String),
    #[error("quote opened at line {opened} is never closed (noticed at line {noticed})")]
    Quote { opened: u64, noticed: u64 },
    #[error("line {line} is longer than {LINE_MAX} bytes")]
    LineTooLong { line: u64 },
    #[error("line 1, column {column}: the header holds the character U+{point:04X}")]
    HeaderCharacter { column: usize, point: u32 },
    #[error("the list is empty: {0}")]
    Empty(&'static str),
    #[error("{0}")]
    Header(HeaderError),
    /// Of a Parquet file, whose columns have types.
    #[error("the column `{column}` {why}")]
    Column { column: String, why: &'static str },
    #[error("the gzip stream is damaged or cut short: {0}")]
    Gzip(std::io::Error),
    #[error("the list has more than {0} rows")]
    TooManyRows(u64),
    #[error("the list was changed while it was read")]
    Changed,
    /// A workbook or a Parquet file.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    #[error("the list is larger than {} MiB, unpacked or on its way here", .0 / (1024 * 1024))]
    TooLarge(u64),
    #[error("this program was built without the feature `{0}`, which such lists need")]
    NoFeature(&'static str),
    #[error("{0}")]
    Source(String),
    /// The other side, or the way there.
    #[error("{0}")]
    Unreachable(String),
    #[error("the list is not what its {file} says: {what}")]
    Manifest { file: String, what: String },
    /// The campaign's, which was to score the list.
    #[error("list.model cannot be used: {0}")]
    Model(ModelFolderError),
}

impl ListError {
    pub fn code(&self) -> Code {
        match self {
            Self::Io(_) => Code::File,
            Self::Encoding { .. } | Self::UnknownEncoding(_) => Code::ListEncoding,
            Self::Quote { .. } => Code::ListQuote,
            Self::LineTooLong { .. } => Code::ListLine,
            Self::HeaderCharacter { .. } => Code::ListCharacter,
            Self::Empty(_) => Code::ListEmpty,
            Self::Header(_) | Self::Column { .. } => Code::ListColumns,
            Self::Gzip(_) => Code::ListGzip,
            Self::TooManyRows(_) => Code::ListTooLong,
            Self::Changed => Code::ListChanged,
            Self::Damaged(_) => Code::ListDamaged,
            Self::TooLarge(_) => Code::ListTooLong,
            Self::NoFeature(_) => Code::ListFeature,
            Self::Source(_) => Code::ListSource,
            Self::Unreachable(_) => Code::ListUnreachable,
            Self::Manifest { .. } => Code::ListManifest,
            Self::Model(_) => Code::ListModel,
        }
    }

    /// For the person who started the import: what, and what to do.
    pub fn diagnostic(&self) -> Diagnostic {
        let found = Diagnostic::error(self.code(), self.to_string());
        match self.hint() {
            Some(hint) => found.hint(hint),
            None => found,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(_) => None,
            Self::Encoding { guess, .. } => Some(match guess {
                Some(name) => format!("pass --encoding {name}, or save the list as UTF-8"),
                None => "save the list as UTF-8, or name its encoding with --encoding".into(),
            }),
            Self::UnknownEncoding(_) => Some("known are utf-8, gb18030, gbk, big5, utf-16le, utf-16be, …".into()),
            Self::Quote { .. } => Some("close it, or double a quote that belongs to the text (\"\")".into()),
            Self::LineTooLong { .. } => Some(format!("a cell may have {CELL_MAX} bytes; is this a CSV list?")),
            Self::HeaderCharacter { .. } => Some("save the header line again as plain text".into()),
            Self::Empty(_) => Some("an empty list is more often a failed export than a day without calls".into()),
            Self::Header(error) => error.hint(),
            Self::Column { .. } => Some("a list is a table of text, numbers, yes and no, and times".into()),
            Self::Gzip(_) => Some("copy the file again and compare its checksum".into()),
            Self::TooManyRows(_) => Some("split it".into()),
            Self::Changed => Some("write lists under another name and rename them when they are complete".into()),
            Self::Damaged(_) => Some("open it where it was made and save it again, or save it as CSV".into()),
            Self::TooLarge(_) => Some("split it".into()),
            Self::NoFeature(feature) => {
                Some(format!("cargo build --release --features {feature}, or send CSV or XLSX"))
            }
            Self::Source(_) => Some(
                "a file, \"sql:VIEW\" or \"sql:NAME/VIEW\", \"http:NAME/PATH\", or a URL; names are those of `sources`"
                    .into(),
            ),
            Self::Unreachable(_) => Some("nothing was loaded; the list before stays in force".into()),
            Self::Manifest { .. } => {
                Some("the copy is not complete, or the manifest is of another file: fetch both again".into())
            }
            Self::Model(_) => Some("nothing was loaded; `list.model.dir` is relative to the campaigns folder".into()),
        }
    }
}
