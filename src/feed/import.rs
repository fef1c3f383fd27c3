//! Loads a list into the store: all of its good rows, or nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Code, Diagnostic, Now, hex};
use crate::campaign::{ListMap, RefuseIf};
use crate::contact::Row;
use crate::store::{ImportCounts, ImportStart, ModelAlias, Store, StoreError};

use super::drift::Scores;
use super::facts::{Facts, counted, size};
use super::list_info::list_info;
use super::list_model::alias;
use super::manifest::Manifest;
use super::refuse::refusals;
use super::reject::RejectFile;
use super::{ListError, ListFile, Parsed, ReadOptions, Reject, Rows, Tally};

/// Rows that the store gets at once, and about how many bytes they are at most. It cuts them into transactions itself.
const BATCH: usize = 1_024;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Shown to people; the file has all of them.
const FIRST_REJECTS: usize = 5;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    pub read: ReadOptions,
    /// Where rejects go; nowhere without it. The file is made only if there are any.
    pub rejects: Option<PathBuf>,
    /// Where the manifest of a list that was loaded goes; nowhere without it.
    pub manifest: Option<PathBuf>,
}

/// What became of a list. `rows = leads + rejects`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportReport {
    pub campaign: String,
    pub file: PathBuf,
    /// Of the file as it lies there, hex.
    pub sha256: String,
    /// `list_version` of the outcomes: file, mapping and reading options together, hex.
    pub list_version: Option<String>,
    pub size_bytes: u64,
    pub had_bom: bool,
    pub status: ImportStatus,
    #[serde(flatten)]
    pub tally: Tally,
    /// By code: `GH2003`.
    pub rejects_by_code: BTreeMap<String, u64>,
    pub rejects_file: Option<PathBuf>,
    /// That scored the list, where it did not bring its scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelUsed>,
    pub model_alias: ModelAlias,
    /// Why nobody should go by its scores. With a list that was loaded, it was loaded in plain order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_model: Option<String>,
    pub first_rejects: Vec<Reject>,
    /// The scores below which a tenth, two tenths, … of the leads lie.
    pub score_deciles: Vec<f64>,
    /// Population stability index against the list before, where there is one and `refuse_if` asks for it.
    pub score_psi: Option<f64>,
    /// Why the campaign's `refuse_if` keeps the list out.
    pub refusals: Vec<String>,
    pub stored: Option<Stored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_file: Option<PathBuf>,
}

/// As its manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelUsed {
    pub id: String,
    pub version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    Loaded,
    /// This file was loaded with this mapping before. Nothing was read, nothing changed: `rows` is what it had.
    Unchanged,
    /// Read to the end, nothing stored.
    DryRun,
    /// Not a single row was usable, or `refuse_if` keeps the list out; nothing stored.
    Refused,
}

/// What the leads meant to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    pub new_contacts: u64,
    pub new_leads: u64,
    pub updated_leads: u64,
    pub unchanged_leads: u64,
    /// Exhausted or expired before, waiting again.
    pub reopened_leads: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the rejects or the manifest cannot be written: {0}")]
    Rejects(io::Error),
    /// The report says why.
    #[error("none of the {} rows can be loaded", .0.tally.rows)]
    NoLead(Box<ImportReport>),
    #[error("refuse_if keeps the list out: {}", .0.refusals.join("; "))]
    RefuseIf(Box<ImportReport>),
    #[error("list.model is broken: {}", .0.broken_model.as_deref().unwrap_or_default())]
    BrokenModel(Box<ImportReport>),
}

impl ImportError {
    pub fn code(&self) -> Code {
        match self {
            Self::List(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Rejects(_) => Code::ExportWrite,
            Self::NoLead(_) => Code::ListEmpty,
            Self::RefuseIf(_) => Code::ListRefused,
            Self::BrokenModel(_) => Code::ListModel,
        }
    }

    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::List(error) => error.diagnostic(),
            Self::Store(_) | Self::Rejects(_) | Self::NoLead(_) | Self::RefuseIf(_) | Self::BrokenModel(_) => {
                Diagnostic::error(self.code(), self.to_string())
            }
        }
    }
}

