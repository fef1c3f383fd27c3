//! `goldenhour pause` and `resume`: one campaign, one trunk or everything, in force in a running daemon within a second.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Code, Diagnostic};
use crate::store::{Paused, Sqlite, Store, StoreError, Switch, SwitchOf};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on, unknown};

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub(super) struct PauseArgs {
    #[command(flatten)]
    what: Args,
    /// End the calls under way too: cancel what rings, hang up what talks
    #[arg(long)]
    hang_up: bool,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    what: Args,
}

#[derive(Debug, clap::Args)]
struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The campaign
    #[arg(value_name = "NAME", group = "what")]
    name: Option<String>,
    /// A trunk, by its name in the configuration
    #[arg(long, value_name = "NAME", group = "what")]
    trunk: Option<String>,
    /// Everything
    #[arg(long, group = "what")]
    all: bool,
    /// Why, in one line without personal data; it is kept
    #[arg(long, value_name = "TEXT", default_value = "not stated")]
    reason: String,
    /// Who does it; it is kept. The account that runs this, without it
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    /// `None`: all, or a trunk.
    campaign: Option<String>,
    trunk: Option<String>,
    paused: bool,
    hang_up: bool,
    /// The switch over everything, as it is now.
    all_paused: bool,
    /// How many campaigns are paused by name, as it is now.
    paused_by_name: usize,
    /// Trunks that are stopped, as it is now.
    stopped_trunks: Vec<String>,
}

pub(super) fn pause(args: &PauseArgs) -> Result<Exit, Stop> {
    run(&args.what, true, args.hang_up)
}

pub(super) fn resume(args: &ResumeArgs) -> Result<Exit, Stop> {
    run(&args.what, false, false)
}

fn run(args: &Args, paused: bool, hang_up: bool) -> Result<Exit, Stop> {
    match block_on(turn(args, paused, hang_up)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn turn(args: &Args, paused: bool, hang_up: bool) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let switch = switch(args, &site, paused, hang_up)?;
    let (mut store, _) = site.store().await?;
    let result = set(&site, &mut store, &switch).await;
    // The switch is durable by now; a later opener writes the log back.
    let _closed = store.close().await;
    let now = result?;
    Ok(Report {
        campaign: args.name.clone(),
        trunk: args.trunk.clone(),
        paused,
        hang_up,
        all_paused: now.all,
        paused_by_name: now.campaigns.len(),
        stopped_trunks: now.trunks,
    })
}

fn switch(args: &Args, site: &Site, paused: bool, hang_up: bool) -> Result<Switch, Stop> {
    let line = |what: &str, text: &str| {
        let message = format!("{what} is one line of at most {} characters", Switch::REASON_MAX);
        Switch::reason(text).ok_or_else(|| Stop::one(Exit::Usage, Diagnostic::error(Code::BadValue, message)))
    };
    let of = match (&args.name, &args.trunk) {
        (Some(name), _) => SwitchOf::Campaign(name.clone()),
        (None, Some(name)) => SwitchOf::Trunk(trunk(site, name, paused)?),
        (None, None) => SwitchOf::Everything,
    };
    let who = args.by.clone().unwrap_or_else(account);
    let (who, reason) = (line("--by", &who)?, line("--reason", &args.reason)?);
    Ok(Switch { of, paused, hang_up, who, reason, at: super::now().wall })
}

/// What is stopped must be ours; one that left the configuration may still be let go on.
fn trunk(site: &Site, name: &str, paused: bool) -> Result<String, Stop> {
    let known = || site.config().trunks.iter().map(|trunk| trunk.name.as_str());
    if !paused || known().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let finding = Diagnostic::error(Code::UnknownName, format!("the configuration has no trunk `{name}`"));
    let hint = format!("it has {}", known().collect::<Vec<_>>().join(", "));
    Err(Stop::one(Exit::Invalid, finding.hint(hint)))
}

/// The account that this process runs as.
fn account() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let user = std::fs::metadata("/proc/self").map(|own| format!("user id {}", own.uid()));
    user.unwrap_or_else(|_| "somebody on the command line".to_owned())
}

/// A mistake in some campaign must not stand in the way of stopping another: the folder is read only for a name that
/// the database does not have.
async fn set(site: &Site, store: &mut Sqlite, switch: &Switch) -> Result<Paused, Stop> {
    let mut result = store.turn(switch).await;
    if let (Err(StoreError::UnknownCampaign(_)), SwitchOf::Campaign(name)) = (&result, &switch.of) {
        let plan = site.plan()?;
        if plan.campaigns.iter().all(|campaign| campaign.name != *name) {
            return Err(unknown(name, &plan));
        }
        result = match store.campaign_ix(std::slice::from_ref(name)).await {
            Ok(_) => store.turn(switch).await,
            Err(error) => Err(error),
        };
    }
    result.map_err(|error| Stop::store(&error))?;
    store.paused().await.map_err(|error| Stop::store(&error))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.campaign, &self.trunk) {
            (Some(name), _) => f.write_str(name)?,
            (None, Some(name)) => write!(f, "trunk {name}")?,
            (None, None) => f.write_str("everything")?,
        }
        if self.paused {
            let under_way = if self.hang_up { "are ended" } else { "go on" };
            return write!(f, " is paused: no new call from 1 s on, calls under way {under_way}");
        }
        f.write_str(" is resumed")?;
        if self.all_paused {
            return f.write_str(", but everything is paused: `goldenhour resume --all`");
        }
        match (&self.campaign, &self.trunk, self.paused_by_name) {
            (None, None, 1) => f.write_str(", but 1 campaign stays paused by its name")?,
            (None, None, count) if count > 1 => write!(f, ", but {count} campaigns stay paused by their names")?,
            (_, _, _) => {}
        }
        if !self.stopped_trunks.is_empty() {
            write!(f, "; stopped trunks: {}", self.stopped_trunks.join(", "))?;
        }
        Ok(())
    }
}
