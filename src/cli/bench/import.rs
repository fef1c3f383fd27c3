//! `goldenhour bench import`: a generated list into a database of its own, as `goldenhour import` does it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::base::{Now, Pii, Rng, Wall};
use crate::feed::{ImportOptions, ListFile, ReadOptions, import};
use crate::store::{DncSubjectKey, Keys, NewDnc, Sqlite, Store as _};

use super::figures::{Figures, median, rounded};
use super::site;
use super::stopwatch::Stopwatch;
use super::usage::Process;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;
use crate::cli::site::block_on;

/// A list: read, checked, without repeated customers, against the do-not-call list, durable and sealed
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=20_000_000))]
    rows: u32,
    /// Entries of the do-not-call list before the import; every one of them is in the list
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    dnc: u32,
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Each into a database of its own; the median is printed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Keep list.csv and dnc.csv there, for a peer that does the same work
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Removed when dropped.
struct Home(PathBuf);

/// What one round cost.
struct Round {
    cpu_s: f64,
    wall_s: f64,
    leads: u64,
    rejects: u64,
    database_bytes: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let home = Home(std::env::temp_dir().join(format!("goldenhour-bench-import-{}", std::process::id())));
    fs::create_dir_all(&home.0)?;
    let lists = args.keep.clone().unwrap_or_else(|| home.0.clone());
    fs::create_dir_all(&lists)?;
    generate(args, &lists).with_context(|| lists.display().to_string())?;
    let rounds = (0..args.rounds).map(|nth| block_on(round(args, &lists, &home.0.join(nth.to_string()))));
    let rounds = rounds.collect::<Result<Vec<Round>, Stop>>()?;
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let cpu_s = of(|round| round.cpu_s);
    let mut figures = Figures::default();
    figures.set("rows", args.rows).set("dnc", args.dnc).set("rounds", args.rounds);
    if let Some(round) = rounds.first() {
        figures.set("leads", round.leads).set("rejects", round.rejects).set("database_bytes", round.database_bytes);
    }
    figures.set("rows_per_cpu_s", (f64::from(args.rows) / cpu_s).round());
    figures.set("cpu_s", rounded(cpu_s, 2)).set("wall_s", rounded(of(|round| round.wall_s), 2));
    figures.set("max_rss_bytes", Process::this().max_rss_bytes()?);
    output::answer(args.json, &figures, None)
}

/// One row in a hundred repeats a customer, one in two hundred has a number or a score that is none.
fn generate(args: &Args, folder: &Path) -> std::io::Result<()> {
    let mut rng = Rng::seeded(args.seed);
    let mut list = BufWriter::new(File::create(folder.join("list.csv"))?);
    writeln!(list, "id,phone,zone,consent,score,tier,balance")?;
    for n in 0..args.rows {
        let id = if n > 0 && rng.below(100) == 0 { rng.below(n) } else { n };
        // Scattered as the keys of a bank are, and each once: an odd factor is a bijection of 2^32.
        let key = id.wrapping_mul(2_654_435_761);
        match rng.below(400) {
            0 => write!(list, "c{key:010},+99912,")?,
            _ => write!(list, "c{key:010},{},", number(id))?,
        }
        let (tier, balance) = (rng.below(5), rng.below(5_000_000));
        match rng.below(400) {
            0 => write!(list, "Asia/Shanghai,1,1.7,")?,
            _ => write!(list, "Asia/Shanghai,{},{:.6},", u8::from(rng.below(20) > 0), rng.f64())?,
        }
        writeln!(list, "T{tier},{}.{:02}", balance / 100, balance % 100)?;
    }
    list.flush()?;
    let mut dnc = BufWriter::new(File::create(folder.join("dnc.csv"))?);
    writeln!(dnc, "phone")?;
    for at in 0..args.dnc {
        writeln!(dnc, "{}", number(listed(args, at)))?;
    }
    dnc.flush()
}

/// Spread over the list.
fn listed(args: &Args, at: u32) -> u32 {
    (u64::from(at) * u64::from(args.rows) / u64::from(args.dnc.max(1))) as u32
}

fn number(id: u32) -> String {
    format!("+999{id:09}")
}

async fn round(args: &Args, lists: &Path, home: &Path) -> Result<Round, Stop> {
    fs::create_dir_all(home)?;
    let path = home.join("bench.db");
    let keys = Arc::new(Keys::load_or_create(&home.join("keys"))?);
    let mut store = Sqlite::open(&format!("sqlite://{}", path.display()), keys).await?;
    store.migrate().await?;
    let now = Now { wall: Wall::parse("2026-12-01T02:00:00Z")?, ..Now::default() };
    for at in 0..args.dnc {
        let subject = DncSubjectKey::Phone(Pii::new(number(listed(args, at))));
        let entry = NewDnc { subject, reason: "bench".to_owned(), source: "import", until: None, at: now.wall };
        store.dnc_add(&entry).await?;
    }
    let campaign = site::campaign()?;
    let options = ImportOptions {
        read: ReadOptions::default(),
        rejects: Some(home.join("rejects.csv")),
        manifest: Some(home.join("manifest.json")),
    };
    let this = Process::this();
    let (since, before) = (Stopwatch::start(), this.cpu_s()?);
    let mut list = ListFile::open(&lists.join("list.csv"), home)?;
    let report = import(&mut store, "bench", &campaign.list, &mut list, &options, now, &mut |_| {}).await?;
    store.close().await?;
    let (cpu_s, wall_s) = (this.cpu_s()? - before, since.elapsed().as_secs_f64());
    let database_bytes = fs::metadata(&path)?.len();
    fs::remove_dir_all(home)?;
    Ok(Round { cpu_s, wall_s, leads: report.tally.leads, rejects: report.tally.rejects, database_bytes })
}

impl Drop for Home {
    fn drop(&mut self) {
        // It lies in the folder for temporary files; nothing breaks if it stays.
        let _left = fs::remove_dir_all(&self.0);
    }
}
