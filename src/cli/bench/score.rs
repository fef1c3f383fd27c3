//! `goldenhour bench score`: margins of a forest of 300 trees, beside XGBoost on one thread in the same run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

use super::figures::{Figures, median, rounded};
use super::stopwatch::thread_cpu_ns;
use super::usage::Process;
use crate::cli::exit::{Exit, OrExit as _, Stop};
use crate::cli::output;
use crate::cli::score::SimdWord;
use crate::model::{Booster, Forest};

const PEER: &str = include_str!("site/score.py");

/// Scores: a forest of 300 trees of depth 6 over 30 features, and XGBoost on one thread for the same rows
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=5_000_000))]
    rows: u32,
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Both in turn; the medians are printed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Instructions to use
    #[arg(long, value_enum, default_value_t = SimdWord::Auto)]
    simd: SimdWord,
    /// A Python that has xgboost [default: the one that scripts/train-venv makes]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    cache: Option<PathBuf>,
}

/// The other program, told by lines when to work. Ended when dropped.
struct Peer {
    child: Child,
    told: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match measure(args) {
        Ok(figures) => output::answer(args.json, &figures, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

fn measure(args: &Args) -> Result<Figures, Stop> {
    let simd = args.simd.pick()?;
    let python = python(args)?;
    let home = std::env::temp_dir().join(format!("goldenhour-bench-score-{}", std::process::id()));
    fs::create_dir_all(&home)?;
    let figures = beside(args, simd, &python, &home);
    fs::remove_dir_all(&home)?;
    Ok(figures?)
}

fn python(args: &Args) -> Result<PathBuf, Stop> {
    let cache = args.cache.clone().or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let made = cache.map(|cache| cache.join("goldenhour-tools/train-venv/bin/python"));
    let python =
        args.python.clone().or(made).context("no home folder: name a Python with --python").or_exit(Exit::Usage)?;
    let mut look = Command::new(&python);
    look.args(["-c", "import numpy, xgboost"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !look.status().is_ok_and(|status| status.success()) {
        let why = format!(
            "{} cannot import xgboost: run scripts/train-venv, or name another with --python",
            python.display()
        );
        return Err(anyhow::anyhow!(why)).or_exit(Exit::Unreachable);
    }
    Ok(python)
}

fn beside(args: &Args, simd: crate::model::Simd, python: &Path, home: &Path) -> anyhow::Result<Figures> {
    let mut peer = Peer::start(args, python, home)?;
    let forest = Forest::new(Booster::load(&fs::read(home.join("model.ubj"))?)?);
    let rows = floats(&home.join("rows.f32"))?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut margins = Vec::new();
    for _ in 0..args.rounds {
        let before = thread_cpu_ns();
        margins = forest.margins(&rows, simd);
        let cpu_s = (thread_cpu_ns() - before) / 1e9;
        let peer_cpu_s = peer.round()?;
        ours.push(f64::from(args.rows) / cpu_s);
        theirs.push(f64::from(args.rows) / peer_cpu_s);
        ratios.push(peer_cpu_s / cpu_s);
    }
    peer.end()?;
    let expected = floats(&home.join("margins.f32"))?;
    let same = margins.iter().zip(&expected).filter(|(ours, theirs)| ours.to_bits() == theirs.to_bits()).count();
    ensure!(
        margins.len() == expected.len() && same == margins.len(),
        "{} of {} margins are not those of XGBoost",
        margins.len() - same,
        margins.len()
    );
    let mut figures = Figures::default();
    figures.set("rows", args.rows).set("rounds", args.rounds).set("simd", simd.name());
    figures.set("trees", forest.booster().trees()).set("features", forest.booster().features());
    figures.set("rows_per_cpu_s", median(ours).round()).set("xgboost_rows_per_cpu_s", median(theirs).round());
    figures.set("ratio", rounded(median(ratios), 2)).set("identical", true);
    Ok(figures)
}

impl Peer {
    /// Once it is ready: trained, and with its rows in memory.
    fn start(args: &Args, python: &Path, home: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(python);
        command.args(["-c", PEER]).arg(home).arg(args.rows.to_string()).arg(args.seed.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("python")?;
        let told = child.stdin.take();
        let says = BufReader::new(child.stdout.take().context("python has no output")?);
        let mut peer = Self { child, told, says };
        peer.expect("ready")?;
        Ok(peer)
    }

    /// CPU seconds of one pass over all rows.
    fn round(&mut self) -> anyhow::Result<f64> {
        let process = Process::of(self.child.id());
        let before = process.cpu_s()?;
        writeln!(self.told.as_mut().context("python was told to end")?, "go")?;
        self.expect("done")?;
        Ok((process.cpu_s()? - before).max(0.01))
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.told = None;
        ensure!(self.child.wait()?.success(), "python failed");
        Ok(())
    }

    fn expect(&mut self, word: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        ensure!(line.trim_end() == word, "python said `{}`, not `{word}`", line.trim_end());
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn floats(path: &Path) -> anyhow::Result<Vec<f32>> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
}
