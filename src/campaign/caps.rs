//! Contact caps: across all campaigns, per person and per phone. Every one of them must hold, so the tighter wins.

use std::time::Duration;

/// A cap cannot count higher: histories keep no more than this.
pub const MOST_COUNTED: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub per: CapPer,
    pub rule: CapRule,
    pub origin: CapOrigin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapPer {
    Customer,
    Phone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapRule {
    /// `within: 7d, max_dials: 4, max_contacts: 1`; `7d` is 7 × 24 h up to now.
    Within { within: Duration, max_dials: Option<u16>, max_contacts: Option<u16> },
    /// `after: declined, quiet_for: 60d`; `None` is `forever`. This is the cooling-off rule of the gate.
    Quiet { after: QuietAfter, quiet_for: Option<Duration> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuietAfter {
    /// A disposition with `outcome: failure`.
    Declined,
    Complaint,
    /// We abandoned them.
    Abandoned,
    /// An answering machine was heard, or taken for one.
    Machine,
    /// Any conversation with the right party.
    Contact,
}

/// Who asked for it; named in the reason when it blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapOrigin {
    Policy,
    Campaign,
}

impl CapPer {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Phone => "phone",
        }
    }
}

impl QuietAfter {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Complaint => "complaint",
            Self::Abandoned => "abandoned",
            Self::Machine => "machine",
            Self::Contact => "contact",
        }
    }
}

impl CapOrigin {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Campaign => "campaign",
        }
    }
}
