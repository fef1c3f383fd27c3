//! The calling side: from our INVITE to its final answer (RFC 3261 §13.2, §9.1, §22.2).

use crate::base::Tick;
use crate::sip::ids::Branch;
use crate::sip::invite::{Asking, Caller, as_datagram, is_safe_uri, write_ack, write_cancel};
use crate::sip::keyring::Tries;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::sdp::{Local, Media, Session};
use crate::sip::target::{Target, Transport};
use crate::sip::transaction::{Act, InviteClient, Timer};
use crate::sip::writer::written;

use super::api::{Cause, Counter, DialogFacts, End, Event, Invite, Output, Side, Tried};
use super::call::{Call, Stage};
use super::context::Cx;
use super::dialog::Dialog;
use super::early::{Fork, dialog_of};
use super::echo::Key;
use super::request::Purpose;
use super::session_timer::longer;

/// Our INVITE under way.
#[derive(Debug)]
pub(super) struct Inviting {
    pub(super) invite: Box<Invite>,
    pub(super) tx: InviteClient,
    pub(super) bytes: Packet,
    pub(super) to: Target,
    /// Targets of the trunk that were not tried yet, the next one last.
    left: Vec<Target>,
    /// The number of this one; see `Hop::Invite`.
    at: u8,
    branch: Branch,
    pub(super) cseq: u32,
    /// What a 422 asked for; 0 where none did.
    min_se_s: u32,
    /// The last cause that a provisional answer gave, for a final one that gives none (RFC 6432).
    pub(super) q850: Option<u8>,
    cancel: Cancel,
    ring_until: Tick,
    /// Some target has answered something provisional: somebody may know of the call.
    heard: bool,
    trying: bool,
    pub(super) forks: Vec<Fork>,
    tries: Tries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancel {
    No,
    /// As soon as a provisional answer allows it.
    Wanted(Cause),
    Sent {
        why: Cause,
        give_up: Tick,
    },
}

impl Inviting {
    pub(super) fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        let ring = (self.ring_until, Timer::Ring);
        let give_up = match self.cancel {
            Cancel::Sent { give_up, .. } => (give_up, Timer::Cancelled),
            Cancel::No | Cancel::Wanted(_) => (Tick::MAX, Timer::Cancelled),
        };
        self.tx.poll_timeout().into_iter().chain([ring, give_up]).min().filter(|(at, _)| *at < Tick::MAX)
    }

    /// Nobody behind the trunk can know of it, and we still want it.
    fn is_unheard(&self) -> bool {
        !self.heard && self.cancel == Cancel::No
    }

    /// The INVITE once more, as it must read by now. False where it cannot be written.
    fn send(&mut self, cx: &mut Cx, now: Tick, to: Target) -> bool {
        let asking = Asking { cseq: self.cseq, min_se_s: self.min_se_s, at: self.at };
        let Some((to, bytes, branch)) = dispatch(cx, &self.invite, asking, to) else { return false };
        (self.to, self.bytes, self.branch) = (to, bytes, branch);
        self.tx = InviteClient::new(now, &cx.config.times.over(to.transport));
        self.ring_until = Tick::MAX;
        self.forks.clear();
        true
    }
}

impl Call {
    /// Sends the first INVITE. `None` where it cannot be sent.
    pub(super) fn place(cx: &mut Cx, now: Tick, invite: Box<Invite>) -> Option<Self> {
        is_safe_uri(invite.request_uri.reveal()).then_some(())?;
        let trunk = invite.trunk;
        let (leg, local) = (invite.leg, invite.media);
        let (cseq, min_se_s, at) = (1, 0, first_at(invite.hop));
        let (first, left) = cx.ways(&invite, now)?;
        let (to, bytes, branch) = dispatch(cx, &invite, Asking { cseq, min_se_s, at }, first)?;
        let tx = InviteClient::new(now, &cx.config.times.over(to.transport));
        let ring_until = Tick::MAX;
        let cancel = Cancel::No;
        let (heard, trying, forks, q850, tries) = (false, false, Vec::new(), None, Tries::default());
        #[rustfmt::skip]
        let inviting = Inviting {
            invite, tx, bytes, to, left, at, branch, cseq, min_se_s, q850, cancel, ring_until, heard, trying, forks, tries,
        };
        let mut call = Self::new(leg, trunk, Stage::Inviting(Box::new(inviting)));
        call.local = Some(local);
        call.owner = true;
        Some(call)
    }

