//! Each guard of the promises on a day that only this one keeps: without it the test is red.

use std::time::Duration;

use super::Callee::{Gives, Presses, Rings};
use super::{Day, row};
use crate::contact::CallResult;
use crate::engine::OperatorCommand;
use crate::gate::DncMark;
use crate::sim::ModelSubject;

const MORNING: &str = "2026-12-01T08:30:00+08:00";

#[test]
fn what_still_rings_at_closing_time_is_taken_back() {
    let mut day = Day::new("", &[row(1, &[1])], "2026-12-01T19:58:00+08:00");
    day.callees(&[Rings]);
    day.pass(Duration::from_secs(5));
    assert_eq!((day.dialled().len(), day.results().len()), (1, 0), "it rings");
    // Nobody is dialled who could ring past closing; but clocks are set.
    day.jump_ahead(Duration::from_mins(3));
    day.pass(Duration::from_secs(2));
    assert_eq!(day.results(), [CallResult::Cancelled]);
}

#[test]
fn who_talks_at_closing_time_talks_on() {
    let mut day = Day::new("", &[row(1, &[1])], "2026-12-01T19:58:00+08:00");
    day.callees(&[Presses('7')]);
    day.pass(Duration::from_secs(4));
    day.jump_ahead(Duration::from_mins(3));
    day.pass(Duration::from_secs(30));
    assert_eq!(day.results(), [CallResult::Answered]);
}

#[test]
fn the_gate_is_asked_again_when_the_lead_is_due() {
    let mut day = Day::new("", &[row(1, &[1])], MORNING);
    day.pass(Duration::from_mins(1));
    // The engine alone is told: the store would let it pass.
    let contact = day.store.find_contact(&row(1, &[1]).key).unwrap();
    day.command(OperatorCommand::DncContact(contact, Some(DncMark { until: None })));
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(day.dialled(), []);
}

#[test]
fn the_gate_is_asked_once_more_where_the_attempt_is_written() {
    let mut day = Day::new("", &[row(1, &[1])], MORNING);
    day.pass(Duration::from_mins(1));
    // Another process wrote it, and the engine has not heard of it.
    day.store.dnc_add(ModelSubject::Customer(row(1, &[1]).key), None);
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(day.dialled(), []);
}

#[test]
fn a_permit_that_is_half_a_second_old_is_not_used() {
    for (disk_ms, dials) in [(499, 1), (500, 0)] {
        let mut day = Day::new("", &[row(1, &[1])], "2026-12-01T10:00:00+08:00");
        day.disk = Duration::from_millis(disk_ms);
        day.pass(Duration::from_secs(2));
        assert_eq!(day.dialled().len(), dials, "the store took {disk_ms} ms");
        assert_eq!(day.results(), vec![CallResult::Void; 1 - dials]);
    }
}

#[test]
fn one_number_rings_for_one_person_at_a_time() {
    let mut day = Day::new("", &[row(1, &[1]), row(2, &[1])], "2026-12-01T10:00:00+08:00");
    day.callees(&[Rings, Rings]);
    day.pass(Duration::from_secs(30));
    assert_eq!(day.dialled().len(), 1);
    day.pass(Duration::from_hours(2));
    assert_eq!(day.dialled().len(), 2, "and then for the other");
}

#[test]
fn a_number_that_three_people_share_is_capped_as_one() {
    let more = "contact_caps: [{ per: phone, within: 24h, max_dials: 2 }]\n";
    let rows = [row(1, &[1]), row(2, &[1]), row(3, &[1])];
    let mut day = Day::new(more, &rows, "2026-12-01T10:00:00+08:00");
    day.callees(&[Presses('1'); 3]);
    day.until("2026-12-01T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 2);
    day.until("2026-12-02T20:00:00+08:00");
    assert_eq!(day.dialled().len(), 3);
}

#[test]
fn who_refused_is_left_alone_for_as_long_as_the_rule_says() {
    let more = "contact_caps: [{ per: customer, after: declined, quiet_for: 3d }]\n";
    let attempts = "attempts: { max: 9, max_per_day: 9, min_gap: 0s }\nretry: { no_answer: { after: 1h, max: 9 } }\n";
    let mut day = Day::new(&format!("{more}{attempts}"), &[row(1, &[1])], "2026-12-01T10:00:00+08:00");
    day.callees(&[Presses('5'), Gives(CallResult::NoAnswer)]);
    day.until("2026-12-04T10:00:00+08:00");
    assert_eq!(day.dialled().len(), 1);
    day.until("2026-12-04T10:05:00+08:00");
    assert_eq!(day.dialled().len(), 2);
}
