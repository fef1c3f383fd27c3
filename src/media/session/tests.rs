//! A session in virtual time, alone and against another over a bad network.

use super::*;
use crate::base::Rng;
use crate::media::{Header, silence};

pub(super) const RTCP: &str = "127.0.0.1:4001";
pub(super) const FAR: &str = "127.0.0.1:4000";

pub(super) fn params() -> Params {
    let target = Target {
        remote: FAR.parse().unwrap(),
        codec: Codec::Pcma,
        payload_type: 8,
        telephone_event_pt: Some(101),
        rtcp: None,
        srtp: None,
    };
    Params {
        target,
        ssrc: 1,
        first_seq: 65_500,
        first_timestamp: u32::MAX - 5_000,
        silence_after: Duration::from_secs(10),
        fill_silence: false,
        learn: false,
        report_seed: 3,
    }
}

/// A session and everything it did, with the time of each.
pub(super) struct Rig {
    pub(super) session: Session,
    pub(super) now: Now,
    pub(super) packets: Vec<(Tick, Header, Vec<u8>)>,
    pub(super) reports: Vec<(Tick, Vec<u8>)>,
    outputs: Vec<(Tick, Output)>,
    buffer: Vec<u8>,
}

impl Rig {
    pub(super) fn new(params: &Params) -> Self {
        let now = Now { tick: Tick(5_000_000), wall: crate::base::Wall(0) };
        let session = Session::new(now, params);
        Self { session, now, packets: vec![], reports: vec![], outputs: vec![], buffer: Vec::with_capacity(200) }
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.session.handle(self.now, input);
        while self.session.poll_packet(&mut self.buffer).is_some() {
            let packet = Packet::parse(&self.buffer).unwrap();
            self.packets.push((self.now.tick, packet.header, packet.payload.to_vec()));
        }
        while let Some(to) = self.session.poll_report(&mut self.buffer) {
            assert_eq!(to, RTCP.parse().unwrap());
            self.reports.push((self.now.tick, self.buffer.clone()));
        }
        let now = self.now.tick;
        self.outputs.extend(std::iter::from_fn(|| self.session.poll_output()).map(|output| (now, output)));
    }

    /// Comes back at every timeout, late by what `late_us` says, for `ms` in all.
    pub(super) fn run(&mut self, ms: u64, mut late_us: impl FnMut() -> u64) {
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

    pub(super) fn to(&mut self, at: Tick) {
        self.now = self.now.plus(at.since(self.now.tick));
    }

    pub(super) fn receive(&mut self, header: Header, payload: &[u8]) {
        let mut bytes = Vec::new();
        header.write(payload, &mut bytes).unwrap();
        self.input(Input::Packet { from: FAR.parse().unwrap(), bytes: &bytes });
    }

    pub(super) fn said(&self) -> Vec<Output> {
        self.outputs.iter().map(|&(_, output)| output).collect()
    }
}

pub(super) fn header(seq: u16) -> Header {
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
    rig.receive(Header { payload_type: COMFORT_NOISE[0], ..header(2) }, &[40]);
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
    rig.input(Input::Packet { from, bytes: &[0x80, 201, 0, 1, 0, 0, 0, 9] });
    rig.input(Input::Packet { from, bytes: b"x" });
    let stats = rig.session.stats();
    assert_eq!((stats.reception.received(), stats.unknown, stats.echoed), (3, 2, 1));
    assert_eq!((stats.reports.received, stats.malformed, rig.said()), (1, 1, vec![]));
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
    rig.input(Input::Retarget(Target {
        remote,
        codec: Codec::Pcmu,
        payload_type: 0,
        telephone_event_pt: None,
        rtcp: None,
        srtp: None,
    }));
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
    assert!(size_of::<Session>() <= 640, "{}", size_of::<Session>());
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
