//! `--watch`: looks at the files a few times a second, and runs everything again when one has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use crate::campaign::Folder;
use crate::cli::check::home_of;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;

/// Quicker than somebody can look from the editor to the other window.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// As many as a folder of campaigns may have, and as deep.
const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 8;

type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Until somebody presses Ctrl-C.
pub(super) fn run(paths: &[PathBuf], mut once: impl FnMut() -> Result<Exit, Stop>) -> Result<Exit, Stop> {
    let mut seen = look(paths);
    once()?;
    loop {
        pause();
        let now = look(paths);
        if now == seen {
            continue;
        }
        output::say(&format!("\n{} changed", changed(&seen, &now)))?;
        seen = now;
        once()?;
    }
}

/// The folder of a single file counts whole: its policy and calendar are elsewhere in it.
fn look(paths: &[PathBuf]) -> Seen {
    let mut seen = Seen::new();
    for path in paths {
        look_into(if path.is_dir() { path } else { home_of(path) }, 0, &mut seen);
    }
    seen
}

/// What cannot be read is not there; the run itself says why.
fn look_into(folder: &Path, depth: usize, seen: &mut Seen) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_dir() && depth < DEPTH_MAX {
            look_into(&path, depth + 1, seen);
        } else if about.is_file() && seen.len() < FILES_MAX && Folder::wants(name) {
            seen.insert(path, (about.modified().ok(), about.len()));
        }
    }
}

/// One that differs, and how many more.
fn changed(before: &Seen, after: &Seen) -> String {
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let mut paths: Vec<&PathBuf> = before.keys().chain(after.keys()).filter(differs).collect();
    paths.sort_unstable();
    paths.dedup();
    let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
    paths.first().map_or_else(String::new, |path| format!("{}{more}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "editors tell nobody that they have saved")]
fn pause() {
    thread::sleep(LOOK_EVERY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_a_changed_and_a_lost_file_are_noticed_and_others_are_not() {
        let home = tempfile::tempdir().unwrap();
        let paths = [home.path().to_owned()];
        let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
        write("a.yaml", "x");
        let before = look(&paths);
        write("notes.txt", "x");
        assert_eq!(look(&paths), before);
        write("a.yaml", "longer");
        let after = look(&paths);
        assert!(changed(&before, &after).ends_with("a.yaml"));
        write("b.yaml", "x");
        fs::remove_file(home.path().join("a.yaml")).unwrap();
        assert!(changed(&after, &look(&paths)).ends_with("a.yaml and 1 more"));
    }

    #[test]
    fn every_change_runs_once_more_until_something_stops_it() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a.yaml");
        let mut runs = 0;
        let stopped = run(&[home.path().to_owned()], || {
            runs += 1;
            fs::write(&file, "x".repeat(runs)).unwrap();
            if runs == 2 { Err(Stop::usage("enough")) } else { Ok(Exit::Ok) }
        });
        assert_eq!((runs, stopped.is_err()), (2, true));
    }
}
