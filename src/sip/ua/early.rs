//! Early dialogs of our INVITE, told apart by their To tags (RFC 3261 §12.1): each has media and numbers of its own, and
//! its provisional answers may be reliable (RFC 3262). Whatever becomes of a PRACK, the INVITE never waits for it.

use crate::base::{LegId, Tick};
use crate::sip::bytes::number;
use crate::sip::header::Name;
use crate::sip::ids::call_id;
use crate::sip::message::{MAX_CSEQ, Message};
use crate::sip::method::Method;
use crate::sip::sdp::Media;
use crate::sip::writer::{no_body, written};

use super::api::{Event, Output};
use super::call::{Call, Stage};
use super::context::{Asked, Cx};
use super::dialog::Dialog;
use super::inbound::options;
use super::request::Purpose;
use super::uac::{Inviting, facts, media_of};

/// Early dialogs that are told apart; of further ones only the answer counts.
const MAX_FORKS: usize = 8;

/// An early dialog, by its To tag; the empty tag stands for 1xx without one.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) tag: Box<[u8]>,
    pub(super) media: Option<Media>,
    rang: bool,
    /// Of their last request in this dialog.
    remote_cseq: Option<u32>,
    /// Made by the first reliable answer.
    reliable: Option<Box<Reliable>>,
}

#[derive(Debug)]
struct Reliable {
    dialog: Dialog,
    /// Of the last answer in order.
    rseq: u32,
    /// Our offer has its answer, so that others may be made (RFC 3311 §5.1).
    answered: bool,
    /// An UPDATE changed what that answer said.
    updated: bool,
}

impl Fork {
    /// The dialog of a 2xx goes on counting where this one stopped (RFC 3261 §13.2.2.4).
    pub(super) fn hand_over(&self, dialog: &mut Dialog) {
        dialog.remote_cseq = self.remote_cseq;
        if let Some(reliable) = &self.reliable {
            dialog.cseq = dialog.cseq.max(reliable.dialog.cseq);
        }
    }

    pub(super) fn updated(&self) -> bool {
        self.reliable.as_ref().is_some_and(|reliable| reliable.updated)
    }
}

impl Call {
    /// A provisional answer other than 100.
    pub(super) fn on_early(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) {
        if let Stage::Inviting(inviting) = &mut self.stage {
            inviting.q850 = response.q850().or(inviting.q850);
        }
        let Some(index) = self.fork(cx, response) else { return };
        if self.is_in_order(cx, now, index, response) {
            self.ring(cx, index, response, status);
        }
    }

    /// A request of theirs before the answer. A stranger to all early dialogs is told so.
    pub(super) fn on_early_request(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        let tag = asked.message.from().and_then(|from| from.tag()).unwrap_or(&[]);
        let ours = asked.message.to().and_then(|to| to.tag()) == Some(&cx.ids.tag(self.leg)[..]);
        let Some(index) = inviting.forks.iter().position(|fork| ours && *fork.tag == *tag) else {
            return cx.refuse(asked, 481);
        };
        let Some(fork) = inviting.forks.get_mut(index) else { return };
        if fork.remote_cseq.is_some_and(|last| asked.cseq <= last) {
            return cx.refuse(asked, 500);
        }
        fork.remote_cseq = Some(asked.cseq);
        match asked.method() {
            Method::Options => options(cx, now, asked),
            Method::Info => cx.answer(asked, now, 200, no_body),
            Method::Update => self.on_early_update(cx, now, index, asked),
            // Our INVITE is pending (§14.2).
            Method::Invite => cx.decline(asked, now, 491),
            Method::Other => cx.decline(asked, now, 501),
            Method::Prack | Method::Register | Method::Subscribe | Method::Message | Method::Publish => {
                cx.decline(asked, now, 405);
            }
            Method::Bye | Method::Notify | Method::Refer | Method::Ack | Method::Cancel => cx.decline(asked, now, 481),
        }
    }

    /// Acknowledges the reliable answer `rseq` of an early dialog (RFC 3262 §4). False where that is gone.
    pub(super) fn prack(&mut self, cx: &mut Cx, now: Tick, tag: &[u8], rseq: u32) -> bool {
        let Stage::Inviting(inviting) = &mut self.stage else { return false };
        let invite_cseq = inviting.cseq;
        let Some(fork) = inviting.forks.iter_mut().find(|fork| *fork.tag == *tag) else { return false };
        let Some(mut reliable) = fork.reliable.take() else { return false };
        let dialog = &mut reliable.dialog;
        let credentials = cx.credentials(self.trunk, self.leg, Method::Prack, dialog.request_uri());
        let (cseq, bytes) = dialog.request(cx, self.leg, Method::Prack, |writer| {
            writer.raw(&credentials);
            writer.header("RAck", format!("{rseq} {invite_cseq} INVITE").as_bytes()).end();
        });
        let dest = dialog.dest;
        if let Stage::Inviting(inviting) = &mut self.stage
            && let Some(fork) = inviting.forks.iter_mut().find(|fork| *fork.tag == *tag)
        {
            fork.reliable = Some(reliable);
        }
        self.launch(cx, now, Purpose::Prack { tag: tag.into(), rseq }, cseq, dest, bytes);
        true
    }

