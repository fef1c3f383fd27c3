//! The gate's answer.

use crate::base::Wall;
pub use crate::campaign::Rule;

/// `Refuse` carries every reason, in the order of the rules, and the earliest instant at which all of them might be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    Refuse {
        reasons: Vec<Reason>,
        /// `None`: time alone will not help.
        until: Option<Wall>,
    },
}

/// One rule that says no, and until when it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub rule: Rule,
    /// For people: which figure of which owner, without any personal data. `4 of 4 dials in 7 d (policy)`.
    pub detail: String,
    /// `None`: time alone will not help.
    pub until: Option<Wall>,
}

impl Verdict {
    pub fn allows(&self) -> bool {
        matches!(self, Self::Allow)
    }
}
