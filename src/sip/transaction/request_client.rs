//! The non-INVITE client transaction (RFC 3261 §17.1.2): BYE, CANCEL, REFER, NOTIFY, OPTIONS.

use std::time::Duration;

use crate::base::Tick;

use super::{Act, Timer, Times};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// From the request to its final answer.
#[derive(Clone, Copy, Debug)]
pub struct RequestClient {
    state: State,
    interval: Duration,
    resend_at: Tick,
    end_at: Tick,
    t2: Duration,
    /// Timer K.
    linger: Duration,
}

impl RequestClient {
    /// The request has just been sent.
    pub fn new(now: Tick, times: &Times) -> Self {
        Self::patient(now, times, times.life())
    }

    /// Gives up after `patience` in place of Timer F.
    pub fn patient(now: Tick, times: &Times, patience: Duration) -> Self {
        Self {
            state: State::Trying,
            interval: times.t1,
            resend_at: times.first_resend(now),
            end_at: now + patience,
            t2: times.t2,
            linger: times.absorb(times.t4),
        }
    }

    pub fn on_response(&mut self, now: Tick, status: u16) -> Act {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                self.interval = self.t2;
                Act::Pass
            }
            (State::Trying | State::Proceeding, 200..) => {
                self.state = State::Completed;
                self.resend_at = Tick::MAX;
                self.end_at = now + self.linger;
                Act::Pass
            }
            (State::Trying | State::Proceeding | State::Completed | State::Terminated, _) => Act::Nothing,
        }
    }

    /// The request never left: Timer E runs until a connection takes it, or Timer F ends it.
    pub fn on_unsent(&mut self, now: Tick) {
        if matches!(self.state, State::Trying) {
            self.resend_at = now + self.interval;
        }
    }

    pub fn on_timeout(&mut self, now: Tick) -> Act {
        if now >= self.end_at {
            let timed_out = matches!(self.state, State::Trying | State::Proceeding);
            self.state = State::Terminated;
            self.resend_at = Tick::MAX;
            self.end_at = Tick::MAX;
            return if timed_out { Act::TimedOut } else { Act::Nothing };
        }
        if now >= self.resend_at {
            self.interval = (self.interval * 2).min(self.t2);
            self.resend_at = now + self.interval;
            return Act::Resend;
        }
        Act::Nothing
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        match self.state {
            State::Trying | State::Proceeding if self.resend_at < self.end_at => Some((self.resend_at, Timer::E)),
            State::Trying | State::Proceeding => Some((self.end_at, Timer::F)),
            State::Completed => Some((self.end_at, Timer::K)),
            State::Terminated => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::target::Transport;

    fn new() -> RequestClient {
        RequestClient::new(Tick(0), &Times::default())
    }

    fn run(tx: &mut RequestClient) -> Vec<(u64, Act)> {
        let mut fired = Vec::new();
        while let Some((at, _)) = tx.poll_timeout() {
            fired.push((at.0 / 500_000, tx.on_timeout(at)));
        }
        fired
    }

    #[test]
    fn timer_e_doubles_up_to_t2_and_timer_f_ends_it() {
        let want = [1, 3, 7, 15, 23, 31, 39, 47, 55, 63].map(|at| (at, Act::Resend));
        let fired = run(&mut new());
        assert_eq!(fired[..10], want);
        assert_eq!(fired[10..], [(64, Act::TimedOut)]);
    }

    #[test]
    fn a_provisional_slows_timer_e_to_t2_and_leaves_timer_f() {
        let mut tx = new();
        assert_eq!(tx.on_response(Tick(1), 100), Act::Pass);
        let fired = run(&mut tx);
        assert_eq!(fired[..3], [(1, Act::Resend), (9, Act::Resend), (17, Act::Resend)]);
        assert_eq!(fired.last(), Some(&(64, Act::TimedOut)));
    }

    #[test]
    fn over_a_reliable_transport_only_timer_f_runs_unless_the_request_never_left() {
        let reliable = Times::default().over(Transport::Tls);
        let mut tx = RequestClient::new(Tick(0), &reliable);
        tx.on_response(Tick(1), 100);
        assert_eq!(run(&mut tx), [(64, Act::TimedOut)]);
        let mut tx = RequestClient::new(Tick(0), &reliable);
        assert_eq!(tx.on_response(Tick(7), 200), Act::Pass);
        assert_eq!(tx.poll_timeout(), Some((Tick(7), Timer::K)));
        let mut tx = RequestClient::new(Tick(0), &reliable);
        tx.on_unsent(Tick(0));
        assert_eq!(run(&mut tx)[..3], [(1, Act::Resend), (3, Act::Resend), (7, Act::Resend)]);
    }

    #[test]
    fn a_final_answer_is_passed_once_and_absorbed_until_timer_k() {
        let mut tx = new();
        assert_eq!(tx.on_response(Tick(1), 200), Act::Pass);
        assert_eq!(tx.on_response(Tick(2), 200), Act::Nothing);
        assert_eq!(tx.poll_timeout(), Some((Tick(1) + Times::default().t4, Timer::K)));
        assert_eq!(run(&mut tx), [(10, Act::Nothing)]);
        assert_eq!(tx.on_response(Tick::MAX, 200), Act::Nothing);
    }
}
