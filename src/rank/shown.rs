//! What was learned of one segment's hours, for people: seed and estimate side by side, with how sure it is.

use super::{AnswerModel, Past, Slot, Tally};

/// One local hour, all weekdays together, of a lead that was never dialled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourLearned {
    pub hour: u8,
    /// Chance of an answer by the seed, and as learned.
    pub seed: f32,
    pub learned: f32,
    /// Half of the 95 % interval of what was learned.
    pub give_or_take: f32,
    /// Discounted dials in that hour.
    pub calls: f32,
}

/// Hours with at least one dial, in their order. `weight_calls` is what the model was learned with.
pub fn hours_learned(
    prior: &AnswerModel,
    model: &AnswerModel,
    tally: &Tally,
    segment: u8,
    weight_calls: u32,
) -> Vec<HourLearned> {
    // Calls by slot: what people were asked on Sundays says little of what to expect on Mondays.
    let mut calls = [[0.0_f32; 7]; 24];
    for (place, count) in tally.counts().filter(|(place, _)| place.segment == segment) {
        let (hour, weekday) = (usize::from(place.slot.hour()), usize::from(place.slot.weekday()));
        if let Some(calls) = calls.get_mut(hour).and_then(|days| days.get_mut(weekday)) {
            *calls += count.dials;
        }
    }
    let mean = |model: &AnswerModel, hour: u8, days: &[f32; 7]| {
        let all: f32 = days.iter().sum();
        let of_day = |(weekday, calls): (u8, &f32)| {
            let slots = [0, 30].map(|minute| Slot::new(weekday, u16::from(hour) * 60 + minute));
            calls * slots.map(|slot| model.p_answer(segment, slot, Past::default())).iter().sum::<f32>() / 2.0
        };
        (0..).zip(days).map(of_day).sum::<f32>() / all
    };
    let shown = |(hour, days): (u8, &[f32; 7])| {
        let calls: f32 = days.iter().sum();
        let learned = mean(model, hour, days);
        // The posterior of a binomial rate whose prior is worth `weight_calls` dials.
        let sure = calls + weight_calls as f32;
        let give_or_take = 1.96 * (learned * (1.0 - learned) / sure.max(1.0)).sqrt();
        (calls >= 1.0).then(|| HourLearned { hour, seed: mean(prior, hour, days), learned, give_or_take, calls })
    };
    (0..).zip(&calls).filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Share;
    use crate::campaign::{GoldenHours, GoldenMode, Learn};
    use crate::rank::{Place, learn};

    #[test]
    fn an_hour_is_shown_with_its_seed_its_estimate_and_how_many_calls_told_it() {
        let golden = GoldenHours {
            mode: GoldenMode::Prefer,
            seed: BTreeMap::new(),
            rate_golden: Share::from_ppm(200_000),
            rate_other: Share::from_ppm(200_000),
            prior_weight_calls: 200,
            learn: Learn::PerSegment,
        };
        let prior = AnswerModel::from_prior(&golden, ["all"].into_iter());
        let mut tally = Tally::default();
        for (hour, answered) in [(10, 40), (19, 240)] {
            tally.add(9, Place::fresh(0, Slot::new(1, hour * 60)), 400, answered);
        }
        let model = learn(&prior, &tally, 200);
        let shown = hours_learned(&prior, &model, &tally, 0, 200);
        let [morning, evening] = shown[..] else { panic!("{shown:?}") };
        assert_eq!((morning.hour, evening.hour), (10, 19));
        assert!((morning.seed - 0.2).abs() < 1e-3 && (evening.calls - 400.0).abs() < 0.1);
        assert!(morning.learned < 0.2 && evening.learned > 0.4, "{shown:?}");
        assert!((0.02..0.05).contains(&evening.give_or_take), "{shown:?}");
        assert_eq!(hours_learned(&prior, &model, &tally, 1, 200), [], "a segment without a call");
    }
}
