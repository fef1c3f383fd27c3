//! Known answers of the RFCs, and what a network and an attacker do to sealed packets.

use aes::Aes128;
use aes::cipher::{Array, KeyInit};

use super::derive::Prf;
use super::transform::{Transform, keystream};
use super::*;
use crate::base::{hex, unhex};
use crate::media::Header;

const SUITES: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm];
const A: MasterKey = MasterKey([7; 44]);
const B: MasterKey = MasterKey([8; 44]);

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).unwrap().try_into().unwrap()
}

/// Two sides of a call; the first has sent up to `first`.
fn pair(suite: Suite, first: u16) -> (Guard, Guard) {
    (Guard::new(Keys { suite, ours: A, theirs: B }, first), Guard::new(Keys { suite, ours: B, theirs: A }, 0))
}

fn sealed(guard: &mut Guard, seq: u16) -> Vec<u8> {
    let mut packet = plain(seq);
    assert!(guard.seal(&mut packet));
    packet
}

fn plain(seq: u16) -> Vec<u8> {
    let header = Header { payload_type: 8, marker: false, seq, timestamp: u32::from(seq) * 160, ssrc: 5 };
    let mut packet = Vec::new();
    header.write(&[0xd5; 160], &mut packet).unwrap();
    packet
}

fn report(n: u8) -> Vec<u8> {
    vec![0x80, 201, 0, 1, 0, 0, 0, n]
}

#[test]
fn the_keystream_is_that_of_rfc_3711_b2() {
    let cipher = Aes128::new(&Array(bytes("2b7e151628aed2a6abf7158809cf4f3c")));
    let iv = 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_0000_u128;
    let mut out = vec![0; 16 * 0xff02];
    keystream(&cipher, iv, &mut out);
    let want = "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0";
    assert_eq!(hex(&out[..48]), want);
    let want = "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44";
    assert_eq!(hex(&out[16 * 0xfeff..]), want);
}

