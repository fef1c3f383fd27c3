//! Small tones for the far end and for tests: ringback, busy, a beep, silence.

use std::f64::consts::TAU;

use super::RATE_HZ;

/// One or two sines with a cadence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    pub hz: (f64, f64),
    /// Milliseconds of sound, then of silence, repeated. No silence: a steady tone.
    pub on_ms: u32,
    pub off_ms: u32,
    /// Peak of the sum, in `0.0..=1.0` of full scale.
    pub level: f64,
}

impl Tone {
    /// China (YD/T 1103): 450 Hz, one second in five.
    pub const RINGBACK_CN: Self = Self { hz: (450.0, 0.0), on_ms: 1_000, off_ms: 4_000, level: 0.2 };
    /// China: 450 Hz, 350 ms on and off.
    pub const BUSY_CN: Self = Self { hz: (450.0, 0.0), on_ms: 350, off_ms: 350, level: 0.2 };
    /// North America: 440 and 480 Hz, two seconds in six.
    pub const RINGBACK_US: Self = Self { hz: (440.0, 480.0), on_ms: 2_000, off_ms: 4_000, level: 0.2 };
    /// North America: 480 and 620 Hz, half a second on and off.
    pub const BUSY_US: Self = Self { hz: (480.0, 620.0), on_ms: 500, off_ms: 500, level: 0.2 };
    /// What an answering machine plays before it records.
    pub const BEEP: Self = Self { hz: (1_000.0, 0.0), on_ms: 500, off_ms: 0, level: 0.4 };

    /// 8 kHz samples of the first `ms` milliseconds, at most ten minutes of them.
    pub fn render(&self, ms: u32) -> Vec<i16> {
        let period = self.on_ms.saturating_add(self.off_ms).max(1);
        let parts = if self.hz.1 > 0.0 { 2.0 } else { 1.0 };
        let peak = self.level.clamp(0.0, 1.0) * f64::from(i16::MAX) / parts;
        let sample = |n: u32| {
            if self.off_ms > 0 && (n / (RATE_HZ / 1_000)) % period >= self.on_ms {
                return 0;
            }
            let t = f64::from(n) / f64::from(RATE_HZ);
            let second = if self.hz.1 > 0.0 { (TAU * self.hz.1 * t).sin() } else { 0.0 };
            (peak * ((TAU * self.hz.0 * t).sin() + second)).round() as i16
        };
        (0..samples(ms)).map(sample).collect()
    }
}

/// `ms` milliseconds of nothing, at most ten minutes.
pub fn silence(ms: u32) -> Vec<i16> {
    vec![0; samples(ms) as usize]
}

fn samples(ms: u32) -> u32 {
    ms.min(600_000) * (RATE_HZ / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Power of one frequency (Goertzel 1958), as a share of the whole power.
    fn share(pcm: &[i16], hz: f64) -> f64 {
        let coefficient = 2.0 * (TAU * hz / f64::from(RATE_HZ)).cos();
        let (mut a, mut b, mut total) = (0.0, 0.0, 0.0);
        for &sample in pcm {
            let x = f64::from(sample);
            (a, b) = (x + coefficient * a - b, a);
            total += x * x;
        }
        (a * a + b * b - coefficient * a * b) / (total * pcm.len() as f64 / 2.0)
    }

    #[test]
    fn the_power_lies_at_the_frequencies_asked_for() {
        assert!(share(&Tone::BEEP.render(500), 1_000.0) > 0.99);
        let dual = Tone::RINGBACK_US.render(1_000);
        assert!(share(&dual, 440.0) > 0.45 && share(&dual, 480.0) > 0.45 && share(&dual, 600.0) < 0.01);
    }

    #[test]
    fn a_cadence_is_silent_when_it_should_be_and_never_clips() {
        let pcm = Tone { level: 1.0, ..Tone::BUSY_US }.render(1_000);
        assert_eq!(pcm.len(), 8_000);
        assert!(pcm[4_000..].iter().all(|&s| s == 0) && pcm[..4_000].iter().any(|&s| s > 30_000));
        assert_eq!(silence(20), vec![0; 160]);
    }
}
