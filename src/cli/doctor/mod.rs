//! `goldenhour doctor`: would the daemon run well here, and can it reach what it needs? Changes nothing.

mod calls;
mod campaigns;
mod clock;
mod config;
mod database;
mod disk;
mod files;
mod keys;
mod listeners;
mod registrations;
mod report;
mod rtp;
mod spend;
mod trunks;

use std::path::PathBuf;

use crate::daemon::config::Config;

use super::exit::{Exit, Stop};
use super::output;

use report::{Finding, Report};

/// Check this machine and this configuration: files, database, ports, trunks, clock, limits
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let report = examine(args)?;
    let refused = report.exit().map(|exit| Stop { exit, why: anyhow::anyhow!("{}", report.summary()) });
    output::answer(args.json, &report, refused)
}

/// In the order in which one would mend things.
fn examine(args: &Args) -> Result<Report, Stop> {
    let (config, found) = config::check(&args.config);
    let mut report = Report::default();
    report.extend(found);
    let Some(config) = config else { return Ok(report) };
    report.extend([keys::check(&config), disk::check(&config)]);
    let (database, high_water) = database::check(&config)?;
    report.extend([
        database,
        campaigns::check(&config),
        clock::check(super::now().wall, high_water),
        files::check(&config),
    ]);
    report.extend(spend::check(&config, super::now().wall, high_water)?);
    let running = listeners::daemon(&config);
    let is_running = running.is_some();
    report.extend(running.map_or_else(|| listeners::free(&config), |daemon| vec![daemon]));
    report.extend(rtp::check(&config, is_running));
    report.extend(trunks::check(&config, super::now().wall));
    report.extend(registrations::check(&config, is_running));
    if is_running {
        report.extend(calls::check(&config));
    }
    Ok(report)
}

/// Calls at once over all trunks.
fn calls_max(config: &Config) -> u64 {
    config.trunks.iter().map(|trunk| u64::from(trunk.max_calls)).sum()
}
