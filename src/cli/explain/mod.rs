//! `goldenhour explain`: one contact with every rule's answer, or one campaign in words.

mod campaign;
mod contact;
mod words;

use std::convert::Infallible;
use std::fmt::Display;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Pii, Wall};

use super::exit::{Exit, Stop};
use super::output;
use super::site::block_on;

/// Why somebody is called or not and what would have to change, or what a campaign says in words
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["campaign", "contact"]))]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A campaign in words: hours, caps, budget, retries and what the policy says about each
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// A person, by the bank's key: every lead, every rule, the next instant, the place in the queue
    #[arg(long, value_name = "KEY", value_parser = secret)]
    contact: Option<Pii<String>>,
    /// The moment to look from [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = super::serve::wall)]
    at: Option<Wall>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match &args.contact {
        Some(key) => tell(args, block_on(contact::explain(&args.config, key, args.at))),
        None => tell(args, campaign::explain(&args.config, args.campaign.as_deref().unwrap_or_default())),
    }
}

fn tell<T: Display + Serialize>(args: &Args, report: Result<T, Stop>) -> Result<Exit, Stop> {
    match report {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap asks for")]
fn secret(text: &str) -> Result<Pii<String>, Infallible> {
    Ok(Pii::new(text.to_owned()))
}
