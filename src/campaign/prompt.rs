//! A prompt: 8 kHz 16-bit mono sound, read once and shared.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{WavError, read_prompt};

/// Two prompts are equal if they have the same path and length; nobody compares samples.
#[derive(Clone)]
pub struct Prompt {
    /// Relative to the campaigns folder.
    pub path: Arc<str>,
    pub pcm: Arc<[i16]>,
}

impl Prompt {
    pub fn read(path: &str, bytes: &[u8]) -> Result<Self, WavError> {
        Ok(Self { path: path.into(), pcm: read_prompt(bytes)?.into() })
    }

    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.pcm.len() as u64 * 125)
    }
}

impl PartialEq for Prompt {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.pcm.len() == other.pcm.len()
    }
}

impl Eq for Prompt {}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({}, {} ms)", self.path, self.duration().as_millis())
    }
}
