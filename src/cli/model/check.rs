//! `goldenhour model check`: may a model take the place of the champion? Judged on data that neither has seen.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Code, Diagnostic};
use crate::cli::exit::{Exit, OrExit as _, Stop};
use crate::cli::output::{self, table};
use crate::feed::{ScoreOptions, load_model, score};
use crate::model::Simd;
use crate::model::judge::{Judged, auc_difference, judge};
use crate::model::trial::Interval;

/// Judge a model on later data, beside the champion if there is one; ends with 5 when it must not be promoted
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model's directory
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The champion's directory
    #[arg(long, value_name = "DIR")]
    champion: Option<PathBuf>,
    /// CSV, plain or gzip, with the features of both and a label; of a time that neither was trained on
    #[arg(long, value_name = "CSV")]
    data: PathBuf,
    /// The column with 1 or 0, true or false, yes or no
    #[arg(long, value_name = "COL")]
    label: String,
    /// How much of the champion's AUC may be lost at worst
    #[arg(long, value_name = "SHARE", default_value = "0.01")]
    tolerated_loss: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Fewer positives or negatives prove nothing.
const LEAST: usize = 50;
const MOST_ECE: f64 = 0.05;
/// Of the champion's figures: how much worse the others may be.
const CAPTURE_LOSS: f64 = 0.02;
const BRIER_RATIO: f64 = 1.02;

#[derive(Debug, Serialize)]
struct Report {
    passes: bool,
    reasons: Vec<String>,
    model: Figures,
    champion: Option<Figures>,
    auc_difference: Option<f64>,
    auc_difference_low: Option<f64>,
    auc_difference_high: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Figures {
    name: String,
    version: String,
    rows: usize,
    positives: usize,
    auc: f64,
    auc_low: f64,
    auc_high: f64,
    brier: f64,
    ece: f64,
    capture_20: f64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let report = match check(args) {
        Ok(report) => report,
        Err(stop) => return output::failed(args.json, stop),
    };
    let stop = (!report.passes).then(|| {
        let message = format!("{} does not pass: {}", args.model.display(), report.reasons.join("; "));
        Stop::one(
            Exit::Refused,
            Diagnostic::error(Code::ModelRefused, message).hint("the champion stays; nothing was changed"),
        )
    });
    output::answer(args.json, &report, stop)
}

/// A model with what it says of every row.
struct Scored {
    name: String,
    version: String,
    rows: Vec<(bool, f64)>,
}

fn check(args: &Args) -> Result<Report, Stop> {
    let model = scored(args, &args.model)?;
    let champion = args.champion.as_deref().map(|folder| scored(args, folder)).transpose()?;
    let judged = judged(&model)?;
    let (before, difference) = match &champion {
        Some(champion) => (Some(self::judged(champion)?), auc_difference(&champion.rows, &model.rows)),
        None => (None, None),
    };
    let reasons = reasons(&judged, before.as_ref().zip(difference), args.tolerated_loss);
    Ok(Report {
        passes: reasons.is_empty(),
        reasons,
        model: Figures::of(&model, &judged),
        champion: champion.as_ref().zip(before).map(|(champion, judged)| Figures::of(champion, &judged)),
        auc_difference: difference.map(|difference| difference.difference),
        auc_difference_low: difference.map(|difference| difference.low),
        auc_difference_high: difference.map(|difference| difference.high),
    })
}

/// Why it must not take the champion's place; empty: it may.
fn reasons(model: &Judged, champion: Option<(&Judged, Interval)>, tolerated: f64) -> Vec<String> {
    let mut reasons = Vec::new();
    let fewest = model.positives.min(model.rows - model.positives);
    if fewest < LEAST {
        reasons.push(format!("{fewest} rows of one kind prove nothing; {LEAST} at least"));
    }
    if model.ece > MOST_ECE {
        reasons.push(format!("its probabilities are off by {:.3} on average, {MOST_ECE} at most", model.ece));
    }
    let Some((champion, difference)) = champion else {
        if model.auc_low <= 0.5 {
            reasons.push("it may be no better than chance".to_owned());
        }
        return reasons;
    };
    if difference.low < -tolerated {
        reasons
            .push(format!("its AUC may be lower than the champion's by {:.4}, {tolerated} at most", -difference.low));
    }
    if model.capture_20 < champion.capture_20 - CAPTURE_LOSS {
        let (own, before) = (model.capture_20 * 100.0, champion.capture_20 * 100.0);
        reasons.push(format!("its best fifth holds {own:.1} % of the successes, the champion's {before:.1} %"));
    }
    if model.brier > champion.brier * BRIER_RATIO {
        reasons.push(format!("its Brier score is {:.4}, the champion's {:.4}", model.brier, champion.brier));
    }
    reasons
}

fn judged(of: &Scored) -> Result<Judged, Stop> {
    judge(&of.rows).ok_or_else(|| {
        let message = "the label has one kind only: nothing can be judged";
        Stop::one(Exit::Invalid, Diagnostic::error(Code::BadValue, message))
    })
}

/// Through the very path of `goldenhour score`, the label standing where the id does.
fn scored(args: &Args, folder: &Path) -> Result<Scored, Stop> {
    let model = load_model(folder).or_exit(Exit::Invalid)?;
    let place = std::env::temp_dir().join(format!("goldenhour-check-{}.csv", std::process::id()));
    let options = ScoreOptions { id: args.label.clone(), margin: false, simd: Simd::best() };
    let written = score(&model, &args.data, &place, &options).or_exit(Exit::Invalid);
    let text = written.and_then(|_| Ok(fs::read_to_string(&place)?));
    let _left_by_a_refusal = fs::remove_file(&place);
    let manifest = model.manifest();
    Ok(Scored { name: manifest.name.clone(), version: manifest.version.clone(), rows: labelled(&text?, &args.label)? })
}

/// `label,score` as `score` wrote it. The cell is not shown: it may be a person where a label belongs.
fn labelled(text: &str, column: &str) -> Result<Vec<(bool, f64)>, Stop> {
    let row = |line: &str| {
        let (label, score) = line.rsplit_once(',')?;
        let label = match label.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => true,
            "0" | "false" | "no" => false,
            _ => return None,
        };
        Some((label, score.parse().ok()?))
    };
    let mut rows = Vec::new();
    for (nth, line) in text.lines().enumerate().skip(1) {
        let Some(found) = row(line) else {
            let message = format!("row {nth}: `{column}` is neither 1 nor 0, true nor false, yes nor no");
            return Err(Stop::one(Exit::Invalid, Diagnostic::error(Code::BadValue, message)));
        };
        rows.push(found);
    }
    Ok(rows)
}

