//! `goldenhour import LIST`: a list into the database, all of its good rows or nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use crate::base::{Code, Diagnostic};
use crate::campaign::{Campaign, ListSource};
use crate::feed::{
    ImportError, ImportOptions, ImportReport, ImportStatus, ListError, ListFile, ReadOptions, Scores, dry_run, import,
    reach,
};
use crate::store::{ModelAlias, Store as _};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on};

/// Load a list of leads for a campaign; the same list again changes nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose leads they are
    #[arg(long, value_name = "NAME")]
    campaign: String,
    /// Read and report, store nothing
    #[arg(long)]
    dry_run: bool,
    /// Of the list, by its WHATWG name: gb18030, big5, utf-16le [default: utf-8]
    #[arg(long, value_name = "E")]
    encoding: Option<String>,
    /// Where rows that cannot be used are listed [default: beside the database, and nowhere with --dry-run]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Where the manifest of the loaded list goes [default: beside the database]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// CSV (plain or gzip), XLSX or Parquet; sql:VIEW, http:NAME/PATH or a URL [default: the campaign's list.source]
    list: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let report = match block_on(load(args)) {
        Ok(report) => report,
        Err(stop) => return output::failed(args.json, stop),
    };
    let in_plain_order = report.model_alias == ModelAlias::PlainOrder;
    if let Some(why) = report.broken_model.as_ref().filter(|_| in_plain_order) {
        let message = format!("{}: in plain order, its model is broken: {why}", report.file.display());
        output::complain_findings(&[
            Diagnostic::warning(Code::ListModel, message).hint("mend the model, and import the list again")
        ]);
    }
    let is_out = !report.refusals.is_empty() || report.broken_model.is_some() && !in_plain_order;
    let refused = report.status != ImportStatus::Unchanged && (report.tally.leads == 0 || is_out);
    output::answer(args.json, &report, refused.then(|| nothing_usable(&report)))
}

async fn load(args: &Args) -> Result<ImportReport, Stop> {
    let site = Site::read(&args.config)?;
    let campaign = site.campaign(&args.campaign)?;
    let zone = match campaign.calling_hours.fallback_zone {
        Some(zone) => site.plan()?.zones.get(zone).clone(),
        None => TimeZone::UTC,
    };
    let named = args.list.clone().unwrap_or_else(|| PathBuf::from("list.source"));
    let stop = |error: ImportError| Stop::import(&named, &error);
    let read = ReadOptions::new(&campaign.list, args.encoding.as_deref(), site.config().country, site.campaigns());
    read.check().map_err(|error| stop(error.into()))?;
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut list = fetch(args, &site, &campaign, &zone).map_err(|error| stop(error.into()))?;
    let beside = |ending: &str| site.beside_database(&named_for_files(&list), &format!("{}.{ending}", campaign.name));
    let mut options = ImportOptions { read, rejects: args.rejects.clone(), manifest: args.manifest.clone() };
    let result = if args.dry_run {
        let before = scores_before(&site, &campaign).await?;
        dry_run(&campaign.name, &campaign.list, &mut list, &options, before.as_ref())
    } else {
        options.rejects.get_or_insert_with(|| beside("rejects.csv"));
        options.manifest.get_or_insert_with(|| beside("manifest.json"));
        let (mut store, _) = site.store().await?;
        progress(&bar, list.print().size_bytes);
        let mut progress = |bytes| bar.set_position(bytes);
        let map = &campaign.list;
        let result = import(&mut store, &campaign.name, map, &mut list, &options, super::now(), &mut progress).await;
        // What was committed is durable; a later opener writes the log back.
        let _closed = store.close().await;
        result
    };
    bar.finish_and_clear();
    match result {
        Ok(report) => Ok(report),
        Err(ImportError::NoLead(report) | ImportError::RefuseIf(report) | ImportError::BrokenModel(report)) => {
            Ok(*report)
        }
        Err(error @ (ImportError::List(_) | ImportError::Store(_) | ImportError::Rejects(_))) => Err(stop(error)),
    }
}

/// The list that was named, or the campaign's own of today.
fn fetch(args: &Args, site: &Site, campaign: &Campaign, zone: &TimeZone) -> Result<ListFile, ListError> {
    let spool = site.spool();
    if let Some(path) = &args.list {
        let text = path.to_str().ok_or_else(|| ListError::Source("the name of the list is not UTF-8".to_owned()))?;
        let source = ListSource::parse(text).map_err(|why| ListError::Source(why.to_owned()))?;
        return reach(&source, site.sources(), Path::new(""), &spool);
    }
    let Some(source) = &campaign.list.source else {
        return Err(ListError::Source(format!("campaign {} has no list.source, and no list was named", campaign.name)));
    };
    let today = zone.to_datetime(super::now().wall.timestamp()).date();
    reach(&source.on(today), site.sources(), site.campaigns(), &spool)
}

/// Of the list in force. A dry run makes no database.
async fn scores_before(site: &Site, campaign: &Campaign) -> Result<Option<Scores>, Stop> {
    if campaign.list.refuse_if.score_psi_above.is_none() || !site.database().exists() {
        return Ok(None);
    }
    let (mut store, _) = site.store().await?;
    let bins = store.score_bins(&campaign.name, Scores::BINS).await.map_err(|error| Stop::store(&error))?;
    Ok(Scores::of(bins))
}

/// `sql:dw/leads` is no file name.
fn named_for_files(list: &ListFile) -> PathBuf {
    let shown = list.shown().to_string_lossy();
    if ListSource::parse(&shown).is_ok_and(|source| matches!(source, ListSource::File(_))) {
        return list.shown().to_owned();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
    PathBuf::from(shown.split('?').next().unwrap_or("").chars().map(plain).collect::<String>())
}

fn nothing_usable(report: &ImportReport) -> Stop {
    let file = report.file.display();
    if let Some(why) = &report.broken_model {
        let message = format!("{file}: list.model is broken: {why}");
        let hint =
            "nothing was loaded, the list before stays in force; `on_error: plain_order` of the campaign would load it";
        return Stop::one(Exit::Refused, Diagnostic::error(Code::ListModel, message).hint(hint));
    }
    if report.refusals.is_empty() {
        let message = format!("{file}: none of the {} rows can be loaded", report.tally.rows);
        let hint = "each code among the rejects has a page; the first rows of the report show where to look";
        return Stop::one(Exit::Failure, Diagnostic::error(Code::ListEmpty, message).hint(hint));
    }
    let message = format!("{file}: refuse_if keeps the list out: {}", report.refusals.join("; "));
    let hint = "nothing was loaded, the list before stays in force; if this one is right, change `list.refuse_if`";
    Stop::one(Exit::Refused, Diagnostic::error(Code::ListRefused, message).hint(hint))
}

/// On standard error, and only where that is a terminal.
fn progress(bar: &ProgressBar, size_bytes: u64) {
    bar.set_length(size_bytes);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} of {total_bytes} {wide_bar} {eta}") {
        bar.set_style(style);
    }
}
