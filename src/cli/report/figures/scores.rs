//! Does the score of the list say who converts? Deciles, calibration and gains over the customers that were reached.

use serde::Serialize;

use super::rate::Rate;

/// One customer whom the right party was reached for: the score at that dial, and whether they converted in the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    pub score: f32,
    pub converted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    pub customers: u64,
    pub converted: u64,
    /// Highest scores first. Equal scores stay together, so there may be fewer than ten.
    pub deciles: Vec<Decile>,
    /// Expected calibration error over these deciles: the mean distance of predicted from observed, weighted by customers
    /// (Naeini, Cooper and Hauskrecht 2015, AAAI). `None` of nobody.
    pub ece: Option<f64>,
    /// Ends of straight lines: the best so many, as a share of all, have this share of the conversions.
    pub gains: Vec<Gain>,
    pub capture: Vec<Capture>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "what it is called in the JSON")]
pub struct Decile {
    pub decile: u8,
    pub score_from: f32,
    pub score_to: f32,
    /// The mean score.
    pub predicted: f64,
    pub observed: Rate,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    pub customers: f64,
    pub conversions: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capture {
    pub best_percent: u8,
    /// `None` without a conversion.
    pub conversions: Option<f64>,
}

/// Customers of one score: their order among themselves says nothing.
#[derive(Clone, Copy, Debug)]
struct Tie {
    score: f32,
    before: u64,
    customers: u64,
    converted: u64,
}

impl Scores {
    pub fn of(mut all: Vec<Scored>) -> Self {
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        let ties = ties(&all);
        let (customers, converted) = (all.len() as u64, all.iter().filter(|one| one.converted).count() as u64);
        let deciles = deciles(&ties, customers);
        let far = |decile: &Decile| {
            decile.observed.of as f64 * (decile.predicted - decile.observed.rate.unwrap_or(0.0)).abs()
        };
        let ece = (customers > 0).then(|| deciles.iter().map(far).sum::<f64>() / customers as f64);
        let gains = gains(&ties, customers, converted);
        let capture = [10, 20, 50].map(|best_percent| Capture {
            best_percent,
            conversions: (converted > 0).then(|| captured(&gains, f64::from(best_percent) / 100.0)),
        });
        Self { customers, converted, deciles, ece, gains, capture: capture.to_vec() }
    }
}

fn ties(sorted: &[Scored]) -> Vec<Tie> {
    let mut before = 0;
    let groups = sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq());
    let tie = |group: &[Scored]| {
        let tie = Tie {
            score: group.first().map_or(0.0, |one| one.score),
            before,
            customers: group.len() as u64,
            converted: group.iter().filter(|one| one.converted).count() as u64,
        };
        before += tie.customers;
        tie
    };
    groups.map(tie).collect()
}

fn deciles(ties: &[Tie], customers: u64) -> Vec<Decile> {
    // By the middle of the tie: one that is most of the list lies in one decile, wherever it begins.
    let nth = |tie: &Tie| ((2 * tie.before + tie.customers) * 10 / (2 * customers).max(1)).min(9) as u8;
    let groups = ties.chunk_by(|a, b| nth(a) == nth(b));
    let decile = |group: &[Tie]| {
        let of: u64 = group.iter().map(|tie| tie.customers).sum();
        let sum: f64 = group.iter().map(|tie| f64::from(tie.score) * tie.customers as f64).sum();
        Decile {
            decile: group.first().map_or(0, nth) + 1,
            score_from: group.last().map_or(0.0, |tie| tie.score),
            score_to: group.first().map_or(0.0, |tie| tie.score),
            predicted: sum / of.max(1) as f64,
            observed: Rate::new(group.iter().map(|tie| tie.converted).sum(), of),
        }
    };
    groups.map(decile).collect()
}

fn gains(ties: &[Tie], customers: u64, converted: u64) -> Vec<Gain> {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let mut sum = 0;
    let after = ties.iter().map(|tie| {
        sum += tie.converted;
        Gain { customers: share(tie.before + tie.customers, customers), conversions: share(sum, converted) }
    });
    std::iter::once(Gain { customers: 0.0, conversions: 0.0 }).chain(after).collect()
}

/// Within equal scores as many as chance would give.
fn captured(gains: &[Gain], best: f64) -> f64 {
    for (from, to) in gains.iter().zip(gains.iter().skip(1)) {
        if to.customers >= best {
            let part = (best - from.customers) / (to.customers - from.customers);
            return from.conversions + part * (to.conversions - from.conversions);
        }
    }
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(all: impl IntoIterator<Item = (f32, bool)>) -> Scores {
        Scores::of(all.into_iter().map(|(score, converted)| Scored { score, converted }).collect())
    }

    #[test]
    fn a_perfect_order_has_all_conversions_at_the_top() {
        let all = scored((0..100_u8).map(|n| (f32::from(n) / 100.0, n >= 80)));
        assert_eq!((all.customers, all.converted, all.deciles.len()), (100, 20, 10));
        let shown: Vec<_> = all.capture.iter().map(|capture| capture.conversions.unwrap()).collect();
        assert!(shown.iter().zip([0.5, 1.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{shown:?}");
        assert_eq!((all.deciles[0].observed.hits, all.deciles[2].observed.hits), (10, 0));
        assert!(all.deciles.iter().all(|decile| decile.observed.of == 10));
    }

    #[test]
    fn equal_scores_stay_together_and_promise_no_order() {
        let all = scored((0..40).map(|n| (0.25, n < 10)));
        assert_eq!(all.deciles.len(), 1);
        assert!(all.ece.unwrap() < 1e-9);
        assert!((all.capture[1].conversions.unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(all.gains.len(), 2);
    }

    #[test]
    fn the_calibration_error_is_the_mean_distance_by_customers() {
        // Half of them are promised 0.8 and keep 0.5, half are promised 0.1 and keep it.
        let high = (0..50).map(|n| (0.8, n < 25));
        let low = (0..50).map(|n| (0.1, n < 5));
        let ece = scored(high.chain(low)).ece.unwrap();
        assert!((ece - 0.15).abs() < 1e-6, "{ece}");
    }

    #[test]
    fn of_nobody_nothing_is_said() {
        let none = scored([]);
        assert_eq!((none.ece, none.deciles.len(), none.capture[0].conversions), (None, 0, None));
    }

    #[test]
    fn a_tie_lies_in_the_decile_of_its_middle_and_weighs_as_many_as_it_has() {
        // 90 of one score are the middle of the list, though they begin in its first tenth.
        let best = (0..5).map(|_| (0.9, true));
        let tie = (0..90).map(|n| (0.5, n < 45));
        let rest = (0..5).map(|_| (0.1, true));
        let all = scored(best.chain(tie).chain(rest));
        let shown: Vec<_> = all.deciles.iter().map(|decile| (decile.decile, decile.observed.of)).collect();
        assert_eq!(shown, [(1, 5), (6, 90), (10, 5)]);
        // The 90 keep their word; five are off by 0.1 and five by 0.9.
        assert!((all.ece.unwrap() - 0.05).abs() < 1e-6, "{:?}", all.ece);
    }
}
