//! The people behind the queue: whoever has been idle longest takes the next call, talks, and wraps up.
//!
//! The engine hands a call over and hears no more of it; that it counts a seat as busy for `wrap_up` and not for the talk
//! is its own guess. Here the talk takes as long as talks take.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::base::{AttemptId, Rng, Tick};

use super::crowd::Stance;

#[derive(Debug)]
pub struct Desk {
    rng: Rng,
    /// `None`: as many as there are calls.
    people: Option<u32>,
    busy: u32,
    agenda: BTreeMap<(Tick, u64), Step>,
    waiting: VecDeque<Caller>,
    serial: u64,
    pub worked: Worked,
}

/// Time of agents, summed by half hours since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    pub busy_us: Vec<u64>,
    /// Somebody was dialled in it, so agents were there for it.
    pub dialled: Vec<bool>,
    /// From a roster: agents × time that they were there.
    pub rostered_us: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Free,
    /// The caller with this number has waited long enough.
    GivesUp(u64),
}

#[derive(Clone, Copy, Debug)]
struct Caller {
    serial: u64,
    attempt: AttemptId,
    stance: Stance,
    since: Tick,
}

/// What became of a call that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    pub attempt: AttemptId,
    /// Nobody was there for them in time, and they hung up.
    pub lost: bool,
    /// They waited longer than [`Desk::IN_TIME`].
    pub late: bool,
}

impl Desk {
    /// Beyond it a call counts as abandoned in most laws (16 CFR 310.4(b)(4)).
    const IN_TIME: Duration = Duration::from_secs(2);
    /// Mean time until somebody who hears a waiting tone hangs up.
    const PATIENCE_S: f64 = 30.0;
    /// Talk: lognormal with mean 120 s and coefficient of variation 1. Wrap-up: mean 30 s, 0.5.
    const TALK: (f64, f64) = (4.440_9, 0.832_5);
    const WRAP: (f64, f64) = (3.289_6, 0.472_3);
    pub const HALF_HOUR_US: u64 = 1_800_000_000;

    pub fn new(people: Option<u32>, seed: u64) -> Self {
        Self {
            rng: Rng::seeded(seed ^ 0x0044_4553_4B00),
            people,
            busy: 0,
            agenda: BTreeMap::new(),
            waiting: VecDeque::new(),
            serial: 0,
            worked: Worked::default(),
        }
    }

    pub fn next_at(&self) -> Option<Tick> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// A shift begins or ends. Whoever talks finishes; who waits is taken by those who come.
    pub fn staff(&mut self, now: Tick, people: u32) -> Vec<Handed> {
        self.people = Some(people);
        self.serve(now)
    }

    /// Somebody is handed over.
    pub fn arrive(&mut self, now: Tick, attempt: AttemptId, stance: Stance) -> Vec<Handed> {
        let serial = self.next();
        let patience = match stance {
            Stance::Machine => Duration::from_secs(10),
            Stance::Yes | Stance::No | Stance::Undecided | Stance::Stranger => {
                Duration::from_secs_f64(self.rng.exponential(Self::PATIENCE_S))
            }
        };
        self.waiting.push_back(Caller { serial, attempt, stance, since: now });
        let served = self.serve(now);
        if self.waiting.back().is_some_and(|caller| caller.serial == serial) {
            self.agenda.insert((now + patience, serial), Step::GivesUp(serial));
        }
        served
    }

