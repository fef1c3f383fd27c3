//! SDP offer and answer for one audio stream (RFC 3264, RFC 4566): G.711 in both laws and RFC 4733 key presses.

mod build;
mod crypto;
mod parse;

use std::net::SocketAddr;

pub use build::{write_answer, write_offer};
pub use crypto::{MasterKey, Secret, Srtp, Suite};
pub use parse::{Format, Session};

/// Payload type under which we ask for key presses (RFC 4733).
pub const EVENT_PAYLOAD_TYPE: u8 = 101;

/// What we can hear and say (RFC 3551 §4.5.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A-law, payload type 8.
    Pcma,
    /// µ-law, payload type 0.
    Pcmu,
}

impl Codec {
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
        }
    }

    const fn rtpmap(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA/8000",
            Self::Pcmu => "PCMU/8000",
        }
    }
}

/// Our side of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// Where we receive RTP.
    pub rtp: SocketAddr,
    /// First in our offers. In answers the offer's order decides.
    pub prefer: Codec,
    /// Behind our keys, where this leg speaks SRTP and nothing else.
    pub srtp: Option<Secret>,
}

impl Local {
    /// For a later offer in a call: its codec first, and its suite alone.
    #[must_use]
    pub fn keeping(self, agreed: &Media) -> Self {
        Self { prefer: agreed.codec, srtp: self.srtp.map(|secret| secret.keeping(agreed.srtp)), ..self }
    }
}

/// Who may send, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub const fn of(send: bool, receive: bool) -> Self {
        match (send, receive) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub const fn can_send(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub const fn can_receive(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::of(self.can_receive(), self.can_send())
    }

    const fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// A stream as both sides agreed on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// Where our RTP goes. Unspecified address (0.0.0.0) while they hold us the old way; `direction` forbids sending then.
    pub remote: SocketAddr,
    /// Where our RTCP goes: the next port, unless they name another (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    pub codec: Codec,
    /// Of the audio we send.
    pub payload_type: u8,
    /// Of the key presses we send; `None` where the other side takes none.
    pub event_payload_type: Option<u8>,
    /// Of the key presses we receive.
    pub recv_event_payload_type: Option<u8>,
    /// Milliseconds of audio per packet that the other side wants.
    pub ptime_ms: u8,
    pub direction: Direction,
    /// `None`: RTP in the clear.
    pub srtp: Option<Srtp>,
}
