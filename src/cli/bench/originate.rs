//! `goldenhour bench originate`: the whole way of a call, from the list in the database to the outcome in it, against a
//! gateway that answers at once; beside it SIPp, which only calls.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::beside;
use super::figures::{Figures, median, rounded};
use super::scrape::Scrape;
use super::sipp::{self, Callee};
use super::site::{Site, Wanted};
use super::stopwatch::{Stopwatch, pause};
use super::usage::Process;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;

/// Place calls against `sipp -sn uas`: CPU per 1,000 calls beside `sipp -sn uac`, memory per live call
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// Calls a second
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) rate: u32,
    /// Of each round
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) calls: u32,
    /// Seconds for which an answered call is held; without it the flow hangs up at once
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=120))]
    pub(super) hold: u64,
    /// The line alone, without scheduling and database: `bench line` beside SIPp
    #[arg(long, conflicts_with_all = ["peer", "dir"])]
    line: bool,
    /// Seconds that every call rings before it is answered
    #[arg(long, value_name = "S", default_value_t = 0, requires = "line", value_parser = clap::value_parser!(u64).range(0..=60))]
    pub(super) ring: u64,
    /// A gateway of your own in place of SIPp's; it must answer every call
    #[arg(long, value_name = "ADDR")]
    peer: Option<SocketAddr>,
    /// Ours and SIPp's in turn; medians are printed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) rounds: u32,
    /// Where the database lies for the time of the measurement
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Another build of goldenhour to measure in place of this one
    #[arg(long, value_name = "FILE")]
    pub(super) program: Option<PathBuf>,
}

/// One run of ours. CPU is the daemon's alone, from before the first INVITE until the last outcome is stored: without
/// start-up, import and shutdown.
#[derive(Clone, Copy, Debug, Default)]
struct Ours {
    cpu_s: f64,
    answered: u64,
    /// Permitted, and not placed because the disk took longer than a permit lasts. Their leads are due a minute later.
    void: u64,
    /// INVITEs beyond one for each call.
    resent: u64,
    stored: u64,
    peak_calls: u64,
    peak_rss: u64,
    idle_rss: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    sipp::look_for()?;
    if args.line {
        return output::answer(args.json, &beside::rounds(args)?, None);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        ours.push(our_round(args, round)?);
        let callee = callee(args)?;
        theirs.push(sipp::call(&wanted(args, callee.as_ref()))?);
    }
    let thousands = f64::from(args.calls) / 1_000.0;
    let cpu = median(ours.iter().map(|run| run.cpu_s / thousands).collect());
    let sipp = median(theirs.iter().map(|run| run.cpu_s / thousands).collect());
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(our, their)| our.cpu_s / their.cpu_s.max(0.01)).collect();
    let per_call = |run: &Ours| run.peak_rss.saturating_sub(run.idle_rss) as f64 / run.peak_calls.max(1) as f64;
    let sum = |what: fn(&Ours) -> u64| ours.iter().map(what).sum::<u64>();
    let all = u64::from(args.calls) * u64::from(args.rounds);
    let mut figures = Figures::default();
    figures.set("rate_cps", args.rate).set("calls", args.calls).set("hold_s", args.hold).set("rounds", args.rounds);
    figures.set("failed", all - sum(|run| run.answered)).set("answered", sum(|run| run.answered));
    figures.set("void", sum(|run| run.void));
    figures.set("outcomes_stored", sum(|run| run.stored)).set("resent_invites", sum(|run| run.resent));
    figures.set("cpu_s_per_1000", rounded(cpu, 4)).set("sipp_cpu_s_per_1000", rounded(sipp, 4));
    figures.set("ratio", rounded(median(ratios), 2));
    figures.set("sipp_ok", theirs.iter().all(|run| run.all_succeeded));
    figures.set("live_calls_at_peak", ours.iter().map(|run| run.peak_calls).max().unwrap_or(0));
    figures.set("rss_bytes_per_live_call", median(ours.iter().map(per_call).collect()).round());
    figures.set("rss_bytes_at_peak", ours.iter().map(|run| run.peak_rss).max().unwrap_or(0));
    output::answer(args.json, &figures, None)
}

fn callee(args: &Args) -> anyhow::Result<Option<Callee>> {
    args.peer.is_none().then(Callee::start).transpose()
}

