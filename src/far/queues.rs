//! Seats behind the PBX's queues: who is free, and until when the others talk.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Rng, Tick};

use super::town::{Queue, Town};

/// Names that a REFER may make up while the file lists none.
const NAMES_MAX: usize = 1_024;

#[derive(Debug)]
pub(super) struct Queues {
    by_name: BTreeMap<String, Seats>,
    /// For a name seen for the first time.
    any: Option<Queue>,
    pace: f64,
}

#[derive(Debug)]
struct Seats {
    queue: Queue,
    /// When each taken seat becomes free.
    taken: Vec<Tick>,
}

/// What becomes of a transfer: a status, and when it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) status: u16,
    pub(super) after: Duration,
}

/// A full or unknown queue says so quickly.
const REFUSED_AFTER: Duration = Duration::from_millis(50);

impl Queues {
    pub(super) fn new(town: &Town) -> Self {
        let seats = |queue: &Queue| Seats { queue: *queue, taken: Vec::new() };
        let by_name = town.queues.iter().map(|(name, queue)| (name.clone(), seats(queue))).collect();
        let any = town.queues.is_empty().then_some(town.any_queue);
        Self { by_name, any, pace: town.people.pace.clamp(0.0, 1_000.0) }
    }

    /// Somebody was sent to `target`, a SIP URI. A seat is taken from the first ring.
    pub(super) fn transfer(&mut self, now: Tick, target: &str, rng: &mut Rng) -> Fate {
        let refused = |status| Fate { status, after: REFUSED_AFTER };
        let Some(seats) = self.seats(user_of(target)) else { return refused(404) };
        seats.taken.retain(|until| *until > now);
        let Queue { seats: limit, rings, talks, full } = seats.queue;
        if seats.taken.len() >= limit as usize {
            return refused(full);
        }
        let rings = rings.mul_f64(self.pace * (0.5 + rng.f64()));
        let talk = talks.mul_f64(self.pace * rng.exponential(1.0).min(10.0));
        if let Some(seats) = self.seats(user_of(target)) {
            seats.taken.push(now + rings + talk);
        }
        Fate { status: 200, after: rings }
    }

    fn seats(&mut self, name: &str) -> Option<&mut Seats> {
        if let Some(queue) = self.any
            && !self.by_name.contains_key(name)
            && self.by_name.len() < NAMES_MAX
        {
            self.by_name.insert(name.to_owned(), Seats { queue, taken: Vec::new() });
        }
        self.by_name.get_mut(name)
    }
}

/// `8001` of `<sip:8001;x@host;y>`.
fn user_of(target: &str) -> &str {
    let target = target.trim_start_matches('<');
    let target = target.strip_prefix("sip:").or_else(|| target.strip_prefix("sips:")).unwrap_or(target);
    let user = target.split('@').next().unwrap_or(target);
    user.split(';').next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(seats: u32) -> Queues {
        let queue = Queue { seats, full: 503, ..Queue::default() };
        Queues::new(&Town { queues: [("8001".to_owned(), queue)].into(), ..Town::default() })
    }

    #[test]
    fn seats_run_out_and_come_back() {
        let (mut queues, mut rng) = (queues(2), Rng::seeded(1));
        let mut ask = |at| queues.transfer(Tick(at), "sip:8001@gw-a", &mut rng).status;
        assert_eq!([ask(0), ask(1), ask(2)], [200, 200, 503]);
        assert_eq!(ask(3_600_000_000), 200);
    }

    #[test]
    fn a_queue_that_the_file_does_not_name_does_not_exist() {
        let mut rng = Rng::seeded(1);
        assert_eq!(queues(2).transfer(Tick(0), "sip:8002@gw-a", &mut rng).status, 404);
        let mut any = Queues::new(&Town::default());
        assert_eq!(any.transfer(Tick(0), "sip:8002@gw-a", &mut rng).status, 200);
        for n in 0..2_000 {
            any.transfer(Tick(0), &format!("sip:{n}@gw-a"), &mut rng);
        }
        assert_eq!(any.by_name.len(), NAMES_MAX);
    }

    #[test]
    fn the_queue_is_the_user_part_of_the_target() {
        for target in ["sip:8001@gw-a", "<sips:8001;x=1@gw-a>", "8001", "sip:8001"] {
            assert_eq!(user_of(target), "8001", "{target}");
        }
    }
}
