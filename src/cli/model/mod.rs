//! `goldenhour model`: arms of an experiment, drift, whether a model may be the champion, and which one is.

mod arms;
mod check;
mod drift;
mod promote;

use super::exit::{Exit, Stop};

/// Compare the arms of an experiment, look whether a model still holds, and say which one is in force
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Arms(arms::Args),
    Check(check::Args),
    Drift(drift::Args),
    Promote(promote::Args),
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match &args.what {
        What::Arms(args) => arms::run(args),
        What::Check(args) => check::run(args),
        What::Drift(args) => drift::run(args),
        What::Promote(args) => promote::run(args),
    }
}
