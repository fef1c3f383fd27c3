//! How people and networks behave when a number is dialled: drawn from a seed, the number and the hour, so that the
//! same call of the same person always goes the same way.

use crate::base::Rng;

/// What happens to one dial.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// From the INVITE to the first provisional answer.
    pub post_dial_delay_ms: u32,
    /// From there to the final answer.
    pub ring_ms: u32,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Person(Person),
    /// Answers, talks, hears nothing, hangs up.
    Machine {
        talk_ms: u32,
    },
    Busy,
    Rejected,
    /// Rings until the caller gives up.
    NoAnswer,
    Vacant,
    Suspended,
    PoweredOff,
    NotReachable,
    /// The network answers with a failure of its own.
    Congestion,
}

/// Somebody at the phone: what they press, and when they have had enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Keys, each so long after the answer or after the key before.
    pub keys: Vec<(u32, char)>,
    /// After the answer.
    pub patience_ms: u32,
}

/// Shares of kinds and of keys; rates by the local hour of whoever is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    pub seed: u64,
    /// Chance that a person answers, by local hour 0 to 23.
    pub answers_by_hour: [f64; 24],
    /// Of the calls that no person answers, in this order; the rest rings out.
    pub machine: f64,
    pub busy: f64,
    pub rejected: f64,
    pub powered_off: f64,
    pub not_reachable: f64,
    pub congestion: f64,
    /// Of the numbers, whoever dials them: these never change their minds.
    pub vacant_numbers: f64,
    pub suspended_numbers: f64,
    /// Keys of a person who answers: chances of `1`, `2`, `3`, `9`; the rest presses nothing.
    pub keys: [(char, f64); 4],
    /// Share of real time that ringing and talking take: demos run their people faster.
    pub pace: f64,
}

impl Default for Population {
    fn default() -> Self {
        let mut answers_by_hour = [0.05; 24];
        // Worst in the middle of the working day, best after it.
        let day = [0.22, 0.26, 0.28, 0.27, 0.20, 0.22, 0.26, 0.29, 0.33, 0.38, 0.40, 0.34];
        for (hour, rate) in answers_by_hour.iter_mut().skip(9).zip(day) {
            *hour = rate;
        }
        Self {
            seed: 1,
            answers_by_hour,
            machine: 0.08,
            busy: 0.12,
            rejected: 0.06,
            powered_off: 0.08,
            not_reachable: 0.05,
            congestion: 0.01,
            vacant_numbers: 0.03,
            suspended_numbers: 0.02,
            keys: [('1', 0.22), ('2', 0.10), ('3', 0.06), ('9', 0.07)],
            pace: 1.0,
        }
    }
}

impl Population {
    /// `number` is any stable fingerprint of the number, `ordinal` counts the dials it has had.
    pub fn behaviour(&self, number: u64, ordinal: u32, local_hour: u8) -> Behaviour {
        let rate = self.answers_by_hour.get(usize::from(local_hour)).copied().unwrap_or(0.0);
        let reachable = |fixed: &mut Rng| rate * (0.6 + 0.8 * fixed.f64());
        self.behaviour_of(number, ordinal, reachable, |rng| self.person(rng))
    }

