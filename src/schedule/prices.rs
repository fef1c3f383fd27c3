//! The slots ahead of one campaign: how many dials each has room for, and what one of them is worth to others.

use crate::base::Wall;

use super::clearing::{Bidders, clear};
use super::frontier::{CellKey, Frontier, Keys};

/// The slots from now on, soonest first. The first one has begun.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub from: Wall,
    pub to: Wall,
    /// Dials that lines or agents have time for.
    pub room: f32,
    /// In the unit of the leads' values; 0 where there is room to spare.
    pub price: f32,
}

impl Step {
    /// When to look at a lead's clock.
    pub fn middle(&self) -> Wall {
        Wall(self.from.0 + (self.to.0 - self.from.0) / 2)
    }
}

impl Prices {
    const HALF_HOUR_US: i64 = 30 * 60_000_000;
    /// Bounds the work. Two days of half hours; who looks further ahead looks by the hour.
    const MAX_STEPS: i64 = 96;
    /// Leads worth looking at, by the room that there is.
    const HEADROOM: f32 = 3.0;
    /// So many groups of leads stand for all.
    const GROUPS: f32 = 4_096.0;

    /// Half hours of the wall clock from the one that holds `now`, or hours if it would be too many; `room` of a stretch may
    /// be 0.
    pub fn ahead(now: Wall, until: Wall, room: impl Fn(Wall, Wall) -> f32) -> Self {
        let far = until.0.saturating_sub(now.0) > Self::MAX_STEPS * Self::HALF_HOUR_US;
        let length = if far { 2 * Self::HALF_HOUR_US } else { Self::HALF_HOUR_US };
        let first = now.0.div_euclid(length) * length;
        let starts = (0..Self::MAX_STEPS).map(|n| first + n * length).take_while(|from| *from < until.0);
        let step = |from: i64| {
            let (from, to) = (Wall(from.max(now.0)), Wall(from + length));
            Step { from, to, room: room(from, to), price: 0.0 }
        };
        Self { steps: starts.map(step).collect() }
    }

    /// The slot that has begun, and those after it.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Finds the prices. `before` is what they were; `multipliers` says what keys of a cell are multiplied with in each
    /// slot, 0 where it may not be dialled; `cost` is that of a dial.
    pub fn find(
        &mut self,
        before: &Self,
        frontier: &mut Frontier,
        cost: f32,
        mut multipliers: impl FnMut(CellKey) -> Vec<f32>,
    ) {
        let room: Vec<f32> = self.steps.iter().map(|step| step.room).collect();
        let mut crowds: Vec<Crowd<'_>> = Vec::new();
        for (cell, keys) in frontier.keys().filter(|(cell, keys)| !cell.promised && !keys.is_empty()) {
            let by_step = multipliers(cell);
            let most = by_step.iter().zip(&room).filter(|(_, room)| **room > 0.0).map(|(m, _)| *m).fold(0.0, f32::max);
            if most > 0.0 {
                crowds.push(Crowd { keys, by_step, most });
            }
        }
        let bidders = bidders(&crowds, Self::HEADROOM * room.iter().sum::<f32>(), cost);
        let mut prices: Vec<f32> = self.steps.iter().map(|step| before.price_at(step.middle())).collect();
        clear(&bidders, &room, &mut prices);
        self.steps.iter_mut().zip(prices).for_each(|(step, price)| step.price = price);
    }

    pub fn price_at(&self, at: Wall) -> f32 {
        self.steps.iter().find(|step| step.from <= at && at < step.to).map_or(0.0, |step| step.price)
    }
}

/// The leads of one cell, and how their keys are seen in each slot.
struct Crowd<'a> {
    keys: Keys<'a>,
    by_step: Vec<f32>,
    most: f32,
}

impl Crowd<'_> {
    /// How many are worth at least so much in their best slot.
    fn worth(&self, least: f32) -> usize {
        self.keys.count_from(least / self.most)
    }
}

/// The best of them, as many as could matter; every nth stands for n.
fn bidders(crowds: &[Crowd<'_>], wanted: f32, cost: f32) -> Bidders {
    let least = cutoff(crowds, wanted);
    let counts: Vec<usize> = crowds.iter().map(|crowd| crowd.worth(least)).collect();
    let all: usize = counts.iter().sum();
    let stride = (all as f32 / Prices::GROUPS).max(1.0);
    let mut bidders = Bidders::default();
    // Evenly spaced over all cells, one after the other, so that a small cell is met as often as its leads ask for.
    let (mut next, mut passed) = (stride / 2.0, 0.0);
    for (crowd, count) in crowds.iter().zip(counts) {
        while next < passed + count as f32 {
            if let Some(key) = crowd.keys.nth((next - passed) as usize) {
                bidders.push(stride, crowd.by_step.iter().map(|multiplier| key * multiplier - cost));
            }
            next += stride;
        }
        passed += count as f32;
    }
    bidders
}

/// What the `wanted`th lead is worth in its best slot, near enough.
fn cutoff(crowds: &[Crowd<'_>], wanted: f32) -> f32 {
    let count = |least: f32| crowds.iter().map(|crowd| crowd.worth(least)).sum::<usize>() as f32;
    let top = crowds.iter().filter_map(|crowd| Some(crowd.keys.nth(0)? * crowd.most)).fold(0.0, f32::max);
    if count(0.0) <= wanted {
        return 0.0;
    }
    // Half of it, and half of that: 40 halvings pass any spread of values.
    let (mut low, mut high) = (0.0, top);
    for _ in 0..40 {
        let middle = f32::midpoint(low, high);
        if count(middle) > wanted { low = middle } else { high = middle }
    }
    low
}
