//! What a live system would have on record of a rehearsal's attempts and slots.

use crate::base::Wall;
use crate::contact::{ContactKind, OutcomeKind};
use crate::engine::{Intent, Outcome, SlotLog};

/// In the order in which things came to their end.
#[derive(Debug)]
pub enum Record {
    Attempt(Box<AttemptRecord>),
    Slot(Box<SlotLog>),
}

/// One revision of a finished attempt: what the engine saw, or what an agent noted after it.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    pub intent: Box<Intent>,
    pub outcome: Box<Outcome>,
    pub recorded_at: Wall,
    /// When an agent noted what was said; `None` in what the engine wrote.
    pub noted_at: Option<Wall>,
}

impl AttemptRecord {
    /// The revision that an agent's note makes of the engine's.
    pub(super) fn noted(&self, note: &Note) -> Self {
        let mut noted = self.clone();
        let outcome = &mut noted.outcome;
        outcome.revision += 1;
        outcome.disposition.clone_from(&note.disposition);
        outcome.outcome = note.outcome;
        outcome.contact_kind = ContactKind::RightParty;
        Self { noted_at: Some(note.at), ..noted }
    }
}

/// What an agent wrote down at the end of a talk.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub at: Wall,
    pub disposition: Option<std::sync::Arc<str>>,
    pub outcome: OutcomeKind,
}
