//! Requests of the peer within a dialog (RFC 3261 §12.2.2): BYE, re-INVITE, UPDATE, INFO, NOTIFY, OPTIONS, REFER.

use crate::base::{Pii, Tick};
use crate::sip::addr::NameAddr;
use crate::sip::bytes::{number, split_once, trim};
use crate::sip::header::Name;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::sdp::{Direction, Local, Media, Session, write_answer, write_offer};
use crate::sip::transaction::InviteServer;
use crate::sip::writer::{allow, no_body};

use super::api::{End, Event, Side};
use super::call::{Answering, Call, Stage};
use super::context::{Asked, Cx};
use super::session_timer::{Wish, is_too_short};
use super::uas::sdp_id;

impl Call {
    /// A checked request that is not a repetition and carries our tag.
    pub(super) fn on_request(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        if matches!(self.stage, Stage::Inviting(_)) {
            return self.on_early_request(cx, now, asked);
        }
        let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.matches(asked.message) && !self.over) else {
            return cx.refuse(asked, 481);
        };
        // Out of order (§12.2.2). Gaps are legal: a refused request uses up a number.
        if dialog.remote_cseq.is_some_and(|last| asked.cseq <= last) {
            return cx.refuse(asked, 500);
        }
        dialog.remote_cseq = Some(asked.cseq);
        match asked.method() {
            Method::Invite | Method::Update if is_too_short(asked.message) => cx.decline(asked, now, 422),
            Method::Bye => self.on_bye(cx, now, asked),
            Method::Invite => self.on_reinvite(cx, now, asked),
            Method::Update => self.on_update(cx, now, asked),
            Method::Info => self.on_info(cx, now, asked),
            Method::Notify => self.on_notify(cx, now, asked),
            Method::Options => options(cx, now, asked),
            Method::Refer if cx.config.server => self.on_refer(cx, now, asked),
            Method::Refer
            | Method::Prack
            | Method::Register
            | Method::Subscribe
            | Method::Message
            | Method::Publish
            | Method::Ack
            | Method::Cancel => cx.decline(asked, now, 405),
            Method::Other => cx.decline(asked, now, 501),
        }
    }

    /// Reports other media, if it is other.
    pub(super) fn change_media(&mut self, cx: &mut Cx, media: Media) {
        if self.media != Some(media) {
            self.media = Some(media);
            cx.event(self.leg, Event::MediaChanged { media });
        }
    }

    fn on_bye(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        cx.answer(asked, now, 200, no_body);
        let q850 = asked.message.q850();
        // Where our own BYE is under way the two crossed: what we were about to report holds.
        let end = self.ending.unwrap_or(End { q850, by: Side::Them, ..End::answered() });
        self.stage = Stage::Up;
        self.finish(cx, end);
        self.requests.retain(|request| request.purpose == super::request::Purpose::ForkBye);
    }

    /// 200 with the same codec or 488, and the call goes on (§14.2).
    fn on_reinvite(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        if matches!(self.stage, Stage::Offered(_)) || self.answering.is_some() {
            return cx.decline(asked, now, 500);
        }
        if self.ending.is_some() || self.reinvite.is_some() {
            return cx.decline(asked, now, 491);
        }
        let Some(bytes) = self.describe(cx, now, asked) else { return };
        let mut tx = InviteServer::new(&cx.config.times.over(asked.reply_to.transport));
        tx.respond(now, 200);
        let late_offer = asked.body().is_empty();
        self.answering = Some(Box::new(Answering { cseq: asked.cseq, tx, bytes, to: asked.reply_to, late_offer }));
    }

    /// As a re-INVITE, but without ACK; without a body only a refresh (RFC 3311 §5.2).
    fn on_update(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        let refresh = asked.body().is_empty();
        if self.answering.is_some() || self.ending.is_some() || self.reinvite.is_some() && !refresh {
            return cx.decline(asked, now, 491);
        }
        if refresh {
            self.retarget(cx, asked);
            let (contact, server) = (self.contact(cx), cx.config.server);
            let session = self.session_answer(now, Wish::read(asked.message));
            return cx.answer(asked, now, 200, |writer| {
                writer.contact(contact).header("Allow", allow(server)).raw(&session).end();
            });
        }
        if let Some(bytes) = self.describe(cx, now, asked) {
            let until = cx.deadline(now);
            cx.echoes.remember(asked.key(), asked.reply_to, Some(bytes), until);
        }
    }

    /// As `answer_offer`, in an answered call.
    fn describe(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) -> Option<Packet> {
        let (bytes, media) = self.answer_offer(cx, now, asked, self.media)?;
        self.retarget(cx, asked);
        if let Some(media) = media {
            self.change_media(cx, media);
        }
        Some(bytes)
    }

    /// Answers an offer with the codec in use, or makes one where there is none: our answer and what was agreed on. `None`
    /// where it was refused.
    pub(super) fn answer_offer(
        &mut self,
        cx: &mut Cx,
        now: Tick,
        asked: &Asked<'_, '_>,
        current: Option<Media>,
    ) -> Option<(Packet, Option<Media>)> {
        let offer = asked.body();
        let local = self.local.map(|local| current.map_or(local, |media| local.keeping(&media)))?;
        let codec = current.map(|media| media.codec);
        let agreed = Session::parse(offer).and_then(|s| s.agree_on(false, codec, local.srtp).map(|media| (s, media)));
        if agreed.is_none() && !offer.is_empty() {
            cx.answer(asked, now, 488, |writer| writer.header("Warning", b"304 goldenhour \"no common media\"").end());
            return None;
        }
        self.sdp_version += 1;
        let session =
            if self.dialog.is_some() { self.session_answer(now, Wish::read(asked.message)) } else { Vec::new() };
        let (version, contact, server) = (self.sdp_version, self.contact(cx), cx.config.server);
        let bytes = cx.reply(asked, 200, |writer| {
            writer.contact(contact).header("Allow", allow(server)).raw(&session);
            writer.echo("Record-Route", asked.message, Name::RecordRoute);
            writer.body("application/sdp", |out| write_description(asked, &local, agreed.as_ref(), version, out));
        });
        Some((bytes, agreed.map(|(_, media)| media)))
    }

    fn retarget(&mut self, cx: &Cx, asked: &Asked<'_, '_>) {
        if let (Some(contact), Some(dialog), Some(peer)) =
            (asked.message.contact(), self.dialog.as_mut(), cx.peer(self.trunk))
        {
            dialog.refresh(contact.uri, peer);
        }
    }

    /// Key presses as `application/dtmf-relay` (Cisco) or `application/dtmf`.
    fn on_info(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        let kind = asked.message.content_type();
        let relay = kind.eq_ignore_ascii_case(b"application/dtmf-relay");
        if !relay && !kind.eq_ignore_ascii_case(b"application/dtmf") && !asked.body().is_empty() {
            return cx.decline(asked, now, 415);
        }
        cx.answer(asked, now, 200, no_body);
        if let Some(key) = pressed(asked.body(), relay) {
            cx.event(self.leg, Event::Digit { key });
        }
    }

    /// The progress of our REFER (RFC 3515 §2.4.4).
    fn on_notify(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        let event = asked.message.get(Name::Event).unwrap_or(&[]);
        let event = trim(split_once(event, b';').map_or(event, |(event, _)| event));
        if !event.eq_ignore_ascii_case(b"refer") {
            return cx.decline(asked, now, 489);
        }
        if !self.referring {
            return cx.decline(asked, now, 481);
        }
        cx.answer(asked, now, 200, no_body);
        let state = asked.message.get(Name::SubscriptionState).unwrap_or(&[]);
        let terminated = state.get(..10).is_some_and(|s| s.eq_ignore_ascii_case(b"terminated"));
        let status = asked.body().strip_prefix(b"SIP/2.0 ").and_then(|rest| number(rest.get(..3)?, 699));
        // A subscription that ends without saying how is a transfer that nobody vouches for.
        let status = status.map_or(if terminated { 408 } else { 100 }, |status| status as u16);
        let last = status >= 200 || terminated;
        self.referring = !last;
        cx.event(self.leg, Event::ReferProgress { status, last });
    }

    fn on_refer(&mut self, cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
        let target = asked.message.get(Name::ReferTo).and_then(NameAddr::parse);
        let Some(target) = target.filter(|_| !self.referring) else { return cx.decline(asked, now, 400) };
        let contact = self.contact(cx);
        cx.answer(asked, now, 202, |writer| writer.contact(contact).end());
        self.referring = true;
        let target = Pii::new(String::from_utf8_lossy(target.uri).into_owned());
        cx.event(self.leg, Event::Refer { target });
    }
}

