//! Since when do fewer people answer? A watch over calls, one by one, with a known rate of false alarms.
//!
//! A Shiryaev–Roberts e-detector (J. Shin, A. Ramdas, A. Rinaldo, E-detectors, 2022, arXiv:2203.03532): every call may be
//! the one behind which fewer answer, and each such start bets against the usual rate by the likelihood ratio of a fall.
//! While nobody answers less, the sum of the bets grows by one a call at most in expectation, so that the first false
//! alarm comes after [`AnswerWatch::CALLS_PER_FALSE_ALARM`] calls on average, or later.

/// Answers that are left after a fall: by a quarter, by half, by three quarters. Each is a detector, and their mean is one.
const FALLS: [f64; 3] = [0.75, 0.5, 0.25];
/// A call whose chance is beyond these says nothing about the rate.
const CHANCES: std::ops::RangeInclusive<f64> = 0.002..=0.98;

#[derive(Clone, Debug, Default)]
pub struct AnswerWatch {
    calls: u64,
    ratios: [Ratio; FALLS.len()],
    found: Option<Fall>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ratio {
    /// Σ over starts of the product of likelihood ratios since.
    sum: f64,
    /// Page's statistic, and the first call that it goes back to: where the fall most likely began (E. S. Page 1954).
    log: f64,
    since: u64,
}

/// Found at one call, begun at about another; both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fall {
    pub began: u64,
    pub found: u64,
}

impl AnswerWatch {
    pub const CALLS_PER_FALSE_ALARM: f64 = 5_000.0;

    /// A call that should have been answered with this chance, and whether it was. The bound holds as long as the chances
    /// are not above the true ones.
    pub fn note(&mut self, chance: f64, answered: bool) {
        self.calls += 1;
        if self.found.is_some() || !CHANCES.contains(&chance) {
            return;
        }
        let mut mean = 0.0;
        for (ratio, left) in self.ratios.iter_mut().zip(FALLS) {
            let bet = if answered { left } else { (1.0 - chance * left) / (1.0 - chance) };
            ratio.sum = (ratio.sum + 1.0) * bet;
            mean += ratio.sum / FALLS.len() as f64;
            if ratio.log <= 0.0 {
                (ratio.log, ratio.since) = (0.0, self.calls);
            }
            ratio.log += bet.ln();
        }
        if mean >= Self::CALLS_PER_FALSE_ALARM {
            let strongest = self.ratios.iter().fold(&Ratio::default(), |a, b| if b.sum > a.sum { b } else { a }).since;
            self.found = Some(Fall { began: strongest, found: self.calls });
        }
    }

    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The first fall; a watch that has found one sees nothing more.
    pub fn found(&self) -> Option<Fall> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// Chances differ from hour to hour; `left` of the answers are left from call `from` on.
    fn watch(rng: &mut Rng, calls: u64, from: u64, left: f64) -> AnswerWatch {
        let mut watch = AnswerWatch::default();
        for call in 1..=calls {
            let chance = 0.15 + 0.2 * rng.f64();
            let answered = rng.chance(if call >= from { chance * left } else { chance });
            watch.note(chance, answered);
        }
        watch
    }

    #[test]
    fn half_the_answers_gone_is_found_within_three_hundred_calls_in_most_cases() {
        let mut rng = Rng::seeded(3);
        let mut delays: Vec<u64> = Vec::new();
        for _ in 0..200 {
            let found = watch(&mut rng, 2_000, 501, 0.5).found().unwrap();
            if found.found > 500 {
                delays.push(found.found - 500);
            }
        }
        delays.sort_unstable();
        let (median, ninth) = (delays[delays.len() / 2], delays[delays.len() * 9 / 10]);
        assert!(delays.len() > 180 && median <= 200 && ninth <= 300, "{} {median} {ninth}", delays.len());
    }

    #[test]
    fn without_a_fall_alarms_are_no_more_frequent_than_said() {
        let mut rng = Rng::seeded(4);
        let (mut calls, mut alarms) = (0.0, 0.0);
        for _ in 0..150 {
            let quiet = watch(&mut rng, 20_000, u64::MAX, 1.0);
            calls += quiet.found().map_or(20_000.0, |fall| fall.found as f64);
            alarms += f64::from(u8::from(quiet.found().is_some()));
        }
        let between = calls / f64::max(alarms, 1.0);
        assert!(between > AnswerWatch::CALLS_PER_FALSE_ALARM, "one in {between} calls");
    }

    #[test]
    fn more_answers_than_expected_are_no_alarm() {
        let mut watch = AnswerWatch::default();
        let mut rng = Rng::seeded(5);
        (0..50_000).for_each(|_| watch.note(0.2, rng.chance(0.3)));
        assert_eq!((watch.found(), watch.calls()), (None, 50_000));
    }

    #[test]
    fn a_call_that_is_answered_for_sure_or_never_says_nothing() {
        let mut watch = AnswerWatch::default();
        for chance in [1.0, 0.0, f64::NAN] {
            (0..100).for_each(|_| watch.note(chance, false));
        }
        assert_eq!((watch.found(), watch.calls()), (None, 300));
    }

    #[test]
    fn the_place_where_it_began_is_told_about_right() {
        let mut rng = Rng::seeded(9);
        let mut near = 0;
        for _ in 0..100 {
            let fall = watch(&mut rng, 3_000, 1_001, 0.4).found().unwrap();
            near += u32::from(fall.began.abs_diff(1_001) <= 100);
        }
        assert!(near >= 75, "{near} of 100");
    }
}
