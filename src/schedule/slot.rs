//! Slots on the clock: which one it is for a lead, and when the next begins.

use crate::base::Wall;
use crate::campaign::Campaign;
use crate::contact::Zones;
use crate::rank::Slot;

use super::clock::Clock;
use super::windows::{Days, local_minute, next_step};

/// By the clock of the lead's first zone; a make-up working day has the slots of a Monday.
pub fn slot_at(campaign: &Campaign, zones: &Zones, clock: Clock, at: Wall) -> Slot {
    let zone = zones.get(clock.first());
    Slot::new(Days::of(campaign).slot_weekday(zone, at), local_minute(zone, at))
}

/// The next slot boundary after `at` on that clock.
pub fn next_slot(zones: &Zones, clock: Clock, at: Wall) -> Wall {
    next_step(zones.get(clock.first()), at, Slot::MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::GoldenMode;
    use crate::schedule::testing::{at, campaign};

    #[test]
    fn the_slot_goes_by_the_first_zone_of_the_lead() {
        let mut zones = Zones::default();
        let pair = [zones.intern("America/New_York").unwrap(), zones.intern("Asia/Kathmandu").unwrap()];
        let campaign = campaign(GoldenMode::Prefer, "09:00-20:00", "18:00-20:00");
        let now = at("2026-12-01T09:40:00-05:00");
        assert_eq!(slot_at(&campaign, &zones, Clock::All(&pair), now).to_string(), "tue-09:30");
        assert_eq!(next_slot(&zones, Clock::All(&pair), now), at("2026-12-01T10:00:00-05:00"));
        assert_eq!(slot_at(&campaign, &zones, Clock::One(pair[1]), now).to_string(), "tue-20:00");
        assert_eq!(next_slot(&zones, Clock::One(pair[1]), now), at("2026-12-01T14:45:00Z"));
    }
}
