//! `goldenhour report`: what the calls came to, as one page that can be read, printed and passed on.

mod draw;
mod figures;
mod gather;
mod page;

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use serde::Serialize;

use crate::feed::AtomicFile;

use super::ahead::thousands;
use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on, unknown};
use figures::Report;
use gather::Asked;

/// One self-contained HTML page with charts: funnel, golden hours, scores, lists, reasons. It names no customer
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// One campaign [default: all]
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// Dials from this day on, on the campaign's clock [default: all]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// Dials until this day, itself included [default: all]
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,
    /// The page to write; a file of that name is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print the figures as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Written<'a> {
    out: &'a Path,
    #[serde(flatten)]
    report: Report,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(write(args)) {
        Ok(written) => output::answer(args.json, &written, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn write(args: &Args) -> Result<Written<'_>, Stop> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from > until
    {
        return Err(Stop::usage("--from is after --until"));
    }
    let site = Site::read(&args.config)?;
    let plan = site.plan()?;
    if let Some(name) = &args.campaign
        && plan.campaigns.iter().all(|campaign| campaign.name != *name)
    {
        return Err(unknown(name, &plan));
    }
    let asked = Asked { campaign: args.campaign.as_deref(), from: args.from, until: args.until };
    let report = gather::gather(&site, &plan, &asked).await?;
    let page = page::page(&report)?;
    put(&args.out, &page).with_context(|| format!("{} cannot be written", args.out.display()))?;
    Ok(Written { out: &args.out, report })
}

fn put(path: &Path, page: &str) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(page.as_bytes())?;
    file.commit()?;
    Ok(())
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialled = self.report.campaigns.iter().filter(|chapter| chapter.was_dialled()).count();
        let whole = &self.report.all;
        write!(
            f,
            "{}: {} dials to {} of {} leads, {} successes, {dialled} of {} campaigns",
            self.out.display(),
            thousands(whole.group.dialled),
            thousands(whole.funnel.dialled),
            thousands(whole.funnel.loaded),
            thousands(whole.funnel.success),
            self.report.campaigns.len()
        )
    }
}
