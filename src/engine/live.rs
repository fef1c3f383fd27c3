//! Attempts under way, from the wish to dial to the last outcome, with their timers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{AttemptId, ContactId, LeadId, Now, PhoneId, QueueIx, Tick, TrunkIx, Wall};
use crate::call::Attempt;
use crate::campaign::Campaign;
use crate::rank::Place;
use crate::schedule::LeadIx;

use super::detour::Detour;

/// One attempt under way.
#[derive(Debug)]
pub struct Live {
    pub run: usize,
    pub lead: LeadIx,
    pub lead_id: LeadId,
    pub contact: ContactId,
    pub phone: PhoneId,
    pub trunk: TrunkIx,
    pub caller_id: Arc<str>,
    /// The plan it began under.
    pub campaign: Arc<Campaign>,
    /// A seat that is busy because of it, and since when it no longer depends on it.
    pub seat: Option<QueueIx>,
    pub decided: Now,
    /// When the ledgers say it was dialled.
    pub law: Wall,
    pub authorised: Option<Wall>,
    pub permit_until: Tick,
    /// What still rings then is taken back.
    pub closing: Wall,
    /// It went out although the daily budget was used up.
    pub free: bool,
    /// What it will have told of answers.
    pub place: Place,
    pub golden: bool,
    /// Drawn by chance.
    pub explore: bool,
    /// Not wanted any more before it was dialled.
    pub cancelled: bool,
    pub stage: Stage,
    /// Its trunk could not take it.
    pub detour: Option<Box<Detour>>,
    /// As the index of timers has it: kept by [`Lives`], none at the beginning.
    pub timer: Option<Tick>,
}

#[derive(Debug)]
pub enum Stage {
    /// The store has been asked.
    Asked,
    /// On the line.
    Dialled(Box<Attempt>),
}

/// By id, with an index of closing times and one of timers. Ordered maps: the order of anything here may reach an output.
#[derive(Debug, Default)]
pub struct Lives {
    by_id: BTreeMap<AttemptId, Box<Live>>,
    closings: BTreeSet<(Wall, AttemptId)>,
    timers: BTreeSet<(Tick, AttemptId)>,
}

impl Lives {
    pub fn begin(&mut self, id: AttemptId, live: Live) {
        self.closings.insert((live.closing, id));
        self.by_id.insert(id, Box::new(live));
    }

    pub fn get(&self, id: AttemptId) -> Option<&Live> {
        self.by_id.get(&id).map(AsRef::as_ref)
    }

    pub fn get_mut(&mut self, id: AttemptId) -> Option<&mut Live> {
        self.by_id.get_mut(&id).map(AsMut::as_mut)
    }

    pub fn end(&mut self, id: AttemptId) -> Option<Box<Live>> {
        let live = self.by_id.remove(&id)?;
        self.closings.remove(&(live.closing, id));
        if let Some(at) = live.timer {
            self.timers.remove(&(at, id));
        }
        Some(live)
    }

    /// Brings the timer index up to date after the attempt was touched.
    pub fn rearm(&mut self, id: AttemptId) {
        let Some(live) = self.by_id.get_mut(&id) else { return };
        let wanted = match &live.stage {
            Stage::Asked => None,
            Stage::Dialled(attempt) => attempt.poll_timeout(),
        };
        if wanted == live.timer {
            return;
        }
        if let Some(at) = live.timer {
            self.timers.remove(&(at, id));
        }
        if let Some(at) = wanted {
            self.timers.insert((at, id));
        }
        live.timer = wanted;
    }

    pub fn next_timer(&self) -> Option<Tick> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub fn due_timer(&self, now: Tick) -> Option<AttemptId> {
        self.timers.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    pub fn next_closing(&self) -> Option<Wall> {
        self.closings.first().map(|(at, _)| *at)
    }

    /// Takes the next attempt whose closing time has come; it is not offered again.
    pub fn take_closing(&mut self, now: Wall) -> Option<AttemptId> {
        let first = self.closings.first().copied().filter(|(at, _)| *at <= now)?;
        self.closings.remove(&first);
        Some(first.1)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Live> {
        self.by_id.values().map(AsRef::as_ref)
    }

    pub fn ids(&self) -> Vec<AttemptId> {
        self.by_id.keys().copied().collect()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}
