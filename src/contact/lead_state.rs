//! Where a lead stands. Every lead is in exactly one of these states at any moment.

use std::fmt;

use crate::base::Wall;

/// `Waiting` is due from `until` on; the gate decides again when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeadState {
    Waiting { until: Wall },
    Reserved,
    Dialling,
    InCall,
    WrapUp,
    Closed(ClosedWhy),
}

impl LeadState {
    /// As it outlives a process, in tables and in seals: `waiting` and from when on, or why it is closed. A lead that is
    /// being worked on is one that waits, with a live attempt.
    pub const fn stored(self) -> (&'static str, Wall) {
        match self {
            Self::Waiting { until } => ("waiting", until),
            Self::Closed(why) => (why.as_str(), Wall(0)),
            Self::Reserved | Self::Dialling | Self::InCall | Self::WrapUp => ("waiting", Wall(0)),
        }
    }
}

/// Why nobody calls this lead again. A newer list reopens only `Exhausted` and `Expired`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ClosedWhy {
    Success,
    Refused,
    Dnc,
    /// No phone left that can be dialled.
    Invalid,
    Exhausted,
    Expired,
    UnknownCounted,
}

impl ClosedWhy {
    pub const ALL: &'static [Self] =
        &[Self::Success, Self::Refused, Self::Dnc, Self::Invalid, Self::Exhausted, Self::Expired, Self::UnknownCounted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Dnc => "dnc",
            Self::Invalid => "invalid",
            Self::Exhausted => "exhausted",
            Self::Expired => "expired",
            Self::UnknownCounted => "unknown_counted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|why| why.as_str() == text)
    }

    pub const fn reopens_with_a_newer_list(self) -> bool {
        matches!(self, Self::Exhausted | Self::Expired)
    }
}

impl fmt::Display for ClosedWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
