//! Trunks that an operator has stopped, with the calls under way that are ended with them, and trunks that are down.

use std::collections::BTreeSet;

use crate::base::{AttemptId, CampaignIx, Now, TrunkIx};
use crate::call::{AttemptInput, TrunkState};
use crate::gate::Rule;

use super::Engine;
use super::live::{Live, Stage};

/// Whose calls under way an operator ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Everybody,
    Campaign(CampaignIx),
    Trunk(TrunkIx),
}

#[derive(Debug, Default)]
pub struct StoppedTrunks(BTreeSet<TrunkIx>);

/// Those that the line would refuse a dial on.
#[derive(Debug, Default)]
pub struct DownTrunks(BTreeSet<TrunkIx>);

impl Engine {
    /// May anything new go out over it?
    pub(super) fn may_carry(&self, trunk: TrunkIx) -> bool {
        !self.is_stopped(trunk) && !self.down.0.contains(&trunk)
    }

    /// By an operator.
    pub(super) fn is_stopped(&self, trunk: TrunkIx) -> bool {
        self.stopped.0.contains(&trunk)
    }

    /// What is on the line goes on; what the store is asked about is for the line to refuse.
    pub(super) fn trunk_stands(&mut self, now: Now, trunk: TrunkIx, state: TrunkState) {
        match state {
            TrunkState::Up => {
                if self.down.0.remove(&trunk) {
                    self.decide_soon(now);
                }
            }
            TrunkState::Down(_) => {
                self.down.0.insert(trunk);
            }
        }
    }

    /// In their order.
    pub fn trunks_stopped(&self) -> impl Iterator<Item = bool> {
        (0..self.trunks.len()).map(|at| self.is_stopped(TrunkIx(at as u16)))
    }

    /// What the store is asked about at this moment is not dialled any more; what is on the line goes on.
    pub(super) fn stop_trunk(&mut self, trunk: TrunkIx) {
        if !self.stopped.0.insert(trunk) {
            return;
        }
        for id in self.lives.ids() {
            if let Some(live) = self.lives.get_mut(id).filter(|live| live.trunk == trunk)
                && matches!(live.stage, Stage::Asked)
            {
                live.cancelled = true;
            }
        }
    }

    /// Leads that the store refused between the switch and our hearing of it are looked at again.
    pub(super) fn resume_trunk(&mut self, now: Now, trunk: TrunkIx) {
        if self.stopped.0.remove(&trunk) {
            for at in 0..self.runs.len() {
                self.unblock(now, at, Rule::Trunk);
            }
            self.decide_soon(now);
        }
    }

    /// What rings is cancelled, what talks is hung up, what waits for the store is not dialled.
    pub(super) fn hang_up(&mut self, now: Now, whose: Whose) {
        for id in self.lives.ids() {
            if self.lives.get(id).is_some_and(|live| self.is_of(live, whose)) {
                self.end_now(now, id);
            }
        }
    }

    fn is_of(&self, live: &Live, whose: Whose) -> bool {
        match whose {
            Whose::Everybody => true,
            Whose::Campaign(ix) => self.runs.get(live.run).is_some_and(|run| run.ix == ix),
            Whose::Trunk(trunk) => live.trunk == trunk,
        }
    }

    /// The drain's time is up, or an operator ends it.
    fn end_now(&mut self, now: Now, id: AttemptId) {
        if !self.cancel(now, id)
            && let Some(Stage::Dialled(attempt)) = self.lives.get_mut(id).map(|live| &mut live.stage)
        {
            attempt.handle(now, AttemptInput::HangUp);
            self.pump(now, id);
        }
    }
}
