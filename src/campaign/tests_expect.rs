//! What a test may expect, spelled as in the file.

use std::fmt;

use crate::base::Wall;
use crate::contact::ClosedWhy;

use super::{Daypart, Rule};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The engine dials.
    Allowed,
    /// It does not, and all of these rules say no.
    BlockedBy(Vec<Rule>),
    /// Likewise, and no other rule does.
    BlockedOnlyBy(Vec<Rule>),
    /// It does not, and would at the earliest then.
    DeferredTo(Deferred),
    Segment(String),
    /// After the call: the first moment at which it dials again.
    RetryAt(Wall),
    /// After the call: the position of the phone that is next.
    NextPhone {
        phone: u8,
        column: String,
    },
    /// After the call: never again, and why.
    Closed(ClosedWhy),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferred {
    /// The segment's golden hours lie ahead.
    Golden,
    Daypart(Daypart),
    At(Wall),
}

impl Expect {
    /// The words that an expectation begins with.
    pub const WORDS: [&'static str; 8] =
        ["allowed", "blocked_by", "blocked_only_by", "deferred_to", "segment", "retry_at", "next_phone", "closed"];

    /// Does it speak of what comes after a call?
    pub const fn needs_call(&self) -> bool {
        match self {
            Self::RetryAt(_) | Self::NextPhone { .. } | Self::Closed(_) => true,
            Self::Allowed | Self::BlockedBy(_) | Self::BlockedOnlyBy(_) | Self::DeferredTo(_) | Self::Segment(_) => {
                false
            }
        }
    }

    /// Can it hold only where no call is made?
    pub const fn forbids_call(&self) -> bool {
        match self {
            Self::BlockedBy(_) | Self::BlockedOnlyBy(_) | Self::DeferredTo(_) => true,
            Self::Allowed | Self::Segment(_) | Self::RetryAt(_) | Self::NextPhone { .. } | Self::Closed(_) => false,
        }
    }

    /// The rules it expects to say no.
    pub fn rules(&self) -> &[Rule] {
        match self {
            Self::BlockedBy(rules) | Self::BlockedOnlyBy(rules) => rules,
            Self::Allowed
            | Self::DeferredTo(_)
            | Self::Segment(_)
            | Self::RetryAt(_)
            | Self::NextPhone { .. }
            | Self::Closed(_) => &[],
        }
    }
}

impl Rule {
    /// May a reason of rule `found` be called by this name? Quiet periods stand in the section `contact_caps`.
    pub fn covers(self, found: Self) -> bool {
        self == found || (self == Self::ContactCaps && found == Self::CoolingOff)
    }
}

/// Moments without their zone: who shows them to people knows it.
impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let and = |rules: &[Rule]| rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(" and ");
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::BlockedBy(rules) => write!(f, "blocked_by {}", and(rules)),
            Self::BlockedOnlyBy(rules) => write!(f, "blocked_only_by {}", and(rules)),
            Self::DeferredTo(Deferred::Golden) => f.write_str("deferred_to golden_hours"),
            Self::DeferredTo(Deferred::Daypart(part)) => write!(f, "deferred_to {}", part.as_str()),
            Self::DeferredTo(Deferred::At(at)) => write!(f, "deferred_to {at}"),
            Self::Segment(name) => write!(f, "segment {name}"),
            Self::RetryAt(at) => write!(f, "retry_at {at}"),
            Self::NextPhone { column, .. } => write!(f, "next_phone {column}"),
            Self::Closed(why) => write!(f, "closed {why}"),
        }
    }
}
