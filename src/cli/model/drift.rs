//! `goldenhour model drift`: have the scores moved, do predictions come true, do fewer people answer?

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{CampaignIx, Code, Diagnostic};
use crate::cli::ahead::Seen;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;
use crate::cli::site::{Site, block_on, unknown};
use crate::contact::CallResult;
use crate::feed::load_manifest;
use crate::model::Reference;
use crate::model::drift::{AnswerWatch, CalibrationGap, GROUPS, Predicted, Psi, deciles, grouped, psi};
use crate::rank;
use crate::store::{CallSeen, Sqlite};

/// Look whether a model still holds: scores of the newest list, predictions against conversions, the answer rate
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// All campaigns without it
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// Compare scores with this model's training data in place of the list before
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// How far predicted and observed conversions may be apart beyond chance, in points of a share
    #[arg(long, value_name = "SHARE", default_value = "0.05")]
    tolerated_gap: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Newest calls that are looked at.
const CALLS: u32 = 20_000;
/// Parts of `[0, 1]` that scores are counted in before they are put into groups.
const BINS: u32 = 1_000;
/// 95 %.
const Z: f64 = 1.959_964;

#[derive(Debug, Serialize)]
struct Report {
    alarms: usize,
    campaigns: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    campaign: String,
    /// What the newest list is compared with; absent without anything to compare.
    scores_against: Option<&'static str>,
    score_psi: Option<f64>,
    score_psi_alarm_at: Option<f64>,
    /// Conversations with the right party, and what was predicted of them.
    conversations: u64,
    predicted: Option<f64>,
    observed: Option<f64>,
    gap: Option<f64>,
    gap_low: Option<f64>,
    gap_high: Option<f64>,
    /// Calls that were watched for a fall of the answer rate.
    calls_watched: u64,
    /// How many calls ago it began; absent without a fall.
    answers_fell_calls_ago: Option<u64>,
    alarms: Vec<&'static str>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let report = match block_on(look(args)) {
        Ok(report) => report,
        Err(stop) => return output::failed(args.json, stop),
    };
    let stop = (report.alarms > 0).then(|| {
        let finding =
            Diagnostic::error(Code::ModelDrift, format!("{} alarms: a model may not hold any more", report.alarms));
        Stop::one(Exit::Refused, finding.hint("look at lists and trunks first; then retrain, check and promote"))
    });
    output::answer(args.json, &report, stop)
}

async fn look(args: &Args) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let plan = site.plan()?;
    let reference = args.model.as_deref().map(reference_of).transpose()?;
    let mut seen = Seen::open(&site, None).await?;
    let places = seen.places(&plan);
    let wanted = |name: &str| args.campaign.as_deref().is_none_or(|wanted| wanted == name);
    let mut campaigns = Vec::new();
    for (ix, campaign) in places.iter().filter(|(_, campaign)| wanted(&campaign.name)) {
        campaigns.push(one(seen.store(), *ix, &campaign.name, reference.as_ref(), args.tolerated_gap).await?);
    }
    match &args.campaign {
        Some(name) if campaigns.is_empty() => Err(unknown(name, &plan)),
        Some(_) | None => Ok(Report { alarms: campaigns.iter().map(|found| found.alarms.len()).sum(), campaigns }),
    }
}

async fn one(
    store: &mut Sqlite,
    ix: CampaignIx,
    name: &str,
    reference: Option<&Reference>,
    tolerated: f64,
) -> Result<Found, Stop> {
    let failed = |error| Stop::store(&error);
    let newest = store.score_histogram(ix, 0, BINS).await.map_err(failed)?;
    let before = store.score_histogram(ix, 1, BINS).await.map_err(failed)?;
    let calls = store.calls_seen(ix, CALLS).await.map_err(failed)?;
    let moved = moved(&newest, &before, reference);
    let (conversations, gap) = conversions(&calls);
    let (watched, fell) = answers(&calls);
    let mut alarms = Vec::new();
    if moved.is_some_and(|(_, moved)| moved.alarms()) {
        alarms.push("scores");
    }
    if gap.is_some_and(|gap| gap.exceeds(tolerated)) {
        alarms.push("conversions");
    }
    if fell.is_some() {
        alarms.push("answers");
    }
    Ok(Found {
        campaign: name.to_owned(),
        scores_against: moved.map(|(against, _)| against),
        score_psi: moved.map(|(_, moved)| moved.index),
        score_psi_alarm_at: moved.map(|(_, moved)| moved.alarm_at),
        conversations,
        predicted: gap.map(|gap| gap.predicted),
        observed: gap.map(|gap| gap.observed),
        gap: gap.map(|gap| gap.gap),
        gap_low: gap.map(|gap| gap.low),
        gap_high: gap.map(|gap| gap.high),
        calls_watched: watched,
        answers_fell_calls_ago: fell,
        alarms,
    })
}

fn reference_of(model: &Path) -> Result<Reference, Stop> {
    let refused = |why: String| Stop::one(Exit::Invalid, Diagnostic::error(Code::File, why));
    let reference = load_manifest(model).map_err(|why| refused(why.to_string()))?.reference;
    reference.filter(|reference| reference.counts.len() <= GROUPS).ok_or_else(|| {
        refused(format!(
            "{}: `reference` of {GROUPS} groups at most is needed here",
            model.join("model.json").display()
        ))
    })
}

fn moved(newest: &[u64], before: &[u64], reference: Option<&Reference>) -> Option<(&'static str, Psi)> {
    if let Some(Reference { edges, counts, .. }) = reference {
        return psi(counts, &grouped(edges, newest)).map(|moved| ("the model's training data", moved));
    }
    let edges = deciles(before);
    psi(&grouped(&edges, before), &grouped(&edges, newest)).map(|moved| ("the list before", moved))
}

