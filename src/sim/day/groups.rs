//! Campaigns whose calls several trunks share.

use std::time::Duration;

use super::Callee::Rings;
use super::{Day, config, row};
use crate::base::TrunkIx;
use crate::call::{TrunkDown, TrunkState};
use crate::engine::{GroupSpec, Member, OperatorCommand, TrunkSpec};

const MORNING: &str = "2026-12-01T10:00:00+08:00";
const A: TrunkIx = TrunkIx(0);
const B: TrunkIx = TrunkIx(1);

/// Thirty people who let it ring, over trunks `gw` and `gw-b` with these priorities and weights.
fn thirty(members: [(u16, u16); 2]) -> Day {
    let mut config = config();
    let b = TrunkSpec { name: "gw-b".into(), caller_ids: ["+999100000002".into()].into(), ..config.trunks[0].clone() };
    config.trunks.push(b);
    let member = |trunk, (priority, weight)| Member { trunk, priority, weight };
    let members = vec![member(A, members[0]), member(B, members[1])];
    config.groups.push(GroupSpec { name: "both".into(), members });
    let rows: Vec<_> = (1..=30).map(|n| row(n, &[n])).collect();
    let mut day = Day::over(config, "trunk: { group: both }\n", &rows, MORNING);
    day.callees(&[Rings; 30]);
    day
}

/// Calls over each.
fn shares(day: &Day) -> (usize, usize) {
    let over = |trunk| day.dials.iter().filter(|dial| dial.trunk == trunk).count();
    (over(A), over(B))
}

#[test]
fn calls_are_shared_by_weight_and_each_shows_a_number_of_its_own_trunk() {
    let mut day = thirty([(1, 2), (1, 1)]);
    day.pass(Duration::from_millis(500));
    assert_eq!(shares(&day), (9, 9), "both are full by now");
    let mut day = thirty([(1, 2), (1, 1)]);
    day.disk = Duration::from_millis(100);
    day.pass(Duration::from_millis(110));
    let shown = |trunk| {
        let dials = day.dials.iter().filter(move |dial| dial.trunk == trunk);
        dials.map(|dial| day.store.attempts()[&dial.leg.0].caller_id.to_string()).collect::<Vec<_>>()
    };
    assert!(shown(A).iter().all(|number| number == "+999100000001"));
    assert!(shown(B).iter().all(|number| number == "+999100000002") && !shown(B).is_empty());
}

#[test]
fn the_second_priority_takes_what_the_first_has_no_room_for() {
    let mut day = thirty([(1, 1), (2, 1)]);
    day.pass(Duration::from_millis(500));
    assert_eq!(shares(&day), (9, 9));
    assert!(day.dials[..9].iter().all(|dial| dial.trunk == A), "first the first");
}

#[test]
fn while_one_trunk_is_down_or_stopped_the_other_takes_its_calls() {
    let mut day = thirty([(1, 1), (2, 1)]);
    day.trunk_stands(A, TrunkState::Down(TrunkDown::Failing));
    day.pass(Duration::from_secs(3));
    assert_eq!(shares(&day), (0, 9));
    let mut day = thirty([(1, 1), (1, 1)]);
    day.command(OperatorCommand::StopTrunk(B));
    day.pass(Duration::from_secs(3));
    assert_eq!(shares(&day), (9, 0));
}

#[test]
fn with_all_of_them_down_nobody_is_dialled_until_one_comes_back() {
    let mut day = thirty([(1, 1), (1, 1)]);
    day.trunk_stands(A, TrunkState::Down(TrunkDown::Silent));
    day.trunk_stands(B, TrunkState::Down(TrunkDown::Overloaded));
    day.pass(Duration::from_hours(1));
    assert_eq!(shares(&day), (0, 0));
    day.trunk_stands(B, TrunkState::Up);
    day.pass(Duration::from_millis(100));
    assert!(shares(&day).1 > 0);
}

#[test]
fn who_is_refused_for_a_trunk_that_was_just_stopped_goes_out_on_the_other() {
    let mut day = thirty([(1, 1), (2, 1)]);
    day.store.stop_trunk("gw", true);
    day.pass(Duration::from_millis(100));
    assert_eq!(shares(&day).0, 0, "the store knows, the engine does not yet");
    day.command(OperatorCommand::StopTrunk(A));
    day.until("2026-12-01T11:00:00+08:00");
    assert_eq!(shares(&day), (0, 30), "nobody waits for the stopped trunk");
}
