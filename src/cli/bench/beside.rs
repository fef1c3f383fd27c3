//! `goldenhour bench originate --line`: rounds of the line alone and of SIPp, in turn.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::figures::{Figures, median, rounded};
use super::originate::Args;
use super::sipp::{self, Callee};
use super::site::Wanted;

const RINGS: &str = include_str!("site/rings.xml");

/// One round: ours as the child said it, and SIPp's CPU for the same calls.
struct Round {
    ours: Value,
    sipp_cpu_s: f64,
}

pub(super) fn rounds(args: &Args) -> anyhow::Result<Figures> {
    let rounds: Vec<Round> = (0..args.rounds).map(|_| round(args)).collect::<anyhow::Result<_>>()?;
    let ours = |name: &str| -> Vec<f64> { rounds.iter().filter_map(|round| round.ours.get(name)?.as_f64()).collect() };
    let thousands = f64::from(args.calls) / 1_000.0;
    let ratios = rounds.iter().zip(ours("cpu_s")).map(|(round, cpu)| cpu / round.sipp_cpu_s.max(0.01)).collect();
    let mut figures = Figures::default();
    figures.set("rate_cps", args.rate).set("calls", args.calls).set("hold_s", args.hold).set("ring_s", args.ring);
    figures.set("rounds", args.rounds);
    figures.set("failed", ours("failed").iter().sum::<f64>());
    figures.set("resent_invites", ours("resent_invites").iter().sum::<f64>());
    figures.set("calls_per_cpu_s", median(ours("calls_per_cpu_s")));
    figures.set("cpu_s_per_1000", rounded(median(ours("cpu_s")) / thousands, 4));
    let sipp = rounds.iter().map(|round| round.sipp_cpu_s).collect();
    figures.set("sipp_cpu_s_per_1000", rounded(median(sipp) / thousands, 4));
    figures.set("ratio", rounded(median(ratios), 2));
    for name in ["live_calls_at_peak", "rss_bytes_per_live_call", "rss_bytes_per_finished_call"] {
        figures.set(name, median(ours(name)));
    }
    Ok(figures)
}

fn round(args: &Args) -> anyhow::Result<Round> {
    Ok(Round { ours: ours(args)?, sipp_cpu_s: theirs(args)? })
}

fn ours(args: &Args) -> anyhow::Result<Value> {
    let callee = callee(args)?;
    let program = args.program.clone().map_or_else(std::env::current_exe, Ok)?;
    let mut command = Command::new(program);
    command.args(["--log", "warn", "bench", "line", "--json", "--peer", &callee.at.to_string()]);
    for (flag, value) in [("--rate", u64::from(args.rate)), ("--calls", args.calls.into()), ("--hold", args.hold)] {
        command.arg(flag).arg(value.to_string());
    }
    let said = command.stdin(Stdio::null()).output().context("the line cannot be started")?;
    ensure!(said.status.success(), "the line: {}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).context("the line says no JSON")
}

fn theirs(args: &Args) -> anyhow::Result<f64> {
    let callee = callee(args)?;
    let hold = Duration::from_secs(args.hold + args.ring);
    let caller = sipp::call(&Wanted { calls: args.calls, rate: args.rate, hold, peer: callee.at })?;
    Ok(caller.cpu_s)
}

fn callee(args: &Args) -> anyhow::Result<Callee> {
    if args.ring == 0 {
        return Callee::start();
    }
    let file: PathBuf = std::env::temp_dir().join(format!("goldenhour-rings-{}.xml", std::process::id()));
    fs::write(&file, RINGS.replace("RING_MS", &(args.ring * 1_000).to_string()))?;
    let callee = Callee::start_with(&file);
    fs::remove_file(&file)?;
    callee
}