#[test]
fn session_keys_are_those_of_rfc_3711_b3() {
    let cipher = Aes128::new(&Array(bytes("e1f97a0d3e018be0d64fa32c06de4139")));
    let prf = Prf { cipher, salt: bytes("0ec675ad498afeebb6960b3aabe6") };
    assert_eq!(hex(&prf.draw::<16>(0)), "c61e7a93744f39ee10734afe3ff7a087");
    assert_eq!(hex(&prf.draw::<14>(2)), "30cbbc08863d8c85d49db34a9ae1");
    assert_eq!(hex(&prf.draw::<20>(1)), "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
}

fn rfc_7714() -> Transform {
    let key: Vec<u8> = (0..32).collect();
    Transform::gcm(key.try_into().unwrap(), bytes("517569642070726f2071756f"))
}

#[test]
fn a_packet_is_sealed_as_in_rfc_7714_16_2() {
    let plain = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    let mut packet = unhex(plain).unwrap();
    rfc_7714().seal(12, 0x5501_a0b2, 0xf17b, &mut packet).unwrap();
    let want = "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
        7aa3db36dfffd6b0f9bb7878d7a76c13";
    assert_eq!(hex(&packet), want);
    rfc_7714().open(12, 0x5501_a0b2, 0xf17b, &mut packet).unwrap();
    assert_eq!(hex(&packet), plain);
}

#[test]
fn a_report_is_sealed_as_in_rfc_7714_17_3() {
    let plain =
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    let mut packet = unhex(plain).unwrap();
    rfc_7714().seal_report(0x4d61_7273, 0x5d4, &mut packet).unwrap();
    let want = "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047\
        6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4";
    assert_eq!(hex(&packet), want);
    assert_eq!(rfc_7714().report_index(&packet), Some(0x5d4));
    rfc_7714().open_report(0x4d61_7273, 0x5d4, &mut packet).unwrap();
    assert_eq!(hex(&packet), plain);
}

#[test]
fn lost_and_reordered_packets_are_read_over_two_rollovers() {
    for suite in SUITES {
        let (mut us, mut them) = pair(suite, 65_000);
        let mut held = None;
        for n in 0..140_000_u32 {
            let seq = 65_000_u16.wrapping_add(n as u16);
            let packet = sealed(&mut us, seq);
            match n % 100 {
                3 => {}
                50 => held = Some((seq, packet)),
                _ => assert_eq!(them.open(&packet), Some(&plain(seq)[..]), "{n}"),
            }
            if n % 100 == 90
                && let Some((seq, packet)) = held.take()
            {
                assert_eq!(them.open(&packet), Some(&plain(seq)[..]), "late {n}");
            }
        }
        assert_eq!((us.sent, them.buffer.capacity()), (65_000 + 139_999, PACKET_MAX));
    }
}

#[test]
fn a_packet_is_heard_once_and_one_of_long_ago_never() {
    for suite in SUITES {
        let (mut us, mut them) = pair(suite, 1);
        let packets: Vec<_> = (1..=300).map(|seq| sealed(&mut us, seq)).collect();
        assert!(packets.iter().enumerate().all(|(n, packet)| n == 100 || n == 299 || them.open(packet).is_some()));
        assert!(packets.iter().enumerate().all(|(n, packet)| n == 100 || n == 299 || them.open(packet).is_none()));
        assert!(them.open(&packets[100]).is_none(), "it is 198 packets late");
        assert!(them.open(&packets[299]).is_some());
    }
}

#[test]
fn a_changed_bit_anywhere_or_another_key_or_a_cut_is_not_heard_and_changes_nothing() {
    for suite in SUITES {
        let (mut us, mut them) = pair(suite, 1);
        let packet = sealed(&mut us, 1);
        for at in 0..packet.len() * 8 {
            let mut changed = packet.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(them.open(&changed).is_none(), "{suite:?} bit {at}");
        }
        assert!((0..packet.len()).all(|length| them.open(&packet[..length]).is_none()));
        assert!(Guard::new(Keys { suite, ours: A, theirs: B }, 0).open(&packet).is_none());
        assert!(them.open(&plain(2)).is_none() && them.open(&[0x80; 3_000]).is_none());
        assert!(them.open(&packet).is_some());
    }
}

#[test]
fn reports_are_opened_once_and_only_if_they_verify() {
    for suite in SUITES {
        let (mut us, mut them) = pair(suite, 1);
        for n in 1..=3 {
            let mut packet = [report(n), vec![9; 24]].concat();
            let clear = packet.clone();
            assert!(us.seal_report(&mut packet));
            assert!(!packet.windows(8).any(|window| window == [9; 8]));
            for at in 0..packet.len() * 8 {
                let mut changed = packet.clone();
                changed[at / 8] ^= 1 << (at % 8);
                assert!(them.open_report(&changed).is_none(), "{suite:?} bit {at}");
            }
            assert_eq!(them.open_report(&packet), Some(&clear[..]));
            assert_eq!(them.open_report(&packet), None);
        }
        assert!(them.open_report(&report(9)).is_none(), "sent in the clear");
    }
}

#[test]
fn a_seventeenth_source_is_not_heard() {
    let (mut us, mut them) = pair(Suite::AeadAes256Gcm, 1);
    let of = |us: &mut Guard, ssrc| {
        let mut packet = Vec::new();
        Header { payload_type: 8, marker: false, seq: 1, timestamp: 0, ssrc }.write(&[1; 20], &mut packet).unwrap();
        us.seal(&mut packet).then_some(packet).unwrap()
    };
    assert!((1..=16).all(|ssrc| them.open(&of(&mut us, ssrc)).is_some()));
    assert!(them.open(&of(&mut us, 17)).is_none());
}

#[test]
fn a_new_key_of_theirs_begins_anew_and_ours_goes_on_counting() {
    for suite in SUITES {
        let (mut us, mut them) = pair(suite, 65_535);
        assert!(them.open(&sealed(&mut us, 65_535)).is_some() && them.open(&sealed(&mut us, 0)).is_some());
        let new = MasterKey([9; 44]);
        us.rekey(Keys { suite, ours: A, theirs: new });
        assert!(them.open(&sealed(&mut us, 1)).is_some(), "the rollover is kept");
        let mut renewed = Guard::new(Keys { suite, ours: new, theirs: A }, 0);
        assert!(us.open(&sealed(&mut renewed, 7)).is_some() && us.open(&sealed(&mut them, 8)).is_none());
    }
}

#[test]
fn keys_are_never_printed() {
    let keys = Keys { suite: Suite::AeadAes256Gcm, ours: A, theirs: B };
    let text = format!("{keys:?} {:?}", Guard::new(keys, 0));
    assert_eq!(text, "Keys { suite: AeadAes256Gcm, ours: MasterKey(..), theirs: MasterKey(..) } Guard(AeadAes256Gcm)");
}
