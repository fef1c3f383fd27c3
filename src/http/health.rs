//! Is the daemon alive, and is it ready? Its parts report here; the routes only read.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::base::Tick;
use crate::obs::Metrics;

/// What must hold before the daemon may be given work. Each starts as "starting".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The database answers, and its migrations are those of this version.
    Store,
    /// A plan is in force. A reload that was refused keeps the old one and stays ready.
    Campaigns,
    /// SIP and RTP sockets are bound.
    Line,
    /// The engine takes leads and dials: recovery is over, and no shutdown has begun.
    Engine,
}

/// Shared by everybody who reports; cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

struct Shared {
    /// `None`: ready. Else why not.
    checks: watch::Sender<[Option<String>; Check::ALL.len()]>,
    last_beat: AtomicU64,
    clock: Box<dyn Fn() -> Tick + Send + Sync>,
    metrics: Metrics,
}

impl Check {
    pub const ALL: [Self; 4] = [Self::Store, Self::Campaigns, Self::Line, Self::Engine];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Campaigns => "campaigns",
            Self::Line => "line",
            Self::Engine => "engine",
        }
    }

    const fn ix(self) -> usize {
        match self {
            Self::Store => 0,
            Self::Campaigns => 1,
            Self::Line => 2,
            Self::Engine => 3,
        }
    }
}

impl Health {
    /// The engine beats at least every second; a silence of this length means that it hangs.
    pub const SILENCE_MAX: Duration = Duration::from_secs(10);

    /// `clock` reads the daemon's monotonic clock.
    pub fn new(clock: impl Fn() -> Tick + Send + Sync + 'static, metrics: Metrics) -> Self {
        for check in Check::ALL {
            metrics.ready.set_truth([check.as_str()], false);
        }
        let checks = watch::Sender::new(Check::ALL.map(|_| Some("starting".to_owned())));
        let last_beat = AtomicU64::new(clock().0);
        Self(Arc::new(Shared { checks, last_beat, clock: Box::new(clock), metrics }))
    }

    pub fn ready(&self, check: Check) {
        self.set(check, None);
    }

    /// `why` is shown to whoever asks: no secrets, no personal data.
    pub fn not_ready(&self, check: Check, why: impl Into<String>) {
        self.set(check, Some(why.into()));
    }

    /// Every check that is not ready, and why.
    pub fn missing(&self) -> Vec<(Check, String)> {
        let states = self.0.checks.borrow();
        Check::ALL.into_iter().zip(states.iter()).filter_map(|(check, why)| Some((check, why.clone()?))).collect()
    }

    pub fn is_ready(&self) -> bool {
        self.0.checks.borrow().iter().all(Option::is_none)
    }

    /// The pump says that the engine has just been served.
    pub fn beat(&self, now: Tick) {
        self.0.last_beat.store(now.0, Ordering::Relaxed);
    }

    /// Since the engine took its last turn.
    pub fn silence(&self) -> Duration {
        (self.0.clock)().since(Tick(self.0.last_beat.load(Ordering::Relaxed)))
    }

    /// How long the engine has been silent, once that is too long.
    pub fn hangs_for(&self) -> Option<Duration> {
        let silence = self.silence();
        (silence > Self::SILENCE_MAX).then_some(silence)
    }

    fn set(&self, check: Check, why: Option<String>) {
        self.0.metrics.ready.set_truth([check.as_str()], why.is_none());
        self.0.checks.send_modify(|states| {
            if let Some(state) = states.get_mut(check.ix()) {
                *state = why;
            }
        });
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("missing", &self.missing()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_every_check() {
        let metrics = Metrics::new().unwrap();
        let health = Health::new(|| Tick(0), metrics.clone());
        assert_eq!(health.missing().len(), Check::ALL.len());
        for check in Check::ALL {
            assert!(!health.is_ready());
            health.ready(check);
        }
        assert!(health.is_ready());
        health.not_ready(Check::Engine, "draining");
        assert_eq!(health.missing(), [(Check::Engine, "draining".to_owned())]);
        assert!((metrics.ready.value(["engine"]) - 0.0).abs() < f64::EPSILON);
    }

    #[test]
    fn an_engine_that_stops_beating_is_not_alive() {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now);
        let health = Health::new(move || Tick(clock.load(Ordering::Relaxed)), Metrics::new().unwrap());
        now.store(10_000_000, Ordering::Relaxed);
        assert_eq!(health.hangs_for(), None);
        now.store(11_000_000, Ordering::Relaxed);
        assert_eq!(health.hangs_for(), Some(Duration::from_secs(11)));
        health.beat(Tick(11_000_000));
        assert_eq!(health.hangs_for(), None);
    }
}
