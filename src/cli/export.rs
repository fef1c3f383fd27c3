//! `goldenhour export`: finished attempts as files for retraining, what is new since the last time.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::base::{Code, Diagnostic};
use crate::feed::{ExportError, ExportOptions, ExportReport, Format, Profile, Style, export};

use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on};

/// Write finished attempts with the context of their decisions, by day; only what is new for that folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[arg(long)]
    format: FormatWord,
    /// Files go to dt=YYYY-MM-DD/ inside; it is made if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// machine has the bank's customer keys verbatim; spreadsheet masks them and disarms formulas
    #[arg(long, default_value = "machine")]
    profile: ProfileWord,
    /// With the list's columns and attributes as they were at the dial
    #[arg(long)]
    features: bool,
    /// Everything again, not only what is new
    #[arg(long)]
    from_start: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatWord {
    Csv,
    Jsonl,
    Parquet,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileWord {
    Spreadsheet,
    Machine,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(write(args)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn write(args: &Args) -> Result<ExportReport, Stop> {
    let format = match args.format {
        FormatWord::Csv => Format::Csv,
        FormatWord::Jsonl => Format::Jsonl,
        FormatWord::Parquet => return Err(not_yet()),
    };
    let profile = match args.profile {
        ProfileWord::Spreadsheet => Profile::Spreadsheet,
        ProfileWord::Machine => Profile::Machine,
    };
    let style = Style { format, profile, features: args.features };
    let options = ExportOptions { style, out: args.out.clone(), consumer: None, from_start: args.from_start };
    let site = Site::read(&args.config)?;
    let (mut store, _) = site.store().await?;
    let result = export(&mut store, &options, super::now()).await;
    // The cursor moved with the last file; a later opener writes the log back.
    let _closed = store.close().await;
    result.map_err(|error| match error {
        ExportError::Store(error) => Stop::store(&error),
        ExportError::Write { .. } => {
            let hint = "make room, or name a folder that can be written; what was not written comes next time";
            Stop::one(Exit::Failure, error.diagnostic().hint(hint))
        }
    })
}

fn not_yet() -> Stop {
    let finding = Diagnostic::error(Code::NotSupported, "export to Parquet is not supported yet");
    Stop::one(Exit::Usage, finding.hint("csv and jsonl hold the same columns"))
}
