//! Calling hours: hard law, by the clock of everyone who may be holding the phone.

use std::time::Duration;

use crate::base::Wall;
use crate::campaign::{Window, ZoneRule};
use crate::contact::ZoneIx;

use super::lawful::{DayLaw, Law, Span, clocks, hold, laws, next_open};
use super::local::Local;
use super::{Facts, Reason, Rule};

/// Shut in any zone, or a ring that closing time would cut off. Holidays are left to their own rule.
pub(super) fn check(facts: &Facts, ring: Duration, reasons: &mut Vec<Reason>) {
    let zones = clocks(facts);
    if zones.is_empty() {
        reasons.push(never("no time zone is known for this number, and the campaign has no fallback_zone"));
        return;
    }
    let fixed = matches!(facts.campaign.calling_hours.zone, ZoneRule::Fixed(_));
    if fixed && !facts.campaign.policy.fixed_zone_allowed {
        reasons.push(never("the policy does not allow one zone for everybody"));
        return;
    }
    if hold(facts, facts.now, ring) {
        return;
    }
    let broken = zones.iter().find_map(|ix| laws(facts).iter().find_map(|law| broken(facts, *ix, law, ring)));
    if let Some(detail) = broken {
        let until = next_open(facts, facts.now, ring);
        reasons.push(Reason { rule: Rule::CallingHours, detail, until });
    }
}

fn broken(facts: &Facts, ix: ZoneIx, law: &Law, ring: Duration) -> Option<String> {
    let zone = facts.zones.get(ix);
    let local = Local::at(zone, facts.now);
    let minute = local.minute_of_day();
    let clock = format!("{:02}:{:02} in {}", minute / 60, minute % 60, facts.zones.name(ix));
    let windows = law.ordinary(local.day());
    // Where the campaign leaves a day of the policy's as it is, the policy decides it.
    let [_, policy] = laws(facts);
    let owner = if windows == policy.ordinary(local.day()) { policy.owner } else { law.owner }.as_str();
    if !windows.iter().any(|window| window.contains(crate::campaign::Minute(minute))) {
        return Some(format!("{clock}, open {} ({owner})", listed(windows)));
    }
    if !matches!(law.day(local.day()), DayLaw::Windows(_)) {
        return None;
    }
    match law.span(zone, facts.now, ring) {
        Span::Open { until: Some(closing) } => Some(format!(
            "{clock}, {} s of ringing would pass closing in {} s ({owner})",
            ring.as_secs(),
            closing.since(facts.now).as_secs(),
        )),
        Span::Open { until: None } | Span::Shut { .. } => None,
    }
}

fn listed(windows: &[Window]) -> String {
    if windows.is_empty() {
        return "not at all that day".to_owned();
    }
    windows.iter().map(Window::to_string).collect::<Vec<_>>().join(", ")
}

