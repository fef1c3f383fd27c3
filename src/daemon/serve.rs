//! Start-up, reload and shutdown: reads like the story of one run.

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::base::{Clock, Diagnostic, Now, Wall};
use crate::engine::{Engine, EngineConfig, Input, OperatorCommand, RecoveredAttempt, Whose, day_of};
use crate::http::{self, Api, Check, Health, HttpError, TokensError, TokensFile};
use crate::obs::Metrics;
use crate::store::{Keys, KeysError, Sqlite, Store, StoreError};
use crate::wire;

use super::clock::OsClock;
use super::config::{Config, Database};
use super::control::ApiControl;
use super::errands::{Errands, Tools};
use super::journal::{Journal, PlanFiles};
use super::names::Names;
use super::pump::{Pump, Queues, ToEngine};
use super::reload::Reloader;
use super::signing::Signing;
use super::switches::Switches;
use super::tally::Tally;
use super::traces::Traces;
use super::view::View;
use super::watch::Watch;
use super::writer::{ToWriter, Writer};
use super::{secret, seed, setup};

/// What the command line adds to the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A clock that others share, as in the demo; instead of the two below.
    pub clock: Option<Arc<OsClock>>,
    /// Where the wall clock starts. It resumes from the stored high-water mark if that is later.
    pub clock_start: Option<Wall>,
    /// Wall seconds per second; 1 without it.
    pub clock_rate: Option<f64>,
    /// Where the engine's input journal is kept.
    pub journal: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the campaigns do not load")]
    Campaigns(Vec<Diagnostic>),
    #[error(
        "--clock-start and --clock-rate need `test_numbers_only: true` and no live trunk: {0} may call real people"
    )]
    ClockWithLiveTrunk(String),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Tokens(#[from] TokensError),
    #[error(
        "error[GH6008]: `http.listen` {0} can be reached from other machines, and there are no tokens: make one with \
         `goldenhour token new --role viewer`, or listen on 127.0.0.1"
    )]
    Exposed(std::net::SocketAddr),
    #[error("cannot open the SIP or RTP sockets on {0}: {1}")]
    Wire(std::net::SocketAddr, std::io::Error),
    #[error("{code}: the input journal {0} cannot be made: {1}", code = crate::base::Code::JournalWrite)]
    Journal(PathBuf, std::io::Error),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// A running daemon: threads, sockets, listeners.
#[derive(Debug)]
pub struct Daemon {
    config: Config,
    clock: Arc<OsClock>,
    metrics: Metrics,
    health: Health,
    view: Arc<Mutex<View>>,
    engine: SyncSender<ToEngine>,
    writer: SyncSender<ToWriter>,
    wire: wire::Handle,
    /// Looks the names of gateways up, where there are any.
    names: Option<Names>,
    traces: Option<Traces>,
    threads: Vec<JoinHandle<()>>,
    stop_http: watch::Sender<bool>,
    reloader: Arc<Reloader>,
    /// While it is here, the folder of campaigns is watched.
    watch: Option<(SyncSender<()>, JoinHandle<()>)>,
    /// Feeds and exports; they stop when it goes.
    errands: Errands,
}

impl Daemon {
    /// Messages that may wait for a thread. A full queue slows its sender down; nothing is dropped.
    const QUEUE: usize = 4_096;

