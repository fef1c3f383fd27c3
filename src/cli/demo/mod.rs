//! `goldenhour demo`: the whole main job on loopback, in a minute: lists, golden hours, real SIP and RTP, outcomes.

mod hours;
mod lists;
mod shipped;
mod stage;
mod summary;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::{Clock as _, Wall};
use crate::daemon::{Daemon, Options, OsClock};
use crate::far::{self, FarConfig};
use crate::feed::{self, ExportOptions, Format, Profile, Style};
use crate::store::Store as _;

use super::exit::{Exit, Stop};
use super::output;

/// The whole main job on this machine alone: lists are loaded, people called over SIP and RTP on loopback, outcomes
/// exported. One calling day in about a minute
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// When the day begins [default: a Tuesday morning]
    #[arg(long, value_name = "RFC3339", value_parser = super::serve::wall)]
    at: Option<Wall>,
    /// Stop after so many attempts
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// The same seed draws the same lists and the same people
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where it keeps its files; a second run in the same folder goes on with the next day
    #[arg(long, value_name = "DIR", default_value = "goldenhour-demo")]
    dir: PathBuf,
}

/// Wall seconds in one real second: a day of thirteen hours passes in a minute.
const RATE: f64 = 800.0;
/// People ring and talk in this share of real time, so that a minute holds a day's calls.
const PACE: f64 = 0.12;
const DEFAULT_START: &str = "2026-12-01T08:50:00+08:00";

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(demo(args))
}

async fn demo(args: &Args) -> Result<Exit, Stop> {
    let start = args.at.or_else(|| Wall::parse(DEFAULT_START).ok()).unwrap_or_default();
    let mut far_end = far_end(args.seed);
    let clock = Arc::new(OsClock::new().with_wall(start, RATE));
    far_end.clock = Arc::clone(&clock) as Arc<dyn crate::base::Clock>;
    let far = far::start(far_end)?;

    let stage = stage::prepare(&args.dir, far.sip_addr, args.seed)?;
    let mut store = stage.open().await?;
    clock.jump_to(store.high_water().await?);
    output::say(&format!(
        "Goldenhour demo in {}, seed {}: nobody outside this machine is called.\n",
        args.dir.display(),
        args.seed
    ))?;
    stage.load_lists(&mut store, clock.now()).await?;
    if let Some(opening) = hours::next_opening(&stage, clock.now().wall)? {
        output::say(&format!(
            "\nIt is {}: nobody may be called at this hour. The next calling hours begin at {}; going there.",
            hours::shown(clock.now().wall),
            hours::shown(opening)
        ))?;
        clock.jump_to(opening);
    }
    let before = summary::dialled_before(&mut store).await?;
    store.close().await?;

    let options = Options { clock: Some(Arc::clone(&clock)), ..Options::default() };
    let daemon = match Daemon::start(stage.config.clone(), options).await {
        Ok(daemon) => daemon,
        Err(error) => return super::serve::refuse(error),
    };
    watch::until_evening(&daemon, &stage, args.calls).await;
    let ended = clock.now();
    daemon.stop().await?;
    let heard = far.stats();
    far.stop();

    let mut store = stage.open().await?;
    let exports = args.dir.join("exports");
    let style = Style { format: Format::Csv, profile: Profile::Machine, features: false };
    let options = ExportOptions { style, out: exports.clone(), consumer: None, from_start: false };
    let exported = feed::export(&mut store, &options, ended).await?;
    let table = summary::table(&mut store, &stage, &before, ended).await?;
    output::say(&table)?;
    output::say(&format!("\nThe far end took {} calls.", heard.invites))?;
    output::say(&exported.to_string())?;
    output::say(&stage.what_next())?;
    Ok(Exit::Ok)
}

fn far_end(seed: u64) -> FarConfig {
    let clock: Arc<dyn crate::base::Clock> = Arc::new(OsClock::new());
    let mut config = FarConfig::new(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), clock);
    config.town.seed(seed);
    config.town.people.pace = PACE;
    config.town.max_calls = 2_000;
    config.town.any_queue.seats = 60;
    config.town.gbk_server = 0.05;
    config
}
