//! One cell: leads whose chance of an answer is the same at any moment, so that their order inside it never changes.

use std::collections::BinaryHeap;

use crate::base::Wall;
use crate::schedule::{SlotFails, ZoneSetIx};

use super::order::{pack, push_tight, unpack};
use super::tournament::Head;

/// Everything that the chance of an answer, the calling hours and the golden hours depend on, besides the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// All candidate zones of the phone that will be dialled.
    pub zones: ZoneSetIx,
    pub segment: u8,
    /// Attempts made so far, cut at [`CellKey::MAX_ATTEMPTS`].
    pub attempts: u8,
    pub fails: SlotFails,
    /// A callback that was promised: before everything else when its time has come.
    pub promised: bool,
}

impl CellKey {
    pub const MAX_ATTEMPTS: u8 = 7;
}

/// Position in the frontier's cells. Stable as long as the frontier lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellIx(pub u16);

/// How a cell stands at one moment. Leads are ordered by `tier`, then by `key × multiplier`, then by lead index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellView {
    /// May its leads be dialled now? Calling hours, golden hours in `only`, the time to ring before closing.
    pub open: bool,
    pub tier: u8,
    /// Above 0; what is not counts as the smallest number above it.
    pub multiplier: f32,
    /// Added to `index_value` in what is reported. It never orders leads of one tier.
    pub offset: f32,
    /// Until when all this holds, at the latest.
    pub until: Wall,
}

impl CellView {
    /// Closed until somebody looks again.
    pub const CLOSED: Self = Self { open: false, tier: 0, multiplier: 1.0, offset: 0.0, until: Wall::MAX };

    pub(super) fn index_value(&self, key: f32) -> f32 {
        (f64::from(self.offset) + self.value(key)) as f32
    }

    fn value(&self, key: f32) -> f64 {
        f64::from(key) * f64::from(self.multiplier)
    }

    fn tidy(mut self) -> Self {
        if !(self.multiplier > 0.0 && self.multiplier.is_finite()) {
            self.multiplier = f32::MIN_POSITIVE;
        }
        self
    }
}

/// A sorted run that is eaten from its end, and a small heap of what came in since. Entries that no longer stand are
/// met and dropped when they reach the head.
#[derive(Debug)]
pub(super) struct Cell {
    pub key: CellKey,
    pub view: CellView,
    /// Leads that stand in it; it may hold more entries than that.
    pub live: u32,
    /// Ascending: the best is last.
    run: Vec<u64>,
    overlay: BinaryHeap<u64>,
}

impl Cell {
    /// Below this an overlay is not worth a merge.
    const SMALL: usize = 1_024;

    pub(super) fn new(key: CellKey, view: CellView) -> Self {
        Self { key, view: view.tidy(), live: 0, run: Vec::new(), overlay: BinaryHeap::new() }
    }

    pub(super) fn look(&mut self, view: CellView) {
        self.view = view.tidy();
    }

    pub(super) fn push(&mut self, entry: u64) {
        if self.overlay.len() == self.overlay.capacity() {
            self.overlay.reserve_exact((self.overlay.len() / 4).max(16));
        }
        self.overlay.push(entry);
    }

    pub(super) fn best(&self) -> Option<u64> {
        self.run.last().copied().max(self.overlay.peek().copied())
    }

    pub(super) fn take(&mut self) -> Option<u64> {
        if self.overlay.peek().copied() > self.run.last().copied() { self.overlay.pop() } else { self.run.pop() }
    }

    /// What it sends into the tournament.
    pub(super) fn head(&self) -> Option<Head> {
        if !self.view.open {
            return None;
        }
        let (key, lead) = unpack(self.best()?);
        Some(Head { tier: self.view.tier, value: self.view.value(key), lead: lead.0 })
    }

    /// Merges a big overlay into the run, drops entries once most do not stand, and gives memory back.
    pub(super) fn settle(&mut self, stands: impl Fn(u64) -> bool) {
        if self.overlay.len() > Self::SMALL && self.overlay.len() > self.run.len() / 8 {
            let mut fresh = std::mem::take(&mut self.overlay).into_vec();
            fresh.sort_unstable();
            merge(&mut self.run, fresh);
        }
        if self.run.len() + self.overlay.len() > 2 * self.live as usize + Self::SMALL {
            self.run.retain(|entry| stands(*entry));
            self.overlay.retain(|entry| stands(*entry));
        }
        if self.run.capacity() > 2 * self.run.len() + Self::SMALL {
            self.run.shrink_to_fit();
        }
        if self.overlay.capacity() > 2 * self.overlay.len() + Self::SMALL {
            self.overlay.shrink_to_fit();
        }
    }

    /// Empties it for [`Cell::append`], with room for all that stand in it.
    pub(super) fn restart(&mut self) {
        self.overlay = BinaryHeap::new();
        self.run.clear();
        self.run.reserve_exact(self.live as usize);
    }

    pub(super) fn append(&mut self, key: f32, lead: crate::schedule::LeadIx) {
        push_tight(&mut self.run, pack(key, lead));
    }

    pub(super) fn sort(&mut self) {
        self.run.sort_unstable();
    }

    pub(super) fn bytes(&self) -> usize {
        (self.run.capacity() + self.overlay.capacity()) * size_of::<u64>() + size_of::<Self>()
    }
}

/// Both ascending. From the back, in place: no second copy of the run.
fn merge(run: &mut Vec<u64>, fresh: Vec<u64>) {
    if run.is_empty() {
        *run = fresh;
        return;
    }
    let (mut old, mut new) = (run.len(), fresh.len());
    run.reserve_exact(new);
    run.resize(old + new, 0);
    while let Some(add) = new.checked_sub(1).and_then(|at| fresh.get(at)).copied() {
        let standing = old.checked_sub(1).and_then(|at| run.get(at)).copied();
        let take = match standing {
            Some(standing) if standing > add => {
                old -= 1;
                standing
            }
            Some(_) | None => {
                new -= 1;
                add
            }
        };
        if let Some(slot) = run.get_mut(old + new) {
            *slot = take;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn merging_equals_sorting() {
        let mut rng = Rng::seeded(2);
        for _ in 0..200 {
            let mut draw = |n: u32| {
                let mut all: Vec<u64> = (0..rng.below(n)).map(|_| u64::from(rng.below(50))).collect();
                all.sort_unstable();
                all
            };
            let (mut run, fresh) = (draw(40), draw(40));
            let mut want = [run.clone(), fresh.clone()].concat();
            want.sort_unstable();
            merge(&mut run, fresh);
            assert_eq!(run, want);
        }
    }
}
