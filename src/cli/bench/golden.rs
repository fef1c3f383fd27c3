//! `goldenhour bench golden`: GOLDEN-1, what an order of calls is worth, on the queue that the engine uses.

use crate::cli::exit::{Exit, Stop};
use crate::cli::output;
use crate::sim::golden::{Policy, Setting, play};

use super::figures::{Figures, rounded};

/// An order of calls in a world whose golden hours nobody knows at first: conversions of ten days, right parties per dial
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Dials an hour
    #[arg(long, value_name = "K", default_value_t = 750, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    capacity: u32,
    /// fifo: by score; random; fifo_low: fewest attempts first; greedy: chance of an answer now × score; price: as
    /// `rank.by: expected_value`; wait: as with `rank.lookahead: 1d`
    #[arg(long, value_name = "POLICY", default_value = "price", value_parser = policy)]
    policy: Policy,
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let Args { capacity, policy, seed, .. } = *args;
    let setting = Setting { policy, capacity, seed, people: Setting::PEOPLE, days: Setting::DAYS };
    let score = play(setting).map_err(|findings| anyhow::anyhow!(crate::base::render(&findings)))?;
    let mut figures = Figures::default();
    figures.set("policy", policy.as_str()).set("capacity", capacity).set("seed", seed);
    figures.set("dials", score.dials).set("reached", score.reached);
    figures.set("conversions", rounded(score.conversions, 1));
    figures.set("rpc_per_dial", rounded(f64::from(score.reached) / f64::from(score.dials.max(1)), 4));
    output::answer(args.json, &figures, None)
}

fn policy(text: &str) -> Result<Policy, String> {
    let found = Policy::ALL.into_iter().find(|policy| policy.as_str() == text);
    found.ok_or_else(|| format!("one of {}", Policy::ALL.map(Policy::as_str).join(", ")))
}
