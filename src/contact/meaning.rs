//! What a disposition means: for the report, for the lead, and for the model.

/// Was it what the campaign is for?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    Success,
    Neutral,
    Failure,
}

/// Whom did we reach?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    RightParty,
    WrongParty,
    Nobody,
}

/// What happens to the lead afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Then {
    /// Closed: as success, or as refused.
    Final,
    /// Called again at the promised time, or by the attempts budget where none was promised.
    Callback,
    /// This phone is dead; the next one is tried.
    PhoneDead,
    /// The person goes on the do-not-call list, with every number.
    DncCustomer,
    /// This number goes on the do-not-call list.
    DncPhone,
    /// By the retry rules, as if nobody had been reached.
    Retry,
}

/// One disposition, as a campaign declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub outcome: OutcomeKind,
    pub contact: ContactKind,
    /// In order; never empty.
    pub then: Vec<Then>,
    /// Does a complaint count (`after: complaint` caps)?
    pub complaint: bool,
}

impl OutcomeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Neutral => "neutral",
            Self::Failure => "failure",
        }
    }
}

impl ContactKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RightParty => "right_party",
            Self::WrongParty => "wrong_party",
            Self::Nobody => "nobody",
        }
    }
}
