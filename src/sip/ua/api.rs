//! What goes into the user agent and what comes out of it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{LegId, Pii, Tick, TrunkIx};
use crate::sip::identity::Identity;
use crate::sip::keyring::Unanswered;
use crate::sip::packet::Packet;
use crate::sip::peer::Peer;
use crate::sip::register::Report;
use crate::sip::sdp::{Local, Media, Session};
use crate::sip::target::{Target, Transport};
use crate::sip::transaction::Times;

/// Settings of one `Ua`.
#[derive(Clone)]
pub struct Config {
    /// Our own address as the peers see it: Via sent-by and Contact.
    pub local: SocketAddr,
    /// Where we take connections, as the peers see it. They come from peers alone.
    pub local_tcp: Option<SocketAddr>,
    pub local_tls: Option<SocketAddr>,
    /// Server or User-Agent header.
    pub user_agent: String,
    /// Behind branches and tags. It must be the same after a restart, or nothing can be recovered.
    pub key: [u8; 32],
    pub times: Times,
    /// Answers inbound INVITEs as events. Off: they get 480 and are counted.
    pub server: bool,
    /// Indexed by `TrunkIx`.
    pub peers: Vec<Peer>,
    /// How long a call of ours may go on without being refreshed (RFC 4028); a peer that knows nothing of it is not asked.
    pub session_expires_s: u32,
    /// Behind the Call-IDs of REGISTER and OPTIONS and the pauses of registrations: another one in each process
    /// (RFC 3261 §10.2).
    pub seed: u64,
    /// Calls at a time; an INVITE past it is refused, ours and theirs.
    pub max_calls: usize,
}

impl Config {
    pub fn new(local: SocketAddr, key: [u8; 32]) -> Self {
        Self {
            local,
            local_tcp: None,
            local_tls: None,
            user_agent: "goldenhour".to_owned(),
            key,
            times: Times::default(),
            server: false,
            peers: Vec::new(),
            session_expires_s: 1_800,
            seed: 0,
            max_calls: 100_000,
        }
    }

    /// Our sent-by over this transport. It is the same after a restart: what a crash left is cancelled by it.
    pub fn sent_by(&self, transport: Transport) -> Target {
        Target::new(transport, self.listener(transport).unwrap_or(self.local))
    }

    /// Where this peer reaches us within a dialog: where we listen, else by the connection that we have to `there`.
    pub fn contact(&self, peer: Option<&Peer>, there: Target) -> Target {
        let transport = peer.map_or(Transport::Udp, |peer| peer.transport);
        let end = peer.and_then(|peer| peer.our_end_at(there));
        Target::new(transport, self.listener(transport).or(end).unwrap_or(self.local))
    }

