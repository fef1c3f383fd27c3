//! What the network and the classifier say of an attempt. Human judgement is a disposition and lives elsewhere.

use std::fmt;

macro_rules! results {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Closed list, spelled the same in YAML, tables, metrics and exports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum CallResult { $($(#[$doc])* $name,)* }

        impl CallResult {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

results! {
    /// Somebody, or something that nobody classified, picked up.
    Answered = "answered",
    /// An answering machine; only where a classifier listened.
    Machine = "machine",
    /// A fax tone.
    Fax = "fax",
    Busy = "busy",
    NoAnswer = "no_answer",
    /// Declined by the callee.
    Rejected = "rejected",
    /// The number does not exist.
    VacantNumber = "vacant_number",
    /// The subscription is suspended.
    Suspended = "suspended",
    PoweredOff = "powered_off",
    /// Out of coverage or temporarily unreachable.
    NotReachable = "not_reachable",
    /// Something between us and the callee failed.
    NetworkFailure = "network_failure",
    /// Our own trunk would not take the call.
    TrunkRefused = "trunk_refused",
    /// Answered by a person, and nobody was there for them in time.
    Abandoned = "abandoned",
    /// We gave up while it rang: closing time, a late do-not-call, shutdown.
    Cancelled = "cancelled",
    /// Authorised, and provably never sent.
    Void = "void",
    /// A crash left it in doubt; it counts as a call.
    UnknownCounted = "unknown_counted",
}

impl CallResult {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|result| result.as_str() == text)
    }

    /// May a retry rule name it? The others are ours to close, not a campaign's to retry.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Machine
            | Self::Fax
            | Self::Busy
            | Self::NoAnswer
            | Self::Rejected
            | Self::VacantNumber
            | Self::Suspended
            | Self::PoweredOff
            | Self::NotReachable
            | Self::NetworkFailure
            | Self::TrunkRefused
            | Self::Abandoned
            | Self::Cancelled => true,
            Self::Answered | Self::Void | Self::UnknownCounted => false,
        }
    }

    /// Does it count against caps and the attempts budget? Everything that may have rung a phone does, doubt included.
    pub const fn counts(self) -> bool {
        match self {
            Self::Void => false,
            Self::Answered
            | Self::Machine
            | Self::Fax
            | Self::Busy
            | Self::NoAnswer
            | Self::Rejected
            | Self::VacantNumber
            | Self::Suspended
            | Self::PoweredOff
            | Self::NotReachable
            | Self::NetworkFailure
            | Self::TrunkRefused
            | Self::Abandoned
            | Self::Cancelled
            | Self::UnknownCounted => true,
        }
    }

    /// Does it say: not at this hour? Busy is somebody there; what fails on our side says nothing about them.
    pub const fn nobody_came(self) -> bool {
        match self {
            Self::NoAnswer | Self::Machine | Self::PoweredOff | Self::NotReachable | Self::Rejected => true,
            Self::Answered
            | Self::Fax
            | Self::Busy
            | Self::VacantNumber
            | Self::Suspended
            | Self::NetworkFailure
            | Self::TrunkRefused
            | Self::Abandoned
            | Self::Cancelled
            | Self::Void
            | Self::UnknownCounted => false,
        }
    }
}

impl fmt::Display for CallResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_reads_back() {
        assert!(CallResult::ALL.iter().all(|r| CallResult::parse(r.as_str()) == Some(*r)));
        assert_eq!(CallResult::parse("unknown"), None);
    }
}
