//! How good scores are on data with labels, and whether one model's are better than another's.

use super::trial::Interval;

/// 95 %.
const Z: f64 = 1.959_964;
const BINS: usize = 10;
const TOP: f64 = 0.2;

/// A row with its label, what a model says of it, and how many it stands for: above 0, 1 where nobody was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub label: bool,
    pub score: f64,
    pub weight: f64,
}

/// Every figure counts a row by its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    pub rows: usize,
    pub positives: usize,
    /// Of the rarer label, how many rows without weights would tell as much (L. Kish 1965).
    pub rarer: f64,
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

/// `None` without positives or without negatives, and for a score or a weight that is none.
pub fn judge(rows: &[Row]) -> Option<Judged> {
    let placed = Placements::of(rows)?;
    let auc = placed.positives.mean();
    let half = Z * placed.variance().sqrt();
    let all = mass(rows);
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let bins = sorted.chunks(rows.len().div_ceil(BINS));
    let ece = bins.map(|bin| bin.iter().map(|row| row.weight * row.error()).sum::<f64>().abs() / all);
    Some(Judged {
        rows: rows.len(),
        positives: placed.positives.0.len(),
        rarer: placed.positives.effective().min(placed.negatives.effective()),
        auc,
        auc_low: auc - half,
        auc_high: auc + half,
        brier: rows.iter().map(|row| row.weight * row.error().powi(2)).sum::<f64>() / all,
        ece: ece.sum(),
        capture_20: captured(&sorted, TOP * all),
    })
}

/// AUC of `b` minus that of `a` on the same rows, with the variance of E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson
/// (Biometrics 44, 1988): both models see the same people, so most of their error is shared.
pub fn auc_difference(a: &[Row], b: &[Row]) -> Option<Interval> {
    let same = |(one, other): (&Row, &Row)| (one.label, one.weight.to_bits()) == (other.label, other.weight.to_bits());
    let same = a.len() == b.len() && a.iter().zip(b).all(same);
    let (a, b) = (Placements::of(a)?, Placements::of(b)?);
    if !same {
        return None;
    }
    let moved = Placements { positives: b.positives.minus(&a.positives), negatives: b.negatives.minus(&a.negatives) };
    let difference = moved.positives.mean();
    let half = Z * moved.variance().sqrt();
    Some(Interval { difference, low: difference - half, high: difference + half })
}

impl Row {
    fn error(&self) -> f64 {
        self.score - f64::from(u8::from(self.label))
    }

    fn is_sound(&self) -> bool {
        self.score.is_finite() && self.weight.is_finite() && self.weight > 0.0
    }
}

/// Of each positive the share of negatives below it, of each negative the share of positives above it; ties count half. In
/// the order of the rows.
struct Placements {
    positives: Weighed,
    negatives: Weighed,
}

/// Values, each with its weight.
struct Weighed(Vec<(f64, f64)>);

impl Placements {
    fn of(rows: &[Row]) -> Option<Self> {
        let [positives, negatives] = [true, false].map(|label| Ladder::of(rows, label));
        if positives.0.is_empty() || negatives.0.is_empty() || !rows.iter().all(Row::is_sound) {
            return None;
        }
        let placed = |label: bool, others: &Ladder| {
            let own = rows.iter().filter(|row| row.label == label);
            Weighed(own.map(|row| (others.below(row.score), row.weight)).collect())
        };
        let mut above = placed(false, &positives);
        above.0.iter_mut().for_each(|(below, _)| *below = 1.0 - *below);
        Some(Self { positives: placed(true, &negatives), negatives: above })
    }

    /// Of the mean.
    fn variance(&self) -> f64 {
        self.positives.variance_of_mean() + self.negatives.variance_of_mean()
    }
}

impl Weighed {
    fn mean(&self) -> f64 {
        self.0.iter().map(|(value, weight)| value * weight).sum::<f64>() / self.mass()
    }

    fn mass(&self) -> f64 {
        self.0.iter().map(|(_, weight)| weight).sum()
    }

    fn effective(&self) -> f64 {
        self.mass().powi(2) / self.0.iter().map(|(_, weight)| weight.powi(2)).sum::<f64>()
    }

    /// Of a ratio of sums (W. G. Cochran, Sampling Techniques, 1977, section 6.4); without weights the usual one.
    fn variance_of_mean(&self) -> f64 {
        let (middle, n) = (self.mean(), self.0.len() as f64);
        let moved: f64 = self.0.iter().map(|(value, weight)| (weight * (value - middle)).powi(2)).sum();
        moved / self.mass().powi(2) * n / (n - 1.0).max(1.0)
    }

    fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|((value, weight), (from, _))| (value - from, *weight)).collect())
    }
}

/// Scores of one label in ascending order, each with the mass up to and with it.
struct Ladder(Vec<(f64, f64)>);

impl Ladder {
    fn of(rows: &[Row], label: bool) -> Self {
        let mut steps: Vec<(f64, f64)> =
            rows.iter().filter(|row| row.label == label).map(|row| (row.score, row.weight)).collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = 0.0;
        for (_, mass) in &mut steps {
            sum += *mass;
            *mass = sum;
        }
        Self(steps)
    }

    /// Which share of the mass lies below the score; what ties counts half.
    fn below(&self, score: f64) -> f64 {
        let up_to = |count: usize| count.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0.0, |step| step.1);
        let less = up_to(self.0.partition_point(|step| step.0 < score));
        let not_more = up_to(self.0.partition_point(|step| step.0 <= score));
        f64::midpoint(less, not_more) / up_to(self.0.len())
    }
}

fn mass(rows: &[Row]) -> f64 {
    rows.iter().map(|row| row.weight).sum()
}

