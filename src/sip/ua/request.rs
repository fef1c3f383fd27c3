//! Requests of ours other than INVITE: CANCEL, BYE, REFER, NOTIFY.

use crate::base::Tick;
use crate::sip::bytes::split_once;
use crate::sip::ids::BRANCH_LEN;
use crate::sip::keyring::Tries;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::target::Target;
use crate::sip::transaction::{Act, RequestClient};
use crate::sip::uri::write_escaped;
use crate::sip::writer::{Writer, no_body, phrase};

use super::api::{Cause, Counter, End, Event, Side};
use super::call::{Call, MAX_REQUESTS, Stage};
use super::context::Cx;
use super::refresh::refresh_headers;

#[derive(Debug)]
pub(super) struct Request {
    pub(super) purpose: Purpose,
    pub(super) cseq: u32,
    pub(super) tx: RequestClient,
    pub(super) bytes: Packet,
    pub(super) to: Target,
    pub(super) tries: Tries,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Cancel,
    Bye,
    /// BYE of a dialog that is not the call's.
    ForkBye,
    Refer(Box<str>),
    Notify,
    /// Of a reliable provisional answer in the early dialog with this tag.
    Prack {
        tag: Box<[u8]>,
        rseq: u32,
    },
    /// UPDATE for the session timer.
    Refresh,
}

impl Purpose {
    const fn method(&self) -> Method {
        match self {
            Self::Cancel => Method::Cancel,
            Self::Bye | Self::ForkBye => Method::Bye,
            Self::Refer(_) => Method::Refer,
            Self::Notify => Method::Notify,
            Self::Prack { .. } => Method::Prack,
            Self::Refresh => Method::Update,
        }
    }
}

impl Call {
    /// Puts a request on the wire and keeps it until it is answered.
    pub(super) fn launch(&mut self, cx: &mut Cx, now: Tick, purpose: Purpose, cseq: u32, to: Target, bytes: Packet) {
        // BYE and CANCEL go always: nothing else would end the call.
        if self.requests.len() >= MAX_REQUESTS && !matches!(purpose, Purpose::Bye | Purpose::Cancel) {
            return;
        }
        cx.send(to, bytes.clone());
        let tx = RequestClient::new(now, &cx.config.times.over(to.transport));
        // There is seldom another one beside it.
        self.requests.reserve_exact(1);
        self.requests.push(Request { purpose, cseq, tx, bytes, to, tries: Tries::default() });
    }

    /// Ends the dialog; `end` is reported when the BYE is through.
    pub(super) fn bye(&mut self, cx: &mut Cx, now: Tick, end: End) {
        if self.over || self.ending.is_some() {
            return;
        }
        self.answering = None;
        self.timer = None;
        self.ending = Some(end);
        if !self.in_dialog(cx, now, Purpose::Bye, no_body) {
            self.finish(cx, end);
        }
    }

    pub(super) fn refer(&mut self, cx: &mut Cx, now: Tick, target: &str) {
        let free = self.is_up() && !self.referring && crate::sip::invite::is_safe_uri(target);
        let purpose = Purpose::Refer(target.into());
        if free && self.in_dialog(cx, now, purpose, |writer| refer_headers(writer, target)) {
            self.referring = true;
        } else if !self.over {
            cx.event(self.leg, Event::ReferProgress { status: 400, last: true });
        }
    }

    /// The peer of this call as the target of an attended transfer: an INVITE there takes the place of this dialog
    /// (RFC 3891 §3, RFC 5589 §7). Not before the answer: an early dialog that we began cannot be replaced.
    pub(super) fn replaceable(&self) -> Option<String> {
        let dialog = self.dialog.as_ref().filter(|_| self.is_up() && matches!(self.stage, Stage::Up))?;
        let bare = split_once(&dialog.target, b'?').map_or(&dialog.target[..], |(bare, _)| bare);
        let mut uri = bare.to_vec();
        uri.extend_from_slice(b"?Replaces=");
        let parts = [dialog.call_id(), b";to-tag=", dialog.remote_tag(), b";from-tag=", dialog.local_tag()];
        write_escaped(&parts.concat(), &mut uri);
        String::from_utf8(uri).ok()
    }

    /// Reports on their REFER (RFC 3515 §2.4.5).
    pub(super) fn notify_refer(&mut self, cx: &mut Cx, now: Tick, status: u16) {
        if !self.is_up() || !self.referring {
            return;
        }
        self.referring = status < 200;
        let state = if status < 200 { "active;expires=60" } else { "terminated;reason=noresource" };
        self.in_dialog(cx, now, Purpose::Notify, |writer| {
            writer.header("Event", b"refer").header("Subscription-State", state.as_bytes());
            writer.body("message/sipfrag;version=2.0", |out| {
                out.extend_from_slice(format!("SIP/2.0 {status} {}\r\n", phrase(status)).as_bytes());
            });
        });
    }

    /// A dialog stands and nobody is ending it.
    pub(super) fn is_up(&self) -> bool {
        self.dialog.is_some() && !self.over && self.ending.is_none()
    }

