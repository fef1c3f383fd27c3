//! What is wrong with a trunk's credentials, said once a minute: each call would say it again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Tick, TrunkIx};
use crate::line::Unanswered;

const EVERY: Duration = Duration::from_mins(1);

/// When each was said last, by trunk and reason.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<(TrunkIx, usize), Tick>);

impl Complaints {
    /// Has it not been said within the last minute?
    pub(super) fn is_news(&mut self, now: Tick, trunk: TrunkIx, why: &Unanswered) -> bool {
        let key = (trunk, why.reason());
        let news = self.0.get(&key).is_none_or(|said| now.since(*said) >= EVERY);
        if news {
            self.0.insert(key, now);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_and_another_at_once() {
        let mut complaints = Complaints::default();
        let mut news = |second: u64, trunk, why| complaints.is_news(Tick(second * 1_000_000), TrunkIx(trunk), &why);
        assert!(news(1, 0, Unanswered::Rejected));
        assert!(!news(60, 0, Unanswered::Rejected));
        assert!(news(60, 1, Unanswered::Rejected) && news(60, 0, Unanswered::Unsupported));
        assert!(news(61, 0, Unanswered::Rejected));
    }
}
