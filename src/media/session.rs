//! One leg's media as a machine: packets and commands in, packets and events out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dtmf::{Ear, Event, Listener};
use super::latch::Latch;
use super::outgoing::Outgoing;
use super::reports::{ReportStats, Reports, is_of_peer};
use super::srtp::{Guard, Keys};
use super::{Codec, Header, Packet, Reception, is_rtcp};
use crate::base::{Now, Tick};

/// Events waiting to be polled; a pump that drains after each `handle` never sees more than two.
const OUTPUTS_MAX: usize = 64;

/// Comfort noise (RFC 3389): the peer is alive and has nothing to say. 19 is what it was before 2002.
const COMFORT_NOISE: [u8; 2] = [13, 19];

/// Dynamic payload types (RFC 3551 §6). Of these we only ever offer telephone events.
const DYNAMIC: u8 = 96;

/// Octets of four event blocks; more is some codec.
const EVENTS_MAX: usize = 16;

/// Where to send and how, as negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub remote: SocketAddr,
    pub codec: Codec,
    /// For the sound we send. The peer may number what it sends in another way (RFC 3264 §5.1).
    pub payload_type: u8,
    /// For the keys we press. Keys of the peer are understood under any dynamic payload type.
    pub telephone_event_pt: Option<u8>,
    /// Where our reports go (RTCP); without it there are none.
    pub rtcp: Option<SocketAddr>,
    /// SRTP and nothing else; a session that began with it keeps to it.
    pub srtp: Option<Keys>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    pub target: Target,
    /// Random (RFC 3550 §5.1), drawn by whoever makes the session.
    pub ssrc: u32,
    pub first_seq: u16,
    pub first_timestamp: u32,
    /// `Silent` after this long without a valid packet. Zero: never.
    pub silence_after: Duration,
    /// Sends 20 ms frames of silence while nothing plays, to keep a symmetric NAT or a strict gateway open. Usually
    /// off: nothing is sent between prompts, which is half the packets of an answered call.
    pub fill_silence: bool,
    /// Takes another address for the peer's, once, if its voice comes from there and never from the negotiated one.
    pub learn: bool,
    /// Behind the times of our reports and their name.
    pub report_seed: u64,
}

/// As negotiated (RFC 3264 §5.1), from our side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A datagram from the leg's socket.
    Packet {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// A datagram from the socket beside it, for RTCP.
    Report {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// Plays 8 kHz samples from the start, in place of what plays now. `PlayDone` follows unless something cuts it short.
    Play(Arc<[i16]>),
    StopPlay,
    /// Presses keys, after those still waiting; a prompt waits meanwhile.
    SendDigits(&'a str),
    /// Hold and resume. While we may not send, prompts and keys wait; on hold of any kind silence is not watched.
    SetDirection(Direction),
    /// A later offer or answer moved the media. The schedule, SSRC and sequence go on.
    Retarget(Target),
    /// `poll_timeout` has come.
    Timeout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// `0`–`9`, `*`, `#`, `A`–`D`, once per press.
    Digit(char),
    /// The prompt has been heard out.
    PlayDone,
    /// Nothing valid has come for `silence_after`. Once per silence.
    Silent,
}

/// Why to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The next frame to send is due.
    Frame,
    /// A report about the call is due.
    Report,
    /// The peer will have been silent for too long.
    Silence,
}

/// Packets, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Of what we sent last.
    pub codec: Codec,
    /// Of the peer: valid RTP from the negotiated address.
    pub reception: Reception,
    pub sent: u64,
    /// How often the pump came so late that the schedule moved.
    pub slips: u32,
    /// From any other address: they do nothing.
    pub foreign: u32,
    /// Where the last RTP of these came from.
    pub elsewhere: Option<SocketAddr>,
    /// SRTP that does not verify, or came before: nothing of it is looked at.
    pub unverified: u32,
    /// Neither RTP nor RTCP.
    pub malformed: u64,
    pub reports: ReportStats,
    /// Both sides may send, by the last offer and answer.
    pub both_ways: bool,
    /// A payload type that was never offered.
    pub unknown: u64,
    /// Our own packets, sent back by a peer that echoes.
    pub echoed: u64,
}

/// Audio that went one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneWay {
    /// Nothing came from the peer while we played.
    WeHearNothing,
    /// The peer reported that it hears nothing of us.
    TheyHearNothing,
}

/// Two seconds of a prompt: after so much a peer has let itself be heard, if it can.
const ONE_WAY_AFTER: u64 = 100;

impl Stats {
    pub fn one_way(&self) -> Option<OneWay> {
        let heard = self.reception.received() + self.echoed > 0;
        if !self.both_ways {
            return None;
        }
        if self.sent >= ONE_WAY_AFTER && !heard {
            return Some(OneWay::WeHearNothing);
        }
        (self.reports.deaf > 0).then_some(OneWay::TheyHearNothing)
    }
}

