//! The line machine: commands, datagrams and RTP in; datagrams, RTP and leg events out.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::base::{Destination, LegId, Now, Pii, Rng, Tick, TrunkIx};
use crate::call::{Dial, Digit, LegCommand, LegEnd, LegEvent, NotSent, ReleaseSide, TrunkDown, TrunkState};
use crate::media;
use crate::sip::{self, Cause, End, Event, Identity, Invite, Side, Ua, sdp};

use super::health::{Health, Verdict};
use super::ports::{Lane, Port, Ports};
use super::quality::quality;
use super::recovery::Recovery;
use super::sessions::Sessions;
use super::{Config, Counter, Input, LineTrunk, Output, RecoveredLeg, SrtpKey, Trouble, Why, unanswered};

/// One shard of calls: a user agent and its media.
#[derive(Debug)]
pub struct Line {
    sip: sip::Config,
    ua: Ua,
    trunks: Vec<Trunk>,
    legs: HashMap<LegId, Leg>,
    ports: Ports,
    media_address: IpAddr,
    srtp_key: SrtpKey,
    sessions: Sessions,
    recovery: Recovery,
    /// Dials that wait for their port, by port index. The pump answers within the same round, so there are few.
    opening: Vec<(u16, LegId, Box<Wish>)>,
    /// Behind the heartbeats.
    rng: Rng,
    out: VecDeque<Output>,
}

/// What is remembered of a live leg here; everything else lies in the user agent and in the session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    port: u16,
    trunk: TrunkIx,
    rang: bool,
    early: bool,
    refer: Refer,
    keys: Option<Keys>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refer {
    No,
    Open,
}

/// By which way key presses come. A gateway that sends each both ways presses it once: the first way heard is the leg's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    Rtp,
    Info,
}

/// A trunk, and what stands behind the `@` of a number's URI.
#[derive(Debug)]
struct Trunk {
    settings: LineTrunk,
    host: String,
    /// Its targets that something can be sent to now; datagrams can always.
    connected: Vec<sip::Target>,
    health: Health,
    /// How it stood when that was told last.
    told: TrunkState,
}

impl Trunk {
    fn reach(&mut self, to: sip::Target, connected: bool) {
        let before = !self.connected.is_empty();
        self.connected.retain(|known| *known != to);
        if connected {
            self.connected.push(to);
        }
        if before == self.connected.is_empty() {
            self.health.on_connection(!before);
        }
    }

    fn new(settings: LineTrunk, rng: Rng) -> Self {
        let host = settings.host.clone().unwrap_or_else(|| settings.addr.to_string());
        let over = settings.uri_transport.unwrap_or(settings.transport);
        let datagrams = settings.targets().into_iter().filter(|to| !to.transport.is_reliable());
        let connected: Vec<_> = datagrams.filter(|_| !settings.is_nowhere()).collect();
        let health = Health::new(settings.options_every, rng, !connected.is_empty());
        Self { host: host + over.uri_param(), settings, connected, health, told: TrunkState::Up }
    }
}

/// A dial, its number, and who answers for it.
#[derive(Debug)]
struct Wish {
    dial: Dial,
    number: Pii<String>,
    identity: Option<Identity>,
}

impl Line {
    pub fn new(config: Config) -> Self {
        let Config { mut sip, trunks, media, silence_after, quarantine, seed, srtp_key } = config;
        sip.peers = trunks.iter().map(LineTrunk::peer).collect();
        sip.seed = seed;
        let ports = Ports::new(&media, quarantine);
        let mut rng = Rng::seeded(seed);
        let sessions = Sessions::new(ports.count(), rng.fork(), silence_after);
        Self {
            ua: Ua::new(sip.clone()),
            sip,
            trunks: trunks.into_iter().map(|trunk| Trunk::new(trunk, rng.fork())).collect(),
            legs: HashMap::new(),
            sessions,
            ports,
            media_address: media.address,
            srtp_key,
            recovery: Recovery::default(),
            opening: Vec::new(),
            rng,
            out: VecDeque::new(),
        }
    }

