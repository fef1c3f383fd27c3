//! Golden hours on the clock: is it golden now, and when next.

use crate::base::Wall;
use crate::campaign::{Campaign, WeekHours};
use crate::contact::Zones;
use crate::rank::Slot;

use super::clock::Clock;
use super::slot::slot_at;
use super::windows::{Days, next, open_at};

/// How far ahead a golden instant is looked for: a fortnight holds every weekday twice, holidays between them.
pub const HORIZON_DAYS: i64 = 14;

/// The golden hours of a segment that lie inside the calling hours; empty where the segment has no line and `all` neither.
pub fn golden_week(campaign: &Campaign, segment: u8) -> WeekHours {
    campaign
        .segment(segment)
        .and_then(|segment| campaign.golden_hours.of(&segment.name))
        .map(|golden| golden.intersect(&campaign.calling_hours.week))
        .unwrap_or_default()
}

/// To the minute, by the clock of the lead's first zone. This is what `mode: only` obeys.
pub fn is_golden(campaign: &Campaign, zones: &Zones, clock: Clock, segment: u8, at: Wall) -> bool {
    open_at(&golden_week(campaign, segment), Days::of(campaign), zones.get(clock.first()), at)
}

/// Golden as a whole slot: at least half of its minutes are. This is what `mode: prefer` orders by, so that the order of
/// leads holds still within a slot.
pub fn is_golden_slot(campaign: &Campaign, segment: u8, slot: Slot) -> bool {
    let golden = campaign.segment(segment).and_then(|segment| campaign.golden_hours.of(&segment.name));
    golden.is_some_and(|hours| crate::rank::golden_share(hours, slot) >= 0.5)
}

/// The first golden instant from `from` on that lies inside calling hours in the lead's first zone.
pub fn next_golden(campaign: &Campaign, zones: &Zones, clock: Clock, segment: u8, from: Wall) -> Option<Wall> {
    let limit = Wall(from.0.saturating_add(HORIZON_DAYS * 86_400_000_000));
    next(&golden_week(campaign, segment), Days::of(campaign), zones.get(clock.first()), from, limit, true)
}

/// When the golden stretch that holds at `from` ends.
pub fn golden_end(campaign: &Campaign, zones: &Zones, clock: Clock, segment: u8, from: Wall) -> Option<Wall> {
    let limit = Wall(from.0.saturating_add(HORIZON_DAYS * 86_400_000_000));
    next(&golden_week(campaign, segment), Days::of(campaign), zones.get(clock.first()), from, limit, false)
}

/// The slot of this moment, and whether it is a golden one for the segment.
pub fn golden_now(campaign: &Campaign, zones: &Zones, clock: Clock, segment: u8, at: Wall) -> (Slot, bool) {
    let slot = slot_at(campaign, zones, clock, at);
    (slot, is_golden_slot(campaign, segment, slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::GoldenMode;
    use crate::contact::ZoneIx;
    use crate::schedule::testing::{at, campaign, shanghai, week};

    fn in_shanghai(calling: &str, golden: &str) -> (Campaign, Zones, ZoneIx) {
        let (zones, zone) = shanghai();
        (campaign(GoldenMode::Prefer, calling, golden), zones, zone)
    }

    #[test]
    fn golden_is_to_the_minute_and_only_inside_calling_hours() {
        let (campaign, zones, zone) = in_shanghai("09:00-19:00", "18:10-20:00");
        let golden = |text| is_golden(&campaign, &zones, Clock::One(zone), 0, at(text));
        assert!(!golden("2026-12-01T18:09:59+08:00") && golden("2026-12-01T18:10:00+08:00"));
        assert!(golden("2026-12-01T18:59:59+08:00") && !golden("2026-12-01T19:00:00+08:00"));
    }

    #[test]
    fn a_slot_is_golden_by_half_of_its_minutes() {
        let (campaign, ..) = in_shanghai("09:00-20:00", "18:10-19:10");
        let golden = |minute| is_golden_slot(&campaign, 0, Slot::new(1, minute));
        assert_eq!([1_050, 1_080, 1_110, 1_140].map(golden), [false, true, true, false]);
    }

    #[test]
    fn the_next_golden_instant_follows_the_callees_clock_over_a_change() {
        let mut zones = Zones::default();
        let zone = zones.intern("America/New_York").unwrap();
        let campaign = campaign(GoldenMode::Only, "09:00-20:00", "18:00-20:00");
        let next = |text| next_golden(&campaign, &zones, Clock::One(zone), 0, at(text));
        assert_eq!(next("2026-03-07T20:00:00-05:00"), Some(at("2026-03-08T18:00:00-04:00")));
        assert_eq!(next("2026-10-31T20:00:00-04:00"), Some(at("2026-11-01T18:00:00-05:00")));
        assert_eq!(next("2026-11-01T18:30:00-05:00"), Some(at("2026-11-01T18:30:00-05:00")));
    }

    #[test]
    fn a_segment_of_its_own_hours_does_not_take_those_of_all_and_one_without_any_is_never_golden() {
        let (mut campaign, zones, zone) = in_shanghai("09:00-20:00", "18:00-20:00");
        campaign.golden_hours.seed.insert("a".into(), week("10:00-11:00"));
        let now = at("2026-12-01T09:00:00+08:00");
        let next = |campaign: &Campaign, segment| next_golden(campaign, &zones, Clock::One(zone), segment, now);
        assert_eq!(next(&campaign, 0), Some(at("2026-12-01T10:00:00+08:00")));
        campaign.golden_hours.seed.clear();
        assert_eq!(next(&campaign, 0), None);
        assert_eq!(next(&campaign, 9), None);
    }
}
