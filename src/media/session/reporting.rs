//! Reports both ways (RTCP), and what they say about audio that goes one way.

use std::time::Duration;

use super::tests::{FAR, RTCP, Rig, header, params};
use super::*;
use crate::media::rtcp::{Block, Report, Sender, read};
use crate::media::silence;

/// A call whose peer takes reports.
fn call(seed: u64) -> Rig {
    let target = Target { rtcp: Some(RTCP.parse().unwrap()), ..params().target };
    Rig::new(&Params { target, silence_after: Duration::ZERO, report_seed: seed, ..params() })
}

fn said(rig: &Rig, nth: usize) -> Report {
    read(&rig.reports[nth].1, 99).unwrap()
}

/// The peer, whose SSRC is 99, says this.
fn report(rig: &mut Rig, from: &str, block: Option<Block>) {
    let mut bytes = Vec::new();
    Report { ssrc: 99, sender: None, block }.write(b"peer", &mut bytes);
    rig.input(Input::Report { from: from.parse().unwrap(), bytes: &bytes });
}

fn up_to(highest: u32) -> Block {
    Block { ssrc: 1, highest, ..Block::default() }
}

#[test]
fn reports_leave_at_the_randomised_interval_of_the_seed() {
    let times = |seed| {
        let mut rig = call(seed);
        let start = rig.now.tick;
        rig.run(600_000, || 0);
        rig.reports.iter().map(|(at, _)| at.since(start).as_secs_f64()).collect::<Vec<_>>()
    };
    let (one, other) = (times(1), times(2));
    assert!(one == times(1) && one[..3] != other[..3]);
    assert!((1.02..=3.08).contains(&one[0]), "{}", one[0]);
    let gaps: Vec<f64> = one.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (2.05..=6.16).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap < 3.0) && gaps.iter().any(|gap| *gap > 5.0), "{gaps:?}");
    assert!((100..=200).contains(&one.len()), "{}", one.len());
}

#[test]
fn who_sends_sends_sender_reports_and_who_listens_receiver_reports() {
    let mut rig = call(1);
    rig.now.wall = crate::base::Wall(1_500_000);
    rig.input(Input::Play(silence(4_000).into()));
    rig.run(60_000, || 0);
    let Sender { ntp, timestamp, packets, octets } = said(&rig, 0).sender.unwrap();
    let passed = rig.reports[0].0.0 - 5_000_000;
    assert_eq!(ntp >> 32, 2_208_988_800 + (1_500_000 + passed) / 1_000_000);
    assert_eq!(timestamp, (u32::MAX - 5_000).wrapping_add((passed / 125) as u32));
    assert_eq!((u64::from(packets), octets), (passed / 20_000 + 1, packets * 160));
    let senders = (0..rig.reports.len()).map(|n| said(&rig, n).sender.is_some()).collect::<Vec<_>>();
    let first_without = senders.iter().position(|sends| !sends).unwrap();
    assert!((2..=5).contains(&first_without) && senders[first_without..].iter().all(|sends| !sends), "{senders:?}");
}

#[test]
fn a_report_says_what_was_lost_since_the_last_one_and_in_all_and_when_theirs_came() {
    let mut rig = call(1);
    for seq in (0..100).filter(|seq| seq % 4 != 2) {
        rig.receive(header(65_500u16.wrapping_add(seq)), &[0xd5; 160]);
    }
    let sender = Some(Sender { ntp: 0x1111_2222_3333_4444, timestamp: 0, packets: 0, octets: 0 });
    let mut bytes = Vec::new();
    Report { ssrc: 99, sender, block: None }.write(b"", &mut bytes);
    let (came, from) = (rig.now.tick, RTCP.parse().unwrap());
    rig.input(Input::Report { from, bytes: &bytes });
    rig.run(12_000, || 0);
    let ours = |rig: &Rig, nth: usize| crate::media::rtcp::read(&rig.reports[nth].1, 99).unwrap().block;
    let block = ours(&rig, 0).unwrap();
    let waited = rig.reports[0].0.since(came).as_micros() * 65_536 / 1_000_000;
    assert_eq!((block.ssrc, block.lost, block.fraction_lost, block.highest), (99, 25, 64, 65_536 + 63));
    assert_eq!((block.last_report, u128::from(block.delay)), (0x2222_3333, waited));
    assert_eq!(ours(&rig, 1), None, "nothing came since");
    let before = rig.reports.len();
    (100..110).for_each(|seq| rig.receive(header(65_500u16.wrapping_add(seq)), &[0xd5; 160]));
    rig.run(7_000, || 0);
    let block = ours(&rig, before).unwrap();
    assert_eq!((block.lost, block.fraction_lost), (25, 0), "the last report counted up to the last packet");
}

#[test]
fn the_name_in_reports_is_random_and_another_for_every_call() {
    let name = |seed| {
        let mut rig = call(seed);
        rig.run(20_000, || 0);
        let names: Vec<Vec<u8>> =
            rig.reports.iter().map(|(_, bytes)| bytes[bytes.len() - 26..bytes.len() - 2].to_vec()).collect();
        assert!(names.iter().all(|name| name == &names[0] && name.iter().all(u8::is_ascii_hexdigit)));
        names[0].clone()
    };
    assert!(name(1) != name(2) && name(1) == name(1));
}

