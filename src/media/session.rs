//! One leg's media as a machine: packets and commands in, packets and events out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dtmf::{Ear, Event, Listener};
use super::latch::Latch;
use super::outgoing::Outgoing;
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
    /// The peer will have been silent for too long.
    Silence,
}

/// Packets, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Of the peer: valid RTP from the negotiated address.
    pub reception: Reception,
    pub sent: u64,
    /// How often the pump came so late that the schedule moved.
    pub slips: u32,
    /// From any other address: they do nothing.
    pub foreign: u64,
    /// Neither RTP nor RTCP.
    pub malformed: u64,
    pub rtcp: u64,
    /// A payload type that was never offered.
    pub unknown: u64,
    /// Our own packets, sent back by a peer that echoes.
    pub echoed: u64,
}

/// After each `handle`, drain `poll_packet` and `poll_output` to `None`, then sleep until `poll_timeout`.
#[derive(Debug)]
pub struct Session {
    now: Tick,
    negotiated: SocketAddr,
    /// The negotiated address, or the one learned.
    remote: SocketAddr,
    learn: bool,
    latch: Latch,
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
        Self {
            now: now.tick,
            negotiated: canonical(params.target.remote),
            remote: canonical(params.target.remote),
            learn: params.learn,
            latch: if params.learn { Latch::open(now.tick) } else { Latch::default() },
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
        self.now = now.tick;
        let was_active = self.outgoing.is_active();
        match input {
            Input::Packet { from, bytes } => self.receive(from, bytes),
            Input::Play(pcm) => self.outgoing.play(pcm),
            Input::StopPlay => self.outgoing.stop(),
            Input::SendDigits(keys) => self.outgoing.press(keys),
            Input::SetDirection(direction) => self.set_direction(direction),
            Input::Retarget(target) => self.retarget(target),
            Input::Timeout => {}
        }
        if !was_active {
            self.outgoing.start(self.now);
        }
        self.watch_silence();
    }

    /// The next packet that is due, in place of what `out` holds, and where to send it.
    pub fn poll_packet(&mut self, out: &mut Vec<u8>) -> Option<SocketAddr> {
        self.outgoing.packet(self.now, out).then_some(self.remote)
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outgoing.take_done(self.now) {
            self.emit(Output::PlayDone);
        }
        self.outputs.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Why)> {
        let frame = self.outgoing.due().map(|at| (at, Why::Frame));
        let silence = self.silent_at().map(|at| (at, Why::Silence));
        match (frame, silence) {
            (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    pub fn stats(&self) -> Stats {
        Stats { sent: self.outgoing.sent, slips: self.outgoing.slips, ..self.stats }
    }

    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn receive(&mut self, from: SocketAddr, bytes: &[u8]) {
        let from = canonical(from);
        if from != self.remote && !self.learns(from, bytes) {
            self.stats.foreign += 1;
            return;
        }
        if is_rtcp(bytes) {
            self.stats.rtcp += 1;
            return;
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

    fn packet(&mut self, header: &Header, payload: &[u8]) {
        let codec = self.codec_of(header.payload_type);
        let event = Some(payload)
            .filter(|p| codec.is_none() && header.payload_type >= DYNAMIC && p.len() <= EVENTS_MAX)
            .and_then(Event::parse);
        if codec.is_none() && event.is_none() && !COMFORT_NOISE.contains(&header.payload_type) {
            self.stats.unknown += 1;
            return;
        }
        self.latch.close();
        self.heard_something();
        self.stats.reception.packet(self.now, header, codec.is_some());
        if let Some(codec) = codec {
            self.listen(header, codec, payload);
        } else if let Some(event) = event {
            // It sends them after all. The same keys are not taken from its sound too.
            (self.ear, self.hears_events) = (None, true);
            if let Some(key) = self.listener.packet(self.now, header, event) {
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
        let voice = Packet::parse(bytes).ok().filter(|packet| self.codec_of(packet.header.payload_type).is_some());
        let learned = voice.is_some_and(|packet| self.latch.learns(self.now, from, &packet.header));
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
        if remote != self.negotiated {
            (self.negotiated, self.remote) = (remote, remote);
            self.latch = if self.learn { Latch::open(self.now) } else { Latch::default() };
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

    fn heard_something(&mut self) {
        self.quiet_since = Some(self.now);
    }

    fn silent_at(&self) -> Option<Tick> {
        let watched = self.direction == Direction::SendRecv && !self.silence_after.is_zero();
        self.quiet_since.filter(|_| watched).map(|since| since + self.silence_after)
    }

    fn watch_silence(&mut self) {
        if self.silent_at().is_some_and(|at| at <= self.now) {
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
mod tests;