    /// The early dialog of a response; new ones are journalled. `None` past the bound.
    fn fork(&mut self, cx: &mut Cx, response: &Message<'_>) -> Option<usize> {
        let Stage::Inviting(inviting) = &mut self.stage else { return None };
        let tag = response.to().and_then(|to| to.tag()).unwrap_or(&[]);
        if let Some(known) = inviting.forks.iter().position(|fork| *fork.tag == *tag) {
            return Some(known);
        }
        (inviting.forks.len() < MAX_FORKS).then_some(())?;
        // Most calls have one and no more.
        inviting.forks.reserve_exact(1);
        inviting.forks.push(Fork { tag: tag.into(), media: None, rang: false, remote_cseq: None, reliable: None });
        let index = inviting.forks.len() - 1;
        if !tag.is_empty() {
            let uri = inviting.invite.request_uri.reveal().as_bytes();
            let place = (cx.peer(self.trunk)?, inviting.to);
            let dialog = Dialog::from_response(response, (&[], &[]), inviting.cseq, uri, place);
            cx.out.push_back(Output::Journal(Box::new(facts(self, &dialog, false))));
        }
        Some(index)
    }

    /// Acknowledges a reliable answer. False where it is a repetition, or where one before it is missing and will come
    /// again; neither is to be looked at.
    fn is_in_order(&mut self, cx: &mut Cx, now: Tick, index: usize, response: &Message<'_>) -> bool {
        let Some(rseq) = reliable_number(response) else { return true };
        let Stage::Inviting(inviting) = &self.stage else { return false };
        let Some(fork) = inviting.forks.get(index).filter(|fork| !fork.tag.is_empty()) else { return true };
        let tag = fork.tag.clone();
        let last = fork.reliable.as_ref().map(|reliable| reliable.rseq);
        if last.is_some_and(|last| rseq != last.saturating_add(1)) {
            return false;
        }
        let fresh = if last.is_none() { dialog_of(cx, self.leg, inviting, response) } else { None };
        let answered = media_of(response, self.local).is_some();
        let Stage::Inviting(inviting) = &mut self.stage else { return false };
        let Some(fork) = inviting.forks.get_mut(index) else { return false };
        if let Some(dialog) = fresh {
            fork.reliable = Some(Box::new(Reliable { dialog, rseq, answered: false, updated: false }));
        }
        let Some(reliable) = &mut fork.reliable else { return true };
        reliable.rseq = rseq;
        reliable.answered |= answered;
        self.prack(cx, now, &tag, rseq)
    }

    /// Reports ringing or early media, once each until it changes.
    fn ring(&mut self, cx: &mut Cx, index: usize, response: &Message<'_>, status: u16) {
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        let Some(fork) = inviting.forks.get_mut(index) else { return };
        match media_of(response, self.local) {
            Some(media) if fork.media != Some(media) => {
                fork.media = Some(media);
                cx.event(self.leg, Event::EarlyMedia { fork: index as u8, status, media });
            }
            None if !fork.rang => {
                fork.rang = true;
                cx.event(self.leg, Event::Ringing { status });
            }
            Some(_) | None => {}
        }
    }

    /// Without a body it refreshes the target. An offer is taken once ours has its answer; until then it would be a second
    /// one (RFC 3311 §5.2).
    fn on_early_update(&mut self, cx: &mut Cx, now: Tick, index: usize, asked: &Asked<'_, '_>) {
        let Stage::Inviting(inviting) = &self.stage else { return };
        let Some(fork) = inviting.forks.get(index) else { return };
        let (settled, current) = (fork.reliable.as_ref().is_some_and(|r| r.answered), fork.media);
        let media = if asked.body().is_empty() {
            let contact = self.contact(cx);
            cx.answer(asked, now, 200, |writer| writer.contact(contact).end());
            None
        } else if settled {
            let Some((bytes, media)) = self.answer_offer(cx, now, asked, current) else { return };
            let until = cx.deadline(now);
            cx.echoes.remember(asked.key(), asked.reply_to, Some(bytes), until);
            media
        } else {
            return cx.decline(asked, now, 491);
        };
        let peer = cx.config.peers.get(self.trunk.ix());
        let Stage::Inviting(inviting) = &mut self.stage else { return };
        let Some(fork) = inviting.forks.get_mut(index) else { return };
        if let (Some(reliable), Some(contact), Some(peer)) = (&mut fork.reliable, asked.message.contact(), peer) {
            reliable.dialog.refresh(contact.uri, peer);
        }
        if let Some(media) = media.filter(|media| fork.media != Some(*media)) {
            fork.media = Some(media);
            if let Some(reliable) = &mut fork.reliable {
                reliable.updated = true;
            }
            cx.event(self.leg, Event::EarlyMedia { fork: index as u8, status: 183, media });
        }
    }
}

/// The dialog that a response to our INVITE makes. From and Call-ID are ours, whatever the response made of them.
pub(super) fn dialog_of(cx: &Cx, leg: LegId, inviting: &Inviting, response: &Message<'_>) -> Option<Dialog> {
    let from = written(&inviting.bytes, "From");
    let uri = inviting.invite.request_uri.reveal().as_bytes();
    let place = (cx.peer(inviting.invite.trunk)?, inviting.to);
    Some(Dialog::from_response(response, (&call_id(leg), from), inviting.cseq, uri, place))
}

/// RSeq of an answer that asks for a PRACK.
fn reliable_number(response: &Message<'_>) -> Option<u32> {
    response.lists(Name::Require, b"100rel").then_some(())?;
    number(response.get(Name::RSeq)?, MAX_CSEQ)
}