    /// After a reload. The order must not change under live legs: `TrunkIx` points into it.
    pub fn set_trunks(&mut self, trunks: Vec<LineTrunk>) {
        self.sip.peers = trunks.iter().map(LineTrunk::peer).collect();
        self.ua.set_peers(self.sip.peers.clone());
        let mut before = std::mem::take(&mut self.trunks).into_iter();
        for settings in trunks {
            let old = before.next();
            let mut trunk = Trunk::new(settings, self.rng.fork());
            if let Some(old) = old {
                trunk.told = old.told;
                let targets = trunk.settings.targets();
                for to in old.connected.iter().filter(|to| to.transport.is_reliable() && targets.contains(to)) {
                    trunk.reach(*to, true);
                }
                if old.settings.targets() == targets && old.settings.options_every == trunk.settings.options_every {
                    trunk.health = old.health;
                    trunk.health.on_forgotten();
                }
            }
            self.trunks.push(trunk);
        }
    }

    fn connected(&mut self, to: sip::Target, connected: bool) {
        for trunk in self.trunks.iter_mut().filter(|trunk| trunk.settings.targets().contains(&to)) {
            trunk.reach(to, connected);
        }
    }

    /// How a trunk stands: the one place that knows.
    fn standing(&self, ix: TrunkIx, now: Tick) -> TrunkState {
        let down = match self.trunks.get(ix.ix()) {
            None => Some(TrunkDown::Disconnected),
            Some(trunk) if trunk.connected.is_empty() => Some(TrunkDown::Disconnected),
            Some(_) if !self.ua.may_dial(ix, now) => Some(TrunkDown::Unregistered),
            Some(trunk) => trunk.health.down(now),
        };
        down.map_or(TrunkState::Up, TrunkState::Down)
    }

    /// Says which trunks stand otherwise than before.
    fn tell_trunks(&mut self, now: Tick) {
        for at in 0..self.trunks.len() {
            let ix = TrunkIx(at as u16);
            let state = self.standing(ix, now);
            if let Some(trunk) = self.trunks.get_mut(at).filter(|trunk| trunk.told != state) {
                trunk.told = state;
                self.out.push_back(Output::Trunk { trunk: ix, state });
            }
        }
    }

    /// Asks the trunks whose time has come.
    fn heartbeats(&mut self, now: Now) {
        for at in 0..self.trunks.len() {
            let trunk = TrunkIx(at as u16);
            if self.trunks.get_mut(at).is_some_and(|trunk| trunk.health.on_timeout(now.tick)) {
                self.sip(now, sip::Input::Command(sip::Command::Options { trunk }));
            }
        }
    }