fn never(detail: &str) -> Reason {
    Reason { rule: Rule::CallingHours, detail: detail.to_owned(), until: None::<Wall> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;
    use crate::gate::closing_time;
    use crate::gate::fixture::{World, week};

    #[test]
    fn every_candidate_zone_must_be_inside() {
        // 12:00 in New York, 09:00 in Los Angeles, 07:00 in Honolulu.
        let mut world = World::at("2026-12-01T12:00:00-05:00", "America/New_York");
        world.add_zone("America/Los_Angeles");
        assert!(world.ask().allows());
        world.add_zone("Pacific/Honolulu");
        assert_eq!(world.rules(), [Rule::CallingHours]);
        assert_eq!(world.reasons()[0].detail, "07:00 in Pacific/Honolulu, open 08:00-21:00 (policy)");
        world.assert_opens_at("2026-12-01T13:00:00-05:00");
        world.now = world.until().unwrap();
        // The first clock to come to 21:00 ends it for all.
        assert_eq!(closing_time(&world.facts()), Some(Wall::parse("2026-12-01T21:00:00-05:00").unwrap()));
    }

    #[test]
    fn the_campaign_is_named_only_on_days_that_it_narrows() {
        let mut world = World::at("2026-12-05T20:00:00+08:00", "Asia/Shanghai");
        world.hours(&week("09:00-18:00"));
        world.campaign.calling_hours.week.days[4] = week("10:00-12:00").days[4].clone();
        let saturday = world.reasons()[0].detail.clone();
        assert_eq!(saturday, "20:00 in Asia/Shanghai, open 09:00-18:00 (policy)");
        world.now = Wall::parse("2026-12-04T13:00:00+08:00").unwrap();
        assert_eq!(world.reasons()[0].detail, "13:00 in Asia/Shanghai, open 10:00-12:00 (campaign)");
        world.now = Wall::parse("2026-12-05T17:59:50+08:00").unwrap();
        assert!(world.reasons()[0].detail.ends_with("closing in 10 s (policy)"), "{:?}", world.reasons());
    }

    #[test]
    fn without_any_zone_the_fallback_counts_and_without_that_nobody_is_called() {
        let mut world = World::open();
        let shanghai = world.phone_zones[0];
        world.phone_zones.clear();
        assert_eq!((world.rules(), world.until()), (vec![Rule::CallingHours], None));
        assert_eq!(closing_time(&world.facts()), Some(world.now));
        world.campaign.calling_hours.fallback_zone = Some(shanghai);
        assert!(world.ask().allows());
        world.now = Wall::parse("2026-12-01T07:59:59+08:00").unwrap();
        world.assert_opens_at("2026-12-01T08:00:00+08:00");
    }

    #[test]
    fn one_zone_for_everybody_needs_the_policys_leave() {
        let mut world = World::at("2026-12-01T03:00:00-05:00", "America/New_York");
        let shanghai = world.zones.intern("Asia/Shanghai").unwrap();
        world.campaign.calling_hours.zone = ZoneRule::Fixed(shanghai);
        assert!(world.ask().allows());
        world.policy().fixed_zone_allowed = false;
        assert_eq!((world.rules(), world.until()), (vec![Rule::CallingHours], None));
    }

    #[test]
    fn a_ring_must_end_before_the_window_does() {
        let mut world = World::at("2026-12-01T11:59:29+08:00", "Asia/Shanghai");
        world.hours(&week("09:00-12:00 13:30-20:00"));
        assert!(world.ask().allows());
        // Thirty seconds from here end at 12:00:00, when it would still ring.
        world.now = Wall::parse("2026-12-01T11:59:30+08:00").unwrap();
        assert_eq!(world.rules(), [Rule::CallingHours]);
        assert!(world.reasons()[0].detail.contains("30 s of ringing"), "{:?}", world.reasons());
        world.assert_opens_at("2026-12-01T13:30:00+08:00");
    }

    #[test]
    fn a_window_until_midnight_goes_on_into_one_from_midnight() {
        let mut world = World::at("2026-12-01T23:59:50+08:00", "Asia/Shanghai");
        world.hours(&week("00:00-02:00 20:00-24:00"));
        assert!(world.ask().allows());
        assert_eq!(closing_time(&world.facts()), Some(Wall::parse("2026-12-02T02:00:00+08:00").unwrap()));
        world.hours(&week("00:01-02:00 20:00-24:00"));
        assert_eq!(world.rules(), [Rule::CallingHours]);
        world.assert_opens_at("2026-12-02T00:01:00+08:00");
    }

    #[test]
    fn hours_that_never_end_never_cancel_a_call() {
        let mut world = World::open();
        world.hours(&week("00:00-24:00"));
        assert_eq!(closing_time(&world.facts()), None);
    }

    #[test]
    fn hours_that_never_come_leave_no_until() {
        let mut world = World::open();
        world.hours(&week(""));
        assert_eq!((world.rules(), world.until()), (vec![Rule::CallingHours], None));
    }
}