/// After each `handle`, drain `poll_packet`, `poll_report` and `poll_output` to `None`, then sleep until `poll_timeout`.
#[derive(Debug)]
pub struct Session {
    now: Now,
    /// The negotiated address, or the one learned.
    remote: SocketAddr,
    /// Where learning is allowed.
    latch: Option<Box<Latch>>,
    rtcp: Option<SocketAddr>,
    guard: Option<Box<Guard>>,
    reports: Reports,
    direction: Direction,
    outgoing: Outgoing,
    listener: Listener,
    /// Where the peer agreed on no telephone events, until one comes nevertheless.
    ear: Option<Box<Ear>>,
    hears_events: bool,
    silence_after: Duration,
    /// From when silence counts; `None` once it was reported, until a packet comes.
    quiet_since: Option<Tick>,
    outputs: VecDeque<Output>,
    stats: Stats,
}

impl Session {
    pub fn new(now: Now, params: &Params) -> Self {
        let remote = canonical(params.target.remote);
        Self {
            now,
            remote,
            latch: params.learn.then(|| Box::new(Latch::open(now.tick, remote))),
            rtcp: params.target.rtcp.map(canonical),
            guard: params.target.srtp.map(|keys| Box::new(Guard::new(keys, params.first_seq))),
            reports: Reports::new(now.tick, params.report_seed),
            direction: Direction::SendRecv,
            outgoing: Outgoing::new(now.tick, params),
            listener: Listener::default(),
            ear: params.target.telephone_event_pt.is_none().then(Box::default),
            hears_events: false,
            silence_after: params.silence_after,
            quiet_since: Some(now.tick),
            outputs: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        self.now = now;
        let was_active = self.outgoing.is_active();
        match input {
            Input::Packet { from, bytes } => self.receive(from, bytes),
            Input::Report { from, bytes } => self.report(canonical(from), bytes),
            Input::Play(pcm) => self.outgoing.play(pcm),
            Input::StopPlay => self.outgoing.stop(),
            Input::SendDigits(keys) => self.outgoing.press(keys),
            Input::SetDirection(direction) => self.set_direction(direction),
            Input::Retarget(target) => self.retarget(target),
            Input::Timeout => {}
        }
        if !was_active {
            self.outgoing.start(self.now.tick);
        }
        self.watch_silence();
    }

    /// The next packet that is due, in place of what `out` holds, and where to send it.
    pub fn poll_packet(&mut self, out: &mut Vec<u8>) -> Option<SocketAddr> {
        while self.outgoing.packet(self.now.tick, out) {
            if self.guard.as_mut().is_none_or(|guard| guard.seal(out)) {
                return Some(self.remote);
            }
        }
        None
    }

    /// The report that is due, in place of what `out` holds, and where to send it.
    pub fn poll_report(&mut self, out: &mut Vec<u8>) -> Option<SocketAddr> {
        let to = self.reports_to().filter(|_| self.reports.due() <= self.now.tick)?;
        self.reports.write(self.now, &self.outgoing.so_far(self.now.tick), &self.stats.reception, out);
        self.guard.as_mut().is_none_or(|guard| guard.seal_report(out)).then_some(to)
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outgoing.take_done(self.now.tick) {
            self.emit(Output::PlayDone);
        }
        self.outputs.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Why)> {
        let frame = self.outgoing.due().map(|at| (at, Why::Frame));
        let silence = self.silent_at().map(|at| (at, Why::Silence));
        let report = self.reports_to().map(|_| (self.reports.due(), Why::Report));
        [frame, report, silence].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub fn stats(&self) -> Stats {
        let (sent, slips, reports) = (self.outgoing.sent, self.outgoing.slips, self.reports.stats());
        let both_ways = self.direction == Direction::SendRecv;
        Stats { codec: self.outgoing.codec, sent, slips, reports, both_ways, ..self.stats }
    }

    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn receive(&mut self, from: SocketAddr, bytes: &[u8]) {
        let from = canonical(from);
        if is_rtcp(bytes) {
            // Not agreed on (RFC 5761), and harmless.
            return if from == self.remote { self.report(from, bytes) } else { self.stats.foreign += 1 };
        }
        if from != self.remote && self.latch.is_none() {
            return self.is_foreign(from);
        }
        let Some(mut guard) = self.guard.take() else { return self.hear(from, bytes) };
        match guard.open(bytes) {
            Some(bytes) => self.hear(from, bytes),
            None => self.stats.unverified += 1,
        }
        self.guard = Some(guard);
    }

    fn hear(&mut self, from: SocketAddr, bytes: &[u8]) {
        if from != self.remote && !self.learns(from, bytes) {
            return self.is_foreign(from);
        }
        let Ok(Packet { header, payload }) = Packet::parse(bytes) else {
            self.stats.malformed += 1;
            return;
        };
        if header.ssrc == self.outgoing.ssrc() {
            // RFC 3550 §8.2: a loop. It proves a living path, but what it says is ours.
            self.stats.echoed += 1;
            self.heard_something();
            return;
        }
        self.packet(&header, payload);
    }

    fn is_foreign(&mut self, from: SocketAddr) {
        self.stats.foreign += 1;
        self.stats.elsewhere = Some(from);
    }

    fn report(&mut self, from: SocketAddr, bytes: &[u8]) {
        if !is_of_peer(from, self.remote, self.rtcp) {
            return self.stats.foreign += 1;
        }
        let Some(mut guard) = self.guard.take() else { return self.note(bytes) };
        match guard.open_report(bytes) {
            Some(bytes) => self.note(bytes),
            None => self.stats.unverified += 1,
        }
        self.guard = Some(guard);
    }

    fn note(&mut self, bytes: &[u8]) {
        if !self.reports.receive(self.now.tick, &self.outgoing.so_far(self.now.tick), bytes) {
            self.stats.malformed += 1;
        }
    }

    /// Where the peer's RTP was learned, nobody knows where it would take RTCP.
    fn reports_to(&self) -> Option<SocketAddr> {
        self.rtcp.filter(|_| self.remote == self.negotiated())
    }

    fn packet(&mut self, header: &Header, payload: &[u8]) {
        let codec = self.codec_of(header.payload_type);
        let event = Some(payload)
            .filter(|p| codec.is_none() && header.payload_type >= DYNAMIC && p.len() <= EVENTS_MAX)
            .and_then(Event::parse);
        if codec.is_none() && event.is_none() && !COMFORT_NOISE.contains(&header.payload_type) {
            self.stats.unknown += 1;
            return;
        }
        if let Some(latch) = &mut self.latch {
            latch.close();
        }
        self.heard_something();
        self.stats.reception.packet(self.now.tick, header, codec.is_some());
        if let Some(codec) = codec {
            self.listen(header, codec, payload);
        } else if let Some(event) = event {
            // It sends them after all. The same keys are not taken from its sound too.
            (self.ear, self.hears_events) = (None, true);
            if let Some(key) = self.listener.packet(self.now.tick, header, event) {
                self.emit(Output::Digit(key));
            }
        }
    }

    fn listen(&mut self, header: &Header, codec: Codec, payload: &[u8]) {
        if let Some(mut ear) = self.ear.take() {
            ear.packet(header, codec, payload, |key| self.emit(Output::Digit(key)));
            self.ear = Some(ear);
        }
    }

    /// Both laws are taken whatever was negotiated, and what the peer calls ours beside them: peers differ in what they
    /// send and what they asked for.
    fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        let named = (payload_type == self.outgoing.payload_type).then_some(self.outgoing.codec);
        named.or_else(|| Codec::from_payload_type(payload_type))
    }

    /// True if `from` is the peer's address from now on.
    fn learns(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        if self.latch.is_none() {
            return false;
        }
        let voice = Packet::parse(bytes).ok().filter(|packet| {
            let ours = packet.header.ssrc == self.outgoing.ssrc();
            !ours && self.codec_of(packet.header.payload_type).is_some()
        });
        let learned = voice
            .zip(self.latch.as_mut())
            .is_some_and(|(packet, latch)| latch.learns(self.now.tick, from, &packet.header));
        if learned {
            self.remote = from;
        }
        learned
    }

    fn set_direction(&mut self, direction: Direction) {
        if direction != self.direction {
            self.direction = direction;
            self.outgoing.allowed = matches!(direction, Direction::SendRecv | Direction::SendOnly);
            self.heard_something();
        }
    }

    fn retarget(&mut self, target: Target) {
        let remote = canonical(target.remote);
        // The same place again is no reason to forget where the peer really is.
        if remote != self.negotiated() {
            self.remote = remote;
            if let Some(latch) = &mut self.latch {
                **latch = Latch::open(self.now.tick, remote);
            }
        }
        self.rtcp = target.rtcp.map(canonical);
        if let (Some(guard), Some(keys)) = (&mut self.guard, target.srtp) {
            guard.rekey(keys);
        }
        self.outgoing.codec = target.codec;
        self.outgoing.payload_type = target.payload_type;
        self.outgoing.event_pt = target.telephone_event_pt;
        if target.telephone_event_pt.is_some() || self.hears_events {
            self.ear = None;
        } else if self.ear.is_none() {
            self.ear = Some(Box::default());
        }
        self.heard_something();
    }

    fn negotiated(&self) -> SocketAddr {
        self.latch.as_ref().map_or(self.remote, |latch| latch.negotiated())
    }

    fn heard_something(&mut self) {
        self.quiet_since = Some(self.now.tick);
    }

    fn silent_at(&self) -> Option<Tick> {
        let watched = self.direction == Direction::SendRecv && !self.silence_after.is_zero();
        self.quiet_since.filter(|_| watched).map(|since| since + self.silence_after)
    }

    fn watch_silence(&mut self) {
        if self.silent_at().is_some_and(|at| at <= self.now.tick) {
            self.quiet_since = None;
            self.emit(Output::Silent);
        }
    }

    fn emit(&mut self, output: Output) {
        if self.outputs.len() < OUTPUTS_MAX {
            self.outputs.push_back(output);
        }
    }
}

/// A socket bound to `[::]` reports IPv4 peers as mapped addresses.
fn canonical(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip().to_canonical(), at.port())
}

#[cfg(test)]
mod edge;
#[cfg(test)]
mod reporting;
#[cfg(test)]
mod tests;
