//! Refreshing a call (RFC 4028 §7.2, §10): by UPDATE where the peer serves it, else by re-INVITE with the media as they
//! are (RFC 3261 §14.1). Whoever loses the glare tries again later (491).

use std::time::Duration;

use crate::base::Tick;
use crate::sip::header::Name;
use crate::sip::invite::write_ack;
use crate::sip::keyring::Tries;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::sdp::write_offer;
use crate::sip::target::Target;
use crate::sip::transaction::{Act, InviteClient, Timer};
use crate::sip::writer::{Writer, allow};

use super::api::{Cause, Counter, End, Side};
use super::call::Call;
use super::context::Cx;
use super::request::{Purpose, branch_of};
use super::session_timer::{Expires, Refresher, SessionTimer, Wish, longer};
use super::uac::{acknowledge, answer_key, media_of};
use super::uas::sdp_id;

/// After a refusal that says nothing about the call itself.
const AGAIN: Duration = Duration::from_secs(10);

/// A re-INVITE of ours that waits for its final answer.
#[derive(Debug)]
pub(super) struct Reinvite {
    tx: InviteClient,
    bytes: Packet,
    to: Target,
    cseq: u32,
    tries: Tries,
}

impl Reinvite {
    pub(super) fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        self.tx.poll_timeout()
    }
}

impl Call {
    /// What a 2xx to an INVITE or UPDATE of ours says about the session timer. Without a word there is none (§7.2).
    pub(super) fn session_agreed(&mut self, now: Tick, response: &Message<'_>) {
        self.updates |= response.lists(Name::Allow, b"UPDATE");
        self.timer = Expires::read(response)
            .map(|said| Box::new(SessionTimer::new(now, said.seconds, said.refresher != Some(Refresher::Uas))));
    }

    /// Takes up what an INVITE or UPDATE of theirs wants, and returns the lines of our 2xx about it (§9).
    pub(super) fn session_answer(&mut self, now: Tick, wish: Wish) -> Vec<u8> {
        self.updates |= wish.updates;
        let Some(asked) = wish.expires else {
            // They would not refresh what they no longer mention; we still may.
            self.timer = self.timer.take().filter(|timer| timer.ours);
            return Vec::new();
        };
        let theirs = wish.knows && asked.refresher != Some(Refresher::Uas);
        let timer = SessionTimer::new(now, asked.seconds, !theirs);
        let interval_s = timer.interval_s;
        self.timer = Some(Box::new(timer));
        let (who, require) = if theirs { ("uac", "Require: timer\r\n") } else { ("uas", "") };
        format!("Session-Expires: {interval_s};refresher={who}\r\n{require}").into_bytes()
    }

    pub(super) fn session_timeout(&mut self, cx: &mut Cx, now: Tick) {
        let Some(timer) = self.timer.as_mut().filter(|_| !self.over && self.ending.is_none()) else { return };
        if timer.is_over(now) {
            return self.bye(cx, now, End { cause: Cause::Expired, by: Side::Nobody, ..End::answered() });
        }
        if timer.take_refresh(now) {
            self.refresh(cx, now);
        }
    }

