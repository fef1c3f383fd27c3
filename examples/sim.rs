//! Runs one simulated world by its seed and says what happened: how a failing seed of `tests/sim.rs` is looked at.

use std::process::ExitCode;

use goldenhour::sim::{Scenario, World};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]
fn main() -> ExitCode {
    let Some(seed) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        eprintln!("usage: cargo run --no-default-features --example sim -- SEED");
        return ExitCode::from(2);
    };
    match Scenario::random(seed) {
        Ok(scenario) => {
            let report = World::new(scenario).run();
            println!("{report}");
            ExitCode::from(u8::from(!report.violations.is_empty()))
        }
        Err(findings) => {
            eprintln!("{}", goldenhour::base::render(&findings));
            ExitCode::from(3)
        }
    }
}
