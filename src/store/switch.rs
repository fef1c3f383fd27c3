//! What operators stop and let go on: everything, one campaign, one trunk. Each turn is kept with who, when and why.

use crate::base::Wall;

/// What a switch is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchOf {
    Everything,
    Campaign(String),
    Trunk(String),
}

/// One turn of a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    pub of: SwitchOf,
    pub paused: bool,
    /// Calls under way are ended too, once.
    pub hang_up: bool,
    pub who: String,
    /// One line, without personal data.
    pub reason: String,
    pub at: Wall,
}

/// A turn that was written, and the change counter as of then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    pub change: u64,
    pub switch: Switch,
}

impl SwitchOf {
    /// As it is stored: what, and the name of it.
    pub(super) fn stored(&self) -> (&'static str, &str) {
        match self {
            Self::Everything => ("all", ""),
            Self::Campaign(name) => ("campaign", name),
            Self::Trunk(name) => ("trunk", name),
        }
    }

    pub(super) fn read(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "all" => Some(Self::Everything),
            "campaign" => Some(Self::Campaign(name.to_owned())),
            "trunk" => Some(Self::Trunk(name.to_owned())),
            _ => None,
        }
    }
}

impl Switch {
    pub const REASON_MAX: usize = 200;

    /// One line that people can read. `None` where it is none.
    pub fn reason(text: &str) -> Option<String> {
        let fits = text.chars().count() <= Self::REASON_MAX && !text.chars().any(char::is_control);
        Some(text.trim().to_owned()).filter(|text| fits && !text.is_empty())
    }
}
