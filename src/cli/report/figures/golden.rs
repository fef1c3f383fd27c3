//! The week by half hours on the contacts' clocks: dials, answers and conversions, beside the seed and what was believed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::campaign::{Campaign, GoldenMode};
use crate::rank::Slot;
use crate::schedule::is_golden_slot;

use super::attempt::{Attempt, Reach};
use super::group::Counts;
use super::rate::Rate;

/// Attempts by slot.
#[derive(Clone, Debug, Default)]
pub struct Week {
    slots: BTreeMap<Slot, Cell>,
    golden: Cell,
    other: Cell,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Cell {
    pub counts: Counts,
    /// Sum of the chances of an answer, as believed at the dials.
    pub believed: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Golden {
    pub seed: Seed,
    pub inside: Stretch,
    pub outside: Stretch,
    /// Half hours that somebody was dialled in, or that the seed calls golden.
    pub slots: Vec<HalfHour>,
}

/// What the campaign's file says before anything is learned.
#[derive(Clone, Debug, Serialize)]
pub struct Seed {
    pub mode: &'static str,
    pub golden_rate: f64,
    pub other_rate: f64,
    pub prior_weight_calls: u32,
}

/// All dials in golden half hours, or all others. Golden is what the slot was for the segment at the dial.
#[derive(Clone, Debug, Serialize)]
pub struct Stretch {
    /// Mean of what was believed at the dials.
    pub believed: Option<f64>,
    pub answered: Rate,
    pub right_party: Rate,
    /// Of the right parties.
    pub converted: Rate,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "what it is called in the JSON")]
pub struct HalfHour {
    /// Monday 0.
    pub weekday: u8,
    pub half_hour: u8,
    pub seed: SeedSays,
    pub tried: u64,
    pub answered: u64,
    pub right_party: u64,
    pub converted: u64,
    pub believed: Option<f64>,
}

/// Of the half hour, by the campaign's file of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedSays {
    Ordinary,
    GoldenForSome,
    GoldenForAll,
}

impl Week {
    /// As the answer model learns: what says nothing of the hour is left out.
    pub fn add(&mut self, attempt: &Attempt, reach: Reach) {
        if !attempt.tells_of_the_hour() {
            return;
        }
        let slot = Slot::new(attempt.weekday, u16::from(attempt.half_hour) * Slot::MINUTES);
        self.slots.entry(slot).or_default().add(attempt, reach);
        let side = if attempt.golden { &mut self.golden } else { &mut self.other };
        side.add(attempt, reach);
    }

    pub fn beside(&self, campaign: &Campaign) -> Golden {
        let golden = &campaign.golden_hours;
        let slots = (0..Slot::PER_WEEK as u16).map(|ix| {
            let (weekday, half_hour) = ((ix / Slot::PER_DAY) as u8, (ix % Slot::PER_DAY) as u8);
            let slot = Slot::new(weekday, u16::from(half_hour) * Slot::MINUTES);
            let cell = self.slots.get(&slot).copied().unwrap_or_default();
            HalfHour {
                weekday,
                half_hour,
                seed: seed_says(campaign, slot),
                tried: cell.counts.dialled,
                answered: cell.counts.answered,
                right_party: cell.counts.right_party,
                converted: cell.counts.success,
                believed: cell.mean(),
            }
        });
        Golden {
            seed: Seed {
                mode: match golden.mode {
                    GoldenMode::Prefer => "prefer",
                    GoldenMode::Only => "only",
                },
                golden_rate: golden.rate_golden.fraction(),
                other_rate: golden.rate_other.fraction(),
                prior_weight_calls: golden.prior_weight_calls,
            },
            inside: self.golden.stretch(),
            outside: self.other.stretch(),
            slots: slots.filter(|half| half.tried > 0 || half.seed > SeedSays::Ordinary).collect(),
        }
    }
}

impl Cell {
    fn add(&mut self, attempt: &Attempt, reach: Reach) {
        self.counts.add(attempt, reach);
        self.believed += f64::from(attempt.p_answer);
    }

    fn mean(&self) -> Option<f64> {
        (self.counts.dialled > 0).then(|| self.believed / self.counts.dialled as f64)
    }

    fn stretch(&self) -> Stretch {
        Stretch {
            believed: self.mean(),
            answered: Rate::new(self.counts.answered, self.counts.dialled),
            right_party: Rate::new(self.counts.right_party, self.counts.dialled),
            converted: Rate::new(self.counts.success, self.counts.right_party),
        }
    }
}

fn seed_says(campaign: &Campaign, slot: Slot) -> SeedSays {
    let segments = campaign.segments.len();
    let golden = (0..segments).filter(|ix| is_golden_slot(campaign, *ix as u8, slot)).count();
    match golden {
        0 => SeedSays::Ordinary,
        all if all == segments => SeedSays::GoldenForAll,
        _some => SeedSays::GoldenForSome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::testing::{campaign as parse, week};
    use crate::campaign::{Condition, Segment};
    use crate::cli::report::figures::attempt::{talked, unanswered};
    use crate::contact::{CallResult, OutcomeKind};

    #[test]
    fn a_half_hour_has_its_dials_beside_its_seed() {
        let mut week = Week::default();
        let golden = Attempt { golden: true, half_hour: 36, ..talked(OutcomeKind::Success) };
        let missed = Attempt { half_hour: 36, golden: true, ..unanswered() };
        let dead = Attempt { result: CallResult::VacantNumber, ..missed };
        for attempt in [unanswered(), golden, missed, dead] {
            week.add(&attempt, attempt.reach().unwrap());
        }
        let beside = week.beside(&parse());
        assert_eq!((beside.inside.answered.hits, beside.inside.answered.of), (1, 2));
        assert_eq!((beside.outside.answered.hits, beside.outside.answered.of), (0, 1));
        let evening = beside.slots.iter().find(|half| (half.weekday, half.half_hour) == (1, 36)).unwrap();
        assert_eq!((evening.tried, evening.answered, evening.converted), (2, 1, 1));
        assert!((evening.believed.unwrap() - 0.25).abs() < 1e-6);
    }

    #[test]
    fn the_seed_of_some_segments_is_not_that_of_all_and_stands_there_before_anybody_was_dialled() {
        let segment = |name: &str| Segment { name: name.into(), when: Condition::always(), attempts_max: None };
        let mut campaign = Campaign { segments: vec![segment("high"), segment("rest")], ..parse() };
        let seed = [("high", "12:00-12:30 18:00-19:00"), ("rest", "18:00-19:00")];
        campaign.golden_hours.seed = seed.map(|(name, hours)| (name.to_owned(), week(hours))).into();
        let slots = Week::default().beside(&campaign).slots;
        let tuesday = slots.iter().filter(|half| half.weekday == 1).map(|half| (half.half_hour, half.seed));
        assert_eq!(
            tuesday.collect::<Vec<_>>(),
            [(24, SeedSays::GoldenForSome), (36, SeedSays::GoldenForAll), (37, SeedSays::GoldenForAll)]
        );
    }

    #[test]
    fn conversions_of_a_stretch_are_of_the_customers_reached() {
        let mut week = Week::default();
        for attempt in [unanswered(), talked(OutcomeKind::Success), talked(OutcomeKind::Failure)] {
            week.add(&attempt, attempt.reach().unwrap());
        }
        let outside = week.beside(&parse()).outside;
        assert_eq!((outside.right_party.of, outside.converted.hits, outside.converted.of), (3, 1, 2));
    }
}
