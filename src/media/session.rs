//! One leg's media as a machine: packets and commands in, packets and events out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dtmf::{Event, Listener};
use super::outgoing::Outgoing;
use super::{Codec, Packet, Reception, is_rtcp};
use crate::base::{Now, Tick};

/// Events waiting to be polled; a pump that drains after each `handle` never sees more than two.
const OUTPUTS_MAX: usize = 64;

/// Comfort noise (RFC 3389): the peer is alive and has nothing to say.
const COMFORT_NOISE: u8 = 13;

/// Dynamic payload types (RFC 3551 §6). Of these we only ever offer telephone events.
const DYNAMIC: u8 = 96;

/// Octets of four event blocks; more is some codec.
const EVENTS_MAX: usize = 16;

/// Where to send and how, as negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub remote: SocketAddr,
    pub codec: Codec,
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
    /// From any other address: not looked at.
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
    remote: SocketAddr,
    direction: Direction,
    outgoing: Outgoing,
    listener: Listener,
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
            remote: canonical(params.target.remote),
            direction: Direction::SendRecv,
            outgoing: Outgoing::new(now.tick, params),
            listener: Listener::default(),
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
        if canonical(from) != self.remote {
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
        // Both laws are taken whatever was negotiated: peers differ in what they send and what they asked for.
        let is_audio = Codec::from_payload_type(header.payload_type).is_some();
        let event =
            Some(payload).filter(|p| header.payload_type >= DYNAMIC && p.len() <= EVENTS_MAX).and_then(Event::parse);
        if !is_audio && event.is_none() && header.payload_type != COMFORT_NOISE {
            self.stats.unknown += 1;
            return;
        }
        self.heard_something();
        self.stats.reception.packet(self.now, &header, is_audio);
        if let Some(key) = event.and_then(|event| self.listener.packet(self.now, &header, event)) {
            self.emit(Output::Digit(key));
        }
    }

    fn set_direction(&mut self, direction: Direction) {
        if direction != self.direction {
            self.direction = direction;
            self.outgoing.allowed = matches!(direction, Direction::SendRecv | Direction::SendOnly);
            self.heard_something();
        }
    }

    fn retarget(&mut self, target: Target) {
        self.remote = canonical(target.remote);
        self.outgoing.codec = target.codec;
        self.outgoing.event_pt = target.telephone_event_pt;
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
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::media::{Header, silence};

    const FAR: &str = "127.0.0.1:4000";

    fn params() -> Params {
        let target = Target { remote: FAR.parse().unwrap(), codec: Codec::Pcma, telephone_event_pt: Some(101) };
        Params {
            target,
            ssrc: 1,
            first_seq: 65_500,
            first_timestamp: u32::MAX - 5_000,
            silence_after: Duration::from_secs(10),
            fill_silence: false,
        }
    }

    /// A session and everything it did, with the time of each.
    struct Rig {
        session: Session,
        now: Now,
        packets: Vec<(Tick, Header, Vec<u8>)>,
        outputs: Vec<(Tick, Output)>,
        buffer: Vec<u8>,
    }

    impl Rig {
        fn new(params: &Params) -> Self {
            let now = Now { tick: Tick(5_000_000), wall: crate::base::Wall(0) };
            let session = Session::new(now, params);
            Self { session, now, packets: vec![], outputs: vec![], buffer: Vec::with_capacity(200) }
        }

        fn input(&mut self, input: Input<'_>) {
            self.session.handle(self.now, input);
            while self.session.poll_packet(&mut self.buffer).is_some() {
                let packet = Packet::parse(&self.buffer).unwrap();
                self.packets.push((self.now.tick, packet.header, packet.payload.to_vec()));
            }
            let now = self.now.tick;
            self.outputs.extend(std::iter::from_fn(|| self.session.poll_output()).map(|output| (now, output)));
        }

        /// Comes back at every timeout, late by what `late_us` says, for `ms` in all.
        fn run(&mut self, ms: u64, mut late_us: impl FnMut() -> u64) {
            let end = self.now.tick.0 + ms * 1_000;
            while let Some((at, _)) = self.session.poll_timeout() {
                let at = at.0.max(self.now.tick.0) + late_us();
                if at > end {
                    break;
                }
                self.to(Tick(at));
                self.input(Input::Timeout);
            }
            self.to(Tick(end));
            self.input(Input::Timeout);
        }

        fn to(&mut self, at: Tick) {
            self.now = self.now.plus(at.since(self.now.tick));
        }

        fn receive(&mut self, header: Header, payload: &[u8]) {
            let mut bytes = Vec::new();
            header.write(payload, &mut bytes).unwrap();
            self.input(Input::Packet { from: FAR.parse().unwrap(), bytes: &bytes });
        }

        fn said(&self) -> Vec<Output> {
            self.outputs.iter().map(|&(_, output)| output).collect()
        }
    }

    fn header(seq: u16) -> Header {
        Header { payload_type: 8, marker: false, seq, timestamp: u32::from(seq) * 160, ssrc: 99 }
    }

    #[test]
    fn ten_seconds_through_a_jittery_pump_are_five_hundred_packets_without_drift() {
        let (mut rig, mut rng) = (Rig::new(&Params { silence_after: Duration::ZERO, ..params() }), Rng::seeded(1));
        let start = rig.now.tick;
        rig.input(Input::Play(silence(10_000).into()));
        rig.run(10_500, || u64::from(rng.below(150_000)));
        assert_eq!((rig.packets.len(), rig.session.stats().sent, rig.session.stats().slips), (500, 500, 0));
        for (n, (at, header, payload)) in (0u32..).zip(&rig.packets) {
            assert_eq!(header.timestamp, (u32::MAX - 5_000).wrapping_add(n * 160));
            assert_eq!(header.seq, 65_500u16.wrapping_add(n as u16));
            assert_eq!((header.marker, header.payload_type, payload.len()), (n == 0, 8, 160));
            let late = at.0 as i64 - (start.0 + u64::from(n) * 20_000) as i64;
            assert!((0..=150_000).contains(&late), "packet {n} is {late} us late");
        }
        assert_eq!(rig.said(), [Output::PlayDone], "and silence is not watched");
        assert!(rig.outputs[0].0.since(start) >= Duration::from_secs(10));
        assert_eq!(rig.buffer.capacity(), 200, "no packet allocated");
    }

    #[test]
    fn a_pump_that_stalls_moves_the_schedule_and_loses_no_word() {
        let mut rig = Rig::new(&params());
        let pcm: Vec<i16> = (0..100i16).flat_map(|n| [n * 300; 160]).collect();
        rig.input(Input::Play(pcm.into()));
        rig.run(500, || 0);
        let before = rig.packets.len();
        rig.to(rig.now.tick + Duration::from_secs(1));
        rig.input(Input::Timeout);
        assert_eq!((rig.packets.len(), rig.session.stats().slips), (before + 1, 1));
        let (_, last, _) = rig.packets[before - 1];
        let (_, next, _) = rig.packets[before];
        assert!(next.marker && next.timestamp.wrapping_sub(last.timestamp) == 8_000 && next.seq == last.seq + 1);
        rig.run(3_000, || 0);
        let heard: Vec<u8> = rig.packets.iter().map(|(_, _, payload)| payload[0]).collect();
        assert_eq!(heard, (0..100i16).map(|n| Codec::Pcma.encode(n * 300)).collect::<Vec<_>>());
    }

    #[test]
    fn a_short_stall_is_caught_up_at_once() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(2_000).into()));
        rig.to(rig.now.tick + Duration::from_millis(200));
        rig.input(Input::Timeout);
        assert_eq!((rig.packets.len(), rig.session.stats().slips), (11, 0));
    }

    #[test]
    fn timestamps_count_the_gap_between_two_prompts_and_the_second_has_a_marker() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(30).into()));
        rig.run(1_000, || 0);
        rig.input(Input::Play(silence(20).into()));
        let steps: Vec<_> = rig.packets.iter().map(|(_, h, _)| (h.marker, h.timestamp.wrapping_add(5_001))).collect();
        assert_eq!(steps, [(true, 0), (false, 160), (true, 8_000)]);
        assert_eq!(rig.packets[1].2[80..], [Codec::Pcma.silence(); 80]);
    }

    #[test]
    fn a_prompt_that_is_replaced_or_stopped_is_not_done_and_keeps_the_beat() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(500).into()));
        rig.run(110, || 0);
        rig.input(Input::Play(silence(100).into()));
        rig.run(15, || 0);
        rig.input(Input::StopPlay);
        rig.run(500, || 0);
        assert_eq!((rig.packets.len(), rig.said()), (7, vec![]));
        assert!(rig.packets.windows(2).all(|w| w[1].0.since(w[0].0) == Duration::from_millis(20)));
        rig.input(Input::Play(Arc::new([])));
        assert_eq!(rig.said(), [Output::PlayDone]);
    }

    #[test]
    fn a_prompt_is_done_when_its_last_frame_has_been_heard_out() {
        let mut rig = Rig::new(&params());
        let start = rig.now.tick;
        rig.input(Input::Play(silence(100).into()));
        rig.run(1_000, || 0);
        assert_eq!(rig.outputs, [(start + Duration::from_millis(100), Output::PlayDone)]);
    }

    #[test]
    fn a_prompt_that_follows_within_a_frame_waits_for_its_end() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(100).into()));
        rig.run(5, || 0);
        rig.input(Input::StopPlay);
        rig.run(5, || 0);
        rig.input(Input::Play(silence(20).into()));
        rig.run(100, || 0);
        let [(a, first, _), (b, second, _)] = &rig.packets[..] else { panic!("{:?}", rig.packets) };
        assert_eq!((b.since(*a), second.timestamp.wrapping_sub(first.timestamp)), (Duration::from_millis(20), 160));
        assert!(!second.marker);
    }

    #[test]
    fn on_hold_the_prompt_waits_and_goes_on_where_it_was() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(400).into()));
        rig.run(90, || 0);
        rig.input(Input::SetDirection(Direction::RecvOnly));
        rig.run(60_000, || 0);
        assert_eq!((rig.packets.len(), rig.said()), (5, vec![]), "nothing sent, no silence watched");
        rig.input(Input::SetDirection(Direction::SendRecv));
        rig.run(1_000, || 0);
        assert_eq!((rig.packets.len(), rig.said()), (20, vec![Output::PlayDone]));
        assert!(rig.packets[5].1.marker);
    }

    #[test]
    fn silence_is_sent_only_where_asked_for() {
        let mut rig = Rig::new(&Params { fill_silence: true, ..params() });
        rig.input(Input::Timeout);
        rig.run(1_000, || 0);
        assert_eq!(rig.packets.len(), 51);
        assert!(rig.packets.iter().all(|(_, _, payload)| payload == &[0xd5; 160]));
        let mut rig = Rig::new(&params());
        rig.run(1_000, || 0);
        assert!(rig.packets.is_empty());
    }

    #[test]
    fn silence_of_the_peer_is_told_once_and_again_after_it_spoke() {
        let mut rig = Rig::new(&params());
        rig.run(9_999, || 0);
        assert_eq!(rig.said(), []);
        rig.run(30_000, || 0);
        assert_eq!(rig.said(), [Output::Silent]);
        rig.receive(header(1), &[0; 160]);
        rig.run(9_000, || 0);
        rig.receive(Header { payload_type: COMFORT_NOISE, ..header(2) }, &[40]);
        rig.run(9_000, || 0);
        assert_eq!(rig.said(), [Output::Silent]);
        rig.run(1_000, || 0);
        assert_eq!(rig.said(), [Output::Silent; 2]);
    }

    #[test]
    fn a_packet_from_elsewhere_counts_for_nothing() {
        let mut rig = Rig::new(&params());
        let mut bytes = Vec::new();
        let event = Event { code: 1, end: false, volume: 10, duration: 160 };
        Header { payload_type: 101, ..header(1) }.write(&event.bytes(), &mut bytes).unwrap();
        for from in ["127.0.0.1:4001", "127.0.0.2:4000"] {
            rig.input(Input::Packet { from: from.parse().unwrap(), bytes: &bytes });
        }
        rig.run(10_000, || 0);
        assert_eq!((rig.said(), rig.session.stats().foreign), (vec![Output::Silent], 2));
        rig.input(Input::Packet { from: "[::ffff:127.0.0.1]:4000".parse().unwrap(), bytes: &bytes });
        assert_eq!(rig.said(), [Output::Silent, Output::Digit('1')]);
    }

    #[test]
    fn rtcp_echo_other_codecs_and_noise_are_counted_apart() {
        let mut rig = Rig::new(&params());
        for payload_type in [0, 8, 13] {
            rig.receive(Header { payload_type, ..header(u16::from(payload_type)) }, &[0; 160]);
        }
        rig.receive(Header { payload_type: 9, ..header(20) }, &[0; 160]);
        rig.receive(Header { payload_type: 111, ..header(21) }, &[0; 60]);
        rig.receive(Header { ssrc: 1, payload_type: 101, ..header(22) }, &[5, 0, 0, 160]);
        let from = FAR.parse().unwrap();
        rig.input(Input::Packet { from, bytes: &[0x80, 200, 0, 1, 0, 0, 0, 9] });
        rig.input(Input::Packet { from, bytes: b"x" });
        let stats = rig.session.stats();
        assert_eq!((stats.reception.received(), stats.unknown, stats.echoed), (3, 2, 1));
        assert_eq!((stats.rtcp, stats.malformed, rig.said()), (1, 1, vec![]));
    }

    #[test]
    fn a_change_of_ssrc_goes_on_and_the_same_key_is_heard_again() {
        let mut rig = Rig::new(&params());
        for ssrc in [7, 8, 9] {
            for seq in 0..5 {
                rig.receive(Header { ssrc, payload_type: 96, timestamp: 50, ..header(seq) }, &[2, 0, 0, 160]);
            }
        }
        assert_eq!(rig.said(), [Output::Digit('2'); 3]);
        let reception = rig.session.stats().reception;
        assert_eq!((reception.sources(), reception.received(), reception.lost()), (3, 15, 0));
    }

    #[test]
    fn after_a_retarget_packets_go_to_the_new_place_in_the_new_law() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(100).into()));
        let remote = "127.0.0.1:5000".parse().unwrap();
        rig.input(Input::SendDigits("1"));
        rig.input(Input::Retarget(Target { remote, codec: Codec::Pcmu, telephone_event_pt: None }));
        rig.to(rig.now.tick + Duration::from_millis(20));
        rig.session.handle(rig.now, Input::Timeout);
        assert_eq!(rig.session.poll_packet(&mut rig.buffer), Some(remote));
        assert_eq!((rig.buffer[1], rig.buffer[12]), (0, 0xff));
        rig.run(1_000, || 0);
        assert_eq!(rig.said(), [Output::PlayDone]);
        assert_eq!(rig.session.poll_timeout().map(|(_, why)| why), Some(Why::Silence), "a key that cannot go out");
    }

    #[test]
    fn keys_interrupt_a_prompt_which_then_goes_on() {
        let mut rig = Rig::new(&params());
        rig.input(Input::Play(silence(200).into()));
        rig.input(Input::SendDigits("77"));
        rig.run(1_000, || 0);
        let events: Vec<_> = rig.packets.iter().filter(|(_, h, _)| h.payload_type == 101).collect();
        assert_eq!((events.len(), rig.packets.len(), rig.said()), (14, 24, vec![Output::PlayDone]));
        assert_eq!(events.iter().filter(|(_, h, _)| h.marker).count(), 2);
        let apart = events[7].1.timestamp.wrapping_sub(events[0].1.timestamp);
        assert_eq!(apart, 9 * 160, "a press has one timestamp, and the next its own");
        let sound = rig.packets.iter().filter(|(_, h, _)| h.payload_type == 8);
        assert_eq!(sound.map(|(_, h, _)| h.marker).collect::<Vec<_>>()[..3], [true, true, false]);
    }

    #[test]
    fn random_and_mutated_packets_never_panic() {
        let (mut rig, mut rng) = (Rig::new(&params()), Rng::seeded(5));
        let from = FAR.parse().unwrap();
        let mut bytes = [0; 64];
        for n in 0..100_000u32 {
            rng.fill(&mut bytes);
            if n % 4 != 0 {
                bytes[0] = 0x80 | (bytes[0] & 0x3f & rng.u32() as u8 & rng.u32() as u8);
                bytes[1] = [8, 0, 101, 229, 13][rng.below(5) as usize];
            }
            rig.to(rig.now.tick + Duration::from_micros(u64::from(rng.below(30_000))));
            rig.input(Input::Packet { from, bytes: &bytes[..rng.below(65) as usize] });
        }
        let stats = rig.session.stats();
        assert!(stats.malformed > 10_000 && stats.reception.received() > 10_000);
    }

    #[test]
    fn a_session_is_small() {
        assert!(size_of::<Session>() <= 512, "{}", size_of::<Session>());
        assert!(OUTPUTS_MAX * size_of::<Output>() <= 512);
    }

    /// Two sessions and the packets between them: `drop(n, press)` says whether the n-th packet of a press is lost.
    fn through_a_network(rng: &mut Rng, keys: &str, mut drop: impl FnMut(&mut Rng, usize) -> bool) -> (String, usize) {
        let (mut a, mut b) = (Rig::new(&params()), Rig::new(&Params { ssrc: 2, ..params() }));
        a.input(Input::SendDigits(keys));
        a.run(keys.len() as u64 * 200 + 100, || 0);
        let (mut wire, mut timestamp, mut nth, mut survived) = (vec![], None, 0, 0);
        let mut alive = false;
        for (at, header, payload) in &a.packets {
            if timestamp != Some(header.timestamp) {
                (timestamp, nth, alive) = (Some(header.timestamp), 0, false);
            }
            if !drop(rng, nth) {
                survived += usize::from(!std::mem::replace(&mut alive, true));
                for _ in 0..=u32::from(rng.chance(0.2)) {
                    wire.push((*at + Duration::from_micros(u64::from(rng.below(70_000))), *header, payload.clone()));
                }
            }
            nth += 1;
        }
        wire.sort_by_key(|(at, ..)| *at);
        for (at, header, payload) in &wire {
            b.to(*at);
            b.receive(*header, payload);
        }
        let heard = b.outputs.iter().filter_map(|&(_, output)| match output {
            Output::Digit(key) => Some(key),
            Output::PlayDone | Output::Silent => None,
        });
        (heard.collect(), survived)
    }

    #[test]
    fn every_key_arrives_once_when_begin_or_end_packets_are_lost() {
        let all = "0123456789*#ABCD0011";
        let mut rng = Rng::seeded(2);
        for lost in [0..0, 0..1, 0..4, 4..7, 1..7, 0..6] {
            let (heard, _) = through_a_network(&mut rng, all, |_, nth| lost.contains(&nth));
            assert_eq!(heard, all, "lost {lost:?}");
        }
    }

    #[test]
    fn through_a_lossy_network_every_press_with_a_surviving_packet_is_heard_once() {
        let mut rng = Rng::seeded(3);
        let mut lost_presses = 0;
        for round in 0..300 {
            let keys: String = (0..20).map(|_| ['1', '1', '2', '#', '9'][rng.below(5) as usize]).collect();
            let loss = f64::from(rng.below(80)) / 100.0;
            let (heard, survived) = through_a_network(&mut rng, &keys, |rng, _| rng.chance(loss));
            assert_eq!(heard.len(), survived, "round {round}: {keys} heard as {heard}");
            if survived == keys.len() {
                assert_eq!(heard, keys, "round {round}");
            }
            lost_presses += keys.len() - survived;
        }
        assert!(lost_presses > 0, "the network loses whole presses now and then");
    }
}