fn wanted(args: &Args, callee: Option<&Callee>) -> Wanted {
    let peer = callee.map(|callee| callee.at).or(args.peer);
    let peer = peer.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 5_060)));
    Wanted { calls: args.calls, rate: args.rate, hold: Duration::from_secs(args.hold), peer }
}

fn our_round(args: &Args, round: u32) -> anyhow::Result<Ours> {
    let callee = callee(args)?;
    let wanted = wanted(args, callee.as_ref());
    let under = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let program = args.program.clone().map_or_else(std::env::current_exe, Ok)?;
    let site = Site::new(&under, round, program, &wanted)?;
    let mut daemon = Daemon(site.serve()?);
    let measured = daemon.measure(&site, &wanted).with_context(|| site.complaints());
    let ended = daemon.stop();
    let mut ours = measured?;
    ended.with_context(|| site.complaints())?;
    (_, ours.stored) = site.stored()?;
    Ok(ours)
}

/// Killed when dropped.
struct Daemon(Child);

impl Daemon {
    fn measure(&mut self, site: &Site, wanted: &Wanted) -> anyhow::Result<Ours> {
        let process = Process::of(self.0.id());
        let calls = f64::from(wanted.calls);
        wait_for(Duration::from_mins(1), LOOK_EVERY, "its leads", || {
            Ok(Scrape::of(site.metrics).is_ok_and(|seen| seen.sum("goldenhour_leads", "") >= calls))
        })?;
        let mut ours = Ours { idle_rss: process.rss_bytes()?, ..Ours::default() };
        let from = process.cpu_s()?;
        site.resume()?;
        let dialling = Duration::from_secs_f64(calls / f64::from(wanted.rate));
        // A scrape costs the daemon as much as many calls, so calls that are not held are looked at when they should be
        // over, and then once a second.
        let every = if wanted.hold.is_zero() {
            pause(dialling);
            Duration::from_secs(1)
        } else {
            LOOK_EVERY
        };
        let limit = wanted.hold + dialling * 4 + Duration::from_mins(1);
        wait_for(limit, every, "the end of its calls", || {
            let seen = Scrape::of(site.metrics)?;
            let live = seen.sum("goldenhour_attempts_live", "") as u64;
            let rss = process.rss_bytes()?;
            if (live, rss) > (ours.peak_calls, ours.peak_rss) {
                (ours.peak_calls, ours.peak_rss) = (live, rss);
            }
            Ok(seen.sum("goldenhour_attempts_total", "") >= calls)
        })?;
        // The last outcomes are written, and sealed.
        pause(Duration::from_secs(1));
        ours.cpu_s = process.cpu_s()? - from;
        let by_result = |result: &str| {
            let seen = Scrape::of(site.metrics)?;
            Ok::<u64, anyhow::Error>(seen.sum("goldenhour_attempts_total", &format!("call_result=\"{result}\"")) as u64)
        };
        ours.void = by_result("void")?;
        if ours.void > 0 {
            wait_for(VOID_AGAIN, Duration::from_secs(1), "the calls that were void", || {
                let others = by_result("answered")?;
                Ok(others >= u64::from(wanted.calls))
            })
            .ok(); // What does not come is counted as failed.
        }
        ours.answered = by_result("answered")?;
        let seen = Scrape::of(site.metrics)?;
        let invites = |label: &str| seen.sum("goldenhour_sip_messages_total", label) as u64;
        ours.resent = invites("class=\"invite\",direction=\"out\"").saturating_sub(u64::from(wanted.calls));
        Ok(ours)
    }

    /// As an operator does it.
    fn stop(&mut self) -> anyhow::Result<()> {
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).stdin(Stdio::null()).status().context("kill")?;
        wait_for(Duration::from_secs(30), LOOK_EVERY, "its shutdown", || Ok(self.0.try_wait()?.is_some()))?;
        match self.0.wait()? {
            status if status.success() => Ok(()),
            status => bail!("the daemon ended with {status}"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A void attempt's lead is due again after a minute.
const VOID_AGAIN: Duration = Duration::from_secs(75);
/// Of short waits.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn wait_for(
    limit: Duration,
    every: Duration,
    what: &str,
    mut come: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let since = Stopwatch::start();
    while !come()? {
        if since.elapsed() > limit {
            bail!("the daemon: {what} did not come within {} s", limit.as_secs());
        }
        pause(every);
    }
    Ok(())
}
