//! Is there room beside the database?

use std::path::Path;

use crate::daemon::config::{Config, Database};

use super::Finding;

const CHECK: &str = "disk";
/// A day of a busy site, with its log.
const ENOUGH: u64 = 2 << 30;
/// SQLite needs room for its log to go on at all.
const TOO_LITTLE: u64 = 128 << 20;

pub(super) fn check(config: &Config) -> Finding {
    let Database::Sqlite(path) = &config.database;
    let Some(folder) = folder_of(path) else {
        return Finding::fail(CHECK, format!("no folder above {} exists", path.display()), "make it");
    };
    match rustix::fs::statvfs(folder) {
        Ok(room) => judge(folder, room.f_bavail.saturating_mul(room.f_frsize)),
        Err(error) => Finding::warn(CHECK, format!("{}: {error}", folder.display()), "look at it with df"),
    }
}

/// The folder itself may not exist before the first start. Above a relative path is where we are.
fn folder_of(path: &Path) -> Option<&Path> {
    let above = path.ancestors().skip(1);
    above
        .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .find(|folder| folder.is_dir())
}

fn judge(folder: &Path, free: u64) -> Finding {
    let what = format!("{} MiB are free at {}", free >> 20, folder.display());
    let remedy = "make room: without it no call can be authorised";
    if free < TOO_LITTLE {
        Finding::fail(CHECK, what, remedy)
    } else if free < ENOUGH {
        Finding::warn(CHECK, what, remedy)
    } else {
        Finding::ok(CHECK, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn before_the_first_start_the_room_is_looked_for_further_up() {
        assert_eq!(folder_of(Path::new("not-there/goldenhour.db")), Some(Path::new(".")));
        assert_eq!(folder_of(Path::new("/not-there/goldenhour.db")), Some(Path::new("/")));
    }

    #[test]
    fn little_room_is_a_warning_and_none_a_failure() {
        let at = |free| judge(Path::new("/x"), free).result;
        assert_eq!([at(3 << 30), at(1 << 30), at(1 << 20)], [Verdict::Ok, Verdict::Warn, Verdict::Fail]);
    }
}
