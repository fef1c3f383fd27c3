//! A watch on the folder of campaigns: what was saved there is in force without a signal.
//!
//! It polls: the notifications of network disks and of mounted configuration maps do not come.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::campaign::Folder;

use super::Reloader;
use super::folder::{DEPTH_MAX, FILES_MAX};

/// How a file can be told from what it was: device and inode, size, and the time of its last change, which no tool sets.
type Mark = (u64, u64, u64, i64, i64);

/// What the folder looked like.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    /// As it was when the plan was read.
    read: Marks,
    /// As it was at the last look.
    seen: Marks,
}

/// `None` in place of a folder that cannot be read.
type Marks = BTreeMap<PathBuf, Option<Mark>>;

impl Watch {
    const EVERY: Duration = Duration::from_secs(1);

    /// The plan was read a moment ago.
    pub fn new(folder: &Path) -> Self {
        let marks = look(folder);
        Self { folder: folder.to_owned(), read: marks.clone(), seen: marks }
    }

    /// True once for each change, when the folder has been quiet for one look: a checkout or an editor that writes
    /// several files is not caught half way.
    pub fn has_changed(&mut self) -> bool {
        let now = look(&self.folder);
        let is_quiet = now == self.seen;
        self.seen = now;
        if !is_quiet || self.seen == self.read {
            return false;
        }
        self.read = self.seen.clone();
        true
    }

    /// Until the other end of `stop` is gone.
    pub fn run(mut self, reloader: &Arc<Reloader>, stop: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(Self::EVERY) {
            if self.has_changed() {
                // It logs and counts by itself.
                let _told = reloader.reload_if_new();
            }
        }
    }
}

fn look(folder: &Path) -> Marks {
    let mut marks = Marks::new();
    look_into(folder, "", 0, &mut marks);
    marks
}

fn look_into(folder: &Path, prefix: &str, depth: usize, marks: &mut Marks) {
    let Ok(entries) = fs::read_dir(folder) else {
        marks.insert(folder.to_owned(), None);
        return;
    };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let inside = format!("{prefix}{name}");
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_dir() && depth < DEPTH_MAX {
            look_into(&path, &format!("{inside}/"), depth + 1, marks);
        } else if about.is_file() && Folder::wants(&inside) && marks.len() < FILES_MAX {
            marks.insert(path, Some((about.dev(), about.ino(), about.len(), about.ctime(), about.ctime_nsec())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_after_a_quiet_look() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
        write("a.yaml", "1");
        let mut watch = Watch::new(home.path());
        assert!(!watch.has_changed() && !watch.has_changed());
        write("a.yaml", "22");
        assert!(!watch.has_changed(), "somebody may still be writing");
        write("b.yaml", "1");
        assert!(!watch.has_changed());
        assert!(watch.has_changed());
        assert!(!watch.has_changed());
        fs::remove_file(home.path().join("b.yaml")).unwrap();
        assert!(!watch.has_changed() && watch.has_changed());
    }

    #[test]
    fn what_is_no_campaign_file_and_what_is_put_back_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a.yaml"), "1").unwrap();
        let mut watch = Watch::new(home.path());
        for name in ["notes.txt", ".a.yaml.swp", "a.yaml~"] {
            fs::write(home.path().join(name), "x").unwrap();
        }
        assert!(!watch.has_changed() && !watch.has_changed());
        fs::rename(home.path().join("a.yaml"), home.path().join("gone")).unwrap();
        assert!(!watch.has_changed());
        fs::create_dir(home.path().join("deep")).unwrap();
        fs::write(home.path().join("deep/c.yaml"), "1").unwrap();
        assert!(!watch.has_changed());
        assert!(watch.has_changed(), "below folders too");
    }
}
