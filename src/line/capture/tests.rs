//! What a capture keeps, when it ends, and what a reader of its file sees.

use std::net::Ipv6Addr;

use super::*;
use crate::base::Wall;
use crate::sip::ids::call_id;

const TRUNK: TrunkIx = TrunkIx(3);
const ATTEMPT: AttemptId = AttemptId(0x0199_0f3c_4a5e_7c21_9d0e_3f1b_2a6c_7d88);
const OTHER: AttemptId = AttemptId(0x0199_0f3c_4a5e_7c21_9d0e_3f1b_2a6c_7d89);
const PORT: u16 = 20_000;

/// One packet as a reader of such files sees it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    at: Wall,
    from: SocketAddr,
    to: SocketAddr,
    payload: Vec<u8>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn le(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The sum of RFC 1071 over a header with its checksum in place.
fn sums_up(bytes: &[u8]) -> bool {
    let mut sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| b.into())).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}

/// By the format's description, and not by the writer; checks lengths and checksums on its way.
fn read(file: &[u8]) -> Vec<Seen> {
    assert_eq!((le(file, 0), le(file, 4), le(file, 20)), (0xa1b2_c3d4, 4 << 16 | 2, 101));
    let mut rest = &file[24..];
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let (length, whole) = (le(rest, 8) as usize, le(rest, 12) as usize);
        assert_eq!(length, whole);
        let at = Wall(i64::from(le(rest, 0)) * 1_000_000 + i64::from(le(rest, 4)));
        let packet = &rest[16..16 + length];
        rest = &rest[16 + length..];
        let (ends, inside, total) = match packet[0] >> 4 {
            4 => {
                assert!(sums_up(&packet[..20]));
                (&packet[12..20], &packet[20..], usize::from(u16_at(packet, 2)))
            }
            6 => (&packet[8..40], &packet[40..], usize::from(u16_at(packet, 4)) + 40),
            other => panic!("IP version {other}"),
        };
        assert_eq!((total, usize::from(u16_at(inside, 4))), (length, inside.len()));
        assert!(sums_up(&[ends, &[0, 17], &inside[4..6], inside].concat()));
        let address = |bytes: &[u8]| match bytes.len() {
            4 => std::net::IpAddr::from(<[u8; 4]>::try_from(bytes).unwrap()),
            _ => std::net::IpAddr::from(<[u8; 16]>::try_from(bytes).unwrap()),
        };
        let (from, to) = ends.split_at(ends.len() / 2);
        let (from, to) = ((address(from), u16_at(inside, 0)).into(), (address(to), u16_at(inside, 2)).into());
        seen.push(Seen { at, from, to, payload: inside[8..].to_vec() });
    }
    seen
}

fn now(ms: u64) -> Now {
    Now { tick: Tick(ms * 1_000), wall: Wall(1_764_000_000_000_000 + ms as i64 * 1_000) }
}

fn ours() -> SocketAddr {
    ([192, 0, 2, 1], 5060).into()
}

fn far() -> SocketAddr {
    ([192, 0, 2, 10], 5070).into()
}

fn message(start: &str, attempt: AttemptId) -> Vec<u8> {
    let call = String::from_utf8(call_id(LegId(attempt)).to_vec()).unwrap();
    format!("{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\r\n")
        .into_bytes()
}

fn capture(wanted: Wanted) -> Capture {
    Capture::new(now(0), wanted, "desk".to_owned(), Duration::from_mins(1))
}

/// Of a call that is under way.
fn recording() -> Capture {
    let mut capture = capture(Wanted::Trunk(TRUNK));
    capture.dials(ATTEMPT, TRUNK, 0);
    capture.sip(now(1), ours(), far(), &message("INVITE sip:x@192.0.2.10 SIP/2.0", ATTEMPT));
    assert_eq!(capture.looks_for_port(), Some(LegId(ATTEMPT)));
    capture.hears(PORT);
    capture
}

fn packets(capture: &Capture) -> usize {
    read(capture.file().bytes()).len()
}

#[test]
fn a_file_reads_as_what_went_over_the_wire() {
    let mut file = Pcap::new(10_000);
    let six = |end, port| SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, end), port));
    let sent = [
        (ours(), far(), b"odd".to_vec()),
        (far(), ours(), Vec::new()),
        (six(1, 5060), six(2, 5070), b"even".to_vec()),
        (six(1, 5060), far(), b"mapped".to_vec()),
    ];
    for (n, (from, to, payload)) in (1..).zip(&sent) {
        assert!(file.datagram(now(n).wall, *from, *to, payload));
    }
    let read = read(file.bytes());
    for (n, (seen, (from, to, payload))) in (1..).zip(read.iter().zip(&sent)).take(3) {
        let told = Seen { at: now(n).wall, from: *from, to: *to, payload: payload.clone() };
        assert_eq!(*seen, told);
    }
    assert_eq!(read[3].to.to_string(), "[::ffff:192.0.2.10]:5070");
    assert_eq!((read.len(), file.packets()), (4, 4));
}

