//! What attempts before this process told of answers: the store counts them, the answer model learns from them.

use std::sync::Arc;

use crate::base::{CampaignIx, Wall};
use crate::campaign::Campaign;
use crate::rank::{Past, Place, Slot, Tally};
use crate::schedule::day_number;

use super::Engine;

/// Attempts of one day that are alike to the answer model, and had a result that tells something (`rank::answered`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    /// In days since 1970, UTC.
    pub day: i64,
    /// By name: the campaign may have other segments by now.
    pub segment: Arc<str>,
    pub slot: Slot,
    pub past: Past,
    pub dials: u32,
    pub answered: u32,
}

impl Heard {
    /// Where it counts in a campaign as it is now; `None` if that has no such segment any more.
    pub fn place(&self, campaign: &Campaign) -> Option<Place> {
        let at = campaign.segments.iter().position(|segment| *segment.name == *self.segment)?;
        Some(Place { segment: u8::try_from(at).ok()?, slot: self.slot, past: self.past })
    }
}

/// What they tell a campaign as it is now, each day worth what its age at that moment says.
pub fn tally_of(heard: &[Heard], campaign: &Campaign, at: Wall) -> Tally {
    let mut tally = Tally::default();
    for of in heard {
        if let Some(place) = of.place(campaign) {
            tally.add(of.day, place, of.dials, of.answered);
        }
    }
    tally.turn(day_number(at));
    tally
}

impl Engine {
    /// Once, after the plan and before the first lead.
    pub(super) fn take_heard(&mut self, campaign: CampaignIx, heard: &[Heard]) {
        let Some(run) = self.runs.iter_mut().find(|run| run.ix == campaign) else { return };
        for of in heard {
            if let Some(place) = of.place(&run.campaign) {
                run.ranking.observe(of.day, place, of.dials, of.answered);
            }
        }
        run.stale = true;
    }
}