impl Figures {
    fn of(model: &Scored, judged: &Judged) -> Self {
        let Judged { rows, positives, auc, auc_low, auc_high, brier, ece, capture_20 } = *judged;
        let (name, version) = (model.name.clone(), model.version.clone());
        Self { name, version, rows, positives, auc, auc_low, auc_high, brier, ece, capture_20 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = table();
        table.add_row(["", "model", "rows", "positives", "AUC", "95 %", "Brier", "ECE", "capture at 20 %"]);
        for (role, of) in [("champion", self.champion.as_ref()), ("this one", Some(&self.model))] {
            let Some(of) = of else { continue };
            table.add_row([
                role.to_owned(),
                format!("{} {}", of.name, of.version),
                of.rows.to_string(),
                of.positives.to_string(),
                format!("{:.4}", of.auc),
                format!("{:.4} to {:.4}", of.auc_low, of.auc_high),
                format!("{:.4}", of.brier),
                format!("{:.4}", of.ece),
                format!("{:.1} %", of.capture_20 * 100.0),
            ]);
        }
        writeln!(f, "{}", table.trim_fmt())?;
        if let Some(((difference, low), high)) =
            self.auc_difference.zip(self.auc_difference_low).zip(self.auc_difference_high)
        {
            writeln!(f, "AUC {difference:+.4} against the champion, {low:+.4} to {high:+.4}")?;
        }
        if self.passes {
            return f.write_str("it passes");
        }
        write!(f, "it does not pass: {}", self.reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Judged = Judged {
        rows: 5_000,
        positives: 500,
        auc: 0.75,
        auc_low: 0.73,
        auc_high: 0.77,
        brier: 0.08,
        ece: 0.01,
        capture_20: 0.5,
    };

    fn beside(difference: f64, half: f64) -> Interval {
        Interval { difference, low: difference - half, high: difference + half }
    }

    #[test]
    fn a_model_as_good_as_the_champion_passes_and_each_way_to_be_worse_is_named() {
        let said = |model: Judged, difference| reasons(&model, Some((&FINE, difference)), 0.01).join("; ");
        assert_eq!(said(FINE, beside(0.0, 0.005)), "");
        assert!(said(FINE, beside(-0.02, 0.005)).contains("AUC"));
        assert!(said(FINE, beside(0.0, 0.05)).contains("AUC"), "too little data to know");
        assert!(said(Judged { ece: 0.06, ..FINE }, beside(0.0, 0.005)).contains("probabilities"));
        assert!(said(Judged { capture_20: 0.45, ..FINE }, beside(0.0, 0.005)).contains("best fifth"));
        assert!(said(Judged { brier: 0.09, ..FINE }, beside(0.0, 0.005)).contains("Brier"));
        assert!(said(Judged { positives: 20, ..FINE }, beside(0.0, 0.005)).contains("prove nothing"));
    }

    #[test]
    fn without_a_champion_it_must_be_better_than_chance() {
        assert!(reasons(&FINE, None, 0.01).is_empty());
        assert_eq!(reasons(&Judged { auc_low: 0.49, ..FINE }, None, 0.01), ["it may be no better than chance"]);
    }

    #[test]
    fn labels_read_in_three_ways_and_nothing_else_is_one() {
        let rows = labelled("id,score\n1,0.5\nFALSE,0.25\nyes,1\n", "y").unwrap();
        assert_eq!(rows, [(true, 0.5), (false, 0.25), (true, 1.0)]);
        assert!(labelled("id,score\n2,0.5\n", "y").unwrap_err().why.to_string().contains("row 1: `y` is neither"));
        assert!(labelled("id,score\n1,x\n", "y").is_err());
    }
}
