//! One call, ours or theirs: where it stands, what it still waits for, and when.

use crate::base::{LegId, Tick, TrunkIx};
use crate::sip::packet::Packet;
use crate::sip::peer::Peer;
use crate::sip::sdp::{Local, Media};
use crate::sip::target::Target;
use crate::sip::transaction::{Act, InviteServer, Timer};

use super::api::{Cause, Counter, End, Event, Side};
use super::context::Cx;
use super::dialog::Dialog;
use super::refresh::Reinvite;
use super::request::{Purpose, Request};
use super::session_timer::SessionTimer;
use super::uac::Inviting;
use super::uas::Offered;

/// Requests of ours under way in one call; more are not sent.
pub(super) const MAX_REQUESTS: usize = 8;

#[derive(Debug)]
pub(super) struct Call {
    pub(super) leg: LegId,
    pub(super) trunk: TrunkIx,
    /// When the machine will look at this call; entries for other times are stale.
    pub(super) armed: Tick,
    pub(super) stage: Stage,
    pub(super) dialog: Option<Box<Dialog>>,
    pub(super) requests: Vec<Request>,
    /// A re-INVITE answered by 2xx and not yet ACKed.
    pub(super) answering: Option<Box<Answering>>,
    /// A re-INVITE of ours without a final answer.
    pub(super) reinvite: Option<Box<Reinvite>>,
    pub(super) timer: Option<Box<SessionTimer>>,
    pub(super) local: Option<Local>,
    pub(super) media: Option<Media>,
    /// Version in the origin line of what we sent last (RFC 3264 §8).
    pub(super) sdp_version: u32,
    /// A REFER of ours or theirs has not come to its end.
    pub(super) referring: bool,
    /// We placed the call: the Call-ID is ours.
    pub(super) owner: bool,
    /// The peer serves UPDATE.
    pub(super) updates: bool,
    /// Reported by the BYE or CANCEL under way once it is through.
    pub(super) ending: Option<End>,
    /// `Ended` was reported.
    pub(super) over: bool,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE waits for its final answer.
    Inviting(Box<Inviting>),
    /// Their INVITE waits for our final answer, or for the ACK of it.
    Offered(Box<Offered>),
    /// Answered, and until the end.
    Up,
}

/// See `Call::answering`.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) cseq: u32,
    pub(super) tx: InviteServer,
    pub(super) bytes: Packet,
    pub(super) to: Target,
    /// We made the offer; the ACK brings the answer.
    pub(super) late_offer: bool,
}

impl Call {
    pub(super) fn new(leg: LegId, trunk: TrunkIx, stage: Stage) -> Self {
        Self {
            leg,
            trunk,
            armed: Tick::MAX,
            stage,
            dialog: None,
            requests: Vec::new(),
            answering: None,
            reinvite: None,
            timer: None,
            local: None,
            media: None,
            sdp_version: 1,
            referring: false,
            owner: false,
            updates: false,
            ending: None,
            over: false,
        }
    }

    /// Reports the end, once.
    pub(super) fn finish(&mut self, cx: &mut Cx, end: End) {
        if self.over {
            return;
        }
        self.over = true;
        self.ending = None;
        if !matches!(self.stage, Stage::Offered(_)) {
            self.stage = Stage::Up;
        }
        self.answering = None;
        self.reinvite = None;
        self.timer = None;
        self.requests.retain(|request| matches!(request.purpose, Purpose::Bye | Purpose::ForkBye));
        cx.event(self.leg, Event::Ended(end));
    }

    /// The target of the trunk that it is at; `None` before one is known.
    pub(super) fn there(&self) -> Option<Target> {
        match (&self.dialog, &self.stage) {
            (Some(dialog), _) => Some(dialog.dest),
            (None, Stage::Inviting(inviting)) => Some(inviting.to),
            (None, Stage::Offered(offered)) => Some(offered.from),
            (None, Stage::Up) => None,
        }
    }

    /// Our Contact towards it.
    pub(super) fn contact(&self, cx: &Cx) -> Target {
        let peer = cx.peer(self.trunk);
        let there = self.there().or(peer.map(Peer::target)).unwrap_or(Target::udp(cx.config.local));
        cx.config.contact(peer, there)
    }

    /// Nothing is left to wait for.
    pub(super) fn is_done(&self) -> bool {
        let waiting = match &self.stage {
            Stage::Inviting(_) => true,
            Stage::Offered(offered) => !offered.tx.is_settled() || !self.over,
            Stage::Up => !self.over,
        };
        !waiting && self.requests.is_empty()
    }

    pub(super) fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        let stage = match &self.stage {
            Stage::Inviting(inviting) => inviting.poll_timeout(),
            Stage::Offered(offered) => offered.tx.poll_timeout(),
            Stage::Up => None,
        };
        let requests = self.requests.iter().filter_map(|request| request.tx.poll_timeout());
        let answering = self.answering.as_ref().and_then(|answering| answering.tx.poll_timeout());
        let reinvite = self.reinvite.as_ref().and_then(|reinvite| reinvite.poll_timeout());
        let session = self.timer.as_ref().map(|timer| timer.poll_timeout());
        requests.chain(stage).chain(answering).chain(reinvite).chain(session).min()
    }

    /// Runs every timer that is due.
    pub(super) fn on_timeout(&mut self, cx: &mut Cx, now: Tick) {
        match self.stage {
            Stage::Inviting(_) => self.inviting_timeout(cx, now),
            Stage::Offered(_) => self.offered_timeout(cx, now),
            Stage::Up => {}
        }
        self.requests_timeout(cx, now);
        self.reinvite_timeout(cx, now);
        self.session_timeout(cx, now);
        let Some(answering) = &mut self.answering else { return };
        if answering.tx.poll_timeout().is_none_or(|(at, _)| at > now) {
            return;
        }
        match answering.tx.on_timeout(now) {
            Act::Resend => {
                cx.count(Counter::Resent);
                let (to, bytes) = (answering.to, answering.bytes.clone());
                cx.send(to, bytes);
            }
            // Nobody ACKs our answer: the dialog is to be ended (RFC 3261 §14.2, §13.3.1.4).
            Act::TimedOut => {
                self.answering = None;
                self.bye(cx, now, End { cause: Cause::NoAck, by: Side::Nobody, ..End::answered() });
            }
            Act::Nothing | Act::Pass | Act::PassAndAck => self.answering = None,
        }
    }
}

impl End {
    /// A BYE in an answered call, by the other side.
    pub(super) const fn answered() -> Self {
        let (cause, status, by) = (Cause::Bye, Some(200), Side::Them);
        Self { cause, status, q850: None, retry_after_s: None, by, answered: true, unheard: false }
    }

    /// Never answered, by nobody.
    pub(super) const fn silent(cause: Cause) -> Self {
        let by = Side::Nobody;
        Self { cause, status: None, q850: None, retry_after_s: None, by, answered: false, unheard: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::ua::api::Invite;
    use crate::sip::ua::early::Fork;

    #[test]
    fn a_ringing_call_with_eight_forks_is_far_below_eight_kilobytes() {
        let fixed = size_of::<Call>() + size_of::<Inviting>() + size_of::<Invite>() + 8 * size_of::<Fork>();
        let (datagram, texts) = (1_300, 300);
        assert!(fixed + datagram + texts < 4_608, "{fixed}");
        assert!(size_of::<Call>() <= 512, "what few calls have is boxed: {}", size_of::<Call>());
    }
}
