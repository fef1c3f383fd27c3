//! `goldenhour import LIST`: a list into the database, all of its good rows or nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::base::{Code, Diagnostic};
use crate::feed::{ImportError, ImportOptions, ImportReport, ImportStatus, ReadOptions, dry_run, import};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on};

/// Load a list of leads for a campaign; the same list again changes nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose leads they are
    #[arg(long, value_name = "NAME")]
    campaign: String,
    /// Read and report, store nothing
    #[arg(long)]
    dry_run: bool,
    /// Of the list, by its WHATWG name: gb18030, big5, utf-16le [default: utf-8]
    #[arg(long, value_name = "E")]
    encoding: Option<String>,
    /// Where rows that cannot be used are listed [default: beside the database, and nowhere with --dry-run]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// CSV, plain or gzip
    list: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let report = match block_on(load(args)) {
        Ok(report) => report,
        Err(stop) => return output::failed(args.json, stop),
    };
    let refused = report.status != ImportStatus::Unchanged && report.tally.leads == 0;
    output::answer(args.json, &report, refused.then(|| nothing_usable(&report)))
}

async fn load(args: &Args) -> Result<ImportReport, Stop> {
    let site = Site::read(&args.config)?;
    let campaign = site.campaign(&args.campaign)?;
    let map = &campaign.list;
    let read = ReadOptions { encoding: args.encoding.clone(), ..ReadOptions::default() };
    read.check().map_err(|error| Stop::import(&args.list, &error.into()))?;
    let mut options = ImportOptions { read, rejects: args.rejects.clone() };
    let bar = if args.dry_run { ProgressBar::new_spinner() } else { progress(&args.list) };
    let result = if args.dry_run {
        bar.enable_steady_tick(Duration::from_millis(100));
        dry_run(&campaign.name, map, &args.list, &options)
    } else {
        let beside = || site.beside_database(&args.list, &format!("{}.rejects.csv", campaign.name));
        options.rejects.get_or_insert_with(beside);
        let (mut store, _) = site.store().await?;
        let mut progress = |bytes| bar.set_position(bytes);
        let result = import(&mut store, &campaign.name, map, &args.list, &options, super::now(), &mut progress).await;
        // What was committed is durable; a later opener writes the log back.
        let _closed = store.close().await;
        result
    };
    bar.finish_and_clear();
    match result {
        Ok(report) => Ok(report),
        Err(ImportError::NoLead(report)) => Ok(*report),
        Err(error @ (ImportError::List(_) | ImportError::Store(_) | ImportError::Rejects(_))) => {
            Err(Stop::import(&args.list, &error))
        }
    }
}

fn nothing_usable(report: &ImportReport) -> Stop {
    let message = format!("{}: none of the {} rows can be loaded", report.file.display(), report.tally.rows);
    let finding = Diagnostic::error(Code::ListEmpty, message);
    Stop::one(
        Exit::Failure,
        finding.hint("each code among the rejects has a page; the first rows of the report show where to look"),
    )
}

/// On standard error, and only where that is a terminal.
fn progress(list: &Path) -> ProgressBar {
    let bar = ProgressBar::new(fs::metadata(list).map_or(0, |about| about.len()));
    match ProgressStyle::with_template("{spinner} {bytes} of {total_bytes} {wide_bar} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