    /// The answer to a refresh, or none.
    pub(super) fn refreshed(&mut self, cx: &mut Cx, now: Tick, answer: Option<(&Message<'_>, u16)>) {
        let Some(timer) = self.timer.as_mut().filter(|_| !self.over && self.ending.is_none()) else { return };
        let again = match answer {
            Some((response, 200..=299)) => {
                if let (Some(contact), Some(dialog), Some(peer)) =
                    (response.contact(), self.dialog.as_mut(), cx.config.peers.get(self.trunk.ix()))
                {
                    dialog.refresh(contact.uri, peer);
                }
                return self.session_agreed(now, response);
            }
            // The dialog is gone, or nobody is there (§10).
            None | Some((_, 408 | 481)) => {
                return self.bye(cx, now, End { cause: Cause::Gone, by: Side::Nobody, ..End::answered() });
            }
            Some((response, 422)) => match longer(response, timer.interval_s) {
                Some(interval_s) => {
                    timer.interval_s = interval_s;
                    return self.refresh(cx, now);
                }
                None => AGAIN,
            },
            Some((_, 491)) => {
                let draw = cx.ids.draw(self.leg, self.dialog.as_ref().map_or(0, |dialog| dialog.cseq));
                glare_pause(self.owner, draw)
            }
            Some((_, 405 | 501)) if self.updates => {
                self.updates = false;
                return self.refresh(cx, now);
            }
            Some(_) => AGAIN,
        };
        timer.try_again(now + again);
    }

    /// A final or provisional answer to our re-INVITE. False where there is none that it belongs to.
    pub(super) fn on_reinvite_response(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) -> bool {
        let Some(mut reinvite) = self.reinvite.take() else { return false };
        let branch = response.top_via().and_then(|via| via.branch());
        let cseq = response.cseq().map(|(number, _)| number);
        if cseq != Some(reinvite.cseq) || branch != Some(branch_of(&reinvite.bytes)) {
            self.reinvite = Some(reinvite);
            return false;
        }
        match reinvite.tx.on_response(now, status) {
            Act::Pass if status >= 200 => self.on_reinvited(cx, now, &reinvite, response, status),
            Act::PassAndAck => self.on_reinvite_refused(cx, now, &reinvite, response, status),
            Act::Pass | Act::Nothing | Act::Resend | Act::TimedOut => self.reinvite = Some(reinvite),
        }
        true
    }

    pub(super) fn reinvite_timeout(&mut self, cx: &mut Cx, now: Tick) {
        let Some(reinvite) = &mut self.reinvite else { return };
        if reinvite.tx.poll_timeout().is_none_or(|(at, _)| at > now) {
            return;
        }
        match reinvite.tx.on_timeout(now) {
            Act::Resend => {
                cx.count(Counter::Resent);
                let (to, bytes) = (reinvite.to, reinvite.bytes.clone());
                cx.send(to, bytes);
            }
            Act::TimedOut | Act::Nothing | Act::Pass | Act::PassAndAck => {
                self.reinvite = None;
                self.refreshed(cx, now, None);
            }
        }
    }

    fn refresh(&mut self, cx: &mut Cx, now: Tick) {
        let Some(interval_s) = self.timer.as_ref().map(|timer| timer.interval_s) else { return };
        let busy = !self.is_up() || self.reinvite.is_some() || self.answering.is_some();
        let sent = !busy
            && if self.updates {
                self.in_dialog(cx, now, Purpose::Refresh, |writer| refresh_headers(writer, interval_s).end())
            } else {
                self.reinvite(cx, now, interval_s, Tries::default())
            };
        if !sent && let Some(timer) = &mut self.timer {
            timer.try_again(now + AGAIN);
        }
    }

    /// Offers the media as they are: on hold it stays on hold.
    fn reinvite(&mut self, cx: &mut Cx, now: Tick, interval_s: u32, tries: Tries) -> bool {
        let (Some(local), Some(media)) = (self.local, self.media) else { return false };
        let Some(mut dialog) = self.dialog.take() else { return false };
        let credentials = cx.credentials(self.trunk, self.leg, Method::Invite, dialog.request_uri());
        self.sdp_version += 1;
        let (contact, server, version) = (self.contact(cx), cx.config.server, self.sdp_version);
        let offer = local.keeping(&media);
        let (cseq, bytes) = dialog.request(cx, self.leg, Method::Invite, |writer| {
            writer.contact(contact).raw(&credentials).header("Allow", allow(server));
            refresh_headers(writer, interval_s);
            writer.body("application/sdp", |out| {
                write_offer(&offer, sdp_id(self.leg), version, media.direction, out);
            });
        });
        let to = dialog.dest;
        self.dialog = Some(dialog);
        cx.send(to, bytes.clone());
        let tx = InviteClient::new(now, &cx.config.times.over(to.transport));
        self.reinvite = Some(Box::new(Reinvite { tx, bytes, to, cseq, tries }));
        true
    }

    fn on_reinvited(&mut self, cx: &mut Cx, now: Tick, reinvite: &Reinvite, response: &Message<'_>, status: u16) {
        self.refreshed(cx, now, Some((response, status)));
        if let Some(dialog) = &self.dialog {
            acknowledge(cx, now, self.leg, (dialog, reinvite.cseq), (response, &reinvite.bytes));
        }
        let offered = self.local.zip(self.media).map(|(local, media)| local.keeping(&media));
        // An answer without a description leaves things as they were.
        if let Some(media) = media_of(response, offered).filter(|_| !self.over && self.ending.is_none()) {
            self.change_media(cx, media);
        }
    }

    fn on_reinvite_refused(
        &mut self,
        cx: &mut Cx,
        now: Tick,
        reinvite: &Reinvite,
        response: &Message<'_>,
        status: u16,
    ) {
        let Ok(invite) = Message::parse(&reinvite.bytes) else { return };
        write_ack(&invite, response, &mut cx.scratch);
        let bytes = cx.packet();
        cx.send(reinvite.to, bytes.clone());
        let key = answer_key(self.leg, reinvite.cseq, response);
        let until = cx.deadline(now);
        cx.echoes.remember(key, reinvite.to, Some(bytes), until);
        let interval_s = self.timer.as_ref().map_or(0, |timer| timer.interval_s);
        let retry = matches!(status, 401 | 407) && self.is_up() && interval_s > 0;
        let mut tries = reinvite.tries;
        let taken = retry && cx.take_challenge(self.trunk, response, &mut tries);
        if !(taken && self.reinvite(cx, now, interval_s, tries)) {
            self.refreshed(cx, now, Some((response, status)));
        }
    }
}

/// Lines of a refresh by us.
pub(super) fn refresh_headers<'w, 'a>(writer: &'w mut Writer<'a>, interval_s: u32) -> &'w mut Writer<'a> {
    writer.header("Supported", crate::sip::writer::SUPPORTED);
    writer.header("Session-Expires", format!("{interval_s};refresher=uac").as_bytes())
}

/// How long to wait after a 491: 2.1 to 4 s for the owner of the Call-ID, up to 2 s for the other, in steps of 10 ms
/// (RFC 3261 §14.1).
fn glare_pause(owner: bool, draw: u64) -> Duration {
    let steps = if owner { 210 + draw % 191 } else { draw % 201 };
    Duration::from_millis(steps * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_the_call_id_waits_longer_and_neither_leaves_its_range() {
        for draw in 0..1_000 {
            let (owner, other) = (glare_pause(true, draw).as_millis(), glare_pause(false, draw).as_millis());
            assert!((2_100..=4_000).contains(&owner) && other <= 2_000 && owner % 10 == 0 && other % 10 == 0);
        }
    }
}