/// Which share of the positives lies in the highest `top` of the mass. Of rows that tie at its edge as many count as fall into
/// it on average.
fn captured(sorted: &[Row], top: f64) -> f64 {
    let wins = |rows: &[Row]| rows.iter().filter(|row| row.label).map(|row| row.weight).sum::<f64>();
    let (mut room, mut taken) = (top, 0.0);
    for tied in sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        let size = mass(tied);
        taken += wins(tied) * (room / size).min(1.0);
        room -= size;
        if room <= 0.0 {
            break;
        }
    }
    taken / wins(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn row(label: bool, score: f64) -> Row {
        Row { label, score, weight: 1.0 }
    }

    /// Labels drawn by a true chance, and what two models make of it: the chance itself with noise on its logit.
    fn world(rng: &mut Rng, rows: usize, noise_a: f64, noise_b: f64) -> [Vec<Row>; 2] {
        let squash = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let draw = |rng: &mut Rng| {
            let logit = -2.0 + rng.normal();
            let label = rng.chance(squash(logit));
            (row(label, squash(logit + noise_a * rng.normal())), row(label, squash(logit + noise_b * rng.normal())))
        };
        let (a, b) = (0..rows).map(|_| draw(rng)).unzip();
        [a, b]
    }

    #[test]
    fn figures_of_a_small_table_are_those_counted_by_hand() {
        let rows = [(true, 0.9), (false, 0.8), (true, 0.8), (false, 0.1), (false, 0.2)];
        let rows = rows.map(|(label, score)| row(label, score));
        let judged = judge(&rows).unwrap();
        // Pairs: 3 + 2.5 of 6.
        assert!((judged.auc - 5.5 / 6.0).abs() < 1e-12);
        assert!((judged.brier - (0.01 + 0.64 + 0.04 + 0.01 + 0.04) / 5.0).abs() < 1e-12);
        // One row each: the sum of the errors.
        assert!((judged.ece - (0.1 + 0.8 + 0.2 + 0.1 + 0.2) / 5.0).abs() < 1e-12);
        assert!((judged.capture_20 - 0.5).abs() < 1e-12);
        let tied = judge(&[row(true, 0.5), row(false, 0.5)]).unwrap();
        assert!((tied.capture_20 - 0.2).abs() < 1e-12, "of a tie the fifth holds a fifth");
    }

    #[test]
    fn without_both_kinds_or_with_a_score_that_is_none_nothing_is_judged() {
        assert_eq!(judge(&[row(true, 0.5)]), None);
        assert_eq!(judge(&[row(true, f64::NAN), row(false, 0.1)]), None);
        let weightless = Row { weight: 0.0, ..row(true, 0.5) };
        assert_eq!(judge(&[weightless, row(true, 0.5), row(false, 0.1)]), None);
        let ours = [row(true, 0.5), row(false, 0.1)];
        assert_eq!(auc_difference(&ours, &[row(false, 0.5), row(true, 0.1)]), None, "other labels");
        assert_eq!(auc_difference(&ours, &[Row { weight: 2.0, ..ours[0] }, ours[1]]), None, "other weights");
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

    #[test]
    fn a_row_that_stands_for_three_counts_as_three_rows() {
        let [rows, _] = world(&mut Rng::seeded(43), 500, 0.5, 0.5);
        let weighed: Vec<Row> =
            rows.iter().zip(0..).map(|(row, nth)| Row { weight: f64::from(1 + nth % 3), ..*row }).collect();
        let repeated: Vec<Row> = weighed
            .iter()
            .flat_map(|row| std::iter::repeat_n(Row { weight: 1.0, ..*row }, row.weight as usize))
            .collect();
        let (one, many) = (judge(&weighed).unwrap(), judge(&repeated).unwrap());
        for (one, many) in [(one.auc, many.auc), (one.brier, many.brier), (one.capture_20, many.capture_20)] {
            assert!((one - many).abs() < 1e-9, "{one} {many}");
        }
        assert!((one.ece - many.ece).abs() < 0.03, "groups of other rows: {one:?} {many:?}");
        assert!(one.auc_high - one.auc_low > many.auc_high - many.auc_low, "a row said three times tells no more");
        let equal: Vec<Row> = rows.iter().map(|row| Row { weight: 7.0, ..*row }).collect();
        let (equal, plain) = (judge(&equal).unwrap(), judge(&rows).unwrap());
        assert!((equal.auc_high - plain.auc_high).abs() < 1e-9 && (equal.rarer - plain.rarer).abs() < 1e-6);
        assert!(one.rarer < plain.rarer);
    }

    /// Who looks good to `a` is called; of the others one in ten is, and stands for ten. Both models are as good as each other.
    #[test]
    fn weights_take_out_what_choosing_by_one_model_does_to_it() {
        let mut rng = Rng::seeded(44);
        let [a, b] = world(&mut rng, 60_000, 0.7, 0.7);
        let weight =
            |row: &Row, rng: &mut Rng| if row.score > 0.2 { Some(1.0) } else { rng.chance(0.1).then_some(10.0) };
        let (chosen, others): (Vec<Row>, Vec<Row>) = a
            .iter()
            .zip(&b)
            .filter_map(|(a, b)| weight(a, &mut rng).map(|weight| (Row { weight, ..*a }, Row { weight, ..*b })))
            .unzip();
        let seen = auc_difference(&chosen, &others).unwrap();
        assert!(seen.low < 0.0 && seen.high > 0.0, "{seen:?}");
        let even = |rows: &[Row]| rows.iter().map(|row| Row { weight: 1.0, ..*row }).collect::<Vec<_>>();
        let fooled = auc_difference(&even(&chosen), &even(&others)).unwrap();
        assert!(fooled.low > 0.005, "the model that chose looks worse than it is: {fooled:?}");
    }
}
