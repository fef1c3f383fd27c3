//! What every call needs from the machine around it: settings, names, the queue of outputs, one buffer to write in.

use std::collections::VecDeque;

use std::time::Duration;

use crate::base::{LegId, Rng, Tick, TrunkIx};
use crate::sip::header::Name;
use crate::sip::ids::Ids;
use crate::sip::invite::Caller;
use crate::sip::keyring::{Keyring, Tries};
use crate::sip::locate::order;
use crate::sip::message::{Message, Start};
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::peer::Peer;
use crate::sip::target::Target;
use crate::sip::transaction::RequestServer;
use crate::sip::validate::is_understood;
use crate::sip::writer::{Writer, allow};

use super::api::{Config, Counter, Event, Invite, Output};
use super::echo::{Echoes, Key};
use super::session_timer::MIN_SE_S;

/// For how long a target that failed is tried after the others.
const REST: Duration = Duration::from_secs(30);
/// Targets that rest; past it the oldest is forgiven.
const MAX_RESTING: usize = 256;

#[derive(Debug)]
pub(super) struct Cx {
    pub(super) config: Config,
    pub(super) ids: Ids,
    pub(super) echoes: Echoes,
    /// One for each peer.
    keyrings: Vec<Keyring>,
    /// Targets that failed, and until when they are tried last.
    resting: Vec<(Target, Tick)>,
    /// Among targets of equal priority chance decides.
    rng: Rng,
    pub(super) out: VecDeque<Output>,
    pub(super) scratch: Vec<u8>,
}

impl Cx {
    pub(super) fn new(config: Config) -> Self {
        let ids = Ids::new(&config.key);
        let keyrings = vec![Keyring::default(); config.peers.len()];
        let (resting, rng) = (Vec::new(), Rng::seeded(config.seed).fork());
        let (echoes, out, scratch) = (Echoes::default(), VecDeque::new(), Vec::with_capacity(2048));
        Self { config, ids, echoes, keyrings, resting, rng, out, scratch }
    }

    /// Nonces go with the credentials they were answered with.
    pub(super) fn set_peers(&mut self, peers: Vec<Peer>) {
        self.keyrings = vec![Keyring::default(); peers.len()];
        self.config.peers = peers;
    }

    /// Takes the challenge of a 401 or 407. True where the request is to be sent again, with `credentials`.
    pub(super) fn take_challenge(&mut self, trunk: TrunkIx, response: &Message<'_>, tries: &mut Tries) -> bool {
        let who = self.config.peers.get(trunk.ix()).and_then(|peer| peer.auth.as_ref());
        let Some(keyring) = self.keyrings.get_mut(trunk.ix()) else { return false };
        let taken = keyring.take(response, who, tries);
        self.out.push_back(match &taken {
            Ok(()) => Output::Count(Counter::Authenticated),
            Err(why) => Output::Unauthorised { trunk, why: why.clone() },
        });
        taken.is_ok()
    }

    /// Authorization lines for a request, for every challenge of this peer that was answered last.
    pub(super) fn credentials(&mut self, trunk: TrunkIx, leg: LegId, method: Method, uri: &[u8]) -> Vec<u8> {
        let mut lines = Vec::new();
        let who = self.config.peers.get(trunk.ix()).and_then(|peer| peer.auth.as_ref());
        if let (Some(who), Some(keyring)) = (who, self.keyrings.get_mut(trunk.ix())) {
            keyring.write(&self.ids, leg, who, (method, uri), &mut lines);
        }
        lines
    }

    pub(super) fn send(&mut self, to: Target, bytes: Packet) {
        self.out.push_back(Output::Send { to, bytes });
    }

    pub(super) fn event(&mut self, leg: LegId, event: Event) {
        self.out.push_back(Output::Event { leg, event });
    }

    pub(super) fn count(&mut self, counter: Counter) {
        self.out.push_back(Output::Count(counter));
    }

    pub(super) fn peer(&self, trunk: TrunkIx) -> Option<&Peer> {
        self.config.peers.get(trunk.ix())
    }

    /// Where this INVITE goes, and where else it may go, the next one last: by priority and weight, and those that failed
    /// lately after the others. Where all of them failed, it begins with the first again.
    pub(super) fn ways(&mut self, invite: &Invite, now: Tick) -> Option<(Target, Vec<Target>)> {
        let peer = self.config.peers.get(invite.trunk.ix())?;
        if peer.routes.is_empty() {
            return Some((Caller { config: &self.config, ids: &self.ids, peer }.dest(invite)?, Vec::new()));
        }
        let mut ways = order(&peer.routes, &mut self.rng);
        ways.sort_by_key(|way| self.rests(*way, now));
        ways.reverse();
        Some((ways.pop()?, ways))
    }

    /// Where anything else goes: the first target that did not fail lately.
    pub(super) fn home(&self, trunk: TrunkIx, now: Tick) -> Option<Target> {
        let peer = self.peer(trunk).filter(|peer| !peer.is_nowhere())?;
        peer.targets().find(|target| !self.rests(*target, now)).or(Some(peer.target()))
    }

