//! What a population file says: who lives behind the numbers, and what the gateway in front of them can take.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sim::Population;

/// Everything about the far end that a trial may choose. Prefixes are digits without a plus, as they are dialled.
#[derive(Clone, Debug, PartialEq)]
pub struct Town {
    /// Whoever belongs to no segment. Its seed and pace hold for all.
    pub people: Population,
    /// People who behave otherwise; the longest prefix wins.
    pub segments: Vec<Segment>,
    /// IANA names by prefix, asked before the world's own prefix table; the longest prefix wins.
    pub zones: Vec<(String, String)>,
    /// IANA name for numbers that neither table knows.
    pub zone: String,
    /// By name: the user part of a REFER's target. A name that is not here is refused, unless there is none at all.
    pub queues: BTreeMap<String, Queue>,
    /// For every name, where `queues` is empty.
    pub any_queue: Queue,
    /// Calls at a time; above it 503 with Retry-After.
    pub max_calls: usize,
    pub retry_after_s: u32,
    /// Share of calls whose 200 OK carries a `Server` header in GBK, which is not UTF-8.
    pub gbk_server: f64,
    /// People send 50 packets a second while they are on the line. Without it they only press keys.
    pub voice: bool,
}

/// Some of the people.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub prefix: String,
    pub people: Population,
}

/// Agents behind one number of the PBX. Their times are those of the world, scaled by its pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub seats: u32,
    /// Until an agent answers.
    pub rings: Duration,
    /// Mean of an exponential talk, wrap-up included: so long a seat stays taken.
    pub talks: Duration,
    /// What a REFER hears when all seats are taken: 486 or 503.
    pub full: u16,
}

impl Default for Queue {
    fn default() -> Self {
        Self { seats: 12, rings: Duration::from_secs(2), talks: Duration::from_secs(90), full: 486 }
    }
}

impl Default for Town {
    fn default() -> Self {
        Self {
            people: Population::default(),
            segments: Vec::new(),
            zones: Vec::new(),
            zone: "Asia/Shanghai".to_owned(),
            queues: BTreeMap::new(),
            any_queue: Queue::default(),
            max_calls: 2_000,
            retry_after_s: 5,
            gbk_server: 0.0,
            voice: true,
        }
    }
}

impl Town {
    /// One seed for everybody.
    pub fn seed(&mut self, seed: u64) {
        self.people.seed = seed;
        self.segments.iter_mut().for_each(|segment| segment.people.seed = seed);
    }

    /// A time of the world as it passes in the trial.
    pub fn paced(&self, time: Duration) -> Duration {
        time.mul_f64(self.people.pace.clamp(0.0, 1_000.0))
    }
}

/// The value of the longest prefix of `digits`.
pub(super) fn longest<'a, T>(table: &'a [(String, T)], digits: &str) -> Option<&'a T> {
    let known = table.iter().filter(|(prefix, _)| digits.starts_with(prefix.as_str()));
    known.max_by_key(|(prefix, _)| prefix.len()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_no_prefix_is_none() {
        let table = [("999".to_owned(), 1), ("99912".to_owned(), 2), ("1".to_owned(), 3)];
        let find = |digits| longest(&table, digits).copied();
        assert_eq!((find("999100000001"), find("999120000001"), find("44")), (Some(1), Some(2), None));
    }
}
