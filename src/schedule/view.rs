//! How a cell stands now: open or closed, golden or not, and what its leads' keys are multiplied with.

use std::collections::BTreeMap;

use crate::base::Wall;
use crate::campaign::{Campaign, GoldenMode, RankBy, WeekHours};
use crate::contact::Zones;
use crate::rank::{Slot, multiplier};

use super::clock::Clock;
use super::frontier::{CellKey, CellView, Later};
use super::golden::{golden_week, is_golden_slot};
use super::prices::Step;
use super::ranking::Ranking;
use super::slot::{next_slot, slot_at};
use super::windows::{Days, local_day, next, open_at};
use super::{ZoneSetIx, ZoneSets};

/// Looks at cells for [`super::Frontier::refresh`] and [`super::Frontier::cell`].
///
/// - Open: calling hours hold in all zones, and go on longer than the phone rings. With `golden_hours.mode: only` also the
///   segment's golden hours, to the minute, by the first zone; a segment without golden hours is then never dialled.
/// - `rank.by: expected_value`: one tier; the multiplier is the answer model's `p_answer` for this slot, so golden hours
///   weigh in through the answer rate. Later slots compete with this one, each less its price: whoever gains most by going
///   now goes first. With `rank.lookahead` whoever gains by waiting waits, although a line may be free.
/// - `rank.by: score`: plain order. With `mode: prefer`, leads whose slot is golden go before all others (tier 1), each
///   group by score, and their `index_value` is 1 + score, so that it falls from one dial to the next within a slot.
/// - Promised callbacks are a tier above both, and wait for calling hours only.
#[derive(Debug)]
pub struct Viewer<'a> {
    campaign: &'a Campaign,
    zones: &'a Zones,
    sets: &'a ZoneSets,
    ranking: &'a Ranking,
    now: Wall,
    moments: BTreeMap<ZoneSetIx, Option<Moment>>,
    golden_weeks: BTreeMap<u8, WeekHours>,
    /// By zones, and by segment where golden hours decide: in which slot each of the steps ahead falls, if it is open.
    ahead: BTreeMap<(ZoneSetIx, Option<u8>), Vec<Option<Slot>>>,
}

/// One set of zones, now.
#[derive(Clone, Copy, Debug)]
struct Moment {
    open: bool,
    slot: Slot,
    until: Wall,
}

impl<'a> Viewer<'a> {
    pub const GOLDEN_TIER: u8 = 1;
    pub const PROMISED_TIER: u8 = 2;

    pub fn new(campaign: &'a Campaign, zones: &'a Zones, sets: &'a ZoneSets, ranking: &'a Ranking, now: Wall) -> Self {
        let (moments, golden_weeks, ahead) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { campaign, zones, sets, ranking, now, moments, golden_weeks, ahead }
    }

    pub fn view(&mut self, cell: CellKey) -> CellView {
        let Some(moment) = self.moment(cell.zones) else { return CellView::CLOSED };
        let (open, until) = self.golden_only(cell, moment);
        let rank = &self.campaign.rank;
        let golden_first = rank.by == RankBy::Score
            && self.campaign.golden_hours.mode == GoldenMode::Prefer
            && is_golden_slot(self.campaign, cell.segment, moment.slot);
        let (tier, offset) = match (cell.promised, golden_first) {
            (true, _) => (Self::PROMISED_TIER, 0.0),
            (false, true) => (Self::GOLDEN_TIER, 1.0),
            (false, false) => (0, -rank.cost_per_dial),
        };
        let multiplier = multiplier(rank.by, self.p_answer_in(cell, moment.slot));
        let waits = rank.lookahead_days.is_some();
        CellView { open, tier, multiplier, offset, later: self.later(cell), waits, until }
    }

    /// What keys of a cell are multiplied with in each step of the prices ahead; 0 where it may not be dialled, and on days
    /// beyond the horizon.
    pub fn multipliers(&mut self, cell: CellKey) -> Vec<f32> {
        let slots = self.slots_ahead(cell);
        slots.iter().map(|slot| slot.map_or(0.0, |slot| self.p_answer_in(cell, slot))).collect()
    }

