//! Traces on disk: what is written is found again, within its room, and for nobody else.

use std::fs;

use super::shelf::files;
use super::*;
use crate::base::{AttemptId, Now, Tick};
use crate::sip::Target;
use crate::wire::Direction;

const ATTEMPT: &str = "01900000-0000-7000-8000-0000000000ff";

fn id(attempt: &str) -> AttemptId {
    AttemptId::parse(attempt).unwrap()
}

fn line_of(attempt: &str, at_us: i64, start: &str) -> String {
    format!("{attempt}\t{at_us}\t{at_us}\t>udp\t127.0.0.1:5060\t00000001\t{start}\t1 INVITE\tTo-tag: a\n")
}

#[test]
fn a_line_reads_back_as_it_was_written() {
    let home = tempfile::tempdir().unwrap();
    let mut shelf = Shelf::new(home.path().join("traces"), 1 << 20, Wall(5));
    shelf.append(&line_of(ATTEMPT, 7, "INVITE sip:****@h")).unwrap();
    shelf.append(&line_of("01900000-0000-7000-8000-000000000001", 8, "BYE sip:****@h")).unwrap();
    let found = find(&home.path().join("traces"), id(ATTEMPT)).unwrap();
    assert_eq!(found.oldest, Some(Wall(7)));
    let [(5, step)] = &found.steps[..] else { panic!("{found:?}") };
    assert_eq!((step.at, step.tick, step.direction), (Wall(7), Tick(7), Direction::Out));
    assert_eq!((step.start.as_str(), step.cseq.as_str()), ("INVITE sip:****@h", "1 INVITE"));
    assert_eq!(step.far, Target::udp("127.0.0.1:5060".parse().unwrap()));
    assert_eq!(step.notes, [("To-tag".to_owned(), "a".to_owned())]);
}

#[test]
fn files_stay_within_their_room_and_the_oldest_go_first() {
    let home = tempfile::tempdir().unwrap();
    let room = 2 << 20;
    let line = line_of("01900000-0000-7000-8000-000000000001", 8, &"x".repeat(1_000));
    for run in 0..3 {
        let mut shelf = Shelf::new(home.path().to_owned(), room, Wall(run));
        shelf.append(&line_of(ATTEMPT, 7, "INVITE sip:****@h")).unwrap();
        for _ in 0..3_000 {
            shelf.append(&line).unwrap();
            let size: u64 = files(home.path()).unwrap().iter().map(|(_, _, size)| size).sum();
            assert!(size <= room, "{size}");
        }
    }
    let found = find(home.path(), id(ATTEMPT)).unwrap();
    assert_eq!((found.steps, found.oldest), (vec![], Some(Wall(8))), "the first line of the last run has gone too");
    let newest = files(home.path()).unwrap().pop().unwrap().0;
    assert!(newest > 50, "numbers go on over runs: {newest}");
}

#[test]
fn a_daemon_that_starts_again_and_again_leaves_no_heap_of_files() {
    let home = tempfile::tempdir().unwrap();
    for run in 0..200 {
        Shelf::new(home.path().to_owned(), 64 << 20, Wall(run)).append(&line_of(ATTEMPT, run, "BYE")).unwrap();
    }
    assert_eq!(files(home.path()).unwrap().len(), 64);
    assert_eq!(find(home.path(), id(ATTEMPT)).unwrap().steps.len(), 64);
}

#[test]
fn files_and_folder_are_for_nobody_else() {
    use std::os::unix::fs::MetadataExt as _;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("traces");
    Shelf::new(folder.clone(), 1 << 20, Wall(0)).append("x\n").unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&files(&folder).unwrap()[0].1), 0o600);
}

#[test]
fn a_torn_line_and_a_foreign_file_are_passed_over() {
    let home = tempfile::tempdir().unwrap();
    let mut shelf = Shelf::new(home.path().to_owned(), 1 << 20, Wall(0));
    let whole = line_of(ATTEMPT, 7, "INVITE sip:****@h");
    shelf.append(&whole).unwrap();
    shelf.append(&whole[..60]).unwrap();
    fs::write(home.path().join("0000000099.trace"), line_of(ATTEMPT, 9, "INVITE")).unwrap();
    fs::write(home.path().join("notes.txt"), "x").unwrap();
    assert_eq!(find(home.path(), id(ATTEMPT)).unwrap().steps.len(), 1);
    assert_eq!(find(&home.path().join("nowhere"), id(ATTEMPT)).unwrap(), Found::default());
}

#[test]
fn what_the_tap_was_given_is_on_disk_when_the_thread_has_ended() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("traces");
    let (mut tap, traces) = Traces::start(folder.clone(), 1 << 20, Wall(0)).unwrap();
    let message = format!(
        "INVITE sip:+999271828182@127.0.0.1 SIP/2.0\r\nCall-ID: {ATTEMPT}\r\nCSeq: 1 INVITE\r\nSubject: +999271828182\r\n\r\n"
    );
    let far = Target::udp("127.0.0.1:5080".parse().unwrap());
    assert!(tap.note(Now::default(), Direction::Out, far, message.as_bytes()));
    tap.turn();
    drop(tap);
    assert_eq!(traces.lost(), 0);
    traces.join();
    let found = find(&folder, id(ATTEMPT)).unwrap();
    assert_eq!(found.steps.len(), 1);
    let text = fs::read_to_string(&files(&folder).unwrap()[0].1).unwrap();
    assert!(text.contains("+9992****8182") && !text.contains("2718"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_written_costs_lines_that_are_counted() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("traces");
    fs::write(&folder, "a file in the way").unwrap();
    let (mut tap, traces) = Traces::start(folder, 1 << 20, Wall(0)).unwrap();
    let message = format!("BYE sip:a@127.0.0.1 SIP/2.0\r\nCall-ID: {ATTEMPT}\r\nCSeq: 2 BYE\r\n\r\n");
    let far = Target::udp("127.0.0.1:5080".parse().unwrap());
    assert!(tap.note(Now::default(), Direction::Out, far, message.as_bytes()));
    tap.turn();
    drop(tap);
    let lost = Arc::clone(&traces.lost);
    traces.join();
    assert_eq!(lost.load(Ordering::Relaxed), 1);
}
