//! Keys as Q.24 describes them, and everything that is none: voices, tones of the network, noise.

use std::f64::consts::TAU;
use std::path::Path;

use super::*;
use crate::base::{Rng, read_prompt};
use crate::media::dtmf;

/// One press as some telephone makes it.
#[derive(Clone, Copy)]
struct Press {
    /// Of the low tone, in dBm0; the high one is `twist_db` above it.
    level_dbm0: f64,
    twist_db: f64,
    /// How far the low and the high tone are off their frequencies.
    off: (f64, f64),
    ms: u32,
    pause_ms: u32,
}

const PLAIN: Press = Press { level_dbm0: -10.0, twist_db: 0.0, off: (0.0, 0.0), ms: 80, pause_ms: 80 };
/// Of a sine (G.711).
const FULL_SCALE_DBM0: f64 = 3.17;
const ALL: &str = "0123456789*#ABCD";

impl Press {
    fn sound(&self, keys: &str) -> Vec<f64> {
        let mut out = vec![0.0; 400];
        for key in keys.chars() {
            let place = |row: &[char; 4]| row.iter().position(|k| *k == key);
            let (row, column) = KEYS.iter().enumerate().find_map(|(n, row)| Some((n, place(row)?))).unwrap();
            let peak = |dbm0: f64| 32_768.0 * 10f64.powf((dbm0 - FULL_SCALE_DBM0) / 20.0);
            let (low, high) = (peak(self.level_dbm0), peak(self.level_dbm0 + self.twist_db));
            let tone = |hz: f32, off: f64, n: u32| (TAU * f64::from(hz) * (1.0 + off) * f64::from(n) / 8_000.0).sin();
            out.extend(
                (0..self.ms * 8)
                    .map(|n| low * tone(LOW_HZ[row], self.off.0, n) + high * tone(HIGH_HZ[column], self.off.1, n)),
            );
            out.extend((0..self.pause_ms * 8).map(|_| 0.0));
        }
        out.extend([0.0; 800]);
        out
    }
}

/// What is heard of it in packets of 20 ms.
fn heard(sound: &[f64], codec: Codec) -> String {
    heard_of(&packets(sound, codec), codec)
}

fn packets(sound: &[f64], codec: Codec) -> Vec<(Header, Vec<u8>)> {
    let octets: Vec<u8> = sound.iter().map(|s| codec.encode(s.clamp(-32_768.0, 32_767.0) as i16)).collect();
    let header = |n: usize| Header {
        payload_type: codec.payload_type(),
        marker: n == 0,
        seq: (65_500 + n) as u16,
        timestamp: (n * 160) as u32,
        ssrc: 7,
    };
    octets.chunks(160).enumerate().map(|(n, chunk)| (header(n), chunk.to_vec())).collect()
}

fn heard_of(packets: &[(Header, Vec<u8>)], codec: Codec) -> String {
    let (mut ear, mut keys) = (Ear::default(), String::new());
    for (header, octets) in packets {
        ear.packet(header, codec, octets, |key| keys.push(key));
    }
    keys
}

fn noisy(mut sound: Vec<f64>, rng: &mut Rng, dbm0: f64) -> Vec<f64> {
    let rms = 32_768.0 / 2f64.sqrt() * 10f64.powf((dbm0 - FULL_SCALE_DBM0) / 20.0);
    for s in &mut sound {
        *s += rng.normal() * rms;
    }
    sound
}

#[test]
fn every_key_is_heard_at_every_level_twist_and_deviation_that_q24_names() {
    for level_dbm0 in [-3.0, -10.0, -20.0, -25.0] {
        for twist_db in [-8.0, -4.0, 0.0, 4.0] {
            for off in [-0.015, 0.0, 0.015] {
                for codec in [Codec::Pcma, Codec::Pcmu] {
                    let press = Press { level_dbm0, twist_db, off: (off, off), ..PLAIN };
                    assert_eq!(heard(&press.sound(ALL), codec), ALL, "{level_dbm0} dBm0, {twist_db} dB, {off}");
                }
            }
        }
    }
}

#[test]
fn forty_milliseconds_are_a_key_and_twenty_four_are_none() {
    for shift in 0..40 {
        for off in [-0.015, 0.0, 0.015] {
            let sound =
                |ms| [vec![0.0; shift], Press { ms, pause_ms: 40, off: (off, off), ..PLAIN }.sound("159D#11")].concat();
            assert_eq!(heard(&sound(40), Codec::Pcma), "159D#11", "shifted by {shift}, {off}");
            assert_eq!(heard(&sound(24), Codec::Pcma), "", "shifted by {shift}, {off}");
        }
    }
}

#[test]
fn a_gap_of_ten_milliseconds_is_no_pause() {
    for shift in 0..40 {
        let mut sound = [vec![0.0; shift], Press { ms: 200, ..PLAIN }.sound("5")].concat();
        sound[1_200..1_280].fill(0.0);
        assert_eq!(heard(&sound, Codec::Pcma), "5", "shifted by {shift}");
    }
}

