//! The flow answers: people are not the limit, lines are.

use crate::base::Tick;

pub(super) const fn permits() -> u32 {
    u32::MAX
}

pub(super) const fn next_free(now: Tick) -> Tick {
    now
}
