//! OPTIONS to a peer (RFC 3261 §11), one at a time for each: is it there? When to ask is for others to say.

use crate::base::{AttemptId, LegId, Rng, Tick, TrunkIx};
use crate::sip::ids::{Branch, Hop, call_id};
use crate::sip::keyring::Tries;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::target::Target;
use crate::sip::transaction::{Act, RequestClient, Timer};
use crate::sip::writer::Writer;

use super::api::{Counter, Output, Pong};
use super::context::Cx;

#[derive(Debug)]
pub(super) struct Pings {
    /// Those under way.
    asking: Vec<Ping>,
    rng: Rng,
}

#[derive(Debug)]
struct Ping {
    trunk: TrunkIx,
    /// Spells the Call-ID; no leg of a call.
    id: LegId,
    cseq: u32,
    branch: Branch,
    bytes: Packet,
    to: Target,
    tx: RequestClient,
    tries: Tries,
}

impl Pings {
    pub(super) fn new(rng: Rng) -> Self {
        Self { asking: Vec::new(), rng }
    }

    /// Asks, unless the answer to the last one is still awaited.
    pub(super) fn ask(&mut self, cx: &mut Cx, now: Tick, trunk: TrunkIx) {
        if self.asking.iter().any(|ping| ping.trunk == trunk) {
            return;
        }
        let mut id = [0; 16];
        self.rng.fill(&mut id);
        self.asking.extend(Ping::send(cx, now, trunk, (LegId(AttemptId::from_bytes(id)), 1), Tries::default()));
    }

    /// Those that were asked for before a reload: nobody waits for their answers.
    pub(super) fn forget(&mut self) {
        self.asking.clear();
    }

    /// False where it is the answer to none of them. `from` is who spoke.
    pub(super) fn on_response(
        &mut self,
        cx: &mut Cx,
        now: Tick,
        (id, from): (LegId, Target),
        response: &Message<'_>,
        status: u16,
    ) -> bool {
        let branch = response.top_via().and_then(|via| via.branch());
        let ours = |ping: &Ping| {
            ping.id == id
                && response.cseq() == Some((ping.cseq, Method::Options))
                && branch == Some(&ping.branch[..])
                && cx.peer(ping.trunk).is_some_and(|peer| peer.owns(from))
        };
        let Some(at) = self.asking.iter().position(ours) else { return false };
        let Some(ping) = self.asking.get_mut(at) else { return false };
        if ping.tx.on_response(now, status) == Act::Pass && status >= 200 {
            let ping = self.asking.swap_remove(at);
            self.asking.extend(ping.settled(cx, now, response, status));
        }
        true
    }

    /// The network said that nobody is at this address, or no connection took what was to go there.
    pub(super) fn on_unreachable(&mut self, cx: &mut Cx, now: Tick, to: impl Fn(Target) -> bool) {
        self.asking.retain(|ping| {
            let gone = to(ping.to);
            if gone {
                cx.rest(ping.trunk, ping.to, now);
                cx.out.push_back(Output::Pong { trunk: ping.trunk, pong: Pong::Unreachable });
            }
            !gone
        });
    }

    pub(super) fn on_timeout(&mut self, cx: &mut Cx, now: Tick) {
        self.asking.retain_mut(|ping| {
            if ping.tx.poll_timeout().is_none_or(|(at, _)| at > now) {
                return true;
            }
            let act = ping.tx.on_timeout(now);
            match act {
                Act::Resend => {
                    cx.count(Counter::Resent);
                    cx.send(ping.to, ping.bytes.clone());
                }
                Act::TimedOut | Act::Nothing | Act::Pass | Act::PassAndAck => {
                    cx.rest(ping.trunk, ping.to, now);
                    cx.out.push_back(Output::Pong { trunk: ping.trunk, pong: Pong::Silence });
                }
            }
            act == Act::Resend
        });
    }

    pub(super) fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        self.asking.iter().filter_map(|ping| ping.tx.poll_timeout()).min()
    }
}

impl Ping {
    /// `None` where there is no such peer.
    fn send(cx: &mut Cx, now: Tick, trunk: TrunkIx, (id, cseq): (LegId, u32), tries: Tries) -> Option<Self> {
        let to = cx.home(trunk, now)?;
        let branch = cx.ids.branch(id, cseq, Hop::Request(0));
        let bytes = write(cx, trunk, to, (id, cseq), &branch)?;
        cx.send(to, bytes.clone());
        let times = cx.config.times.over(to.transport);
        let tx = RequestClient::patient(now, &times, times.patience());
        Some(Self { trunk, id, cseq, branch, bytes, to, tx, tries })
    }

    /// A challenge is answered where we have credentials (§22.2); without them it is an answer like any other.
    fn settled(self, cx: &mut Cx, now: Tick, response: &Message<'_>, status: u16) -> Option<Self> {
        let mut tries = self.tries;
        let known = cx.peer(self.trunk).is_some_and(|peer| peer.auth.is_some());
        if matches!(status, 401 | 407) && known && cx.take_challenge(self.trunk, response, &mut tries) {
            return Self::send(cx, now, self.trunk, (self.id, self.cseq + 1), tries);
        }
        let pong = Pong::Answered { status, retry_after_s: response.retry_after_s() };
        cx.out.push_back(Output::Pong { trunk: self.trunk, pong });
        None
    }
}

fn write(cx: &mut Cx, trunk: TrunkIx, to: Target, (id, cseq): (LegId, u32), branch: &Branch) -> Option<Packet> {
    let peer = cx.peer(trunk)?;
    let domain = peer.domain.clone();
    let uri = format!("sip:{}{}", to.addr, to.transport.uri_param()).into_bytes();
    let (sent_by, contact) = (cx.config.sent_by(to.transport), cx.config.contact(Some(peer), to));
    let us = domain.unwrap_or_else(|| cx.config.local.to_string());
    let credentials = cx.credentials(trunk, id, Method::Options, &uri);
    let (tag, user_agent) = (cx.ids.tag(id), cx.config.user_agent.clone());
    let mut writer = Writer::request(&mut cx.scratch, Method::Options, &uri, sent_by, branch);
    writer.raw(b"From: <sip:goldenhour@").raw(us.as_bytes()).raw(b">;tag=").raw(&tag).raw(b"\r\n");
    writer.raw(b"To: <").raw(&uri).raw(b">\r\n").header("Call-ID", &call_id(id)).cseq(cseq, Method::Options);
    writer.contact(contact).header("Accept", b"application/sdp");
    writer.header("User-Agent", user_agent.as_bytes()).raw(&credentials).end();
    Some(cx.packet())
}
