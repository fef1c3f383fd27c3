//! Where the peer's packets really come from, behind a NAT that its SDP does not know: learned once, under guard, and only
//! where the trunk was told to.

use std::net::SocketAddr;
use std::time::Duration;

use super::Header;
use crate::base::Tick;

/// Packets in sequence, of one source, that it takes: a few sprayed at all our ports are no voice.
const PROBATION: u8 = 4;

/// Nothing is learned later than this after the answer: a caller behind a NAT speaks or sends silence at once.
const WINDOW: Duration = Duration::from_secs(5);

/// Open until the window is over, the negotiated address was heard, or an address was learned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latch {
    negotiated: SocketAddr,
    open_until: Option<Tick>,
    candidate: Option<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    next_seq: u16,
    packets: u8,
}

impl Latch {
    pub(super) fn open(now: Tick, negotiated: SocketAddr) -> Self {
        Self { negotiated, open_until: Some(now + WINDOW), candidate: None }
    }

    pub(super) fn negotiated(&self) -> SocketAddr {
        self.negotiated
    }

    pub(super) fn close(&mut self) {
        (self.open_until, self.candidate) = (None, None);
    }

    /// A packet of sound from an address that was not negotiated. True if that is where the peer is, from now on.
    pub(super) fn learns(&mut self, now: Tick, from: SocketAddr, header: &Header) -> bool {
        if self.open_until.is_none_or(|until| until < now) {
            return false;
        }
        let packets = match self.candidate {
            Some(known) if known.from == from && known.ssrc == header.ssrc && known.next_seq == header.seq => {
                known.packets + 1
            }
            Some(_) | None => 1,
        };
        self.candidate = Some(Candidate { from, ssrc: header.ssrc, next_seq: header.seq.wrapping_add(1), packets });
        if packets < PROBATION {
            return false;
        }
        self.close();
        true
    }
}
