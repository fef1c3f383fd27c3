//! Sets of zones by a small index: a number whose prefix lies in several zones obeys all of them.

use std::collections::BTreeMap;

use crate::contact::ZoneIx;

/// Position in [`ZoneSets`]. Stable within one process only. 0 is the empty set: zone unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneSetIx(pub u16);

#[derive(Clone, Debug)]
pub struct ZoneSets {
    sets: Vec<Box<[ZoneIx]>>,
    known: BTreeMap<Box<[ZoneIx]>, ZoneSetIx>,
}

impl Default for ZoneSets {
    fn default() -> Self {
        let empty: Box<[ZoneIx]> = Box::default();
        Self { sets: vec![empty.clone()], known: BTreeMap::from([(empty, ZoneSetIx(0))]) }
    }
}

impl ZoneSets {
    /// Prefix tables know some hundred combinations; a hostile list cannot make more than this.
    pub const MAX: usize = 4_096;

    /// The first zone stays first: golden hours and slots go by its clock. `None` if there are too many sets.
    pub fn intern(&mut self, zones: &[ZoneIx]) -> Option<ZoneSetIx> {
        let mut set: Vec<ZoneIx> = Vec::with_capacity(zones.len());
        for zone in zones {
            if !set.contains(zone) {
                set.push(*zone);
            }
        }
        if let Some((_, rest)) = set.split_first_mut() {
            rest.sort_unstable();
        }
        let set = set.into_boxed_slice();
        if let Some(known) = self.known.get(&set) {
            return Some(*known);
        }
        if self.sets.len() >= Self::MAX {
            return None;
        }
        let ix = ZoneSetIx(self.sets.len() as u16);
        self.sets.push(set.clone());
        self.known.insert(set, ix);
        Some(ix)
    }

    pub fn get(&self, ix: ZoneSetIx) -> &[ZoneIx] {
        self.sets.get(usize::from(ix.0)).map_or(&[], AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_zones_are_one_set_and_the_first_stays_first() {
        let mut sets = ZoneSets::default();
        let [a, b, c] = [ZoneIx(4), ZoneIx(2), ZoneIx(9)];
        let set = sets.intern(&[a, c, b, c]);
        assert_eq!(set, sets.intern(&[a, b, c]));
        assert_ne!(set, sets.intern(&[b, a, c]));
        assert_eq!(sets.get(set.unwrap()), [a, b, c]);
        assert_eq!(sets.intern(&[]), Some(ZoneSetIx(0)));
    }
}
