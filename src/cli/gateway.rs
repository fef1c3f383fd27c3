//! `goldenhour gateway`: a far end for trials, of people, machines and queues.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::Wall;
use crate::daemon::OsClock;
use crate::far;

use super::exit::{Exit, Stop};

/// A far end for trials: people, machines, busy lines and announcements, on real SIP and RTP
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to take calls
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5080")]
    listen: SocketAddr,
    /// Who lives there: shares, hours, keys
    #[arg(long, value_name = "FILE")]
    population: Option<PathBuf>,
    /// The same seed, the same people
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Append a line of JSON for every call, answer, key and end
    #[arg(long, value_name = "FILE")]
    witness: Option<PathBuf>,
    /// Where the wall clock starts: people answer by the hour
    #[arg(long, value_name = "RFC3339", value_parser = super::serve::wall)]
    clock_start: Option<Wall>,
    /// Wall seconds per second
    #[arg(long, value_name = "N", value_parser = super::serve::rate)]
    clock_rate: Option<f64>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut clock = OsClock::new();
    if args.clock_start.is_some() || args.clock_rate.is_some() {
        use crate::base::Clock as _;
        let start = args.clock_start.unwrap_or_else(|| clock.now().wall);
        clock = clock.with_wall(start, args.clock_rate.unwrap_or(1.0));
    }
    far::run(far::Options {
        listen: args.listen,
        population: args.population.clone(),
        seed: args.seed,
        witness_log: args.witness.clone(),
        clock: Arc::new(clock),
    })?;
    Ok(Exit::Ok)
}
