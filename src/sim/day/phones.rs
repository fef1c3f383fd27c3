//! A number that dies is left for the next one, by every lead that has it.

use super::Callee::{Gives, Presses};
use super::{Day, row};
use crate::contact::{CallResult, ClosedWhy};

/// Two customers share the first number, and each has one of their own behind it.
fn shared() -> Day {
    let more = "attempts: { max: 9, max_per_day: 9, min_gap: 10m }\nretry: { vacant_number: { phone: dead, next_phone: true } }\n";
    let mut day = Day::new(more, &[row(1, &[1, 2]), row(2, &[1, 3])], "2026-12-01T10:00:00+08:00");
    day.callees(&[Gives(CallResult::VacantNumber), Presses('1'), Presses('1')]);
    day
}

#[test]
fn a_number_that_died_under_one_lead_is_left_by_the_other() {
    let mut day = shared();
    day.until("2026-12-01T19:00:00+08:00");
    let mut phones: Vec<u32> = day.dialled().into_iter().map(|(_, phone)| phone).collect();
    assert_eq!(phones.remove(0), 1);
    phones.sort_unstable();
    assert_eq!((phones, day.closed()), (vec![2, 3], vec![ClosedWhy::Success]));
}

#[test]
fn and_by_a_daemon_that_finds_it_dead_when_it_starts() {
    let mut day = shared();
    day.until("2026-12-01T10:00:10+08:00");
    assert_eq!(day.results(), [CallResult::VacantNumber]);
    day.restart();
    day.until("2026-12-01T19:00:00+08:00");
    assert_eq!((day.dialled().len(), day.closed()), (3, vec![ClosedWhy::Success]));
}

#[test]
fn with_no_other_number_it_stays_where_it_is() {
    let more = "retry: { vacant_number: { phone: dead, next_phone: true } }\n";
    let mut day = Day::new(more, &[row(1, &[1]), row(2, &[1])], "2026-12-01T10:00:00+08:00");
    day.callees(&[Gives(CallResult::VacantNumber)]);
    day.until("2026-12-03T19:00:00+08:00");
    assert_eq!((day.dialled().len(), day.closed()), (1, vec![ClosedWhy::Invalid]));
}
