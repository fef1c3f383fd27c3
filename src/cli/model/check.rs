//! `goldenhour model check`: may a model take the place of the champion? Judged on data that neither has seen.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Code, Diagnostic};
use crate::cli::exit::{Exit, OrExit as _, Stop};
use crate::cli::output::{self, table};
use crate::feed::{TableRows, load_model};
use crate::model::Simd;
use crate::model::judge::{Judged, Row, auc_difference, judge};
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
    /// The column that says how many a row stands for: what `scripts/train --table` wrote, where a policy chose who was called
    /// [default: each row for itself]
    #[arg(long, value_name = "COL")]
    weight: Option<String>,
    /// How much of the champion's AUC may be lost at worst
    #[arg(long, value_name = "SHARE", default_value = "0.01")]
    tolerated_loss: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Fewer positives or negatives prove nothing.
const LEAST: f64 = 50.0;
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
    rarer: f64,
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
    rows: Vec<Row>,
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
    if model.rarer < LEAST {
        reasons.push(format!("{:.0} rows of one kind prove nothing; {LEAST} at least", model.rarer.floor()));
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

/// By the rows as `goldenhour score` reads them.
fn scored(args: &Args, folder: &Path) -> Result<Scored, Stop> {
    let model = load_model(folder).or_exit(Exit::Invalid)?;
    let named: Vec<&str> = std::iter::once(args.label.as_str()).chain(args.weight.as_deref()).collect();
    let mut table = TableRows::open(&model, &args.data, &named).or_exit(Exit::Invalid)?;
    let mut rows = Vec::new();
    while let Some(batch) = table.batch().or_exit(Exit::Invalid)? {
        let scores = model.probabilities(&batch.values, Simd::best());
        for ((cells, line), score) in batch.named().zip(&batch.lines).zip(scores) {
            rows.push(row(cells, score, &named, *line)?);
        }
    }
    let manifest = model.manifest();
    Ok(Scored { name: manifest.name.clone(), version: manifest.version.clone(), rows })
}

/// Label and, if it was named, weight. The cell is not shown: it may be a person where a label belongs.
fn row(cells: &[String], score: f64, named: &[&str], line: u64) -> Result<Row, Stop> {
    let odd = |nth: usize, what: &str| {
        let message = format!("line {line}: `{}` is {what}", named.get(nth).unwrap_or(&""));
        Stop::one(Exit::Invalid, Diagnostic::error(Code::BadValue, message))
    };
    let label = match cells.first().map_or("", |cell| cell.trim()).to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => true,
        "0" | "false" | "no" => false,
        _ => return Err(odd(0, "neither 1 nor 0, true nor false, yes nor no")),
    };
    let weight = cells.get(1).map_or(Some(1.0), |cell| cell.trim().parse().ok());
    let weight = weight.filter(|weight: &f64| weight.is_finite() && *weight > 0.0);
    Ok(Row { label, score, weight: weight.ok_or_else(|| odd(1, "no number above 0"))? })
}

impl Figures {
    fn of(model: &Scored, judged: &Judged) -> Self {
        let Judged { rows, positives, rarer, auc, auc_low, auc_high, brier, ece, capture_20 } = *judged;
        let (name, version) = (model.name.clone(), model.version.clone());
        Self { name, version, rows, positives, rarer, auc, auc_low, auc_high, brier, ece, capture_20 }
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
        rarer: 500.0,
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
        assert!(said(Judged { rarer: 49.9, ..FINE }, beside(0.0, 0.005)).contains("49 rows of one kind prove nothing"));
    }

    #[test]
    fn without_a_champion_it_must_be_better_than_chance() {
        assert!(reasons(&FINE, None, 0.01).is_empty());
        assert_eq!(reasons(&Judged { auc_low: 0.49, ..FINE }, None, 0.01), ["it may be no better than chance"]);
    }

    fn read(cells: &[&str]) -> Result<Row, String> {
        let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        row(&cells, 0.5, &["y", "w"], 7).map_err(|stop| stop.why.to_string())
    }

    #[test]
    fn labels_read_in_three_ways_and_nothing_else_is_one() {
        for (text, label) in [("1", true), ("FALSE", false), (" yes", true), ("0", false)] {
            assert_eq!(read(&[text]), Ok(Row { label, score: 0.5, weight: 1.0 }));
        }
        for text in ["2", "", "anna"] {
            let said = read(&[text]).unwrap_err();
            assert!(said.contains("line 7: `y` is neither 1 nor 0") && !said.contains("anna"), "{said}");
        }
    }

    #[test]
    fn a_weight_is_a_number_above_0() {
        assert_eq!(read(&["1", "2.5"]), Ok(Row { label: true, score: 0.5, weight: 2.5 }));
        for text in ["0", "-1", "inf", "NaN", "", "many"] {
            let said = read(&["1", text]).unwrap_err();
            assert!(said.contains("line 7: `w` is no number above 0"), "{text}: {said}");
        }
    }
}
