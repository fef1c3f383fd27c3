//! Do as many succeed as were predicted? The difference, with an interval.

/// Predictions and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Predicted {
    pub count: u64,
    pub sum: f64,
    pub observed: u64,
}

/// Observed minus predicted, in shares of all; positive where the model says too little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationGap {
    pub predicted: f64,
    pub observed: f64,
    pub gap: f64,
    pub low: f64,
    pub high: f64,
}

impl Predicted {
    pub fn note(&mut self, p: f64, happened: bool) {
        self.count += 1;
        self.sum += p;
        self.observed += u64::from(happened);
    }

    /// `z` is 1.96 for 95 %. The interval is Wilson's of the observed share (E. B. Wilson 1927), which holds where few
    /// succeed, less the predicted one. `None` without a prediction.
    pub fn gap(&self, z: f64) -> Option<CalibrationGap> {
        if self.count == 0 {
            return None;
        }
        let n = self.count as f64;
        let (predicted, observed) = (self.sum / n, self.observed as f64 / n);
        let (low, high) = wilson(observed, n, z);
        Some(CalibrationGap {
            predicted,
            observed,
            gap: observed - predicted,
            low: low - predicted,
            high: high - predicted,
        })
    }
}

impl CalibrationGap {
    /// Beyond chance, and beyond what is let pass.
    pub fn exceeds(&self, tolerated: f64) -> bool {
        self.low > tolerated || self.high < -tolerated
    }
}

/// The score interval of a share of `n` (Wilson 1927, J. Am. Stat. Assoc. 22:209).
pub fn wilson(share: f64, n: f64, z: f64) -> (f64, f64) {
    let z2 = z * z;
    let middle = share + z2 / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let all = 1.0 + z2 / n;
    ((middle - half) / all, (middle + half) / all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn world(rng: &mut Rng, count: u32, off: f64) -> Predicted {
        let mut predicted = Predicted::default();
        for _ in 0..count {
            let p = 0.02 + 0.1 * rng.f64();
            let happened = rng.chance(p * off);
            predicted.note(p, happened);
        }
        predicted
    }

    #[test]
    fn a_calibrated_model_is_inside_its_interval_nineteen_times_of_twenty() {
        let mut rng = Rng::seeded(1);
        let outside = (0..1_000).filter(|_| world(&mut rng, 800, 1.0).gap(1.96).unwrap().exceeds(0.0)).count();
        assert!((25..=75).contains(&outside), "{outside} of 1,000");
    }

    #[test]
    fn a_model_that_promises_double_is_found() {
        let gap = world(&mut Rng::seeded(2), 2_000, 0.5).gap(1.96).unwrap();
        assert!(gap.exceeds(0.01) && gap.gap < 0.0 && gap.low < gap.gap && gap.gap < gap.high, "{gap:?}");
    }

    #[test]
    fn what_is_tolerated_is_tolerated_on_both_sides() {
        let gap = |low: f64, high: f64| CalibrationGap { predicted: 0.5, observed: 0.5, gap: 0.0, low, high };
        for (low, high) in [(0.01, 0.03), (-0.03, -0.01)] {
            assert!(gap(low, high).exceeds(0.0) && !gap(low, high).exceeds(0.02), "{low} to {high}");
        }
    }

    #[test]
    fn without_a_prediction_there_is_no_gap() {
        assert_eq!(Predicted::default().gap(1.96), None);
    }
}
