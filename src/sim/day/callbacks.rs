//! Who asks to be called back is called back, when they said, once, and under every rule but one.

use super::Callee::{Gives, Presses};
use super::{Day, at, row};
use crate::campaign::Promise;
use crate::contact::{CallResult, ClosedWhy};
use crate::engine::OperatorCommand;
use crate::gate::DncMark;

const TUESDAY: &str = "2026-12-01T10:00:00+08:00";

/// The default: no more once they were reached. One a day, a day apart.
const STRICT: &str = "attempts: { max: 4, max_per_day: 1, min_gap: 20h, stop_after_contact: true }\n";

fn asked(more: &str, key: char) -> Day {
    let mut day = Day::new(more, &[row(1, &[1])], TUESDAY);
    day.callees(&[Presses(key)]);
    day
}

#[test]
fn at_three_they_are_called_once() {
    let mut day = asked(STRICT, '2');
    day.callees(&[Presses('1')]);
    day.until("2026-12-01T14:59:59+08:00");
    assert_eq!(day.dialled(), [("01 10:00".to_owned(), 1)]);
    let promised = day.outcomes().next().unwrap().callback_at;
    assert_eq!(promised, Some(at("2026-12-01T15:00:00+08:00")));
    day.until("2026-12-08T20:00:00+08:00");
    assert_eq!(day.dialled(), [("01 10:00".to_owned(), 1), ("01 15:00".to_owned(), 1)]);
    assert_eq!(day.closed(), [ClosedWhy::Success]);
}

#[test]
fn a_promise_outlives_the_process_and_waits_for_no_golden_hour() {
    let golden = "golden_hours: { mode: only, seed: { all: [\"10:00-10:30\"] } }\n";
    let mut day = asked(&format!("{STRICT}{golden}"), '2');
    day.until("2026-12-01T12:00:00+08:00");
    day.restart();
    day.until("2026-12-01T15:30:00+08:00");
    assert_eq!(day.dialled(), [("01 10:00".to_owned(), 1), ("01 15:00".to_owned(), 1)]);
}

#[test]
fn in_two_hours_means_after_the_call_and_without_a_time_after_the_gap() {
    let mut day = asked(STRICT, '3');
    day.until("2026-12-01T20:00:00+08:00");
    // Two hours and a few seconds; the queue looks at its clock by the minute.
    assert_eq!(day.dialled()[1], ("01 12:01".to_owned(), 1));
    let mut day = asked(STRICT, '4');
    day.until("2026-12-03T08:00:00+08:00");
    assert_eq!(day.dialled()[1..], [("02 09:00".to_owned(), 1)]);
}

#[test]
fn a_callback_is_an_attempt_of_the_budget() {
    let mut day = asked("attempts: { max: 1, max_per_day: 1, min_gap: 20h }\n", '2');
    day.until("2026-12-02T20:00:00+08:00");
    assert_eq!((day.dialled().len(), day.closed()), (1, vec![ClosedWhy::Exhausted]));
}

#[test]
fn after_the_calling_hours_the_promise_is_kept_in_the_morning() {
    let mut day = Day::new(STRICT, &[row(1, &[1])], "2026-12-01T19:00:00+08:00");
    day.callees(&[Presses('3')]);
    day.until("2026-12-02T12:00:00+08:00");
    assert_eq!(day.dialled()[1..], [("02 09:00".to_owned(), 1)]);
}

#[test]
fn caps_and_do_not_call_come_before_a_promise() {
    let mut day = asked(&format!("{STRICT}contact_caps: [{{ per: customer, within: 7d, max_contacts: 1 }}]\n"), '2');
    day.until("2026-12-08T09:59:59+08:00");
    assert_eq!(day.dialled().len(), 1);
    let mut day = asked(STRICT, '2');
    day.until("2026-12-01T14:00:00+08:00");
    let contact = day.outcomes().next().unwrap().contact;
    day.command(OperatorCommand::DncContact(contact, Some(DncMark { until: None })));
    day.until("2026-12-08T09:59:59+08:00");
    assert_eq!(day.dialled().len(), 1);
}

#[test]
fn a_callback_that_is_not_answered_is_retried_and_the_talk_it_led_to_ends_it() {
    let retry = "retry: { busy: { after: 1h, max: 2, free: 1 } }\n";
    let mut day = asked(&format!("{STRICT}{retry}"), '2');
    day.callees(&[Gives(CallResult::Busy), Presses('9')]);
    day.until("2026-12-08T20:00:00+08:00");
    let when: Vec<String> = day.dialled().into_iter().map(|(at, _)| at).collect();
    assert_eq!(when, ["01 10:00", "01 15:00", "01 16:01"]);
    assert_eq!(day.closed(), [ClosedWhy::Refused]);
}

#[test]
fn a_promise_holds_in_a_part_of_the_day_that_has_had_its_attempts() {
    let spread = "attempts: { max: 4, max_per_day: 1, min_gap: 20h, spread: { over: daypart, at_most_each: 1 } }\n";
    let mut day = Day::new(spread, &[row(1, &[1])], "2026-12-01T14:10:00+08:00");
    day.callees(&[Presses('3')]);
    day.until("2026-12-01T17:00:00+08:00");
    assert_eq!(day.dialled()[1..], [("01 16:11".to_owned(), 1)]);
}

#[test]
fn the_flow_says_when_and_the_disposition_that_they_asked() {
    let day = asked(STRICT, '2');
    let steps = &day.plan.campaigns[0].flow.as_ref().unwrap().steps;
    let promises = steps.iter().filter_map(|step| step.callback);
    assert_eq!(promises.filter(|promise| matches!(promise, Promise::Clock(_))).count(), 1);
}