/// Loads a list for `campaign`. `progress` is told the bytes read of the file, after every batch.
///
/// On any error the store is as it was. The same file with the same mapping changes nothing. A list whose model is broken is
/// loaded in plain order where the campaign says so, and the report says why.
pub async fn import<S: Store>(
    store: &mut S,
    campaign: &str,
    map: &ListMap,
    list: &mut ListFile,
    options: &ImportOptions,
    now: Now,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<ImportReport, ImportError> {
    let scored = import_as(store, campaign, map, list, options, now, progress).await;
    let Some(why) = broken_model(&scored).filter(|_| map.has_plain_order()) else { return scored };
    forget_rejects(&scored)?;
    let plain = options.in_plain_order();
    let loaded = import_as(store, campaign, map, list, &plain, now, progress).await?;
    Ok(ImportReport { broken_model: Some(why), ..loaded })
}

/// Reads a list as [`import`] does and touches no store. `before`: the scores of the list that is in force.
pub fn dry_run(
    campaign: &str,
    map: &ListMap,
    list: &mut ListFile,
    options: &ImportOptions,
    before: Option<&Scores>,
) -> Result<ImportReport, ImportError> {
    let scored = dry_run_as(campaign, map, list, options, before);
    let Some(why) = broken_model(&scored).filter(|_| map.has_plain_order()) else { return scored };
    forget_rejects(&scored)?;
    let read = dry_run_as(campaign, map, list, &options.in_plain_order(), None)?;
    Ok(ImportReport { broken_model: Some(why), ..read })
}

/// Why the model is no good, where that is what kept the list out.
fn broken_model(scored: &Result<ImportReport, ImportError>) -> Option<String> {
    match scored {
        Ok(report) => report.broken_model.clone(),
        Err(ImportError::BrokenModel(report)) => report.broken_model.clone(),
        Err(ImportError::List(ListError::Model(error))) => Some(error.to_string()),
        Err(
            ImportError::List(_)
            | ImportError::Store(_)
            | ImportError::Rejects(_)
            | ImportError::NoLead(_)
            | ImportError::RefuseIf(_),
        ) => None,
    }
}

/// Of rows that plain order may load.
fn forget_rejects(scored: &Result<ImportReport, ImportError>) -> Result<(), ImportError> {
    let rejects = match scored {
        Ok(report) => report.rejects_file.as_ref(),
        Err(ImportError::BrokenModel(report)) => report.rejects_file.as_ref(),
        Err(_) => None,
    };
    rejects.map_or(Ok(()), fs::remove_file).map_err(ImportError::Rejects)
}

/// By the campaign's model, or in plain order, as the options say.
async fn import_as<S: Store>(
    store: &mut S,
    campaign: &str,
    map: &ListMap,
    list: &mut ListFile,
    options: &ImportOptions,
    now: Now,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<ImportReport, ImportError> {
    let (mut report, mut rows) = opened(campaign, map, list, options)?;
    let info = list_info(campaign, map, list, &options.read, &rows);
    report.list_version = Some(hex(&info.sha256));
    if let ImportStart::Already { rows, .. } = store.import_begin(&info, now).await? {
        report.status = ImportStatus::Unchanged;
        report.tally = Tally { rows, leads: rows, ..Tally::default() };
        return Ok(report);
    }
    let complete = read_all(store, &mut rows, list, &mut report, options, progress).await;
    let judged = match complete {
        Ok(manifest) => judge(store, &rows, &rules(map, &options.read), &mut report).await.map(|()| manifest),
        Err(error) => Err(error),
    };
    let manifest = match judged {
        Ok(manifest) => manifest,
        Err(error) => {
            // The first error is the one to tell; an unfinished load is invisible anyway.
            let _given_up = store.import_finish(false).await;
            return Err(error);
        }
    };
    if report.status == ImportStatus::Refused {
        store.import_finish(false).await?;
        let report = Box::new(report);
        return Err(match (&report.broken_model, report.tally.leads) {
            (Some(_), _) => ImportError::BrokenModel(report),
            (None, 0) => ImportError::NoLead(report),
            (None, _) => ImportError::RefuseIf(report),
        });
    }
    report.stored = Some(Stored::from(store.import_finish(true).await?));
    match manifest.finish(&report, now.wall) {
        Ok(path) => report.manifest_file = path,
        // The list is in force: that its manifest is missing must not look like a list that was not loaded.
        Err(error) => tracing::error!(campaign, %error, "the list is loaded, its manifest could not be written"),
    }
    Ok(report)
}

fn dry_run_as(
    campaign: &str,
    map: &ListMap,
    list: &mut ListFile,
    options: &ImportOptions,
    before: Option<&Scores>,
) -> Result<ImportReport, ImportError> {
    let (mut report, mut rows) = opened(campaign, map, list, options)?;
    let mut rejects = RejectFile::new(options.rejects.as_deref());
    report.status = ImportStatus::DryRun;
    while let Some(parsed) = rows.next() {
        let _lead = report.note(parsed?, rows.notes(), &mut rejects)?;
    }
    report.complete(&rows, rejects, list)?;
    report.judge(&rows, &rules(map, &options.read), before);
    Ok(report)
}

/// With its header read, and what can be said of it by then.
fn opened(
    campaign: &str,
    map: &ListMap,
    list: &mut ListFile,
    options: &ImportOptions,
) -> Result<(ImportReport, Rows), ListError> {
    let rows = list.rows(map, &options.read)?;
    let report = ImportReport {
        had_bom: rows.had_bom(),
        model: rows.model().map(|model| ModelUsed::of(model.manifest())),
        model_alias: alias(map, &options.read),
        ..ImportReport::new(campaign, list)
    };
    Ok((report, rows))
}

/// The whole list into the open load. Nothing of it is in force yet.
async fn read_all<S: Store>(
    store: &mut S,
    rows: &mut Rows,
    list: &ListFile,
    report: &mut ImportReport,
    options: &ImportOptions,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Manifest, ImportError> {
    let manifest = Manifest::begin(options.manifest.as_deref()).map_err(ImportError::Rejects)?;
    let mut rejects = RejectFile::new(options.rejects.as_deref());
    load(store, rows, report, &mut rejects, progress).await?;
    report.complete(rows, rejects, list)?;
    Ok(manifest)
}

/// Scores that are all the same have moved, and that means nothing.
fn rules(map: &ListMap, read: &ReadOptions) -> RefuseIf {
    let mut rules = map.refuse_if.clone();
    rules.score_psi_above.take_if(|_| read.plain_order);
    rules
}

async fn judge<S: Store>(
    store: &mut S,
    rows: &Rows,
    rules: &RefuseIf,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let before = match rules.score_psi_above {
        Some(_) => Scores::of(store.score_bins(&report.campaign, Scores::BINS).await?),
        None => None,
    };
    report.judge(rows, rules, before.as_ref());
    Ok(())
}

async fn load<S: Store>(
    store: &mut S,
    rows: &mut Rows,
    report: &mut ImportReport,
    rejects: &mut RejectFile,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), ImportError> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    while let Some(parsed) = rows.next() {
        if let Some(row) = report.note(parsed?, rows.notes(), rejects)? {
            bytes += row.weight();
            batch.push(row);
        }
        if batch.len() == BATCH || bytes > BATCH_BYTES {
            store.import_rows(&batch).await?;
            batch.clear();
            bytes = 0;
            progress(rows.read_bytes());
        }
    }
    if !batch.is_empty() {
        store.import_rows(&batch).await?;
    }
    progress(rows.read_bytes());
    Ok(())
}

impl ImportReport {
    fn new(campaign: &str, list: &ListFile) -> Self {
        Self {
            campaign: campaign.to_owned(),
            file: list.shown().to_owned(),
            sha256: list.print().hex(),
            list_version: None,
            size_bytes: list.print().size_bytes,
            had_bom: false,
            status: ImportStatus::Loaded,
            tally: Tally::default(),
            rejects_by_code: BTreeMap::new(),
            rejects_file: None,
            model: None,
            model_alias: ModelAlias::Champion,
            broken_model: None,
            first_rejects: Vec::new(),
            score_deciles: Vec::new(),
            score_psi: None,
            refusals: Vec::new(),
            stored: None,
            manifest_file: None,
        }
    }

    fn complete(&mut self, rows: &Rows, rejects: RejectFile, list: &ListFile) -> Result<(), ImportError> {
        self.tally = rows.tally();
        self.score_deciles = rows.scores().deciles();
        self.rejects_file = rejects.finish().map_err(ImportError::Rejects)?;
        Ok(list.confirm(self.tally.rows)?)
    }

    /// Sets `status` where the list has to stay out.
    fn judge(&mut self, rows: &Rows, rules: &RefuseIf, before: Option<&Scores>) {
        self.score_psi = rules
            .score_psi_above
            .and(before)
            .filter(|before| !before.is_level())
            .map(|before| rows.scores().psi(before));
        self.refusals = refusals(rules, &self.tally, self.score_psi);
        self.broken_model = rows.broken_model().or_else(|| moved(rows, rules, self.score_psi));
        let stays_out = self.tally.leads == 0 || !self.refusals.is_empty() || self.broken_model.is_some();
        if stays_out && self.status != ImportStatus::DryRun {
            self.status = ImportStatus::Refused;
        }
    }

    fn note(&mut self, parsed: Parsed, notes: &[Reject], rejects: &mut RejectFile) -> Result<Option<Row>, ImportError> {
        for note in notes {
            rejects.write(note).map_err(ImportError::Rejects)?;
        }
        match parsed {
            Parsed::Row(row) => Ok(Some(row)),
            Parsed::Reject(reject) => {
                *self.rejects_by_code.entry(reject.code.to_string()).or_default() += 1;
                rejects.write(&reject).map_err(ImportError::Rejects)?;
                if self.first_rejects.len() < FIRST_REJECTS {
                    self.first_rejects.push(reject);
                }
                Ok(None)
            }
        }
    }
}

/// Scores that moved further than the campaign lets them are the model's, where it gave them.
fn moved(rows: &Rows, rules: &RefuseIf, psi: Option<f64>) -> Option<String> {
    rows.model()?;
    let only = RefuseIf { score_psi_above: rules.score_psi_above, ..RefuseIf::default() };
    refusals(&only, &rows.tally(), psi).into_iter().next()
}

impl ImportOptions {
    fn in_plain_order(&self) -> Self {
        Self { read: ReadOptions { plain_order: true, ..self.read.clone() }, ..self.clone() }
    }
}

impl ModelUsed {
    fn of(manifest: &crate::model::Manifest) -> Self {
        Self { id: manifest.name.clone(), version: manifest.version.clone() }
    }
}

impl From<ImportCounts> for Stored {
    fn from(counts: ImportCounts) -> Self {
        Self {
            new_contacts: counts.new_contacts,
            new_leads: counts.new_leads,
            updated_leads: counts.updated_leads,
            unchanged_leads: counts.unchanged,
            reopened_leads: counts.reopened,
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = Facts::new(format!("{} → {}", self.file.display(), self.campaign));
        let mark = if self.had_bom { ", byte order mark stripped" } else { "" };
        facts.add("file", format!("{}, sha256 {}…{mark}", size(self.size_bytes), self.sha256.get(..12).unwrap_or("")));
        match self.status {
            ImportStatus::Unchanged => {
                if let Some(why) = &self.broken_model {
                    facts.add("plain order", format!("the model is broken: {why}"));
                }
                facts.add("rows", format!("{}: loaded before, nothing changed", counted(self.tally.rows)));
                return facts.fmt(f);
            }
            ImportStatus::DryRun => facts.add("dry run", "nothing was stored"),
            ImportStatus::Refused => facts.add("refused", "nothing was stored"),
            ImportStatus::Loaded => {}
        }
        for why in &self.refusals {
            facts.add("refuse_if", why);
        }
        let tally = self.tally;
        facts.add("rows", counted(tally.rows));
        facts.add("  leads", counted(tally.leads));
        facts.add("  rejects", counted(tally.rejects));
        for (code, count) in &self.rejects_by_code {
            facts.add(&format!("    {code}"), counted(*count));
        }
        facts.add(
            "numbers",
            format!("{}, {} shared by several contacts", counted(tally.phones), counted(tally.shared_phones)),
        );
        facts.add_some("numbers left out", tally.dropped_phones);
        facts.add_some("leads without zone", tally.without_zone);
        if let Some(why) = &self.broken_model {
            facts.add("model broken", why);
        }
        if self.model_alias == ModelAlias::PlainOrder {
            facts.add("plain order", "everybody has the base rate as score");
        }
        if let Some(model) = &self.model {
            facts.add("scored by", format!("{} {}", model.id, model.version));
        }
        if let Some(psi) = self.score_psi {
            facts.add("scores moved by", format!("{psi:.3} (stability index against the list before)"));
        }
        if let Some(stored) = self.stored {
            facts.add("new contacts", counted(stored.new_contacts));
            facts.add("new leads", counted(stored.new_leads));
            facts.add_some("updated leads", stored.updated_leads);
            facts.add_some("unchanged leads", stored.unchanged_leads);
            facts.add_some("reopened leads", stored.reopened_leads);
        }
        for reject in &self.first_rejects {
            facts.add(&format!("line {}", reject.line), reject);
        }
        if let Some(path) = &self.rejects_file {
            facts.add("all rejects", path.display());
        }
        if let Some(path) = &self.manifest_file {
            facts.add("manifest", path.display());
        }
        facts.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::feed::fake::Fake;
    use crate::feed::fixture;
    use crate::store::{Keys, Sqlite};

    struct Trial {
        dir: tempfile::TempDir,
        store: Fake,
    }

    impl Trial {
        fn new() -> Self {
            Self { dir: tempfile::tempdir().unwrap(), store: Fake::default() }
        }

        fn options(&self) -> ImportOptions {
            let beside = |name: &str| Some(self.dir.path().join(name));
            ImportOptions { read: ReadOptions::default(), rejects: beside("rejects.csv"), manifest: beside("m.json") }
        }

        async fn import(&mut self, list: &[u8], map: &ListMap) -> Result<ImportReport, ImportError> {
            let path = self.dir.path().join("list.csv");
            fs::write(&path, list).unwrap();
            let options = self.options();
            let mut list = ListFile::open(&path, self.dir.path())?;
            import(&mut self.store, "bill", map, &mut list, &options, Now::default(), &mut |_| {}).await
        }
    }

    #[tokio::test]
    async fn a_list_is_loaded_with_its_rejects_beside_it() {
        let mut trial = Trial::new();
        let list = fixture::with("k9,+99920000000,,1,0.5,");
        let report = trial.import(list.as_bytes(), &fixture::map()).await.unwrap();
        assert_eq!((report.tally.rows, report.tally.leads, report.tally.rejects), (4, 3, 1));
        assert_eq!((report.status, trial.store.lists[0].1.len()), (ImportStatus::Loaded, 3));
        let rejects = fs::read_to_string(report.rejects_file.as_ref().unwrap()).unwrap();
        assert!(rejects.contains("4,phone_e164,GH2003,") && !rejects.contains("+9992"), "{rejects}");
        let shown = report.to_string();
        assert!(shown.contains("GH2003") && !shown.contains("+9992"), "{shown}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(
            (&json["rows"], &json["status"], &json["stored"]["new_leads"]),
            (&4.into(), &"loaded".into(), &3.into())
        );
    }

    #[tokio::test]
    async fn the_same_file_twice_changes_nothing() {
        let mut trial = Trial::new();
        trial.import(fixture::good().as_bytes(), &fixture::map()).await.unwrap();
        let again = trial.import(fixture::good().as_bytes(), &fixture::map()).await.unwrap();
        assert_eq!((again.status, again.tally.rows, trial.store.lists.len()), (ImportStatus::Unchanged, 3, 1));
        assert!(again.to_string().contains("nothing changed"));
        let refuse_if = RefuseIf { rows_below: Some(1), ..RefuseIf::default() };
        let stricter = ListMap { refuse_if, ..fixture::map() };
        let again = trial.import(fixture::good().as_bytes(), &stricter).await.unwrap();
        assert_eq!(again.status, ImportStatus::Unchanged, "what would have kept it out does not matter");
    }

    #[tokio::test]
    async fn the_same_file_under_another_mapping_is_another_list() {
        let mut trial = Trial::new();
        trial.import(fixture::good().as_bytes(), &fixture::map()).await.unwrap();
        let map = ListMap { zone: None, ..fixture::map() };
        let other = trial.import(fixture::good().as_bytes(), &map).await.unwrap();
        assert_eq!((other.status, trial.store.lists.len()), (ImportStatus::Loaded, 2));
    }

    #[tokio::test]
    async fn a_packed_list_loads_as_the_plain_one() {
        let mut trial = Trial::new();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(format!("\u{feff}{}", fixture::good()).as_bytes()).unwrap();
        let report = trial.import(&gz.finish().unwrap(), &fixture::map()).await.unwrap();
        assert_eq!((report.tally.leads, report.had_bom), (3, true));
    }

    #[tokio::test]
    async fn a_list_that_breaks_in_the_middle_loads_nothing() {
        let mut trial = Trial::new();
        let list = format!("{}k4,+999200000004,,1,0.4,\"open\n", fixture::good());
        let error = trial.import(list.as_bytes(), &fixture::map()).await.unwrap_err();
        assert_eq!(error.code(), Code::ListQuote);
        assert!(trial.store.lists.is_empty() && trial.store.open.is_none());
    }

    #[tokio::test]
    async fn a_list_without_a_single_good_row_is_an_error_with_a_report() {
        let mut trial = Trial::new();
        let list = format!("{}\nk1,x,,1,0.5,\n", fixture::HEADER);
        let error = trial.import(list.as_bytes(), &fixture::map()).await.unwrap_err();
        let ImportError::NoLead(report) = error else { panic!("{error}") };
        assert_eq!((report.tally.rejects, report.status), (1, ImportStatus::Refused));
        assert!(report.rejects_file.is_some_and(|path| path.exists()) && trial.store.lists.is_empty());
    }

    #[tokio::test]
    async fn a_dry_run_counts_the_same_and_stores_nothing() {
        let mut trial = Trial::new();
        let list = fixture::with("k9,x,,1,0.5,");
        let loaded = trial.import(list.as_bytes(), &fixture::map()).await.unwrap();
        let dry = dry_run("bill", &fixture::map(), &mut open(&loaded.file), &trial.options(), None).unwrap();
        assert_eq!((dry.tally, dry.status, dry.stored), (loaded.tally, ImportStatus::DryRun, None));
    }

    fn open(path: &Path) -> ListFile {
        ListFile::open(path, path.parent().unwrap()).unwrap()
    }

    async fn sqlite(dir: &Path) -> Sqlite {
        let keys = Keys::load_or_create(&dir.join("keys")).unwrap();
        let url = format!("sqlite://{}", dir.join("gh.db").display());
        let mut store = Sqlite::open(&url, Arc::new(keys)).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    #[tokio::test]
    async fn sqlite_keeps_what_the_report_says_and_a_second_run_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = sqlite(dir.path()).await;
        let path = dir.path().join("list.csv");
        fs::write(&path, fixture::with("k9,+999200000001,,1,0.5,")).unwrap();
        let options = ImportOptions::default();
        let map = fixture::map();
        let report =
            import(&mut store, "bill", &map, &mut open(&path), &options, Now::default(), &mut |_| {}).await.unwrap();
        let stored = report.stored.unwrap();
        assert_eq!((report.tally.leads, stored.new_leads, stored.new_contacts), (4, 4, 4));
        let before = store.stats().await.unwrap();
        assert_eq!((before.leads, before.contacts, before.phones), (4, 4, 3));
        let again =
            import(&mut store, "bill", &map, &mut open(&path), &options, Now::default(), &mut |_| {}).await.unwrap();
        assert_eq!((again.status, again.tally.rows), (ImportStatus::Unchanged, 4));
        assert_eq!(store.stats().await.unwrap(), before);
    }

    #[tokio::test]
    async fn sqlite_keeps_nothing_of_a_list_that_breaks_in_the_middle() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = sqlite(dir.path()).await;
        let path = dir.path().join("list.csv");
        let rows = (0..2_500).fold(String::new(), |list, n| list + &format!("k{n},+999{n:09},,1,0.5,\n"));
        fs::write(&path, format!("{}\n{rows}k9,+999200000001,,1,0.5,\"open\n", fixture::HEADER)).unwrap();
        let options = ImportOptions::default();
        let error =
            import(&mut store, "bill", &fixture::map(), &mut open(&path), &options, Now::default(), &mut |_| {}).await;
        assert_eq!(error.unwrap_err().code(), Code::ListQuote);
        assert_eq!(store.stats().await.unwrap().leads, 0);
    }

    /// The public lists, where they are at hand.
    #[tokio::test]
    async fn the_real_lists_give_a_lead_or_a_reject_for_every_row() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/lists");
        let Ok(files) = fs::read_dir(&folder) else {
            println!("not run: {} is not here", folder.display());
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let mut store = sqlite(dir.path()).await;
        let (mut lists, mut rows) = (0, 0);
        for file in files {
            let path = file.unwrap().path();
            let options = ImportOptions::default();
            let campaign = path.file_name().unwrap().to_string_lossy().into_owned();
            let report = import(
                &mut store,
                &campaign,
                &fixture::full_map(),
                &mut open(&path),
                &options,
                Now::default(),
                &mut |_| {},
            )
            .await
            .unwrap();
            let tally = report.tally;
            assert_eq!((tally.rows, tally.rejects), (tally.leads + tally.rejects, 0), "{report}");
            let shared = if path.ends_with("issuance_approval_nanp.csv.gz") { 73 } else { 0 };
            assert_eq!((tally.shared_phones, tally.without_zone), (shared, 0), "{report}");
            lists += 1;
            rows += tally.rows;
        }
        assert_eq!((lists, rows, store.stats().await.unwrap().leads), (7, 15_032, 15_032));
    }
}
