//! The four transactions of RFC 3261 §17 with the corrections of RFC 6026, as tables in virtual time. They hold no bytes
//! and send nothing: they say what is to be done.

mod invite_client;
mod invite_server;
mod request_client;
mod request_server;

use std::time::Duration;

use crate::base::Tick;
use crate::sip::target::Transport;

pub use invite_client::InviteClient;
pub use invite_server::InviteServer;
pub use request_client::RequestClient;
pub use request_server::RequestServer;

/// Base intervals (RFC 3261 §17.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Estimate of the round trip.
    pub t1: Duration,
    /// Longest interval between retransmissions.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
    /// The transport sends lost bytes again: Timers A, E and G are off, D, I, J and K zero.
    pub reliable: bool,
}

impl Default for Times {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5), reliable: false }
    }
}

impl Times {
    /// As the transactions over this transport keep them (RFC 3261 §17).
    pub fn over(self, transport: Transport) -> Self {
        Self { reliable: transport.is_reliable(), ..self }
    }

    /// When a message that was just sent is sent again for the first time.
    fn first_resend(&self, now: Tick) -> Tick {
        if self.reliable { Tick::MAX } else { now + self.t1 }
    }

    /// How long something may still come again that a reliable transport delivers once.
    fn absorb(&self, over_datagrams: Duration) -> Duration {
        if self.reliable { Duration::ZERO } else { over_datagrams }
    }

    /// 8·T1: how long a heartbeat waits for its answer. After 64·T1 many calls would have gone to a gateway that is not
    /// there; in 8·T1 the OPTIONS has gone out four times.
    pub fn patience(&self) -> Duration {
        self.t1 * 8
    }

    /// 64·T1: how long a transaction tries, and how long its answer is remembered.
    pub fn life(&self) -> Duration {
        self.t1 * 64
    }
}

/// Why the machine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Send the INVITE again: T1, doubling.
    A,
    /// No answer at all to the INVITE: 64·T1.
    B,
    /// Remember the ACK of a non-2xx: 64·T1 (at least 32 s over UDP).
    D,
    /// Send a request other than INVITE again: T1, doubling up to T2.
    E,
    /// No final answer to a request other than INVITE: 64·T1, and 8·T1 for the OPTIONS of a heartbeat.
    F,
    /// Send the final answer of an INVITE again: T1, doubling up to T2.
    G,
    /// No ACK for a final answer: 64·T1.
    H,
    /// Absorb further ACKs: T4.
    I,
    /// Remember the answer of a request other than INVITE: 64·T1.
    J,
    /// Absorb further final answers: T4.
    K,
    /// Absorb repetitions of an INVITE answered by 2xx (RFC 6026): 64·T1.
    L,
    /// Remember the ACK of a 2xx (RFC 6026): 64·T1.
    M,
    /// It has rung long enough: the caller's own limit, from the first provisional answer.
    Ring,
    /// No final answer although we sent CANCEL: 64·T1 (RFC 3261 §9.1).
    Cancelled,
    /// Refresh the session: half of what was agreed (RFC 4028 §10).
    Refresh,
    /// Nobody refreshed the session: shortly before it expires (RFC 4028 §10).
    Session,
    /// Register: before the binding runs out, or some time after a failure.
    Register,
    /// The binding at the registrar has run out.
    Lapse,
}

/// What a transaction asks of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Nothing,
    /// Hand the message up.
    Pass,
    /// Hand the message up and send the ACK that belongs to this transaction.
    PassAndAck,
    /// Send what was sent last again.
    Resend,
    /// Nobody answered.
    TimedOut,
}
