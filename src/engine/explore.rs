//! Exploration: at the start of a slot some leads that the order would not reach are drawn by chance, and go first.

use std::collections::VecDeque;

use crate::base::{Rng, Wall};
use crate::rank::chance_of_draw;
use crate::schedule::{Best, Frontier, LeadIx, Viewer};

use super::Engine;
use super::run::Run;

/// How a lead came to be chosen, as every attempt logs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    pub best: Best,
    /// Drawn by chance, ahead of the order.
    pub explore: bool,
    /// Probability that it was chosen in this slot; 1 where the order chose it.
    pub propensity: f64,
}

/// Who was drawn for the slot that goes on until then.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    leads: VecDeque<LeadIx>,
    chance: f64,
    until: Wall,
}

impl Drawn {
    const SLOT_US: i64 = 30 * 60_000_000;

    fn slot_end(now: Wall) -> Wall {
        Wall((now.0.div_euclid(Self::SLOT_US) + 1) * Self::SLOT_US)
    }

    /// Each of those that `dials` would not reach joins by itself. A share of the dials is theirs, so the order gets the
    /// rest. Who was drawn in the last slot and not dialled has had their chance.
    fn turn(&mut self, frontier: &Frontier, share: f64, dials: f64, now: Wall, rng: &mut Rng) {
        *self = Self { until: Self::slot_end(now), ..Self::default() };
        if share <= 0.0 {
            return;
        }
        let reached = (dials * (1.0 - share)) as usize;
        let least = frontier.worth_of_nth(reached);
        let rest = frontier.open_len().saturating_sub(frontier.count_worth(least));
        self.chance = chance_of_draw(share, dials, rest);
        if self.chance > 0.0 {
            self.leads = frontier.draw(least, |_| rng.chance(self.chance)).into();
        }
    }
}

impl Run {
    /// Who goes next: promised callbacks, then those drawn, then the order.
    pub(super) fn next_lead(&mut self) -> Option<Chosen> {
        let promised = self.frontier.peek().is_some_and(|best| best.tier == Viewer::PROMISED_TIER);
        if !promised {
            while let Some(lead) = self.drawn.leads.pop_front() {
                if let Some(best) = self.frontier.take(lead) {
                    return Some(Chosen { best, explore: true, propensity: self.drawn.chance });
                }
            }
        }
        self.frontier.pop().map(|best| Chosen { best, explore: false, propensity: 1.0 })
    }

    /// Is there anybody to dial now?
    pub(super) fn has_next(&self) -> bool {
        self.frontier.has_best() || !self.drawn.leads.is_empty()
    }
}

impl Engine {
    /// With the half hours of the wall clock, after the cells were looked at.
    pub(super) fn turn_draw(&mut self, now: Wall, at: usize) {
        let Some(run) = self.runs.get(at).filter(|run| run.drawn.until <= now) else { return };
        let share = run.campaign.rank.explore.fraction();
        let left_s = Drawn::slot_end(now).since(now).as_secs_f64();
        let dials = f64::from(self.dials_per_s(run)) * left_s;
        let Some(run) = self.runs.get_mut(at) else { return };
        run.drawn.turn(&run.frontier, share, dials, now, &mut self.rng);
        let chance = run.drawn.chance;
        self.turn_slot_log(now, at, chance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{CellKey, CellView};

    fn crowd(leads: u32) -> Frontier {
        let mut frontier = Frontier::new(Wall(0));
        let cell = frontier.cell(CellKey::default(), |_| CellView { open: true, ..CellView::CLOSED }).unwrap();
        for lead in 0..leads {
            frontier.insert(LeadIx(lead), cell, lead as f32);
        }
        frontier
    }

    /// The sum of 1 / propensity over all that were dialled estimates how many there were to be dialled (Horvitz and
    /// Thompson 1952): that is what makes the logged propensity the true one.
    #[test]
    fn those_dialled_weighed_by_their_propensity_are_all_that_were_eligible() {
        let (leads, dials, share) = (5_000, 400.0, 0.1);
        let mut estimates = Vec::new();
        let mut rng = Rng::seeded(3);
        for _ in 0..400 {
            let frontier = crowd(leads);
            let mut drawn = Drawn::default();
            drawn.turn(&frontier, share, dials, Wall(0), &mut rng);
            let greedy = dials * (1.0 - share);
            estimates.push(greedy + drawn.leads.len() as f64 / drawn.chance);
        }
        let mean = estimates.iter().sum::<f64>() / estimates.len() as f64;
        let spread = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (estimates.len() - 1) as f64;
        let error = (spread / estimates.len() as f64).sqrt();
        assert!((mean - f64::from(leads)).abs() < 3.0 * error, "{mean} of {leads}, give or take {error}");
        assert!(error < 50.0, "the interval says something: {error}");
    }

    #[test]
    fn only_leads_beyond_the_orders_reach_are_drawn() {
        let frontier = crowd(1_000);
        let mut drawn = Drawn::default();
        drawn.turn(&frontier, 0.2, 500.0, Wall(0), &mut Rng::seeded(1));
        assert!(drawn.leads.len() > 50 && drawn.leads.iter().all(|lead| lead.0 < 600), "{:?}", drawn.leads);
        assert!((drawn.chance - 100.0 / 600.0).abs() < 1e-9);
    }

    #[test]
    fn where_the_order_reaches_everybody_nobody_is_drawn() {
        let mut drawn = Drawn::default();
        drawn.turn(&crowd(100), 0.2, 500.0, Wall(0), &mut Rng::seeded(1));
        assert!(drawn.leads.is_empty());
    }
}
