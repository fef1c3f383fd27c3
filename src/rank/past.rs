//! What was tried before, as far as the answer model looks at it.

use super::Reachability;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Past {
    /// Attempts made so far; beyond [`Past::MAX_ATTEMPTS`] they count as that many.
    pub attempts: u8,
    /// Of the last failures, how many were in this local hour; cut at [`Past::MAX_SAME_HOUR`].
    pub same_hour_fails: u8,
    pub reachability: Reachability,
}

impl Past {
    pub const MAX_ATTEMPTS: u8 = 7;
    pub const MAX_SAME_HOUR: u8 = 2;

    /// Within the bounds.
    #[must_use]
    pub fn tidy(self) -> Self {
        Self {
            attempts: self.attempts.min(Self::MAX_ATTEMPTS),
            same_hour_fails: self.same_hour_fails.min(Self::MAX_SAME_HOUR),
            reachability: self.reachability,
        }
    }
}
