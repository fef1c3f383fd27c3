//! What happened before, to a person or to a number, across all campaigns. Caps, budgets and quiet periods read it.

use crate::base::{AttemptId, CampaignIx, PhoneId, Wall};
use crate::contact::CallResult;

/// One side of the account: of a person, or of a phone. The engine keeps one only for those who were ever dialled;
/// the authorising transaction loads the same from the store and asks the same rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Oldest first; the live one included; void ones left out. Bounded to [`Ledger::KEEP`]: the oldest fall out.
    pub dials: Vec<PastDial>,
    pub refused_at: Option<Wall>,
    pub complained_at: Option<Wall>,
    pub abandoned_at: Option<Wall>,
    pub dnc: Option<DncMark>,
    /// A phone that a result declared dead. Never set for a person.
    pub dead: bool,
}

/// One counted attempt. Of an attempt still alive, `result` is `None`; it counts all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastDial {
    pub attempt: AttemptId,
    pub at: Wall,
    pub campaign: CampaignIx,
    pub phone: PhoneId,
    pub result: Option<CallResult>,
    /// A conversation with the right party.
    pub contact: bool,
    /// Excused from the daily budget by a retry rule's `free`, or by a promise.
    pub free: bool,
    /// It ended with the wish to be called back.
    pub callback: bool,
}

/// An entry of the do-not-call list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DncMark {
    /// `None`: for ever.
    pub until: Option<Wall>,
}

impl Ledger {
    /// More than any policy counts back to: the widest caps we ship look at 30 days and single digits.
    pub const KEEP: usize = 64;

    /// Adds a dial, or brings a known one up to date.
    pub fn note(&mut self, dial: PastDial) {
        if let Some(known) = self.dials.iter_mut().find(|known| known.attempt == dial.attempt) {
            *known = dial;
            return;
        }
        if self.dials.len() == Self::KEEP {
            self.dials.remove(0);
        }
        let at = self.dials.partition_point(|known| known.at <= dial.at);
        self.dials.insert(at, dial);
    }

    /// Takes back an attempt that was provably never sent.
    pub fn forget(&mut self, attempt: AttemptId) {
        self.dials.retain(|known| known.attempt != attempt);
    }

    /// Did this campaign's newest attempt end with the wish to be called back?
    pub fn owes_callback(&self, campaign: CampaignIx) -> bool {
        let mut own = self.dials.iter().rev().filter(|dial| dial.campaign == campaign && dial.counts());
        own.next().is_some_and(|dial| dial.callback)
    }

    pub fn has_live(&self) -> bool {
        self.dials.iter().any(|dial| dial.result.is_none())
    }
}

impl PastDial {
    /// Everything that may have rung a phone, the live ones included.
    pub fn counts(&self) -> bool {
        self.result.is_none_or(CallResult::counts)
    }

    /// A conversation, or one that nobody can rule out: an attempt still alive, or lost in a crash.
    pub fn may_be_contact(&self) -> bool {
        self.contact || matches!(self.result, None | Some(CallResult::UnknownCounted))
    }
}

impl DncMark {
    pub fn holds_at(self, now: Wall) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