#[test]
fn rtcp_bye_never_ends_a_call() {
    let mut rig = call(1);
    let bye = [0x80, 201, 0, 1, 0, 0, 0, 99, 0x81, 203, 0, 1, 0, 0, 0, 99];
    rig.input(Input::Play(silence(400).into()));
    rig.input(Input::Report { from: RTCP.parse().unwrap(), bytes: &bye });
    rig.input(Input::Packet { from: FAR.parse().unwrap(), bytes: &bye });
    rig.input(Input::Report { from: RTCP.parse().unwrap(), bytes: &bye[8..] });
    rig.run(1_000, || 0);
    let stats = rig.session.stats();
    assert_eq!((rig.said(), rig.packets.len()), (vec![Output::PlayDone], 20));
    assert_eq!((stats.reports.received, stats.malformed), (2, 1));
}

#[test]
fn a_report_of_a_stranger_or_of_ourselves_counts_for_nothing() {
    let mut rig = call(1);
    report(&mut rig, "192.0.2.66:4001", Some(up_to(5)));
    let mut bytes = Vec::new();
    Report { ssrc: 1, sender: None, block: None }.write(b"", &mut bytes);
    rig.input(Input::Report { from: RTCP.parse().unwrap(), bytes: &bytes });
    let stats = rig.session.stats();
    assert_eq!((stats.reports.received, stats.foreign, stats.malformed), (0, 1, 1));
}

#[test]
fn one_way_audio_is_seen_when_nothing_comes_while_we_play() {
    let mut rig = call(1);
    rig.input(Input::Play(silence(1_980).into()));
    rig.run(5_000, || 0);
    assert_eq!(rig.session.stats().one_way(), None, "too short to say");
    rig.input(Input::Play(silence(20).into()));
    rig.run(5_000, || 0);
    assert_eq!(rig.session.stats().one_way(), Some(OneWay::WeHearNothing));
    rig.input(Input::SetDirection(Direction::SendOnly));
    assert_eq!(rig.session.stats().one_way(), None, "as agreed");
    rig.input(Input::SetDirection(Direction::SendRecv));
    rig.receive(header(1), &[0xd5; 160]);
    assert_eq!(rig.session.stats().one_way(), None);
}

#[test]
fn one_way_audio_is_seen_when_the_peer_reports_that_it_hears_nothing() {
    for (first, second, want) in [
        (None, None, Some(OneWay::TheyHearNothing)),
        (Some(up_to(90)), Some(up_to(90)), Some(OneWay::TheyHearNothing)),
        (Some(up_to(90)), Some(up_to(200)), None),
    ] {
        let mut rig = call(1);
        rig.receive(header(1), &[0xd5; 160]);
        rig.input(Input::Play(silence(60_000).into()));
        rig.run(1_900, || 0);
        report(&mut rig, RTCP, first);
        assert_eq!(rig.session.stats().one_way(), None, "it may not have heard us yet");
        rig.run(2_500, || 0);
        report(&mut rig, RTCP, second);
        assert_eq!(rig.session.stats().one_way(), want, "{first:?} {second:?}");
    }
}

#[test]
fn a_peer_that_reports_between_two_prompts_is_not_deaf() {
    let mut rig = call(1);
    rig.receive(header(1), &[0xd5; 160]);
    rig.input(Input::Play(silence(3_000).into()));
    rig.run(5_000, || 0);
    report(&mut rig, RTCP, Some(up_to(150)));
    rig.run(5_000, || 0);
    report(&mut rig, RTCP, None);
    assert_eq!(rig.session.stats().one_way(), None);
}

#[test]
fn losses_that_the_peer_reports_are_kept_and_its_gains_are_none() {
    let mut rig = call(1);
    for (lost, want) in [(7, 7), (-2, 0)] {
        report(&mut rig, RTCP, Some(Block { lost, ..up_to(50) }));
        assert_eq!(rig.session.stats().reports.lost_there, Some(want));
    }
}

#[test]
fn without_a_place_for_reports_none_leave_and_where_the_voice_was_learned_neither() {
    let mut rig = Rig::new(&Params { silence_after: Duration::ZERO, ..params() });
    rig.run(60_000, || 0);
    assert!(rig.reports.is_empty());
    let target = Target { rtcp: Some(RTCP.parse().unwrap()), ..params().target };
    let mut rig = Rig::new(&Params { target, silence_after: Duration::ZERO, learn: true, ..params() });
    for seq in 0..4 {
        let mut bytes = Vec::new();
        header(seq).write(&[0xd5; 160], &mut bytes).unwrap();
        rig.input(Input::Packet { from: "192.0.2.7:41000".parse().unwrap(), bytes: &bytes });
    }
    rig.run(60_000, || 0);
    assert!(rig.reports.is_empty() && rig.session.poll_timeout().is_none());
}

#[test]
fn the_way_there_and_back_is_told_by_the_answer_to_our_last_report_alone() {
    let mut rig = call(1);
    rig.input(Input::Play(silence(60_000).into()));
    rig.run(12_000, || 0);
    let (sent, last) =
        (rig.reports.last().unwrap().0, (said(&rig, rig.reports.len() - 1).sender.unwrap().ntp >> 16) as u32);
    // The peer says that it kept our report for a tenth of a second of the time since.
    let passed = rig.now.tick.since(sent);
    let answers = |last_report, delay| Some(Block { last_report, delay, ..up_to(50) });
    for block in [answers(last ^ 1, 0), answers(0, 0), answers(last, u32::MAX), None] {
        report(&mut rig, RTCP, block);
        assert_eq!(rig.session.stats().reports.round_trip_us, None, "{block:?}");
    }
    report(&mut rig, RTCP, answers(last, 6_554));
    let told = rig.session.stats().reports.round_trip_us.unwrap();
    assert_eq!(passed.as_micros() - u128::from(told), 100_006);
    report(&mut rig, RTCP, answers(7, 0));
    assert_eq!(rig.session.stats().reports.round_trip_us, Some(told));
}
