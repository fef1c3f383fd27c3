//! The campaign is active, nobody paused it, and today is one of its run dates.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::campaign::Status;

use super::local::{Local, date, start_of};
use super::{Facts, Reason, Rule};

static UTC: TimeZone = TimeZone::UTC;

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    let campaign = facts.campaign;
    match campaign.status {
        Status::Active => {}
        Status::Draft | Status::Paused | Status::Archived => {
            refuse(reasons, format!("the campaign is {}", campaign.status.as_str()));
        }
    }
    if facts.paused {
        refuse(reasons, "paused by an operator".to_owned());
    }
    let zone = campaign.calling_hours.fallback_zone.map_or(&UTC, |ix| facts.zones.get(ix));
    let today: Date = date(Local::at(zone, facts.now).day());
    if let Some(from) = campaign.run.from.filter(|from| today < *from) {
        let until = start_of(zone, from).filter(|start| *start > facts.now);
        reasons.push(Reason { rule: Rule::CampaignState, detail: format!("runs from {from}"), until });
    }
    if let Some(last) = campaign.run.until.filter(|last| today > *last) {
        refuse(reasons, format!("ran until {last}"));
    }
}

fn refuse(reasons: &mut Vec<Reason>, detail: String) {
    reasons.push(Reason { rule: Rule::CampaignState, detail, until: None });
}

#[cfg(test)]
mod tests {
    use crate::campaign::{RunDates, Status};
    use crate::gate::Rule;
    use crate::gate::fixture::World;

    fn with_run(now: &str, from: &str, until: &str) -> World {
        let mut world = World::at(now, "Asia/Shanghai");
        world.campaign.calling_hours.fallback_zone = Some(world.phone_zones[0]);
        world.campaign.run = RunDates { from: Some(from.parse().unwrap()), until: Some(until.parse().unwrap()) };
        world
    }

    #[test]
    fn only_an_active_campaign_dials() {
        for status in Status::ALL {
            let mut world = World::open();
            world.campaign.status = *status;
            let refused = world.rules() == [Rule::CampaignState] && world.until().is_none();
            assert_eq!(refused, *status != Status::Active, "{status:?}");
        }
    }

    #[test]
    fn an_operators_pause_holds_until_somebody_ends_it() {
        let mut world = World::open();
        world.paused = true;
        assert_eq!((world.rules(), world.until()), (vec![Rule::CampaignState], None));
    }

    #[test]
    fn run_dates_are_whole_local_days_both_included() {
        for (now, allowed) in [
            ("2026-11-30T20:00:00+08:00", false),
            ("2026-12-01T08:00:00+08:00", true),
            ("2026-12-31T20:00:00+08:00", true),
            ("2027-01-01T08:00:00+08:00", false),
        ] {
            assert_eq!(with_run(now, "2026-12-01", "2026-12-31").ask().allows(), allowed, "{now}");
        }
    }

    #[test]
    fn before_its_first_day_a_campaign_waits_for_it_and_after_the_last_for_nothing() {
        with_run("2026-11-20T12:00:00+08:00", "2026-12-01", "2026-12-31").assert_opens_at("2026-12-01T08:00:00+08:00");
        assert_eq!(with_run("2027-01-01T12:00:00+08:00", "2026-12-01", "2026-12-31").until(), None);
    }
}