    /// CANCEL now, or as soon as it is allowed.
    pub(super) fn cancel(&mut self, cx: &mut Cx, now: Tick, why: Cause) {
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        inviting.ring_until = Tick::MAX;
        match inviting.cancel {
            Cancel::Sent { .. } => return,
            Cancel::No | Cancel::Wanted(_) if inviting.tx.is_calling() => {
                inviting.cancel = Cancel::Wanted(why);
                return;
            }
            Cancel::No | Cancel::Wanted(_) => {}
        }
        let Ok(invite) = Message::parse(&inviting.bytes) else { return };
        inviting.cancel = Cancel::Sent { why, give_up: cx.deadline(now) };
        write_cancel(&invite, &mut cx.scratch);
        let (bytes, to, cseq) = (cx.packet(), inviting.to, inviting.cseq);
        self.launch(cx, now, Purpose::Cancel, cseq, to, bytes);
    }

    /// Our INVITE found no connection: nobody has heard of it.
    pub(super) fn on_invite_unsent(&mut self, cx: &mut Cx, now: Tick, bytes: &[u8]) {
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        if *inviting.bytes != *bytes || !inviting.tx.is_calling() {
            return;
        }
        if let Cancel::Wanted(cause) = inviting.cancel {
            return self.finish(cx, End { by: Side::Us, ..End::silent(cause) });
        }
        let peers = cx.config.peers.get(self.trunk.ix()).map(|peer| peer.transport);
        if inviting.to.transport == Transport::Tcp && peers == Some(Transport::Udp) {
            // Too long for a datagram, and yet the only way left. The branch stays: it is the same request.
            inviting.to = Target::udp(inviting.to.addr);
            inviting.bytes = as_datagram(bytes);
            inviting.tx = InviteClient::new(now, &cx.config.times);
            let Inviting { invite, at, to, bytes, .. } = &**inviting;
            note(cx, invite, *at, *to);
            return cx.send(*to, bytes.clone());
        }
        if inviting.tx.on_unreachable() == Act::TimedOut {
            self.not_reached(cx, now);
        }
    }

    /// The network cannot bring our INVITE where it goes: to the next target, or there is none.
    pub(super) fn not_reached(&mut self, cx: &mut Cx, now: Tick) {
        if self.try_next(cx, now) {
            return;
        }
        let Stage::Inviting(inviting) = &self.stage else { return };
        let unheard = inviting.is_unheard();
        self.finish(cx, End { unheard, ..End::silent(Cause::Unreachable) });
    }

    /// The same call at the next target of its trunk, with a new branch (RFC 3263 §4.3). Only while it is certain that
    /// nobody knows of it, and within its permit. False where there is no such way.
    pub(super) fn try_next(&mut self, cx: &mut Cx, now: Tick) -> bool {
        let Stage::Inviting(inviting) = &mut self.stage else { return false };
        cx.rest(self.trunk, inviting.to, now);
        if !inviting.is_unheard() || now > inviting.invite.permit_until {
            return false;
        }
        let Some(next) = inviting.left.pop() else { return false };
        inviting.at += 1;
        inviting.send(cx, now, next)
    }

    pub(super) fn inviting_timeout(&mut self, cx: &mut Cx, now: Tick) {
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        if inviting.tx.poll_timeout().is_some_and(|(at, _)| at <= now) {
            match inviting.tx.on_timeout(now) {
                Act::Resend => {
                    cx.count(Counter::Resent);
                    let (to, bytes) = (inviting.to, inviting.bytes.clone());
                    cx.send(to, bytes);
                }
                Act::TimedOut => return self.finish(cx, End::silent(Cause::NoReply)),
                Act::Nothing | Act::Pass | Act::PassAndAck => {}
            }
        }
        if let Cancel::Sent { give_up, .. } = inviting.cancel
            && give_up <= now
        {
            return self.finish(cx, End { by: Side::Us, ..End::silent(Cause::NoFinal) });
        }
        if inviting.ring_until <= now {
            self.cancel(cx, now, Cause::RingTimeout);
        }
    }

