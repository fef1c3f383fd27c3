//! May anybody be called now, and if not, when next?

use crate::base::Wall;
use crate::campaign::Campaign;
use crate::contact::{ZoneIx, Zones};
use crate::schedule::{Clock, Wish, place};

use super::stage::Stage;

/// `None` while some campaign's hours hold in its fallback zone: the demo's lists live there.
pub(super) fn next_opening(stage: &Stage, now: Wall) -> anyhow::Result<Option<Wall>> {
    let openings = stage.plan.campaigns.iter().filter_map(|campaign| opening(campaign, &stage.plan.zones, now));
    let first = openings.min().ok_or_else(|| anyhow::anyhow!("no campaign has calling hours within two months"))?;
    Ok((first > now).then_some(first))
}

fn opening(campaign: &Campaign, zones: &Zones, now: Wall) -> Option<Wall> {
    let zone: ZoneIx = campaign.calling_hours.fallback_zone?;
    let clock = Clock::of(&campaign.calling_hours, std::slice::from_ref(&zone))?;
    let wish = Wish { not_before: now, ..Wish::default() };
    place(campaign, zones, clock, 0, &wish).map(|placed| placed.due)
}

/// On the bank's clock.
pub(super) fn shown(at: Wall) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or(jiff::tz::TimeZone::UTC);
    at.timestamp().to_zoned(zone).strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}
