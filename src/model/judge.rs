//! How good scores are on data with labels, and whether one model's are better than another's.

use super::trial::Interval;

/// 95 %.
const Z: f64 = 1.959_964;
const BINS: usize = 10;
const TOP: f64 = 0.2;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    pub rows: usize,
    pub positives: usize,
    /// Chance that a positive is scored above a negative.
    pub auc: f64,
    pub auc_low: f64,
    pub auc_high: f64,
    /// Mean squared error of the probabilities (G. W. Brier 1950).
    pub brier: f64,
    /// Expected calibration error over ten groups of equal size.
    pub ece: f64,
    /// Share of all positives in the fifth that is scored highest.
    pub capture_20: f64,
}

/// Label and score of each row. `None` without positives or without negatives, and for a score that is none.
pub fn judge(rows: &[(bool, f64)]) -> Option<Judged> {
    let placed = Placements::of(rows)?;
    let auc = mean(&placed.positives);
    let half = Z * placed.variance().sqrt();
    let n = rows.len() as f64;
    let truth = |label: bool| f64::from(u8::from(label));
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let size = rows.len().div_ceil(BINS);
    let ece =
        sorted.chunks(size).map(|bin| bin.iter().map(|(label, score)| score - truth(*label)).sum::<f64>().abs() / n);
    Some(Judged {
        rows: rows.len(),
        positives: placed.positives.len(),
        auc,
        auc_low: auc - half,
        auc_high: auc + half,
        brier: rows.iter().map(|(label, score)| (score - truth(*label)).powi(2)).sum::<f64>() / n,
        ece: ece.sum(),
        capture_20: captured(&sorted) / placed.positives.len() as f64,
    })
}

/// AUC of `b` minus that of `a` on the same rows, with the variance of E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson
/// (Biometrics 44, 1988): both models see the same people, so most of their error is shared.
pub fn auc_difference(a: &[(bool, f64)], b: &[(bool, f64)]) -> Option<Interval> {
    let same = a.len() == b.len() && a.iter().zip(b).all(|((one, _), (other, _))| one == other);
    let (a, b) = (Placements::of(a)?, Placements::of(b)?);
    if !same {
        return None;
    }
    let minus = |of: &[f64], from: &[f64]| of.iter().zip(from).map(|(of, from)| of - from).collect::<Vec<_>>();
    let moved =
        Placements { positives: minus(&b.positives, &a.positives), negatives: minus(&b.negatives, &a.negatives) };
    let difference = mean(&moved.positives);
    let half = Z * moved.variance().sqrt();
    Some(Interval { difference, low: difference - half, high: difference + half })
}

/// Of each positive the share of negatives below it, of each negative the share of positives above it; ties count half. In
/// the order of the rows.
struct Placements {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Placements {
    fn of(rows: &[(bool, f64)]) -> Option<Self> {
        let with = |label: bool| {
            let mut scores: Vec<f64> = rows.iter().filter(|row| row.0 == label).map(|row| row.1).collect();
            scores.sort_by(f64::total_cmp);
            scores
        };
        let (positives, negatives) = (with(true), with(false));
        if positives.is_empty() || negatives.is_empty() || rows.iter().any(|(_, score)| !score.is_finite()) {
            return None;
        }
        let below = |sorted: &[f64], score: f64| {
            let (less, not_more) =
                (sorted.partition_point(|other| *other < score), sorted.partition_point(|other| *other <= score));
            (less + not_more) as f64 / 2.0 / sorted.len() as f64
        };
        let placed = |label: bool, others: &[f64]| {
            rows.iter().filter(move |row| row.0 == label).map(|row| below(others, row.1)).collect::<Vec<_>>()
        };
        let above = placed(false, &positives).into_iter().map(|below| 1.0 - below).collect();
        Some(Self { positives: placed(true, &negatives), negatives: above })
    }

