//! `goldenhour score`: a probability for every row of a CSV, by a model folder.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::ValueEnum;

use crate::feed::{ScoreError, ScoreOptions, load_model, score};
use crate::model::Simd;

use super::exit::{Exit, OrExit as _, Stop};
use super::output;

/// Score the rows of a CSV with a model: writes id,score, the score being a calibrated probability
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model's folder, with its model.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// CSV, plain or gzip, with a column for every feature; other columns are passed over
    #[arg(long, value_name = "CSV")]
    data: PathBuf,
    /// Appears whole or not at all
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
    /// The column that names a row
    #[arg(long, value_name = "NAME", default_value = "id")]
    id: String,
    /// The raw margin of model A instead, to the last bit what XGBoost's output_margin is
    #[arg(long)]
    margin: bool,
    /// Instructions to use; all give the same scores
    #[arg(long, value_enum, default_value_t = SimdWord::Auto)]
    simd: SimdWord,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SimdWord {
    /// The widest that this processor has
    Auto,
    Avx512,
    Avx2,
    Scalar,
}

impl SimdWord {
    pub(super) fn pick(self) -> Result<Simd, Stop> {
        let simd = match self {
            Self::Auto => Simd::best(),
            Self::Avx512 => Simd::Avx512,
            Self::Avx2 => Simd::Avx2,
            Self::Scalar => Simd::Scalar,
        };
        if !simd.is_available() {
            return Err(anyhow!("this processor has no {}", simd.name())).or_exit(Exit::Unreachable);
        }
        Ok(simd)
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match write(args) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

fn write(args: &Args) -> Result<crate::feed::ScoreReport, Stop> {
    let simd = args.simd.pick()?;
    let model = load_model(&args.model).or_exit(Exit::Invalid)?;
    let options = ScoreOptions { id: args.id.clone(), margin: args.margin, simd };
    score(&model, &args.data, &args.out, &options).map_err(|error| {
        let exit = match &error {
            ScoreError::List(_) | ScoreError::Column { .. } | ScoreError::Row { .. } => Exit::Invalid,
            ScoreError::Write { .. } => Exit::Failure,
        };
        Stop { exit, why: error.into() }
    })
}
