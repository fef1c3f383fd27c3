//! The INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §8.4).

use std::time::Duration;

use crate::base::Tick;

use super::{Act, Timer, Times};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Terminated,
}

/// From the INVITE to its final answer, and on until no repetition of that can come.
#[derive(Clone, Copy, Debug)]
pub struct InviteClient {
    state: State,
    interval: Duration,
    resend_at: Tick,
    end_at: Tick,
    life: Duration,
    /// Timer D.
    linger: Duration,
}

impl InviteClient {
    /// The INVITE has just been sent.
    pub fn new(now: Tick, times: &Times) -> Self {
        Self {
            state: State::Calling,
            interval: times.t1,
            resend_at: times.first_resend(now),
            end_at: now + times.life(),
            life: times.life(),
            linger: times.absorb(times.life()),
        }
    }

    pub fn on_response(&mut self, now: Tick, status: u16) -> Act {
        match (self.state, status) {
            (State::Calling | State::Proceeding, 100..=199) => {
                self.enter(State::Proceeding, Tick::MAX);
                Act::Pass
            }
            (State::Calling | State::Proceeding | State::Accepted, 200..=299) => {
                let end_at = if self.state == State::Accepted { self.end_at } else { now + self.life };
                self.enter(State::Accepted, end_at);
                Act::Pass
            }
            (State::Calling | State::Proceeding, 300..) => {
                self.enter(State::Completed, now + self.linger);
                Act::PassAndAck
            }
            (State::Completed, 300..) => Act::Resend,
            (State::Calling | State::Proceeding | State::Accepted | State::Completed | State::Terminated, _) => {
                Act::Nothing
            }
        }
    }

    /// The network refused the datagram: treated as no answer (§17.1.4).
    pub fn on_unreachable(&mut self) -> Act {
        match self.state {
            State::Calling => {
                self.enter(State::Terminated, Tick::MAX);
                Act::TimedOut
            }
            State::Proceeding | State::Accepted | State::Completed | State::Terminated => Act::Nothing,
        }
    }

    pub fn on_timeout(&mut self, now: Tick) -> Act {
        if now >= self.end_at {
            let timed_out = self.state == State::Calling;
            self.enter(State::Terminated, Tick::MAX);
            return if timed_out { Act::TimedOut } else { Act::Nothing };
        }
        if now >= self.resend_at {
            self.interval *= 2;
            self.resend_at = now + self.interval;
            return Act::Resend;
        }
        Act::Nothing
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        match self.state {
            State::Calling if self.resend_at < self.end_at => Some((self.resend_at, Timer::A)),
            State::Calling => Some((self.end_at, Timer::B)),
            State::Accepted => Some((self.end_at, Timer::M)),
            State::Completed => Some((self.end_at, Timer::D)),
            State::Proceeding | State::Terminated => None,
        }
    }

    /// No answer has come: CANCEL must wait (§9.1).
    pub fn is_calling(&self) -> bool {
        self.state == State::Calling
    }

    /// No final answer has come.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    fn enter(&mut self, state: State, end_at: Tick) {
        self.state = state;
        self.resend_at = Tick::MAX;
        self.end_at = end_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::target::Transport;

    const T1: Duration = Duration::from_millis(500);

    fn new() -> InviteClient {
        InviteClient::new(Tick(0), &Times::default())
    }

    /// Runs the timers until `stop` and returns when each fired, in units of T1.
    fn run(tx: &mut InviteClient, stop: Tick) -> Vec<(u64, Act)> {
        let mut fired = Vec::new();
        while let Some((at, _)) = tx.poll_timeout().filter(|(at, _)| *at <= stop) {
            fired.push((at.0 / 500_000, tx.on_timeout(at)));
        }
        fired
    }

    #[test]
    fn timer_a_doubles_without_bound_and_timer_b_ends_it() {
        let fired = run(&mut new(), Tick::MAX);
        let want = [1, 3, 7, 15, 31, 63].map(|at| (at, Act::Resend));
        assert_eq!(fired[..6], want);
        assert_eq!(fired[6..], [(64, Act::TimedOut)]);
    }

    #[test]
    fn over_a_reliable_transport_nothing_is_sent_again_and_timer_d_is_zero() {
        let reliable = Times::default().over(Transport::Tcp);
        assert_eq!(run(&mut InviteClient::new(Tick(0), &reliable), Tick::MAX), [(64, Act::TimedOut)]);
        let mut refused = InviteClient::new(Tick(0), &reliable);
        assert_eq!(refused.on_response(Tick(7), 486), Act::PassAndAck);
        assert_eq!(refused.poll_timeout(), Some((Tick(7), Timer::D)));
        // A 2xx may come again from behind a proxy, whatever leads to it (RFC 6026 §8.4).
        let mut answered = InviteClient::new(Tick(0), &reliable);
        answered.on_response(Tick(1), 200);
        assert_eq!(answered.poll_timeout(), Some((Tick(1) + T1 * 64, Timer::M)));
    }

    #[test]
    fn a_provisional_stops_both_timers() {
        let mut tx = new();
        assert_eq!(tx.on_response(Tick(1), 100), Act::Pass);
        assert_eq!(tx.on_response(Tick(2), 180), Act::Pass);
        assert_eq!(tx.poll_timeout(), None);
        assert!(tx.is_pending() && !tx.is_calling());
    }

    #[test]
    fn a_non_2xx_is_passed_once_and_acked_each_time_until_timer_d() {
        let mut tx = new();
        assert_eq!(tx.on_response(Tick(1), 486), Act::PassAndAck);
        assert_eq!(tx.on_response(Tick(2), 486), Act::Resend);
        assert_eq!(tx.on_response(Tick(3), 180), Act::Nothing);
        assert_eq!(tx.on_response(Tick(3), 200), Act::Nothing);
        assert_eq!(tx.poll_timeout(), Some((Tick(1) + T1 * 64, Timer::D)));
        assert_eq!(run(&mut tx, Tick::MAX), [(64, Act::Nothing)]);
        assert_eq!(tx.on_response(Tick::MAX, 486), Act::Nothing);
    }

    #[test]
    fn every_2xx_is_passed_until_timer_m_which_the_first_one_starts() {
        let mut tx = new();
        assert_eq!(tx.on_response(Tick(1), 200), Act::Pass);
        assert_eq!(tx.on_response(Tick(9), 200), Act::Pass);
        assert_eq!(tx.on_response(Tick(9), 486), Act::Nothing);
        assert_eq!(tx.poll_timeout(), Some((Tick(1) + T1 * 64, Timer::M)));
        run(&mut tx, Tick::MAX);
        assert_eq!(tx.on_response(Tick::MAX, 200), Act::Nothing);
    }

    #[test]
    fn an_unreachable_peer_counts_only_before_any_answer() {
        assert_eq!(new().on_unreachable(), Act::TimedOut);
        let mut tx = new();
        tx.on_response(Tick(1), 180);
        assert_eq!(tx.on_unreachable(), Act::Nothing);
    }
}
