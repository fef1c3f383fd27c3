//! What a rehearsal is about: a campaign, its leads, the people who work, and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::base::{Reach, Wall};
use crate::campaign::{Campaign, PacingMode};
use crate::contact::{ContactKind, OutcomeKind, Zones};
use crate::engine::{EngineConfig, QueueSpec, TrunkSpec};

use super::answers::Answers;
use super::leads::Leads;
use super::roster::Roster;

/// Shared by all runs of a rehearsal, which differ by their seeds alone.
#[derive(Debug)]
pub struct Setting {
    pub campaign: Arc<Campaign>,
    pub zones: Zones,
    pub leads: Leads,
    pub capacity: Capacity,
    /// How often people answer, by segment and slot.
    pub answers: Answers,
    /// A midnight on the campaign's clock, or the moment at which a database was looked at.
    pub start: Wall,
    pub days: u32,
}

/// Who takes the calls, or how many go out at once where a flow takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// So many all the time: agents of the campaign's queue, or lines of an agentless campaign.
    Fixed(u32),
    /// Agents as a roster has them.
    Roster(Roster),
}

impl Setting {
    /// Where neither the campaign nor anybody says when it begins: a Tuesday. Nothing here looks at the day's date, so that
    /// a rehearsal can be repeated.
    pub const DAY: Date = date(2026, 12, 1);
    /// More than any trunk that is sold: without a limit of its own the campaign is held back by people alone.
    const TRUNK_CALLS: u32 = 100_000;
    const TRUNK_CPS: u32 = 1_000;
    const TRUNK: &'static str = "simulated";
    /// It is never shown to anybody.
    const CALLER_ID: &'static str = "+999100000001";

    /// Whose midnight begins a day.
    pub fn zone(campaign: &Campaign, zones: &Zones) -> TimeZone {
        campaign.calling_hours.fallback_zone.map_or(TimeZone::UTC, |zone| zones.get(zone).clone())
    }

    /// The campaign's first day, or [`Setting::DAY`].
    pub fn first_day(campaign: &Campaign) -> Date {
        campaign.run.from.unwrap_or(Self::DAY)
    }

    /// Of a local day; where the clock skips midnight, the first instant after it.
    pub fn midnight(zone: &TimeZone, day: Date) -> Wall {
        zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().map(Wall::from).unwrap_or_default()
    }

    /// What an agent notes after a talk that ended so.
    pub(super) fn said(&self, outcome: OutcomeKind) -> Option<Arc<str>> {
        const USUAL: [&str; 3] = ["accepted", "declined", "thinking"];
        let all = &self.campaign.dispositions;
        let fits = |name: &str| {
            let meaning = all.get(name)?;
            (meaning.outcome == outcome && meaning.contact == ContactKind::RightParty).then(|| Arc::from(name))
        };
        let wanted = self.campaign.goals.iter().filter_map(|goal| goal.disposition());
        wanted.chain(USUAL).chain(all.keys().map(String::as_str)).find_map(fits)
    }

    pub(super) fn has_agents(&self) -> bool {
        self.campaign.pacing.mode == PacingMode::Progressive
    }

    /// Agents, or lines, before the first roster change.
    pub(super) fn people(&self) -> u32 {
        match &self.capacity {
            Capacity::Fixed(people) => *people,
            Capacity::Roster(_) => 0,
        }
    }

    /// Dials at once and in a second that the line takes.
    pub(super) fn line(&self) -> (u32, u32) {
        let calls = if self.has_agents() { Self::TRUNK_CALLS } else { self.people() };
        (calls.min(self.campaign.trunk.max_calls.unwrap_or(u32::MAX)), Self::TRUNK_CPS)
    }

    pub(super) fn engine_config(&self, seed: u64) -> EngineConfig {
        let campaign = &self.campaign;
        let ids: Arc<[Arc<str>]> = [Arc::from(Self::CALLER_ID)].into();
        let (max_calls, max_cps) = self.line();
        let trunk = TrunkSpec {
            name: campaign.trunk.group.clone().unwrap_or_else(|| Self::TRUNK.to_owned()),
            // Whatever stands in the list may be called here: nobody hears of it.
            live: true,
            reach: Arc::new(Reach::listed(&["+".to_owned()], &[])),
            max_calls,
            max_cps,
            pools: campaign.caller_id_pool.iter().map(|pool| (pool.clone(), Arc::clone(&ids))).collect(),
            caller_ids: ids,
            shown_max: BTreeMap::new(),
            spend: None,
        };
        let queue = |name: &str| QueueSpec {
            name: name.to_owned(),
            uri: format!("sip:{name}@{}", Self::TRUNK),
            seats: self.people(),
        };
        EngineConfig {
            seed,
            trunks: vec![trunk],
            groups: Vec::new(),
            queues: campaign.queues().into_iter().map(queue).collect(),
            test_numbers_only: false,
            zone: Self::zone(campaign, &self.zones),
            wall_rate: 1.0,
            permit: EngineConfig::PERMIT,
        }
    }
}
