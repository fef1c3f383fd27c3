//! The user agent machine: datagrams and commands in, datagrams and events out. One per shard of calls.

mod api;
mod call;
mod context;
mod dialog;
mod early;
mod echo;
mod inbound;
mod pings;
mod refresh;
mod registrations;
mod request;
mod session_timer;
mod uac;
mod uas;
mod wake;

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::base::{LegId, Now, Rng, Tick, TrunkIx};

use super::Peer;
use super::addr::NameAddr;
use super::header::Name;
use super::message::{Message, Start, Unreadable};
use super::method::Method;
use super::target::Target;
use super::transaction::{Act, Timer};
use super::validate::check;

pub use api::{
    Cause, Command, Config, Counter, DialogFacts, End, Event, Incoming, Input, Invite, Output, Pong, Side, Tried,
};
use call::{Call, Stage};
use context::{Asked, Cx};
use dialog::Dialog;
use echo::{Found, Key};
use pings::Pings;
use registrations::Registrations;
use request::Purpose;
use wake::Wakes;

/// The machine. After each `handle` drain `poll_output`; come back when `poll_timeout` says, at the latest.
#[derive(Debug)]
pub struct Ua {
    cx: Cx,
    calls: HashMap<LegId, Box<Call>>,
    wakes: Wakes,
    now: Tick,
    registrations: Registrations,
    pings: Pings,
}

impl Ua {
    pub fn new(config: Config) -> Self {
        let mut rng = Rng::seeded(config.seed);
        let registrations = Registrations::new(&config, rng.fork());
        let pings = Pings::new(rng);
        let cx = Cx::new(config);
        Self { cx, calls: HashMap::new(), wakes: Wakes::default(), now: Tick::default(), registrations, pings }
    }

    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        let now = now.tick;
        self.now = now;
        self.cx.echoes.expire(now);
        match input {
            Input::Datagram { from, bytes } => self.on_message(now, Target::udp(from), bytes),
            Input::Framed { from, bytes } => self.on_message(now, from, bytes),
            Input::Connected { to, ours } => self.on_connected(now, to, ours),
            Input::Unsent { to, bytes } => self.on_unsent(now, to, bytes),
            Input::Command(command) => self.on_command(now, command),
            Input::Unreachable { to } => self.on_unreachable(now, to),
            Input::Unregister => self.registrations.unregister(&mut self.cx, now),
            Input::Timeout => {}
        }
        self.registrations.on_timeout(&mut self.cx, now);
        self.pings.on_timeout(&mut self.cx, now);
        while let Some(leg) = self.wakes.due(now, &self.calls) {
            self.with(leg, |call, cx| {
                call.armed = Tick::MAX;
                call.on_timeout(cx, now);
            });
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.cx.out.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        let (register, ping) = (self.registrations.poll_timeout(&self.cx), self.pings.poll_timeout());
        self.wakes.next().into_iter().chain(register).chain(ping).min()
    }

    /// False for a trunk that must be registered and is not.
    pub fn may_dial(&self, trunk: TrunkIx, now: Tick) -> bool {
        self.registrations.may_dial(trunk, now)
    }

    /// A REGISTER is under way.
    pub fn is_registering(&self) -> bool {
        self.registrations.is_asking()
    }

    /// Calls that still wait for something; finished ones leave only echoes.
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// Messages remembered in case their cause comes again.
    pub fn echoes(&self) -> usize {
        self.cx.echoes.len()
    }

    /// Replaces the peers. Their order must not change under live calls: `TrunkIx` points into it.
    pub fn set_peers(&mut self, peers: Vec<super::Peer>) {
        let mut peers = peers;
        for peer in &mut peers {
            let before: Vec<_> = self.cx.config.peers.iter().flat_map(Peer::targets).collect();
            for to in before {
                let ours = self.cx.config.peers.iter().find(|old| old.targets().any(|target| target == to));
                if let Some(ours) = ours.and_then(|old| old.our_end_at(to)) {
                    peer.connected(to, ours);
                }
            }
        }
        self.keep_former(&mut peers);
        self.registrations.set_peers(&self.cx.config.peers, &peers);
        self.pings.forget();
        self.cx.set_peers(peers);
    }

    /// A name that leads elsewhere now does not cut off the calls that are where it led before.
    fn keep_former(&self, peers: &mut [Peer]) {
        const MAX_FORMER: usize = 16;
        for leg in self.wakes.legs() {
            let Some(call) = self.calls.get(&leg) else { continue };
            let (Some(there), Some(peer)) = (call.there(), peers.get_mut(call.trunk.ix())) else { continue };
            // A Contact in one of its networks is the peer's without this.
            let Some(was) = self.cx.peer(call.trunk).map(|old| old.near(there)).filter(|was| was.addr == there.addr)
            else {
                continue;
            };
            let known = peer.targets().chain(peer.former.iter().copied()).any(|target| target == was);
            if !known && peer.former.len() < MAX_FORMER {
                peer.former.push(was);
            }
        }
    }

