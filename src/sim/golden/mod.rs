//! GOLDEN-1: what an order of calls is worth in a world whose golden hours nobody knows at first.
//!
//! 30,000 people, ten days of ten hours, a fixed number of dials an hour. One attempt a day, seven in all, and whoever
//! came to the phone is not called again. The queue, the answer model and the prices are those that the engine uses; the
//! world is played hour by hour, without lines and rings. A simulation of a world that we wrote: what it says of a
//! bank's customers is no more than that such hours can be found.

mod campaign;
mod people;

use std::sync::Arc;

use crate::base::{Diagnostic, Rng, Wall};
use crate::campaign::{Campaign, RankBy};
use crate::contact::Zones;
use crate::rank;
use crate::schedule::{
    CellIx, CellKey, Frontier, LeadIx, Ranking, SlotFails, Viewer, ZoneSetIx, ZoneSets, day_number, slot_at,
};

use people::{HOURS, Person};

/// In which order they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The highest score first.
    Fifo,
    Random,
    /// Those with the fewest attempts first, by score.
    FifoLow,
    /// By chance of an answer now × score.
    Greedy,
    /// The same against later slots of the day, less their prices: `rank.by: expected_value`.
    Price,
    /// And whoever gains by waiting waits, although a line is free: `rank.lookahead: 1d`.
    Wait,
}

impl Policy {
    pub const ALL: [Self; 6] = [Self::Fifo, Self::Random, Self::FifoLow, Self::Greedy, Self::Price, Self::Wait];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Random => "random",
            Self::FifoLow => "fifo_low",
            Self::Greedy => "greedy",
            Self::Price => "price",
            Self::Wait => "wait",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub policy: Policy,
    /// Dials an hour.
    pub capacity: u32,
    pub seed: u64,
    pub people: u32,
    pub days: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    pub dials: u32,
    pub reached: u32,
    /// Expected: the sum of what those who were reached are worth.
    pub conversions: f64,
}

impl Setting {
    pub const PEOPLE: u32 = 30_000;
    pub const DAYS: u32 = 10;
}

/// The same setting gives the same score. Policies of one seed meet the same people with the same luck.
pub fn play(setting: Setting) -> Result<Score, Vec<Diagnostic>> {
    let mut game = Game::new(setting)?;
    for day in 0..setting.days {
        for hour in 0..HOURS {
            game.hour(day, hour);
        }
    }
    Ok(game.score)
}

const HOUR_US: i64 = 3_600_000_000;
/// A Monday, 09:00 in Shanghai.
const START: Wall = Wall(1_796_000_400_000_000);

struct Game {
    setting: Setting,
    campaign: Arc<Campaign>,
    zones: Zones,
    sets: ZoneSets,
    /// Of clocks that go as ours, and of those two hours behind.
    homes: [ZoneSetIx; 2],
    people: Vec<Person>,
    /// What the queue knows of each: attempts, and the local hours of the two last failures.
    pasts: Vec<(u8, Option<u8>, Option<u8>)>,
    frontier: Frontier,
    ranking: Ranking,
    luck: u64,
    score: Score,
}

impl Game {
    fn new(setting: Setting) -> Result<Self, Vec<Diagnostic>> {
        let campaign = campaign::campaign(setting.policy)?;
        let (mut zones, mut sets) = (Zones::default(), ZoneSets::default());
        let homes = ["Asia/Shanghai", "Asia/Dhaka"]
            .map(|name| zones.intern(name).and_then(|zone| sets.intern(&[zone])).unwrap_or_default());
        let mut rng = Rng::seeded(setting.seed);
        let people: Vec<Person> = (0..setting.people).map(|_| Person::any(&mut rng)).collect();
        let mut game = Self {
            pasts: vec![(0, None, None); people.len()],
            frontier: Frontier::new(START),
            ranking: Ranking::new(&campaign),
            luck: rng.u64(),
            score: Score::default(),
            setting,
            campaign,
            zones,
            sets,
            homes,
            people,
        };
        for ix in 0..game.people.len() as u32 {
            let lead = LeadIx(ix);
            if let (Some(cell), Some(key)) = (game.cell(lead, START), game.key(lead, &mut rng)) {
                game.frontier.insert(lead, cell, key);
            }
        }
        Ok(game)
    }

    /// As many dials as there is room for, in the order of the policy.
    fn hour(&mut self, day: u32, hour: usize) {
        let now = Wall(START.0 + i64::from(day) * 24 * HOUR_US + hour as i64 * HOUR_US);
        self.frontier.due(now);
        let evening = Wall(now.0 + (HOURS - hour) as i64 * HOUR_US);
        // All dials of an hour are made at its start. Without room there is no later slot to compete with.
        let prices = matches!(self.setting.policy, Policy::Price | Policy::Wait);
        let has_room = |from: Wall| prices && (from.0 - START.0) % HOUR_US == 0 && from < evening;
        let room = |from: Wall, _: Wall| if has_room(from) { self.setting.capacity as f32 } else { 0.0 };
        if self.setting.policy == Policy::Random {
            let mut rng = Rng::seeded(self.luck ^ u64::from(day) << 8 ^ hour as u64);
            self.frontier.rekey(|_| rng.f64() as f32);
        }
        self.ranking.replan((&self.campaign, &self.zones, &self.sets), &mut self.frontier, now, room);
        let mut viewer = Viewer::new(&self.campaign, &self.zones, &self.sets, &self.ranking, now);
        self.frontier.refresh(|cell| viewer.view(cell));
        for _ in 0..self.setting.capacity {
            let Some(best) = self.frontier.pop() else { return };
            self.dial(best.lead, day, now);
        }
    }

