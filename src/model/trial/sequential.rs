//! The difference of two shares with an interval that holds at every moment at once, so that looking every morning, and
//! stopping when it is decided, costs nothing.
//!
//! The mixture sequential probability ratio test of two streams (R. Johari, P. Koomen, L. Pekelis, D. Walsh, Always Valid
//! Inference, Operations Research 70(3), 2022; first as arXiv:1512.04922, 2015), which is H. Robbins' normal mixture
//! (1970) with the variance as estimated so far. It holds asymptotically (S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon,
//! Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of Statistics 49(2), 2021; I. Waudby-Smith
//! et al., Time-uniform central limit theory, arXiv:2103.06476): nothing is said before each arm has its least number of
//! contacts and, at the rate of both together, [`LEAST_EXPECTED`] successes and as many failures.

/// With fewer in the smaller arm the normal law does not hold; found by simulation in the tests below.
const LEAST_EXPECTED: f64 = 10.0;

/// Contacts of an arm and those of them that succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub contacts: u64,
    pub successes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Challenger minus champion.
    pub difference: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Zero is outside: the arms differ.
    pub fn decides(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Of `b` against `a`, with error `alpha` over all moments together. `least` contacts an arm; the mixture is tuned to ten
/// times as many. `None` where it is too early.
pub fn difference(a: Counts, b: Counts, alpha: f64, least: u64) -> Option<Interval> {
    let fewest = a.contacts.min(b.contacts);
    let counted = a.successes <= a.contacts && b.successes <= b.contacts;
    if fewest < least.max(1) || !counted || !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let together = (a.successes + b.successes) as f64 / (a.contacts + b.contacts) as f64;
    if together.min(1.0 - together) * (fewest as f64) < LEAST_EXPECTED {
        return None;
    }
    let share = |of: Counts| of.successes as f64 / of.contacts as f64;
    // An arm with few successes by chance would look more certain than it is, so of its own rate and of that of both
    // together the one counts that varies more.
    let vary = |p: f64| p * (1.0 - p);
    let spread = |of: Counts| vary(share(of)).max(vary(together)) / of.contacts as f64;
    let difference = share(b) - share(a);
    let variance = spread(a) + spread(b);
    let evenly = a.contacts as f64 * b.contacts as f64 / (a.contacts + b.contacts) as f64;
    let mixing = evenly / (TUNED_TO * least.max(1) as f64 / 2.0) * tuning(alpha);
    let half = (variance * (1.0 + 1.0 / mixing) * ((1.0 + mixing).ln() + 2.0 * (1.0 / alpha).ln())).sqrt();
    Some(Interval { difference, low: difference - half, high: difference + half })
}

const TUNED_TO: f64 = 10.0;

/// The ratio of mixing to sampling variance that makes the interval narrowest where it is tuned to (Howard et al. 2021,
/// proposition 3, by its usual approximation).
fn tuning(alpha: f64) -> f64 {
    let twice = 2.0 * (1.0 / alpha).ln();
    twice + (1.0 + twice).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// Did anybody who looked after every contact ever see a decision? Shares of the two arms, and of all contacts in `b`.
    fn ever_decides(rng: &mut Rng, (p_a, p_b): (f64, f64), share_b: f64, contacts: u64, least: u64) -> Option<u64> {
        let (mut a, mut b) = (Counts::default(), Counts::default());
        for n in 1..=contacts {
            let (arm, p) = if rng.chance(share_b) { (&mut b, p_b) } else { (&mut a, p_a) };
            arm.contacts += 1;
            arm.successes += u64::from(rng.chance(p));
            if difference(a, b, 0.05, least).is_some_and(|seen| seen.decides()) {
                return Some(n);
            }
        }
        None
    }

    #[test]
    fn a_against_a_is_decided_no_more_often_than_alpha_though_looked_at_after_every_contact() {
        let mut rng = Rng::seeded(11);
        for (p, share, least) in
            [(0.005, 0.5, 400), (0.02, 0.5, 400), (0.02, 0.2, 400), (0.3, 0.5, 100), (0.05, 0.1, 50)]
        {
            let runs = 600;
            let decided = (0..runs).filter(|_| ever_decides(&mut rng, (p, p), share, 8_000, least).is_some()).count();
            // Two standard errors of 5 % in 600 runs are 1.8 points.
            assert!(decided * 100 <= runs * 5, "{decided} of {runs} at p = {p}, share {share}");
        }
    }

    #[test]
    fn a_test_of_fixed_length_that_is_looked_at_every_day_would_be_wrong_far_more_often() {
        let mut rng = Rng::seeded(12);
        let mut wrong = 0;
        for _ in 0..300 {
            let (mut a, mut b) = (Counts::default(), Counts::default());
            wrong += u32::from((0..8_000).any(|_| {
                let arm = if rng.chance(0.5) { &mut a } else { &mut b };
                arm.contacts += 1;
                arm.successes += u64::from(rng.chance(0.05));
                let p = (a.successes + b.successes) as f64 / (a.contacts + b.contacts) as f64;
                let variance = p * (1.0 - p) * (1.0 / a.contacts.max(1) as f64 + 1.0 / b.contacts.max(1) as f64);
                let z = (b.successes as f64 / b.contacts.max(1) as f64 - a.successes as f64 / a.contacts.max(1) as f64)
                    / variance.sqrt();
                a.contacts.min(b.contacts) >= 400 && z.abs() > 1.96
            }));
        }
        assert!(wrong > 45, "{wrong} of 300");
    }

    #[test]
    fn a_true_difference_is_found_and_the_interval_holds_it() {
        let mut rng = Rng::seeded(13);
        let mut found = 0;
        for _ in 0..100 {
            found += u32::from(ever_decides(&mut rng, (0.04, 0.08), 0.2, 12_000, 400).is_some());
        }
        assert!(found >= 95, "{found} of 100");
        let mut held = 0;
        for _ in 0..200 {
            let (mut a, mut b) = (Counts::default(), Counts::default());
            let mut holds = true;
            for _ in 0..6_000 {
                let (arm, p) = if rng.chance(0.5) { (&mut b, 0.06) } else { (&mut a, 0.04) };
                arm.contacts += 1;
                arm.successes += u64::from(rng.chance(p));
                holds &= difference(a, b, 0.05, 400).is_none_or(|seen| seen.low <= 0.02 && 0.02 <= seen.high);
            }
            held += u32::from(holds);
        }
        assert!(held >= 190, "{held} of 200");
    }

    #[test]
    fn nothing_is_said_too_early() {
        let of = |contacts, successes| Counts { contacts, successes };
        assert_eq!(difference(of(399, 100), of(5_000, 100), 0.05, 400), None);
        assert_eq!(difference(of(400, 10), of(400, 9), 0.05, 400), None, "nine and a half expected in each");
        assert!(difference(of(400, 10), of(400, 10), 0.05, 400).is_some());
        assert_eq!(difference(of(400, 500), of(400, 10), 0.05, 400), None);
        assert_eq!(difference(of(400, 10), of(400, 500), 0.05, 400), None);
        assert_eq!(difference(of(400, 396), of(400, 396), 0.05, 400), None, "four failures");
        assert_eq!(difference(of(0, 0), of(0, 0), 0.05, 0), None);
        for alpha in [0.0, 1.0, f64::NAN] {
            assert_eq!(difference(of(400, 100), of(400, 100), alpha, 400), None);
        }
    }

    #[test]
    fn an_arm_that_by_chance_has_no_success_is_not_taken_for_certain() {
        let (none, twenty) = (Counts { contacts: 400, successes: 0 }, Counts { contacts: 400, successes: 20 });
        assert!(!difference(none, twenty, 0.05, 400).unwrap().decides());
    }
}
