//! Chances and their log-odds.

/// Rates of 0 % and 100 % stay finite, so that later terms still order leads.
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

pub fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
