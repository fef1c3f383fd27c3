//! What can go wrong between us and the database, as the shell needs to tell it apart.

use crate::base::Code;

use super::KeysError;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the database `{url}`: {why}")]
    Open { url: String, why: String },
    #[error("another process holds this database (`{lock}` is locked)")]
    Held { lock: String },
    /// Somebody called `begin` after us, or we never did: this value must not commit any more.
    #[error("the database was taken over by another process")]
    Fenced,
    #[error("the database is locked by another process")]
    Busy,
    #[error("the disk, or the database's size limit, is full")]
    Full,
    #[error("the database was written by another version: {0}")]
    Version(String),
    /// A row that this program cannot have written: damage, or the wrong keys.
    #[error("the database holds something that cannot be: {0}")]
    Corrupt(String),
    #[error("no campaign `{0}` is known to the database")]
    UnknownCampaign(String),
    #[error("no list is being loaded")]
    NoImport,
    #[error("the database can hold no more {0}")]
    Exhausted(&'static str),
    /// The chain of sealed outcomes is broken at this number.
    #[error("outcome {seal} does not follow from the one before it")]
    Chain { seal: u64 },
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Does it come from what was to be written or read, and not from the state of disk, file or process? Then others may
    /// well be written.
    pub fn is_about_rows(&self) -> bool {
        match self {
            Self::Corrupt(_) => true,
            // Too big, a constraint, a type that does not match, an index out of range.
            Self::Database(error) => matches!(primary_code(error), Some(18 | 19 | 20 | 25)),
            Self::Open { .. }
            | Self::Held { .. }
            | Self::Fenced
            | Self::Busy
            | Self::Full
            | Self::Version(_)
            | Self::UnknownCampaign(_)
            | Self::NoImport
            | Self::Exhausted(_)
            | Self::Chain { .. }
            | Self::Keys(_) => false,
        }
    }

    /// For the operator.
    pub const fn code(&self) -> Code {
        match self {
            Self::Open { .. } => Code::StoreOpen,
            Self::Held { .. } => Code::StoreHeld,
            Self::Fenced => Code::StoreFenced,
            Self::Busy => Code::StoreBusy,
            Self::Full => Code::StoreFull,
            Self::Version(_) => Code::StoreVersion,
            Self::Corrupt(_) | Self::Chain { .. } => Code::StoreCorrupt,
            Self::UnknownCampaign(_) => Code::UnknownName,
            Self::NoImport => Code::StoreImport,
            Self::Exhausted(_) => Code::StoreExhausted,
            Self::Keys(_) => Code::StoreKeys,
            Self::Database(_) => Code::StoreFailed,
        }
    }
}

/// Primary result codes: <https://www.sqlite.org/rescode.html>.
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(5 | 6) => Self::Busy,
            Some(13) => Self::Full,
            Some(11 | 26) => Self::Corrupt(error.to_string()),
            Some(_) | None => Self::Database(error),
        }
    }
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<u32>().ok()? & 0xff)
}
