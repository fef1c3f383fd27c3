//! From what dials have told to an answer model: a hierarchy in which little data changes little.

use super::{AnswerModel, Past, Slot, Tally, logistic};

/// Fits a logistic model with nested normal effects around the prior's logits: campaign, segment, hour of day, segment ×
/// hour, × kind of day (working day, Saturday, Sunday), × half hour of the week, and beside them attempts made and failures
/// in the same hour. Each effect is pulled to zero by a normal prior that is worth `weight_calls` dials or more, so a cell
/// with ten dials says what its hour says, and an hour without any what the campaign's golden hours say. The mode of the
/// posterior, by Newton steps on one level after the other (Gelman and Hill, Data Analysis Using Regression and
/// Multilevel/Hierarchical Models, 2007, ch. 14).
pub fn learn(prior: &AnswerModel, tally: &Tally, weight_calls: u32) -> AnswerModel {
    let mut rows: Vec<Row> = tally.counts().filter_map(|(place, count)| Row::of(prior, place, count)).collect();
    if rows.is_empty() {
        return prior.clone();
    }
    let weight = f64::from(weight_calls.max(1)) * information(&rows);
    let mut effects = Level::ALL.map(|level| vec![0.0; level.groups(prior.segments())]);
    let mut pulls = Level::ALL.map(|level| weight * level.weight());
    for round in 0..ROUNDS {
        for ((level, effects), pull) in Level::ALL.iter().zip(&mut effects).zip(&mut pulls) {
            let slopes = level.slopes(&rows, effects.len());
            if round == 0 && level.is_of_time() {
                *pull = pull.max(weight_of_noise(&slopes));
            }
            level.step(&mut rows, effects, &slopes, *pull);
        }
    }
    moved(prior, &effects)
}

/// How strongly effects must be pulled so that they vary no more than the data say they do: the variance between groups by
/// the method of moments (DerSimonian and Laird 1986). Where groups differ no more than chance lets them, that is not at all.
fn weight_of_noise(slopes: &[(f64, f64)]) -> f64 {
    let seen: Vec<(f64, f64)> = slopes.iter().copied().filter(|(_, bend)| *bend > 0.0).collect();
    let q: f64 = seen.iter().map(|(slope, bend)| slope * slope / bend).sum();
    let (bends, squares) =
        seen.iter().fold((0.0, 0.0), |(sum, squares), (_, bend)| (sum + bend, squares + bend * bend));
    let free = seen.len() as f64 - 1.0;
    if free < 1.0 {
        return 0.0;
    }
    // Half a standard deviation above what chance gives (chi-squared has a variance of twice its mean) is nothing yet.
    let beyond = q - free - 0.5 * (2.0 * free).sqrt();
    let variance = beyond / (bends - squares / bends);
    if variance > 0.0 { 1.0 / variance } else { f64::INFINITY }
}

/// Each round is a Newton step at every level. After eight nothing moves by a thousandth of a logit.
const ROUNDS: usize = 8;

/// One count, and the log-odds that the model gives it now.
struct Row {
    segment: usize,
    slot: Slot,
    past: Past,
    dials: f64,
    answered: f64,
    z: f64,
}

impl Row {
    fn of(prior: &AnswerModel, place: super::Place, count: super::Count) -> Option<Self> {
        Some(Self {
            segment: usize::from(place.segment),
            slot: place.slot,
            past: place.past,
            dials: f64::from(count.dials),
            answered: f64::from(count.answered),
            z: f64::from(prior.logit(place.segment, place.slot, place.past)?),
        })
    }
}

/// p (1 - p) at the mean of what the prior expected: what one dial says about a logit (its Fisher information).
fn information(rows: &[Row]) -> f64 {
    let dials: f64 = rows.iter().map(|row| row.dials).sum();
    let answered: f64 = rows.iter().map(|row| row.dials * logistic(row.z)).sum();
    let p = (answered / dials).clamp(0.02, 0.98);
    p * (1.0 - p)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Campaign,
    Segment,
    Hour,
    SegmentHour,
    SegmentHourKind,
    SegmentSlot,
    Attempts,
    SameHour,
}

impl Level {
    const ALL: [Self; 8] = [
        Self::Campaign,
        Self::Segment,
        Self::Hour,
        Self::SegmentHour,
        Self::SegmentHourKind,
        Self::SegmentSlot,
        Self::Attempts,
        Self::SameHour,
    ];
    const HOURS: usize = 24;
    const KINDS: usize = 3;

    /// How many times the campaign's weight pulls an effect to zero. Kinds of days and half hours differ little from their
    /// hour. docs/GOLDEN_HOURS.md has what other weights come to.
    const fn weight(self) -> f64 {
        match self {
            Self::Campaign | Self::Segment | Self::Hour | Self::SegmentHour => 1.0,
            Self::SegmentHourKind | Self::SegmentSlot => 8.0,
            Self::Attempts | Self::SameHour => 0.5,
        }
    }

