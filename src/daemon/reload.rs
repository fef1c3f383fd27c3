//! A new plan from the folder of campaigns: everything is read and checked first, then it is swapped once, or not at all.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::base::{Code, Diagnostic};
use crate::campaign::{Folder, KnownNames, Plan, load};
use crate::obs::Metrics;

use super::config::Config;
use super::journal::PlanFiles;
use super::read_folder;
use super::writer::ToWriter;

/// Whoever wants a reload asks here: the operator's signal, the watch on the folder, the API. One at a time.
#[derive(Debug)]
pub struct Reloader {
    folder: PathBuf,
    known: KnownNames,
    metrics: Metrics,
    writer: SyncSender<ToWriter>,
    last: Mutex<LastReading>,
    in_force: Arc<Mutex<Arc<Plan>>>,
    /// Where an input journal is kept: it holds the files that a plan was read from.
    plan_files: Option<PlanFiles>,
}

#[derive(Debug, Default)]
struct LastReading {
    /// What it found, so that each finding is logged once and not at every attempt.
    said: BTreeSet<String>,
    /// SHA-256 of what stood in the folder.
    digest: Option<[u8; 32]>,
}

/// A plan that is about to be in force.
#[derive(Clone, Debug)]
pub struct Reloaded {
    pub campaigns: usize,
    pub warnings: Vec<Diagnostic>,
}

impl Reloader {
    pub(super) fn new(
        config: &Config,
        metrics: Metrics,
        writer: SyncSender<ToWriter>,
        plan_files: Option<PlanFiles>,
    ) -> Self {
        let (folder, known) = (config.campaigns.clone(), config.known_names());
        let (last, in_force) = (Mutex::default(), Arc::default());
        Self { folder, known, metrics, writer, last, in_force, plan_files }
    }

    /// The plan of now, whenever it is looked at.
    pub(super) fn in_force(&self) -> Arc<Mutex<Arc<Plan>>> {
        Arc::clone(&self.in_force)
    }

    /// Reads the disk: not for a thread that others wait for. After an error the plan before it stays, entire.
    pub fn reload(&self) -> Result<Reloaded, Vec<Diagnostic>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.read();
        self.take(folder, &mut last)
    }

    /// `None`: what stands there was read before. The watch asks this way, who also sees what a signal has brought in.
    pub(super) fn reload_if_new(&self) -> Option<Result<Reloaded, Vec<Diagnostic>>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.read();
        let is_new = folder.as_ref().ok().is_none_or(|folder| last.digest != Some(digest(folder)));
        is_new.then(|| self.take(folder, &mut last))
    }

    fn read(&self) -> Result<Folder, Vec<Diagnostic>> {
        read_folder(&self.folder, Some(self.known.clone())).map_err(|finding| vec![finding])
    }

    fn take(
        &self,
        folder: Result<Folder, Vec<Diagnostic>>,
        last: &mut LastReading,
    ) -> Result<Reloaded, Vec<Diagnostic>> {
        last.digest = folder.as_ref().ok().map(digest);
        let outcome = folder.and_then(|folder| load(&folder).map(|plan| (plan, folder)));
        let outcome = outcome.and_then(|(plan, folder)| self.swap(plan, folder));
        let findings = match &outcome {
            Ok(reloaded) => &reloaded.warnings,
            Err(findings) => findings,
        };
        let new = say_new(findings, &mut last.said);
        match &outcome {
            Ok(Reloaded { campaigns, .. }) => {
                self.metrics.config_reloads.add(["ok"], 1);
                tracing::info!(campaigns, "reloaded: attempts under way finish under the plan they began with");
            }
            Err(findings) => {
                self.metrics.config_reloads.add(["refused"], 1);
                let findings = findings.len();
                tracing::error!(findings, new, "not reloaded: the old plan stays in force");
            }
        }
        self.metrics.config_last_reload_successful.set_truth([], outcome.is_ok());
        outcome
    }

    fn swap(&self, plan: Plan, folder: Folder) -> Result<Reloaded, Vec<Diagnostic>> {
        let reloaded = Reloaded { campaigns: plan.campaigns.len(), warnings: plan.warnings.clone() };
        match self.writer.send(ToWriter::Plan(self.put_in_force(plan, folder))) {
            Ok(()) => Ok(reloaded),
            Err(_) => Err(vec![Diagnostic::error(Code::StoreFailed, "the daemon is stopping")]),
        }
    }

    /// Before anybody hears of it.
    fn put_in_force(&self, plan: Plan, folder: Folder) -> Arc<Plan> {
        let plan = Arc::new(plan);
        if let Some(files) = &self.plan_files {
            files.note(&plan, folder);
        }
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&plan);
        plan
    }

    /// The first plan, at start-up: its warnings are logged as those of any other.
    pub(super) fn first(&self) -> Result<Arc<Plan>, Vec<Diagnostic>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.read()?;
        last.digest = Some(digest(&folder));
        let plan = load(&folder)?;
        say_new(&plan.warnings, &mut last.said);
        Ok(self.put_in_force(plan, folder))
    }
}

fn digest(folder: &Folder) -> [u8; 32] {
    let mut sha = Sha256::new();
    for (path, bytes) in &folder.files {
        for part in [path.as_bytes(), bytes] {
            sha.update((part.len() as u64).to_le_bytes());
            sha.update(part);
        }
    }
    sha.finalize().into()
}

/// Logs what was not there the last time; returns how many.
fn say_new(findings: &[Diagnostic], said: &mut BTreeSet<String>) -> usize {
    let now: BTreeSet<String> = findings.iter().map(ToString::to_string).collect();
    let mut new = 0;
    for finding in findings {
        let text = finding.to_string();
        if said.contains(&text) {
            continue;
        }
        new += 1;
        if finding.is_error() {
            tracing::error!(code = %finding.code, "{text}");
        } else {
            tracing::warn!(code = %finding.code, "{text}");
        }
    }
    *said = now;
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_said_once_until_it_is_gone() {
        let finding = |text: &str| Diagnostic::error(Code::BadValue, text);
        let mut said = BTreeSet::new();
        assert_eq!(say_new(&[finding("a"), finding("b")], &mut said), 2);
        assert_eq!(say_new(&[finding("a"), finding("c")], &mut said), 1);
        assert_eq!(say_new(&[], &mut said), 0);
        assert_eq!(say_new(&[finding("a")], &mut said), 1);
    }
}
