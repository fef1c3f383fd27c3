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
