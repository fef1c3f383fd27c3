//! Who is called in GOLDEN-1: five kinds of people with hours of their own, and a score that knows them in part.

use crate::base::Rng;
use crate::rank::logistic;

/// Kinds of people and their chance of an answer by local hour 9 to 18, in log-odds around the mean.
pub const KINDS: [(&str, [f64; HOURS]); 5] = [
    ("employed", [-0.6, -0.3, -0.1, 0.0, -0.3, -0.4, -0.2, 0.1, 0.6, 0.9]),
    ("retired", [0.5, 0.6, 0.4, 0.1, -0.4, -0.3, 0.1, 0.2, 0.0, -0.3]),
    ("shift", [-0.9, -0.6, -0.3, 0.7, 0.8, -0.2, -0.4, -0.3, 0.3, 0.7]),
    ("self-employed", [0.1, 0.2, 0.2, 0.0, -0.2, 0.1, 0.2, 0.2, 0.1, 0.0]),
    ("young", [-1.0, -0.7, -0.2, 0.1, 0.1, 0.0, 0.1, 0.2, 0.5, 0.8]),
];
pub const HOURS: usize = 10;
/// Log-odds of an answer before anything is known of the person and the hour.
const MEAN: f64 = -1.3;
/// Each attempt made, and an attempt in the same local hour within two days.
const ATTEMPT: f64 = -0.18;
const SAME_HOUR: f64 = -0.6;
const SAME_HOUR_DAYS: u32 = 2;
/// Of log-odds: people differ, their hours differ, and so does how well the score knows them.
const OF_PERSON: f64 = 0.8;
const OF_PERSONS_HOUR: f64 = 0.6;
const OF_SCORE: f64 = 0.7;
/// Log-odds of a yes: mean, with a standard deviation of 1.
const YES: f64 = -2.6;
/// Share of people whose clock is two hours behind.
const BEHIND: f64 = 0.2;

#[derive(Clone, Debug)]
pub struct Person {
    pub kind: u8,
    pub behind: bool,
    /// Calibrated: of those with this score, so many say yes once they are reached.
    pub score: f64,
    /// What a yes of this one is worth: its true chance.
    pub yes: f64,
    ease: f64,
    of_hour: [f64; HOURS],
    /// On which day each local hour was tried last.
    tried: [Option<u32>; HOURS],
    attempts: u32,
}

impl Person {
    pub fn any(rng: &mut Rng) -> Self {
        let kind = rng.below(KINDS.len() as u32) as u8;
        let behind = rng.chance(BEHIND);
        let ease = OF_PERSON * rng.normal();
        let of_hour = std::array::from_fn(|_| OF_PERSONS_HOUR * rng.normal());
        let truth = YES + rng.normal();
        let seen = truth + OF_SCORE * rng.normal();
        // The posterior of a normal signal, and its mean through the logistic function (MacKay 1992, eq. 10).
        let variance = OF_SCORE * OF_SCORE;
        let known = 1.0 / (1.0 + variance);
        let (mean, left) = (YES + known * (seen - YES), variance * known);
        let score = logistic(mean / (1.0 + std::f64::consts::PI * left / 8.0).sqrt());
        Self { kind, behind, score, yes: logistic(truth), ease, of_hour, tried: [None; HOURS], attempts: 0 }
    }

    /// Called on that day at that local hour, counted from 9: do they come to the phone? `luck` is uniform in [0, 1).
    pub fn answers(&mut self, day: u32, hour: usize, luck: f64) -> bool {
        let (Some((_, hours)), Some(own)) = (KINDS.get(usize::from(self.kind)), self.of_hour.get(hour)) else {
            return false;
        };
        let again = self.tried.get(hour).copied().flatten().is_some_and(|last| day - last <= SAME_HOUR_DAYS);
        let z = MEAN
            + hours.get(hour).copied().unwrap_or(0.0)
            + self.ease
            + own
            + ATTEMPT * f64::from(self.attempts)
            + if again { SAME_HOUR } else { 0.0 };
        if let Some(tried) = self.tried.get_mut(hour) {
            *tried = Some(day);
        }
        self.attempts += 1;
        luck < logistic(z)
    }
}
