//! The non-INVITE server transaction (RFC 3261 §17.2.2). We answer at once, so Trying and Proceeding pass within one step.

use crate::base::Tick;

use super::{Act, Timer, Times};

/// A request that was answered and may come again.
#[derive(Clone, Copy, Debug)]
pub struct RequestServer {
    end_at: Tick,
}

impl RequestServer {
    /// The final answer has just been sent: Completed.
    pub fn answered(now: Tick, times: &Times) -> Self {
        Self { end_at: now + times.absorb(times.life()) }
    }

    /// The same request again.
    pub fn on_request(self, now: Tick) -> Act {
        if now < self.end_at { Act::Resend } else { Act::Nothing }
    }

    pub fn poll_timeout(self) -> (Tick, Timer) {
        (self.end_at, Timer::J)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::target::Transport;

    #[test]
    fn a_repetition_gets_the_same_answer_until_timer_j() {
        let tx = RequestServer::answered(Tick(5), &Times::default());
        assert_eq!(tx.poll_timeout(), (Tick(32_000_005), Timer::J));
        assert_eq!(tx.on_request(Tick(32_000_004)), Act::Resend);
        assert_eq!(tx.on_request(Tick(32_000_005)), Act::Nothing);
    }

    #[test]
    fn over_a_reliable_transport_nothing_is_remembered() {
        let tx = RequestServer::answered(Tick(5), &Times::default().over(Transport::Tcp));
        assert_eq!(tx.poll_timeout(), (Tick(5), Timer::J));
    }
}
