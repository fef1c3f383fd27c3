//! From a logit to a probability that means what it says: by Platt's two parameters, or by the steps of an isotonic
//! regression.

use serde::Deserialize;

use super::refusal::Refusal;

const KNOTS_MAX: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    None,
    Platt {
        a: f64,
        b: f64,
    },
    /// Linear between the knots, level outside of them.
    Isotonic {
        z: Vec<f64>,
        p: Vec<f64>,
    },
}

impl Calibration {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let wrong = |what: &str| Err(Refusal::Manifest(format!("`calibration`: {what}")));
        match self {
            Self::None => Ok(()),
            // A falling curve would call the worst first.
            Self::Platt { a, b } if *a > 0.0 && a.is_finite() && b.is_finite() => Ok(()),
            Self::Platt { .. } => wrong("`a` must be above 0, and both must be finite"),
            Self::Isotonic { z, p } => {
                if z.is_empty() || z.len() != p.len() || z.len() > KNOTS_MAX {
                    return wrong("`z` and `p` must have the same length, from 1 to 100,000");
                }
                let is_number = z.iter().all(|z| z.is_finite()) && p.iter().all(|p| (0.0..=1.0).contains(p));
                if !is_number || !z.is_sorted_by(|a, b| a < b) || !p.is_sorted() {
                    return wrong("`z` must ascend, and `p` must lie in [0, 1] and never fall");
                }
                Ok(())
            }
        }
    }

    pub fn probability(&self, logit: f64) -> f64 {
        match self {
            Self::None => logistic(logit),
            Self::Platt { a, b } => logistic(a * logit + b),
            Self::Isotonic { z, p } => interpolate(z, p, logit),
        }
    }
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn interpolate(z: &[f64], p: &[f64], at: f64) -> f64 {
    let knot = |nth: usize| z.get(nth).copied().zip(p.get(nth).copied());
    let next = z.partition_point(|z| *z <= at);
    match (next.checked_sub(1).and_then(knot), knot(next)) {
        (Some((z0, p0)), Some((z1, p1))) => p0 + (p1 - p0) * (at - z0) / (z1 - z0),
        (Some((_, p)), None) | (None, Some((_, p))) => p,
        (None, None) => logistic(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Calibration {
        Calibration::Isotonic { z: vec![-2.0, 0.0, 1.0], p: vec![0.1, 0.1, 0.5] }
    }

    #[test]
    fn platt_is_a_line_before_the_logistic_function() {
        let platt = Calibration::Platt { a: 2.0, b: -1.0 };
        assert!((platt.probability(0.5) - 0.5).abs() < 1e-12);
        assert!((Calibration::None.probability(0.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn isotonic_is_linear_between_knots_and_level_outside() {
        for (z, p) in [(-9.0, 0.1), (-1.0, 0.1), (0.25, 0.2), (1.0, 0.5), (7.0, 0.5)] {
            assert!((steps().probability(z) - p).abs() < 1e-12, "{z}");
        }
    }

    #[test]
    fn curves_that_fall_or_leave_the_unit_interval_are_refused() {
        assert!(steps().check().is_ok());
        for wrong in [
            Calibration::Platt { a: -1.0, b: 0.0 },
            Calibration::Platt { a: f64::INFINITY, b: 0.0 },
            Calibration::Platt { a: 1.0, b: f64::NAN },
            Calibration::Isotonic { z: vec![], p: vec![] },
            Calibration::Isotonic { z: vec![0.0, 1.0], p: vec![0.5] },
            Calibration::Isotonic { z: vec![0.0, 1.0], p: vec![0.5, 0.4] },
            Calibration::Isotonic { z: vec![0.0, 0.0], p: vec![0.1, 0.4] },
            Calibration::Isotonic { z: vec![0.0, 1.0], p: vec![0.1, 1.4] },
            Calibration::Isotonic { z: vec![0.0, f64::INFINITY], p: vec![0.1, 0.4] },
            Calibration::Isotonic { z: (0..=100_000).map(f64::from).collect(), p: vec![0.5; 100_001] },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
