//! The called side, for the far end of trials and for tests (RFC 3261 §13.3).

use crate::base::{LegId, Pii, Tick, TrunkIx};
use crate::sip::bytes::display;
use crate::sip::header::Name;
use crate::sip::message::Message;
use crate::sip::packet::Packet;
use crate::sip::sdp::{Direction, Local, Session, write_answer, write_offer};
use crate::sip::target::Target;
use crate::sip::transaction::{Act, InviteServer};
use crate::sip::uri::Uri;
use crate::sip::writer::{Writer, allow, no_body};

use super::api::{Cause, Counter, End, Event, Incoming, Side};
use super::call::{Call, Stage};
use super::context::{Asked, Cx};
use super::dialog::Dialog;
use super::session_timer::Wish;
use super::uac::media_of;

/// Their INVITE under way.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) tx: InviteServer,
    /// The datagram, from which every answer is made.
    invite: Box<[u8]>,
    pub(super) from: Target,
    pub(super) branch: Box<[u8]>,
    pub(super) cseq: u32,
    session: Option<Session>,
    last: Packet,
    to: Target,
    /// Hang up as soon as the ACK is there: no BYE may cross our 2xx (§15).
    hangup: bool,
    /// Our 2xx carried the offer.
    late_offer: bool,
}

impl Call {
    /// A new INVITE: 100 at once, and up to whoever answers.
    pub(super) fn offered(cx: &mut Cx, asked: &Asked<'_, '_>, trunk: TrunkIx, datagram: &[u8]) -> Self {
        let last = cx.reply(asked, 100, no_body);
        let session = Session::parse(asked.body());
        let offered = Offered {
            tx: InviteServer::new(&cx.config.times.over(asked.reply_to.transport)),
            invite: datagram.into(),
            from: asked.from,
            branch: asked.branch.into(),
            cseq: asked.cseq,
            session,
            last,
            to: asked.reply_to,
            hangup: false,
            late_offer: asked.body().is_empty(),
        };
        let user = |addr: Option<crate::sip::addr::NameAddr<'_>>| {
            let user = addr.and_then(|a| Uri::parse(a.uri).ok().map(|uri| display(uri.user)));
            Pii::new(user.unwrap_or_default())
        };
        let message = asked.message;
        let incoming = Incoming {
            from: asked.from.addr,
            from_user: user(message.from()),
            to_user: user(message.to()),
            offer: session,
        };
        cx.event(asked.leg, Event::Incoming(Box::new(incoming)));
        Self::new(asked.leg, trunk, Stage::Offered(Box::new(offered)))
    }

    /// The same INVITE again.
    pub(super) fn on_invite_again(&mut self, cx: &mut Cx) {
        let Stage::Offered(offered) = &mut self.stage else { return };
        if offered.tx.on_invite() == Act::Resend {
            let (to, bytes) = (offered.to, offered.last.clone());
            cx.send(to, bytes);
        }
    }

    pub(super) fn provisional(&mut self, cx: &mut Cx, now: Tick, status: u16, media: Option<Local>) {
        if (101..200).contains(&status) {
            self.respond(cx, now, status, media, |_| {});
        }
    }

    pub(super) fn accept(&mut self, cx: &mut Cx, now: Tick, media: Local) {
        let Stage::Offered(offered) = &self.stage else { return };
        if self.over || !offered.tx.is_proceeding() {
            return;
        }
        let agreed = offered.session.as_ref().and_then(|session| session.answer(&media));
        if agreed.is_none() && !offered.late_offer {
            return self.reject(cx, now, 488, None, None);
        }
        self.media = agreed;
        self.local = Some(media);
        let wish = Message::parse(&offered.invite).ok().map(|invite| Wish::read(&invite));
        let session = wish.map_or_else(Vec::new, |wish| self.session_answer(now, wish));
        let server = cx.config.server;
        self.respond(cx, now, 200, Some(media), |writer| {
            writer.header("Allow", allow(server)).raw(&session);
        });
        let Stage::Offered(offered) = &self.stage else { return };
        let (Ok(invite), Some(peer)) = (Message::parse(&offered.invite), cx.peer(self.trunk)) else { return };
        // In-dialog requests go where theirs came from unless their Contact says otherwise and may.
        let mut dialog = Dialog::from_request(&invite, &cx.ids.tag(self.leg), (peer, offered.from));
        if dialog.dest == peer.target() {
            dialog.dest = offered.from;
        }
        self.dialog = Some(Box::new(dialog));
    }

    pub(super) fn reject(&mut self, cx: &mut Cx, now: Tick, status: u16, q850: Option<u8>, retry_after_s: Option<u32>) {
        let status = if (300..700).contains(&status) { status } else { 480 };
        let end = End { status: Some(status), q850, by: Side::Us, ..End::silent(Cause::Refused) };
        self.refuse_invite(cx, now, end, retry_after_s);
    }

    /// Their CANCEL (§9.2): 487, unless the final answer is out already.
    pub(super) fn on_cancel(&mut self, cx: &mut Cx, now: Tick) {
        let end = End { status: Some(487), by: Side::Them, ..End::silent(Cause::Cancelled) };
        self.refuse_invite(cx, now, end, None);
    }

    /// Hangup on command while their INVITE is not settled.
    pub(super) fn hangup_offered(&mut self, cx: &mut Cx, now: Tick) {
        let Stage::Offered(offered) = &mut self.stage else { return };
        if offered.tx.is_proceeding() {
            self.reject(cx, now, 480, None, None);
        } else {
            offered.hangup = true;
        }
    }

    pub(super) fn on_ack(&mut self, cx: &mut Cx, now: Tick, ack: &Message<'_>) {
        let cseq = ack.cseq().map(|(number, _)| number);
        let (local, current) = (self.local, self.media);
        let answer = || media_of(ack, local.map(|local| current.map_or(local, |media| local.keeping(&media))));
        if let Stage::Offered(offered) = &mut self.stage
            && cseq == Some(offered.cseq)
        {
            if offered.tx.on_ack(now) != Act::Pass || self.over {
                return;
            }
            let (hangup, late) = (offered.hangup, offered.late_offer);
            self.stage = Stage::Up;
            if late {
                self.media = answer();
            }
            match self.media {
                Some(media) => cx.event(self.leg, Event::Acked { media }),
                None => return self.bye(cx, now, End { cause: Cause::BadMedia, ..End::hung_up() }),
            }
            if hangup {
                self.bye(cx, now, End::hung_up());
            }
            return;
        }
        let Some(answering) = self.answering.as_mut().filter(|a| Some(a.cseq) == cseq) else { return };
        let late = answering.late_offer;
        self.answering = None;
        if late && let Some(media) = answer() {
            self.change_media(cx, media);
        }
    }

    pub(super) fn offered_timeout(&mut self, cx: &mut Cx, now: Tick) {
        let Stage::Offered(offered) = &mut self.stage else { return };
        if offered.tx.poll_timeout().is_none_or(|(at, _)| at > now) {
            return;
        }
        match offered.tx.on_timeout(now) {
            Act::Resend => {
                cx.count(Counter::Resent);
                let (to, bytes) = (offered.to, offered.last.clone());
                cx.send(to, bytes);
            }
            Act::TimedOut if self.dialog.is_some() => {
                self.stage = Stage::Up;
                self.bye(cx, now, End { cause: Cause::NoAck, by: Side::Nobody, ..End::answered() });
            }
            Act::Nothing | Act::Pass | Act::PassAndAck | Act::TimedOut => {}
        }
    }

    fn refuse_invite(&mut self, cx: &mut Cx, now: Tick, end: End, retry_after_s: Option<u32>) {
        let Stage::Offered(offered) = &self.stage else { return };
        if self.over || !offered.tx.is_proceeding() {
            return;
        }
        self.respond(cx, now, end.status.unwrap_or(480), None, |writer| {
            if let Some(cause) = end.q850 {
                writer.header("Reason", format!("Q.850;cause={cause}").as_bytes());
            }
            if let Some(seconds) = retry_after_s {
                writer.number_header("Retry-After", seconds);
            }
        });
        self.finish(cx, end);
    }

    /// Answers the INVITE, with a description where there is media. A final answer leaves a memory behind, so that a late
    /// copy of the INVITE does not start a second call.
    fn respond(
        &mut self,
        cx: &mut Cx,
        now: Tick,
        status: u16,
        media: Option<Local>,
        more: impl FnOnce(&mut Writer<'_>),
    ) {
        let version = self.sdp_version;
        let contact = self.contact(cx);
        let Stage::Offered(offered) = &mut self.stage else { return };
        if offered.tx.respond(now, status) != Act::Pass {
            return;
        }
        let Ok(invite) = Message::parse(&offered.invite) else { return };
        let Some(asked) = Asked::new(&invite, self.leg, offered.from) else { return };
        let answer = offered.session.zip(media);
        let answer = answer.and_then(|(session, ours)| session.answer(&ours).map(|agreed| (session, agreed)));
        offered.last = cx.reply(&asked, status, |writer| {
            if status < 300 {
                writer.contact(contact).echo("Record-Route", &invite, Name::RecordRoute);
            }
            more(writer);
            let body = asked.body();
            match (media, answer) {
                (Some(ours), Some((session, agreed))) => writer.body("application/sdp", |out| {
                    write_answer(body, (&session, &agreed), &ours, sdp_id(asked.leg), version, out);
                }),
                (Some(ours), None) if body.is_empty() => writer.body("application/sdp", |out| {
                    write_offer(&ours, sdp_id(asked.leg), version, Direction::SendRecv, out);
                }),
                (Some(_) | None, _) => writer.end(),
            }
        });
        if status >= 200 {
            let until = cx.deadline(now);
            cx.echoes.remember(asked.key(), asked.reply_to, None, until);
        }
    }
}

/// Session id of our origin lines.
pub(super) fn sdp_id(leg: LegId) -> u64 {
    (leg.0.0 & u128::from(u32::MAX)) as u64
}
