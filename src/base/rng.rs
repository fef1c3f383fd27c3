//! Randomness with a seed. The core owns none of its own: whoever builds a machine hands one in.

use rand_core::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// xoshiro256++, whose stream is fixed by its definition: the same seed gives the same decisions in every version.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    pub fn seeded(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A generator of its own for one part of a machine, so that a draw more here changes nothing there.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::seeded(self.u64())
    }

    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    /// Uniform in `[0, 1)` with 53 bits.
    pub fn f64(&mut self) -> f64 {
        (self.u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `0..bound` (Lemire 2019, without the rejection step: the bias is below 2⁻³² for our bounds). Zero for zero.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.u32()) * u64::from(bound)) >> 32) as u32
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.f64() < p
    }

    /// Exponential with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.f64()).ln()
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.f64()).cos()
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let (mut a, mut b) = (Rng::seeded(7), Rng::seeded(7));
        assert!((0..100).all(|_| a.u64() == b.u64()));
    }

    #[test]
    fn draws_keep_their_bounds_and_means() {
        let mut rng = Rng::seeded(3);
        let n = 20_000;
        let (mut sum, mut exp, mut sq) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let u = rng.f64();
            assert!((0.0..1.0).contains(&u));
            assert!(rng.below(7) < 7);
            sum += u;
            exp += rng.exponential(4.0);
            sq += rng.normal().powi(2);
        }
        let n = f64::from(n);
        assert!((sum / n - 0.5).abs() < 0.02 && (exp / n - 4.0).abs() < 0.2 && (sq / n - 1.0).abs() < 0.05);
    }
}
