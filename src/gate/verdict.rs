//! The gate's answer.

use std::fmt;

use crate::base::Wall;

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

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// In the order in which they are asked. The names are those of metrics, `explain` and campaign tests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Rule { $($(#[$doc])* $name,)* }

        impl Rule {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|rule| rule.as_str() == text)
            }
        }
    };
}

rules! {
    /// The campaign is not active, is paused, or is outside its run dates.
    CampaignState = "campaign_state",
    ListExpiry = "list_expiry",
    Eligible = "eligible",
    Consent = "consent",
    Dnc = "dnc",
    CallingHours = "calling_hours",
    Holidays = "holidays",
    ContactCaps = "contact_caps",
    CoolingOff = "cooling_off",
    Attempts = "attempts",
    /// One live attempt per person and per phone.
    LiveAttempt = "live_attempt",
    /// The number is dead, or not a test number while only those are allowed.
    Number = "number",
}

impl Verdict {
    pub fn allows(&self) -> bool {
        matches!(self, Self::Allow)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