    fn on_command(&mut self, now: Tick, command: Command) {
        match command {
            Command::Invite(invite) => self.place(now, invite),
            Command::Hangup { leg } => self.with(leg, |call, cx| match call.stage {
                Stage::Inviting(_) => call.cancel(cx, now, Cause::Cancelled),
                Stage::Offered(_) => call.hangup_offered(cx, now),
                Stage::Up => call.bye(cx, now, End::hung_up()),
            }),
            Command::Refer { leg, target } => self.with(leg, |call, cx| call.refer(cx, now, &target)),
            Command::Transfer { leg, with } => {
                let target = self.calls.get(&with).filter(|_| with != leg).and_then(|call| call.replaceable());
                self.with(leg, |call, cx| call.refer(cx, now, target.as_deref().unwrap_or("")));
            }
            Command::Options { trunk } => self.pings.ask(&mut self.cx, now, trunk),
            Command::Provisional { leg, status, media } => {
                self.with(leg, |call, cx| call.provisional(cx, now, status, media));
            }
            Command::Accept { leg, media } => self.with(leg, |call, cx| call.accept(cx, now, media)),
            Command::Reject { leg, status, q850, retry_after_s } => {
                self.with(leg, |call, cx| call.reject(cx, now, status, q850, retry_after_s));
            }
            Command::NotifyRefer { leg, status } => self.with(leg, |call, cx| call.notify_refer(cx, now, status)),
        }
    }

    fn place(&mut self, now: Tick, invite: Box<Invite>) {
        let leg = invite.leg;
        if self.calls.contains_key(&leg) {
            return self.cx.count(Counter::LegInUse);
        }
        let room = self.calls.len() < self.cx.config.max_calls;
        match room.then(|| Call::place(&mut self.cx, now, invite)).flatten() {
            Some(call) => self.insert(call),
            None => self.cx.event(leg, Event::Ended(End { by: Side::Us, ..End::silent(Cause::NotSent) })),
        }
    }

    fn on_unreachable(&mut self, now: Tick, to: SocketAddr) {
        self.registrations.on_unreachable(&mut self.cx, now, to);
        self.pings.on_unreachable(&mut self.cx, now, |asked| asked == Target::udp(to));
        for leg in self.wakes.legs() {
            self.with(leg, |call, cx| {
                if let Stage::Inviting(inviting) = &mut call.stage
                    && inviting.to == Target::udp(to)
                    && inviting.tx.on_unreachable() == Act::TimedOut
                {
                    call.not_reached(cx, now);
                }
            });
        }
    }

    fn on_connected(&mut self, now: Tick, to: Target, ours: SocketAddr) {
        self.cx.config.peers.iter_mut().for_each(|peer| peer.connected(to, ours));
        self.registrations.on_connected(&mut self.cx, now, to);
    }

    fn on_unsent(&mut self, now: Tick, to: Target, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        let Some(leg) = message.get(Name::CallId).map(|id| self.cx.ids.leg(id)) else { return };
        if matches!(message.start, Start::Request { method: Method::Register, .. }) {
            return self.registrations.on_unreachable(&mut self.cx, now, to.addr);
        }
        if matches!(message.start, Start::Request { method: Method::Options, .. }) {
            return self.pings.on_unreachable(&mut self.cx, now, |asked| asked == to);
        }
        if matches!(message.start, Start::Request { .. }) && self.owns(leg, to) {
            self.with(leg, |call, cx| {
                call.on_invite_unsent(cx, now, bytes);
                call.on_request_unsent(now, bytes);
            });
        }
    }

