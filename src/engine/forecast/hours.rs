//! The day ahead, hour by hour: how many leads become due, may be dialled, and stand in golden slots.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{CampaignIx, Wall};
use crate::contact::ZoneIx;
use crate::engine::run::Run;
use crate::schedule::windows::local_us;

use super::Forecast;
use super::outlook::{Outlook, Outlooks};

static UTC: TimeZone = TimeZone::UTC;
const HOUR: Duration = Duration::from_hours(1);
const HOUR_US: i64 = 3_600_000_000;

/// Twenty-four hours from the full hour at or before the moment, nobody dialled meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Whose clock `hours` are read on: `fallback_zone`, UTC without one.
    pub zone: String,
    pub hours: Vec<Hour>,
    /// By what the contact's own clock shows: 0 to 23.
    pub local: Vec<Hour>,
}

/// Leads, each counted once in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// When it begins. Of `local` hours: at the hour's own minute zero in UTC of the first day, for their order only.
    pub from: Wall,
    /// May be dialled in this hour and could not before.
    pub due: u64,
    pub dialable: u64,
    /// Of them, in a golden slot.
    pub golden: u64,
}

/// Which instants count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hours {
    from: Wall,
    pub(super) end: Wall,
    zone: Option<ZoneIx>,
}

impl Hours {
    const COUNT: u32 = 24;

    pub(super) fn from(forecast: &Forecast, run: &Run) -> Self {
        let zone = run.campaign.calling_hours.fallback_zone;
        let now = forecast.now.wall;
        let clock = zone.map_or(&UTC, |ix| forecast.engine.zones.get(ix));
        let from = Wall(now.0 - local_us(clock, now).rem_euclid(HOUR_US));
        Self { from, end: from + HOUR * Self::COUNT, zone }
    }

    /// `None` outside the day.
    pub(super) fn nth(&self, at: Wall) -> Option<u32> {
        let inside = self.from <= at && at < self.end;
        inside.then(|| (at.since(self.from).as_secs() / 3_600) as u32)
    }
}

impl Forecast {
    /// `None`: no such campaign in the plan.
    pub fn day(&self, campaign: CampaignIx) -> Option<Day> {
        let mut outlooks = Outlooks::of(self, campaign)?;
        let hours = *outlooks.hours();
        let mut day = Day {
            zone: hours.zone.map_or("UTC", |ix| self.engine.zones.name(ix)).to_owned(),
            hours: (0..Hours::COUNT).map(|nth| Hour { from: hours.from + HOUR * nth, ..Hour::default() }).collect(),
            local: (0..Hours::COUNT).map(|nth| Hour { from: Wall(0) + HOUR * nth, ..Hour::default() }).collect(),
        };
        for (lead, _) in self.leads_of(campaign) {
            if let Some(outlook) = outlooks.of_lead(lead) {
                day.count(&hours, &outlook);
            }
        }
        Some(day)
    }
}

impl Day {
    fn count(&mut self, hours: &Hours, outlook: &Outlook) {
        let first = outlook.first.and_then(|first| hours.nth(first));
        let local_first = first.and(outlook.local_first.map(u32::from));
        add(&mut self.hours, outlook.dialable, outlook.golden, first);
        add(&mut self.local, outlook.local_dialable, outlook.local_golden, local_first);
    }
}

fn add(hours: &mut [Hour], dialable: u32, golden: u32, first: Option<u32>) {
    for (nth, hour) in (0..).zip(hours) {
        hour.due += u64::from(first == Some(nth));
        hour.dialable += u64::from(dialable >> nth & 1);
        hour.golden += u64::from(golden >> nth & 1);
    }
}

pub(super) fn local_hour(zone: &TimeZone, at: Wall) -> u8 {
    (local_us(zone, at).div_euclid(HOUR_US).rem_euclid(24)) as u8
}