    fn groups(self, segments: usize) -> usize {
        match self {
            Self::Campaign => 1,
            Self::Segment => segments,
            Self::Hour => Self::HOURS,
            Self::SegmentHour => segments * Self::HOURS,
            Self::SegmentHourKind => segments * Self::HOURS * Self::KINDS,
            Self::SegmentSlot => segments * Slot::PER_WEEK,
            Self::Attempts => usize::from(Past::MAX_ATTEMPTS) + 1,
            Self::SameHour => usize::from(Past::MAX_SAME_HOUR) + 1,
        }
    }

    /// A first attempt, and one in a new hour, are what the other levels are about: they have no effect of their own.
    fn group(self, segment: usize, slot: Slot, past: Past) -> Option<usize> {
        let hour = usize::from(slot.hour());
        let kind = usize::from(slot.weekday().saturating_sub(4));
        match self {
            Self::Campaign => Some(0),
            Self::Segment => Some(segment),
            Self::Hour => Some(hour),
            Self::SegmentHour => Some(segment * Self::HOURS + hour),
            Self::SegmentHourKind => Some((segment * Self::HOURS + hour) * Self::KINDS + kind),
            Self::SegmentSlot => Some(segment * Slot::PER_WEEK + slot.ix()),
            Self::Attempts => Some(usize::from(past.attempts)).filter(|k| *k > 0),
            Self::SameHour => Some(usize::from(past.same_hour_fails)).filter(|f| *f > 0),
        }
    }

    /// Do effects of this level say that one time is better than another?
    const fn is_of_time(self) -> bool {
        match self {
            Self::Hour | Self::SegmentHour | Self::SegmentHourKind | Self::SegmentSlot => true,
            Self::Campaign | Self::Segment | Self::Attempts | Self::SameHour => false,
        }
    }

    /// Of the log-likelihood by each group's effect: its slope, and how much it bends.
    fn slopes(self, rows: &[Row], groups: usize) -> Vec<(f64, f64)> {
        let mut slopes = vec![(0.0, 0.0); groups];
        for row in rows {
            let group = self.group(row.segment, row.slot, row.past);
            if let Some((slope, bend)) = group.and_then(|group| slopes.get_mut(group)) {
                let p = logistic(row.z);
                *slope += row.answered - row.dials * p;
                *bend += row.dials * p * (1.0 - p);
            }
        }
        slopes
    }

    /// One Newton step for every group of this level, the others held still.
    fn step(self, rows: &mut [Row], effects: &mut [f64], slopes: &[(f64, f64)], pull: f64) {
        if pull.is_infinite() {
            return;
        }
        // A full step from far away overshoots.
        let newton =
            |(effect, (slope, bend)): (&f64, &(f64, f64))| ((slope - pull * effect) / (bend + pull)).clamp(-1.0, 1.0);
        let moves: Vec<f64> = effects.iter().zip(slopes).map(newton).collect();
        effects.iter_mut().zip(&moves).for_each(|(effect, by)| *effect += by);
        for row in rows.iter_mut() {
            let group = self.group(row.segment, row.slot, row.past);
            row.z += group.and_then(|group| moves.get(group)).copied().unwrap_or(0.0);
        }
    }
}

