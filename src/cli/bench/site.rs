//! An installation for one measurement: a campaign, a generated list, a daemon's configuration, all in a folder that goes
//! when the measurement is over.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::campaign::{Campaign, Folder, load};

use crate::cli::exit::Stop;

const CAMPAIGN: &str = include_str!("site/campaign.yaml");
const POLICY: &str = include_str!("site/policy.yaml");
const DISPOSITIONS: &str = include_str!("site/dispositions.yaml");
/// In the campaign, replaced where calls are to be held.
const AT_ONCE: &str = "hello: { disposition: done, then: hangup }";

/// A Tuesday in its calling hours.
pub(super) const CLOCK_START: &str = "2026-12-01T10:00:00+08:00";

/// What a site is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) calls: u32,
    pub(super) rate: u32,
    pub(super) hold: Duration,
    pub(super) peer: SocketAddr,
}

/// Removed when dropped.
#[derive(Debug)]
pub(super) struct Site {
    home: PathBuf,
    program: PathBuf,
    pub(super) metrics: SocketAddr,
}

impl Site {
    /// With its list imported, and paused.
    pub(super) fn new(under: &Path, nth: u32, program: PathBuf, wanted: &Wanted) -> anyhow::Result<Self> {
        let home = under.join(format!("goldenhour-bench-{}-{nth}", std::process::id()));
        fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
        let site = Self { home, program, metrics: free_tcp()? };
        for (name, bytes) in &files(wanted.hold).files {
            let path = site.home.join("campaigns").join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, bytes)?;
        }
        site.write("goldenhour.yaml", &config(wanted, site.metrics)?)?;
        site.write("list.csv", &list(wanted.calls))?;
        site.run(&["import", "--campaign", "bench", "list.csv"])?;
        site.run(&["pause", "--all"])?;
        Ok(site)
    }

    /// The daemon, in a process of its own: what it uses is its own alone.
    pub(super) fn serve(&self) -> anyhow::Result<Child> {
        let mut command = self.command("serve");
        command.args(["--clock-start", CLOCK_START]);
        let log = fs::File::create(self.home.join("log"))?;
        command.stderr(log).spawn().context("the daemon cannot be started")
    }

    pub(super) fn resume(&self) -> anyhow::Result<()> {
        self.run(&["resume", "--all"]).map(drop)
    }

    /// Attempts, and outcomes, as the database has them.
    pub(super) fn stored(&self) -> anyhow::Result<(u64, u64)> {
        let said: serde_json::Value = serde_json::from_str(&self.run(&["migrate", "--json"])?)?;
        let count = |name: &str| said.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        Ok((count("attempts"), count("outcomes")))
    }

    /// The last lines of the daemon's log.
    pub(super) fn complaints(&self) -> String {
        let log = fs::read_to_string(self.home.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let (first, rest) = args.split_first().context("no command")?;
        let said = self.command(first).args(rest).stderr(Stdio::piped()).output()?;
        ensure!(said.status.success(), "{first}: {}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8(said.stdout)?)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--log", "warn", name, "--config"]).arg(self.home.join("goldenhour.yaml"));
        command.current_dir(&self.home).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.home.join(name), text).with_context(|| name.to_owned())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It lies in the folder for temporary files; nothing breaks if it stays.
        let _left = fs::remove_dir_all(&self.home);
    }
}

/// The campaign alone, for what needs no installation.
pub(super) fn campaign() -> Result<Arc<Campaign>, Stop> {
    let plan = load(&files(Duration::ZERO)).map_err(|findings| anyhow::anyhow!(crate::base::render(&findings)))?;
    plan.campaigns.into_iter().next().context("there is no campaign").map_err(Stop::from)
}

/// A socket of that number that nobody has at this moment.
pub(super) fn free_udp() -> anyhow::Result<u16> {
    Ok(std::net::UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn free_tcp() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn files(hold: Duration) -> Folder {
    let held = format!(
        "hello: {{ collect: {{ digits: 1, timeout: {}s, tries: 1 }}, on: {{ \"1\": bye, timeout: bye }} }}\n    \
         bye: {{ disposition: done, then: hangup }}",
        hold.as_secs()
    );
    let campaign = if hold.is_zero() { CAMPAIGN.to_owned() } else { CAMPAIGN.replace(AT_ONCE, &held) };
    let mut folder = Folder::default();
    folder.insert("bench.yaml", campaign.into_bytes());
    folder.insert("policies/bench.yaml", POLICY.as_bytes());
    folder.insert("dispositions/bench.yaml", DISPOSITIONS.as_bytes());
    folder
}

fn config(wanted: &Wanted, metrics: SocketAddr) -> anyhow::Result<String> {
    let (sip, peer, rate) = (free_udp()?, wanted.peer, wanted.rate);
    Ok(format!(
        r#"database: "sqlite://var/goldenhour.db"
http: {{ listen: "127.0.0.1:0" }}
metrics: {{ listen: "{metrics}" }}
sip: {{ listen: ["udp://127.0.0.1:{sip}"], media: {{ address: "127.0.0.1", ports: "10000-31999" }} }}
trunks: {{ gw: {{ uri: "sip:{peer}", caller_ids: ["+999100000001"], max_calls: 100000, max_cps: {rate}, options_every: off }} }}
test_numbers_only: true
drain_timeout: 5s
"#
    ))
}

/// Keys, numbers and scores in no order.
fn list(rows: u32) -> String {
    let mut text = String::from("id,phone,score,zone,consent\n");
    for n in 0..rows {
        let score = f64::from(n.wrapping_mul(2_654_435_761) >> 8) / f64::from(1_u32 << 24);
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "k{n},+9991{n:08},{score:.6},Asia/Shanghai,1");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_campaign_loads_with_and_without_a_hold() {
        assert_eq!(campaign().unwrap().name, "bench");
        let held = load(&files(Duration::from_secs(10))).unwrap();
        assert_eq!(held.campaigns[0].flow.as_ref().unwrap().steps.len(), 2);
    }
}
