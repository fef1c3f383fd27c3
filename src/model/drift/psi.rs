//! Population stability index with an alarm that knows how many scores there are.
//!
//! The usual limits, 0.10 and 0.25, are convention: without any change the index of `n` scores against `m` is about
//! (1/n + 1/m)·χ² with one degree of freedom fewer than there are groups (B. Yurdakul and J. Naranjo, Statistical
//! properties of the population stability index, Journal of Risk Model Validation 14(4), 2020). So a short list moves by
//! chance alone, and is given the room for it.

/// Added to every group, so that an empty one has a logarithm.
const SMOOTHING: f64 = 0.5;
/// Below it nobody would act, however many scores there are.
const LEAST_ALARM: f64 = 0.1;
/// 99.9 % points of χ² by degrees of freedom, from 1: two more than ten groups need.
const CHI2_999: [f64; 11] = [10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877, 29.588, 31.264];

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Psi {
    pub index: f64,
    /// Above it the scores have moved: by more than chance, and by enough to matter.
    pub alarm_at: f64,
}

impl Psi {
    pub fn alarms(&self) -> bool {
        self.index > self.alarm_at
    }
}

/// Σ (now − before)·ln(now / before) over groups, at most twelve of them. `None` where one side has no score, or the two
/// are not cut alike.
pub fn psi(before: &[u64], now: &[u64]) -> Option<Psi> {
    let (m, n): (u64, u64) = (before.iter().sum(), now.iter().sum());
    let quantile = CHI2_999.get(before.len().checked_sub(2)?)?;
    if before.len() != now.len() || m == 0 || n == 0 {
        return None;
    }
    let room = SMOOTHING * before.len() as f64;
    let share = |count: u64, all: u64| (count as f64 + SMOOTHING) / (all as f64 + room);
    let index = before.iter().zip(now).map(|(then, now)| {
        let (e, a) = (share(*then, m), share(*now, n));
        (a - e) * (a / e).ln()
    });
    let alarm_at = LEAST_ALARM.max(quantile * (1.0 / n as f64 + 1.0 / m as f64));
    Some(Psi { index: index.sum(), alarm_at })
}

/// Groups that scores are compared in.
pub const GROUPS: usize = 10;

/// Upper ends of the bins at which a tenth, two tenths, … of the scores are reached; fewer where many scores are equal.
pub fn deciles(bins: &[u64]) -> Vec<f64> {
    let all: u64 = bins.iter().sum();
    let mut edges = Vec::new();
    let (mut below, mut next) = (0, 1);
    for (at, count) in bins.iter().enumerate() {
        below += count;
        if below * GROUPS as u64 >= all * next && below < all {
            edges.push((at + 1) as f64 / bins.len() as f64);
            next = below * GROUPS as u64 / all + 1;
        }
    }
    edges
}

/// A bin lies where its middle does.
pub fn grouped(edges: &[f64], bins: &[u64]) -> Vec<u64> {
    let mut groups = vec![0; edges.len() + 1];
    for (at, count) in bins.iter().enumerate() {
        let middle = (at as f64 + 0.5) / bins.len() as f64;
        if let Some(group) = groups.get_mut(edges.partition_point(|edge| *edge < middle)) {
            *group += count;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    const EDGES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    fn drawn(rng: &mut Rng, count: usize, shape: fn(f64) -> f64) -> Vec<u64> {
        let mut bins = vec![0; 1_000];
        for _ in 0..count {
            bins[(shape(rng.f64()) * 1_000.0) as usize] += 1;
        }
        grouped(&EDGES, &bins)
    }

    #[test]
    fn scores_that_only_chance_moves_hardly_ever_alarm_however_few_they_are() {
        let mut rng = Rng::seeded(5);
        for (m, n) in [(100, 60), (2_000, 150), (5_000, 5_000)] {
            let alarms = (0..2_000).filter(|_| {
                let (before, now) = (drawn(&mut rng, m, |x| x), drawn(&mut rng, n, |x| x));
                psi(&before, &now).unwrap().alarms()
            });
            let alarms = alarms.count();
            // Each is a test at one in a thousand, and the asymptotic law is not exact in small lists.
            assert!(alarms <= 8, "{alarms} of 2,000 at {m} against {n}");
        }
    }

    #[test]
    fn a_fixed_limit_would_have_cried_wolf_on_a_short_list() {
        let mut rng = Rng::seeded(6);
        let above = (0..500).filter(|_| {
            let (before, now) = (drawn(&mut rng, 2_000, |x| x), drawn(&mut rng, 60, |x| x));
            psi(&before, &now).unwrap().index > 0.1
        });
        assert!(above.count() > 250);
    }

    #[test]
    fn scores_of_another_shape_alarm() {
        let mut rng = Rng::seeded(7);
        for n in [300, 3_000] {
            let (before, now) = (drawn(&mut rng, 5_000, |x| x), drawn(&mut rng, n, |x| x * x));
            let found = psi(&before, &now).unwrap();
            assert!(found.alarms() && found.index > 0.25, "{found:?}");
        }
    }

    #[test]
    fn what_nobody_would_act_on_is_no_alarm_however_many_scores_there_are() {
        let (before, now) = ([1_000_000; 10], [1_100_000, 900_000].repeat(5));
        let found = psi(&before, &now).unwrap();
        assert!(!found.alarms() && found.index > 0.01, "{found:?}");
    }

    #[test]
    fn the_index_is_the_sum_of_the_textbook_smoothed() {
        let (e, a) = ((50.5 / 101.0_f64, 50.5 / 101.0_f64), (75.5 / 101.0_f64, 25.5 / 101.0_f64));
        let expected = (a.0 - e.0) * (a.0 / e.0).ln() + (a.1 - e.1) * (a.1 / e.1).ln();
        assert!((psi(&[50, 50], &[75, 25]).unwrap().index - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_against_something_and_other_cuts_are_no_comparison() {
        assert_eq!(psi(&[0, 0], &[1, 1]), None);
        assert_eq!(psi(&[1, 1], &[0, 0]), None);
        assert_eq!(psi(&[1, 1], &[1, 1, 1]), None);
        assert_eq!(psi(&[1], &[1]), None);
        assert_eq!(psi(&[1; 13], &[1; 13]), None);
    }

    #[test]
    fn tenths_are_cut_where_a_tenth_of_the_scores_lies_below_and_ties_make_fewer() {
        assert_eq!(deciles(&[100; 1_000]), EDGES);
        assert_eq!(deciles(&[0, 0, 7, 0]), [0.0; 0]);
        assert_eq!((deciles(&[5, 0, 0, 5]), deciles(&[0; 4])), (vec![0.25], vec![]));
        assert_eq!(grouped(&[0.25], &[5, 1, 0, 4]), [5, 5]);
    }
}