    /// Needs a tokio runtime for the listeners. Returns once leads are being loaded and calls may go out.
    pub async fn start(config: Config, options: Options) -> Result<Self, StartError> {
        // Before the plan is read: what is saved from now on is a change.
        let watch = Watch::new(&config.campaigns);
        let metrics = Metrics::new().map_err(anyhow::Error::from)?;
        let (writer_tx, writer_rx) = sync_channel(Self::QUEUE);
        let plan_files = options.journal.is_some().then(PlanFiles::default);
        let reloader = Arc::new(Reloader::new(&config, metrics.clone(), writer_tx.clone(), plan_files.clone()));
        let plan = reloader.first().map_err(StartError::Campaigns)?;
        let keys = Arc::new(load_keys(&config)?);
        let mut store = open_store(&config, &keys).await?;
        let journal = options.journal.clone();
        let clock = make_clock(&config, options, store.high_water().await?)?;
        let health = health_of(&clock, &metrics);

        let trunks: Vec<String> = config.trunks.iter().map(|trunk| trunk.name.clone()).collect();
        let (recovered, ringing) = begin(&mut store, &trunks, &clock).await?;
        health.ready(Check::Store);

        let (view, captures) = (Arc::new(Mutex::new(View::default())), Arc::<wire::Captures>::default());
        let api = open_api(&config, &keys, ApiControl::new(&clock, &view, &reloader, &captures)).await?;
        let stop_http = serve_http(&config, &health, &metrics, api).await?;
        config.trunks.iter().for_each(|trunk| super::tally::open_trunk(&metrics, trunk));
        let (engine_tx, engine_rx) = sync_channel(Self::QUEUE);
        let (wire, names, traces) = start_wire(&config, &keys, &ringing, &clock, (&engine_tx, captures))?;
        health.ready(Check::Line);

        let now = Now { wall: clock.now().wall.max(store.high_water().await?), ..clock.now() };
        let engine_config = setup::engine(&config, seed()?, clock.rate());
        tell_today(&engine_tx, &mut store, &engine_config, now).await?;
        let journal = open_journal(journal, plan_files, now, &engine_config)?;
        let pump = Pump {
            engine: Engine::new(now, engine_config),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            inbox: engine_rx,
            writer: writer_tx.clone(),
            orders: wire.orders(),
            signing: Signing::start(&config, &engine_tx, &clock, &metrics)?,
            tally: Tally::new(metrics.clone(), trunks.clone()),
            health: health.clone(),
            view: Arc::clone(&view),
            queues: Queues::default(),
            journal,
            captures: Arc::clone(wire.captures()),
        };
        let (ticks, to, counts) = (Arc::clone(&clock) as Arc<dyn Clock>, engine_tx.clone(), metrics.clone());
        let writer = Writer::new(store, ticks, writer_rx, to, counts, health.clone(), Switches::new(trunks));
        let threads = vec![spawn("engine", move || pump.run())?, spawn_writer(writer)?];
        metrics.config_last_reload_successful.set_truth([], true);
        let errands = start_errands(&config, keys, &clock, &metrics, &reloader)?;
        tell(&writer_tx, ToWriter::Plan(plan));
        let watch = if config.watch { Some(start_watch(watch, &reloader)?) } else { None };
        health.ready(Check::Campaigns);
        health.ready(Check::Engine);
        tracing::info!(sip = %wire.local(), http = %config.http, recovered, "ready");
        Ok(Self {
            config,
            clock,
            metrics,
            health,
            view,
            engine: engine_tx,
            writer: writer_tx,
            wire,
            names,
            traces,
            threads,
            stop_http,
            reloader,
            watch,
            errands,
        })
    }

    /// For whoever may ask for a new plan.
    pub fn reloader(&self) -> &Arc<Reloader> {
        &self.reloader
    }

