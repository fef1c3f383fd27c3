//! Seeded worlds: the engine with people, clocks and a store that misbehave, held against promises 1 and 2.

use goldenhour::sim::{Report, Scenario, World};

/// Each of the eight tests below runs so many worlds of its own.
const WORLDS: u64 = 130;

#[expect(clippy::expect_used, reason = "a helper of tests")]
fn run(seed: u64) -> Report {
    World::new(Scenario::random(seed).expect("the generator writes campaigns that load")).run()
}

/// Seeds `nth × WORLDS` and on. Fails with the first violation and the command that shows it.
fn hold(nth: u64) {
    let (mut rang, mut crashes, mut doubts, mut jumps) = (0, 0, 0, 0);
    for seed in nth * WORLDS..(nth + 1) * WORLDS {
        let report = run(seed);
        let again = format!("cargo run --no-default-features --example sim -- {seed}");
        assert!(report.violations.is_empty(), "{report}\nagain: {again}");
        rang += report.rang;
        crashes += report.crashes;
        doubts += report.doubts;
        jumps += report.jumps;
    }
    let lively = rang > 1_000 && crashes > 500 && doubts > 20 && jumps > 50;
    assert!(lively, "the worlds are too quiet to prove anything: {rang} rang, {crashes}, {doubts}, {jumps}");
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
