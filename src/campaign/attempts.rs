//! How often and when again. `attempts` is one budget per contact; `retry` are rules per call result; they never stack.

use std::time::Duration;

/// One budget, shared by every retry rule. The policy's own ceiling is already in it: of two limits the lower wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    pub max: u16,
    /// The contact's local calendar day.
    pub max_per_day: u16,
    pub min_gap: Duration,
    pub spread: Option<Spread>,
    /// Close the lead once the right party was reached, whatever they said.
    pub stop_after_contact: bool,
}

/// At most so many attempts in one daypart over the lead's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    pub at_most_each: u16,
}

/// Parts of a local day. A retry rule may ask for another one, or for a certain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Daypart {
    /// Until 12:00.
    Morning,
    /// 12:00–14:00.
    Noon,
    /// 14:00–17:30.
    Afternoon,
    /// From 17:30.
    Evening,
}

/// `busy: { after: 15m, max: 2, free: 1 }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRule {
    /// Quiet period after this result.
    pub after: Duration,
    /// How often this result may lead to another attempt.
    pub max: u16,
    /// How many of those do not use the daily budget.
    pub free: u16,
    pub other_daypart: bool,
    pub prefer: Option<Daypart>,
    pub next_phone: bool,
    /// `phone: dead`: this number is never dialled again.
    pub phone_dead: bool,
}

impl Daypart {
    pub const ALL: [Self; 4] = [Self::Morning, Self::Noon, Self::Afternoon, Self::Evening];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Noon => "noon",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }

    /// Of a minute of the local day.
    pub const fn of(minute: u16) -> Self {
        match minute {
            0..720 => Self::Morning,
            720..840 => Self::Noon,
            840..1_050 => Self::Afternoon,
            _ => Self::Evening,
        }
    }
}
