//! `goldenhour bench`: sizes a machine, in CPU seconds, beside a peer in the same run where there is one.

mod beside;
mod figures;
mod golden;
mod import;
mod line;
mod originate;
mod parse;
mod rank;
mod score;
mod scrape;
mod sipp;
mod site;
mod stopwatch;
mod usage;

use clap::Subcommand;

use super::exit::{Exit, Stop};

/// Size a machine: each prints one JSON object, and speaks of CPU seconds, which a busy machine distorts least
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Golden(golden::Args),
    Import(import::Args),
    Line(line::Args),
    Originate(originate::Args),
    Parse(parse::Args),
    Rank(rank::Args),
    Score(score::Args),
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match &args.what {
        What::Golden(args) => golden::run(args),
        What::Import(args) => import::run(args),
        What::Line(args) => line::run(args),
        What::Originate(args) => originate::run(args),
        What::Parse(args) => parse::run(args),
        What::Rank(args) => rank::run(args),
        What::Score(args) => score::run(args),
    }
}
