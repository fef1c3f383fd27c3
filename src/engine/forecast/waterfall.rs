//! From rows loaded to dialable now: every lead counted once, under the first thing that keeps it.

use std::collections::BTreeMap;

use crate::base::CampaignIx;
use crate::contact::ClosedWhy;
use crate::gate::{Eligibility, Rule};

use super::Forecast;
use super::outlook::{Blocked, Fate, Later, Outlooks};

/// `loaded = closed + blocked + later + now`, at any moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waterfall {
    pub loaded: u64,
    pub closed: BTreeMap<ClosedWhy, u64>,
    pub blocked: BTreeMap<Blocked, u64>,
    /// Of those blocked as not eligible: by which condition.
    pub ineligible: BTreeMap<Eligibility, u64>,
    pub later: BTreeMap<Later, u64>,
    pub now: u64,
}

impl Waterfall {
    pub fn closed_in_all(&self) -> u64 {
        self.closed.values().sum()
    }

    pub fn blocked_in_all(&self) -> u64 {
        self.blocked.values().sum()
    }

    pub fn later_in_all(&self) -> u64 {
        self.later.values().sum()
    }

    /// What `loaded` must be.
    pub fn sum(&self) -> u64 {
        self.closed_in_all() + self.blocked_in_all() + self.later_in_all() + self.now
    }

    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Closed(why) => *self.closed.entry(why).or_default() += 1,
            Fate::Blocked(blocked) => *self.blocked.entry(blocked).or_default() += 1,
            Fate::Later(later) => *self.later.entry(later).or_default() += 1,
            Fate::Now => self.now += 1,
        }
    }
}

impl Forecast {
    /// `None`: no such campaign in the plan.
    pub fn waterfall(&self, campaign: CampaignIx) -> Option<Waterfall> {
        let mut outlooks = Outlooks::of(self, campaign)?;
        let mut waterfall = Waterfall { loaded: self.rows.get(&campaign).copied().unwrap_or(0), ..Default::default() };
        let leads = self.leads_of(campaign);
        // A row without any number makes no lead of the engine's.
        for _ in leads.len() as u64..waterfall.loaded {
            waterfall.count(Fate::Blocked(Blocked::NoPhone));
        }
        for (ix, lead) in leads {
            let fate = outlooks.of_lead(ix).map_or(Fate::Blocked(Blocked::NoPhone), |outlook| outlook.fate);
            waterfall.count(fate);
            if fate == Fate::Blocked(Blocked::Rule(Rule::Eligible))
                && let Some(why) = self.ineligible.get(&lead)
            {
                *waterfall.ineligible.entry(*why).or_default() += 1;
            }
        }
        Some(waterfall)
    }
}
