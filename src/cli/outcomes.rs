//! `goldenhour outcomes import FILE`: labels that come later, such as sales, payments and corrections.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::base::{Code, Diagnostic};
use crate::feed::{Dispositions, LabelOptions, LabelReport, import_labels};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on};

/// Take late labels back: each becomes a new revision of its attempt, once
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    action: Action,
    /// CSV: attempt_id or customer_key (and campaign), disposition or amount, at
    file: PathBuf,
    /// Of the file, by its WHATWG name [default: utf-8]
    #[arg(long, value_name = "E")]
    encoding: Option<String>,
    /// Where labels that cannot be used are listed [default: beside the database]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Action {
    Import,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let done = match args.action {
        Action::Import => block_on(take_back(args)),
    };
    let report = match done {
        Ok(report) => report,
        Err(stop) => return output::failed(args.json, stop),
    };
    let refused = report.rejects == report.rows;
    output::answer(args.json, &report, refused.then(|| nothing_usable(&report)))
}

async fn take_back(args: &Args) -> Result<LabelReport, Stop> {
    let site = Site::read(&args.config)?;
    let dispositions = Dispositions::of(&site.plan()?);
    let rejects = args.rejects.clone().unwrap_or_else(|| site.beside_database(&args.file, "rejects.csv"));
    let options = LabelOptions { encoding: args.encoding.clone(), rejects: Some(rejects) };
    let (mut store, _) = site.store().await?;
    let result = import_labels(&mut store, &dispositions, &args.file, &options, super::now()).await;
    // Each label is durable by now; a later opener writes the log back.
    let _closed = store.close().await;
    result.map_err(|error| Stop::import(&args.file, &error))
}

fn nothing_usable(report: &LabelReport) -> Stop {
    let message = format!("{}: none of the {} labels can be used", report.file.display(), report.rows);
    let hint = "labels name attempts of this database that are finished: is it the right one?";
    Stop::one(Exit::Failure, Diagnostic::error(Code::LabelUnknown, message).hint(hint))
}
