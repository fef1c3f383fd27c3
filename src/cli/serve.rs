//! `goldenhour serve`: the daemon.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::base::Wall;
use crate::daemon::config::Config;
use crate::daemon::{Daemon, Notify, Options, StartError};
use crate::http::Health;

use super::exit::{Exit, Stop};
use super::output;

/// Dial: the daemon
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Trials only: where the wall clock starts; it resumes from the latest stored time if that is later
    #[arg(long, value_name = "RFC3339", value_parser = wall)]
    clock_start: Option<Wall>,
    /// Trials only: wall seconds per second
    #[arg(long, value_name = "N", value_parser = rate)]
    clock_rate: Option<f64>,
    /// Keep the engine's input journal here, for `goldenhour replay` [default: `journal:` of the configuration, or none]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let loaded = match Config::load(&args.config) {
        Ok(loaded) => loaded,
        Err(findings) => {
            output::complain_findings(&findings);
            return Ok(Exit::Invalid);
        }
    };
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let journal = args.journal.clone().or_else(|| loaded.config.journal.clone());
    let options = Options { clock: None, clock_start: args.clock_start, clock_rate: args.clock_rate, journal };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(loaded.config, options))
}

async fn serve(config: Config, options: Options) -> Result<Exit, Stop> {
    // Before anything else: a signal during start-up must not be lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let daemon = match Daemon::start(config, options).await {
        Ok(daemon) => daemon,
        Err(error) => return refuse(error),
    };
    let notify = Notify::from_environment();
    notify.ready();
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => {
                notify.reloading();
                reload(&daemon);
                notify.ready();
            }
            () = a_second() => {
                daemon.count_wire();
                notify.alive(daemon.health());
            }
        }
    }
    tracing::info!("stopping: no new calls, those under way finish");
    notify.stopping(daemon.config().drain_timeout);
    let health = daemon.health().clone();
    tokio::select! {
        stopped = daemon.stop() => stopped?,
        () = stay_alive(&notify, &health) => {}
    }
    Ok(Exit::Ok)
}

/// A drain may take hours; the watchdog wants to hear from us meanwhile.
async fn stay_alive(notify: &Notify, health: &Health) {
    loop {
        a_second().await;
        notify.alive(health);
    }
}

pub(super) fn refuse(error: StartError) -> Result<Exit, Stop> {
    let exit = match &error {
        StartError::Campaigns(findings) => {
            output::complain_findings(findings);
            return Ok(Exit::Invalid);
        }
        StartError::ClockWithLiveTrunk(_) => Exit::Refused,
        StartError::Exposed(_) | StartError::Tokens(_) => Exit::Invalid,
        StartError::Keys(_)
        | StartError::Store(_)
        | StartError::Http(_)
        | StartError::Wire(..)
        | StartError::Journal(..) => Exit::Unreachable,
        StartError::Other(_) => Exit::Failure,
    };
    Err(Stop { exit, why: error.into() })
}

/// Beside the loop: a large folder takes a while to read. It logs and counts by itself.
fn reload(daemon: &Daemon) {
    let reloader = Arc::clone(daemon.reloader());
    drop(tokio::task::spawn_blocking(move || reloader.reload()));
}

#[expect(clippy::disallowed_methods, reason = "totals go to the metrics and a sign of life to systemd once a second")]
async fn a_second() {
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}

pub(super) fn wall(text: &str) -> Result<Wall, String> {
    Wall::parse(text).map_err(|error| format!("{error}; like 2026-12-01T08:30:00+08:00"))
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.001..=100_000.0).contains(&rate) { Ok(rate) } else { Err("0.001 to 100000".to_owned()) }
}
