//! `goldenhour pause` and `resume`: one campaign or all of them, in force in a running daemon within a second.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::store::{Paused, Sqlite, Store, StoreError};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on, unknown};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The campaign
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Everything
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    Pause,
    Resume,
}

#[derive(Debug, Serialize)]
struct Report {
    /// `None`: all.
    campaign: Option<String>,
    paused: bool,
    /// The switch over everything, as it is now.
    all_paused: bool,
    /// How many campaigns are paused by name, as it is now.
    paused_by_name: usize,
}

pub(super) fn run(args: &Args, switch: Switch) -> Result<Exit, Stop> {
    match block_on(turn(args, switch)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn turn(args: &Args, switch: Switch) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let (mut store, _) = site.store().await?;
    let name = args.name.as_deref();
    let result = set(&site, &mut store, name, switch == Switch::Pause).await;
    // The switch is durable by now; a later opener writes the log back.
    let _closed = store.close().await;
    let now = result?;
    Ok(Report {
        campaign: name.map(str::to_owned),
        paused: switch == Switch::Pause,
        all_paused: now.all,
        paused_by_name: now.campaigns.len(),
    })
}

/// A mistake in some campaign must not stand in the way of stopping another: the folder is read only for a name that
/// the database does not have.
async fn set(site: &Site, store: &mut Sqlite, name: Option<&str>, paused: bool) -> Result<Paused, Stop> {
    let mut result = store.set_paused(name, paused).await;
    if let (Err(StoreError::UnknownCampaign(_)), Some(name)) = (&result, name) {
        let plan = site.plan()?;
        if plan.campaigns.iter().all(|campaign| campaign.name != name) {
            return Err(unknown(name, &plan));
        }
        result = match store.campaign_ix(&[name.to_owned()]).await {
            Ok(_) => store.set_paused(Some(name), paused).await,
            Err(error) => Err(error),
        };
    }
    result.map_err(|error| Stop::store(&error))?;
    store.paused().await.map_err(|error| Stop::store(&error))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.campaign.as_deref().unwrap_or("everything");
        if self.paused {
            return write!(f, "{who} is paused: no new call from 1 s on, calls under way go on");
        }
        write!(f, "{who} is resumed")?;
        match (&self.campaign, self.all_paused, self.paused_by_name) {
            (Some(_), true, _) => f.write_str(", but everything is paused: `goldenhour resume --all`"),
            (None, _, 1) => f.write_str(", but 1 campaign stays paused by its name"),
            (None, _, count) if count > 1 => write!(f, ", but {count} campaigns stay paused by their names"),
            (Some(_) | None, _, _) => Ok(()),
        }
    }
}