/// 200 with what we can do, in and out of dialogs (RFC 3261 §11).
pub(super) fn options(cx: &mut Cx, now: Tick, asked: &Asked<'_, '_>) {
    let server = cx.config.server;
    cx.answer(asked, now, 200, |writer| {
        writer.header("Allow", allow(server)).header("Accept", b"application/sdp").end();
    });
}

fn write_description(
    asked: &Asked<'_, '_>,
    local: &Local,
    agreed: Option<&(Session, Media)>,
    version: u32,
    out: &mut Vec<u8>,
) {
    let id = sdp_id(asked.leg);
    match agreed {
        Some((session, media)) => write_answer(asked.body(), (session, media), local, id, version, out),
        None => write_offer(local, id, version, Direction::SendRecv, out),
    }
}

/// `Signal=5` among the lines of dtmf-relay, or the bare key.
fn pressed(body: &[u8], relay: bool) -> Option<char> {
    let signal = |line: &[u8]| {
        let (name, value) = split_once(line, b'=')?;
        trim(name).eq_ignore_ascii_case(b"signal").then(|| trim(value).first().copied())?
    };
    let key = if relay { body.split(|&b| b == b'\n').find_map(signal) } else { trim(body).first().copied() };
    key.map(|key| char::from(key.to_ascii_uppercase())).filter(|key| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_presses_are_read_from_both_kinds_of_body() {
        assert_eq!(pressed(b"Signal= 5\r\nDuration=160\r\n", true), Some('5'));
        assert_eq!(pressed(b"Duration=160\r\nsignal=*", true), Some('*'));
        assert_eq!(pressed(b"d\r\n", false), Some('D'));
        assert_eq!(pressed(b"Signal=x", true), None);
        assert_eq!(pressed(b"", false), None);
    }
}
