//! The chance that a dial is answered: a table of logits by segment and slot, shifted by what was tried before.

use crate::campaign::{Campaign, GoldenHours, WeekHours};

use super::{Past, Slot, logit};

/// `logit p = table[segment][slot] + attempts[k] + same_hour[f] + reachability`.
///
/// Before anything is learned the table holds the campaign's `answer_rate`: the golden rate in slots that lie in the
/// segment's golden hours, the other rate outside, and the mean by minutes in a slot that lies across the edge; and
/// attempts and failures count as [`AnswerModel::ATTEMPT`] and [`AnswerModel::SAME_HOUR`] say. [`super::learn`] replaces
/// all of it but the shape.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerModel {
    /// One row of [`Slot::PER_WEEK`] per segment.
    pub(super) logits: Vec<f32>,
    /// By attempts made so far.
    pub(super) attempts: [f32; Past::MAX_ATTEMPTS as usize + 1],
    /// By failures in this local hour.
    pub(super) same_hour: [f32; Past::MAX_SAME_HOUR as usize + 1],
}

impl AnswerModel {
    /// Each attempt made so far lowers the odds to 84 %. Most of the fall is selection: who answers easily has answered.
    pub const ATTEMPT: f32 = -0.18;
    /// Each failure in the same hour lowers the odds to 55 %.
    pub const SAME_HOUR: f32 = -0.6;

    /// As the campaign's file has it, before anything is learned.
    pub fn of(campaign: &Campaign) -> Self {
        Self::from_prior(&campaign.golden_hours, campaign.segments.iter().map(|segment| segment.name.as_str()))
    }

    /// `segments` are names in the campaign's order.
    pub fn from_prior<'a>(golden: &GoldenHours, segments: impl Iterator<Item = &'a str>) -> Self {
        let mut logits = Vec::new();
        let (inside, outside) = (golden.rate_golden.fraction(), golden.rate_other.fraction());
        for name in segments {
            let hours = golden.of(name);
            for ix in 0..Slot::PER_WEEK as u16 {
                let slot = Slot::new((ix / Slot::PER_DAY) as u8, ix % Slot::PER_DAY * Slot::MINUTES);
                let share = hours.map_or(0.0, |hours| golden_share(hours, slot));
                logits.push(logit(outside + share * (inside - outside)) as f32);
            }
        }
        Self {
            logits,
            attempts: std::array::from_fn(|k| Self::ATTEMPT * k as f32),
            same_hour: std::array::from_fn(|f| Self::SAME_HOUR * f as f32),
        }
    }

    /// In `(0, 1)`. A segment that the model does not know answers never.
    pub fn p_answer(&self, segment: u8, slot: Slot, past: Past) -> f32 {
        self.logit(segment, slot, past).map_or(0.0, |z| 1.0 / (1.0 + (-z).exp()))
    }

    pub(super) fn logit(&self, segment: u8, slot: Slot, past: Past) -> Option<f32> {
        let base = self.logits.get(usize::from(segment) * Slot::PER_WEEK + slot.ix())?;
        let past = past.tidy();
        let attempts = self.attempts.get(usize::from(past.attempts))?;
        let same_hour = self.same_hour.get(usize::from(past.same_hour_fails))?;
        Some(base + attempts + same_hour + past.reachability.shift())
    }

    pub(super) fn segments(&self) -> usize {
        self.logits.len() / Slot::PER_WEEK
    }
}

/// Which part of the slot's minutes is golden, in `[0, 1]`.
pub fn golden_share(hours: &WeekHours, slot: Slot) -> f64 {
    let (from, to) = (slot.minute(), slot.minute() + Slot::MINUTES);
    let minutes: u16 = hours
        .day(usize::from(slot.weekday()))
        .iter()
        .map(|window| window.to.0.min(to).saturating_sub(window.from.0.max(from)))
        .sum();
    f64::from(minutes) / f64::from(Slot::MINUTES)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Share;
    use crate::campaign::{GoldenMode, Learn, Window};
    use crate::rank::Reachability;

    fn model() -> AnswerModel {
        let week = |text: &str| WeekHours::new(std::array::from_fn(|_| vec![Window::parse(text).unwrap()]));
        let golden = GoldenHours {
            mode: GoldenMode::Prefer,
            seed: BTreeMap::from([("star".into(), week("18:00-20:00")), ("tail".into(), week("10:15-10:30"))]),
            rate_golden: Share::from_ppm(300_000),
            rate_other: Share::from_ppm(150_000),
            prior_weight_calls: 200,
            learn: Learn::Off,
        };
        AnswerModel::from_prior(&golden, ["star", "tail", "unseeded"].into_iter())
    }

    fn fresh(model: &AnswerModel, segment: u8, slot: Slot) -> f32 {
        model.p_answer(segment, slot, Past::default())
    }

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-5
    }

    #[test]
    fn the_prior_is_the_campaigns_answer_rate_inside_and_outside() {
        let model = model();
        assert!(near(fresh(&model, 0, Slot::new(2, 1_080)), 0.30));
        assert!(near(fresh(&model, 0, Slot::new(2, 1_050)), 0.15));
        assert!(near(fresh(&model, 2, Slot::new(2, 1_080)), 0.15));
    }

    #[test]
    fn a_slot_across_the_edge_is_golden_by_its_minutes() {
        assert!(near(fresh(&model(), 1, Slot::new(0, 600)), 0.225));
    }

    #[test]
    fn attempts_and_failures_in_the_same_hour_lower_it_and_the_third_failure_adds_nothing() {
        let model = model();
        let p = |attempts, same_hour_fails| {
            model.p_answer(0, Slot::new(0, 1_080), Past { attempts, same_hour_fails, ..Past::default() })
        };
        assert!(p(0, 0) > p(1, 0) && p(1, 0) > p(1, 1) && p(1, 1) > p(1, 2));
        assert!(near(p(2, 2), p(2, 3)) && near(p(7, 0), p(200, 0)));
        let odds = |p: f32| p / (1.0 - p);
        assert!(near(odds(p(1, 1)) / odds(p(1, 0)), 0.548_811_6));
    }

    #[test]
    fn a_person_who_is_easily_reached_is_likelier_to_answer() {
        let model = model();
        let p = |reachability| model.p_answer(0, Slot::new(0, 600), Past { reachability, ..Past::default() });
        assert!(
            p(Reachability::of(2, 2)) > p(Reachability::default())
                && p(Reachability::default()) > p(Reachability::of(2, 0))
        );
    }

    #[test]
    fn an_unknown_segment_answers_never() {
        assert!(near(fresh(&model(), 9, Slot::new(0, 0)), 0.0));
    }
}
