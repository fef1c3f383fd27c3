//! `goldenhour simulate PATH`: a campaign and a list rehearsed on the engine itself, before anybody is called.

mod curves;
mod outcomes;
mod report;
mod stage;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::civil::Date;

use crate::base::{CampaignIx, Code, Diagnostic};
use crate::campaign::{Campaign, Plan};
use crate::sim::{Capacity, Leads, Rehearsal, RunFigures, Setting, Verdict};

use super::ahead::Seen;
use super::exit::{Exit, Stop};
use super::output;

pub(super) use curves::CurvesSaid;
use outcomes::Outcomes;
use report::Report;
use stage::{Staged, Wanted};

/// Rehearse a campaign with a list on the engine itself: what to expect of so many agents in so many days
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A campaign file, or a folder with one campaign
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The leads: whatever `import` reads
    #[arg(long, value_name = "LIST")]
    list: PathBuf,
    /// People who take calls; lines, where a flow takes them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: Option<u32>,
    /// Who works when: a CSV file of day,from,to,agents [default: the campaign's]
    #[arg(long, value_name = "FILE", conflicts_with = "agents")]
    roster: Option<PathBuf>,
    /// Days from the first midnight on [default: the campaign's run, else 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=366))]
    days: Option<u32>,
    /// The same seed gives the same report, byte for byte [default: the campaign's, else 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Runs that quantiles are over [default: the campaign's, else 1]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    runs: Option<u16>,
    /// The first day, on the campaign's clock [default: the campaign's run.from, else 2026-12-01]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Of the list, by its WHATWG name: gb18030, big5, utf-16le [default: utf-8]
    #[arg(long, value_name = "E")]
    encoding: Option<String>,
    /// The daemon's configuration: the country of numbers, where lists come from, and what its database has learned
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A number column of the list: the true chance that the right person says yes, which nothing but the people knows
    /// [default: the score]
    #[arg(long, value_name = "COLUMN")]
    truth: Option<String>,
    /// Write what `export --features` would have written of these days into a new folder; of one run
    #[arg(long, value_name = "DIR")]
    outcomes: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress on standard error
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let staged = match stage::stage(&args.wanted(), &args.list) {
        Ok(staged) => staged,
        Err(stop) => return output::failed(args.json, stop),
    };
    let setting = &staged.setting;
    let figures = match rehearse(args, &staged) {
        Ok(figures) => figures,
        Err(stop) => return output::failed(args.json, stop),
    };
    let report = Report::of(&staged, &figures);
    let refused = unlawful(&figures).or_else(|| missed(setting, &figures));
    output::answer(args.json, &report, refused)
}

impl Args {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            path: &self.path,
            agents: self.agents,
            roster: self.roster.as_deref(),
            days: self.days,
            seed: self.seed,
            runs: self.runs,
            from: self.from,
            encoding: self.encoding.as_deref(),
            config: self.config.as_deref(),
            truth: self.truth.as_deref(),
            records: self.outcomes.is_some(),
        }
    }
}

/// One run over leads as they stand in the database, from the moment that is looked at. The people drawn are the same
/// whatever the plan, so that what differs between two plans is the plans' doing.
pub(super) async fn of_database(
    seen: &mut Seen,
    plan: &Plan,
    (ix, campaign): (CampaignIx, &Arc<Campaign>),
    agents: u32,
    days: u32,
) -> Result<(RunFigures, CurvesSaid), Stop> {
    let answers = curves::learned(seen, campaign).await?;
    let said = answers.curves.into();
    let (rows, ledgers) = seen.leads(ix).await?;
    let setting = Setting {
        campaign: Arc::clone(campaign),
        zones: plan.zones.clone(),
        leads: Leads::of_store(ix, rows, ledgers),
        capacity: Capacity::Fixed(agents),
        answers,
        start: seen.at,
        days,
    };
    Ok((Rehearsal::new(&setting, 1).end().0, said))
}

