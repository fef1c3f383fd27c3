//! What goes into the line and what comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::{LegId, Pii, TrunkIx};
use crate::call::{LegCommand, LegEvent, TrunkState};
use crate::sip::{self, DialogFacts, Identity, Packet, Target, Tried};

use super::{HealthTimer, Trouble};

#[derive(Debug)]
pub enum Input<'a> {
    /// `number` goes with `Dial` and with nothing else, and `identity` only where the call was signed.
    Command { leg: LegId, command: LegCommand, number: Option<Pii<String>>, identity: Option<Identity> },
    /// From the SIP socket.
    Datagram { from: SocketAddr, bytes: &'a [u8] },
    /// Cut out of a stream.
    Framed { from: Target, bytes: &'a [u8] },
    /// A connection to a trunk stands; `ours` is our end of it.
    Connected { to: Target, ours: SocketAddr },
    /// The connection to a trunk has gone: nothing can be dialled there until the next one stands.
    Disconnected { to: Target },
    /// This message found no connection: not one byte of it is out.
    Unsent { to: Target, bytes: &'a [u8] },
    /// From the socket bound to `port`: RTP on even ones, RTCP on odd ones.
    Rtp { port: u16, from: SocketAddr, bytes: &'a [u8] },
    /// The answer to `OpenPort`. A port that could not be opened is never asked for again.
    PortOpened { port: u16, ok: bool },
    /// The network said that this address cannot be reached (ICMP).
    Unreachable { to: SocketAddr },
    /// Ends what a crash left on the wire. Before the first command.
    Recover(Vec<RecoveredLeg>),
    /// Take every registration back: the shard ends.
    Unregister,
    /// `poll_timeout` has come.
    Timeout,
}

/// A leg that was authorised before a crash and has no outcome. All of it comes from the intent, but for the dialog,
/// which comes from the local journal.
#[derive(Clone, Debug)]
pub struct RecoveredLeg {
    pub leg: LegId,
    pub trunk: TrunkIx,
    pub number: Pii<String>,
    pub caller_id: Arc<str>,
    pub dialog: Option<Box<DialogFacts>>,
    /// Its last INVITE, as that journal knows it.
    pub tried: Option<Tried>,
}

/// After each `handle`, drain `poll_rtp` and this to `None`.
#[derive(Debug, PartialEq)]
pub enum Output {
    SendSip {
        to: Target,
        bytes: Packet,
    },
    Leg(LegId, LegEvent),
    /// Bind this RTP port and the one above for RTCP, keep them bound from now on, and answer with `PortOpened`. The INVITE waits for it.
    OpenPort(u16),
    /// To be written, without fsync, before any `SendSip` of the same round.
    Journal(Box<DialogFacts>),
    /// As `Journal`: an INVITE to a target that nobody would know after a crash.
    Tried(Tried),
    /// A gateway asked for credentials and did not get them: to be said in a log, for somebody has to look.
    Unauthorised {
        trunk: TrunkIx,
        why: sip::Unanswered,
    },
    /// What a call showed to be wrong with its trunk: to be said in a log, too.
    Trouble {
        leg: LegId,
        trunk: TrunkIx,
        what: Trouble,
    },
    /// How the registration of a trunk stands.
    Registration {
        trunk: TrunkIx,
        report: sip::Report,
    },
    /// A trunk stands otherwise than before: at the start each is up.
    Trunk {
        trunk: TrunkIx,
        state: TrunkState,
    },
    Count(Counter),
}

/// What happened without belonging to a leg, one at a time, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    Sip(sip::Counter),
    /// A `Dial` for a leg that is still alive: ignored, so that nobody is called twice.
    LegInUse,
    /// RTP for a port whose leg is over or not answered yet.
    StrayRtp,
    /// An RTP port of the range could not be bound.
    PortRefused,
    /// A `Dial` to a number that the trunk's list does not let out.
    NotAllowed,
}

/// Why to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Sip(sip::Timer),
    /// A frame is due, or a peer has been silent for too long.
    Media,
    /// A trunk is to be asked, or its pause is over.
    Health(HealthTimer),
    /// CANCEL and BYE of recovered legs go out again.
    Recovery,
}
