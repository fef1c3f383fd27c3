//! How likely a lead that the order would not reach is drawn in this slot, so that models go on learning about such leads.

/// The chance for each of `rest` leads, so that a share of `dials` are drawn on the average. 0 where nothing is drawn.
///
/// Whatever learns from the calls weighs a drawn one by the inverse of this (Horvitz and Thompson 1952).
pub fn chance_of_draw(share: f64, dials: f64, rest: usize) -> f64 {
    if rest == 0 || !(share > 0.0 && dials > 0.0) {
        return 0.0;
    }
    (share * dials / rest as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn a_share_of_the_dials_falls_on_the_rest_evenly() {
        assert!(near(chance_of_draw(0.05, 200.0, 1_000), 0.01));
        assert!(near(chance_of_draw(0.05, 200.0, 4), 1.0), "never more than certain");
    }

    #[test]
    fn nobody_is_drawn_from_nobody_and_without_a_share() {
        for (share, dials, rest) in [(0.05, 200.0, 0), (0.0, 200.0, 9), (0.05, 0.0, 9), (f64::NAN, 200.0, 9)] {
            assert!(near(chance_of_draw(share, dials, rest), 0.0));
        }
    }
}
