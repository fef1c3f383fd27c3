//! What gateways and strangers send where nothing of the kind was agreed on.

use std::net::SocketAddr;
use std::time::Duration;

use super::tests::{FAR, Rig, header, params};
use super::*;
use crate::media::{Tone, silence};

const NAT: &str = "192.0.2.7:41000";

fn from(rig: &mut Rig, address: &str, header: Header, payload: &[u8]) {
    let mut bytes = Vec::new();
    header.write(payload, &mut bytes).unwrap();
    rig.input(Input::Packet { from: address.parse().unwrap(), bytes: &bytes });
}

fn learning() -> Rig {
    Rig::new(&Params { learn: true, ..params() })
}

/// Where a prompt goes now.
fn target_of(rig: &mut Rig) -> SocketAddr {
    rig.session.handle(rig.now, Input::Play(silence(20).into()));
    let mut out = Vec::new();
    let to = rig.session.poll_packet(&mut out).unwrap();
    rig.to(rig.now.tick + Duration::from_millis(20));
    rig.input(Input::StopPlay);
    to
}

#[test]
fn symmetric_rtp_is_learned_once_after_four_packets_in_sequence() {
    let mut rig = learning();
    for seq in 1..=4 {
        assert_eq!(target_of(&mut rig), FAR.parse().unwrap());
        from(&mut rig, NAT, header(seq), &[0xd5; 160]);
    }
    assert_eq!(target_of(&mut rig), NAT.parse().unwrap());
    for seq in 1..=9 {
        from(&mut rig, "192.0.2.8:5000", header(seq), &[0xd5; 160]);
        from(&mut rig, FAR, header(seq), &[0xd5; 160]);
    }
    assert_eq!(target_of(&mut rig), NAT.parse().unwrap());
    let stats = rig.session.stats();
    assert_eq!((stats.reception.received(), stats.foreign), (1, 3 + 18));
}

#[test]
fn symmetric_rtp_is_not_learned_where_the_trunk_does_not_say_so() {
    let mut rig = Rig::new(&params());
    for seq in 1..=9 {
        from(&mut rig, NAT, header(seq), &[0xd5; 160]);
    }
    let stats = rig.session.stats();
    assert_eq!((target_of(&mut rig), stats.foreign), (FAR.parse().unwrap(), 9));
    assert_eq!(stats.elsewhere, NAT.parse().ok());
}

#[test]
fn symmetric_rtp_has_a_guard_against_sprayed_packets_keys_and_latecomers() {
    let sprayed = |rig: &mut Rig| (0..50).for_each(|n| from(rig, NAT, header(n * 7), &[0xd5; 160]));
    let sources = |rig: &mut Rig| {
        (0..50).for_each(|n| from(rig, NAT, Header { ssrc: u32::from(n) + 5, ..header(n) }, &[0xd5; 160]));
    };
    let keys = |rig: &mut Rig| {
        (0..50).for_each(|n| from(rig, NAT, Header { payload_type: 101, ..header(n) }, &[1, 0, 0, 160]));
    };
    let our_own = |rig: &mut Rig| (0..50).for_each(|n| from(rig, NAT, Header { ssrc: 1, ..header(n) }, &[0xd5; 160]));
    let by_turns = |rig: &mut Rig| {
        (0..50).for_each(|n| from(rig, [NAT, "192.0.2.8:5000"][usize::from(n % 2)], header(n), &[0xd5; 160]));
    };
    let late = |rig: &mut Rig| {
        rig.run(5_001, || 0);
        (0..50).for_each(|n| from(rig, NAT, header(n), &[0xd5; 160]));
    };
    let beside_the_peer = |rig: &mut Rig| {
        from(rig, FAR, header(900), &[0xd5; 160]);
        (0..50).for_each(|n| from(rig, NAT, header(n), &[0xd5; 160]));
    };
    let attacks: [fn(&mut Rig); 7] = [sprayed, sources, keys, our_own, by_turns, late, beside_the_peer];
    for (n, attack) in attacks.into_iter().enumerate() {
        let mut rig = learning();
        attack(&mut rig);
        assert_eq!((target_of(&mut rig), rig.said()), (FAR.parse().unwrap(), vec![]), "attack {n}");
    }
}

#[test]
fn a_refresh_of_the_session_keeps_the_learned_address_and_a_move_begins_anew() {
    let mut rig = learning();
    (1..=4).for_each(|seq| from(&mut rig, NAT, header(seq), &[0xd5; 160]));
    rig.input(Input::Retarget(params().target));
    assert_eq!(target_of(&mut rig), NAT.parse().unwrap());
    let moved: SocketAddr = "192.0.2.9:6000".parse().unwrap();
    rig.input(Input::Retarget(Target { remote: moved, ..params().target }));
    assert_eq!(target_of(&mut rig), moved);
    (1..=4).for_each(|seq| from(&mut rig, "192.0.2.8:5000", header(seq), &[0xd5; 160]));
    assert_eq!(target_of(&mut rig), "192.0.2.8:5000".parse().unwrap());
}