    /// What waiting brings: of the later slots those that no other one beats in both chance and toll.
    fn later(&mut self, cell: CellKey) -> Vec<Later> {
        if cell.promised || self.ranking.prices().steps().is_empty() {
            return Vec::new();
        }
        let cost = self.campaign.rank.cost_per_dial;
        let multipliers = self.multipliers(cell);
        let steps = self.ranking.prices().steps().iter().zip(multipliers);
        let mut later: Vec<Later> = steps
            .filter(|(step, multiplier)| step.from > self.now && step.room > 0.0 && *multiplier > 0.0)
            .map(|(step, multiplier)| Later { multiplier, toll: step.price + cost })
            .collect();
        later.sort_by(|a, b| b.multiplier.total_cmp(&a.multiplier).then(a.toll.total_cmp(&b.toll)));
        let mut least = f32::INFINITY;
        later.retain(|later| {
            let counts = later.toll < least;
            least = least.min(later.toll);
            counts
        });
        later
    }

    fn slots_ahead(&mut self, cell: CellKey) -> Vec<Option<Slot>> {
        let only = self.campaign.golden_hours.mode == GoldenMode::Only;
        let key = (cell.zones, only.then_some(cell.segment));
        if !self.ahead.contains_key(&key) {
            let slots = self.look_ahead(cell, only);
            self.ahead.insert(key, slots);
        }
        self.ahead.get(&key).cloned().unwrap_or_default()
    }

    fn look_ahead(&mut self, cell: CellKey, only: bool) -> Vec<Option<Slot>> {
        let Some(clock) = Clock::of(&self.campaign.calling_hours, self.sets.get(cell.zones)) else { return Vec::new() };
        let (campaign, zones, days) = (self.campaign, self.zones, Days::of(self.campaign));
        let first = zones.get(clock.first());
        let golden = only.then(|| golden_week(campaign, cell.segment));
        let today = local_day(first, self.now);
        let slot = |step: &Step| {
            let at = step.middle();
            let within = local_day(first, at) - today < i64::from(campaign.rank.horizon_days());
            let open =
                clock.zones().iter().all(|zone| open_at(&campaign.calling_hours.week, days, zones.get(*zone), at));
            let golden = golden.as_ref().is_none_or(|week| open_at(week, days, first, at));
            (within && open && golden).then(|| slot_at(campaign, zones, clock, at))
        };
        self.ranking.prices().steps().iter().map(slot).collect()
    }

    /// For the outcome record: the slot of this moment and the chance of an answer that the model gives.
    pub fn p_answer(&mut self, cell: CellKey) -> Option<(Slot, f32)> {
        let moment = self.moment(cell.zones)?;
        Some((moment.slot, self.p_answer_in(cell, moment.slot)))
    }

    fn p_answer_in(&self, cell: CellKey, slot: Slot) -> f32 {
        self.ranking.answers().p_answer(cell.segment, slot, cell.past(slot.hour()))
    }

    fn golden_only(&mut self, cell: CellKey, moment: Moment) -> (bool, Wall) {
        if self.campaign.golden_hours.mode == GoldenMode::Prefer || cell.promised {
            return (moment.open, moment.until);
        }
        let Some(clock) = Clock::of(&self.campaign.calling_hours, self.sets.get(cell.zones)) else {
            return (false, moment.until);
        };
        let campaign = self.campaign;
        let week = self.golden_weeks.entry(cell.segment).or_insert_with(|| golden_week(campaign, cell.segment));
        let zone = self.zones.get(clock.first());
        let golden = open_at(week, Days::of(campaign), zone, self.now);
        let edge = next(week, Days::of(campaign), zone, self.now, moment.until, !golden);
        (moment.open && golden, edge.unwrap_or(moment.until))
    }

    fn moment(&mut self, set: ZoneSetIx) -> Option<Moment> {
        if let Some(known) = self.moments.get(&set) {
            return *known;
        }
        let clock = Clock::of(&self.campaign.calling_hours, self.sets.get(set));
        let moment = clock.map(|clock| self.look(clock));
        self.moments.insert(set, moment);
        moment
    }

