//! What each slot had to offer and what was made of it: so that logged propensities can be checked, and nobody has to guess
//! who was eligible and not called.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{CampaignIx, Wall};
use crate::campaign::Campaign;
use crate::rank::{Past, Place, Slot};
use crate::schedule::Viewer;

use super::{Engine, Output, StoreRequest};

/// One campaign's half hour of the wall clock, or what is left of it where a process began or ended.
#[derive(Clone, Debug)]
pub struct SlotLog {
    pub campaign_ix: CampaignIx,
    /// The plan it was dialled under.
    pub campaign: Arc<Campaign>,
    pub from: Wall,
    pub to: Wall,
    /// Of the draw: the propensity of those that the order would not reach. 0 where nobody was drawn.
    pub chance: f64,
    pub counts: Vec<SlotCount>,
}

/// Leads that were alike to the answer model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotCount {
    pub place: Place,
    /// When the slot began: due, in hours, and not refused by the gate before.
    pub eligible: u32,
    /// Authorised and handed to the line. Those that came due meanwhile may be among them.
    pub dialled: u32,
    /// Of those, drawn by chance.
    pub drawn: u32,
}

/// One count as it is kept, and exported.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotRow {
    /// Gap-free, from 1.
    pub seq: u64,
    pub campaign: Arc<str>,
    pub campaign_hash: Arc<str>,
    pub from: Wall,
    pub to: Wall,
    pub chance: f64,
    /// By name.
    pub segment: Arc<str>,
    pub slot: Slot,
    pub past: Past,
    pub eligible: u32,
    pub dialled: u32,
    pub drawn: u32,
}

impl SlotRow {
    /// The rows of one slot, counted on from `last`.
    pub fn of(log: &SlotLog, last: u64) -> Vec<Self> {
        let (name, hash): (Arc<str>, Arc<str>) = (log.campaign.name.as_str().into(), log.campaign.hash.as_str().into());
        let row = |(seq, count): (u64, &SlotCount)| Self {
            seq,
            campaign: Arc::clone(&name),
            campaign_hash: Arc::clone(&hash),
            from: log.from,
            to: log.to,
            chance: log.chance,
            segment: log.campaign.segment(count.place.segment).map_or("", |segment| &segment.name).into(),
            slot: count.place.slot,
            past: count.place.past,
            eligible: count.eligible,
            dialled: count.dialled,
            drawn: count.drawn,
        };
        (last + 1..).zip(&log.counts).map(row).collect()
    }
}

/// The slot that goes on.
#[derive(Clone, Debug, Default)]
pub struct OpenSlot {
    from: Wall,
    chance: f64,
    counts: BTreeMap<Place, [u32; 3]>,
}

impl OpenSlot {
    fn count(&mut self, place: Place, by: [u32; 3]) {
        let counts = self.counts.entry(place).or_default();
        counts.iter_mut().zip(by).for_each(|(count, by)| *count = count.saturating_add(by));
    }
}

impl Engine {
    /// A slot has begun: what can be said of the last one goes to the store.
    pub(super) fn turn_slot_log(&mut self, now: Wall, at: usize, chance: f64) {
        self.end_slot(now, at);
        let Some(run) = self.runs.get_mut(at) else { return };
        let mut slot = OpenSlot { from: now, chance, ..OpenSlot::default() };
        let mut viewer = Viewer::new(&run.campaign, &self.zones, &self.zone_sets, &run.ranking, now);
        for (_, key, _, live) in run.frontier.cells().filter(|(_, _, view, live)| view.open && *live > 0) {
            if let Some((of, _)) = viewer.p_answer(key) {
                let place = Place { segment: key.segment, slot: of, past: key.past(of.hour()).tidy() };
                slot.count(place, [live, 0, 0]);
            }
        }
        run.slot = slot;
    }

    pub(super) fn count_dialled(&mut self, live_run: usize, place: Place, drawn: bool) {
        if let Some(run) = self.runs.get_mut(live_run) {
            run.slot.count(place, [0, 1, u32::from(drawn)]);
        }
    }

    /// At the end of a slot, and when nothing new goes out any more.
    pub(super) fn end_slot(&mut self, now: Wall, at: usize) {
        let Some(run) = self.runs.get_mut(at) else { return };
        let slot = std::mem::take(&mut run.slot);
        if slot.counts.is_empty() {
            return;
        }
        let count =
            |(place, [eligible, dialled, drawn]): (Place, [u32; 3])| SlotCount { place, eligible, dialled, drawn };
        let log = SlotLog {
            campaign_ix: run.ix,
            campaign: Arc::clone(&run.campaign),
            from: slot.from,
            to: now,
            chance: slot.chance,
            counts: slot.counts.into_iter().map(count).collect(),
        };
        self.out.push_back(Output::Store(StoreRequest::Slot(Box::new(log))));
    }

    pub(super) fn end_slots(&mut self, now: Wall) {
        for at in 0..self.runs.len() {
            self.end_slot(now, at);
        }
    }
}
