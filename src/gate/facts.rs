//! Everything the rules may look at. If it is not here, no rule depends on it.

use crate::base::{CampaignIx, Destination, PhoneId, Wall};
use crate::campaign::{ArmIx, Campaign};
use crate::contact::{ZoneIx, Zones};

use super::Ledger;

/// Borrowed from whoever asks: the engine at intake and tick, the store inside the authorising transaction, `explain`.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The wall clock, never earlier than the stored high-water mark: a clock that jumps back opens nothing.
    pub now: Wall,
    pub campaign: &'a Campaign,
    pub campaign_ix: CampaignIx,
    /// Paused by an operator, on top of the YAML's `status`.
    pub paused: bool,
    pub lead: LeadFacts,
    pub phone_id: PhoneId,
    /// All candidate zones of the phone about to be dialled; empty if unknown.
    pub phone_zones: &'a [ZoneIx],
    pub zones: &'a Zones,
    pub contact: &'a Ledger,
    pub phone: &'a Ledger,
    /// The daemon's `test_numbers_only`, until a trunk is live.
    pub test_numbers_only: bool,
    /// What the trunk's list says of the number. `None` where nobody has the number: the engine has none, and the
    /// authorising transaction, which has it, asks once more.
    pub destination: Option<Destination>,
    /// The trunk is stopped by an operator.
    pub trunk_stopped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadFacts {
    pub eligible: Eligibility,
    pub segment: u8,
    /// Of the campaign's experiment, if it has one.
    pub arm: Option<ArmIx>,
    pub consent: Option<bool>,
    pub list_expires: Option<Wall>,
    /// Before this list, by the list's own column. Counts against `attempts.max`.
    pub attempts_used: u16,
    /// A number that may be dialled while `test_numbers_only` holds.
    pub phone_is_test: bool,
    /// May this attempt go out although the daily budget is used up (a retry rule's `free`)?
    pub free_of_daily_budget: bool,
}

/// The verdict of `eligible` and `segments`, found once per list row and campaign version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Eligibility {
    Yes,
    /// The condition at this position of `eligible` is false.
    No {
        condition: u8,
    },
    /// The condition at this position needs a value that the row does not have.
    Missing {
        condition: u8,
    },
    /// It could not be computed on this row's values.
    Failed {
        condition: u8,
    },
    NoSegment,
}
