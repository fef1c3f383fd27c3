//! What one campaign orders its leads by: what it has learned about answers, and what the slots ahead are worth.

use crate::base::Wall;
use crate::campaign::{Campaign, Learn, RankBy};
use crate::contact::Zones;
use crate::rank::{AnswerModel, Place, Tally, learn};

use super::ZoneSets;
use super::frontier::Frontier;
use super::prices::Prices;
use super::view::Viewer;

#[derive(Clone, Debug)]
pub struct Ranking {
    answers: AnswerModel,
    tally: Tally,
    prices: Prices,
    replan_at: Wall,
}

impl Ranking {
    const QUARTER_US: i64 = 15 * 60_000_000;

    /// As the campaign's file has it; nothing learned, nothing priced.
    pub fn new(campaign: &Campaign) -> Self {
        Self {
            answers: AnswerModel::of(campaign),
            tally: Tally::default(),
            prices: Prices::default(),
            replan_at: Wall(i64::MIN),
        }
    }

    pub fn answers(&self) -> &AnswerModel {
        &self.answers
    }

    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Dials of one UTC day, by its [`day_number`], that told something about answers.
    pub fn observe(&mut self, day: i64, place: Place, dials: u32, answered: u32) {
        self.tally.add(day, place, dials, answered);
    }

    /// A new version of the plan: what was learned of a segment stays with its name.
    pub fn adopt(&mut self, old: &Campaign, new: &Campaign) {
        let name = |ix: u8| old.segment(ix).map(|segment| segment.name.as_str());
        let place = |name: &str| new.segments.iter().position(|segment| segment.name == name);
        self.tally.renumber(|ix| name(ix).and_then(place).and_then(|at| u8::try_from(at).ok()));
        self.answers = AnswerModel::of(new);
        self.replan_at = Wall(i64::MIN);
    }

    /// What counts until then. On the quarter hour both are looked at anew.
    pub fn replan_at(&self) -> Wall {
        self.replan_at
    }

    /// Learns from what was observed, and prices the slots ahead. `room` says how many dials a stretch of time has room for.
    pub fn replan(
        &mut self,
        (campaign, zones, sets): (&Campaign, &Zones, &ZoneSets),
        frontier: &mut Frontier,
        now: Wall,
        room: impl Fn(Wall, Wall) -> f32,
    ) {
        self.replan_at = Wall((now.0.div_euclid(Self::QUARTER_US) + 1) * Self::QUARTER_US);
        self.tally.turn(day_number(now));
        self.answers = match campaign.golden_hours.learn {
            Learn::Off => AnswerModel::of(campaign),
            Learn::PerSegment => {
                learn(&AnswerModel::of(campaign), &self.tally, campaign.golden_hours.prior_weight_calls)
            }
        };
        let before = std::mem::take(&mut self.prices);
        if campaign.rank.by == RankBy::ExpectedValue {
            let until = Wall(now.0.saturating_add(i64::from(campaign.rank.horizon_days()) * DAY_US));
            self.prices = Prices::ahead(now, until, room);
            let mut prices = self.prices.clone();
            let mut viewer = Viewer::new(campaign, zones, sets, self, now);
            prices.find(&before, frontier, campaign.rank.cost_per_dial, |cell| viewer.multipliers(cell));
            self.prices = prices;
        }
    }
}

const DAY_US: i64 = 86_400_000_000;

/// Days since 1970, UTC.
pub fn day_number(at: Wall) -> i64 {
    at.0.div_euclid(DAY_US)
}
