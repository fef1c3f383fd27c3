//! When to look at which call. Entries are never taken back: a call knows the one that counts, all others are stale.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::base::{LegId, Tick};
use crate::sip::transaction::Timer;

use super::call::Call;

#[derive(Debug, Default)]
pub(super) struct Wakes {
    heap: BinaryHeap<Reverse<(Tick, LegId, Timer)>>,
}

impl Wakes {
    pub(super) fn push(&mut self, at: Tick, leg: LegId, why: Timer) {
        self.heap.push(Reverse((at, leg, why)));
    }

    /// The next call that is due. Throws stale entries away on the way, so that `next` is never one.
    pub(super) fn due(&mut self, now: Tick, calls: &HashMap<LegId, Box<Call>>) -> Option<LegId> {
        while let Some(Reverse((at, leg, _))) = self.heap.peek().copied() {
            let live = calls.get(&leg).is_some_and(|call| call.armed == at);
            if live && at > now {
                return None;
            }
            self.heap.pop();
            if live {
                return Some(leg);
            }
        }
        None
    }

    pub(super) fn next(&self) -> Option<(Tick, Timer)> {
        self.heap.peek().map(|Reverse((at, _, why))| (*at, *why))
    }

    /// Every call that waits for something, in no order that matters.
    pub(super) fn legs(&self) -> Vec<LegId> {
        let mut legs: Vec<LegId> = self.heap.iter().map(|Reverse((_, leg, _))| *leg).collect();
        legs.sort_unstable();
        legs.dedup();
        legs
    }
}