/// Who was not reached has not said no.
fn conversions(calls: &[CallSeen]) -> (u64, Option<CalibrationGap>) {
    let mut predicted = Predicted::default();
    for call in calls.iter().filter(|call| call.right_party) {
        predicted.note(call.score, call.success);
    }
    (predicted.count, predicted.gap(Z))
}

/// How many calls were watched, and how many calls ago fewer began to answer. The older half says what is usual: what was
/// predicted, times how often that came true at least.
fn answers(calls: &[CallSeen]) -> (u64, Option<u64>) {
    let went_out: Vec<&CallSeen> = calls.iter().filter(|call| is_of_the_callee(call.result)).collect();
    let answered = |call: &CallSeen| rank::answered(call.result) == Some(true);
    let (older, newer) = went_out.split_at(went_out.len() / 2);
    let mut usual = Predicted::default();
    for call in older {
        usual.note(call.p_answer, answered(call));
    }
    let Some(gap) = usual.gap(Z).filter(|gap| gap.predicted > 0.0) else { return (0, None) };
    let comes_true = (gap.predicted + gap.low) / gap.predicted;
    let mut watch = AnswerWatch::default();
    for call in newer {
        watch.note(call.p_answer * comes_true, answered(call));
    }
    (watch.calls(), watch.found().map(|fall| watch.calls() - fall.began + 1))
}

/// Failures on our side say nothing about people.
const fn is_of_the_callee(result: CallResult) -> bool {
    !matches!(
        result,
        CallResult::NetworkFailure
            | CallResult::TrunkRefused
            | CallResult::Cancelled
            | CallResult::Void
            | CallResult::UnknownCounted
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, found) in self.campaigns.iter().enumerate() {
            if nth > 0 {
                writeln!(f)?;
            }
            write!(f, "{found}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |kind: &str| if self.alarms.contains(&kind) { "ALARM" } else { "fine" };
        writeln!(f, "{}", self.campaign)?;
        match (self.scores_against, self.score_psi, self.score_psi_alarm_at) {
            (Some(against), Some(index), Some(at)) => {
                writeln!(
                    f,
                    "  scores       {}: PSI {index:.3} against {against}, alarm above {at:.3}",
                    mark("scores")
                )?;
            }
            (_, _, _) => writeln!(f, "  scores       nothing to compare: there is one list, or none")?,
        }
        match (self.predicted, self.observed, self.gap_low, self.gap_high) {
            (Some(predicted), Some(observed), Some(low), Some(high)) => writeln!(
                f,
                "  conversions  {}: predicted {:.2} %, observed {:.2} % of {} conversations; gap {:+.2} to {:+.2} pt",
                mark("conversions"),
                predicted * 100.0,
                observed * 100.0,
                self.conversations,
                low * 100.0,
                high * 100.0,
            )?,
            (_, _, _, _) => writeln!(f, "  conversions  no conversation yet")?,
        }
        match self.answers_fell_calls_ago {
            Some(ago) => write!(f, "  answers      ALARM: fewer people answer since about {ago} calls"),
            None => write!(f, "  answers      fine: {} calls watched", self.calls_watched),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn calls(rng: &mut Rng, count: u32, left: f64) -> Vec<CallSeen> {
        let draw = |_| {
            let p_answer = 0.2 + 0.2 * rng.f64();
            let answered = rng.chance(p_answer * 0.9 * left);
            let result = if answered { CallResult::Answered } else { CallResult::NoAnswer };
            let success = answered && rng.chance(0.1);
            CallSeen { p_answer, score: 0.1, result, right_party: answered, success }
        };
        (0..count).map(draw).collect()
    }

    #[test]
    fn half_the_answers_gone_is_seen_though_the_predictions_are_too_high() {
        let mut rng = Rng::seeded(1);
        let mut all = calls(&mut rng, 3_000, 1.0);
        assert_eq!(answers(&all), (1_500, None));
        all.extend(calls(&mut rng, 400, 0.5));
        let (watched, fell) = answers(&all);
        assert!(watched == 1_700 && fell.is_some_and(|ago| (250..550).contains(&ago)), "{fell:?}");
    }

    #[test]
    fn who_was_not_reached_has_not_said_no() {
        let all = calls(&mut Rng::seeded(2), 5_000, 1.0);
        let (conversations, gap) = conversions(&all);
        assert!(conversations > 1_000 && !gap.unwrap().exceeds(0.0), "{gap:?}");
    }

    #[test]
    fn a_trunk_that_fails_is_no_fall_of_the_answer_rate() {
        let mut all = calls(&mut Rng::seeded(3), 2_000, 1.0);
        let failed = CallSeen { result: CallResult::TrunkRefused, right_party: false, success: false, ..all[0] };
        all.extend(std::iter::repeat_n(failed, 1_000));
        assert_eq!(answers(&all).1, None);
    }

    #[test]
    fn where_nobody_was_expected_to_answer_nothing_is_watched() {
        let mut all = calls(&mut Rng::seeded(4), 500, 1.0);
        for call in &mut all {
            call.p_answer = 0.0;
        }
        assert_eq!(answers(&all), (0, None));
    }

    #[test]
    fn scores_are_compared_in_the_tenths_of_what_was_before() {
        let flat = vec![100; 1_000];
        let mut low = vec![0; 1_000];
        low[..200].fill(100);
        assert!(!moved(&flat, &flat, None).unwrap().1.alarms());
        assert!(moved(&low, &flat, None).unwrap().1.alarms());
        assert_eq!(moved(&flat, &[], None), None);
        let reference =
            Reference { edges: vec![0.5], counts: vec![500, 500], features: std::collections::BTreeMap::new() };
        assert!(moved(&low, &[], Some(&reference)).unwrap().1.alarms());
    }
}
