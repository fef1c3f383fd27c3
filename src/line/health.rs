//! What the heartbeat and the calls of one trunk say of it: is it silent, does it want a pause, do its calls come to
//! nothing? Registration and connection are known elsewhere; `Line::standing` puts all of it together.

use std::time::Duration;

use crate::base::{LegId, Rng, Tick};
use crate::call::TrunkDown;
use crate::sip::{Cause, End, Pong};

/// Heartbeats in a row without an answer that make a trunk silent. Each of them is an OPTIONS that went out four times.
const SILENT_AFTER: u32 = 2;
/// How soon the next OPTIONS follows one that was not answered.
const SOON: Duration = Duration::from_secs(5);
/// Calls in a row that came to nothing because of the trunk.
const FAILING_AFTER: u32 = 5;
/// The breaker's first pause; it doubles each time until a call gets through.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// What a Retry-After may ask for (RFC 3261 §20.33): of less there is nothing to see, and more is not believed.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Health {
    /// `None`: the trunk is not asked.
    every: Option<Duration>,
    rng: Rng,
    heart: Heart,
    /// Heartbeats without an answer, in a row.
    missed: u32,
    breaker: Breaker,
    /// How often the breaker has opened since a call got through.
    trips: u32,
    /// It asked for a pause.
    pause_until: Option<Tick>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heart {
    /// Not asked for, or nothing to ask through.
    Still,
    /// The first OPTIONS has no time yet.
    Starting,
    Waiting(Tick),
    Asking,
}

/// Opens after calls that came to nothing, and closes by one that did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaker {
    Closed {
        failed: u32,
    },
    Open {
        until: Tick,
    },
    /// Half open: the next answer to OPTIONS decides; without a heartbeat this one call does.
    Trying {
        trial: Option<LegId>,
    },
}

/// Why a trunk is to be looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthTimer {
    /// The next OPTIONS: `options_every`, or soon after one without an answer.
    Heartbeat,
    /// The pause that a Retry-After asked for is over.
    RetryAfter,
    /// The breaker half opens: 30 s, doubling up to 5 min.
    HalfOpen,
}

/// What a call says of its trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Somebody behind the trunk was reached: it rang, or it has a final answer of its own.
    Reached,
    Failed,
    /// 503 with this Retry-After.
    Overloaded(u32),
    Nothing,
}

impl Health {
    pub(super) fn new(every: Option<Duration>, rng: Rng, connected: bool) -> Self {
        let breaker = Breaker::Closed { failed: 0 };
        let mut health = Self { every, rng, heart: Heart::Still, missed: 0, breaker, trips: 0, pause_until: None };
        health.on_connection(connected);
        health
    }

    pub(super) fn down(&self, now: Tick) -> Option<TrunkDown> {
        if self.missed >= SILENT_AFTER {
            return Some(TrunkDown::Silent);
        }
        if self.pause_until.is_some_and(|until| until > now) {
            return Some(TrunkDown::Overloaded);
        }
        let failing = match self.breaker {
            Breaker::Closed { .. } => false,
            Breaker::Open { .. } => true,
            Breaker::Trying { trial } => self.every.is_some() || trial.is_some(),
        };
        failing.then_some(TrunkDown::Failing)
    }

    /// Something can be sent to it now, or not any more.
    pub(super) fn on_connection(&mut self, stands: bool) {
        self.missed = 0;
        self.heart = if stands && self.every.is_some() { Heart::Starting } else { Heart::Still };
    }

    /// Whoever was asked will not be heard any more: asks again.
    pub(super) fn on_forgotten(&mut self) {
        if self.heart == Heart::Asking {
            self.heart = Heart::Starting;
        }
    }

    /// True where an OPTIONS is to go out.
    pub(super) fn on_timeout(&mut self, now: Tick) -> bool {
        self.pause_until.take_if(|until| *until <= now);
        if self.heart == Heart::Starting {
            // Anywhere within the first seconds: many trunks and many daemons may have started together.
            let within = self.every.unwrap_or(SOON).min(SOON);
            self.heart = Heart::Waiting(now + within.mul_f64(self.rng.f64()));
        }
        if matches!(self.breaker, Breaker::Open { until } if until <= now) {
            self.breaker = Breaker::Trying { trial: None };
            if matches!(self.heart, Heart::Waiting(_)) {
                self.heart = Heart::Waiting(now);
            }
        }
        let due = matches!(self.heart, Heart::Waiting(at) if at <= now);
        if due {
            self.heart = Heart::Asking;
        }
        due
    }

    pub(super) fn poll_timeout(&self) -> Option<(Tick, HealthTimer)> {
        let heartbeat = match self.heart {
            Heart::Starting => Some(Tick::default()),
            Heart::Waiting(at) => Some(at),
            Heart::Still | Heart::Asking => None,
        };
        let half_open = if let Breaker::Open { until } = self.breaker { Some(until) } else { None };
        let heartbeat = heartbeat.map(|at| (at, HealthTimer::Heartbeat));
        let retry_after = self.pause_until.map(|at| (at, HealthTimer::RetryAfter));
        let half_open = half_open.map(|at| (at, HealthTimer::HalfOpen));
        [heartbeat, retry_after, half_open].into_iter().flatten().min()
    }