    fn dial(&mut self, lead: LeadIx, day: u32, now: Wall) {
        let (Some(cell), Some(key)) = (self.frontier.cell_of(lead), self.frontier.key(lead)) else { return };
        let Some(cell) = self.frontier.cell_key(cell) else { return };
        let (Some(person), Some(past)) = (self.people.get_mut(lead.ix()), self.pasts.get_mut(lead.ix())) else {
            return;
        };
        let zone = self.sets.get(cell.zones).first().copied().unwrap_or_default();
        let slot = slot_at(&self.campaign, &self.zones, crate::schedule::Clock::One(zone), now);
        let luck = Rng::seeded(self.luck ^ (u64::from(lead.0) << 8) ^ u64::from(past.0)).f64();
        let answered = person.answers(day, usize::from(slot.hour().saturating_sub(9)), luck);
        let place = rank::Place { segment: cell.segment, slot, past: cell.past(slot.hour()) };
        self.ranking.observe(day_number(now), place, 1, u32::from(answered));
        self.score.dials += 1;
        if answered {
            self.score.reached += 1;
            self.score.conversions += person.yes;
            return;
        }
        *past = (past.0 + 1, Some(slot.hour()), past.1);
        let attempts = past.0;
        if u16::from(attempts) >= self.campaign.attempts.max {
            return;
        }
        let tomorrow = Wall(START.0 + i64::from(day + 1) * 24 * HOUR_US);
        // Order is made of keys: those with fewer attempts have the higher ones.
        let key = if self.setting.policy == Policy::FifoLow { key - 1.0 } else { key };
        if let Some(cell) = self.cell(lead, now) {
            self.frontier.park(lead, cell, key, tomorrow);
        }
    }

    fn key(&self, lead: LeadIx, rng: &mut Rng) -> Option<f32> {
        let score = self.people.get(lead.ix())?.score as f32;
        Some(match self.setting.policy {
            Policy::Fifo => rank::key(RankBy::Score, score, 1.0),
            Policy::Random => rng.f64() as f32,
            Policy::FifoLow => score + f32::from(self.campaign.attempts.max),
            Policy::Greedy | Policy::Price | Policy::Wait => rank::key(RankBy::ExpectedValue, score, 1.0),
        })
    }

    fn cell(&mut self, lead: LeadIx, now: Wall) -> Option<CellIx> {
        let (person, past) = (self.people.get(lead.ix())?, self.pasts.get(lead.ix())?);
        let key = CellKey {
            zones: self.homes.get(usize::from(person.behind)).copied().unwrap_or_default(),
            segment: person.kind,
            attempts: past.0,
            fails: SlotFails::of(past.1, past.2),
            ..CellKey::default()
        };
        let mut viewer = Viewer::new(&self.campaign, &self.zones, &self.sets, &self.ranking, now);
        self.frontier.cell(key, |key| viewer.view(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversions(policy: Policy, capacity: u32, seed: u64) -> f64 {
        let setting = Setting { policy, capacity, seed, people: 6_000, days: 6 };
        play(setting).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings))).conversions
    }

    #[test]
    fn the_price_of_a_slot_beats_every_simple_order() {
        for (capacity, gain) in [(60, 1.25_f64), (150, 1.15), (300, 1.10)] {
            let price: f64 = (1..4).map(|seed| conversions(Policy::Price, capacity, seed)).sum();
            for policy in [Policy::Fifo, Policy::Random, Policy::FifoLow] {
                let simple: f64 = (1..4).map(|seed| conversions(policy, capacity, seed)).sum();
                assert!(price > simple * gain.min(1.08), "{capacity}: {price} against {simple} of {policy:?}");
            }
            let fifo: f64 = (1..4).map(|seed| conversions(Policy::Fifo, capacity, seed)).sum();
            assert!(price > fifo * gain, "{capacity}: {price} against {fifo}");
        }
    }

    #[test]
    fn waiting_for_a_better_slot_pays_where_there_is_room_to_spare() {
        let (wait, price) = (conversions(Policy::Wait, 300, 1), conversions(Policy::Price, 300, 1));
        assert!(wait > price, "{wait} against {price}");
    }

    #[test]
    fn the_same_setting_gives_the_same_score() {
        assert_eq!(conversions(Policy::Price, 60, 9).to_bits(), conversions(Policy::Price, 60, 9).to_bits());
    }
}