    fn listener(&self, transport: Transport) -> Option<SocketAddr> {
        match transport {
            Transport::Udp => Some(self.local),
            Transport::Tcp => self.local_tcp,
            Transport::Tls => self.local_tls,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({}, {} peers, server {})", self.local, self.peers.len(), self.server)
    }
}

#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram as it came.
    Datagram {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// A message that was cut out of a stream; `from` says which.
    Framed {
        from: Target,
        bytes: &'a [u8],
    },
    /// A connection to a peer stands; `ours` is our end of it.
    Connected {
        to: Target,
        ours: SocketAddr,
    },
    /// A message of ours never left: there was no connection to take it, and none could be made. Not one byte is out.
    Unsent {
        to: Target,
        bytes: &'a [u8],
    },
    Command(Command),
    /// The network said that this address cannot be reached (ICMP). Unanswered INVITEs to it end as `Unreachable`.
    Unreachable {
        to: SocketAddr,
    },
    /// Take every registration back. Nothing is registered after that.
    Unregister,
    /// Time passed; send it when `poll_timeout` is due. Every other input runs due timers too.
    Timeout,
}

#[derive(Debug)]
pub enum Command {
    Invite(Box<Invite>),
    /// CANCEL before the answer (as soon as a 1xx allows it), BYE afterwards, 480 for a call that came to us.
    Hangup {
        leg: LegId,
    },
    /// Blind transfer. `ReferProgress` follows.
    Refer {
        leg: LegId,
        target: String,
    },
    /// Attended transfer: the peers of these two answered legs talk to each other (RFC 3891). `ReferProgress` of `leg`
    /// follows; whoever asked ends `with` once it has come about.
    Transfer {
        leg: LegId,
        with: LegId,
    },
    /// Asks whether a peer is there (RFC 3261 §11). One `Pong` follows, unless the peers are replaced before it comes; a
    /// question that is still open is not asked again.
    Options {
        trunk: TrunkIx,
    },
    /// Server mode: 101–199, with media for early audio.
    Provisional {
        leg: LegId,
        status: u16,
        media: Option<Local>,
    },
    /// Server mode: 200 with our answer, or our offer where the INVITE had none.
    Accept {
        leg: LegId,
        media: Local,
    },
    /// Server mode: 300–699, with a Q.850 cause as Reason where given.
    Reject {
        leg: LegId,
        status: u16,
        q850: Option<u8>,
        retry_after_s: Option<u32>,
    },
    /// Server mode: reports on a REFER; a status of 200 and above is the last report.
    NotifyRefer {
        leg: LegId,
        status: u16,
    },
}

/// A call to place. The leg's id is the Call-ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub leg: LegId,
    pub trunk: TrunkIx,
    /// How many trunks were tried before under this id, at most 15: part of the branch.
    pub hop: u8,
    /// Past this no further target of the trunk is tried.
    pub permit_until: Tick,
    /// `sip:+999100000001@127.0.0.1:5080`; To names the same.
    pub request_uri: Pii<String>,
    /// User part of From: one of the trunk's own numbers.
    pub from_user: Pii<String>,
    pub from_display: Option<String>,
    /// User part of P-Asserted-Identity (RFC 3325), for trusted peers alone.
    pub asserted: Option<Pii<String>>,
    /// Goes with this call as whoever signed it has made it (RFC 8224).
    pub identity: Option<Identity>,
    /// From the first provisional answer; then CANCEL.
    pub ring_timeout: Duration,
    pub media: Local,
}

#[derive(Debug)]
pub enum Output {
    Send {
        to: Target,
        bytes: Packet,
    },
    Event {
        leg: LegId,
        event: Event,
    },
    /// To be kept where a crash does not reach it, so that `recovery` can end the dialog.
    Journal(Box<DialogFacts>),
    /// An INVITE that is about to go where nobody would look for it after a crash. To be kept as `Journal` is.
    Tried(Tried),
    /// The peer asked for credentials and did not get them, so that the request failed.
    Unauthorised {
        trunk: TrunkIx,
        why: Unanswered,
    },
    /// How the registration of this trunk stands.
    Registration {
        trunk: TrunkIx,
        report: Report,
    },
    /// What came of an `Options`.
    Pong {
        trunk: TrunkIx,
        pong: Pong,
    },
    Count(Counter),
}

/// What an OPTIONS came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pong {
    /// A final answer; a challenge that we have credentials for was answered before.
    Answered { status: u16, retry_after_s: Option<u32> },
    /// None within 8·T1.
    Silence,
    /// The network said that nobody is there, or no connection took it.
    Unreachable,
}

/// What a leg reports. Exactly one `Ended` closes it; after that no command has an effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first 100 Trying.
    Trying,
    /// Each first 18x of a fork without media.
    Ringing {
        status: u16,
    },
    /// Early media of a fork, counted from 0 in order of appearance. The last one heard counts. `status` is 183 where an
    /// UPDATE moved it.
    EarlyMedia {
        fork: u8,
        status: u16,
        media: Media,
    },
    /// A 2xx with usable media, already ACKed.
    Answered {
        media: Media,
    },
    /// A re-INVITE or UPDATE of the peer, already answered: other address, other direction.
    MediaChanged {
        media: Media,
    },
    /// By INFO; RFC 4733 digits come with the RTP.
    Digit {
        key: char,
    },
    /// The fate of our REFER: sipfrag status of a NOTIFY, or the final refusal of the REFER itself. `last` closes it.
    ReferProgress {
        status: u16,
        last: bool,
    },
    Ended(End),
    /// Server mode: an INVITE came.
    Incoming(Box<Incoming>),
    /// Server mode: the ACK of our 2xx came; media as negotiated.
    Acked {
        media: Media,
    },
    /// Server mode: a REFER came and was accepted with 202. Answer with `NotifyRefer`.
    Refer {
        target: Pii<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    pub from: SocketAddr,
    /// Display only: what is not UTF-8 is read as GB18030.
    pub from_user: Pii<String>,
    pub to_user: Pii<String>,
    /// `None` for a late offer. What we would answer is `offer.answer(local)`.
    pub offer: Option<Session>,
}

