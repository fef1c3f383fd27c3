//! The input journal: what an engine was told, in order, with what it decided, so that it can be told again.
//!
//! A journal is a line of text and records: kind (1 byte), length of the body (4), body, check (8): the first bytes of a
//! SHA-256 over the check before and this record, so that nothing can be cut out, swapped or changed unseen. Kinds:
//! `H` the engine's configuration (first, once), `F` the files of the plan that comes next, `I` an input with its time
//! and what followed, `E` the end. It holds ids, never a customer's number or key; list columns that conditions read and
//! keys pressed in flows are in it, so it is kept like the database.

mod bytes;
mod decisions;
mod inputs;
mod reader;
mod recorder;
mod replay;

use crate::base::{CampaignIx, Now};
use crate::campaign::Folder;

use super::{EngineConfig, Input};

pub use decisions::Decisions;
pub use reader::{JournalError, Reader};
pub use recorder::Recorder;
pub use replay::{Difference, Replay, ReplayError};

/// The first line. The number grows with every change of the format.
const MAGIC: &[u8] = b"goldenhour journal 4\n";
const KIND_HEAD: u8 = b'H';
const KIND_FILES: u8 = b'F';
const KIND_INPUT: u8 = b'I';
const KIND_END: u8 = b'E';
/// A page of leads is a megabyte; a folder of campaigns with its prompts may be some dozen.
const BODY_MAX: usize = 1 << 30;

/// One record.
#[derive(Debug)]
pub enum Entry {
    Head {
        /// Of the program that wrote it.
        version: String,
        began: Now,
        config: EngineConfig,
    },
    Files(Folder),
    Input {
        now: Now,
        input: Recorded,
        followed: Decisions,
    },
    End {
        /// `stopped`, or why nothing more was written.
        why: String,
    },
}

#[derive(Debug)]
pub enum Recorded {
    /// Campaigns of the files before it, by name, with their places.
    Plan(Vec<(CampaignIx, String)>),
    Input(Input),
}

impl Recorded {
    /// What kind of input it was, for people.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Plan(_) => "a plan",
            Self::Input(input) => match input {
                Input::Plan(..) => "a plan",
                Input::Ledgers(_) => "histories",
                Input::Leads(_) => "leads",
                Input::LeadsRead(_) => "the last of a campaign's leads",
                Input::Stored(_) => "answers of the store",
                Input::Leg(..) => "a leg's event",
                Input::Command(_) => "an operator's command",
                Input::Trunk(..) => "how a trunk stands",
                Input::Seats(..) => "how many people stand behind a queue",
                Input::Shown { .. } => "how often our numbers were shown",
                Input::Heard(..) => "what attempts told of answers",
                Input::Talked { .. } => "how long our calls were talked",
                Input::Timeout => "a timeout",
            },
        }
    }
}

fn check(before: u64, record: &[u8]) -> u64 {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::new().chain_update(before.to_be_bytes()).chain_update(record).finalize();
    let (head, _) = digest.split_at(8);
    u64::from_be_bytes(head.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests;
