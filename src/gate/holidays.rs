//! Public holidays, by the local date in every zone of the phone.

use std::time::Duration;

use super::lawful::{DayLaw, clocks, laws, next_open};
use super::local::{Local, date};
use super::{Facts, Reason, Rule};

/// A year that nobody has published is refused, not guessed: where rest days move every year, a guess is wrong twice.
pub(super) fn check(facts: &Facts, ring: Duration, reasons: &mut Vec<Reason>) {
    for ix in clocks(facts) {
        let day = Local::at(facts.zones.get(*ix), facts.now).day();
        // The policy first: a campaign that closes on holidays as well adds nothing to it.
        for law in laws(facts).into_iter().rev() {
            let owner = law.owner.as_str();
            let (detail, passes) = match law.day(day) {
                DayLaw::Windows(_) => continue,
                DayLaw::Holiday => (format!("{} is a public holiday ({owner})", date(day)), true),
                DayLaw::Unpublished(year) => (format!("the calendar has not been published for {year}"), false),
                DayLaw::NoCalendar => (format!("holidays are closed ({owner}) and no calendar says which"), false),
            };
            let until = if passes { next_open(facts, facts.now, ring) } else { None };
            reasons.push(Reason { rule: Rule::Holidays, detail, until });
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Wall;
    use crate::campaign::{DayKind, HolidayRule, WeekHours};
    use crate::gate::fixture::{World, week};
    use crate::gate::{Rule, closing_time};

    /// Mondays 10:00-18:00, other weekdays 08:00-21:00, nothing at the weekend.
    fn office() -> WeekHours {
        let mut days = week("08:00-21:00").days;
        days[0] = week("10:00-18:00").days[0].clone();
        days[5].clear();
        days[6].clear();
        WeekHours::new(days)
    }

    fn at(now: &str, days: &[(&str, DayKind)]) -> World {
        let mut world = World::at(now, "Asia/Shanghai");
        world.hours(&office());
        world.holidays(&[2026], days);
        world
    }

    #[test]
    fn a_holiday_is_closed_until_the_next_lawful_hour() {
        let days = [("2026-10-01", DayKind::Holiday), ("2026-10-02", DayKind::Holiday)];
        let world = at("2026-10-01T12:00:00+08:00", &days);
        assert_eq!(world.rules(), [Rule::Holidays]);
        // Thursday and Friday are holidays, the weekend is closed, Mondays begin at ten.
        world.assert_opens_at("2026-10-05T10:00:00+08:00");
    }

    #[test]
    fn a_worked_weekend_day_has_the_hours_of_a_monday() {
        let days = [("2026-10-10", DayKind::Workday)];
        at("2026-10-10T09:59:59+08:00", &days).assert_opens_at("2026-10-10T10:00:00+08:00");
        assert!(at("2026-10-10T17:59:00+08:00", &days).ask().allows());
        assert_eq!(at("2026-10-10T18:00:00+08:00", &days).rules(), [Rule::CallingHours]);
        assert_eq!(at("2026-10-11T12:00:00+08:00", &days).rules(), [Rule::CallingHours]);
        // A weekday that the calendar calls worked keeps its own hours.
        assert!(at("2026-10-13T20:00:00+08:00", &[("2026-10-13", DayKind::Workday)]).ask().allows());
    }

    #[test]
    fn a_year_that_nobody_published_is_refused_and_says_so() {
        let world = at("2027-03-02T12:00:00+08:00", &[]);
        assert_eq!((world.rules(), world.until()), (vec![Rule::Holidays], None));
        assert!(world.reasons()[0].detail.contains("2027"), "{:?}", world.reasons());
    }

    #[test]
    fn the_policy_closes_holidays_that_the_campaign_would_open() {
        let mut world = at("2026-10-01T12:00:00+08:00", &[("2026-10-01", DayKind::Holiday)]);
        world.campaign.calling_hours.holidays = HolidayRule::Open;
        world.policy().holidays = HolidayRule::Open;
        assert!(world.ask().allows());
        world.policy().holidays = HolidayRule::Closed;
        assert_eq!(world.rules(), [Rule::Holidays]);
        world.campaign.calendar = None;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Holidays], None));
    }

    #[test]
    fn the_campaign_is_named_only_where_the_policy_would_leave_a_holiday_open() {
        let mut world = at("2026-10-01T12:00:00+08:00", &[("2026-10-01", DayKind::Holiday)]);
        assert_eq!(world.reasons()[0].detail, "2026-10-01 is a public holiday (policy)");
        world.policy().holidays = HolidayRule::Open;
        assert_eq!(world.reasons()[0].detail, "2026-10-01 is a public holiday (campaign)");
    }

    #[test]
    fn the_date_is_that_of_every_zone() {
        let mut world = at("2026-10-02T09:00:00+08:00", &[("2026-10-01", DayKind::Holiday)]);
        assert!(world.ask().allows());
        // There it is still the evening of the first.
        world.hours(&week("00:00-24:00"));
        world.add_zone("America/New_York");
        assert_eq!(world.rules(), [Rule::Holidays]);
        world.assert_opens_at("2026-10-02T12:00:00+08:00");
    }

    #[test]
    fn no_call_rings_into_a_holiday() {
        let mut world = at("2026-09-30T23:59:50+08:00", &[("2026-10-01", DayKind::Holiday)]);
        world.hours(&week("00:00-24:00"));
        assert_eq!(closing_time(&world.facts()), Some(Wall::parse("2026-10-01T00:00:00+08:00").unwrap()));
        assert_eq!(world.rules(), [Rule::CallingHours]);
        world.assert_opens_at("2026-10-02T00:00:00+08:00");
    }
}