/// Why and how a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub cause: Cause,
    /// The final status of the INVITE, where there was one.
    pub status: Option<u16>,
    /// Q.850 cause of a Reason header (RFC 3326): of the final answer, of a provisional one before it, or of the BYE.
    pub q850: Option<u8>,
    pub retry_after_s: Option<u32>,
    pub by: Side,
    /// Whether a 2xx went by: somebody picked up, even if the call came to nothing.
    pub answered: bool,
    /// It is certain that nobody behind the trunk has heard of the call: refused by 503 or not reached, before any
    /// provisional answer. It may be placed over another trunk (RFC 3261 §21.5.4).
    pub unheard: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Us,
    Them,
    /// A timer or the network.
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A final answer of 300 and above; `status` says which. Not followed where it is 3xx.
    Refused,
    /// No answer at all until Timer B: doubt, never a reason to try again. In a dialog: no answer to our request.
    NoReply,
    /// Rang and then nothing: no final answer to INVITE and CANCEL for 64·T1 after the CANCEL.
    NoFinal,
    /// The network said so before any provisional answer.
    Unreachable,
    /// Cancelled by the ring timeout. With `answered` set the 2xx crossed our CANCEL and was ended by BYE.
    RingTimeout,
    /// Cancelled on command, or by the caller in server mode.
    Cancelled,
    /// BYE by either side.
    Bye,
    /// A 2xx whose media we cannot use; ACKed and ended by BYE.
    BadMedia,
    /// Server mode: our 2xx was never ACKed; ended by BYE.
    NoAck,
    /// The peer no longer knows the dialog (481 or 408 to a request of ours).
    Gone,
    /// Nobody refreshed the session (RFC 4028 §10); ended by BYE.
    Expired,
    /// The command cannot be carried out: malformed URI, unknown trunk, leg in use, too many calls. Nothing was sent.
    NotSent,
}

/// What must survive a crash to end a dialog by BYE. It holds numbers in `remote_target`.
#[derive(Clone, PartialEq, Eq)]
pub struct DialogFacts {
    pub leg: LegId,
    pub trunk: TrunkIx,
    /// Where requests of this dialog go.
    pub dest: Target,
    /// False for a dialog known from a 1xx.
    pub confirmed: bool,
    /// CSeq of the INVITE: 1, or more after authentication.
    pub cseq: u32,
    pub to_tag: Box<[u8]>,
    pub remote_target: Box<[u8]>,
    /// Values for Route, in order, separated by commas; empty for none.
    pub routes: Box<[u8]>,
}

/// Where the last INVITE of a leg went, for its CANCEL after a crash: a name may lead elsewhere by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    pub leg: LegId,
    pub trunk: TrunkIx,
    /// As the branch has it; see `Hop::Invite`.
    pub hop: u8,
    pub dest: Target,
}

impl fmt::Debug for DialogFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DialogFacts({}, cseq {}, confirmed {})", self.leg.0, self.cseq, self.confirmed)
    }
}

/// What happened without belonging to a leg, one at a time, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// A datagram from an address that is no peer's.
    UnknownSource,
    /// A datagram that is no SIP message.
    Unreadable,
    /// A response that belongs to nothing.
    StrayResponse,
    /// A request refused before it reached a call (400, 405, 420, 481, 501, ...).
    RequestRefused,
    /// An INVITE while inbound calls are off.
    InboundInvite,
    /// A datagram sent again on a timer.
    Resent,
    /// A message of the peer that we had already answered.
    Repeated,
    /// A 2xx of another fork, or of an INVITE we no longer know: ended by ACK and BYE.
    ForkEnded,
    /// Answers with digest credentials.
    Authenticated,
    /// An `Invite` for a leg that is still alive: ignored, so that nobody is called twice.
    LegInUse,
}
