//! What the daemon does by the clock besides dialling: feeds load lists, exports write outcomes, experiments are stopped. Each kind has a thread of
//! its own and opens the database beside the writer; whatever goes wrong there is logged, counted, and tried again at its
//! next hour.

use std::future::Future;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::base::{Clock, Code, Wall};
use crate::campaign::{ListMap, ListSource, Plan};
use crate::feed::{
    Agenda, ExportOptions, ImportError, ImportOptions, ImportReport, ImportStatus, ListFile, ReadOptions, Timetable,
    export, import, reach,
};
use crate::obs::Metrics;
use crate::store::{Keys, ModelAlias};

use super::config::{Config, Database, ExportConfig, FeedConfig};
use super::serve::open_store;
use super::trials;

/// How often the clock is looked at: it may be set, or run faster than ours in a trial.
const LOOK: Duration = Duration::from_millis(500);

/// What every errand needs.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) config: Config,
    pub(super) keys: Arc<Keys>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
    /// The plan in force.
    pub(super) plan: Arc<Mutex<Arc<Plan>>>,
}

impl Tools {
    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stops the threads once dropped. One that is in the middle of a list ends with the process: a load that was not
/// finished is taken back when the database is opened next.
#[derive(Debug, Default)]
pub(super) struct Errands(#[expect(dead_code, reason = "dropping it is what it is for")] Vec<SyncSender<()>>);

impl Errands {
    pub(super) fn start(tools: &Tools) -> std::io::Result<Self> {
        let plan = tools.plan();
        for feed in &tools.config.feeds {
            if !plan.campaigns.iter().any(|campaign| campaign.name == feed.campaign) {
                tracing::warn!(campaign = feed.campaign, "a feed names a campaign that does not exist yet");
            }
            for result in ["loaded", "unchanged", "plain_order", "refused", "failed"] {
                tools.metrics.feed_runs.open([&feed.campaign, result]);
            }
        }
        for result in ["written", "failed"] {
            tools.metrics.export_runs.open([result]);
        }
        let feeds = tools.config.feeds.clone();
        let exports = tools.config.exports.clone();
        let mut stops = Vec::new();
        if !feeds.is_empty() {
            stops.push(lane("feeds", tools, feeds, |feed| feed.when.clone(), run_feed)?);
        }
        if !exports.is_empty() {
            stops.push(lane("exports", tools, exports, |export| export.when.clone(), run_export)?);
        }
        let every_minute = Timetable::parse("* * * * *", "UTC").map_err(std::io::Error::other)?;
        stops.push(lane("experiments", tools, vec![every_minute], Timetable::clone, watch_experiments)?);
        Ok(Self(stops))
    }
}

/// A thread that runs what is due, one after the other.
fn lane<T: Clone + Send + 'static>(
    name: &str,
    tools: &Tools,
    errands: Vec<T>,
    when: fn(&T) -> Timetable,
    run: fn(&Tools, &T, Wall),
) -> std::io::Result<SyncSender<()>> {
    let (stop, stopped) = sync_channel(1);
    let tools = tools.clone();
    let agenda = Agenda::new(errands.iter().map(when), tools.clock.now().wall);
    let body = move || keep_time(&tools, &errands, agenda, &stopped, run);
    thread::Builder::new().name(name.to_owned()).spawn(body)?;
    Ok(stop)
}

fn keep_time<T: Clone + Send + 'static>(
    tools: &Tools,
    errands: &[T],
    mut agenda: Agenda,
    stopped: &Receiver<()>,
    run: fn(&Tools, &T, Wall),
) {
    while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let now = tools.clock.now().wall;
        for errand in agenda.due(now).into_iter().filter_map(|at| errands.get(at)) {
            let (tools, errand) = (tools.clone(), errand.clone());
            // A thread of its own: what a damaged file does to a reader ends there.
            let one = thread::Builder::new().name("errand".to_owned()).spawn(move || run(&tools, &errand, now));
            let ended = one.map(thread::JoinHandle::join);
            if !matches!(ended, Ok(Ok(()))) {
                tracing::error!("a feed or an export ended in the middle");
            }
        }
    }
}

fn run_feed(tools: &Tools, feed: &FeedConfig, at: Wall) {
    let campaign = feed.campaign.as_str();
    let count = |result| tools.metrics.feed_runs.add([campaign, result], 1);
    // A reader that panics ends the thread of this run, and the run must be counted all the same.
    let guard = Counted { metrics: &tools.metrics, campaign, done: false };
    let result = load(tools, feed, at);
    guard.disarm();
    match result {
        Ok(report) => {
            count(match (report.model_alias, report.status) {
                (ModelAlias::PlainOrder, _) => "plain_order",
                (_, ImportStatus::Unchanged) => "unchanged",
                (_, _) => "loaded",
            });
            if let Some(why) = &report.broken_model {
                tracing::error!(campaign, code = %Code::ListModel, why, "the model is broken: a feed is in plain order");
            }
            tools.metrics.feed_last_success_seconds.set([campaign], at.0 as f64 / 1e6);
            let tally = report.tally;
            tracing::info!(
                campaign,
                source = %report.file.display(),
                rows = tally.rows,
                leads = tally.leads,
                rejects = tally.rejects,
                unchanged = report.status == ImportStatus::Unchanged,
                "a feed was loaded"
            );
        }
        Err(FeedError::Import {
            error: error @ (ImportError::NoLead(_) | ImportError::RefuseIf(_) | ImportError::BrokenModel(_)),
        }) => {
            count("refused");
            tracing::error!(campaign, code = %error.code(), %error, "a feed was refused; the list before stays in force");
        }
        Err(error) => {
            count("failed");
            tracing::error!(campaign, %error, "a feed was not loaded; the list before stays in force");
        }
    }
}