    fn look(&self, clock: Clock) -> Moment {
        let (week, days) = (&self.campaign.calling_hours.week, Days::of(self.campaign));
        let ring = self.campaign.pacing.ring;
        let mut moment = Moment {
            open: true,
            slot: slot_at(self.campaign, self.zones, clock, self.now),
            until: next_slot(self.zones, clock, self.now),
        };
        for zone in clock.zones().iter().map(|zone| self.zones.get(*zone)) {
            // A call placed at `last` would still ring at closing time.
            let closing = next(week, days, zone, self.now, moment.until + ring, false);
            let last = closing.map(|closing| closing - ring);
            let edge = if last.is_some_and(|last| last <= self.now) {
                moment.open = false;
                next(week, days, zone, closing.unwrap_or(self.now), moment.until, true)
            } else {
                last
            };
            moment.until = moment.until.min(edge.unwrap_or(Wall::MAX));
        }
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::testing::{at, campaign, shanghai};

    fn look(campaign: &Campaign, promised: bool, text: &str) -> CellView {
        let (zones, zone) = shanghai();
        let mut sets = ZoneSets::default();
        let ranking = Ranking::new(campaign);
        let cell = CellKey { zones: sets.intern(&[zone]).unwrap(), promised, ..CellKey::default() };
        Viewer::new(campaign, &zones, &sets, &ranking, at(text)).view(cell)
    }

    #[test]
    fn a_cell_opens_and_closes_with_its_hours_less_the_time_to_ring() {
        let campaign = campaign(GoldenMode::Prefer, "09:00-12:00 13:30-20:00", "18:00-20:00");
        let open = |text| look(&campaign, false, text).open;
        assert!(!open("2026-12-01T08:59:59+08:00") && open("2026-12-01T09:00:00+08:00"));
        assert!(open("2026-12-01T19:59:29+08:00") && !open("2026-12-01T19:59:30+08:00"));
        assert!(!open("2026-12-01T12:00:00+08:00"));
    }

    #[test]
    fn a_view_holds_until_the_next_slot_or_edge() {
        let campaign = campaign(GoldenMode::Only, "09:00-12:00 13:30-20:00", "18:10-20:00");
        let until = |text| look(&campaign, false, text).until;
        assert_eq!(until("2026-12-01T09:10:00+08:00"), at("2026-12-01T09:30:00+08:00"));
        assert_eq!(until("2026-12-01T11:40:00+08:00"), at("2026-12-01T11:59:30+08:00"));
        assert_eq!(until("2026-12-01T11:59:40+08:00"), at("2026-12-01T12:00:00+08:00"));
        assert_eq!(until("2026-12-01T18:00:00+08:00"), at("2026-12-01T18:10:00+08:00"));
    }

    #[test]
    fn only_opens_in_golden_hours_and_for_promises() {
        let campaign = campaign(GoldenMode::Only, "09:00-20:00", "18:00-20:00");
        assert!(!look(&campaign, false, "2026-12-01T10:00:00+08:00").open);
        assert!(look(&campaign, true, "2026-12-01T10:00:00+08:00").open);
        assert!(look(&campaign, false, "2026-12-01T18:00:00+08:00").open);
    }

    #[test]
    fn by_score_golden_goes_first_and_by_value_the_chance_weighs() {
        let mut campaign = campaign(GoldenMode::Prefer, "09:00-20:00", "18:00-20:00");
        let (noon, evening) = ("2026-12-01T12:00:00+08:00", "2026-12-01T18:00:00+08:00");
        assert_eq!((look(&campaign, false, noon).tier, look(&campaign, false, evening).tier), (0, 1));
        let golden = look(&campaign, false, evening);
        assert_eq!((golden.multiplier.to_bits(), golden.offset.to_bits()), (1.0_f32.to_bits(), 1.0_f32.to_bits()));
        campaign.rank.by = RankBy::ExpectedValue;
        let (noon, evening) = (look(&campaign, false, noon), look(&campaign, false, evening));
        assert_eq!((noon.tier, evening.tier), (0, 0));
        assert!((noon.multiplier - 0.15).abs() < 1e-6 && (evening.multiplier - 0.30).abs() < 1e-6);
        assert_eq!(look(&campaign, true, "2026-12-01T12:00:00+08:00").tier, Viewer::PROMISED_TIER);
    }

    #[test]
    fn a_lead_without_a_clock_is_closed() {
        let mut campaign = campaign(GoldenMode::Prefer, "00:00-24:00", "18:00-20:00");
        campaign.calling_hours.fallback_zone = None;
        let (zones, sets) = (Zones::default(), ZoneSets::default());
        let ranking = Ranking::new(&campaign);
        let mut viewer = Viewer::new(&campaign, &zones, &sets, &ranking, at("2026-12-01T12:00:00Z"));
        assert_eq!(viewer.view(CellKey::default()), CellView::CLOSED);
    }
}
