//! What the log of half hours says of a day: who was eligible, dialled and drawn, and each of them once.

use std::time::Duration;

use super::{Day, config, row};
use crate::engine::{OperatorCommand, SlotRow};

/// Everybody rings out after 30 s, and nobody is called twice.
const ONCE: &str = "attempts: { max: 1, max_per_day: 1 }\n";
const OPENING: &str = "2026-12-01T09:00:00+08:00";

fn crowd(more: &str, people: u32, lines: u32) -> Day {
    let mut config = config();
    config.trunks[0].max_calls = lines;
    let rows: Vec<_> = (1..=people).map(|n| row(n, &[n])).collect();
    Day::over(config, more, &rows, OPENING)
}

fn slots(day: &Day) -> Vec<SlotRow> {
    day.store.slots(0, usize::MAX)
}

fn sums(slots: &[SlotRow]) -> [u32; 3] {
    slots.iter().fold([0; 3], |[eligible, dialled, drawn], slot| {
        [eligible + slot.eligible, dialled + slot.dialled, drawn + slot.drawn]
    })
}

#[test]
fn every_half_hour_says_who_was_there_to_be_dialled_and_who_was() {
    // A call takes 31 s and one goes out at a time: 58 in a half hour.
    let mut day = crowd(ONCE, 100, 1);
    day.until("2026-12-01T10:30:00+08:00");
    let slots = slots(&day);
    let from = |slot: &SlotRow| slot.from.since(super::at(OPENING)).as_secs() / 60;
    let said: Vec<_> = slots.iter().map(|slot| (from(slot), slot.eligible, slot.dialled, slot.drawn)).collect();
    let first = said[0].2;
    assert!((55..=59).contains(&first), "{said:?}");
    assert_eq!(said, [(0, 100, first, 0), (30, 100 - first, 100 - first, 0)], "after that nobody is left");
    assert_eq!(slots[0].to, slots[1].from);
    assert_eq!((slots[0].slot.hour(), slots[1].seq), (9, 2));
}

#[test]
fn leads_of_other_pasts_are_counted_in_cells_of_their_own() {
    let mut day = crowd(
        "attempts: { max: 2, max_per_day: 2, min_gap: 1m }\nretry: { no_answer: { after: 40m, max: 2 } }\n",
        5,
        9,
    );
    day.until("2026-12-01T10:30:00+08:00");
    let said: Vec<_> = slots(&day)
        .iter()
        .filter(|slot| slot.dialled > 0)
        .map(|slot| (slot.slot.hour(), slot.past.attempts, slot.past.same_hour_fails, slot.dialled))
        .collect();
    assert_eq!(said, [(9, 0, 0, 5), (9, 1, 1, 5)]);
}

#[test]
fn who_is_drawn_is_counted_beside_the_chance_of_it() {
    let mut day = crowd(&format!("{ONCE}rank: {{ by: score, explore: 10% }}\n"), 1_000, 1);
    day.until("2026-12-01T09:31:00+08:00");
    let slots = slots(&day);
    let [eligible, dialled, drawn] = sums(&slots);
    assert_eq!(eligible, 1_000);
    assert!(slots[0].chance > 0.0 && slots[0].chance < 0.02, "{slots:?}");
    // A tenth of some 58 dials, each drawn by itself.
    assert!((1..=16).contains(&drawn) && drawn < dialled, "{drawn} of {dialled}");
}

#[test]
fn after_a_drain_and_a_restart_in_the_middle_of_a_half_hour_nobody_is_counted_twice() {
    let mut day = crowd(ONCE, 100, 1);
    day.until("2026-12-01T09:10:00+08:00");
    day.command(OperatorCommand::Drain);
    day.pass(Duration::from_secs(50));
    let before = slots(&day);
    let [eligible, first, _] = sums(&before);
    assert_eq!((eligible, first), (100, day.dials.len() as u32), "the part of a half hour before the end");
    day.restart();
    day.until("2026-12-01T11:00:00+08:00");
    let after = slots(&day).split_off(before.len());
    assert_eq!(after[0].eligible, 100 - first, "who was dialled before is none of them");
    assert!(after[0].from >= before[0].to, "two stretches of time");
    assert_eq!(sums(&slots(&day))[1], 100);
    assert_eq!(day.dials.len(), 100);
}

#[test]
fn what_a_process_that_dies_had_not_said_of_its_half_hour_is_not_said_by_the_next() {
    let mut day = crowd(ONCE, 100, 1);
    day.until("2026-12-01T09:10:00+08:00");
    let lost = day.dials.len() as u32;
    day.restart();
    assert!(slots(&day).is_empty());
    day.until("2026-12-01T11:00:00+08:00");
    let slots = slots(&day);
    assert_eq!(slots[0].from.since(super::at(OPENING)).as_secs(), 600);
    assert_eq!(slots[0].eligible, 100 - lost);
    assert_eq!(sums(&slots)[1], 100 - lost, "of hundred dials the log misses those, and has none twice");
}
