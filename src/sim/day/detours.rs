//! Calls that their first trunk could not take.

use std::sync::Arc;
use std::time::Duration;

use super::Callee::{self, Gives, NotSent, Presses, Rings, TurnedAway, Unsigned};
use super::{Day, config, row};
use crate::base::{ContactId, Money, Reach, Tariff, TrunkIx, Wall};
use crate::contact::CallResult;
use crate::engine::{EngineConfig, GroupSpec, Member, OperatorCommand, Spend, TrunkSpec};
use crate::gate::DncMark;

const MORNING: &str = "2026-12-01T10:00:00+08:00";
const A: TrunkIx = TrunkIx(0);
const B: TrunkIx = TrunkIx(1);
const C: TrunkIx = TrunkIx(2);

/// `gw`, `gw-b`, `gw-c`, to be tried in this order; each with a number of its own.
fn three() -> EngineConfig {
    let mut config = config();
    for (name, number) in [("gw-b", "+999100000002"), ("gw-c", "+999100000003")] {
        let trunk = TrunkSpec { name: name.into(), caller_ids: [number.into()].into(), ..config.trunks[0].clone() };
        config.trunks.push(trunk);
    }
    let member = |trunk: TrunkIx| Member { trunk, priority: trunk.0 + 1, weight: 1 };
    config.groups.push(GroupSpec { name: "all".into(), members: [A, B, C].map(member).into() });
    config
}

/// One person is called from ten o'clock on.
fn one(config: EngineConfig, callees: &[Callee]) -> Day {
    let mut day = Day::over(
        config,
        "trunk: { group: all }\nretry: { trunk_refused: { after: 5h, max: 2 } }\n",
        &[row(1, &[1])],
        MORNING,
    );
    day.callees(callees);
    day
}

fn tried(day: &Day) -> Vec<(TrunkIx, u8)> {
    day.dials.iter().map(|dial| (dial.trunk, dial.hop)).collect()
}

/// Trunk and number as the store has them, of the only attempt.
fn stored(day: &Day) -> (String, String) {
    let all: Vec<_> = day.store.attempts().values().collect();
    let [attempt] = &all[..] else { panic!("{} attempts", all.len()) };
    (attempt.trunk.clone(), attempt.caller_id.to_string())
}

fn at_rest(day: &Day) {
    assert_eq!(day.lines(), [0, 0, 0], "lines are given back");
    assert_eq!(day.engine_live(), 0);
}

#[test]
fn what_one_trunk_cannot_take_goes_over_the_next_as_the_same_attempt_with_its_own_number() {
    let mut day = one(three(), &[TurnedAway(20), Presses('1')]);
    day.pass(Duration::from_mins(1));
    assert_eq!(tried(&day), [(A, 0), (B, 1)]);
    assert_eq!(day.dials[0].leg, day.dials[1].leg);
    assert_eq!(stored(&day), ("gw-b".to_owned(), "+999100000002".to_owned()));
    assert_eq!(day.results(), [CallResult::Answered]);
    at_rest(&day);
}

#[test]
fn each_trunk_is_tried_once_and_the_last_refusal_is_the_result() {
    let mut day = one(three(), &[TurnedAway(20), TurnedAway(30), TurnedAway(40), Rings]);
    day.pass(Duration::from_hours(1));
    assert_eq!(tried(&day), [(A, 0), (B, 1), (C, 2)]);
    assert_eq!((day.results(), stored(&day).0), (vec![CallResult::TrunkRefused], "gw-c".to_owned()));
    assert_eq!(day.outcomes().next().unwrap().sip_status, Some(503));
    at_rest(&day);
}

#[test]
fn past_its_permit_it_goes_nowhere() {
    let mut day = one(three(), &[TurnedAway(501), Rings]);
    day.pass(Duration::from_hours(1));
    assert_eq!(tried(&day), [(A, 0)], "the permit was given before the first INVITE");
    assert_eq!((day.results(), stored(&day).0), (vec![CallResult::TrunkRefused], "gw".to_owned()));
    let mut day = one(three(), &[TurnedAway(300), Rings]);
    day.disk = Duration::from_millis(150);
    day.pass(Duration::from_hours(1));
    assert_eq!(tried(&day), [(A, 0)], "the store took too long");
    assert_eq!(day.results(), [CallResult::TrunkRefused]);
    at_rest(&day);
}

#[test]
fn what_somebody_may_have_heard_of_goes_over_no_other_trunk() {
    let mut day = one(three(), &[Gives(CallResult::TrunkRefused), Rings]);
    day.pass(Duration::from_hours(1));
    assert_eq!((tried(&day), day.results()), (vec![(A, 0)], vec![CallResult::TrunkRefused]));
}

#[test]
fn what_was_not_sent_goes_over_the_next_trunk_too_and_is_void_where_none_sends_it() {
    let mut day = one(three(), &[NotSent, Presses('1')]);
    day.pass(Duration::from_mins(1));
    assert_eq!((tried(&day), day.results()), (vec![(A, 0), (B, 1)], vec![CallResult::Answered]));
    let mut day = one(three(), &[NotSent, NotSent, NotSent]);
    day.pass(Duration::from_secs(2));
    assert_eq!((tried(&day).len(), day.results()), (3, vec![CallResult::Void]));
    at_rest(&day);
    let mut day = one(three(), &[TurnedAway(20), NotSent, NotSent]);
    day.pass(Duration::from_secs(2));
    assert_eq!((tried(&day).len(), day.results()), (3, vec![CallResult::TrunkRefused]), "something was sent");
}

