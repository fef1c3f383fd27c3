//! Seeded worlds: the engine with people, clocks and a store that misbehave, held against promises 1 and 2.

use goldenhour::campaign::{Plan, load};
use goldenhour::engine::{Reader, Replay, ReplayError};
use goldenhour::sim::{Report, Scenario, World};

/// Each of the eight tests below runs so many worlds of its own.
const WORLDS: u64 = 130;

#[expect(clippy::expect_used, reason = "a helper of tests")]
fn run(seed: u64) -> Report {
    World::new(Scenario::random(seed).expect("the generator writes campaigns that load")).run()
}

/// Seeds `nth × WORLDS` and on. Fails with the first violation and the command that shows it.
fn hold(nth: u64) {
    let (mut rang, mut crashes, mut doubts, mut jumps, mut reloads, mut rerouted) = (0, 0, 0, 0, 0, 0);
    for seed in nth * WORLDS..(nth + 1) * WORLDS {
        let report = run(seed);
        let again = format!("cargo run --no-default-features --example sim -- {seed}");
        assert!(report.violations.is_empty(), "{report}\nagain: {again}");
        rang += report.rang;
        crashes += report.crashes;
        doubts += report.doubts;
        jumps += report.jumps;
        reloads += report.reloads;
        rerouted += report.rerouted;
    }
    let lively = rang > 1_000 && crashes > 500 && doubts > 20 && jumps > 50 && reloads > 500 && rerouted > 100;
    let seen = (rang, crashes, doubts, jumps, reloads, rerouted);
    assert!(lively, "the worlds are too quiet to prove anything: {seen:?}");
}

macro_rules! worlds {
    ($($name:ident = $nth:literal,)*) => {$(
        #[test]
        fn $name() {
            hold($nth);
        }
    )*};
}

worlds! {
    promises_hold_in_the_first_worlds = 0,
    promises_hold_in_the_second_worlds = 1,
    promises_hold_in_the_third_worlds = 2,
    promises_hold_in_the_fourth_worlds = 3,
    promises_hold_in_the_fifth_worlds = 4,
    promises_hold_in_the_sixth_worlds = 5,
    promises_hold_in_the_seventh_worlds = 6,
    promises_hold_in_the_eighth_worlds = 7,
}

#[test]
fn the_same_seed_decides_the_same_byte_for_byte() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed));
    }
}

/// Every life of the engine in a world, as its journal has it.
#[expect(clippy::expect_used, reason = "a helper of tests")]
#[expect(clippy::unwrap_in_result, reason = "what fails there is the trial's own journal")]
fn replay(journal: &[u8], rules: Option<Plan>) -> Result<Replay, ReplayError> {
    let mut reader = Reader::default();
    let mut replay = Replay::new(rules);
    for piece in journal.chunks(60_000) {
        reader.push(piece);
        while let Some(entry) = reader.next_entry().expect("the journal is whole") {
            replay.feed(entry)?;
        }
    }
    reader.finish().expect("the journal has an end");
    Ok(replay)
}

#[expect(clippy::expect_used, reason = "a helper of tests")]
fn scenario(seed: u64) -> Scenario {
    Scenario::random(seed).expect("the generator writes campaigns that load")
}

#[test]
fn every_life_of_the_engine_replays_to_the_same_decisions() {
    let (mut lives, mut inputs, mut decisions) = (0, 0, 0);
    for seed in 0..40 {
        let (report, journals) = World::new(scenario(seed)).run_recorded();
        assert!(report.violations.is_empty(), "{report}");
        for journal in &journals {
            match replay(journal, None) {
                Ok(replay) => {
                    assert_eq!(replay.ended(), Some("stopped"));
                    inputs += replay.inputs();
                    decisions += replay.decisions();
                }
                Err(ReplayError::Differs(difference)) => panic!("seed {seed}: {difference}"),
                Err(ReplayError::Plan(findings)) => panic!("seed {seed}: {findings:?}"),
            }
            lives += 1;
        }
    }
    assert!(lives > 100 && inputs > 100_000 && decisions > 1_000, "{lives} lives, {inputs} inputs, {decisions}");
}

#[test]
fn one_changed_rule_is_named_as_the_first_difference() {
    let mut found = 0;
    for seed in 0..12 {
        let scenario = scenario(seed);
        let mut folder = scenario.draft.folder.clone();
        for (path, bytes) in &scenario.draft.folder.files {
            let text = String::from_utf8_lossy(bytes).replace("ring: ", "ring: 1");
            folder.insert(path.clone(), text.into_bytes());
        }
        let rules = load(&folder).expect("a longer ring is allowed");
        let (report, journals) = World::new(scenario).run_recorded();
        for journal in journals.iter().filter(|_| report.rang > 0) {
            let Err(ReplayError::Differs(difference)) = replay(journal, Some(rules.clone())) else { continue };
            let (Some(expected), Some(got)) = (&difference.expected, &difference.got) else { continue };
            assert!(expected.contains("Dial") && got.contains("Dial"), "{difference}");
            assert_ne!(expected, got);
            found += 1;
        }
    }
    assert!(found > 5, "only {found} of the journals showed it");
}
