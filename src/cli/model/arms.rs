//! `goldenhour model arms`: what each arm of an experiment did, and whether that decides anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{CampaignIx, Code, ContactId, Diagnostic, LeadId, Pii};
use crate::campaign::{Campaign, Experiment};
use crate::cli::ahead::Seen;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::{self, table};
use crate::cli::site::{Site, block_on};
use crate::daemon::{trial_figures, trial_rules};
use crate::model::trial::{ArmFigures, ArmsTable, Interval, Verdict, arms};
use crate::store::{Sqlite, Store as _, StoreError};

/// Compare the arms of a campaign's experiment: figures, and intervals that hold however often you look
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[arg(long, value_name = "NAME")]
    campaign: String,
    /// Customer keys, one a line, of all who did it, called or not: compares everybody in an arm, the held-out ones too
    #[arg(long, value_name = "FILE")]
    succeeded: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Rows asked for at a time.
const PAGE: usize = 5_000;
/// Of a customer key, as lists have it.
const LONGEST_LINE: u64 = 1_024;

#[derive(Debug, Serialize)]
struct Report {
    campaign: String,
    experiment: String,
    success: String,
    /// What is compared: customers who were called, or with `--succeeded` all customers of the arm.
    compared: &'static str,
    arms: Vec<Row>,
    verdict: String,
    decided: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    arm: String,
    share: f64,
    held_out: bool,
    customers: u64,
    called: u64,
    reached: u64,
    successes: Option<u64>,
    rate: Option<f64>,
    complaints: u64,
    /// Against the champion; absent for it, and while it is too early.
    difference: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(compare(args)) {
        Ok((report, stop)) => output::answer(args.json, &report, stop),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn compare(args: &Args) -> Result<(Report, Option<Stop>), Stop> {
    let site = Site::read(&args.config)?;
    let campaign = site.campaign(&args.campaign)?;
    let Some(experiment) = campaign.experiment.as_ref() else {
        let message = format!("campaign `{}` has no experiment", campaign.name);
        return Err(Stop::one(Exit::Invalid, Diagnostic::error(Code::UnknownName, message)));
    };
    let mut seen = Seen::open(&site, None).await?;
    let plan = site.plan()?;
    let places = seen.places(&plan);
    let ix = places.iter().find(|(_, one)| one.name == campaign.name).map_or(CampaignIx::default(), |(ix, _)| *ix);
    let counts = count(seen.store(), ix, experiment, args.succeeded.as_deref()).await?;
    Ok(report(&campaign, experiment, &counts, args.succeeded.is_some()))
}

#[derive(Debug)]
struct Counted {
    customers: u64,
    figures: ArmFigures,
    /// By the file of all who did it.
    succeeded: Option<u64>,
}

/// In the order of the arms.
async fn count(
    store: &mut Sqlite,
    ix: CampaignIx,
    experiment: &Experiment,
    succeeded: Option<&Path>,
) -> Result<Vec<Counted>, Stop> {
    let failed = |error: StoreError| Stop::store(&error);
    let figures = trial_figures(store, ix, experiment).await.map_err(failed)?;
    let mut counted: Vec<Counted> =
        figures.into_iter().map(|figures| Counted { customers: 0, figures, succeeded: succeeded.map(|_| 0) }).collect();
    let mut after = LeadId(0);
    let mut arm_of: BTreeMap<ContactId, usize> = BTreeMap::new();
    loop {
        let rows = store.every_lead(ix, after, PAGE).await.map_err(failed)?;
        let Some(last) = rows.last() else { break };
        after = last.lead;
        for row in &rows {
            let at = usize::from(experiment.arm_of(row.split).0);
            if let Some(arm) = counted.get_mut(at) {
                arm.customers += 1;
            }
            if succeeded.is_some() {
                arm_of.insert(row.contact, at);
            }
        }
    }
    let Some(path) = succeeded else { return Ok(counted) };
    for contact in contacts_of(store, path).await? {
        let arm = arm_of.get(&contact).and_then(|at| counted.get_mut(*at));
        if let Some(count) = arm.and_then(|arm| arm.succeeded.as_mut()) {
            *count += 1;
        }
    }
    Ok(counted)
}

/// Each once; keys of customers who are on no list are nobody's.
async fn contacts_of(store: &mut Sqlite, path: &Path) -> Result<BTreeSet<ContactId>, Stop> {
    let unreadable = |why: std::io::Error| {
        Stop::one(Exit::Usage, Diagnostic::error(Code::File, format!("{}: {why}", path.display())))
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut contacts = BTreeSet::new();
    let mut line = String::new();
    loop {
        line.clear();
        if file.by_ref().take(LONGEST_LINE).read_line(&mut line).map_err(unreadable)? == 0 {
            return Ok(contacts);
        }
        if line.len() as u64 == LONGEST_LINE {
            return Err(unreadable(std::io::Error::other("a line is longer than any customer key")));
        }
        let key = line.trim();
        if key.is_empty() {
            continue;
        }
        let found = store.find_contact(&Pii::new(key.to_owned())).await;
        contacts.extend(found.map_err(|error| Stop::store(&error))?);
    }
}

fn report(
    campaign: &Campaign,
    experiment: &Experiment,
    counted: &[Counted],
    everybody: bool,
) -> (Report, Option<Stop>) {
    let figures: Vec<ArmFigures> = counted
        .iter()
        .map(|arm| match arm.succeeded {
            Some(all) => ArmFigures { contacts: arm.customers, successes: Some(all), ..arm.figures.clone() },
            None => arm.figures.clone(),
        })
        .collect();
    let rules = trial_rules(experiment);
    let compared = arms(Experiment::CHAMPION, &figures, &rules);
    // Complaints are of those who were called, whatever is compared.
    let called: Vec<ArmFigures> = counted.iter().map(|arm| arm.figures.clone()).collect();
    let verdict = match arms(Experiment::CHAMPION, &called, &rules).verdict {
        stop @ Verdict::Stop { .. } => stop,
        Verdict::Decided { .. } | Verdict::GoOn => compared.verdict.clone(),
    };
    let rows = experiment.arms.iter().zip(counted.iter().zip(&figures)).map(|(arm, (counted, figures))| {
        let interval = interval_of(&compared, &arm.name);
        Row {
            arm: arm.name.to_string(),
            share: arm.share.fraction(),
            held_out: arm.held_out,
            customers: counted.customers,
            called: counted.figures.contacts,
            reached: counted.figures.reached,
            successes: figures.successes,
            rate: figures.successes.filter(|_| figures.contacts > 0).map(|won| won as f64 / figures.contacts as f64),
            complaints: counted.figures.complaints,
            difference: interval.map(|interval| interval.difference),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        }
    });
    let stop = matches!(verdict, Verdict::Stop { .. }).then(|| {
        let finding = Diagnostic::error(Code::TrialStopped, said(&verdict, experiment));
        Stop::one(
            Exit::Refused,
            finding.hint("the daemon pauses the campaign; end the experiment before it is resumed"),
        )
    });
    let report = Report {
        campaign: campaign.name.clone(),
        experiment: experiment.id.to_string(),
        success: experiment.success.clone(),
        compared: if everybody { "all customers of an arm" } else { "customers who were called" },
        arms: rows.collect(),
        verdict: said(&verdict, experiment),
        decided: matches!(verdict, Verdict::Decided { .. }),
    };
    (report, stop)
}

fn interval_of(table: &ArmsTable, arm: &str) -> Option<Interval> {
    table.comparisons.iter().find(|one| one.name == arm)?.interval
}

fn said(verdict: &Verdict, experiment: &Experiment) -> String {
    match verdict {
        Verdict::Stop { arm, .. } => {
            let limit = experiment.complaint_rate_above.unwrap_or_default();
            format!("stop: more customers of `{arm}` complain than {limit}")
        }
        Verdict::Decided { best } => format!("decided: `{best}` is the best"),
        Verdict::GoOn => "not decided yet".to_owned(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, experiment {}: `{}`, of {}", self.campaign, self.experiment, self.success, self.compared)?;
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let mut table = table();
        table.add_row([
            "arm",
            "share",
            "customers",
            "called",
            "reached",
            "successes",
            "rate",
            "complaints",
            "minus champion",
            "interval",
        ]);
        for row in &self.arms {
            table.add_row([
                format!("{}{}", row.arm, if row.held_out { " (never called)" } else { "" }),
                percent(row.share),
                row.customers.to_string(),
                row.called.to_string(),
                row.reached.to_string(),
                row.successes.map_or("?".to_owned(), |won| won.to_string()),
                row.rate.map_or(String::new(), percent),
                row.complaints.to_string(),
                row.difference.map_or(String::new(), |difference| format!("{:+.2} pt", difference * 100.0)),
                row.low
                    .zip(row.high)
                    .map_or(String::new(), |(low, high)| format!("{:+.2} to {:+.2} pt", low * 100.0, high * 100.0)),
            ]);
        }
        (1..8).for_each(|column| output::right_align(&mut table, column));
        writeln!(f, "{}", table.trim_fmt())?;
        f.write_str(&self.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Share;
    use crate::campaign::experiment::tests::{arm, experiment};
    use crate::campaign::testing;

    /// Twelve of six hundred who were called complain; of all in the arm that is next to nobody.
    #[test]
    fn complaints_are_of_those_who_were_called_though_everybody_is_compared() {
        let limit = Some(Share::from_ppm(3_000));
        let arms = vec![arm("b", 50, false), arm("champion", 50, false)];
        let experiment = Experiment { complaint_rate_above: limit, ..experiment("e", arms) };
        let counted = |name: &str, complaints| {
            let figures = ArmFigures { name: name.into(), contacts: 600, reached: 0, successes: Some(0), complaints };
            Counted { customers: 100_000, figures, succeeded: Some(0) }
        };
        let (told, stop) = report(&testing::campaign(), &experiment, &[counted("b", 12), counted("champion", 0)], true);
        assert_eq!(told.verdict, "stop: more customers of `b` complain than 0.3%");
        assert_eq!(stop.map(|stop| stop.exit), Some(Exit::Refused));
    }
}
