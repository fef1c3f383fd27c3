//! May the process open as many files as its calls need sockets?

use rustix::process::{Resource, getrlimit};

use crate::daemon::config::Config;

use super::{Finding, calls_max};

const CHECK: &str = "open files";
/// Database, listeners, scrapes, logs.
const BESIDE_CALLS: u64 = 128;

pub(super) fn check(config: &Config) -> Finding {
    // `None` is "unlimited".
    judge(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX), calls_max(config))
}

/// Each call has an RTP socket.
fn judge(limit: u64, calls: u64) -> Finding {
    let needed = calls + BESIDE_CALLS;
    let what = format!("{limit} may be open here, {calls} calls at once need {needed}");
    if limit < needed {
        let remedy = format!("`ulimit -n {needed}` here; the systemd unit sets `LimitNOFILE` of its own");
        return Finding::fail(CHECK, what, remedy);
    }
    Finding::ok(CHECK, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn calls_need_sockets() {
        assert_eq!((judge(1_024, 60).result, judge(1_024, 1_000).result), (Verdict::Ok, Verdict::Fail));
    }
}
