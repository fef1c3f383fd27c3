//! The capture of one call, where the API, the engine's pump and the line's pump meet. While there is none it costs one
//! look at a flag.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::base::Tick;
use crate::line::Capture;

#[derive(Debug, Default)]
pub struct Captures {
    /// There is one.
    any: AtomicBool,
    one: Mutex<Option<Capture>>,
}

impl Captures {
    /// For whoever has something to tell it, if there is one.
    pub fn tell<T>(&self, now: Tick, told: impl FnOnce(&mut Capture) -> T) -> Option<T> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut answer = None;
        self.visit(now, |one| answer = one.as_mut().map(told));
        answer
    }

    /// For whoever begins one, or takes it away.
    pub fn visit(&self, now: Tick, visit: impl FnOnce(&mut Option<Capture>)) {
        let mut one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        one.take_if(|one| !one.settle(now));
        visit(&mut one);
        self.any.store(one.is_some(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::{Now, TrunkIx};
    use crate::line::Wanted;

    #[test]
    fn what_nobody_fetches_is_forgotten_and_then_nobody_is_asked() {
        let captures = Captures::default();
        let asked = |s: u64| captures.tell(Tick(s * 1_000_000), |capture| capture.state().as_str());
        assert_eq!(asked(0), None);
        let one = Capture::new(Now::default(), Wanted::Trunk(TrunkIx(0)), "desk".to_owned(), Duration::from_secs(10));
        captures.visit(Tick(0), |place| *place = Some(one));
        assert_eq!((asked(9), asked(10), asked(129)), (Some("waiting"), Some("over"), Some("over")));
        assert_eq!(asked(130), None);
        assert!(!captures.any.load(Ordering::Acquire));
    }
}