    pub fn view(&self) -> View {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn clock(&self) -> &Arc<OsClock> {
        &self.clock
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The SIP socket's own address.
    pub fn sip(&self) -> std::net::SocketAddr {
        self.wire.local()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What the line has counted since the last time, and how long the engine has been silent, into the metrics: the
    /// engine could not say so itself.
    pub fn count_wire(&self) {
        super::tally::count_wire(&self.metrics, self.wire.counts(), &self.config.trunks);
        super::tally::count_traces(&self.metrics, self.wire.counts(), self.traces.as_ref().map_or(0, Traces::lost));
        for (trunk, state) in self.config.trunks.iter().zip(self.wire.links()) {
            super::tally::count_link(&self.metrics, &trunk.name, state.as_ref());
        }
        // A line where nothing moves would keep what nobody fetches.
        self.wire.captures().tell(self.clock.now().tick, |_| ());
        self.metrics.engine_silence_seconds.set([], self.health.silence().as_secs_f64());
    }

    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Stops dialling, lets calls finish up to `drain_timeout`, persists, and ends every thread.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.health.not_ready(Check::Engine, "draining");
        drop(std::mem::take(&mut self.errands));
        self.command(OperatorCommand::Drain);
        if !self.idle_within(self.config.drain_timeout).await {
            tracing::warn!("calls are still under way after drain_timeout; they are ended now");
            self.command(OperatorCommand::HangUp(Whose::Everybody));
            self.idle_within(Duration::from_secs(5)).await;
        }
        let _nobody_listens = self.stop_http.send(true);
        if let Some((stop, folder)) = self.watch.take() {
            drop(stop);
            join(folder).await?;
        }
        // The writer first: it commits everything the engine has asked for, while the engine still takes its answers.
        tell(&self.writer, ToWriter::Stop);
        if let Some(writer) = self.threads.pop() {
            join(writer).await?;
        }
        tell(&self.engine, ToEngine::Stop);
        if let Some(engine) = self.threads.pop() {
            join(engine).await?;
        }
        let (names, wire, traces) = (self.names, self.wire, self.traces);
        let ended = tokio::task::spawn_blocking(move || {
            drop((names, wire));
            traces.map(Traces::join)
        });
        ended.await?;
        Ok(())
    }

    fn command(&self, command: OperatorCommand) {
        tell(&self.engine, ToEngine::Input(Box::new(Input::Command(command))));
    }

    /// True once no attempt is under way. The view is a fifth of a second old at most.
    async fn idle_within(&self, limit: Duration) -> bool {
        let since = self.clock.now().tick;
        loop {
            let asked = self.clock.now().tick;
            wait(Duration::from_millis(250)).await;
            let view = self.view();
            if view.at.is_some_and(|at| at.tick >= asked) && view.live_attempts == 0 {
                return true;
            }
            if self.clock.now().tick.since(since) >= limit {
                return false;
            }
        }
    }
}

fn health_of(clock: &Arc<OsClock>, metrics: &Metrics) -> Health {
    let ticks = Arc::clone(clock);
    Health::new(move || ticks.now().tick, metrics.clone())
}

/// How often our own numbers were shown since the local day began, and what calls cost if that matters: the first things
/// that the engine hears.
async fn tell_today(
    engine: &SyncSender<ToEngine>,
    store: &mut Sqlite,
    config: &EngineConfig,
    now: Now,
) -> Result<(), StoreError> {
    let (since, _) = day_of(&config.zone, now.wall);
    let counts = store.shown_since(since).await?.into_iter();
    let counts = counts.map(|(number, count)| (Arc::from(number), count)).collect();
    tell(engine, ToEngine::Input(Box::new(Input::Shown { since, counts })));
    if config.trunks.iter().any(|trunk| trunk.spend.is_some()) {
        let calls = store.talked_since(since).await?;
        tell(engine, ToEngine::Input(Box::new(Input::Talked { since, calls })));
    }
    Ok(())
}

/// Takes the database for dialling. How many attempts an earlier process left behind, and all that may ring still.
async fn begin(
    store: &mut Sqlite,
    trunks: &[String],
    clock: &OsClock,
) -> Result<(usize, Vec<RecoveredAttempt>), StoreError> {
    /// What a recovery before ours closed within this time may ring still, if its process died at once.
    const MAY_RING: Duration = Duration::from_mins(5);
    store.begin("node-1", trunks, clock.now()).await?;
    if !clock.keeps_time() {
        store.note_trial_clock().await?;
    }
    let lately = store.recovered_since(clock.now().wall - MAY_RING.mul_f64(clock.rate())).await?;
    let recovered = store.recover(clock.now()).await?;
    Ok((recovered.len(), recovered.into_iter().chain(lately).collect()))
}

fn start_errands(
    config: &Config,
    keys: Arc<Keys>,
    clock: &Arc<OsClock>,
    metrics: &Metrics,
    reloader: &Reloader,
) -> anyhow::Result<Errands> {
    let (clock, plan) = (Arc::clone(clock) as Arc<dyn Clock>, reloader.in_force());
    Ok(Errands::start(&Tools { config: config.clone(), keys, clock, metrics: metrics.clone(), plan })?)
}

fn open_journal(
    path: Option<PathBuf>,
    files: Option<PlanFiles>,
    now: Now,
    config: &EngineConfig,
) -> Result<Option<Journal>, StartError> {
    let (Some(path), Some(files)) = (path, files) else { return Ok(None) };
    let journal = Journal::open(&path, files, now, config);
    journal.map(Some).map_err(|why| StartError::Journal(path, why))
}

fn start_watch(watch: Watch, reloader: &Arc<Reloader>) -> anyhow::Result<(SyncSender<()>, JoinHandle<()>)> {
    let (stop, stopped) = sync_channel(1);
    let reloader = Arc::clone(reloader);
    Ok((stop, spawn("folder", move || watch.run(&reloader, &stopped))?))
}

/// New keys are made for a new database only: beside an old one they would leave its numbers unreadable.
fn load_keys(config: &Config) -> Result<Keys, KeysError> {
    let Database::Sqlite(path) = &config.database;
    if path.exists() { Keys::load(&config.keys_file) } else { Keys::load_or_create(&config.keys_file) }
}

pub(super) async fn open_store(config: &Config, keys: &Arc<Keys>) -> Result<Sqlite, StoreError> {
    let Database::Sqlite(path) = &config.database;
    let mut store = Sqlite::open(&format!("sqlite://{}", path.display()), Arc::clone(keys)).await?;
    store.migrate().await?;
    Ok(store)
}

fn make_clock(config: &Config, options: Options, high_water: Wall) -> Result<Arc<OsClock>, StartError> {
    if options.clock.is_none() && options.clock_start.is_none() && options.clock_rate.is_none() {
        return Ok(Arc::new(OsClock::new()));
    }
    if let Some(live) = config.trunks.iter().find(|trunk| trunk.live || !config.test_numbers_only) {
        return Err(StartError::ClockWithLiveTrunk(live.name.clone()));
    }
    let clock = options.clock.unwrap_or_else(|| {
        let clock = OsClock::new();
        let start = options.clock_start.unwrap_or_else(|| clock.now().wall);
        Arc::new(clock.with_wall(start, options.clock_rate.unwrap_or(1.0)))
    });
    clock.jump_to(high_water);
    Ok(clock)
}

/// With a connection of its own: what people ask holds up nobody who dials.
async fn open_api(config: &Config, keys: &Arc<Keys>, control: ApiControl) -> Result<Arc<Api>, StartError> {
    let tokens = TokensFile::new(&config.tokens_file);
    if tokens.load()?.is_empty() && !config.http.ip().is_loopback() {
        return Err(StartError::Exposed(config.http));
    }
    let trunks = config.trunks.iter().map(|trunk| trunk.name.clone()).collect();
    let facts = http::Facts { keys: Arc::clone(keys), country: config.country, trunks };
    Ok(Arc::new(Api::new(Arc::new(control), open_store(config, keys).await?, facts, tokens)))
}

async fn serve_http(
    config: &Config,
    health: &Health,
    metrics: &Metrics,
    of_api: Arc<Api>,
) -> Result<watch::Sender<bool>, StartError> {
    let (stop, stopped) = watch::channel(false);
    let api = http::bind("http.listen", config.http).await?;
    let scrape = http::bind("metrics.listen", config.metrics).await?;
    for (listener, router) in
        [(api, http::api(health.clone(), Some(&of_api))), (scrape, http::metrics(metrics.clone()))]
    {
        let stopped = stopped.clone();
        tokio::spawn(async move {
            if let Err(error) = http::serve(listener, router, stopped).await {
                tracing::error!(%error, "a listener failed");
            }
        });
    }
    Ok(stop)
}

fn start_wire(
    config: &Config,
    keys: &Keys,
    ringing: &[RecoveredAttempt],
    clock: &Arc<OsClock>,
    (engine, captures): (&SyncSender<ToEngine>, Arc<wire::Captures>),
) -> Result<(wire::Handle, Option<Names>, Option<Traces>), StartError> {
    let Database::Sqlite(path) = &config.database;
    let journal: PathBuf = path.with_extension("dialogs");
    let mut settings = setup::wire(config, *keys.sip(), Some(journal), (seed()?, secret()?));
    settings.recover = setup::recovered(config, ringing);
    let (tap, traces) = start_traces(config, clock.now())?.unzip();
    (settings.tap, settings.captures) = (tap, captures);
    let engine = engine.clone();
    let sink = move |events: &mut Vec<wire::Event>| {
        if events.is_empty() {
            return;
        }
        match engine.try_send(ToEngine::Legs(std::mem::take(events))) {
            Ok(()) => {}
            Err(std::sync::mpsc::TrySendError::Full(ToEngine::Legs(kept))) => *events = kept,
            Err(_) => events.clear(),
        }
    };
    let started = wire::start(settings, Arc::clone(clock) as Arc<dyn Clock>, sink);
    let wire = started.map_err(|why| StartError::Wire(config.sip, why))?;
    let names = Names::start(config, wire.orders())?;
    Ok((wire, names, traces))
}

fn start_traces(config: &Config, now: Now) -> anyhow::Result<Option<(wire::Tap, Traces)>> {
    if config.traces_bytes == 0 {
        return Ok(None);
    }
    Ok(Some(Traces::start(config.traces_folder(), config.traces_bytes, now.wall)?))
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(body)?)
}

fn spawn_writer(writer: Writer) -> anyhow::Result<JoinHandle<()>> {
    // Without the I/O driver a wake-up is a futex and not a turn of epoll: the database has a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    spawn("writer", move || runtime.block_on(writer.run()))
}

async fn join(thread: JoinHandle<()>) -> anyhow::Result<()> {
    let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
    ended.map_err(|_| anyhow::anyhow!("a thread of the daemon panicked"))
}

fn tell<T>(to: &SyncSender<T>, message: T) {
    if to.send(message).is_err() {
        tracing::error!("a thread of the daemon has gone");
    }
}

#[expect(clippy::disallowed_methods, reason = "a look at the view, a few times a second, while shutting down")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