#[test]
fn spoofed_dtmf_from_a_foreign_address_never_acts_even_while_learning() {
    let mut rig = learning();
    for seq in 1..=3 {
        from(&mut rig, NAT, header(seq), &[0xd5; 160]);
        from(&mut rig, NAT, Header { payload_type: 101, ..header(seq) }, &[1, 0, 0, 160]);
    }
    assert_eq!((rig.said(), rig.session.stats().foreign), (vec![], 6));
}

#[test]
fn ssrc_change_goes_on_without_a_loss() {
    let mut rig = Rig::new(&params());
    for (ssrc, first) in [(7, 100), (8, 60_000), (9, 5)] {
        (0..10).for_each(|n| rig.receive(Header { ssrc, ..header(first + n) }, &[0xd5; 160]));
    }
    let reception = rig.session.stats().reception;
    assert_eq!((reception.received(), reception.lost(), reception.sources()), (30, 0, 3));
}

#[test]
fn comfort_noise_of_payload_type_13_is_tolerated() {
    let mut rig = Rig::new(&params());
    for (n, payload_type) in [13, 19, 13, 13, 13].into_iter().enumerate() {
        rig.run(9_000, || 0);
        rig.receive(Header { payload_type, ..header(n as u16) }, &[40, 7, 7]);
    }
    let stats = rig.session.stats();
    assert_eq!((rig.said(), stats.unknown, stats.reception.received()), (vec![], 0, 5));
}

#[test]
fn ptime_20_is_offered_and_10_to_60_is_received() {
    for ms in [10u32, 20, 30, 40, 60] {
        let mut rig = Rig::new(&params());
        for n in 0..50u16 {
            let samples = ms * 8;
            rig.receive(Header { timestamp: u32::from(n) * samples, ..header(n) }, &vec![0xd5; samples as usize]);
            rig.run(u64::from(ms), || 0);
        }
        let reception = rig.session.stats().reception;
        assert_eq!((reception.received(), reception.lost(), reception.jitter()), (50, 0, Duration::ZERO), "{ms} ms");
    }
}

#[test]
fn payload_types_may_be_asymmetric() {
    // Their answer calls A-law 97 and events 96; to us they send what we called them: 8 and 101. Or not.
    let target = Target { payload_type: 97, telephone_event_pt: Some(96), ..params().target };
    let mut rig = Rig::new(&Params { target, ..params() });
    rig.input(Input::Play(silence(20).into()));
    rig.input(Input::SendDigits("1"));
    rig.run(400, || 0);
    let sent: std::collections::BTreeSet<u8> = rig.packets.iter().map(|(_, header, _)| header.payload_type).collect();
    assert_eq!(sent.into_iter().collect::<Vec<_>>(), [96, 97]);
    for (n, payload_type) in [8, 97, 0].into_iter().enumerate() {
        rig.receive(Header { payload_type, ..header(n as u16) }, &[0xd5; 160]);
    }
    rig.receive(Header { payload_type: 97, ..header(4) }, &[0xd5; 8]);
    rig.receive(Header { payload_type: 101, ..header(5) }, &[2, 0, 0, 160]);
    let stats = rig.session.stats();
    assert_eq!((stats.reception.received(), stats.unknown), (5, 0));
    assert_eq!(rig.said(), [Output::PlayDone, Output::Digit('2')]);
}

/// A key as sound, from the peer.
fn press(rig: &mut Rig, first_seq: u16, hz: (f64, f64)) {
    let sound = Tone { hz, on_ms: 100, off_ms: 100, level: 0.3 }.render(200);
    for (n, frame) in (0..).zip(sound.chunks(160)) {
        let octets: Vec<u8> = frame.iter().map(|s| Codec::Pcma.encode(*s)).collect();
        rig.receive(header(first_seq + n), &octets);
    }
}

const FIVE: (f64, f64) = (770.0, 1_336.0);

#[test]
fn keys_are_heard_in_the_sound_where_no_telephone_events_were_agreed_on() {
    let without = Target { telephone_event_pt: None, ..params().target };
    for (target, want) in [(without, vec![Output::Digit('5'); 2]), (params().target, vec![])] {
        let mut rig = Rig::new(&Params { target, ..params() });
        press(&mut rig, 0, FIVE);
        press(&mut rig, 10, FIVE);
        assert_eq!(rig.said(), want);
    }
}

#[test]
fn a_peer_that_sends_events_unasked_presses_each_key_once() {
    let target = Target { telephone_event_pt: None, ..params().target };
    let mut rig = Rig::new(&Params { target, ..params() });
    rig.receive(Header { payload_type: 101, ..header(1) }, &[5, 0, 0, 160]);
    press(&mut rig, 2, FIVE);
    rig.input(Input::Retarget(target));
    press(&mut rig, 20, FIVE);
    assert_eq!(rig.said(), [Output::Digit('5')]);
}

#[test]
fn a_later_offer_turns_listening_for_keys_on_and_off() {
    let without = Target { telephone_event_pt: None, ..params().target };
    let mut rig = Rig::new(&params());
    rig.input(Input::Retarget(without));
    press(&mut rig, 0, FIVE);
    assert_eq!(rig.said(), [Output::Digit('5')]);
    rig.input(Input::Retarget(params().target));
    press(&mut rig, 20, FIVE);
    assert_eq!(rig.said(), [Output::Digit('5')]);
}
