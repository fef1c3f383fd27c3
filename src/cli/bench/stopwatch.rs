//! Nanoseconds between two moments and of one thread's work, for what takes less than a microsecond, and short waits for
//! a child.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

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

/// Nanoseconds of CPU that this thread has used so far: what others do on the machine does not count.
pub(super) fn thread_cpu_ns() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 * 1e9 + used.tv_nsec as f64
}

/// Between two looks at a child process.
#[expect(clippy::disallowed_methods, reason = "another process is watched from outside; nothing tells us")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
