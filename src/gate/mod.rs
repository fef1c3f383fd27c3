//! May this contact be called now? One file per rule; all reasons are collected.

mod ask;
mod facts;
mod lawful;
mod ledger;
mod local;
mod verdict;

mod attempts;
mod calling_hours;
mod campaign_state;
mod consent;
mod contact_caps;
mod cooling_off;
mod destination;
mod dnc;
mod eligible;
mod holdout;
mod holidays;
mod list_expiry;
mod live_attempt;
mod number;
mod trunk;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hours_of_the_world;

pub use ask::ask;
pub use facts::{Eligibility, Facts, LeadFacts};
pub use lawful::closing_time;
pub use ledger::{DncMark, Ledger, PastDial};
pub use verdict::{Reason, Rule, Verdict};
