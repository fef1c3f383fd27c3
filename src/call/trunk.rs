//! How a trunk stands, in the words that the line says and the engine hears.

/// Whether a trunk takes calls now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrunkState {
    Up,
    /// Nothing is dialled on it until it is up again.
    Down(TrunkDown),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrunkDown {
    /// Its connection is down, or its name has no address.
    Disconnected,
    /// It must be registered and is not.
    Unregistered,
    /// It does not answer OPTIONS.
    Silent,
    /// It asked for a pause: 503 with Retry-After (RFC 3261 §21.5.4).
    Overloaded,
    /// Too many calls in a row came to nothing on it: tried again by OPTIONS first.
    Failing,
}

impl TrunkDown {
    pub const ALL: [Self; 5] = [Self::Disconnected, Self::Unregistered, Self::Silent, Self::Overloaded, Self::Failing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Unregistered => "unregistered",
            Self::Silent => "silent",
            Self::Overloaded => "overloaded",
            Self::Failing => "failing",
        }
    }
}