    /// A gateway that answers is there, whatever it says. 408 and 503 are what a proxy says whose gateway is not.
    pub(super) fn on_pong(&mut self, now: Tick, pong: Pong) {
        if self.heart != Heart::Asking {
            return;
        }
        let mut alive = false;
        match pong {
            Pong::Answered { status: 503, retry_after_s: Some(seconds) } => {
                self.missed = 0;
                self.pause(now, seconds);
            }
            Pong::Answered { status: 408 | 503, .. } | Pong::Silence => self.missed = self.missed.saturating_add(1),
            Pong::Unreachable => self.missed = SILENT_AFTER,
            Pong::Answered { .. } => {
                self.missed = 0;
                alive = true;
            }
        }
        if matches!(self.breaker, Breaker::Trying { .. }) {
            if alive {
                self.breaker = Breaker::Closed { failed: 0 };
            } else {
                self.trip(now);
            }
        }
        let every = self.every.unwrap_or(SOON);
        let pause = if self.missed == 0 { every } else { every.min(SOON) };
        self.heart = Heart::Waiting(now + self.spread(pause));
    }

    /// This call goes out now.
    pub(super) fn on_dial(&mut self, leg: LegId) {
        if let Breaker::Trying { trial: trial @ None } = &mut self.breaker {
            *trial = Some(leg);
        }
    }

    pub(super) fn on_call(&mut self, now: Tick, leg: LegId, verdict: Verdict) {
        let is_trial = self.breaker == Breaker::Trying { trial: Some(leg) };
        match (verdict, self.breaker) {
            (Verdict::Reached, _) => {
                self.breaker = Breaker::Closed { failed: 0 };
                self.trips = 0;
            }
            (Verdict::Failed, Breaker::Closed { failed }) if failed + 1 < FAILING_AFTER => {
                self.breaker = Breaker::Closed { failed: failed + 1 };
            }
            (Verdict::Failed, Breaker::Closed { .. }) => self.trip(now),
            (Verdict::Failed, Breaker::Trying { .. }) if is_trial => self.trip(now),
            // It left before the breaker opened.
            (Verdict::Failed, Breaker::Open { .. } | Breaker::Trying { .. }) => {}
            (Verdict::Overloaded(seconds), _) => self.pause(now, seconds),
            (Verdict::Nothing, _) => {}
        }
        if is_trial && matches!(verdict, Verdict::Nothing | Verdict::Overloaded(_)) {
            self.breaker = Breaker::Trying { trial: None };
        }
    }

    fn trip(&mut self, now: Tick) {
        let pause = (FIRST_PAUSE * (1 << self.trips.min(10))).min(LONGEST_PAUSE);
        self.trips = self.trips.saturating_add(1);
        self.breaker = Breaker::Open { until: now + self.spread(pause) };
    }

    fn pause(&mut self, now: Tick, seconds: u32) {
        let asked = Duration::from_secs(seconds.into()).clamp(SHORTEST_RETRY_AFTER, LONGEST_RETRY_AFTER);
        self.pause_until = self.pause_until.max(Some(now + asked));
    }

    /// A tenth more or less, so that trunks and daemons do not beat together.
    fn spread(&mut self, pause: Duration) -> Duration {
        pause.mul_f64(0.9 + 0.2 * self.rng.f64())
    }
}

impl Verdict {
    /// Of a call that ended; `rang` if there was a provisional answer other than 100.
    pub(super) fn of(end: &End, rang: bool) -> Self {
        let reached = rang || end.answered;
        match end.cause {
            Cause::Refused => match (end.status, end.retry_after_s) {
                // RFC 3261 §21.5.4. Of other statuses it is about the callee (§20.33).
                (Some(503), Some(seconds)) => Self::Overloaded(seconds),
                (Some(503), None) if !reached => Self::Failed,
                // Our credentials are not taken, and every call would say so.
                (Some(401 | 407), _) if !reached => Self::Failed,
                // With a cause from the telephone network they speak of the callee (RFC 3398 §8.2.6.1).
                (Some(500 | 504), _) if !reached && end.q850.is_none() => Self::Failed,
                (Some(_) | None, _) => Self::Reached,
            },
            _ if reached => Self::Reached,
            Cause::Unreachable | Cause::NoReply => Self::Failed,
            Cause::NoFinal
            | Cause::RingTimeout
            | Cause::Cancelled
            | Cause::Bye
            | Cause::BadMedia
            | Cause::NoAck
            | Cause::Gone
            | Cause::Expired
            | Cause::NotSent => Self::Nothing,
        }
    }
}