    /// Whatever is due at `now`.
    pub fn step(&mut self, now: Tick) -> Vec<Handed> {
        let due = self.agenda.first_key_value().map(|(key, _)| *key).filter(|(at, _)| *at <= now);
        match due.and_then(|key| self.agenda.remove(&key)) {
            Some(Step::Free) => {
                self.busy -= 1;
                self.serve(now)
            }
            Some(Step::GivesUp(serial)) => {
                let at = self.waiting.iter().position(|caller| caller.serial == serial);
                let gone = at.and_then(|at| self.waiting.remove(at));
                let lost = |caller: Caller| Handed {
                    attempt: caller.attempt,
                    lost: true,
                    late: now.since(caller.since) > Self::IN_TIME,
                };
                gone.map(lost).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    fn serve(&mut self, now: Tick) -> Vec<Handed> {
        let mut served = Vec::new();
        while self.people.is_none_or(|people| self.busy < people)
            && let Some(caller) = self.waiting.pop_front()
        {
            let (talk, wrap) = self.talk(caller.stance);
            let free_at = now + talk + wrap;
            self.busy += 1;
            let serial = self.next();
            self.agenda.insert((free_at, serial), Step::Free);
            self.worked.busy(now, free_at);
            let late = now.since(caller.since) > Self::IN_TIME;
            served.push(Handed { attempt: caller.attempt, lost: false, late });
        }
        served
    }

    fn talk(&mut self, stance: Stance) -> (Duration, Duration) {
        let mut lognormal = |(mean, deviation): (f64, f64)| {
            let seconds = (mean + deviation * self.rng.normal()).exp();
            Duration::from_secs_f64(seconds.clamp(1.0, 3_600.0))
        };
        match stance {
            Stance::Yes | Stance::No | Stance::Undecided => (lognormal(Self::TALK), lognormal(Self::WRAP)),
            // A few words are enough to know that nobody is there.
            Stance::Stranger | Stance::Machine => {
                (Duration::from_secs_f64(5.0 + 7.0 * self.rng.f64()), Duration::from_secs(5))
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

impl Worked {
    pub fn dialled(&mut self, now: Tick) {
        let at = (now.0 / Desk::HALF_HOUR_US) as usize;
        if self.dialled.len() <= at {
            self.dialled.resize(at + 1, false);
        }
        if let Some(there) = self.dialled.get_mut(at) {
            *there = true;
        }
    }

    /// An agent is busy from then until then.
    fn busy(&mut self, from: Tick, until: Tick) {
        let mut at = from.0;
        while at < until.0 {
            let slot = (at / Desk::HALF_HOUR_US) as usize;
            let end = ((slot as u64 + 1) * Desk::HALF_HOUR_US).min(until.0);
            if self.busy_us.len() <= slot {
                self.busy_us.resize(slot + 1, 0);
            }
            if let Some(sum) = self.busy_us.get_mut(slot) {
                *sum += end - at;
            }
            at = end;
        }
    }

    /// Busy and there, in microseconds. Without a roster all of `people` are there in each half hour in which somebody was
    /// dialled.
    pub fn sums(&self, people: Option<u32>) -> (u64, u64) {
        let Some(people) = people else { return (self.busy_us.iter().sum(), self.rostered_us) };
        let there = self.dialled.iter().filter(|there| **there).count() as u64;
        let at_work = self.busy_us.iter().zip(&self.dialled).filter(|(_, there)| **there);
        (at_work.map(|(busy, _)| *busy).sum(), there * Desk::HALF_HOUR_US * u64::from(people))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_nobody_waits_and_is_taken_or_lost_but_never_both() {
        let mut desk = Desk::new(Some(2), 7);
        let mut fates: BTreeMap<AttemptId, u32> = BTreeMap::new();
        let mut lost = 0;
        let mut note = |handed: Vec<Handed>| {
            for one in handed {
                *fates.entry(one.attempt).or_default() += 1;
                lost += u32::from(one.lost);
            }
        };
        let mut now = Tick(0);
        for nth in 0..200_u128 {
            now = now + Duration::from_secs(40);
            while desk.next_at().is_some_and(|at| at <= now) {
                note(desk.step(desk.next_at().unwrap()));
            }
            note(desk.arrive(now, AttemptId(nth), Stance::Undecided));
        }
        while let Some(at) = desk.next_at() {
            note(desk.step(at));
        }
        assert_eq!((fates.len(), fates.values().all(|times| *times == 1)), (200, true));
        assert!((20..180).contains(&lost), "two people for four calls in 160 s, and {lost} were lost");
        assert_eq!(desk.busy, 0);
    }

    #[test]
    fn work_is_split_at_the_half_hour_and_counted_where_somebody_was_dialled() {
        let mut worked = Worked::default();
        worked.busy(Tick(1_700_000_000), Tick(1_900_000_000));
        worked.dialled(Tick(5));
        assert_eq!(worked.busy_us, [100_000_000, 100_000_000]);
        assert_eq!(worked.sums(Some(2)), (100_000_000, 3_600_000_000));
        assert_eq!(worked.sums(None), (200_000_000, 0));
        // Whoever talks on into a half hour without a dial is not there for it, whatever comes later.
        worked.dialled(Tick(2 * Desk::HALF_HOUR_US));
        assert_eq!(worked.sums(Some(2)), (100_000_000, 7_200_000_000));
    }

    #[test]
    fn nobody_talks_with_two_people_at_once() {
        let mut desk = Desk::new(Some(3), 7);
        let now = Tick(1);
        let taken: usize = (0..9).map(|nth| desk.arrive(now, AttemptId(nth), Stance::Yes).len()).sum();
        assert_eq!((taken, desk.busy), (3, 3));
        assert!(desk.staff(now, 1).is_empty(), "whoever talks finishes");
    }

    #[test]
    fn who_waits_is_taken_by_those_who_come_and_is_late_after_two_seconds() {
        let late_after = |seconds| {
            let mut desk = Desk::new(Some(0), 7);
            assert_eq!(desk.arrive(Tick(0), AttemptId(1), Stance::Yes), []);
            let taken = desk.staff(Tick(0) + Duration::from_secs(seconds), 1);
            assert!(taken.len() == 1 && !taken[0].lost, "{taken:?}");
            taken[0].late
        };
        assert_eq!((late_after(2), late_after(3)), (false, true));
    }

    #[test]
    fn an_agent_is_busy_until_the_call_is_wrapped_up() {
        // With a stranger they talk for five seconds at least, and wrap up in five more.
        let shortest = (0..40).map(|seed| {
            let mut desk = Desk::new(Some(1), seed);
            desk.arrive(Tick(0), AttemptId(1), Stance::Stranger);
            desk.next_at().unwrap()
        });
        let shortest = shortest.min().unwrap();
        assert!((Tick(10_000_000)..Tick(11_000_000)).contains(&shortest), "{shortest:?}");
    }
}