/// Counts a run as failed unless it came to an end.
struct Counted<'a> {
    metrics: &'a Metrics,
    campaign: &'a str,
    done: bool,
}

impl Counted<'_> {
    fn disarm(mut self) {
        self.done = true;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.metrics.feed_runs.add([self.campaign, "failed"], 1);
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error("no campaign has this name")]
    NoCampaign,
    #[error("neither the feed nor its campaign's list has a source")]
    NoSource,
    #[error("{}: {error}", error.code())]
    Import { error: ImportError },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<ImportError> for FeedError {
    fn from(error: ImportError) -> Self {
        Self::Import { error }
    }
}

fn load(tools: &Tools, feed: &FeedConfig, at: Wall) -> Result<ImportReport, FeedError> {
    let plan = tools.plan();
    let campaign =
        plan.campaigns.iter().find(|campaign| campaign.name == feed.campaign).ok_or(FeedError::NoCampaign)?;
    let (source, folder) = match (&feed.source, &campaign.list.source) {
        (Some(source), _) => (source, &tools.config.folder),
        (None, Some(source)) => (source, &tools.config.campaigns),
        (None, None) => return Err(FeedError::NoSource),
    };
    let source = source.on(feed.when.day(at));
    let Database::Sqlite(database) = &tools.config.database;
    let here = PathBuf::from(".");
    let spool = database.parent().unwrap_or(&here);
    let mut list = reach(&source, &tools.config.sources, folder, spool).map_err(ImportError::List)?;
    let file = file_name(&source, &feed.campaign);
    let options = ImportOptions {
        read: ReadOptions::new(&campaign.list, feed.encoding.as_deref(), tools.config.country, &tools.config.campaigns),
        rejects: Some(database.with_file_name(format!("{file}.rejects.csv"))),
        manifest: Some(database.with_file_name(format!("{file}.manifest.json"))),
    };
    Ok(blocking(put(tools, &feed.campaign, &campaign.list, &mut list, &options))??)
}

async fn put(
    tools: &Tools,
    campaign: &str,
    map: &ListMap,
    list: &mut ListFile,
    options: &ImportOptions,
) -> Result<ImportReport, ImportError> {
    let mut store = open_store(&tools.config, &tools.keys).await?;
    let report = import(&mut store, campaign, map, list, options, tools.clock.now(), &mut |_| {}).await;
    // What was committed is durable; a later opener writes the log back.
    let _closed = store.close().await;
    report
}

fn watch_experiments(tools: &Tools, _when: &Timetable, at: Wall) {
    let campaigns: Vec<_> = tools.plan().campaigns.iter().filter(|one| one.experiment.is_some()).cloned().collect();
    if campaigns.is_empty() {
        return;
    }
    let work = async {
        let mut store = open_store(&tools.config, &tools.keys).await?;
        let stopped = trials::stop_what_must(&mut store, &campaigns, at).await;
        let _closed = store.close().await;
        stopped
    };
    match blocking(work) {
        Ok(Ok(stopped)) => {
            for campaign in stopped {
                tracing::error!(campaign, code = %Code::TrialStopped, "paused: more customers of an arm complain than may");
            }
        }
        Ok(Err(error)) => tracing::error!(code = %error.code(), %error, "experiments could not be looked at"),
        Err(error) => tracing::error!(%error, "experiments could not be looked at"),
    }
}

fn run_export(tools: &Tools, export: &ExportConfig, at: Wall) {
    match blocking(write(tools, export)) {
        Ok(Ok(rows)) => {
            tools.metrics.export_runs.add(["written"], 1);
            tools.metrics.export_last_success_seconds.set([], at.0 as f64 / 1e6);
            tracing::info!(rows, dir = %export.dir.display(), "outcomes were exported");
        }
        Ok(Err(error)) => {
            tools.metrics.export_runs.add(["failed"], 1);
            tracing::error!(code = %error.code(), %error, "an export failed; it goes on where it stopped next time");
        }
        Err(error) => {
            tools.metrics.export_runs.add(["failed"], 1);
            tracing::error!(%error, "an export could not begin");
        }
    }
}

async fn write(tools: &Tools, about: &ExportConfig) -> Result<u64, crate::feed::ExportError> {
    let mut store = open_store(&tools.config, &tools.keys).await?;
    let options = ExportOptions { style: about.style, out: about.dir.clone(), consumer: None, from_start: false };
    let report = export(&mut store, &options, tools.clock.now()).await;
    let _closed = store.close().await;
    report.map(|report| report.rows)
}

/// `lists-2026-12-01.csv.bill`: what the source is called, as the name of a file.
fn file_name(source: &ListSource, campaign: &str) -> String {
    let text = source.to_string();
    let text = text.split('?').next().unwrap_or("");
    let last = match source {
        ListSource::File(_) => text.rsplit('/').next().unwrap_or(text),
        ListSource::View { .. } | ListSource::Feed { .. } | ListSource::Url(_) => text,
    };
    let plain = |c: char| if c.is_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
    format!("{}.{campaign}", last.chars().map(plain).collect::<String>())
}

fn blocking<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}