    fn rests(&self, target: Target, now: Tick) -> bool {
        self.resting.iter().any(|(resting, until)| *resting == target && *until > now)
    }

    /// That one could not take an INVITE, or did not answer. Alone it has nobody to rest for.
    pub(super) fn rest(&mut self, trunk: TrunkIx, there: Target, now: Tick) {
        let Some(target) = self.peer(trunk).filter(|peer| peer.routes.len() > 1).map(|peer| peer.near(there)) else {
            return;
        };
        self.resting.retain(|(resting, until)| *resting != target && *until > now);
        if self.resting.len() >= MAX_RESTING {
            self.resting.remove(0);
        }
        self.resting.push((target, now + REST));
    }

    /// What was written last.
    pub(super) fn packet(&self) -> Packet {
        Packet::from(&self.scratch[..])
    }

    /// When an answer given now need not be remembered any more.
    pub(super) fn deadline(&self, now: Tick) -> Tick {
        now + self.config.times.life()
    }

    /// Writes and sends a response. `more` adds headers and ends the message.
    pub(super) fn reply(&mut self, to: &Asked<'_, '_>, status: u16, more: impl FnOnce(&mut Writer<'_>)) -> Packet {
        let tag = self.ids.tag(to.leg);
        let tag: &[u8] = if status == 100 { &[] } else { &tag };
        let mut writer = Writer::response(&mut self.scratch, to.message, status, tag, to.from.addr);
        if !self.config.user_agent.is_empty() && status > 100 {
            writer.header("Server", self.config.user_agent.as_bytes());
        }
        more(&mut writer);
        let packet = self.packet();
        self.send(to.reply_to, packet.clone());
        packet
    }

    /// As `reply`, and remembers it for repetitions (Timer J).
    pub(super) fn answer(&mut self, to: &Asked<'_, '_>, now: Tick, status: u16, more: impl FnOnce(&mut Writer<'_>)) {
        let packet = self.reply(to, status, more);
        let times = self.config.times.over(to.reply_to.transport);
        let (until, _) = RequestServer::answered(now, &times).poll_timeout();
        self.echoes.remember(to.key(), to.reply_to, Some(packet), until);
    }

    /// Refuses without memory (RFC 3261 §8.2.7), with the header that explains the status.
    pub(super) fn refuse(&mut self, to: &Asked<'_, '_>, status: u16) {
        self.explain(to, status);
    }

    /// Refuses a request of a dialog and remembers it: a repetition must not be judged by another state of things.
    pub(super) fn decline(&mut self, to: &Asked<'_, '_>, now: Tick, status: u16) {
        let packet = self.explain(to, status);
        let until = self.deadline(now);
        self.echoes.remember(to.key(), to.reply_to, Some(packet), until);
    }

    fn explain(&mut self, to: &Asked<'_, '_>, status: u16) -> Packet {
        self.count(Counter::RequestRefused);
        let (message, server) = (to.message, self.config.server);
        self.reply(to, status, |writer| {
            match status {
                405 | 501 => writer.header("Allow", allow(server)),
                406 | 415 => writer.header("Accept", b"application/sdp"),
                422 => writer.number_header("Min-SE", MIN_SE_S),
                420 => {
                    for tag in message.list(Name::Require) {
                        writer.header("Unsupported", if is_understood(tag) { &[] } else { tag });
                    }
                    writer
                }
                489 => writer.header("Allow-Events", b"refer"),
                500 => writer.header("Retry-After", b"2"),
                _ => writer,
            }
            .end();
        })
    }
}

/// A request that wants an answer: who asked and where the answer goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'m, 'd> {
    pub(super) message: &'m Message<'d>,
    pub(super) leg: LegId,
    pub(super) from: Target,
    pub(super) reply_to: Target,
    pub(super) branch: &'d [u8],
    pub(super) cseq: u32,
}

impl<'m, 'd> Asked<'m, 'd> {
    /// `None` where there is no Via to answer to. Without a branch the whole Via tells transactions apart, as before
    /// RFC 3261 (§17.2.3).
    pub(super) fn new(message: &'m Message<'d>, leg: LegId, from: Target) -> Option<Self> {
        let via = message.top_via()?;
        let whole = message.get(Name::Via)?;
        let cseq = message.cseq().map_or(0, |(number, _)| number);
        // An answer goes back through the connection that the request came by (RFC 3261 §18.2.2).
        let addr = if from.transport.is_reliable() { from.addr } else { via.reply_to(from.addr) };
        let reply_to = Target::new(from.transport, addr);
        Some(Self { message, leg, from, reply_to, branch: via.branch().unwrap_or(whole), cseq })
    }

    pub(super) fn method(&self) -> Method {
        match self.message.start {
            Start::Request { method, .. } => method,
            Start::Status { .. } => Method::Other,
        }
    }

    pub(super) fn key(&self) -> Key {
        Key::request(self.leg, self.method(), self.cseq, self.branch)
    }

    pub(super) fn body(&self) -> &'d [u8] {
        self.message.body.unwrap_or(&[])
    }
}
