//! Hears keys in the sound itself, where the peer sends no telephone events: two tones of ITU-T Q.23, found as Q.24 asks.

use std::f32::consts::TAU;

use crate::media::{Codec, Header, RATE_HZ, extend};

/// Low and high group (Q.23), and the keys where they cross.
const LOW_HZ: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH_HZ: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// 25.6 ms of sound are looked at, every 4 ms. Of them the high group needs 16 ms: so both have as many periods.
const WINDOW: usize = 205;
const HOP: usize = 32;
const HIGH_EDGE: usize = 38;

/// A key is one after so many looks in a row. A tone of 40 ms is seen by seven (Q.24: it must be heard), one of 24 ms by
/// five at most (it must not).
const LOOKS: u8 = 6;
/// Looks without it that end a key: a gap of 10 ms in a tone stays below, a pause of 40 ms does not.
const PAUSE: u8 = 9;

/// Amplitude of each of two equal tones: −36 dBm0, far below the −25 dBm0 that must be heard.
const QUIETEST: f32 = 360.0;
/// The high tone against the low, as power: 6 dB above to 10 dB below. Q.24 asks for 4 and 8.
const TWIST: std::ops::RangeInclusive<f32> = 0.1..=4.0;
/// Any other tone of the same group is this much weaker: 8 dB.
const ALONE: f32 = 0.16;
/// The two tones' share of all power in the window. Voices have their power all over the band (talk-off).
const SHARE: f32 = 0.7;
/// A tone is nearer to its frequency than to this far beside it: so 1.5 % off is taken, 3.5 % is not, 2.5 % is the border.
const BESIDE: f32 = 0.05;
/// Where the power of a tone that is a little off is measured.
const OFF: [f32; 4] = [-0.012, -0.004, 0.004, 0.012];

/// Packets older than this many before the newest one are late, not a new beginning.
const LATE: u64 = 100;
/// Silence that a sender suppressed is filled in up to here, which ends a key.
const GAP_MAX: u32 = 400;

/// Listens to one source.
#[derive(Clone, Debug)]
pub struct Ear {
    /// The last of the sound, oldest first, and how much of it is new since the last look.
    window: [f32; WINDOW],
    fresh: usize,
    candidate: Option<char>,
    looks: u8,
    /// The key that was reported and is still held.
    held: Option<char>,
    without: u8,
    source: Option<Source>,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    seq: u64,
    /// Of the sample after the last one.
    timestamp: u32,
}

impl Default for Ear {
    fn default() -> Self {
        Self { window: [0.0; WINDOW], fresh: 0, candidate: None, looks: 0, held: None, without: 0, source: None }
    }
}

impl Ear {
    /// Sound as it arrived. `each` gets every key once, when it has been heard for long enough. Late packets and doubles
    /// are left out; the sound closes over one that is lost.
    pub fn packet(&mut self, header: &Header, codec: Codec, octets: &[u8], mut each: impl FnMut(char)) {
        let known = self.source.filter(|source| source.ssrc == header.ssrc);
        let seq = known.map_or(u64::from(header.seq) + (1 << 16), |source| extend(source.seq, header.seq));
        if let Some(source) = known {
            if seq <= source.seq && source.seq - seq < LATE {
                return;
            }
            let gap = header.timestamp.wrapping_sub(source.timestamp);
            if seq == source.seq + 1 && gap < RATE_HZ * 60 {
                (0..gap.min(GAP_MAX)).for_each(|_| self.sample(0.0, &mut each));
            }
        }
        let timestamp = header.timestamp.wrapping_add(octets.len() as u32);
        self.source = Some(Source { ssrc: header.ssrc, seq, timestamp });
        for &octet in octets {
            self.sample(f32::from(codec.decode(octet)), &mut each);
        }
    }

    fn sample(&mut self, sample: f32, each: &mut impl FnMut(char)) {
        if let Some(place) = self.window.get_mut(WINDOW - HOP + self.fresh) {
            *place = sample;
        }
        self.fresh += 1;
        if self.fresh == HOP {
            let heard = key_in(&self.window);
            self.look(heard, each);
            self.window.copy_within(HOP.., 0);
            self.fresh = 0;
        }
    }

    fn look(&mut self, heard: Option<char>, each: &mut impl FnMut(char)) {
        self.without = if heard == self.held { 0 } else { self.without.saturating_add(1) };
        if self.without >= PAUSE {
            self.held = None;
        }
        self.looks = if heard == self.candidate { self.looks.saturating_add(1) } else { 1 };
        self.candidate = heard;
        if let Some(key) = heard.filter(|_| self.looks >= LOOKS && self.held != heard) {
            self.held = Some(key);
            self.without = 0;
            each(key);
        }
    }
}

/// The key whose two tones fill this window.
fn key_in(window: &[f32; WINDOW]) -> Option<char> {
    let middle = window.get(HIGH_EDGE..WINDOW - HIGH_EDGE)?;
    let all = window.iter().map(|s| s * s).sum::<f32>() / WINDOW as f32;
    if all < QUIETEST * QUIETEST {
        return None;
    }
    let (row, low_hz) = strongest(window, LOW_HZ)?;
    let (column, high_hz) = strongest(middle, HIGH_HZ)?;
    let low = measured(window, low_hz)?;
    let high = measured(middle, high_hz)?;
    let is_key = TWIST.contains(&(high / low)) && (low + high) >= SHARE * all;
    let key = KEYS.get(row).and_then(|keys| keys.get(column)).copied();
    key.filter(|_| is_key)
}

/// The strongest of a group, if the others are far below it.
fn strongest(sound: &[f32], group: [f32; 4]) -> Option<(usize, f32)> {
    let powers = powers(sound, group);
    let (at, top) = powers.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let alone = powers.iter().enumerate().all(|(other, power)| other == at || *power <= ALONE * top);
    group.get(at).filter(|_| alone).map(|hz| (at, *hz))
}

/// Power of a tone at about this frequency; `None` if it lies too far beside it.
fn measured(sound: &[f32], hz: f32) -> Option<f32> {
    let [at, below, above, ..] = powers(sound, [hz, hz * (1.0 - BESIDE), hz * (1.0 + BESIDE), hz]);
    let near = below < at && above < at;
    near.then(|| powers(sound, OFF.map(|off| hz * (1.0 + off))).into_iter().fold(0.0, f32::max))
}

/// Mean powers of four frequencies (Goertzel 1958), side by side, which costs hardly more than one.
fn powers(sound: &[f32], hz: [f32; 4]) -> [f32; 4] {
    let coefficients = hz.map(|hz| 2.0 * (TAU * hz / RATE_HZ as f32).cos());
    let mut states = [(0.0f32, 0.0f32); 4];
    for sample in sound {
        for ((a, b), coefficient) in states.iter_mut().zip(coefficients) {
            (*a, *b) = (sample + coefficient * *a - *b, *a);
        }
    }
    let length = sound.len() as f32;
    let mut powers = [0.0; 4];
    for ((power, (a, b)), coefficient) in powers.iter_mut().zip(states).zip(coefficients) {
        *power = 2.0 * (a * a + b * b - coefficient * a * b) / (length * length);
    }
    powers
}

#[cfg(test)]
mod tests;
