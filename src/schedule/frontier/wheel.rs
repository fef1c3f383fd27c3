//! Timing wheel of what is not due: four levels of 64 buckets, a minute each at the lowest, eight years in all.

use super::order::push_tight;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 4;

/// Entries are `minute << 42 | tag << 32 | lead`. The wheel never looks at tag and lead: whether an entry still stands is
/// its owner's to say. Parking and coming due cost O(1), with at most three moves down the levels between.
#[derive(Debug)]
pub(super) struct Wheel {
    buckets: [[Vec<u64>; SLOTS]; LEVELS],
    /// One bit per bucket that holds something.
    filled: [u64; LEVELS],
    /// Due at or before `at`.
    ready: Vec<u64>,
    at: u32,
    entries: usize,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| std::array::from_fn(|_| Vec::new())),
            filled: [0; LEVELS],
            ready: Vec::new(),
            at: 0,
            entries: 0,
        }
    }
}

impl Wheel {
    /// Later minutes are cut to this one.
    pub(super) const LAST: u32 = (1 << 22) - 1;

    pub(super) fn park(&mut self, minute: u32, tag: u16, lead: u32) {
        let minute = minute.min(Self::LAST);
        self.entries += 1;
        self.file((u64::from(minute) << 42) | (u64::from(tag & 0x3FF) << 32) | u64::from(lead));
    }

    /// One entry that is due by `minute`, as (tag, lead). The wheel's clock never goes back.
    pub(super) fn pop(&mut self, minute: u32) -> Option<(u16, u32)> {
        while self.ready.is_empty() {
            let (start, level, slot) = self.next_bucket()?;
            if start > minute {
                break;
            }
            self.at = self.at.max(start);
            self.open(level, slot);
        }
        let Some(entry) = self.ready.pop() else {
            self.at = self.at.max(minute.min(Self::LAST));
            return None;
        };
        self.entries -= 1;
        if self.ready.is_empty() {
            self.ready = Vec::new();
        }
        Some((((entry >> 32) & 0x3FF) as u16, entry as u32))
    }

    /// No entry is due before this minute; one may be due in it.
    pub(super) fn next(&self) -> Option<u32> {
        if self.ready.is_empty() { self.next_bucket().map(|(start, ..)| start) } else { Some(self.at) }
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Drops what its owner disowns.
    pub(super) fn sweep(&mut self, mut stands: impl FnMut(u16, u32) -> bool) {
        let mut left = 0;
        let mut keep = |bucket: &mut Vec<u64>| {
            bucket.retain(|entry| stands(((entry >> 32) & 0x3FF) as u16, *entry as u32));
            bucket.shrink_to_fit();
            left += bucket.len();
        };
        keep(&mut self.ready);
        for (level, filled) in self.buckets.iter_mut().zip(&mut self.filled) {
            for (slot, bucket) in level.iter_mut().enumerate() {
                keep(bucket);
                if bucket.is_empty() {
                    *filled &= !(1 << slot);
                }
            }
        }
        self.entries = left;
    }

    pub(super) fn bytes(&self) -> usize {
        let held: usize = self.buckets.iter().flatten().map(Vec::capacity).sum();
        (held + self.ready.capacity()) * size_of::<u64>() + size_of::<Self>()
    }

    /// The level is that of the highest 6-bit digit in which the minute differs from now.
    fn file(&mut self, entry: u64) {
        let minute = (entry >> 42) as u32;
        if minute <= self.at {
            push_tight(&mut self.ready, entry);
            return;
        }
        let level = ((minute ^ self.at).ilog2() / BITS) as usize;
        let slot = (minute >> (BITS * level as u32)) as usize % SLOTS;
        if let (Some(bucket), Some(filled)) =
            (self.buckets.get_mut(level).and_then(|level| level.get_mut(slot)), self.filled.get_mut(level))
        {
            push_tight(bucket, entry);
            *filled |= 1 << slot;
        }
    }

    /// All of a lower level comes before all of a higher one; within a level, slots lie ahead of now in their order.
    fn next_bucket(&self) -> Option<(u32, usize, usize)> {
        let (level, filled) = self.filled.iter().enumerate().find(|(_, filled)| **filled != 0)?;
        let slot = filled.trailing_zeros();
        let shift = BITS * level as u32;
        let above = self.at >> (shift + BITS) << (shift + BITS);
        Some((above | (slot << shift), level, slot as usize))
    }

    fn open(&mut self, level: usize, slot: usize) {
        let Some(bucket) = self.buckets.get_mut(level).and_then(|level| level.get_mut(slot)) else { return };
        let bucket = std::mem::take(bucket);
        if let Some(filled) = self.filled.get_mut(level) {
            *filled &= !(1 << slot);
        }
        for entry in bucket {
            self.file(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::schedule::frontier::against_model::any_size;

    #[test]
    fn every_entry_comes_due_in_its_own_minute() {
        let mut rng = Rng::seeded(5);
        let mut wheel = Wheel::default();
        let mut due: Vec<(u32, u32)> = Vec::new();
        let mut now = 0;
        for lead in 0..20_000 {
            let ahead = any_size(&mut rng, 20);
            wheel.park(now + ahead, 0, lead);
            due.push((now + ahead, lead));
            if rng.chance(0.05) {
                assert!(wheel.next() <= due.iter().map(|(minute, _)| *minute).min());
                now += any_size(&mut rng, 14);
                let mut got: Vec<u32> = std::iter::from_fn(|| wheel.pop(now)).map(|(_, lead)| lead).collect();
                let mut want: Vec<u32> = due.iter().filter(|(at, _)| *at <= now).map(|(_, lead)| *lead).collect();
                due.retain(|(at, _)| *at > now);
                got.sort_unstable();
                want.sort_unstable();
                assert_eq!(got, want, "at minute {now}");
                assert_eq!(wheel.entries(), due.len());
            }
        }
    }

    #[test]
    fn a_far_entry_is_cut_to_the_last_minute_and_a_swept_one_is_gone() {
        let mut wheel = Wheel::default();
        wheel.park(u32::MAX, 1, 1);
        wheel.park(3, 2, 2);
        wheel.sweep(|tag, _| tag == 1);
        assert_eq!((wheel.entries(), wheel.pop(1_000)), (1, None));
        assert_eq!(wheel.pop(Wheel::LAST), Some((1, 1)));
    }
}
