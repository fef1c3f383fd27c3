//! What is wrong with a trunk, said once a minute: each call would say it again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Tick, TrunkIx};
use crate::line::{Trouble, Unanswered};

const EVERY: Duration = Duration::from_mins(1);

/// When each was said last, by trunk and subject.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<(TrunkIx, Subject), Tick>);

/// What a complaint is about, without what differs from call to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// By place among `Unanswered::REASONS`.
    Credentials(usize),
    Refused(u16),
    Unanswered,
    Unreachable,
    WeHearNothing,
    TheyHearNothing,
}

impl Complaints {
    /// Has it not been said within the last minute?
    pub(super) fn is_news(&mut self, now: Tick, trunk: TrunkIx, about: impl Into<Subject>) -> bool {
        let key = (trunk, about.into());
        let news = self.0.get(&key).is_none_or(|said| now.since(*said) >= EVERY);
        if news {
            self.0.insert(key, now);
        }
        news
    }
}

impl From<&Unanswered> for Subject {
    fn from(why: &Unanswered) -> Self {
        Self::Credentials(why.reason())
    }
}

impl From<Trouble> for Subject {
    fn from(what: Trouble) -> Self {
        match what {
            Trouble::Refused(status) => Self::Refused(status),
            Trouble::Unanswered => Self::Unanswered,
            Trouble::Unreachable => Self::Unreachable,
            Trouble::Deaf | Trouble::Elsewhere(_) | Trouble::Unverified => Self::WeHearNothing,
            Trouble::Mute => Self::TheyHearNothing,
        }
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

    #[test]
    fn each_status_is_a_subject_and_a_port_is_none() {
        let mut complaints = Complaints::default();
        let mut news = |what| complaints.is_news(Tick(0), TrunkIx(0), what);
        assert!(news(Trouble::Refused(503)) && news(Trouble::Refused(407)) && !news(Trouble::Refused(503)));
        let from = |port| Trouble::Elsewhere(std::net::SocketAddr::from(([127, 0, 0, 1], port)));
        assert!(news(from(4)) && !news(from(6)));
    }
}
