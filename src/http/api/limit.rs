//! How often somebody may ask: a bucket that fills steadily and is emptied by requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::base::Tick;

#[derive(Debug)]
pub struct Bucket {
    /// How full it was, and when.
    state: Mutex<(f64, Tick)>,
    per_s: f64,
    size: f64,
}

impl Bucket {
    pub fn new(per_s: f64, size: f64) -> Self {
        Self { state: Mutex::new((size, Tick(0))), per_s, size }
    }

    /// `Err`: how long to wait for the next one.
    pub fn take(&self, now: Tick) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (level, at) = *state;
        let level = (level + now.since(at).as_secs_f64() * self.per_s).min(self.size);
        *state = (level, now.max(at));
        if level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - level) / self.per_s.max(1e-6)));
        }
        state.0 = level - 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_a_steady_rate() {
        let bucket = Bucket::new(2.0, 3.0);
        let at = |ms: u64| Tick(ms * 1_000);
        let burst: Vec<bool> = (0..5).map(|_| bucket.take(at(0)).is_ok()).collect();
        assert_eq!(burst, [true, true, true, false, false]);
        assert_eq!(bucket.take(at(0)).unwrap_err(), Duration::from_millis(500));
        let passed = (1..=100).filter(|nth| bucket.take(at(nth * 100)).is_ok()).count();
        assert_eq!(passed, 20, "ten seconds at two a second");
        assert!((0..4).filter(|_| bucket.take(at(1_000_000)).is_ok()).count() == 3, "no more than it holds");
    }
}
