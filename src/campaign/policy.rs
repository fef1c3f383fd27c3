//! A policy pack: compulsory rules that compliance owns. A campaign may only tighten them.

use std::time::Duration;

use super::{Cap, CapOrigin, ConsentRule, HolidayRule, Purpose, WeekHours};

/// Read from `policies/NAME.yaml`; `cn-bank-marketing@3` must equal its `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: String,
    pub version: u32,
    pub title: String,
    pub purposes: Vec<Purpose>,
    /// Where each figure comes from: shown by `explain` and in the docs.
    pub sources: Vec<String>,
    pub hours: WeekHours,
    pub holidays: HolidayRule,
    /// May a campaign use one zone for everybody?
    pub fixed_zone_allowed: bool,
    pub consent: ConsentRule,
    /// All with [`CapOrigin::Policy`].
    pub caps: Vec<Cap>,
    /// Ceilings of `attempts`; a campaign without the key gets these.
    pub attempts_max: u16,
    pub attempts_max_per_day: u16,
    /// A phone rings at least this long before we give up; zero where the policy has no such rule.
    pub min_ring: Duration,
    /// Where two campaigns want the same person and only one may call, the higher one goes first, whatever the call is worth.
    pub precedence: u8,
    /// SHA-256 of the file, hex: goes into every outcome.
    pub hash: String,
}

impl Policy {
    /// `cn-bank-marketing@3`
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Every cap of a pack is its own; a bug that mixes them up would blame the wrong owner.
    pub fn owns_its_caps(&self) -> bool {
        self.caps.iter().all(|cap| cap.origin == CapOrigin::Policy)
    }
}
