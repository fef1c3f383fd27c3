//! Do more people complain than may? Evidence that can be looked at after every call.
//!
//! A bet against "the rate is at most the limit": while it is, what was staked grows in expectation by nothing, so by
//! J. Ville's inequality (1939) it ever reaches `1/alpha` with a chance of `alpha` at most. Several higher rates are bet on
//! at once, with equal stakes.

/// Rates that are bet on, in limits.
const RATES: [f64; 5] = [1.25, 1.5, 2.0, 3.0, 6.0];
/// No rate is bet on beyond it.
const HIGHEST: f64 = 0.99;

/// How many times what was staked.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Evidence(pub f64);

impl Evidence {
    pub fn stops(self, alpha: f64) -> bool {
        self.0 >= 1.0 / alpha
    }
}

/// Of so many complaints by so many people who were called. A limit of nothing is broken by the first complaint.
pub fn complaint_evidence(called: u64, complaints: u64, limit: f64) -> Evidence {
    if limit <= 0.0 {
        return Evidence(if complaints > 0 { f64::INFINITY } else { 1.0 });
    }
    if limit >= 1.0 {
        return Evidence(1.0);
    }
    let (yes, no) = (complaints as f64, called.saturating_sub(complaints) as f64);
    let bet = |times: f64| {
        let rate = (limit * times).min(HIGHEST.max(limit));
        (yes * (rate / limit).ln() + no * ((1.0 - rate) / (1.0 - limit)).ln()).exp()
    };
    Evidence(RATES.iter().map(|times| bet(*times)).sum::<f64>() / RATES.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn stops_at(rng: &mut Rng, rate: f64, limit: f64, calls: u64) -> Option<u64> {
        let mut complaints = 0;
        (1..=calls).find(|called| {
            complaints += u64::from(rng.chance(rate));
            complaint_evidence(*called, complaints, limit).stops(0.05)
        })
    }

    #[test]
    fn complaints_at_the_limit_stop_a_trial_no_more_often_than_alpha() {
        let mut rng = Rng::seeded(21);
        let stopped = (0..1_000).filter(|_| stops_at(&mut rng, 0.003, 0.003, 10_000).is_some()).count();
        assert!(stopped <= 50, "{stopped} of 1,000");
    }

    #[test]
    fn three_times_the_limit_stops_it_soon() {
        let mut rng = Rng::seeded(22);
        let mut at: Vec<u64> = (0..200).map(|_| stops_at(&mut rng, 0.009, 0.003, 20_000).unwrap()).collect();
        at.sort_unstable();
        assert!(at[100] < 1_200 && at[190] < 3_000, "{} {}", at[100], at[190]);
    }

    #[test]
    fn where_nobody_may_complain_the_first_one_stops_it() {
        assert!(!complaint_evidence(5_000, 0, 0.0).stops(0.05));
        assert!(complaint_evidence(5_000, 1, 0.0).stops(0.05));
        assert!(!complaint_evidence(10, 10, 1.0).stops(0.05), "and where all may, none does");
    }

    #[test]
    fn a_high_limit_is_broken_by_more_than_it_and_by_nothing_less() {
        assert!(complaint_evidence(100, 90, 0.3).stops(0.05));
        assert!(!complaint_evidence(1_000, 0, 0.995).stops(0.05));
        assert_eq!(complaint_evidence(10, 10, 1.0), Evidence(1.0));
    }

    #[test]
    fn who_complained_is_a_bet_won_and_nothing_else() {
        assert!((complaint_evidence(1, 1, 0.1).0 - 2.75).abs() < 1e-12, "the mean of what was bet");
    }

    #[test]
    fn nobody_called_is_no_evidence() {
        assert!((complaint_evidence(0, 0, 0.003).0 - 1.0).abs() < 1e-12);
    }
}
