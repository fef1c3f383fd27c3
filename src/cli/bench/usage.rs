//! What a process has used, as Linux counts it (proc(5)): CPU seconds of all its threads, and resident memory.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};

/// `USER_HZ` of every Linux that Rust runs on.
const TICKS_PER_S: f64 = 100.0;

/// A process of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(u32);

impl Process {
    pub(super) fn this() -> Self {
        Self(std::process::id())
    }

    pub(super) fn of(pid: u32) -> Self {
        Self(pid)
    }

    /// User and system time so far, to a hundredth of a second. A process that has ended keeps it until it is waited for.
    pub(super) fn cpu_s(self) -> anyhow::Result<f64> {
        let (_, utime, stime) = self.stat()?;
        Ok((utime + stime) as f64 / TICKS_PER_S)
    }

    /// It has ended, and waits to be waited for.
    pub(super) fn has_ended(self) -> anyhow::Result<bool> {
        Ok(self.stat()?.0 == "Z")
    }

    pub(super) fn rss_bytes(self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most that it ever had.
    pub(super) fn max_rss_bytes(self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> anyhow::Result<u64> {
        let text = self.read("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        kib.map(|kib| kib * 1_024).with_context(|| format!("no {name} in /proc/PID/status"))
    }

    /// State, utime, stime. The second field is a name in brackets that may hold anything.
    fn stat(self) -> anyhow::Result<(String, u64, u64)> {
        let text = self.read("stat")?;
        let (_, rest) = text.rsplit_once(") ").ok_or_else(|| anyhow!("/proc/PID/stat is not as proc(5) says"))?;
        let mut fields = rest.split(' ');
        let state = fields.next().unwrap_or_default().to_owned();
        let mut field = |nth: usize| fields.nth(nth).and_then(|field| field.parse().ok()).context("/proc/PID/stat");
        // Fields 14 and 15; the state is the third.
        Ok((state, field(10)?, field(0)?))
    }

    fn read(self, file: &str) -> anyhow::Result<String> {
        let path = PathBuf::from(format!("/proc/{}/{file}", self.0));
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something_and_runs() {
        let this = Process::this();
        assert!(this.rss_bytes().unwrap() > 100_000 && this.max_rss_bytes().unwrap() >= 100_000);
        assert!(this.cpu_s().unwrap() >= 0.0 && !this.has_ended().unwrap());
    }
}