    /// The same where somebody else knows how often this number answers, and what whoever answers does. `answer_rate` may
    /// draw from what never changes about the number.
    pub(super) fn behaviour_of(
        &self,
        number: u64,
        ordinal: u32,
        answer_rate: impl FnOnce(&mut Rng) -> f64,
        person: impl FnOnce(&mut Rng) -> Person,
    ) -> Behaviour {
        let mut fixed = Rng::seeded(mix(self.seed, number, 0));
        let mut rng = Rng::seeded(mix(self.seed, number, u64::from(ordinal) + 1));
        let trait_draw = fixed.f64();
        let answer_rate = answer_rate(&mut fixed);
        let post_dial_delay_ms = self.scaled(200.0 + 800.0 * rng.f64());
        let kind = if trait_draw < self.vacant_numbers {
            Kind::Vacant
        } else if trait_draw < self.vacant_numbers + self.suspended_numbers {
            Kind::Suspended
        } else if rng.chance(answer_rate) {
            Kind::Person(person(&mut rng))
        } else {
            self.unanswered(&mut rng)
        };
        let ring_ms = match kind {
            Kind::Person(_) => self.scaled(1_500.0 + rng.exponential(6_000.0).min(18_000.0)),
            Kind::Machine { .. } => self.scaled(12_000.0 + 8_000.0 * rng.f64()),
            Kind::Rejected => self.scaled(2_000.0 + 6_000.0 * rng.f64()),
            // Where people are quicker than life, the network's own patience is shorter too.
            Kind::NoAnswer if self.pace < 1.0 => self.scaled(25_000.0),
            Kind::NoAnswer => u32::MAX,
            Kind::Busy | Kind::Vacant | Kind::Suspended | Kind::PoweredOff | Kind::NotReachable | Kind::Congestion => {
                self.scaled(300.0 * rng.f64())
            }
        };
        Behaviour { post_dial_delay_ms, ring_ms, kind }
    }

    fn unanswered(&self, rng: &mut Rng) -> Kind {
        let draw = rng.f64();
        let mut edge = 0.0;
        let kinds = [
            (self.machine, Kind::Machine { talk_ms: self.scaled(6_000.0) }),
            (self.busy, Kind::Busy),
            (self.rejected, Kind::Rejected),
            (self.powered_off, Kind::PoweredOff),
            (self.not_reachable, Kind::NotReachable),
            (self.congestion, Kind::Congestion),
        ];
        for (share, kind) in kinds {
            edge += share;
            if draw < edge {
                return kind;
            }
        }
        Kind::NoAnswer
    }

    fn person(&self, rng: &mut Rng) -> Person {
        let draw = rng.f64();
        let mut edge = 0.0;
        let pressed = self.keys.iter().find(|(_, share)| {
            edge += share;
            draw < edge
        });
        let listens = self.listens(rng);
        let keys = pressed.map(|(key, _)| (listens, *key)).into_iter().collect();
        Person { keys, patience_ms: self.patience(rng, listens) }
    }

    /// Whoever presses nothing mostly hangs up while the prompt plays; a few stay until we do.
    pub(super) fn patience(&self, rng: &mut Rng, listens: u32) -> u32 {
        if rng.chance(0.7) { listens.saturating_add(self.scaled(8_000.0)) } else { u32::MAX }
    }

    /// Until a key is pressed.
    pub(super) fn listens(&self, rng: &mut Rng) -> u32 {
        self.scaled(1_500.0 + rng.exponential(2_500.0).min(12_000.0))
    }

    fn scaled(&self, ms: f64) -> u32 {
        (ms * self.pace).max(1.0) as u32
    }
}

/// SplitMix64's finaliser over the three: neighbours in any of them have nothing in common.
pub(super) fn mix(seed: u64, number: u64, ordinal: u64) -> u64 {
    let mut z = seed ^ number.rotate_left(21) ^ ordinal.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_dial_goes_the_same_way_and_the_next_one_may_not() {
        let people = Population::default();
        assert!((0..200).all(|n| people.behaviour(n, 3, 18) == people.behaviour(n, 3, 18)));
        assert!((0..200).any(|n| people.behaviour(n, 3, 18).kind != people.behaviour(n, 4, 18).kind));
    }

    #[test]
    fn a_vacant_number_stays_vacant_and_evenings_answer_more() {
        let people = Population::default();
        let answered = |hour| {
            let is_person = |n: &u64| matches!(people.behaviour(*n, 0, hour).kind, Kind::Person(_));
            (0..20_000u64).filter(is_person).count() as f64 / 20_000.0
        };
        let (noon, evening) = (answered(13), answered(19));
        assert!((noon - 0.19).abs() < 0.03 && (evening - 0.38).abs() < 0.03, "{noon} {evening}");
        let vacant = |n: &u64| people.behaviour(*n, 0, 9).kind == Kind::Vacant;
        let number = (0..1_000u64).find(vacant).unwrap();
        assert!((0..24).all(|hour| people.behaviour(number, u32::from(hour), hour).kind == Kind::Vacant));
    }
}
