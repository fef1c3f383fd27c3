//! Finds the trace of one attempt, beside a daemon that writes.

use std::io;
use std::path::Path;

use crate::base::{AttemptId, Wall};

use super::line::{self, Step};
use super::shelf::{files, run_of};

/// Messages of one call that are shown; a gateway may send without end.
const STEPS_MAX: usize = 1_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Each with the run of the daemon that saw it. Ticks of one run can be compared.
    pub steps: Vec<(i64, Step)>,
    /// Of the oldest line that is still there, of any attempt.
    pub oldest: Option<Wall>,
    /// There were more messages than are shown.
    pub cut: bool,
}

/// Everything that is still there. A folder that nobody has made yet holds nothing.
pub fn find(folder: &Path, attempt: AttemptId) -> io::Result<Found> {
    let mut found = Found::default();
    let attempt = attempt.to_string();
    let files = match files(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        other => other?,
    };
    for (_, path, _) in files {
        let bytes = match std::fs::read(&path) {
            // The daemon has just removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        let Some(run) = lines.next().and_then(run_of) else { continue };
        for line in lines {
            found.oldest = found.oldest.or_else(|| line::wall_of(line));
            let Some(step) = line::read(line, &attempt) else { continue };
            if found.steps.len() == STEPS_MAX {
                found.cut = true;
                return Ok(found);
            }
            found.steps.push((run, step));
        }
    }
    Ok(found)
}