    /// Of the mean.
    fn variance(&self) -> f64 {
        spread(&self.positives) / self.positives.len() as f64 + spread(&self.negatives) / self.negatives.len() as f64
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn spread(values: &[f64]) -> f64 {
    let middle = mean(values);
    values.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0).max(1.0)
}

/// Positives among the highest fifth. Of rows that tie at its edge as many count as fall into it on average.
fn captured(sorted: &[(bool, f64)]) -> f64 {
    let top = (sorted.len() as f64 * TOP).ceil() as usize;
    let Some(edge) = sorted.get(top.saturating_sub(1)).map(|row| row.1) else { return 0.0 };
    let first = sorted.partition_point(|row| row.1 > edge);
    let behind = sorted.partition_point(|row| row.1 >= edge);
    let count = |rows: &[(bool, f64)]| rows.iter().filter(|row| row.0).count() as f64;
    let (above, tied) = (sorted.get(..first).unwrap_or_default(), sorted.get(first..behind).unwrap_or_default());
    count(above) + count(tied) * (top - first) as f64 / (behind - first).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// Labels drawn by a true chance, and what two models make of it: the chance itself with noise on its logit.
    fn world(rng: &mut Rng, rows: usize, noise_a: f64, noise_b: f64) -> [Vec<(bool, f64)>; 2] {
        let squash = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let draw = |rng: &mut Rng| {
            let logit = -2.0 + rng.normal();
            let label = rng.chance(squash(logit));
            ((label, squash(logit + noise_a * rng.normal())), (label, squash(logit + noise_b * rng.normal())))
        };
        let (a, b) = (0..rows).map(|_| draw(rng)).unzip();
        [a, b]
    }

    #[test]
    fn figures_of_a_small_table_are_those_counted_by_hand() {
        let rows = [(true, 0.9), (false, 0.8), (true, 0.8), (false, 0.1), (false, 0.2)];
        let judged = judge(&rows).unwrap();
        // Pairs: 3 + 2.5 of 6.
        assert!((judged.auc - 5.5 / 6.0).abs() < 1e-12);
        assert!((judged.brier - (0.01 + 0.64 + 0.04 + 0.01 + 0.04) / 5.0).abs() < 1e-12);
        // One row each: the sum of the errors.
        assert!((judged.ece - (0.1 + 0.8 + 0.2 + 0.1 + 0.2) / 5.0).abs() < 1e-12);
        assert!((judged.capture_20 - 0.5).abs() < 1e-12);
        assert!((judge(&[(true, 0.5), (false, 0.5)]).unwrap().capture_20 - 0.5).abs() < 1e-12, "a tie counts half");
    }

    #[test]
    fn without_both_kinds_or_with_a_score_that_is_none_nothing_is_judged() {
        assert_eq!(judge(&[(true, 0.5)]), None);
        assert_eq!(judge(&[(true, f64::NAN), (false, 0.1)]), None);
        assert_eq!(auc_difference(&[(true, 0.5), (false, 0.1)], &[(false, 0.5), (true, 0.1)]), None);
    }

    #[test]
    fn the_interval_of_the_difference_holds_the_truth_nineteen_times_of_twenty() {
        let mut rng = Rng::seeded(41);
        let outside = (0..400).filter(|_| {
            let [a, b] = world(&mut rng, 800, 0.5, 0.5);
            let seen = auc_difference(&a, &b).unwrap();
            seen.low > 0.0 || seen.high < 0.0
        });
        let outside = outside.count();
        assert!((8..=34).contains(&outside), "{outside} of 400");
    }

    #[test]
    fn a_better_model_is_seen_and_a_calibrated_one_is_calibrated() {
        let [worse, better] = world(&mut Rng::seeded(42), 20_000, 1.5, 0.0);
        let seen = auc_difference(&worse, &better).unwrap();
        assert!(seen.low > 0.05, "{seen:?}");
        let (a, b) = (judge(&worse).unwrap(), judge(&better).unwrap());
        assert!(b.ece < 0.02 && a.ece > 0.05 && b.brier < a.brier && b.capture_20 > a.capture_20, "{a:?} {b:?}");
        assert!((b.auc - a.auc - seen.difference).abs() < 1e-9);
    }
}