    fn on_message(&mut self, now: Tick, from: Target, bytes: &[u8]) {
        let Some(trunk) = self.cx.config.peers.iter().position(|peer| peer.owns(from)) else {
            return self.cx.count(Counter::UnknownSource);
        };
        let trunk = TrunkIx(trunk as u16);
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(Unreadable::KeepAlive) => return,
            Err(Unreadable::TooLong | Unreadable::TooManyHeaders | Unreadable::StartLine) => {
                return self.cx.count(Counter::Unreadable);
            }
        };
        let Some(call_id) = message.get(Name::CallId) else { return self.without_call_id(&message, from) };
        let leg = self.cx.ids.leg(call_id);
        match message.start {
            Start::Status { code, .. } => {
                let known = self.owns(leg, from);
                self.on_response(now, (leg, trunk), known, &message, (from, code));
            }
            Start::Request { method: Method::Ack, .. } => {
                if check(&message).is_ok() && self.owns(leg, from) {
                    self.with(leg, |call, cx| call.on_ack(cx, now, &message));
                }
            }
            Start::Request { method, .. } => {
                let Some(asked) = Asked::new(&message, leg, from) else { return self.cx.count(Counter::Unreadable) };
                self.on_request(now, trunk, method, &asked, bytes);
            }
        }
    }

    fn without_call_id(&mut self, message: &Message<'_>, from: Target) {
        match Asked::new(message, LegId::default(), from) {
            Some(asked) if matches!(message.start, Start::Request { .. }) => self.cx.refuse(&asked, 400),
            Some(_) | None => self.cx.count(Counter::Unreadable),
        }
    }

    fn on_request(&mut self, now: Tick, trunk: TrunkIx, method: Method, asked: &Asked<'_, '_>, datagram: &[u8]) {
        // On a stream nobody else can tell where it ends (RFC 3261 §18.3).
        if asked.from.transport.is_reliable() && !matches!(asked.message.content_length(), Ok(Some(_))) {
            return self.cx.refuse(asked, 400);
        }
        if let Err(refusal) = check(asked.message) {
            let status = if method == Method::Other && refusal.status == 400 { 501 } else { refusal.status };
            return self.cx.refuse(asked, status);
        }
        if self.repeated(asked.key(), now) {
            // Until it is settled an INVITE is answered by its own transaction.
            return self.with(asked.leg, |call, cx| {
                if matches!(&call.stage, Stage::Offered(offered) if *offered.branch == *asked.branch) {
                    call.on_invite_again(cx);
                }
            });
        }
        let known = self.owns(asked.leg, asked.from);
        if method == Method::Cancel {
            return self.on_cancel(now, asked, known);
        }
        if asked.message.to().and_then(|to| to.tag()).is_some() {
            if known {
                self.with(asked.leg, |call, cx| call.on_request(cx, now, asked));
            } else {
                self.cx.refuse(asked, 481);
            }
            return;
        }
        match method {
            Method::Invite => self.on_invite(trunk, asked, datagram),
            Method::Options => inbound::options(&mut self.cx, now, asked),
            Method::Bye | Method::Info | Method::Update | Method::Notify => self.cx.refuse(asked, 481),
            Method::Other => self.cx.refuse(asked, 501),
            Method::Ack | Method::Cancel => {}
            // Who signs a request is judged before what it asks (§8.2), and we registered nobody.
            Method::Register if asked.message.named(b"Authorization").is_some() => self.cx.refuse(asked, 403),
            Method::Refer
            | Method::Prack
            | Method::Register
            | Method::Subscribe
            | Method::Message
            | Method::Publish => self.cx.refuse(asked, 405),
        }
    }

    fn on_invite(&mut self, trunk: TrunkIx, asked: &Asked<'_, '_>, datagram: &[u8]) {
        if !self.cx.config.server {
            self.cx.count(Counter::InboundInvite);
            return self.cx.refuse(asked, 480);
        }
        if let Some(call) = self.calls.get_mut(&asked.leg) {
            match &call.stage {
                Stage::Offered(offered) if *offered.branch == *asked.branch && offered.cseq == asked.cseq => {
                    self.cx.count(Counter::Repeated);
                    return call.on_invite_again(&mut self.cx);
                }
                // Refused before, and now tried again: with credentials, or over another trunk.
                Stage::Offered(_) if call.over => {}
                // One call by two ways (RFC 3261 §8.2.2.2).
                Stage::Offered(_) | Stage::Inviting(_) | Stage::Up => return self.cx.refuse(asked, 482),
            }
        }
        if session_timer::is_too_short(asked.message) {
            return self.cx.refuse(asked, 422);
        }
        if self.calls.len() >= self.cx.config.max_calls {
            return self.cx.refuse(asked, 503);
        }
        let call = Call::offered(&mut self.cx, asked, trunk, datagram);
        self.insert(call);
    }

    fn on_cancel(&mut self, now: Tick, asked: &Asked<'_, '_>, known: bool) {
        let ours = self.calls.get(&asked.leg).is_some_and(|call| {
            known && matches!(&call.stage, Stage::Offered(o) if *o.branch == *asked.branch && o.cseq == asked.cseq)
        });
        if !ours {
            return self.cx.refuse(asked, 481);
        }
        self.cx.answer(asked, now, 200, super::writer::no_body);
        self.with(asked.leg, |call, cx| call.on_cancel(cx, now));
    }

    fn on_response(
        &mut self,
        now: Tick,
        (leg, trunk): (LegId, TrunkIx),
        known: bool,
        response: &Message<'_>,
        (from, status): (Target, u16),
    ) {
        let ours = response.top_via().is_some_and(|via| {
            let local = self.cx.config.sent_by(from.transport).addr;
            via.host_ip() == Some(local.ip()) && via.port.unwrap_or(5060) == local.port()
        });
        let Some((cseq, method)) = response.cseq().filter(|_| ours) else {
            return self.cx.count(Counter::StrayResponse);
        };
        let mut taken = false;
        if method == Method::Register {
            taken = self.registrations.on_response(&mut self.cx, now, (leg, trunk), response, status);
        } else if method == Method::Options {
            taken = self.pings.on_response(&mut self.cx, now, (leg, from), response, status);
        } else if method == Method::Invite {
            let tag = response.to().and_then(|to| to.tag()).unwrap_or(&[]);
            let branch = response.top_via().and_then(|via| via.branch()).unwrap_or(&[]);
            if status >= 200 && self.repeated(Key::answer(leg, cseq, branch, tag), now) {
                return;
            }
            if known {
                self.with(leg, |call, cx| taken = call.on_invite_response(cx, now, response, status));
            }
            if !taken && (200..300).contains(&status) {
                taken = self.end_fork(now, (leg, trunk), response, (from, cseq));
            }
        } else {
            // Over which trunk it went is of no matter: a BYE ends what another trunk answered late, and nobody guesses a branch.
            self.with(leg, |call, cx| taken = call.on_request_response(cx, now, response, status));
        }
        if !taken {
            self.cx.count(Counter::StrayResponse);
        }
    }

    /// A 2xx that is not the call's: another fork, or an INVITE of ours that nobody remembers. Somebody has picked up;
    /// ACK and BYE (RFC 3261 §13.2.2.4). All it takes stands in the response; the From tag proves that it is ours.
    fn end_fork(
        &mut self,
        now: Tick,
        (leg, trunk): (LegId, TrunkIx),
        response: &Message<'_>,
        (there, cseq): (Target, u32),
    ) -> bool {
        let from = response.get(Name::From).unwrap_or(&[]);
        let ours = NameAddr::parse(from).and_then(|from| from.tag()) == Some(&self.cx.ids.tag(leg)[..]);
        let Some(peer) = self.cx.config.peers.get(trunk.ix()).filter(|_| ours) else { return false };
        let Some(to) = response.to().or(response.contact()) else { return false };
        let call_id = response.get(Name::CallId).unwrap_or(&[]);
        let mut dialog = Dialog::from_response(response, (call_id, from), cseq, to.uri, (peer, there));
        uac::acknowledge(&mut self.cx, now, leg, (&dialog, cseq), (response, &[]));
        self.cx.count(Counter::ForkEnded);
        let credentials = self.cx.credentials(trunk, leg, Method::Bye, dialog.request_uri());
        let (cseq, bye) = dialog.request(&mut self.cx, leg, Method::Bye, |writer| writer.raw(&credentials).end());
        self.calls.entry(leg).or_insert_with(|| {
            let mut nobody = Call::new(leg, trunk, Stage::Up);
            nobody.over = true;
            Box::new(nobody)
        });
        self.with(leg, |call, cx| call.launch(cx, now, Purpose::ForkBye, cseq, dialog.dest, bye));
        true
    }

    /// Deals with a message that was dealt with before. False where it is new.
    fn repeated(&mut self, key: Key, now: Tick) -> bool {
        match self.cx.echoes.find(key, now) {
            Found::Nothing => return false,
            Found::Silence => {}
            Found::Again(to, bytes) => self.cx.send(to, bytes),
        }
        self.cx.count(Counter::Repeated);
        true
    }

    /// The call exists and belongs to the peer that spoke.
    fn owns(&self, leg: LegId, from: Target) -> bool {
        let peer = self.calls.get(&leg).and_then(|call| self.cx.peer(call.trunk));
        peer.is_some_and(|peer| peer.owns(from))
    }

    fn insert(&mut self, call: Call) {
        let leg = call.leg;
        self.calls.insert(leg, Box::new(call));
        self.with(leg, |_, _| {});
    }

    /// Lets a call act, then drops it if it is done or asks to be woken for it.
    fn with(&mut self, leg: LegId, act: impl FnOnce(&mut Call, &mut Cx)) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        act(call, &mut self.cx);
        if call.is_done() {
            self.calls.remove(&leg);
        } else if let Some((at, why)) = call.poll_timeout() {
            // A wake is never taken back. So it is not set further ahead than a finished call may be remembered: a call
            // with nothing to do looks after itself once in a while.
            let at = at.min(self.cx.deadline(self.now));
            if at < call.armed {
                call.armed = at;
                self.wakes.push(at, leg, why);
            }
        }
    }
}