#[test]
fn the_first_call_that_matches_is_kept_both_ways_and_no_other() {
    let mut capture = recording();
    capture.dials(OTHER, TRUNK, 0);
    capture.sip(now(2), far(), ours(), &message("SIP/2.0 180 Ringing", OTHER));
    capture.sip(now(2), far(), ours(), b"\r\n\r\n");
    capture.sip(now(3), far(), ours(), &message("SIP/2.0 200 OK", ATTEMPT));
    let media = SocketAddr::from(([192, 0, 2, 1], PORT));
    for port in [PORT, PORT + 1, PORT + 2, PORT - 1] {
        capture.rtp(now(4), port, far(), media, b"sound");
    }
    let file = read(capture.file().bytes());
    let said: Vec<_> =
        file.iter().map(|seen| String::from_utf8_lossy(&seen.payload).split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(said, ["INVITE", "SIP/2.0", "sound", "sound"]);
    assert_eq!((file[0].from, file[1].from, file[1].at), (ours(), far(), now(3).wall));
}

#[test]
fn a_call_of_another_trunk_or_one_that_comes_over_is_not_the_one() {
    let mut capture = capture(Wanted::Trunk(TRUNK));
    capture.dials(ATTEMPT, TrunkIx(1), 0);
    capture.dials(ATTEMPT, TRUNK, 1);
    assert_eq!(capture.state(), CaptureState::Waiting);
    capture.dials(OTHER, TRUNK, 0);
    assert_eq!(capture.attempt(), Some(OTHER));
}

#[test]
fn a_person_is_known_by_what_was_asked_of_the_store() {
    let mut capture = capture(Wanted::Contact(ContactId(7)));
    capture.intends(OTHER, ContactId(8));
    capture.intends(ATTEMPT, ContactId(7));
    capture.dials(OTHER, TRUNK, 0);
    assert_eq!(capture.attempt(), None);
    capture.dials(ATTEMPT, TRUNK, 0);
    assert_eq!(capture.attempt(), Some(ATTEMPT));
}

#[test]
fn late_answers_belong_to_the_call_and_late_sound_to_the_next_one() {
    let mut capture = recording();
    capture.leg_ended(now(1_000).tick, LegId(ATTEMPT));
    assert!(capture.settle(now(1_600).tick));
    capture.rtp(now(1_600), PORT, far(), ours(), b"of another call");
    capture.sip(now(1_600), far(), ours(), &message("SIP/2.0 200 OK", ATTEMPT));
    assert_eq!(packets(&capture), 2);
    assert!(capture.settle(now(3_000).tick));
    assert_eq!(capture.state(), CaptureState::Over(Over::CallEnded));
    capture.sip(now(3_001), far(), ours(), &message("SIP/2.0 200 OK", ATTEMPT));
    assert_eq!(packets(&capture), 2);
}

#[test]
fn a_call_that_goes_on_over_another_trunk_is_kept_whole() {
    let mut capture = recording();
    capture.leg_ended(now(1_000).tick, LegId(ATTEMPT));
    capture.dials(ATTEMPT, TrunkIx(5), 1);
    assert_eq!(capture.looks_for_port(), Some(LegId(ATTEMPT)));
    assert!(capture.settle(now(10_000).tick));
    assert_eq!(capture.state(), CaptureState::Recording);
}

#[test]
fn a_call_of_which_nothing_was_sent_is_not_the_one() {
    let mut capture = capture(Wanted::Trunk(TRUNK));
    capture.dials(ATTEMPT, TRUNK, 0);
    capture.leg_ended(now(1).tick, LegId(ATTEMPT));
    assert_eq!(capture.state(), CaptureState::Waiting);
    capture.dials(OTHER, TRUNK, 0);
    assert_eq!(capture.attempt(), Some(OTHER));
}

#[test]
fn time_ends_it_and_then_it_is_forgotten() {
    let mut capture = recording();
    assert!(capture.settle(now(59_999).tick));
    assert_eq!(capture.state(), CaptureState::Recording);
    assert!(capture.settle(now(60_000).tick));
    assert_eq!(capture.state(), CaptureState::Over(Over::Time));
    assert!(capture.settle(now(179_999).tick), "for whoever comes to fetch it");
    assert!(!capture.settle(now(180_000).tick));
}

#[test]
fn a_file_that_is_full_ends_it() {
    let mut capture = recording();
    let packet = vec![b'a'; 60_000];
    for _ in 0..300 {
        capture.rtp(now(2), PORT, far(), ours(), &packet);
    }
    assert_eq!(capture.state(), CaptureState::Over(Over::Full));
    let size = capture.file().bytes().len();
    assert!(size <= Capture::BYTES_MAX && size > Capture::BYTES_MAX - 70_000, "{size}");
}

#[test]
fn nobody_reads_a_packet_in_a_log() {
    let shown = format!("{:?}", recording());
    assert!(!shown.contains("INVITE") && !shown.contains("73, 78, 86"), "{shown}");
}
