//! What one call showed to be wrong with its trunk, in words for a log: results and outcomes say what came of the call.

use std::net::SocketAddr;

use crate::media::{OneWay, Stats};
use crate::sip::{Cause, End};

use super::health::Verdict;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("the gateway refuses calls: it answers {0}")]
    Refused(u16),
    #[error("the gateway does not answer calls at all")]
    Unanswered,
    #[error("the gateway cannot be reached: nobody listens there, or its connection does not stand")]
    Unreachable,
    #[error("one-way audio: no RTP came from the gateway")]
    Deaf,
    #[error(
        "one-way audio: RTP came from {0} and not from the address that the gateway's SDP names, so it was not heard"
    )]
    Elsewhere(SocketAddr),
    #[error("one-way audio: what came from the gateway was not SRTP under the agreed key")]
    Unverified,
    #[error("one-way audio: the gateway reports that it hears nothing of us")]
    Mute,
}

impl Trouble {
    pub(super) fn of_call(end: &End, verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Reached | Verdict::Nothing => None,
            Verdict::Failed | Verdict::Overloaded(_) => Some(match end.status {
                Some(status) => Self::Refused(status),
                None if end.cause == Cause::Unreachable => Self::Unreachable,
                None => Self::Unanswered,
            }),
        }
    }

    pub(super) fn of_sound(stats: &Stats) -> Option<Self> {
        Some(match stats.one_way()? {
            OneWay::TheyHearNothing => Self::Mute,
            OneWay::WeHearNothing => match stats.elsewhere {
                Some(from) => Self::Elsewhere(from),
                None if stats.unverified > 0 => Self::Unverified,
                None => Self::Deaf,
            },
        })
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Refused(401 | 407) => "compare `auth` of the trunk with the account at the gateway",
            Self::Refused(503) => "it is full or shut, or what lies behind it is: ask whoever runs it",
            Self::Refused(_) => "ask whoever runs it with the Call-ID, which is the attempt's id",
            Self::Unanswered => "is the way there and back open, and does it know our address?",
            Self::Unreachable => "is it up, and is the `uri` of the trunk right?",
            Self::Deaf => "does RTP reach `sip.media.address` and `sip.media.ports` through firewalls and NAT?",
            Self::Elsewhere(_) => {
                "the gateway is behind a NAT that its SDP does not know: mend it there, or `learn_media_address: true`"
            }
            Self::Unverified => {
                "do both sides take the keys from the same offer and answer? A B2BUA between may change them"
            }
            Self::Mute => {
                "is `sip.media.address` the address that the gateway sees, and is the way open to its RTP ports?"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_from_the_negotiated_address_is_told_by_what_came_instead() {
        let silent = Stats { sent: 200, both_ways: true, ..Stats::default() };
        assert_eq!(Trouble::of_sound(&silent), Some(Trouble::Deaf));
        let from = SocketAddr::from(([192, 0, 2, 7], 4_000));
        let natted = Stats { foreign: 190, elsewhere: Some(from), ..silent };
        assert_eq!(Trouble::of_sound(&natted), Some(Trouble::Elsewhere(from)));
        assert_eq!(Trouble::of_sound(&Stats { unverified: 190, ..silent }), Some(Trouble::Unverified));
        assert_eq!(Trouble::of_sound(&Stats { sent: 20, ..natted }), None, "too short to say");
    }
}
