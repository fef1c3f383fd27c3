//! `goldenhour gateway`: the far end alone, until somebody stops it.

use std::fmt;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use crate::base::{Clock, render};

use super::file::load;
use super::serve::{FarConfig, FarHandle, start};
use super::town::Town;

/// What the command line says.
#[derive(Clone)]
pub struct Options {
    pub listen: SocketAddr,
    pub population: Option<PathBuf>,
    /// In place of the file's.
    pub seed: Option<u64>,
    pub witness_log: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({}, {:?}, {:?}, {:?})", self.listen, self.population, self.seed, self.witness_log)
    }
}

/// Serves until SIGINT or SIGTERM, and says on standard output where it listens and what it has seen.
pub fn run(options: Options) -> anyhow::Result<()> {
    let mut town = match &options.population {
        Some(path) => load(path).map_err(|errors| anyhow::anyhow!("{}", render(&errors)))?,
        None => Town::default(),
    };
    if let Some(seed) = options.seed {
        town.seed(seed);
    }
    let max_calls = town.max_calls;
    let config = FarConfig { town, witness_log: options.witness_log, ..FarConfig::new(options.listen, options.clock) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let far = runtime.block_on(async {
        // Signals are caught before anybody can know that we are up.
        let (mut interrupt, mut terminate) = (signal(Signal::Interrupt)?, signal(Signal::Terminate)?);
        let far = start(config)?;
        say(&format!("far end listens on udp {}, at most {max_calls} calls; Ctrl-C ends it", far.sip_addr))?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        anyhow::Ok(far)
    })?;
    say(&summary(&far))?;
    far.stop();
    Ok(())
}

#[derive(Clone, Copy)]
enum Signal {
    Interrupt,
    Terminate,
}

fn signal(which: Signal) -> anyhow::Result<tokio::signal::unix::Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let kind = match which {
        Signal::Interrupt => SignalKind::interrupt(),
        Signal::Terminate => SignalKind::terminate(),
    };
    signal(kind).context("cannot watch for signals")
}

fn summary(far: &FarHandle) -> String {
    let s = far.stats();
    format!(
        "{} calls came: {} people and {} machines answered, {} refused, {} over the limit, {} cancelled; \
         {} keys pressed, {} transfers taken, {} refused",
        s.invites, s.people, s.machines, s.refused, s.over_limit, s.cancelled, s.keys, s.transfers, s.transfers_refused
    )
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("standard output")
}
