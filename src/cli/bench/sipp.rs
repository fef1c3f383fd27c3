//! SIPp as the peer that answers, and as the caller that we are compared with.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::site::{Wanted, free_udp};
use super::stopwatch::{Stopwatch, pause};
use super::usage::Process;
use crate::cli::exit::{Exit, OrExit as _, Stop};

/// `sipp -sn uas`, ended when dropped.
#[derive(Debug)]
pub(super) struct Callee {
    child: Child,
    pub(super) at: SocketAddr,
}

/// One run of `sipp -sn uac`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) cpu_s: f64,
    pub(super) all_succeeded: bool,
}

/// Without SIPp there is nothing to measure against.
pub(super) fn look_for() -> Result<(), Stop> {
    let found =
        Command::new("sipp").arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.context("`sipp` cannot be run; Debian has it as `sip-tester`").or_exit(Exit::Unreachable).map(drop)
}

impl Callee {
    pub(super) fn start() -> anyhow::Result<Self> {
        Self::run(&["-sn", "uas"])
    }

    /// With a scenario of our own, whose file may go once this has returned.
    pub(super) fn start_with(scenario: &Path) -> anyhow::Result<Self> {
        let file = scenario.to_str().context("the folder for temporary files has a name that is no text")?;
        Self::run(&["-sf", file])
    }

    fn run(scenario: &[&str]) -> anyhow::Result<Self> {
        let port = free_udp()?;
        let child = sipp(scenario, port).spawn().context("sipp, as the one who answers")?;
        // Its socket is there when somebody else cannot have the port any more.
        let since = Stopwatch::start();
        while std::net::UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            if since.elapsed() > Duration::from_secs(5) {
                bail!("sipp did not open its socket");
            }
            pause(Duration::from_millis(20));
        }
        Ok(Self { child, at: SocketAddr::from(([127, 0, 0, 1], port)) })
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// From its start to its end, which comes after the last call.
pub(super) fn call(wanted: &Wanted) -> anyhow::Result<Caller> {
    let mut command = sipp(&["-sn", "uac"], free_udp()?);
    command.arg(wanted.peer.to_string());
    for (flag, value) in [
        ("-r", u128::from(wanted.rate)),
        ("-m", u128::from(wanted.calls)),
        ("-l", u128::from(wanted.calls)),
        ("-d", wanted.hold.as_millis()),
    ] {
        command.arg(flag).arg(value.to_string());
    }
    let mut child = command.spawn().context("sipp -sn uac")?;
    let process = Process::of(child.id());
    let limit = wanted.hold + Duration::from_secs(u64::from(wanted.calls / wanted.rate.max(1)) * 4 + 60);
    let since = Stopwatch::start();
    while !process.has_ended()? {
        if since.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("sipp -sn uac did not come to an end");
        }
        pause(Duration::from_millis(50));
    }
    let cpu_s = process.cpu_s()?;
    Ok(Caller { cpu_s, all_succeeded: child.wait()?.success() })
}

fn sipp(scenario: &[&str], port: u16) -> Command {
    let mut command = Command::new("sipp");
    command.args(scenario).args(["-i", "127.0.0.1", "-nostdin", "-p"]).arg(port.to_string());
    // Its default holds some sixty INVITEs: on a busy machine it loses calls before it has seen them.
    command.args(["-buff_size", "2000000"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
