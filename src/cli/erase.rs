//! `goldenhour erase`: a person is taken out of the database, and nobody calls them again.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::Pii;
use crate::store::{Erased, Store as _};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on};

/// Take a person out: key, numbers, attributes. Attempts stay without a person, and nobody calls them again
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The bank's customer key
    #[arg(long, value_name = "KEY", value_parser = super::dnc::secret)]
    contact: Pii<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    /// False: nobody by this key is known, or they were erased before.
    erased: bool,
    numbers: u64,
    /// They stay: another customer has them too.
    shared_numbers: u64,
    leads: u64,
    /// They stay, without a person.
    attempts: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(erase(args)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn erase(args: &Args) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let (mut store, _) = site.store().await?;
    let result = store.erase(&args.contact, super::now()).await;
    // The erasure is durable by now; a later opener writes the log back.
    let _closed = store.close().await;
    let found = result.map_err(|error| Stop::store(&error))?;
    let Erased { numbers, shared_numbers, leads, attempts } = found.unwrap_or_default();
    Ok(Report { erased: found.is_some(), numbers, shared_numbers, leads, attempts })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { erased, numbers, shared_numbers, leads, attempts } = self;
        if !erased {
            return write!(f, "nobody by this key is known; there is nothing to erase");
        }
        write!(f, "erased, with {numbers} numbers and what {leads} leads said of them; no call from 1 s on")?;
        if *attempts > 0 {
            write!(f, "\n{attempts} attempts stay, without a person")?;
        }
        if *shared_numbers > 0 {
            write!(f, "\n{shared_numbers} numbers stay: another customer has them too")?;
        }
        Ok(())
    }
}
