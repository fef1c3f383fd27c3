//! Calling hours against an independent reading of every zone that there is, densest where clocks jump.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::base::{Rng, Wall};
use crate::campaign::{CapOrigin, WeekHours};
use crate::contact::ZoneIx;

use super::fixture::{World, wall, week};
use super::{Facts, Rule, ask, closing_time};

const RING: Duration = Duration::from_secs(45);
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// The collection hours of the policy, and windows that lie where clocks are moved.
fn weeks() -> [WeekHours; 3] {
    [week("08:00-21:00"), week("00:00-00:30 01:15-02:30 03:00-24:00"), week("00:30-01:45 02:15-03:30 23:00-24:00")]
}

fn every_zone() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// Where the clocks of a zone jump in 2026 and 2027.
fn jumps(zone: &TimeZone) -> Vec<Wall> {
    let (from, to) = ("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(), wall("2028-01-01T00:00:00Z"));
    zone.following(from).map(|jump| Wall::from(jump.timestamp())).take_while(|at| *at < to).collect()
}

/// By jiff's own calendar, second by second where a minute turns: is every moment of the ring inside?
fn lawful(week: &WeekHours, zone: &TimeZone, at: Wall, ring: Duration) -> bool {
    let end = at + ring;
    let mut moment = at;
    loop {
        let local = zone.to_datetime(moment.timestamp());
        let minute = u16::try_from(local.hour()).unwrap() * 60 + u16::try_from(local.minute()).unwrap();
        let weekday = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap();
        if !week.day(weekday).iter().any(|window| window.from.0 <= minute && minute < window.to.0) {
            return false;
        }
        if moment == end {
            return true;
        }
        moment = Wall((moment.0.div_euclid(MINUTE) + 1) * MINUTE).min(end);
    }
}

fn hours_allow(world: &World, at: Wall) -> bool {
    ask(&Facts { now: at, ..world.facts() }, RING).allows()
}

#[test]
fn around_every_clock_change_of_every_zone_a_call_goes_out_exactly_in_lawful_hours() {
    let names = every_zone();
    assert!(names.len() > 400, "{}", names.len());
    let mut world = World::open();
    let (mut asked, mut allowed) = (0, 0);
    for (i, name) in names.iter().enumerate() {
        let ix = world.zones.intern(name).unwrap();
        world.phone_zones = vec![ix];
        let zone = world.zones.get(ix).clone();
        for jump in jumps(&zone) {
            // Steps of seven minutes, shifted by some seconds per zone, so that rings straddle every kind of edge.
            let shift = (i as i64 * 7) % 60 * 1_000_000;
            for (n, week) in weeks().iter().enumerate() {
                world.hours(week);
                for step in (n as i64..446).step_by(2) {
                    let at = Wall(jump.0 - 26 * HOUR + step * 7 * MINUTE + shift);
                    let expected = lawful(week, &zone, at, RING);
                    assert_eq!(hours_allow(&world, at), expected, "{name} {at} week {n}");
                    asked += 1;
                    allowed += i32::from(expected);
                }
            }
        }
    }
    assert!(asked > 300_000 && allowed > 50_000, "{asked} {allowed}");
}

#[test]
fn at_random_instants_of_thirty_years_in_every_zone_hours_are_kept() {
    let mut rng = Rng::seeded(20);
    let mut world = World::open();
    for name in every_zone() {
        let ix = world.zones.intern(&name).unwrap();
        world.phone_zones = vec![ix];
        let zone = world.zones.get(ix).clone();
        for week in weeks() {
            world.hours(&week);
            for _ in 0..60 {
                let at = wall("2020-01-01T00:00:00Z") + Duration::from_secs(u64::from(rng.below(30 * 365 * 86_400)));
                assert_eq!(hours_allow(&world, at), lawful(&week, &zone, at, RING), "{name} {at}");
            }
        }
    }
}

#[test]
fn a_refusal_by_hours_names_the_first_lawful_instant() {
    let mut rng = Rng::seeded(7);
    let mut world = World::open();
    let names = every_zone();
    let mut moving: Vec<(ZoneIx, Wall)> = Vec::new();
    for name in &names {
        let ix = world.zones.intern(name).unwrap();
        moving.extend(jumps(&world.zones.get(ix).clone()).iter().map(|jump| (ix, *jump)));
    }
    for round in 0..6_000_usize {
        let (ix, jump) = moving[round % moving.len()];
        world.phone_zones = vec![ix];
        // Every third phone may be in a second zone as well.
        if round % 3 == 0 {
            world.phone_zones.push(moving[rng.below(moving.len() as u32) as usize].0);
        }
        world.hours(&weeks()[round % 2]);
        world.now = Wall(jump.0 - 26 * HOUR + i64::from(rng.below(52 * 3_600)) * 1_000_000);
        if hours_allow(&world, world.now) {
            continue;
        }
        assert!(world.rules().iter().all(|rule| *rule == Rule::CallingHours));
        let Some(until) = ask_until(&world) else {
            // Two zones half a world apart may share no lawful hour; one alone always opens.
            assert_eq!(world.phone_zones.len(), 2);
            continue;
        };
        assert!(until > world.now);
        assert!(hours_allow(&world, until), "{:?} {} until {until}", world.zones.name(ix), world.now);
        assert!(!hours_allow(&world, Wall(until.0 - 1)), "{:?} {}", world.zones.name(ix), world.now);
        for _ in 0..20 {
            let ahead = (rng.f64() * (until.0 - world.now.0) as f64) as i64;
            let between = Wall((world.now.0 + ahead).min(until.0 - 1));
            assert!(!hours_allow(&world, between), "{:?} {between} before {until}", world.zones.name(ix));
        }
    }
}

fn ask_until(world: &World) -> Option<Wall> {
    match ask(&world.facts(), RING) {
        super::Verdict::Allow => None,
        super::Verdict::Refuse { until, .. } => until,
    }
}

#[test]
fn what_rings_may_ring_until_closing_time_and_not_a_moment_longer() {
    let mut rng = Rng::seeded(11);
    let mut world = World::open();
    let mut seen = 0;
    for name in every_zone() {
        let ix = world.zones.intern(&name).unwrap();
        world.phone_zones = vec![ix];
        let zone = world.zones.get(ix).clone();
        for jump in jumps(&zone) {
            let week = &weeks()[rng.below(3) as usize];
            world.hours(week);
            world.now = Wall(jump.0 - 14 * HOUR + i64::from(rng.below(16 * 3_600)) * 1_000_000);
            let closing = closing_time(&world.facts()).unwrap();
            if !lawful(week, &zone, world.now, Duration::ZERO) {
                assert_eq!(closing, world.now);
                continue;
            }
            seen += 1;
            assert!(!lawful(week, &zone, closing, Duration::ZERO), "{name} {} closes {closing}", world.now);
            let rest = Wall(closing.0 - 1).since(world.now);
            assert!(lawful(week, &zone, world.now, rest), "{name} {} closes before {closing}", world.now);
        }
    }
    assert!(seen > 300, "{seen}");
}

/// Collections, 08:00 to 21:00, on the night in which New York puts its clocks forward.
#[test]
fn a_collection_policy_keeps_eight_to_nine_in_four_zones() {
    let zones = ["Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Australia/Adelaide"];
    let days = ["2027-03-13", "2027-03-14"];
    for zone in zones {
        for day in days {
            let mut world = World::at("2027-03-13T12:00:00Z", zone);
            for (clock, allowed) in
                [("07:59:59", false), ("08:00:00", true), ("20:59:00", true), ("20:59:30", false), ("21:01:00", false)]
            {
                let local = format!("{day}T{clock}").parse::<jiff::civil::DateTime>().unwrap();
                let at = world.zones.get(world.phone_zones[0]).to_timestamp(local).unwrap();
                world.now = Wall::from(at);
                assert_eq!(world.ask().allows(), allowed, "{zone} {day} {clock}");
                if allowed {
                    let closes = format!("{day}T21:00:00").parse::<jiff::civil::DateTime>().unwrap();
                    let closes = world.zones.get(world.phone_zones[0]).to_timestamp(closes).unwrap();
                    assert_eq!(closing_time(&world.facts()), Some(Wall::from(closes)));
                }
            }
        }
    }
}

/// From 21:01 on Saturday it is ten hours to 08:00 on Sunday, not eleven.
#[test]
fn the_morning_after_a_clock_change_opens_at_the_new_eight() {
    World::at("2027-03-13T21:01:00-05:00", "America/New_York").assert_opens_at("2027-03-14T08:00:00-04:00");
    World::at("2027-11-06T21:01:00-04:00", "America/New_York").assert_opens_at("2027-11-07T08:00:00-05:00");
}

#[test]
fn both_owners_are_asked_even_if_the_campaign_lost_the_policys_hours() {
    let mut world = World::at("2026-12-01T20:30:00+08:00", "Asia/Shanghai");
    assert!(world.ask().allows());
    world.policy().hours = week("09:00-20:00");
    assert_eq!(world.rules(), [Rule::CallingHours]);
    assert!(world.reasons()[0].detail.contains(CapOrigin::Policy.as_str()), "{:?}", world.reasons());
    world.assert_opens_at("2026-12-02T09:00:00+08:00");
}
