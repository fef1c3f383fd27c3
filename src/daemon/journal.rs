//! The input journal on disk: the engine's thread hands over whole records, a thread of its own writes them.
//!
//! Whatever goes wrong with it (a full disk, a limit, a slow device) ends the journal and says so; dialling goes on.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::{CampaignIx, Code, Now, Tick};
use crate::campaign::{Campaign, Folder, Plan};
use crate::engine::{EngineConfig, Input, Output, Recorder};

/// Files of plans that the engine has not been told of yet, so that the journal can hold them.
#[derive(Clone, Debug, Default)]
pub struct PlanFiles(Arc<Mutex<Known>>);

type Known = Vec<(Arc<Plan>, Folder)>;

/// Belongs to the engine's thread.
#[derive(Debug)]
pub struct Journal {
    recorder: Recorder,
    files: PlanFiles,
    path: PathBuf,
    /// `None` once it has ended.
    to: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
    /// Taken from the recorder, and not taken over yet.
    pending: Vec<u8>,
    written: u64,
    turned: Tick,
}

impl PlanFiles {
    /// A reload or two may be on their way at once.
    const KEEP: usize = 8;

    pub fn note(&self, plan: &Arc<Plan>, files: Folder) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.truncate(Self::KEEP - 1);
        known.insert(0, (Arc::clone(plan), files));
    }

    /// Of the plan with these very campaigns.
    fn of(&self, campaigns: &[(CampaignIx, Arc<Campaign>)]) -> Option<Folder> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |plan: &Plan| {
            plan.campaigns.len() == campaigns.len()
                && plan.campaigns.iter().zip(campaigns).all(|(a, (_, b))| Arc::ptr_eq(a, b))
        };
        known.iter().find(|(plan, _)| same(plan)).map(|(_, files)| files.clone())
    }
}

impl Journal {
    /// At this size it ends.
    const BYTES_MAX: u64 = 8 << 30;
    /// Handed over at this size, or after this time.
    const PIECE: usize = 256 * 1024;
    const EVERY: Duration = Duration::from_secs(1);
    /// What may wait for a slow disk.
    const PENDING_MAX: usize = 64 << 20;
    const QUEUE: usize = 16;

    /// Makes the file, mode 0600; what was there is kept beside it as `.old`, one generation.
    pub fn open(path: &Path, files: PlanFiles, began: Now, config: &EngineConfig) -> io::Result<Self> {
        if path.exists() {
            std::fs::rename(path, path.with_added_extension("old"))?;
        }
        let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        let (to, from) = sync_channel(Self::QUEUE);
        let shown = path.to_owned();
        let thread =
            std::thread::Builder::new().name("journal".to_owned()).spawn(move || write(file, &from, &shown))?;
        let recorder = Recorder::new(env!("CARGO_PKG_VERSION"), began, config);
        let (to, thread) = (Some(to), Some(thread));
        Ok(Self {
            recorder,
            files,
            path: path.to_owned(),
            to,
            thread,
            pending: Vec::new(),
            written: 0,
            turned: began.tick,
        })
    }

    pub fn input(&mut self, now: Now, input: &Input) {
        if self.to.is_none() {
            return;
        }
        if let Input::Plan(campaigns, _) = input
            && let Some(files) = self.files.of(campaigns)
        {
            self.recorder.files(&files);
        }
        self.recorder.input(now, input);
    }

    pub fn output(&mut self, output: &Output) {
        if self.to.is_some() {
            self.recorder.output(output);
        }
    }

    /// Now and then: hands over what there is. Never waits.
    pub fn turn(&mut self, now: Tick) {
        if self.to.is_none() || (self.recorder.len() < Self::PIECE && now.since(self.turned) < Self::EVERY) {
            return;
        }
        self.turned = now;
        if self.written + self.recorder.len() as u64 >= Self::BYTES_MAX {
            tracing::warn!(path = %self.path.display(), bytes = self.written, "the input journal is full and ends here");
            self.recorder.end("it reached its largest size");
            self.hand_over();
            self.to = None;
            return;
        }
        self.hand_over();
        if self.pending.len() > Self::PENDING_MAX {
            tracing::error!(code = %Code::JournalWrite, path = %self.path.display(), "the disk cannot keep up with the input journal, which ends here");
            self.to = None;
        }
    }

    /// Writes the end and waits until all is on disk.
    pub fn end(&mut self, why: &str) {
        if self.to.is_none() {
            return;
        }
        self.recorder.end(why);
        self.pending.append(&mut self.recorder.take());
        if let Some(to) = self.to.take() {
            // The thread that writes has ended if this fails, and has said why.
            let _lost = to.send(std::mem::take(&mut self.pending));
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(code = %Code::JournalWrite, "the thread of the input journal panicked");
        }
    }

    fn hand_over(&mut self) {
        let mut fresh = self.recorder.take();
        self.written += fresh.len() as u64;
        self.pending.append(&mut fresh);
        let Some(to) = &self.to else { return };
        match to.try_send(std::mem::take(&mut self.pending)) {
            Ok(()) => {}
            Err(TrySendError::Full(kept)) => self.pending = kept,
            Err(TrySendError::Disconnected(_)) => self.to = None,
        }
    }
}

fn write(mut file: File, from: &Receiver<Vec<u8>>, path: &Path) {
    while let Ok(piece) = from.recv() {
        if let Err(why) = file.write_all(&piece) {
            tracing::error!(code = %Code::JournalWrite, path = %path.display(), %why, "the input journal cannot be written and ends here");
            return;
        }
    }
    if let Err(why) = file.sync_all() {
        tracing::error!(code = %Code::JournalWrite, path = %path.display(), %why, "the input journal may not be whole");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;
    use crate::engine::{Entry, Reader};

    fn config() -> EngineConfig {
        EngineConfig { trunks: Vec::new(), ..crate::engine::testing::config(0, 0) }
    }

    fn kinds(path: &Path) -> Vec<&'static str> {
        let mut reader = Reader::default();
        reader.push(&std::fs::read(path).unwrap());
        let mut kinds = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            kinds.push(match entry {
                Entry::Head { .. } => "head",
                Entry::Files(_) => "files",
                Entry::Input { input, .. } => input.as_str(),
                Entry::End { .. } => "end",
            });
        }
        reader.finish().unwrap();
        kinds
    }

    #[test]
    fn the_files_of_a_plan_stand_before_it_and_an_old_journal_stays_beside_the_new_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("inputs.journal");
        let now = Now { tick: Tick(0), wall: Wall(0) };
        let files = PlanFiles::default();
        let plan = Arc::new(Plan::default());
        for _ in 0..2 {
            let mut journal = Journal::open(&path, files.clone(), now, &config()).unwrap();
            files.note(&plan, Folder::default());
            journal.input(now, &Input::Plan(Vec::new(), plan.zones.clone()));
            journal.input(now, &Input::Timeout);
            journal.turn(Tick(2_000_000));
            journal.end("stopped");
            assert_eq!(kinds(&path), ["head", "files", "a plan", "a timeout", "end"]);
        }
        assert_eq!(kinds(&home.path().join("inputs.journal.old")).len(), 5);
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }
}
