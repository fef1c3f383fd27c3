//! `goldenhour migrate`: the database's schema brought up to date, and what the database holds.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::store::{Stats, Store};

use super::exit::{Exit, Stop};
use super::output::{self, table};
use super::site::{Site, block_on};

/// Bring the database's schema up to date, or make it; other commands do so too when they open it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    database: PathBuf,
    keys_file: PathBuf,
    contacts: u64,
    phones: u64,
    leads: u64,
    attempts: u64,
    /// Attempts that are not finished.
    live: u64,
    outcomes: u64,
    sealed: u64,
    /// Do-not-call entries.
    dnc: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(migrate(args)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn migrate(args: &Args) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let (mut store, _) = site.store().await?;
    let stats = store.stats().await.map_err(|error| Stop::store(&error))?;
    // Nothing was written that the next opener could not write back.
    let _closed = store.close().await;
    let Stats { contacts, phones, leads, attempts, live, outcomes, sealed, dnc } = stats;
    let (database, keys_file) = (site.database().to_owned(), site.keys_file().to_owned());
    Ok(Report { database, keys_file, contacts, phones, leads, attempts, live, outcomes, sealed, dnc })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: the schema is up to date", self.database.display())?;
        let mut table = table();
        for (what, count) in [
            ("contacts", self.contacts),
            ("numbers", self.phones),
            ("leads", self.leads),
            ("attempts", self.attempts),
            ("  not finished", self.live),
            ("outcomes", self.outcomes),
            ("  sealed", self.sealed),
            ("do-not-call entries", self.dnc),
        ] {
            table.add_row([what.to_owned(), count.to_string()]);
        }
        output::right_align(&mut table, 1);
        write!(f, "{}", table.trim_fmt())
    }
}
