//! Can this machine's clock be believed? Calling hours hang on it.

use std::path::Path;
use std::time::Duration;

use crate::base::Wall;

use super::Finding;

const CHECK: &str = "clock";
/// Before this program was written.
const EARLIEST: &str = "2026-01-01T00:00:00Z";
/// What the database has seen may be this far ahead: a step of a time service.
const BEHIND_MAX: Duration = Duration::from_secs(1);
/// Signs that somebody keeps the clock: systemd-timesyncd, chrony, ntpd.
const KEEPERS: [&str; 4] =
    ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];

pub(super) fn check(now: Wall, high_water: Option<Wall>) -> Finding {
    judge(now, high_water, KEEPERS.iter().any(|path| Path::new(path).exists()))
}

fn judge(now: Wall, high_water: Option<Wall>, kept: bool) -> Finding {
    if Wall::parse(EARLIEST).is_ok_and(|earliest| now < earliest) {
        return Finding::fail(CHECK, format!("it shows {now}, before this program was written"), "set it");
    }
    let behind = high_water.map_or(Duration::ZERO, |high| high.since(now));
    if behind > BEHIND_MAX {
        let what = format!("it lies {} s behind the latest time in the database", behind.as_secs());
        return Finding::fail(CHECK, what, "docs/runbooks/GoldenhourClockWentBack.md");
    }
    if kept {
        return Finding::ok(CHECK, format!("it shows {now}, and a time service keeps it"));
    }
    let remedy = "run chrony or systemd-timesyncd, unless the host of this machine does";
    Finding::warn(CHECK, format!("it shows {now}; no time service was found"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn a_clock_that_went_back_or_was_never_set_is_a_failure() {
        let at = |text| Wall::parse(text).unwrap();
        let now = at("2026-12-01T00:00:00Z");
        assert_eq!(judge(now, Some(now), true).result, Verdict::Ok);
        assert_eq!(judge(now, None, false).result, Verdict::Warn);
        let found = judge(now, Some(at("2026-12-01T01:00:00Z")), true);
        assert!(found.result == Verdict::Fail && found.what.contains("3600 s behind"), "{found:?}");
        assert_eq!(judge(at("1970-01-01T00:05:00Z"), None, true).result, Verdict::Fail);
    }
}
