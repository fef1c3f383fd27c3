//! The rules of the gate by name, so that tests in the YAML can name them. Each rule's one file is in `gate`.

use std::fmt;

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
    /// The contact is in an arm of an experiment that is never called.
    Holdout = "holdout",
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
    /// The trunk's `allow` and `deny` do not let calls to this number out.
    Destination = "destination",
    /// The trunk is stopped by an operator.
    Trunk = "trunk",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