    /// A response to one of these requests. False where it belongs to none.
    pub(super) fn on_request_response(&mut self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) -> bool {
        let Some((cseq, method)) = response.cseq() else { return false };
        let branch = response.top_via().and_then(|via| via.branch());
        let ours = |request: &Request| {
            request.cseq == cseq && request.purpose.method() == method && Some(branch_of(&request.bytes)) == branch
        };
        let Some(index) = self.requests.iter().position(ours) else { return false };
        let Some(request) = self.requests.get_mut(index) else { return false };
        if request.tx.on_response(now, status) == Act::Pass && status >= 200 {
            // Timer K would only absorb repetitions, and those fall through to nothing without it.
            let request = self.requests.remove(index);
            self.settled(cx, now, &request, Some((response, status)));
        }
        true
    }

    /// A request of ours found no connection.
    pub(super) fn on_request_unsent(&mut self, now: Tick, bytes: &[u8]) {
        for request in self.requests.iter_mut().filter(|request| *request.bytes == *bytes) {
            request.tx.on_unsent(now);
        }
    }

    pub(super) fn requests_timeout(&mut self, cx: &mut Cx, now: Tick) {
        let mut index = 0;
        while let Some(request) = self.requests.get_mut(index) {
            index += 1;
            if request.tx.poll_timeout().is_none_or(|(at, _)| at > now) {
                continue;
            }
            match request.tx.on_timeout(now) {
                Act::Resend => {
                    cx.count(Counter::Resent);
                    let (to, bytes) = (request.to, request.bytes.clone());
                    cx.send(to, bytes);
                }
                Act::TimedOut | Act::Nothing | Act::Pass | Act::PassAndAck => {
                    index -= 1;
                    let request = self.requests.remove(index);
                    self.settled(cx, now, &request, None);
                }
            }
        }
    }

    /// A request got its final answer, or none.
    fn settled(&mut self, cx: &mut Cx, now: Tick, request: &Request, answer: Option<(&Message<'_>, u16)>) {
        let status = answer.map(|(_, status)| status);
        if let Some((response, 401 | 407)) = answer
            && self.again(cx, now, request, response)
        {
            return;
        }
        match &request.purpose {
            // Without its PRACK an answer comes again until the called side gives up (RFC 3262 §3); ours is the INVITE.
            Purpose::Cancel | Purpose::ForkBye | Purpose::Prack { .. } => {}
            // Whatever the answer, the dialog is over (RFC 3261 §15.1.1).
            Purpose::Bye => {
                if let Some(end) = self.ending {
                    self.finish(cx, end);
                }
            }
            Purpose::Refer(_) => match status {
                Some(200..=299) => {}
                Some(481) => self.finish(cx, End { cause: Cause::Gone, ..End::answered() }),
                Some(300..) | None => {
                    self.referring = false;
                    cx.event(self.leg, Event::ReferProgress { status: status.unwrap_or(408), last: true });
                }
                Some(_) => {}
            },
            Purpose::Refresh => self.refreshed(cx, now, answer),
            // The subscriber is gone; there is nobody to report to (RFC 3515 §2.4.7).
            Purpose::Notify => self.referring &= matches!(status, Some(200..=299)),
        }
    }

    /// Sends a challenged request again, with credentials and the next CSeq number (§22.2).
    fn again(&mut self, cx: &mut Cx, now: Tick, request: &Request, response: &Message<'_>) -> bool {
        let mut tries = request.tries;
        if !cx.take_challenge(self.trunk, response, &mut tries) {
            return false;
        }
        let sent = match &request.purpose {
            Purpose::Bye => self.in_dialog(cx, now, Purpose::Bye, no_body),
            Purpose::Refer(target) => {
                self.in_dialog(cx, now, request.purpose.clone(), |writer| refer_headers(writer, target))
            }
            Purpose::Prack { tag, rseq } => self.prack(cx, now, tag, *rseq),
            Purpose::Refresh => {
                let interval_s = self.timer.as_ref().map_or(0, |timer| timer.interval_s);
                self.in_dialog(cx, now, Purpose::Refresh, |writer| refresh_headers(writer, interval_s).end())
            }
            Purpose::Cancel | Purpose::ForkBye | Purpose::Notify => false,
        };
        if let Some(last) = self.requests.last_mut().filter(|_| sent) {
            last.tries = tries;
        }
        sent
    }

    pub(super) fn in_dialog(
        &mut self,
        cx: &mut Cx,
        now: Tick,
        purpose: Purpose,
        more: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let Some(mut dialog) = self.dialog.take() else { return false };
        let method = purpose.method();
        let credentials = cx.credentials(self.trunk, self.leg, method, dialog.request_uri());
        let contact = self.contact(cx);
        let (cseq, bytes) = dialog.request(cx, self.leg, method, |writer| {
            if method != Method::Bye {
                writer.contact(contact);
            }
            writer.raw(&credentials);
            more(writer);
        });
        let dest = dialog.dest;
        self.dialog = Some(dialog);
        self.launch(cx, now, purpose, cseq, dest, bytes);
        true
    }
}

/// The branch of a request of ours: the last thing on its second line.
pub(super) fn branch_of(request: &[u8]) -> &[u8] {
    let second = split_once(request, b'\n').and_then(|(_, rest)| split_once(rest, b'\n'));
    let via = second.map_or(&[][..], |(via, _)| via).trim_ascii_end();
    via.get(via.len().saturating_sub(BRANCH_LEN)..).unwrap_or(&[])
}

fn refer_headers(writer: &mut Writer<'_>, target: &str) {
    writer.raw(b"Refer-To: <").raw(target.as_bytes()).raw(b">\r\n").end();
}

impl End {
    /// A BYE of ours.
    pub(super) const fn hung_up() -> Self {
        Self { by: Side::Us, ..Self::answered() }
    }
}
