//! What a trunk lets out, and what an operator stops on it.

use std::sync::Arc;
use std::time::Duration;

use super::Callee::{Gives, Presses, Rings};
use super::{Day, config, row};
use crate::base::{CampaignIx, Reach, TrunkIx};
use crate::call::{TrunkDown, TrunkState};
use crate::contact::CallResult;
use crate::engine::{OperatorCommand, Whose};

const MORNING: &str = "2026-12-01T10:00:00+08:00";
const TRUNK: TrunkIx = TrunkIx(0);

/// Six people, all dialled within a second or two.
fn six(callees: [super::Callee; 6]) -> Day {
    let rows: Vec<_> = (1..=6).map(|n| row(n, &[n])).collect();
    let mut day = Day::new("", &rows, MORNING);
    day.callees(&callees);
    day
}

#[test]
fn a_number_that_the_trunk_does_not_let_out_is_not_dialled_and_the_next_one_is() {
    let mut config = config();
    config.trunks[0].reach = Arc::new(Reach::listed(&["+999".to_owned()], &["+999600000001".to_owned()]));
    let mut day = Day::over(config, "", &[row(1, &[1]), row(2, &[2])], MORNING);
    day.until("2026-12-01T20:00:00+08:00");
    let dialled: Vec<u32> = day.dialled().into_iter().map(|(_, phone)| phone).collect();
    assert!(!dialled.is_empty() && dialled.iter().all(|phone| *phone == 2), "{dialled:?}");
}

#[test]
fn a_stopped_trunk_dials_nobody_and_calls_under_way_go_on() {
    let mut day = six([Presses('1'), Rings, Gives(CallResult::Busy), Rings, Rings, Rings]);
    day.pass(Duration::from_millis(1));
    let before = day.dialled().len();
    day.command(OperatorCommand::StopTrunk(TRUNK));
    day.store.stop_trunk("gw", true);
    day.until("2026-12-01T12:00:00+08:00");
    assert_eq!(day.dialled().len(), before);
    assert!(day.results().iter().all(|result| *result != CallResult::Cancelled), "{:?}", day.results());
    day.command(OperatorCommand::ResumeTrunk(TRUNK));
    day.store.stop_trunk("gw", false);
    day.pass(Duration::from_secs(5));
    assert!(day.dialled().len() >= 6, "{:?}", day.dialled());
}

#[test]
fn on_a_trunk_that_is_down_nobody_is_even_authorised_and_its_return_is_noticed_at_once() {
    let mut day = six([Rings; 6]);
    day.trunk_stands(TRUNK, TrunkState::Down(TrunkDown::Silent));
    day.trunk_stands(TrunkIx(1), TrunkState::Up);
    day.until("2026-12-01T12:00:00+08:00");
    assert_eq!((day.dialled().len(), day.results().len()), (0, 0));
    day.trunk_stands(TRUNK, TrunkState::Up);
    day.pass(Duration::from_millis(100));
    assert!(!day.dialled().is_empty(), "not only with the next heartbeat");
    day.pass(Duration::from_secs(5));
    assert_eq!(day.dialled().len(), 6);
}

#[test]
fn what_the_store_is_asked_about_when_a_trunk_is_stopped_is_not_dialled() {
    let mut day = six([Rings; 6]);
    day.disk = Duration::from_millis(100);
    day.pass(Duration::from_millis(50));
    // The store says yes to those: it has not heard of the stop.
    day.command(OperatorCommand::StopTrunk(TRUNK));
    day.pass(Duration::from_hours(1));
    assert_eq!(day.dialled(), []);
    assert!(!day.results().is_empty() && day.results().iter().all(|result| *result == CallResult::Void));
}

#[test]
fn leads_that_only_the_store_refused_for_a_stopped_trunk_come_back() {
    let mut day = six([Rings; 6]);
    day.store.stop_trunk("gw", true);
    day.pass(Duration::from_secs(1));
    day.command(OperatorCommand::StopTrunk(TRUNK));
    assert_eq!(day.dialled(), []);
    day.store.stop_trunk("gw", false);
    day.command(OperatorCommand::ResumeTrunk(TRUNK));
    day.pass(Duration::from_secs(5));
    assert_eq!(day.dialled().len(), 6);
}

#[test]
fn hanging_up_ends_what_rings_and_what_talks_of_that_trunk_alone() {
    for (whose, ends) in [
        (Whose::Trunk(TRUNK), true),
        (Whose::Trunk(TrunkIx(1)), false),
        (Whose::Campaign(CampaignIx(0)), true),
        (Whose::Campaign(CampaignIx(1)), false),
        (Whose::Everybody, true),
    ] {
        let mut day = six([Presses('7'), Rings, Rings, Rings, Rings, Rings]);
        day.pass(Duration::from_millis(3_500));
        assert_eq!((day.dialled().len(), day.results().len()), (6, 0));
        day.command(OperatorCommand::StopTrunk(TRUNK));
        day.command(OperatorCommand::HangUp(whose));
        day.pass(Duration::from_millis(100));
        let mut results = day.results();
        results.sort();
        let expected = [&[CallResult::Answered][..], &[CallResult::Cancelled; 5]].concat();
        assert_eq!(results, if ends { expected } else { Vec::new() }, "{whose:?}");
        assert_eq!(day.dialled().len(), 6);
    }
}

/// Four people, and two numbers that may be shown once a day each in Shanghai.
fn two_numbers_once_a_day() -> Day {
    let mut config = config();
    config.zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let numbers: [Arc<str>; 2] = ["+999100000001".into(), "+999100000002".into()];
    config.trunks[0].shown_max = numbers.iter().map(|number| (Arc::clone(number), 1)).collect();
    config.trunks[0].caller_ids = numbers.into();
    let rows: Vec<_> = (1..=4).map(|n| row(n, &[n])).collect();
    Day::over(config, "", &rows, MORNING)
}

fn shown(day: &Day) -> Vec<String> {
    let mut shown: Vec<String> = day.store.attempts().values().map(|attempt| attempt.caller_id.to_string()).collect();
    shown.sort();
    shown
}

#[test]
fn a_number_that_is_used_up_rests_until_the_next_day_and_the_other_ones_serve() {
    let mut day = two_numbers_once_a_day();
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(shown(&day), ["+999100000001", "+999100000002"]);
    day.until("2026-12-02T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 4, "{:?}", day.dialled());
    assert!(day.dialled()[2].0.starts_with("02 09:00"), "{:?}", day.dialled());
}

#[test]
fn a_restart_forgets_no_number_that_was_shown() {
    let mut day = two_numbers_once_a_day();
    day.pass(Duration::from_secs(5));
    assert_eq!(day.dialled().len(), 2);
    day.restart();
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 2);
}

#[test]
fn an_attempt_that_never_left_has_shown_no_number() {
    let mut day = two_numbers_once_a_day();
    day.disk = Duration::from_millis(600);
    day.pass(Duration::from_secs(2));
    assert_eq!(day.dialled(), []);
    day.disk = Duration::from_millis(5);
    day.pass(Duration::from_mins(10));
    assert_eq!(day.dialled().len(), 2);
}
