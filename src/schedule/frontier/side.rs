//! One side of a cell: a sorted run that is eaten from its end, and a small heap of what came in since.

use std::collections::BinaryHeap;
use std::marker::PhantomData;

use super::order::{push_tight, unpack};

/// In which order a side is eaten. Entries are kept so that the greatest integer is the next one.
pub(super) trait Eaten {
    /// From what `pack` made.
    fn kept(entry: u64) -> u64;
    /// And back.
    fn packed(kept: u64) -> u64;
}

/// The highest key first.
#[derive(Debug)]
pub(super) struct Low;

/// The lowest key first.
#[derive(Debug)]
pub(super) struct High;

impl Eaten for Low {
    fn kept(entry: u64) -> u64 {
        entry
    }

    fn packed(kept: u64) -> u64 {
        kept
    }
}

impl Eaten for High {
    /// The key's bits turned over; among equal keys still the lower lead first.
    fn kept(entry: u64) -> u64 {
        entry ^ 0xFFFF_FFFF_0000_0000
    }

    fn packed(kept: u64) -> u64 {
        kept ^ 0xFFFF_FFFF_0000_0000
    }
}

/// Entries go in and come out as `pack` made them.
#[derive(Debug)]
pub(super) struct Side<E> {
    /// Ascending: the next one is last.
    run: Vec<u64>,
    overlay: BinaryHeap<u64>,
    eaten: PhantomData<E>,
}

impl<E> Default for Side<E> {
    fn default() -> Self {
        Self { run: Vec::new(), overlay: BinaryHeap::new(), eaten: PhantomData }
    }
}

impl<E: Eaten> Side<E> {
    /// Below this an overlay is not worth a merge.
    pub(super) const SMALL: usize = 1_024;

    pub(super) fn push(&mut self, entry: u64) {
        if self.overlay.len() == self.overlay.capacity() {
            self.overlay.reserve_exact((self.overlay.len() / 4).max(16));
        }
        self.overlay.push(E::kept(entry));
    }

    pub(super) fn best(&self) -> Option<u64> {
        self.run.last().copied().max(self.overlay.peek().copied()).map(E::packed)
    }

    pub(super) fn take(&mut self) -> Option<u64> {
        let taken =
            if self.overlay.peek().copied() > self.run.last().copied() { self.overlay.pop() } else { self.run.pop() };
        taken.map(E::packed)
    }

    /// Hands over, from its head on, what belongs to the other side.
    pub(super) fn give<O: Eaten>(&mut self, other: &mut Side<O>, goes: impl Fn(f32) -> bool) {
        let goes = |kept: u64| goes(unpack(E::packed(kept)).0);
        let before = other.run.len();
        while let Some(kept) = self.run.last().copied().filter(|kept| goes(*kept)) {
            self.run.pop();
            push_tight(&mut other.run, O::kept(E::packed(kept)));
        }
        // The keys have come in the right order, leads of the same key in the wrong one.
        let same_key = |a: &u64, b: &u64| a >> 32 == b >> 32;
        other.run.get_mut(before..).unwrap_or_default().chunk_by_mut(same_key).for_each(<[u64]>::reverse);
        while let Some(kept) = self.overlay.peek().copied().filter(|kept| goes(*kept)) {
            self.overlay.pop();
            other.push(E::packed(kept));
        }
    }

    /// The overlay goes into the run if it is longer than `beyond` and not small beside it.
    pub(super) fn merge(&mut self, beyond: usize) {
        if self.overlay.len() > beyond && (beyond == 0 || self.overlay.len() > self.run.len() / 8) {
            let mut fresh = std::mem::take(&mut self.overlay).into_vec();
            fresh.sort_unstable();
            merge(&mut self.run, fresh);
        }
    }

    pub(super) fn retain(&mut self, stands: impl Fn(u64) -> bool) {
        self.run.retain(|kept| stands(E::packed(*kept)));
        self.overlay.retain(|kept| stands(E::packed(*kept)));
    }

    pub(super) fn tighten(&mut self) {
        if self.run.capacity() > 2 * self.run.len() + Self::SMALL {
            self.run.shrink_to_fit();
        }
        if self.overlay.capacity() > 2 * self.overlay.len() + Self::SMALL {
            self.overlay.shrink_to_fit();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.run.len() + self.overlay.len()
    }

    /// As it is kept, the next one last; without the overlay.
    pub(super) fn run(&self) -> &[u64] {
        &self.run
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = u64> {
        self.run.iter().chain(self.overlay.iter()).map(|kept| E::packed(*kept))
    }

    /// How many are good, where all that are eaten before a good one are good.
    pub(super) fn count_best(&self, good: impl Fn(f32) -> bool) -> usize {
        let good = |kept: &u64| good(unpack(E::packed(*kept)).0);
        let run = self.run.len() - self.run.partition_point(|kept| !good(kept));
        run + self.overlay.iter().filter(|kept| good(kept)).count()
    }

    /// Empties it for [`Side::append`], with room for so many.
    pub(super) fn restart(&mut self, room: usize) {
        self.overlay = BinaryHeap::new();
        self.run.clear();
        self.run.reserve_exact(room);
    }

    /// In any order, until [`Side::sort`].
    pub(super) fn append(&mut self, entry: u64) {
        push_tight(&mut self.run, E::kept(entry));
    }

    pub(super) fn sort(&mut self) {
        self.run.sort_unstable();
    }

    pub(super) fn bytes(&self) -> usize {
        (self.run.capacity() + self.overlay.capacity()) * size_of::<u64>()
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