    /// A response to our INVITE while it has no final answer. False where it is not to this INVITE.
    pub(super) fn on_invite_response(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) -> bool {
        let Stage::Inviting(inviting) = &mut self.stage else {
            return self.on_reinvite_response(cx, now, response, status);
        };
        let cseq = response.cseq().map(|(number, _)| number);
        let branch = response.top_via().and_then(|via| via.branch());
        // A 2xx is ours by its From tag alone: an ACK too many hurts less than one too few. Not so once another target or
        // trunk was tried: what the one before it brings is a second call.
        let ours = branch == Some(&inviting.branch[..])
            || (200..300).contains(&status)
                && inviting.at == 0
                && response.from().and_then(|from| from.tag()) == Some(&cx.ids.tag(self.leg)[..]);
        if !ours || cseq != Some(inviting.cseq) {
            return false;
        }
        match inviting.tx.on_response(now, status) {
            Act::Pass if status < 200 => self.on_provisional(cx, now, response, status),
            Act::Pass => self.on_answered(cx, now, response, status),
            Act::PassAndAck => self.on_refused(cx, now, response, status),
            Act::Nothing | Act::Resend | Act::TimedOut => {}
        }
        true
    }

    fn on_provisional(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) {
        let leg = self.leg;
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        inviting.heard = true;
        match inviting.cancel {
            Cancel::Wanted(why) => return self.cancel(cx, now, why),
            Cancel::Sent { .. } => return,
            Cancel::No => {}
        }
        if inviting.ring_until == Tick::MAX {
            inviting.ring_until = now + inviting.invite.ring_timeout;
        }
        if status == 100 {
            if !std::mem::replace(&mut inviting.trying, true) {
                cx.event(leg, Event::Trying);
            }
            return;
        }
        self.on_early(cx, now, response, status);
    }

    /// A 2xx: ACK first, judge afterwards.
    fn on_answered(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) {
        let Stage::Inviting(inviting) = std::mem::replace(&mut self.stage, Stage::Up) else { return };
        let Some(mut dialog) = dialog_of(cx, self.leg, &inviting, response) else { return };
        acknowledge(cx, now, self.leg, (&dialog, inviting.cseq), (response, &inviting.bytes));
        cx.out.push_back(Output::Journal(Box::new(facts(self, &dialog, true))));
        let early = inviting.forks.iter().find(|fork| *fork.tag == *dialog.remote_tag());
        if let Some(fork) = early {
            fork.hand_over(&mut dialog);
        }
        self.dialog = Some(Box::new(dialog));
        self.requests.retain(|request| request.purpose != Purpose::Cancel);
        let end = End { status: Some(status), ..End::hung_up() };
        match inviting.cancel {
            Cancel::Wanted(cause) | Cancel::Sent { why: cause, .. } => return self.bye(cx, now, End { cause, ..end }),
            Cancel::No => {}
        }
        // A 2xx may leave the SDP out that a 1xx of the same dialog had, and what an UPDATE changed since then holds.
        let settled = early.filter(|fork| fork.updated() || response.body.is_ok_and(<[u8]>::is_empty));
        match settled.map_or_else(|| media_of(response, self.local), |fork| fork.media) {
            Some(media) => {
                self.media = Some(media);
                self.session_agreed(now, response);
                cx.event(self.leg, Event::Answered { media });
            }
            None => self.bye(cx, now, End { cause: Cause::BadMedia, ..end }),
        }
    }

    fn on_refused(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) {
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        let Ok(invite) = Message::parse(&inviting.bytes) else { return };
        write_ack(&invite, response, &mut cx.scratch);
        let bytes = cx.packet();
        cx.send(inviting.to, bytes.clone());
        // Timer D is zero where nothing comes twice.
        if !inviting.to.transport.is_reliable() {
            let until = cx.deadline(now);
            cx.echoes.remember(answer_key(self.leg, inviting.cseq, response), inviting.to, Some(bytes), until);
        }
        let (cause, by) = match inviting.cancel {
            // A challenge that we leave unanswered because we want to stop is our end too.
            Cancel::Wanted(why) | Cancel::Sent { why, .. } if matches!(status, 401 | 407 | 487) => (why, Side::Us),
            Cancel::No | Cancel::Wanted(_) | Cancel::Sent { .. } => (Cause::Refused, Side::Them),
        };
        let none = inviting.cancel == Cancel::No;
        if none && (self.invite_again(cx, now, response, status) || status == 503 && self.try_next(cx, now)) {
            return;
        }
        let Stage::Inviting(inviting) = &self.stage else { return };
        // What a final answer to our CANCEL says was drawn by us; the network spoke before it.
        let (said, early) = (response.q850(), inviting.q850);
        let end = End {
            cause,
            status: Some(status),
            q850: if by == Side::Us { early.or(said) } else { said.or(early) },
            retry_after_s: response.retry_after_s(),
            by,
            answered: false,
            unheard: status == 503 && inviting.is_unheard(),
        };
        self.finish(cx, end);
    }