#[test]
fn a_key_held_for_ten_seconds_is_one() {
    assert_eq!(heard(&Press { ms: 10_000, ..PLAIN }.sound("8"), Codec::Pcmu), "8");
}

#[test]
fn keys_are_heard_through_noise_fifteen_decibels_below() {
    let mut rng = Rng::seeded(1);
    for _ in 0..40 {
        let sound = noisy(Press { level_dbm0: -15.0, ..PLAIN }.sound(ALL), &mut rng, -27.0);
        assert_eq!(heard(&sound, Codec::Pcma), ALL);
    }
}

#[test]
fn a_tone_alone_a_twisted_pair_and_a_pair_off_its_frequencies_are_no_key() {
    for twist_db in [40.0, -40.0, 9.0, -14.0] {
        assert_eq!(heard(&Press { twist_db, ..PLAIN }.sound(ALL), Codec::Pcma), "", "{twist_db} dB");
    }
    for off in [(0.035, 0.035), (-0.035, -0.035), (0.035, 0.0), (-0.035, 0.0), (0.0, 0.035), (0.0, -0.035)] {
        assert_eq!(heard(&Press { off, ..PLAIN }.sound(ALL), Codec::Pcma), "", "{off:?}");
    }
    assert_eq!(heard(&Press { level_dbm0: -45.0, ..PLAIN }.sound(ALL), Codec::Pcma), "");
}

#[test]
fn a_third_tone_of_a_group_makes_it_no_key() {
    let key = PLAIN.sound("1");
    for hz in [LOW_HZ[2], HIGH_HZ[2]] {
        let third = |n: usize| 32_768.0 * 10f64.powf(-18.14 / 20.0) * (TAU * f64::from(hz) * n as f64 / 8_000.0).sin();
        let sound: Vec<f64> = key.iter().enumerate().map(|(n, s)| s + third(n)).collect();
        assert_eq!(heard(&sound, Codec::Pcma), "", "{hz} Hz, 5 dB below");
    }
}

#[test]
fn noise_is_no_key() {
    let mut rng = Rng::seeded(2);
    for dbm0 in [-5.0, -20.0, -30.0] {
        assert_eq!(heard(&noisy(vec![0.0; 800_000], &mut rng, dbm0), Codec::Pcma), "");
    }
}

#[test]
fn a_lost_late_or_doubled_packet_presses_no_key_twice() {
    let sound = Press { ms: 200, ..PLAIN }.sound("5566");
    let whole = packets(&sound, Codec::Pcma);
    for n in 0..whole.len() - 2 {
        let lost = [&whole[..n], &whole[n + 1..]].concat();
        let late = [&whole[..n], &whole[n + 1..n + 2], &whole[n..=n], &whole[n + 2..]].concat();
        let doubled = [&whole[..=n], &whole[n..]].concat();
        for packets in [lost, late, doubled] {
            assert_eq!(heard_of(&packets, Codec::Pcma), "5566", "packet {n}");
        }
    }
    let end = whole.len() - 2;
    let very_late = [&whole[..end], &whole[4..8], &whole[end..]].concat();
    assert_eq!(heard_of(&very_late, Codec::Pcma), "5566");
}

#[test]
fn silence_that_the_peer_does_not_send_is_a_pause() {
    let mut packets = packets(&Press { ms: 80, pause_ms: 80, ..PLAIN }.sound("77"), Codec::Pcma);
    let silent = |octets: &[u8]| octets.iter().all(|o| Codec::Pcma.decode(*o).abs() < 16);
    packets.retain(|(_, octets)| !silent(octets));
    for (n, (header, _)) in packets.iter_mut().enumerate() {
        header.seq = n as u16;
    }
    assert_eq!(heard_of(&packets, Codec::Pcma), "77");
}

#[test]
fn another_source_starts_afresh() {
    let mut packets = packets(&PLAIN.sound("12"), Codec::Pcma);
    for (header, _) in packets.iter_mut().skip(12) {
        (header.ssrc, header.seq) = (8, header.seq.wrapping_sub(9_000));
    }
    assert_eq!(heard_of(&packets, Codec::Pcma), "12");
}

#[test]
fn voices_and_tones_of_the_network_are_no_keys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/audio");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("not here: ../shared/data/audio");
        return;
    };
    let mut listened = 0;
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "wav")) {
        let pcm = read_prompt(&std::fs::read(&file).unwrap()).unwrap();
        for gain in [0.1, 0.3, 1.0] {
            let sound: Vec<f64> = pcm.iter().map(|s| f64::from(*s) * gain).collect();
            for codec in [Codec::Pcma, Codec::Pcmu] {
                assert_eq!(heard(&sound, codec), "", "{}, {gain}", file.display());
            }
        }
        listened += 1;
    }
    assert!(listened > 20, "{listened} files");
}

#[test]
fn keys_have_the_codes_of_telephone_events_too() {
    assert!(KEYS.iter().flatten().all(|key| dtmf::code(*key).is_some()));
}