/// The prior with all effects added.
fn moved(prior: &AnswerModel, effects: &[Vec<f64>; 8]) -> AnswerModel {
    let effect = |level: Level, segment, slot, past| {
        let group = level.group(segment, slot, past)?;
        effects.get(level as usize)?.get(group).copied()
    };
    let mut model = prior.clone();
    for (at, logit) in model.logits.iter_mut().enumerate() {
        let (segment, slot) = (at / Slot::PER_WEEK, Slot::at((at % Slot::PER_WEEK) as u16));
        let by: f64 = Level::ALL.iter().filter_map(|level| effect(*level, segment, slot, Past::default())).sum();
        *logit += by as f32;
    }
    let shift = |level: Level, k: usize, own: &mut f32| {
        *own += effects.get(level as usize).and_then(|effects| effects.get(k)).copied().unwrap_or(0.0) as f32;
    };
    model.attempts.iter_mut().enumerate().for_each(|(k, own)| shift(Level::Attempts, k, own));
    model.same_hour.iter_mut().enumerate().for_each(|(f, own)| shift(Level::SameHour, f, own));
    model
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::{Rng, Share};
    use crate::campaign::{GoldenHours, GoldenMode, Learn, WeekHours, Window};
    use crate::rank::Place;

    fn prior(segments: &[&str], evening: &str) -> AnswerModel {
        let week = WeekHours::new(std::array::from_fn(|_| vec![Window::parse(evening).unwrap()]));
        let golden = GoldenHours {
            mode: GoldenMode::Prefer,
            seed: BTreeMap::from([("all".into(), week)]),
            rate_golden: Share::from_ppm(300_000),
            rate_other: Share::from_ppm(150_000),
            prior_weight_calls: 200,
            learn: Learn::PerSegment,
        };
        AnswerModel::from_prior(&golden, segments.iter().copied())
    }

    fn slot(hour: u16) -> Slot {
        Slot::new(1, hour * 60)
    }

    /// Dials of one segment at the same rate in every hour from 9 to 19, but for those given.
    fn dialled(rng: &mut Rng, segment: u8, each: u32, rate: impl Fn(u16) -> f64) -> Tally {
        let mut tally = Tally::default();
        for hour in 9..20 {
            for weekday in 0..5 {
                let answered = (0..each).filter(|_| rng.chance(rate(hour))).count() as u32;
                tally.add(100, Place::fresh(segment, Slot::new(weekday, hour * 60)), each, answered);
            }
        }
        tally
    }

    fn p(model: &AnswerModel, segment: u8, hour: u16) -> f32 {
        model.p_answer(segment, slot(hour), Past::default())
    }

    #[test]
    fn without_a_dial_the_seed_holds() {
        let prior = prior(&["a"], "18:00-20:00");
        assert_eq!(learn(&prior, &Tally::default(), 200), prior);
    }

    #[test]
    fn with_many_dials_the_truth_shows_whatever_the_seed_said() {
        let prior = prior(&["a"], "18:00-20:00");
        let truth = |hour| if hour == 11 { 0.40 } else { 0.10 };
        let model = learn(&prior, &dialled(&mut Rng::seeded(1), 0, 2_000, truth), 200);
        for hour in 9..20 {
            assert!((f64::from(p(&model, 0, hour)) - truth(hour)).abs() < 0.02, "{hour}: {}", p(&model, 0, hour));
        }
    }

    #[test]
    fn a_few_dials_move_it_a_little() {
        let prior = prior(&["a"], "18:00-20:00");
        let mut tally = Tally::default();
        tally.add(100, Place::fresh(0, slot(18)), 10, 10);
        let model = learn(&prior, &tally, 200);
        let (before, after) = (p(&prior, 0, 18), p(&model, 0, 18));
        assert!(after > before && after < 0.6, "ten answers of ten: {before} -> {after}");
    }

    #[test]
    fn an_hour_that_nobody_dialled_follows_the_campaign_and_keeps_its_seed() {
        let prior = prior(&["a"], "18:00-20:00");
        let tally = dialled(&mut Rng::seeded(2), 0, 1_000, |_| 0.05);
        let model = learn(&prior, &tally, 200);
        let (golden, other) = (
            model.p_answer(0, Slot::new(6, 1_100), Past::default()),
            model.p_answer(0, Slot::new(6, 480), Past::default()),
        );
        assert!(other < 0.09 && golden > other && golden < 0.15, "{golden} {other}");
    }

    #[test]
    fn what_one_segment_shows_tells_the_others_something() {
        let prior = prior(&["a", "b"], "18:00-20:00");
        let model =
            learn(&prior, &dialled(&mut Rng::seeded(3), 0, 1_000, |hour| if hour == 10 { 0.4 } else { 0.15 }), 200);
        assert!(p(&model, 1, 10) > p(&model, 1, 11) + 0.02, "{} {}", p(&model, 1, 10), p(&model, 1, 11));
        assert!(p(&model, 0, 10) > p(&model, 1, 10) + 0.05, "but its own more");
    }

    #[test]
    fn noise_is_not_learned() {
        let prior = prior(&["a"], "00:00-00:30");
        for seed in 0..20 {
            let model = learn(&prior, &dialled(&mut Rng::seeded(seed), 0, 60, |_| 0.2), 200);
            let hours = (9..20).map(|hour| p(&model, 0, hour));
            let (low, high) = hours.fold((1.0_f32, 0.0_f32), |(low, high), p| (low.min(p), high.max(p)));
            assert!(high - low < 0.05, "seed {seed}: from {low} to {high} where there is nothing");
        }
    }

    #[test]
    fn what_attempts_and_same_hours_cost_is_learned_too() {
        let prior = prior(&["a"], "18:00-20:00");
        let mut tally = Tally::default();
        let mut rng = Rng::seeded(5);
        for (attempts, fails, rate) in [(0, 0, 0.30), (1, 0, 0.10), (1, 1, 0.10)] {
            for hour in 9..18 {
                let answered = (0..4_000).filter(|_| rng.chance(rate)).count() as u32;
                tally.add(100, Place::stored(0, slot(hour), attempts, fails, 0), 4_000, answered);
            }
        }
        let model = learn(&prior, &tally, 200);
        let at = |attempts, same_hour_fails| {
            model.p_answer(0, slot(12), Past { attempts, same_hour_fails, ..Past::default() })
        };
        assert!((at(0, 0) - 0.30).abs() < 0.02 && (at(1, 0) - 0.10).abs() < 0.02, "{} {}", at(0, 0), at(1, 0));
        assert!((at(1, 1) - 0.10).abs() < 0.02, "here an hour again costs nothing more: {}", at(1, 1));
    }
}