#[test]
fn what_nobody_signs_for_one_trunk_goes_over_the_next() {
    let mut day = one(three(), &[Unsigned, Presses('1')]);
    day.pass(Duration::from_mins(1));
    assert_eq!((tried(&day), day.results()), (vec![(A, 0), (B, 1)], vec![CallResult::Answered]));
    let mut day = one(three(), &[Unsigned, Unsigned, Unsigned]);
    day.pass(Duration::from_secs(2));
    assert_eq!((tried(&day).len(), day.results()), (3, vec![CallResult::Void]));
    at_rest(&day);
}

#[test]
fn a_trunk_that_does_not_let_the_number_out_is_passed_over() {
    let mut config = three();
    config.trunks[1].reach = Arc::new(Reach::listed(&["+1".to_owned()], &[]));
    let mut day = one(config, &[TurnedAway(20), Presses('1')]);
    day.pass(Duration::from_mins(1));
    assert_eq!((tried(&day), stored(&day).0), (vec![(A, 0), (C, 2)], "gw-c".to_owned()));
    at_rest(&day);
}

#[test]
fn a_stopped_trunk_takes_no_detour_whoever_hears_of_the_stop_first() {
    let mut day = one(three(), &[TurnedAway(20), Presses('1')]);
    day.store.stop_trunk("gw-b", true);
    day.pass(Duration::from_mins(1));
    assert_eq!(tried(&day), [(A, 0), (C, 2)], "the store knew");
    let mut day = one(three(), &[TurnedAway(20), Presses('1')]);
    day.disk = Duration::from_millis(50);
    day.pass(Duration::from_millis(80));
    day.command(OperatorCommand::StopTrunk(B));
    day.pass(Duration::from_mins(1));
    assert_eq!(tried(&day), [(A, 0), (C, 2)], "the engine heard of it while the store was writing");
    at_rest(&day);
}

#[test]
fn whoever_says_no_meanwhile_is_not_called_over_another_trunk() {
    let mut day = one(three(), &[TurnedAway(20), Rings]);
    day.disk = Duration::from_millis(50);
    day.pass(Duration::from_millis(80));
    day.command(OperatorCommand::DncContact(ContactId(1), Some(DncMark { until: None })));
    day.pass(Duration::from_mins(1));
    assert_eq!((tried(&day), day.results()), (vec![(A, 0)], vec![CallResult::Cancelled]));
    at_rest(&day);
}

#[test]
fn a_drain_begins_no_detour() {
    let mut day = one(three(), &[TurnedAway(20), Rings]);
    day.pass(Duration::from_millis(10));
    day.command(OperatorCommand::Drain);
    day.pass(Duration::from_mins(1));
    assert_eq!((tried(&day), day.results()), (vec![(A, 0)], vec![CallResult::TrunkRefused]));
    at_rest(&day);
}

#[test]
fn only_the_number_that_was_shown_counts_against_its_day() {
    let mut config = three();
    for (trunk, number) in [(0, "+999100000001"), (1, "+999100000002"), (2, "+999100000003")] {
        config.trunks[trunk].shown_max.insert(number.into(), 1);
    }
    let mut day = one(config, &[TurnedAway(20), Presses('1')]);
    day.pass(Duration::from_mins(1));
    assert_eq!(tried(&day), [(A, 0), (B, 1)]);
    assert_eq!(day.used_up(), [0, 1, 0]);
    assert_eq!(day.store.shown_since(Wall(0)), vec![("+999100000002".to_owned(), 1)]);
}

#[test]
fn a_trunk_whose_day_affords_one_call_takes_one_detour() {
    let mut config = three();
    let tariff = Tariff { per_minute: Money::from_millionths(60), per_call: Money::ZERO, billed_by_s: 60 };
    config.trunks[1].spend = Some(Spend { max_per_day: tariff.least(), tariff });
    let mut day = Day::over(config, "trunk: { group: all }\n", &[row(1, &[1]), row(2, &[2])], MORNING);
    day.callees(&[TurnedAway(20), TurnedAway(20), Rings, Rings]);
    day.disk = Duration::from_millis(50);
    day.pass(Duration::from_secs(1));
    assert_eq!(tried(&day), [(A, 0), (A, 0), (B, 1), (C, 1)]);
}

#[test]
fn a_detour_crosses_no_midnight_of_the_house() {
    let mut config = three();
    // Where it is midnight when it is ten in the morning in Shanghai.
    config.zone = jiff::tz::TimeZone::get("Etc/GMT+2").unwrap();
    let rows = [row(1, &[1])];
    let mut day = Day::over(config, "trunk: { group: all }\n", &rows, "2026-12-01T09:59:59.980+08:00");
    day.callees(&[TurnedAway(50), Rings]);
    day.pass(Duration::from_secs(1));
    assert_eq!((tried(&day), day.results()), (vec![(A, 0)], vec![CallResult::TrunkRefused]));
}

#[test]
fn after_a_crash_the_attempt_is_known_over_the_trunk_it_was_going_to() {
    let mut day = one(three(), &[TurnedAway(20), Rings]);
    day.pass(Duration::from_secs(3));
    assert_eq!(tried(&day), [(A, 0), (B, 1)]);
    day.restart();
    assert_eq!((day.results(), stored(&day).0), (vec![CallResult::UnknownCounted], "gw-b".to_owned()));
    day.pass(Duration::from_hours(2));
    assert_eq!(day.dials.len(), 2, "in doubt nobody is called again");
}