    fn judge(&mut self, now: Now, ix: TrunkIx, leg: LegId, verdict: Verdict) {
        if let Some(trunk) = self.trunks.get_mut(ix.ix()) {
            trunk.health.on_call(now.tick, leg, verdict);
        }
    }

    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        // Says nothing of a trunk, and comes most often.
        let is_sound = matches!(input, Input::Rtp { .. });
        self.act(now, input);
        if !is_sound {
            self.tell_trunks(now.tick);
        }
    }

    fn act(&mut self, now: Now, input: Input<'_>) {
        match input {
            Input::Command { leg, command, number, identity } => self.on_command(now, leg, command, (number, identity)),
            Input::Datagram { from, bytes } => self.sip(now, sip::Input::Datagram { from, bytes }),
            Input::Framed { from, bytes } => self.sip(now, sip::Input::Framed { from, bytes }),
            Input::Connected { to, ours } => {
                self.connected(to, true);
                self.sip(now, sip::Input::Connected { to, ours });
            }
            Input::Disconnected { to } => self.connected(to, false),
            Input::Unsent { to, bytes } => self.sip(now, sip::Input::Unsent { to, bytes }),
            Input::Rtp { port, from, bytes } => self.on_rtp(now, port, from, bytes),
            Input::PortOpened { port, ok } => self.on_port(now, port, ok),
            Input::Unreachable { to } => self.sip(now, sip::Input::Unreachable { to }),
            Input::Unregister => self.sip(now, sip::Input::Unregister),
            Input::Recover(legs) => self.recover(now, legs),
            Input::Timeout => self.on_timeout(now),
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The next RTP or RTCP packet that is due, in place of what `out` holds: from which local port, and where to.
    pub fn poll_rtp(&mut self, out: &mut Vec<u8>) -> Option<(u16, SocketAddr)> {
        let (ix, lane, to) = self.sessions.poll_packet(out)?;
        Some((self.ports.number(ix, lane), to))
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Why)> {
        let sip = self.ua.poll_timeout().map(|(at, timer)| (at, Why::Sip(timer)));
        let media = self.sessions.poll_timeout().map(|at| (at, Why::Media));
        let recovery = self.recovery.poll_timeout().map(|at| (at, Why::Recovery));
        let health = self.trunks.iter().filter_map(|trunk| trunk.health.poll_timeout()).min();
        let health = health.map(|(at, timer)| (at, Why::Health(timer)));
        [sip, media, health, recovery].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub fn trunk(&self, ix: TrunkIx) -> Option<&LineTrunk> {
        self.trunks.get(ix.ix()).map(|trunk| &trunk.settings)
    }

    /// Where the leg's sound arrives; RTCP one above.
    pub fn media_port(&self, leg: LegId) -> Option<u16> {
        self.legs.get(&leg).map(|leg| self.ports.number(leg.port, Lane::Rtp))
    }

    pub fn live_legs(&self) -> usize {
        self.legs.len()
    }

    /// A REGISTER waits for its answer.
    pub fn is_registering(&self) -> bool {
        self.ua.is_registering()
    }

    fn on_timeout(&mut self, now: Now) {
        if self.ua.poll_timeout().is_some_and(|(at, _)| at <= now.tick) {
            self.sip(now, sip::Input::Timeout);
        }
        self.heartbeats(now);
        self.sessions.timeout(now);
        self.report();
        while let Some((to, bytes)) = self.recovery.poll(now.tick) {
            self.out.push_back(Output::SendSip { to, bytes });
        }
    }

    fn on_command(&mut self, now: Now, leg: LegId, command: LegCommand, with: (Option<Pii<String>>, Option<Identity>)) {
        match command {
            LegCommand::Dial(dial) => self.dial(now, leg, dial, with),
            LegCommand::Play(prompt) => self.media(now, leg, media::Input::Play(prompt.pcm)),
            LegCommand::StopPlay => self.media(now, leg, media::Input::StopPlay),
            LegCommand::Refer { target } => {
                if let Some(known) = self.legs.get_mut(&leg) {
                    known.refer = Refer::Open;
                    self.sip(now, sip::Input::Command(sip::Command::Refer { leg, target }));
                }
            }
            LegCommand::Hangup => self.hang_up(now, leg),
        }
    }

    fn dial(&mut self, now: Now, leg: LegId, dial: Dial, (number, identity): (Option<Pii<String>>, Option<Identity>)) {
        let waits = self.opening.iter().any(|(_, opening, _)| *opening == leg);
        if waits || self.legs.contains_key(&leg) {
            return self.out.push_back(Output::Count(Counter::LegInUse));
        }
        // Without a number there is nobody to dial, and no gateway either.
        let Some(number) = number.filter(|_| self.trunks.len() > dial.trunk.ix()) else {
            return self.event(leg, LegEvent::NotSent(NotSent::TrunkDown));
        };
        // As the store has it, before the gateway's own form of numbers: nothing is on the wire, whoever asked for it.
        let reach = self.trunks.get(dial.trunk.ix()).map(|trunk| trunk.settings.reach.judge(number.reveal()));
        if reach != Some(Destination::Allowed) {
            self.out.push_back(Output::Count(Counter::NotAllowed));
            return self.event(leg, LegEvent::NotSent(NotSent::NotAllowed));
        }
        if let Some(why) = self.refusal(now, &dial) {
            return self.event(leg, LegEvent::NotSent(why));
        }
        match self.ports.take(now.tick) {
            None => self.event(leg, LegEvent::NotSent(NotSent::NoMediaPort)),
            Some(Port::Bound(ix)) => self.invite(now, leg, ix, &Wish { dial, number, identity }),
            Some(Port::Fresh(ix)) => {
                self.opening.push((ix, leg, Box::new(Wish { dial, number, identity })));
                self.out.push_back(Output::OpenPort(self.ports.number(ix, Lane::Rtp)));
            }
        }
    }

    fn refusal(&self, now: Now, dial: &Dial) -> Option<NotSent> {
        if now.tick > dial.permit_until {
            return Some(NotSent::PermitExpired);
        }
        if self.standing(dial.trunk, now.tick) != TrunkState::Up {
            return Some(NotSent::TrunkDown);
        }
        (self.ua.live_calls() >= self.sip.max_calls).then_some(NotSent::TrunkFull)
    }

    fn on_port(&mut self, now: Now, port: u16, ok: bool) {
        let Some((ix, _)) = self.ports.index(port) else { return };
        let Some(at) = self.opening.iter().position(|(opening, ..)| *opening == ix) else { return };
        let (_, leg, wish) = self.opening.swap_remove(at);
        if !ok {
            // It stays out of use; the next port may be free.
            self.out.push_back(Output::Count(Counter::PortRefused));
            return self.dial(now, leg, wish.dial, (Some(wish.number), wish.identity));
        }
        match self.refusal(now, &wish.dial) {
            Some(why) => {
                self.ports.rest(now.tick, ix);
                self.event(leg, LegEvent::NotSent(why));
            }
            None => self.invite(now, leg, ix, &wish),
        }
    }

    fn invite(&mut self, now: Now, leg: LegId, ix: u16, wish: &Wish) {
        let known = Leg { port: ix, trunk: wish.dial.trunk, rang: false, early: false, refer: Refer::No, keys: None };
        self.legs.insert(leg, known);
        if let Some(trunk) = self.trunks.get_mut(wish.dial.trunk.ix()) {
            trunk.health.on_dial(leg);
        }
        let rtp = SocketAddr::new(self.media_address, self.ports.number(ix, Lane::Rtp));
        let placed = self.invite_of(leg, wish, rtp).map(|invite| sip::Command::Invite(Box::new(invite)));
        match placed {
            Some(command) => self.sip(now, sip::Input::Command(command)),
            None => self.ended(now, leg, &nothing_sent()),
        }
        // Whatever stopped it has ended the leg by now; otherwise its INVITE is among the outputs above.
        if self.legs.contains_key(&leg) {
            self.event(leg, LegEvent::Sent);
        }
    }

    fn invite_of(&self, leg: LegId, wish: &Wish, rtp: SocketAddr) -> Option<Invite> {
        let Wish { dial: Dial { trunk, hop, caller_id, ring, permit_until }, number, identity } = wish;
        let invite = self.invite_to(leg, (*trunk, *hop), number, caller_id, (*ring, *permit_until), rtp)?;
        Some(Invite { identity: identity.clone(), ..invite })
    }

    fn invite_to(
        &self,
        leg: LegId,
        (ix, hop): (TrunkIx, u8),
        number: &Pii<String>,
        caller_id: &Arc<str>,
        (ring_timeout, permit_until): (std::time::Duration, Tick),
        rtp: SocketAddr,
    ) -> Option<Invite> {
        let Trunk { settings: trunk, host, .. } = self.trunks.get(ix.ix())?;
        let caller = Pii::new(caller_id.to_string());
        Some(Invite {
            leg,
            trunk: ix,
            hop,
            permit_until,
            request_uri: trunk.number.request_uri(number.reveal(), host),
            asserted: trunk.asserts_caller_id.then(|| caller.clone()),
            from_user: caller,
            from_display: None,
            identity: None,
            ring_timeout,
            media: sdp::Local {
                rtp,
                prefer: trunk.prefer,
                srtp: trunk.srtp.then(|| sdp::Secret::of(&self.srtp_key.0, leg)),
            },
        })
    }

    fn hang_up(&mut self, now: Now, leg: LegId) {
        if let Some(at) = self.opening.iter().position(|(_, opening, _)| *opening == leg) {
            // Its port comes too late to be used for this leg: the permit was withdrawn.
            if let Some((_, _, wish)) = self.opening.get_mut(at) {
                wish.dial.permit_until = Tick::default();
            }
            return;
        }
        self.sip(now, sip::Input::Command(sip::Command::Hangup { leg }));
    }

    fn media(&mut self, now: Now, leg: LegId, input: media::Input<'_>) {
        if let Some(ix) = self.legs.get(&leg).map(|leg| leg.port) {
            self.sessions.input(now, ix, input);
            self.report();
        }
    }

    fn on_rtp(&mut self, now: Now, port: u16, from: SocketAddr, bytes: &[u8]) {
        let place = self.ports.index(port);
        let heard = place.is_some_and(|(ix, lane)| {
            let input = match lane {
                Lane::Rtp => media::Input::Packet { from, bytes },
                Lane::Rtcp => media::Input::Report { from, bytes },
            };
            self.sessions.input(now, ix, input)
        });
        if heard {
            self.report();
        } else if place.is_none_or(|(_, lane)| lane == Lane::Rtp) {
            self.out.push_back(Output::Count(Counter::StrayRtp));
        }
    }

    fn recover(&mut self, now: Now, legs: Vec<RecoveredLeg>) {
        let rtp = SocketAddr::new(self.media_address, 0);
        for RecoveredLeg { leg, trunk, number, caller_id, dialog, tried } in legs {
            // Of the trunk before this one: it was to go over another, and did not get so far.
            let tried = tried.filter(|tried| tried.trunk == trunk);
            let times = (std::time::Duration::ZERO, Tick::default());
            let invite = self.invite_to(leg, (trunk, 0), &number, &caller_id, times, rtp);
            if let Some(invite) = invite {
                self.recovery.end(now.tick, &self.sip, &invite, (dialog.as_deref(), tried.as_ref()));
            }
        }
    }

    /// Feeds the user agent and takes what it has to say.
    fn sip(&mut self, now: Now, input: sip::Input<'_>) {
        self.ua.handle(now, input);
        while let Some(output) = self.ua.poll_output() {
            match output {
                sip::Output::Send { to, bytes } => self.out.push_back(Output::SendSip { to, bytes }),
                sip::Output::Event { leg, event } => self.on_event(now, leg, &event),
                sip::Output::Tried(tried) => self.out.push_back(Output::Tried(tried)),
                sip::Output::Journal(facts) => self.out.push_back(Output::Journal(facts)),
                sip::Output::Unauthorised { trunk, why } => self.out.push_back(Output::Unauthorised { trunk, why }),
                sip::Output::Registration { trunk, report } => {
                    self.out.push_back(Output::Registration { trunk, report });
                }
                sip::Output::Pong { trunk, pong } => {
                    if let Some(trunk) = self.trunks.get_mut(trunk.ix()) {
                        trunk.health.on_pong(now.tick, pong);
                    }
                }
                sip::Output::Count(counter) => self.out.push_back(Output::Count(Counter::Sip(counter))),
            }
        }
    }

    fn on_event(&mut self, now: Now, id: LegId, event: &Event) {
        if matches!(event, Event::Ringing { .. } | Event::EarlyMedia { .. } | Event::Answered { .. })
            && let Some(trunk) = self.legs.get(&id).map(|leg| leg.trunk)
        {
            self.judge(now, trunk, id, Verdict::Reached);
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match *event {
            Event::Ringing { .. } => {
                if !std::mem::replace(&mut leg.rang, true) {
                    self.event(id, LegEvent::Ringing);
                }
            }
            Event::EarlyMedia { .. } => {
                if !std::mem::replace(&mut leg.early, true) {
                    self.event(id, LegEvent::EarlyMedia);
                }
            }
            Event::Answered { media } => {
                let learn = self.trunks.get(leg.trunk.ix()).is_some_and(|trunk| trunk.settings.learns_media_address);
                self.sessions.start(now, leg.port, id, &media, learn);
                self.event(id, LegEvent::Answered);
            }
            Event::MediaChanged { media } => {
                self.sessions.change(now, leg.port, &media);
                self.report();
            }
            Event::Digit { key } => self.digit(id, key, Keys::Info),
            Event::ReferProgress { status, last } => {
                if status >= 200 || last {
                    self.referred(id, (200..300).contains(&status));
                }
            }
            Event::Ended(end) => self.ended(now, id, &end),
            // 100 says nothing that an attempt could use; the rest is server mode, which a line never switches on.
            Event::Trying | Event::Incoming(_) | Event::Acked { .. } | Event::Refer { .. } => {}
        }
    }

    fn referred(&mut self, id: LegId, ok: bool) {
        if let Some(leg) = self.legs.get_mut(&id)
            && std::mem::replace(&mut leg.refer, Refer::No) == Refer::Open
        {
            self.event(id, LegEvent::Referred { ok });
        }
    }

    fn digit(&mut self, id: LegId, key: char, way: Keys) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let first = *leg.keys.get_or_insert(way);
        if let Some(digit) = Digit::new(key).filter(|_| first == way) {
            self.event(id, LegEvent::Digit(digit));
        }
    }

    /// Takes what the media sessions reported.
    fn report(&mut self) {
        while let Some((leg, report)) = self.sessions.poll_report() {
            match report {
                media::Output::Digit(key) => self.digit(leg, key, Keys::Rtp),
                media::Output::PlayDone => self.event(leg, LegEvent::PlayDone),
                media::Output::Silent => self.event(leg, LegEvent::Silent),
            }
        }
    }

    fn ended(&mut self, now: Now, id: LegId, end: &End) {
        // A transfer whose fate nobody told us did not come about, as far as we can vouch for.
        self.referred(id, false);
        let Some(leg) = self.legs.remove(&id) else { return };
        self.ports.rest(now.tick, leg.port);
        let stats = self.sessions.stop(leg.port);
        let verdict = Verdict::of(end, leg.rang || leg.early);
        let troubles = [Trouble::of_call(end, verdict), stats.as_ref().and_then(Trouble::of_sound)];
        self.out.extend(troubles.into_iter().flatten().map(|what| Output::Trouble { leg: id, trunk: leg.trunk, what }));
        let media = stats.map(|stats| Box::new(quality(&stats)));
        self.judge(now, leg.trunk, id, verdict);
        if end.cause == Cause::NotSent {
            return self.event(id, LegEvent::NotSent(NotSent::TrunkDown));
        }
        let by = match end.by {
            Side::Us => ReleaseSide::Us,
            Side::Them => ReleaseSide::Them,
            Side::Nobody => ReleaseSide::Nobody,
        };
        let (sip_status, q850, unheard) = (end.status, end.q850, end.unheard);
        self.event(id, LegEvent::Ended(LegEnd { unanswered: unanswered(end), sip_status, q850, by, media, unheard }));
    }

    fn event(&mut self, leg: LegId, event: LegEvent) {
        self.out.push_back(Output::Leg(leg, event));
    }
}

fn nothing_sent() -> End {
    let (cause, by) = (Cause::NotSent, Side::Us);
    End { cause, status: None, q850: None, retry_after_s: None, by, answered: false, unheard: true }
}
