//! Golden hours: a soft preference inside calling hours, and the prior of the answer model.

use std::collections::BTreeMap;

use crate::base::Share;

use super::WeekHours;

/// `seed` is keyed by segment name; `all` stands for every segment without a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenHours {
    pub mode: GoldenMode,
    pub seed: BTreeMap<String, WeekHours>,
    /// Before anything is learned: chance that a dial is answered inside and outside the golden hours.
    pub rate_golden: Share,
    pub rate_other: Share,
    /// How many calls in an hour of a segment are worth as much as what the seed, and the other hours, say of it.
    pub prior_weight_calls: u32,
    pub learn: Learn,
}

/// Are golden hours learned from outcomes?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learn {
    /// The seed holds, whatever happens.
    Off,
    /// Each segment its own, as far as its calls tell; what they do not tell it takes from the others and from the seed.
    PerSegment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoldenMode {
    /// Golden hours first, then the rest of the calling hours.
    Prefer,
    /// Golden hours or not at all.
    Only,
}

impl GoldenHours {
    /// The hours of one segment; `None` where neither the segment nor `all` has a line.
    pub fn of(&self, segment: &str) -> Option<&WeekHours> {
        self.seed.get(segment).or_else(|| self.seed.get("all"))
    }
}
