//! The INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §8.5). The repetition of a 2xx until its ACK belongs to the
//! user agent core (§13.3.1.4); it stands here because it is the same timer.

use std::time::Duration;

use crate::base::Tick;

use super::{Act, Timer, Times};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    /// A 2xx was sent; `acked` ends its repetition but not the transaction.
    Accepted {
        acked: bool,
    },
    Completed,
    Confirmed,
    Terminated,
}

/// From the INVITE that came in to the ACK of its final answer.
#[derive(Clone, Copy, Debug)]
pub struct InviteServer {
    state: State,
    interval: Duration,
    resend_at: Tick,
    end_at: Tick,
    times: Times,
}

impl InviteServer {
    pub fn new(times: &Times) -> Self {
        Self { state: State::Proceeding, interval: times.t1, resend_at: Tick::MAX, end_at: Tick::MAX, times: *times }
    }

    /// The same INVITE again.
    pub fn on_invite(&mut self) -> Act {
        match self.state {
            State::Proceeding | State::Completed => Act::Resend,
            State::Accepted { .. } | State::Confirmed | State::Terminated => Act::Nothing,
        }
    }

    /// We send a response. `Pass` if this state allows it.
    pub fn respond(&mut self, now: Tick, status: u16) -> Act {
        match (self.state, status) {
            (State::Proceeding, 100..=199) => Act::Pass,
            (State::Proceeding, 200..) => {
                self.state = if status < 300 { State::Accepted { acked: false } } else { State::Completed };
                // A 2xx is repeated by the user agent itself, over any transport (§13.3.1.4).
                let repeats = status < 300 || !self.times.reliable;
                self.resend_at = if repeats { now + self.interval } else { Tick::MAX };
                self.end_at = now + self.times.life();
                Act::Pass
            }
            (
                State::Proceeding | State::Accepted { .. } | State::Completed | State::Confirmed | State::Terminated,
                _,
            ) => Act::Nothing,
        }
    }

    /// `Pass` for the first ACK of a 2xx: the call stands.
    pub fn on_ack(&mut self, now: Tick) -> Act {
        match self.state {
            State::Accepted { acked: false } => {
                self.state = State::Accepted { acked: true };
                self.resend_at = Tick::MAX;
                Act::Pass
            }
            State::Completed => {
                self.state = State::Confirmed;
                self.resend_at = Tick::MAX;
                self.end_at = now + self.times.absorb(self.times.t4);
                Act::Nothing
            }
            State::Accepted { acked: true } | State::Proceeding | State::Confirmed | State::Terminated => Act::Nothing,
        }
    }

    pub fn on_timeout(&mut self, now: Tick) -> Act {
        if now >= self.end_at {
            let timed_out = matches!(self.state, State::Accepted { acked: false } | State::Completed);
            self.state = State::Terminated;
            self.resend_at = Tick::MAX;
            self.end_at = Tick::MAX;
            return if timed_out { Act::TimedOut } else { Act::Nothing };
        }
        if now >= self.resend_at {
            self.interval = (self.interval * 2).min(self.times.t2);
            self.resend_at = now + self.interval;
            return Act::Resend;
        }
        Act::Nothing
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        let end = match self.state {
            State::Proceeding | State::Terminated => return None,
            State::Accepted { acked: true } => Timer::L,
            State::Accepted { acked: false } | State::Completed => Timer::H,
            State::Confirmed => Timer::I,
        };
        Some(if self.resend_at < self.end_at { (self.resend_at, Timer::G) } else { (self.end_at, end) })
    }

    pub fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Waits for nothing but repetitions of the INVITE, or not even for those.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Accepted { acked: true } | State::Confirmed | State::Terminated)
    }

    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::target::Transport;

    fn answered(status: u16) -> InviteServer {
        let mut tx = InviteServer::new(&Times::default());
        assert_eq!(tx.respond(Tick(0), 180), Act::Pass);
        assert_eq!(tx.on_invite(), Act::Resend);
        assert_eq!(tx.poll_timeout(), None);
        assert_eq!(tx.respond(Tick(0), status), Act::Pass);
        assert_eq!(tx.respond(Tick(0), 486), Act::Nothing);
        tx
    }

    fn run(tx: &mut InviteServer) -> Vec<(u64, Act)> {
        let mut fired = Vec::new();
        while let Some((at, _)) = tx.poll_timeout() {
            fired.push((at.0 / 500_000, tx.on_timeout(at)));
        }
        fired
    }

    #[test]
    fn a_refusal_is_repeated_by_timer_g_until_timer_h() {
        let mut tx = answered(486);
        assert_eq!(tx.on_invite(), Act::Resend);
        let fired = run(&mut tx);
        assert_eq!(fired[..4], [1, 3, 7, 15].map(|at| (at, Act::Resend)));
        assert_eq!(fired.last(), Some(&(64, Act::TimedOut)));
        assert!(tx.is_terminated());
    }

    #[test]
    fn over_a_reliable_transport_a_refusal_goes_once_and_a_2xx_again() {
        let answered = |status| {
            let mut tx = InviteServer::new(&Times::default().over(Transport::Tcp));
            assert_eq!(tx.respond(Tick(0), status), Act::Pass);
            tx
        };
        let mut refused = answered(486);
        assert_eq!(run(&mut refused), [(64, Act::TimedOut)]);
        let mut refused = answered(486);
        refused.on_ack(Tick(7));
        assert_eq!(refused.poll_timeout(), Some((Tick(7), Timer::I)));
        assert_eq!(run(&mut answered(200))[..2], [(1, Act::Resend), (3, Act::Resend)]);
    }

    #[test]
    fn the_ack_of_a_refusal_starts_timer_i() {
        let mut tx = answered(486);
        assert_eq!(tx.on_ack(Tick(7)), Act::Nothing);
        assert_eq!(tx.on_invite(), Act::Nothing);
        assert_eq!(tx.poll_timeout(), Some((Tick(7) + Times::default().t4, Timer::I)));
        assert_eq!(run(&mut tx), [(10, Act::Nothing)]);
    }

    #[test]
    fn a_2xx_is_repeated_until_its_ack_which_passes_once_and_timer_l_absorbs_the_rest() {
        let mut tx = answered(200);
        assert_eq!(tx.on_invite(), Act::Nothing);
        assert_eq!(tx.poll_timeout().map(|(_, why)| why), Some(Timer::G));
        assert_eq!(tx.on_timeout(Tick(500_000)), Act::Resend);
        assert_eq!(tx.on_ack(Tick(600_000)), Act::Pass);
        assert_eq!(tx.on_ack(Tick(600_001)), Act::Nothing);
        assert_eq!(tx.poll_timeout(), Some((Tick(32_000_000), Timer::L)));
        assert_eq!(run(&mut tx), [(64, Act::Nothing)]);
    }

    #[test]
    fn a_2xx_without_ack_times_out() {
        assert_eq!(run(&mut answered(200)).last(), Some(&(64, Act::TimedOut)));
    }
}
