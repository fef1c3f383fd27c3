//! Nanoseconds between two moments, for decisions that take less than a microsecond, and short waits for a child.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Between two looks at a child process.
#[expect(clippy::disallowed_methods, reason = "another process is watched from outside; nothing tells us")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