/// Every run has a seed of its own, which follows from the first.
fn rehearse(args: &Args, staged: &Staged) -> Result<Vec<RunFigures>, Stop> {
    let Staged { setting, seed, runs, info, .. } = staged;
    let mut outcomes = match &args.outcomes {
        Some(_) if *runs != 1 => {
            return Err(Stop::usage("--outcomes is of one run: leave out --runs, or say --runs 1"));
        }
        Some(out) => Some(Outcomes::begin(out.clone(), setting, info)?),
        None => None,
    };
    let bar = bar(u64::from(*runs) * u64::from(setting.days), args.quiet);
    let mut note = |records| outcomes.as_mut().map_or(Ok(()), |outcomes| outcomes.take(records));
    let mut figures = Vec::new();
    for nth in 0..*runs {
        let mut rehearsal = Rehearsal::new(setting, seed.wrapping_add(u64::from(nth)));
        let mut hours = 0;
        while rehearsal.advance(Duration::from_hours(1)) {
            hours += 1;
            bar.set_position(u64::from(nth) * u64::from(setting.days) + hours / 24);
            note(rehearsal.take_records())?;
        }
        let (run, records) = rehearsal.end();
        note(records)?;
        figures.push(run);
    }
    bar.finish_and_clear();
    outcomes.map_or(Ok(()), Outcomes::end)?;
    Ok(figures)
}

/// On standard error, and only where that is a terminal.
fn bar(days: u64, quiet: bool) -> ProgressBar {
    let hidden = quiet || !std::io::stderr().is_terminal();
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(days), target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} day {pos} of {len} {wide_bar} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// The engine did what it must not: whatever else the report says, it comes second.
fn unlawful(figures: &[RunFigures]) -> Option<Stop> {
    let count: u64 = figures.iter().map(|run| run.violations).sum();
    let first = figures.iter().find_map(|run| run.first_violations.first())?;
    let why = anyhow::anyhow!("the witness objected {count} times, first: {first}; report this");
    Some(Stop { exit: Exit::Failure, why })
}

fn missed(setting: &Setting, figures: &[RunFigures]) -> Option<Stop> {
    let mut findings = Vec::new();
    for requirement in &setting.campaign.simulate.require {
        let Verdict { value, holds } = Verdict::of(requirement, figures);
        if holds {
            continue;
        }
        let unit = requirement.figure.unit();
        let found = match value {
            None => "no run has this figure".to_owned(),
            Some(value) => {
                let off = unit.show((value - requirement.bound).abs());
                format!("it is {}, {off} off", unit.show(value))
            }
        };
        let message = format!("{}: `{}` does not hold: {found}", setting.campaign.name, requirement.text);
        let hint = "more agents, more days, another list, or a requirement that can be met";
        findings.push(Diagnostic::error(Code::Requirement, message).hint(hint));
    }
    (!findings.is_empty()).then(|| Stop::found(Exit::Refused, findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;
    use crate::campaign::Requirement;
    use crate::campaign::testing::campaign;
    use crate::contact::Zones;
    use crate::sim::{Answers, Violation};

    fn requiring(texts: &[&str]) -> Setting {
        let mut campaign = campaign();
        campaign.simulate.require = texts.iter().map(|text| Requirement::parse(text, &[]).unwrap()).collect();
        Setting {
            answers: Answers::seeded(&campaign),
            campaign: Arc::new(campaign),
            zones: Zones::default(),
            leads: Leads::default(),
            capacity: Capacity::Fixed(1),
            start: Wall(0),
            days: 1,
        }
    }

    #[test]
    fn every_requirement_that_is_missed_is_told_with_how_far_off_it_is() {
        let setting = requiring(&["successes >= 5", "attempts <= 9", "agent_idle <= 10%", "contacts == 0"]);
        let figures = [RunFigures { successes: 3, attempts: 12, ..RunFigures::default() }];
        let stop = missed(&setting, &figures).unwrap();
        let said = stop.why.to_string();
        assert_eq!(stop.exit, Exit::Refused);
        assert!(said.contains("`successes >= 5` does not hold: it is 3, 2 off"), "{said}");
        assert!(said.contains("`attempts <= 9` does not hold: it is 12, 3 off"), "{said}");
        assert!(said.contains("`agent_idle <= 10%` does not hold: no run has this figure"), "{said}");
        assert!(!said.contains("contacts"), "{said}");
        assert!(missed(&requiring(&["contacts == 0"]), &figures).is_none());
    }

    #[test]
    fn what_the_witness_objected_to_fails_the_rehearsal_whatever_holds() {
        let what = "a call at night".to_owned();
        let first_violations = vec![Violation { at: Wall(0), what }];
        let objected = RunFigures { violations: 3, first_violations, ..RunFigures::default() };
        let stop = unlawful(&[RunFigures::default(), objected]).unwrap();
        assert_eq!(stop.exit, Exit::Failure);
        assert!(stop.why.to_string().contains("objected 3 times, first: "), "{}", stop.why);
        assert!(unlawful(&[RunFigures::default()]).is_none());
    }
}
