//! Reads a journal back, record by record, and says where it is damaged or cut off.

use crate::base::Code;
use crate::campaign::Folder;

use super::bytes::Unpack;
use super::decisions::Decisions;
use super::recorder::{unpack_head, unpack_time};
use super::{BODY_MAX, Entry, KIND_END, KIND_FILES, KIND_HEAD, KIND_INPUT, MAGIC, check, inputs};

/// Byte offsets are those of the file, from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error("this is not a journal: it does not begin with `goldenhour journal`")]
    NotAJournal,
    #[error("a journal of another format: `{0}`")]
    Version(String),
    #[error("the journal is damaged in record {record} at byte {at}: {what}")]
    Damaged { record: u64, at: u64, what: &'static str },
    #[error("the journal is cut off in record {record} at byte {at}: it has no end")]
    CutOff { record: u64, at: u64 },
}

impl JournalError {
    pub const fn code(&self) -> Code {
        match self {
            Self::NotAJournal | Self::Version(_) | Self::Damaged { .. } => Code::JournalDamaged,
            Self::CutOff { .. } => Code::JournalCutOff,
        }
    }
}

/// Bytes are pushed as they are read, in pieces of any size.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    /// Of the buffer: what was read already.
    taken: usize,
    /// Bytes before the buffer.
    before: u64,
    begun: bool,
    ended: bool,
    check: u64,
    records: u64,
}

impl Reader {
    const FRAME: usize = 5;
    const CHECK: usize = 8;

    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.before += self.taken as u64;
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next record, `None` until more is pushed.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, JournalError> {
        if !self.begun && !self.read_magic()? {
            return Ok(None);
        }
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        if self.ended && !rest.is_empty() {
            return Err(self.damaged("something follows the end"));
        }
        let Some((frame, body)) = rest.split_at_checked(Self::FRAME) else { return Ok(None) };
        let (kind, length) = frame.split_at(1);
        let length = u32::from_be_bytes(length.try_into().unwrap_or_default()) as usize;
        if length > BODY_MAX {
            return Err(self.damaged("a length that cannot be"));
        }
        let Some(body) = body.get(..length + Self::CHECK) else { return Ok(None) };
        let (body, written) = body.split_at(length);
        let expected = check(self.check, rest.get(..Self::FRAME + length).unwrap_or_default());
        if written != expected.to_be_bytes() {
            return Err(self.damaged("its check does not hold"));
        }
        let kind = kind.first().copied().unwrap_or_default();
        let entry = self.entry(kind, body).ok_or_else(|| self.damaged("it cannot be read"))?;
        self.check = expected;
        self.taken += Self::FRAME + length + Self::CHECK;
        self.records += 1;
        self.ended = matches!(entry, Entry::End { .. });
        Ok(Some(entry))
    }

    /// When nothing more will be pushed.
    pub fn finish(&self) -> Result<(), JournalError> {
        if self.ended {
            return Ok(());
        }
        if !self.begun && !self.buffer.is_empty() && !MAGIC.starts_with(&self.buffer) {
            return Err(JournalError::NotAJournal);
        }
        let at = self.before + self.buffer.len() as u64;
        Err(JournalError::CutOff { record: self.records + 1, at })
    }

    fn read_magic(&mut self) -> Result<bool, JournalError> {
        const WORD: &[u8] = b"goldenhour journal ";
        let shown = self.buffer.get(..self.buffer.len().min(WORD.len())).unwrap_or_default();
        if !WORD.starts_with(shown) {
            return Err(JournalError::NotAJournal);
        }
        if self.buffer.len() < MAGIC.len() {
            return Ok(false);
        }
        if !self.buffer.starts_with(MAGIC) {
            let line = self.buffer.get(..MAGIC.len()).unwrap_or_default();
            return Err(JournalError::Version(String::from_utf8_lossy(line).trim_end().to_owned()));
        }
        self.taken = MAGIC.len();
        self.begun = true;
        Ok(true)
    }

    /// The head comes first and once.
    fn entry(&self, kind: u8, body: &[u8]) -> Option<Entry> {
        let mut u = Unpack(body);
        let entry = match (kind, self.records) {
            (KIND_HEAD, 0) => unpack_head(&mut u)?,
            (_, 0) => return None,
            (KIND_FILES, _) => Entry::Files(folder(&mut u)?),
            (KIND_INPUT, _) => Entry::Input {
                now: unpack_time(&mut u)?,
                input: inputs::unpack(&mut u)?,
                followed: Decisions { lines: u.list(Unpack::text)?, digest: u.eight()? },
            },
            (KIND_END, _) => Entry::End { why: u.text()? },
            (_, _) => return None,
        };
        u.is_empty().then_some(entry)
    }

    fn damaged(&self, what: &'static str) -> JournalError {
        JournalError::Damaged { record: self.records + 1, at: self.before + self.taken as u64, what }
    }
}

fn folder(u: &mut Unpack) -> Option<Folder> {
    let mut folder = Folder { root: u.text()?, ..Folder::default() };
    for (path, bytes) in u.list(|u| Some((u.text()?, u.bytes()?)))? {
        folder.insert(path, bytes);
    }
    Some(folder)
}
