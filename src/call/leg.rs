//! The vocabulary between an attempt and whatever carries its leg: `line` in life, a simulated carrier in `sim`.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Tick, TrunkIx};
use crate::campaign::Prompt;
use crate::contact::CallResult;

use super::MediaQuality;

/// What an attempt asks of its leg. After `Ended` or `NotSent` no command has an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegCommand {
    Dial(Dial),
    /// Plays from the start, in place of what plays now. `PlayDone` follows unless something cuts it short.
    Play(Prompt),
    StopPlay,
    /// Blind transfer (RFC 3515) to the queue's URI. `Referred` follows, once.
    Refer {
        target: String,
    },
    /// CANCEL while unanswered, BYE afterwards, whichever the dialog allows. `Ended` follows.
    Hangup,
}

/// The number itself is not here: it travels from the store to the line past the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    pub trunk: TrunkIx,
    /// How many trunks were tried before this one, at most 15: each has a branch of its own in one and the same call.
    pub hop: u8,
    /// As it goes into From and P-Asserted-Identity: one of the trunk's own numbers.
    pub caller_id: Arc<str>,
    /// From the first provisional answer; then CANCEL.
    pub ring: Duration,
    /// The permit of the authorising transaction. Past it the line answers `NotSent` and puts nothing on the wire.
    pub permit_until: Tick,
}

/// What a leg reports. Exactly one of `NotSent` and `Ended` closes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegEvent {
    /// The INVITE has left.
    Sent,
    NotSent(NotSent),
    /// The first 18x without media.
    Ringing,
    /// The first 18x with SDP: what is heard now is the network's.
    EarlyMedia,
    Answered,
    /// RFC 4733, once per key press.
    Digit(Digit),
    PlayDone,
    /// The transfer's fate: true once the other side is through (final 2xx in the NOTIFY), false if it is not.
    Referred {
        ok: bool,
    },
    /// No RTP for the configured time in an answered call. The attempt decides what to do.
    Silent,
    Ended(LegEnd),
}

/// Why it is certain that nothing went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    PermitExpired,
    TrunkFull,
    /// The trunk cannot be reached or resolved.
    TrunkDown,
    /// No RTP port was free.
    NoMediaPort,
    /// The trunk's list does not let the number out. The gate should have said so.
    NotAllowed,
    /// The trunk takes signed calls alone, and nobody signed this one.
    NotSigned,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegEnd {
    /// For a leg that was never answered: why, by the table in docs/SIP-RESULTS.md. `None` once it was answered.
    pub unanswered: Option<CallResult>,
    /// The final status, where there was one.
    pub sip_status: Option<u16>,
    /// Q.850 cause of a Reason header (RFC 3326).
    pub q850: Option<u8>,
    pub by: ReleaseSide,
    /// Of a leg that had media.
    pub media: Option<Box<MediaQuality>>,
    /// It is certain that nobody behind the trunk has heard of the call: another trunk may place it.
    pub unheard: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseSide {
    Us,
    Them,
    /// A timer, a transport failure, or a crash.
    Nobody,
}

/// One of `0`–`9`, `*`, `#`, `A`–`D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    pub fn new(key: char) -> Option<Self> {
        matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(Self(key as u8))
    }

    pub fn key(self) -> char {
        char::from(self.0)
    }
}

impl ReleaseSide {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Them => "them",
            Self::Nobody => "nobody",
        }
    }
}
