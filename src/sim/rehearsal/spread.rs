//! A figure over several runs: low, middle and high.

/// Nearest-rank quantiles: each is a value that a run had.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    pub p05: f64,
    pub p50: f64,
    pub p95: f64,
}

impl Spread {
    /// All zero where there was no run.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let sorted = sorted(values);
        let at = |percent| quantile(&sorted, percent);
        Self { p05: at(5), p50: at(50), p95: at(95) }
    }
}

/// In ascending order.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The smallest value that at least `percent` of all do not exceed.
pub fn quantile(sorted: &[f64], percent: u8) -> f64 {
    let rank = (sorted.len() * usize::from(percent)).div_ceil(100).max(1);
    sorted.get(rank - 1).or(sorted.last()).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_there() {
        let spread = Spread::of((1..=20).rev().map(f64::from));
        assert_eq!(spread, Spread { p05: 1.0, p50: 10.0, p95: 19.0 });
        assert_eq!(Spread::of([7.0]), Spread { p05: 7.0, p50: 7.0, p95: 7.0 });
        assert_eq!(Spread::of([]), Spread::default());
    }
}
