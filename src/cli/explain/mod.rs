//! `goldenhour explain`: one contact with every rule's answer, one campaign in words, or one call with its SIP.

mod attempt;
mod campaign;
mod contact;
mod ladder;
mod learned;
mod words;

use std::convert::Infallible;
use std::fmt::Display;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{AttemptId, Pii, Wall};

use super::exit::{Exit, Stop};
use super::output;
use super::site::block_on;

/// Why somebody is called or not and what would have to change, what a campaign says in words, or how one call went
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["campaign", "contact", "attempt"]))]
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
    /// A call, by the id that exports and the API give it: what came of it, and its SIP as a ladder, masked
    #[arg(long, value_name = "ID", value_parser = attempt_id, conflicts_with = "at")]
    attempt: Option<AttemptId>,
    /// The moment to look from [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = super::serve::wall)]
    at: Option<Wall>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match (&args.contact, args.attempt) {
        (Some(key), _) => tell(args, block_on(contact::explain(&args.config, key, args.at))),
        (None, Some(attempt)) => tell(args, block_on(attempt::explain(&args.config, attempt))),
        (None, None) => {
            let name = args.campaign.as_deref().unwrap_or_default();
            tell(args, block_on(campaign::explain(&args.config, name, args.at)))
        }
    }
}

fn tell<T: Display + Serialize>(args: &Args, report: Result<T, Stop>) -> Result<Exit, Stop> {
    match report {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

fn attempt_id(text: &str) -> Result<AttemptId, &'static str> {
    AttemptId::parse(text).ok_or("this is not the id of an attempt: 0190f3c4-…, as in the outcome export")
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap asks for")]
pub(super) fn secret(text: &str) -> Result<Pii<String>, Infallible> {
    Ok(Pii::new(text.to_owned()))
}
