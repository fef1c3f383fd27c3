//! `goldenhour replay`: a journal told again; the same decisions byte for byte, or the first that differs.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Code, Diagnostic};
use crate::campaign::{Plan, load};
use crate::daemon::read_folder;
use crate::engine::{Difference, JournalError, Reader, Replay, ReplayError};

use super::ahead::thousands;
use super::exit::{Exit, Stop};
use super::output;

/// Tell an engine everything again that a journal of `serve --journal` holds, and compare what it decides
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The journal
    journal: PathBuf,
    /// With the campaigns of this folder instead of those in the journal: what would have been decided otherwise?
    #[arg(long, value_name = "DIR")]
    campaigns: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    journal: String,
    /// Of the program that wrote it.
    written_by: String,
    /// Told again, each with the same decisions after it; the one that differs is not among them.
    inputs: u64,
    decisions: u64,
    identical: bool,
    /// Why the journal ends; `None` where the replay did not come so far.
    ended: Option<String>,
    difference: Option<Differs>,
}

#[derive(Debug, Serialize)]
struct Differs {
    input: u64,
    kind: &'static str,
    at: String,
    decision: Option<usize>,
    expected: Option<String>,
    got: Option<String>,
    #[serde(skip)]
    shown: String,
}

/// Why the replay ended before the journal did.
enum Halt {
    Journal(JournalError),
    Replay(ReplayError),
    File(std::io::Error),
}

const PIECE: usize = 1 << 20;

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match replay(args) {
        Ok((report, refused)) => output::answer(args.json, &report, refused),
        Err(stop) => output::failed(args.json, stop),
    }
}

fn replay(args: &Args) -> Result<(Report, Option<Stop>), Stop> {
    let rules = args.campaigns.as_deref().map(rules).transpose()?;
    let changed = rules.is_some();
    let mut replay = Replay::new(rules);
    let halt = tell(&args.journal, &mut replay).err();
    let mut report = Report {
        journal: args.journal.display().to_string(),
        written_by: replay.version().to_owned(),
        inputs: replay.inputs(),
        decisions: replay.decisions(),
        identical: halt.is_none(),
        ended: replay.ended().map(str::to_owned),
        difference: None,
    };
    let refused = match halt {
        None => None,
        Some(Halt::Replay(ReplayError::Differs(difference))) => {
            report.inputs -= 1;
            report.difference = Some(differs(&difference));
            Some(Stop::one(Exit::Failure, finding(&report, changed)))
        }
        Some(Halt::Replay(ReplayError::Plan(findings))) => return Err(Stop::found(Exit::Invalid, findings)),
        Some(Halt::File(why)) => {
            let finding = Diagnostic::error(Code::File, format!("{}: {why}", report.journal));
            return Err(Stop::one(Exit::Failure, finding));
        }
        Some(Halt::Journal(error @ JournalError::CutOff { .. })) => {
            Some(Stop::one(Exit::Failure, unreadable(&args.journal, &error)))
        }
        Some(Halt::Journal(error)) => return Err(Stop::one(Exit::Failure, unreadable(&args.journal, &error))),
    };
    Ok((report, refused))
}

fn rules(folder: &Path) -> Result<Plan, Stop> {
    let folder = read_folder(folder, None).map_err(|finding| Stop::one(Exit::Invalid, finding))?;
    load(&folder)
        .map_err(|findings| Stop::found(Exit::Invalid, findings.into_iter().filter(Diagnostic::is_error).collect()))
}

fn tell(path: &Path, replay: &mut Replay) -> Result<(), Halt> {
    let mut file = File::open(path).map_err(Halt::File)?;
    let mut reader = Reader::default();
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(Halt::File)?;
        if read == 0 {
            return reader.finish().map_err(Halt::Journal);
        }
        reader.push(piece.get(..read).unwrap_or_default());
        while let Some(entry) = reader.next_entry().map_err(Halt::Journal)? {
            replay.feed(entry).map_err(Halt::Replay)?;
        }
    }
}

fn differs(difference: &Difference) -> Differs {
    Differs {
        input: difference.input,
        kind: difference.kind,
        at: difference.at.to_string(),
        decision: difference.decision,
        expected: difference.expected.clone(),
        got: difference.got.clone(),
        shown: difference.to_string(),
    }
}

fn finding(report: &Report, changed: bool) -> Diagnostic {
    if changed {
        let message = format!("{}: with these campaigns the engine decides otherwise", report.journal);
        return Diagnostic::error(Code::ReplayDiffers, message).hint("up to that input nothing would have changed");
    }
    let ours = env!("CARGO_PKG_VERSION");
    let message = format!("{}: written by version {}, replayed by {ours}", report.journal, report.written_by);
    let hint = "two versions may decide differently on purpose; of one and the same version this is an error of ours: keep the journal";
    Diagnostic::error(Code::ReplayDiffers, message).hint(hint)
}

fn unreadable(path: &Path, error: &JournalError) -> Diagnostic {
    let hint = match error {
        JournalError::NotAJournal => "name a file that `goldenhour serve --journal FILE` wrote",
        JournalError::Version(_) => "use the version of the program that wrote it",
        JournalError::Damaged { .. } => "nothing behind that place can be trusted; restore the file from a copy",
        JournalError::CutOff { .. } => "the daemon was killed, is still running, or the file was copied in part",
    };
    Diagnostic::error(error.code(), format!("{}: {error}", path.display())).hint(hint)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (inputs, decisions) = (thousands(self.inputs), thousands(self.decisions));
        match (&self.difference, &self.ended) {
            (Some(difference), _) => {
                write!(
                    f,
                    "identical for {inputs} inputs and {decisions} decisions, then different\n{}",
                    difference.shown
                )
            }
            (None, Some(why)) if why == "stopped" => write!(f, "identical, {inputs} inputs, {decisions} decisions"),
            (None, Some(why)) => {
                write!(f, "identical, {inputs} inputs, {decisions} decisions; the journal ends early: {why}")
            }
            (None, None) => write!(f, "identical as far as it goes, {inputs} inputs, {decisions} decisions"),
        }
    }
}