    /// The INVITE again, with credentials or with a longer session interval: next CSeq number, new branch, same Call-ID
    /// and tag (§22.2, RFC 4028 §7.3).
    fn invite_again(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) -> bool {
        let again = match (status, &mut self.stage) {
            (401 | 407, Stage::Inviting(inviting)) => cx.take_challenge(self.trunk, response, &mut inviting.tries),
            (422, _) => self.ask_longer(cx, response),
            (_, _) => false,
        };
        let Stage::Inviting(inviting) = &mut self.stage else { return false };
        if !again {
            return false;
        }
        inviting.cseq += 1;
        let Some(over) = cx.peer(self.trunk).map(|peer| peer.transport) else { return false };
        inviting.send(cx, now, Target::new(over, inviting.to.addr))
    }

    /// The interval that a 422 wants, if it is longer than what we asked for.
    fn ask_longer(&mut self, cx: &Cx, response: &Message<'_>) -> bool {
        let Stage::Inviting(inviting) = &mut self.stage else { return false };
        let asked_s = cx.config.session_expires_s.max(inviting.min_se_s);
        let Some(min_se_s) = longer(response, asked_s) else { return false };
        inviting.min_se_s = min_se_s;
        true
    }
}

const fn first_at(hop: u8) -> u8 {
    (hop & 15) << 4
}

/// Writes an INVITE and sends it: where it went, what it was, its branch.
fn dispatch(cx: &mut Cx, invite: &Invite, asking: Asking, to: Target) -> Option<(Target, Packet, Branch)> {
    let uri = invite.request_uri.reveal().as_bytes();
    let credentials = cx.credentials(invite.trunk, invite.leg, Method::Invite, uri);
    let peer = cx.config.peers.get(invite.trunk.ix())?;
    let caller = Caller { config: &cx.config, ids: &cx.ids, peer };
    let (to, branch) = caller.invite(invite, asking, &credentials, to, &mut cx.scratch);
    let bytes = cx.packet();
    note(cx, invite, asking.at, to);
    cx.send(to, bytes.clone());
    Some((to, bytes, branch))
}

/// After a crash nobody could tell where a name has led, that it was not the first trunk, nor that a signature has made the
/// INVITE too long for a datagram.
fn note(cx: &mut Cx, invite: &Invite, hop: u8, dest: Target) {
    let signed = invite.identity.is_some();
    if hop > 0 || signed || cx.peer(invite.trunk).is_some_and(|peer| !peer.routes.is_empty()) {
        cx.out.push_back(Output::Tried(Tried { leg: invite.leg, trunk: invite.trunk, hop, dest }));
    }
}

/// Under which what was sent in reply to this final answer is remembered.
pub(super) fn answer_key(leg: crate::base::LegId, cseq: u32, response: &Message<'_>) -> Key {
    let branch = response.top_via().and_then(|via| via.branch()).unwrap_or(&[]);
    Key::answer(leg, cseq, branch, response.to().and_then(|to| to.tag()).unwrap_or(&[]))
}

/// Sends the ACK of a 2xx and remembers it (Timer M). The credentials of the INVITE go along (§22.1), where it is known.
pub(super) fn acknowledge(
    cx: &mut Cx,
    now: Tick,
    leg: crate::base::LegId,
    (dialog, cseq): (&Dialog, u32),
    (response, invite): (&Message<'_>, &[u8]),
) {
    let bytes = dialog.ack(cx, leg, cseq, |writer| {
        for name in ["Authorization", "Proxy-Authorization"] {
            writer.header(name, written(invite, name));
        }
        writer.end();
    });
    cx.send(dialog.dest, bytes.clone());
    let until = cx.deadline(now);
    cx.echoes.remember(answer_key(leg, cseq, response), dialog.dest, Some(bytes), until);
}

/// What their description makes of our offer.
pub(super) fn media_of(response: &Message<'_>, offered: Option<Local>) -> Option<Media> {
    Session::parse(response.body.ok()?)?.agree_on(true, None, offered?.srtp)
}

pub(super) fn facts(call: &Call, dialog: &Dialog, confirmed: bool) -> DialogFacts {
    DialogFacts {
        leg: call.leg,
        trunk: call.trunk,
        dest: dialog.dest,
        confirmed,
        cseq: dialog.cseq,
        to_tag: dialog.remote_tag().into(),
        remote_target: dialog.target.clone(),
        routes: dialog.routes().into(),
    }
}
