//! SIPp as the gateway: somebody else's SIP, and its own word on which calls came.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::{Process, Site};

/// A scenario of tests/fixtures/sipp that takes calls until it is dropped.
pub(crate) struct Sipp {
    process: Process,
    calls: PathBuf,
}

impl Sipp {
    /// `@GBK@` in a scenario stands for four bytes that are no UTF-8. `calls` ends it after so many.
    pub(crate) fn start(site: &Site, scenario: &str, calls: Option<u32>) -> Self {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sipp").join(scenario);
        let text = fs::read_to_string(fixture).unwrap();
        let parts: Vec<&[u8]> = text.split("@GBK@").map(str::as_bytes).collect();
        fs::write(site.path(scenario), parts.join(&b"\xd2\xf8\xd0\xd0"[..])).unwrap();
        let seen = site.path("calls.log");
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(site.path(scenario)).args(["-i", "127.0.0.1", "-p", &site.gateway.port().to_string()]);
        command.args(["-nostdin", "-nd", "-trace_logs", "-log_file"]).arg(&seen);
        // Its screen is of no use in a file.
        command.args(["-f", "3600", "-buff_size", "8388608"]);
        command.args(calls.map(|calls| ["-m".to_owned(), calls.to_string()]).into_iter().flatten());
        command.current_dir(site.path(""));
        Self { process: Process::start(command, &site.path("sipp.log")), calls: seen }
    }

    /// The Call-IDs of all INVITEs so far, without hyphens, and how many INVITEs there were.
    pub(crate) fn calls(&self) -> (BTreeSet<String>, usize) {
        let text = fs::read_to_string(&self.calls).unwrap_or_default();
        let ids: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("call ")).collect();
        (ids.iter().map(|id| id.replace('-', "")).collect(), ids.len())
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
