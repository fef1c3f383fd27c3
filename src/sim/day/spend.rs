//! What a trunk may cost in a day.

use std::time::Duration;

use super::Callee::{Gives, Presses, Rings};
use super::{Day, config, row};
use crate::base::{Money, Tariff, TrunkIx};
use crate::contact::CallResult;
use crate::engine::{EngineConfig, GroupSpec, Member, OperatorCommand, Spend};

const MORNING: &str = "2026-12-01T10:00:00+08:00";

/// Good for so many calls of one step, in Shanghai.
fn good_for(calls: u32) -> EngineConfig {
    let tariff = Tariff { per_minute: Money::from_millionths(600_000), per_call: Money::ZERO, billed_by_s: 60 };
    let mut config = config();
    config.zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    config.trunks[0].spend = Some(Spend { max_per_day: tariff.least().times(calls), tariff });
    config
}

fn people(config: EngineConfig, callees: &[super::Callee]) -> Day {
    let rows: Vec<_> = (1..=callees.len() as u32).map(|n| row(n, &[n])).collect();
    let mut day = Day::over(config, "", &rows, MORNING);
    day.callees(callees);
    day
}

#[test]
fn a_trunk_that_has_cost_what_it_may_dials_nobody_until_the_next_day() {
    let mut day = people(good_for(2), &[Presses('1'); 4]);
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 2, "{:?}", day.dialled());
    day.until("2026-12-02T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 4, "{:?}", day.dialled());
    assert!(day.dialled()[2].0.starts_with("02 09:00"), "{:?}", day.dialled());
}

#[test]
fn what_rings_may_be_answered_and_what_was_not_costs_nothing() {
    let mut day = people(good_for(2), &[Gives(CallResult::Busy), Gives(CallResult::Busy), Presses('1'), Presses('1')]);
    day.pass(Duration::from_millis(1_900));
    assert_eq!(day.dialled().len(), 2, "two ring, and both could be answered");
    day.pass(Duration::from_secs(1));
    assert_eq!(day.dialled().len(), 4, "both were busy");
}

#[test]
fn steps_that_a_call_under_way_has_begun_are_spent() {
    let mut config = good_for(2);
    config.trunks[0].max_cps = 1;
    if let Some(spend) = &mut config.trunks[0].spend {
        spend.tariff = Tariff { billed_by_s: 1, per_minute: Money::from_millionths(36_000_000), ..spend.tariff };
    }
    let mut day = people(config, &[Presses('1'), Presses('1')]);
    day.pass(Duration::from_millis(500));
    day.command(OperatorCommand::StopTrunk(TrunkIx(0)));
    // Answered after three seconds, it has talked for more than one, and is not over yet.
    day.pass(Duration::from_millis(3_518));
    assert_eq!((day.dialled().len(), day.results().len()), (1, 0));
    day.command(OperatorCommand::ResumeTrunk(TrunkIx(0)));
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!((day.dialled().len(), day.results().len()), (1, 1), "two steps are all that the day has");
}

#[test]
fn the_other_trunks_of_the_group_take_the_calls_of_one_that_is_used_up() {
    let mut config = good_for(1);
    let mut other = config.trunks[0].clone();
    (other.name, other.spend) = ("other".into(), None);
    config.trunks.push(other);
    let member = |trunk| Member { trunk: TrunkIx(trunk), priority: trunk + 1, weight: 1 };
    config.groups.push(GroupSpec { name: "both".into(), members: vec![member(0), member(1)] });
    let rows: Vec<_> = (1..=3).map(|n| row(n, &[n])).collect();
    let mut day = Day::over(config, "trunk: { group: both }\n", &rows, MORNING);
    day.callees(&[Presses('1'); 3]);
    day.until("2026-12-01T12:00:00+08:00");
    let trunks: Vec<u16> = day.dials.iter().map(|dial| dial.trunk.0).collect();
    assert_eq!(trunks, [0, 1, 1]);
}

#[test]
fn a_restart_forgets_nothing_that_was_spent() {
    let mut day = people(good_for(2), &[Presses('1'), Rings, Presses('1')]);
    // One is over and paid for; the other rings when the process dies, and may have been answered.
    day.pass(Duration::from_secs(8));
    assert_eq!((day.dialled().len(), day.results().len()), (2, 1));
    day.restart();
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 2);
}

#[test]
fn an_attempt_that_never_left_has_cost_nothing() {
    let mut day = people(good_for(1), &[Presses('1')]);
    day.disk = Duration::from_millis(600);
    day.pass(Duration::from_secs(2));
    assert_eq!(day.dialled(), []);
    day.disk = Duration::from_millis(5);
    day.pass(Duration::from_mins(10));
    assert_eq!(day.dialled().len(), 1);
}
