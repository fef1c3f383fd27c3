//! How far the scores of a list have moved from those of the list before: the population stability index.

const BINS: usize = Scores::BINS as usize;
/// The list before is cut into so many groups of about equal size.
const GROUPS: u64 = 10;
/// An empty group would make the index infinite.
const SMALLEST_SHARE: f64 = 1e-4;

/// Counts of scores by bin. Bounded, whatever the length of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scores(Vec<u64>);

impl Default for Scores {
    fn default() -> Self {
        Self(vec![0; BINS])
    }
}

impl Scores {
    /// Equal parts of `[0, 1]` that scores are counted in.
    pub const BINS: u32 = 1_000;

    /// `None` without a single score.
    pub fn of(mut bins: Vec<u64>) -> Option<Self> {
        bins.resize(BINS, 0);
        bins.iter().any(|count| *count > 0).then_some(Self(bins))
    }

    pub fn add(&mut self, score: f64) {
        let at = ((score * BINS as f64) as usize).min(BINS - 1);
        if let Some(count) = self.0.get_mut(at) {
            *count += 1;
        }
    }

    /// The scores below which a tenth, two tenths, … of the list lie: for people, and for comparing lists later.
    pub fn deciles(&self) -> Vec<f64> {
        let total = self.total();
        if total == 0 {
            return Vec::new();
        }
        let mut out = Vec::with_capacity(GROUPS as usize - 1);
        let mut below = 0;
        for (at, count) in self.0.iter().enumerate() {
            below += count;
            while out.len() + 1 < GROUPS as usize && below * GROUPS >= total * (out.len() as u64 + 1) {
                out.push((at + 1) as f64 / BINS as f64);
            }
        }
        out
    }

    /// Σ (now − before) · ln(now / before) over the groups of the list before. Below 0.1 little has changed, above 0.25
    /// much has (N. Siddiqi, Credit Risk Scorecards, ch. 8).
    pub fn psi(&self, before: &Self) -> f64 {
        let (all, all_before) = (self.total(), before.total());
        if all == 0 || all_before == 0 {
            return 0.0;
        }
        let share = |count: u64, all: u64| (count as f64 / all as f64).max(SMALLEST_SHARE);
        let mut sum = 0.0;
        let (mut group, mut group_before, mut passed) = (0, 0, 0);
        let mut cut = 1;
        for (now, then) in self.0.iter().zip(&before.0) {
            group += now;
            group_before += then;
            passed += then;
            if passed * GROUPS >= all_before * cut && cut < GROUPS {
                let (a, e) = (share(group, all), share(group_before, all_before));
                sum += (a - e) * (a / e).ln();
                (group, group_before) = (0, 0);
                cut = passed * GROUPS / all_before + 1;
            }
        }
        let (a, e) = (share(group, all), share(group_before, all_before));
        if group + group_before > 0 { sum + (a - e) * (a / e).ln() } else { sum }
    }

    /// As in plain order: nothing can be told by them.
    pub fn is_level(&self) -> bool {
        self.0.iter().filter(|count| **count > 0).count() <= 1
    }

    fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn drawn(seed: u64, count: u32, shape: impl Fn(f64) -> f64) -> Scores {
        let mut rng = Rng::seeded(seed);
        let mut scores = Scores::default();
        (0..count).for_each(|_| scores.add(shape(rng.f64())));
        scores
    }

    #[test]
    fn the_same_scores_have_not_moved_and_others_of_one_kind_hardly() {
        let a = drawn(1, 20_000, |x| x);
        assert!(a.psi(&a).abs() < 1e-12);
        assert!(drawn(2, 20_000, |x| x).psi(&a) < 0.01);
    }

    #[test]
    fn scores_of_another_model_have_moved_much() {
        let a = drawn(1, 20_000, |x| x);
        assert!(drawn(2, 20_000, |x| x * x).psi(&a) > 0.25);
        assert!(drawn(2, 20_000, |x| x / 10.0).psi(&a) > 1.0);
    }

    /// Two groups: half and half before, three quarters and one quarter now.
    #[test]
    fn the_index_is_the_sum_of_the_textbook() {
        let put = |low: u64, high: u64| {
            let mut bins = vec![0; BINS];
            (bins[0], bins[BINS - 1]) = (low, high);
            Scores::of(bins).unwrap()
        };
        let expected = 0.25 * (0.75_f64 / 0.5).ln() - 0.25 * (0.25_f64 / 0.5).ln();
        assert!((put(75, 25).psi(&put(50, 50)) - expected).abs() < 1e-9);
    }

    #[test]
    fn a_group_that_is_empty_now_has_a_share_all_the_same_and_nothing_has_not_moved() {
        let of = |counts: &[(usize, u64)]| {
            let mut bins = vec![0; BINS];
            for (at, count) in counts {
                bins[*at] = *count;
            }
            Scores(bins)
        };
        let (halves, low) = (of(&[(0, 50), (999, 50)]), of(&[(0, 100)]));
        let expected = 0.5 * 2.0_f64.ln() + (1e-4 - 0.5) * (1e-4_f64 / 0.5).ln();
        assert!((low.psi(&halves) - expected).abs() < 1e-9);
        assert_eq!((Scores::default().psi(&low), low.psi(&Scores::default())), (0.0, 0.0));
        // What lies above all that was before is in its last group.
        let ten = |last: usize| of(&(0..9).chain([last]).map(|at| (at, 10)).collect::<Vec<_>>());
        assert!(ten(500).psi(&ten(9)).abs() < 1e-12);
    }

    #[test]
    fn deciles_rise_and_an_empty_list_has_none() {
        let deciles = drawn(3, 50_000, |x| x).deciles();
        assert_eq!(deciles.len(), 9);
        for (at, decile) in deciles.iter().enumerate() {
            assert!((decile - (at + 1) as f64 / 10.0).abs() < 0.02, "{deciles:?}");
        }
        assert!(Scores::default().deciles().is_empty() && Scores::of(vec![0; 3]).is_none());
    }
}
