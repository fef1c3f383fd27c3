//! `goldenhour plan`: who would be called when, and who not and why, from rows loaded to dialable now.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use comfy_table::{Cell, CellAlignment};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::{CampaignIx, Wall};
use crate::campaign::{Campaign, Plan, Status};
use crate::engine::{Day, Forecast, Hour, Waterfall};
use crate::sim::{HourFigures, RunFigures};
use crate::store::ListSeen;

use super::ahead::{Seen, clock, shown, spent_out, thousands};
use super::exit::{Exit, Stop};
use super::output;
use super::simulate::{CurvesSaid, of_database};
use super::site::{Site, block_on, unknown};

/// Who would be called when, and who not and why; reads the database and changes nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// One campaign [default: all]
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// The moment to look from [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = super::serve::wall)]
    at: Option<Wall>,
    /// Rehearse the 24 hours ahead with so many agents, or lines: what to expect of each hour
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    at: String,
    campaigns: Vec<One>,
}

/// `loaded = closed + blocked + later + dialable_now`, each by its reasons.
#[derive(Debug, Serialize)]
struct One {
    campaign: String,
    title: String,
    status: &'static str,
    /// By an operator.
    paused: bool,
    /// `None`: this daemon has none for it, and nothing goes out.
    trunk: Option<String>,
    /// Why nothing goes out until the next day: its trunks have cost what they may.
    spent_out: Option<String>,
    lists: u64,
    newest_list: Option<List>,
    loaded: u64,
    closed: BTreeMap<&'static str, u64>,
    blocked: BTreeMap<&'static str, u64>,
    /// Of `blocked.eligible`, by condition.
    ineligible: BTreeMap<String, u64>,
    later: BTreeMap<&'static str, u64>,
    dialable_now: u64,
    /// The day ahead on the clock of the campaign.
    zone: String,
    hours: Vec<HourRow>,
    /// The same day by what the contacts' own clocks show.
    contact_hours: Vec<HourRow>,
    /// With `--agents`: the same day rehearsed, by what the contacts' own clocks show. Hours without a dial are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Vec<Expected>>,
    /// What they were rehearsed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_curves: Option<CurvesSaid>,
    #[serde(skip)]
    fall: Waterfall,
    #[serde(skip)]
    clock: TimeZone,
}

#[derive(Debug, Serialize)]
struct List {
    name: String,
    rows: u64,
    at: String,
    expires: Option<String>,
}

#[derive(Debug, Serialize)]
struct HourRow {
    hour: String,
    due: u64,
    dialable: u64,
    golden: u64,
}

#[derive(Debug, Serialize)]
struct Expected {
    hour: String,
    attempts: u64,
    answered: u64,
    contacts: u64,
    successes: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(plan(args)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn plan(args: &Args) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let plan = site.plan()?;
    let name = args.campaign.as_deref();
    if let Some(name) = name.filter(|name| plan.campaigns.iter().all(|campaign| campaign.name != *name)) {
        return Err(unknown(name, &plan));
    }
    let wanted = |campaign: &Campaign| name.is_none_or(|name| campaign.name == name);
    let mut seen = Seen::open(&site, args.at).await?;
    let forecast = seen.forecast(&site, &plan, wanted).await?;
    let mut campaigns = Vec::new();
    for (ix, campaign) in seen.places(&plan).iter().filter(|(_, campaign)| wanted(campaign)) {
        let lists = seen.lists(*ix).await?;
        let paused = seen.paused.holds(*ix);
        let Some(mut one) = one(&forecast, &plan, *ix, campaign, lists, paused) else { continue };
        if let Some(agents) = args.agents {
            let (figures, curves) = of_database(&mut seen, &plan, (*ix, campaign), agents, 1).await?;
            one.answer_curves = Some(curves);
            one.expected = Some(expected(&figures));
        }
        campaigns.push(one);
    }
    Ok(Report { at: seen.at.to_string(), campaigns })
}

fn one(
    forecast: &Forecast,
    plan: &Plan,
    ix: CampaignIx,
    campaign: &Campaign,
    mut lists: Vec<ListSeen>,
    paused: bool,
) -> Option<One> {
    let fall = forecast.waterfall(ix)?;
    let day = forecast.day(ix)?;
    let clock = clock(campaign, plan);
    let why = |(why, count): (&crate::gate::Eligibility, &u64)| Some((why.why_not(campaign)?, *count));
    Some(One {
        campaign: campaign.name.clone(),
        title: campaign.title.clone(),
        status: campaign.status.as_str(),
        paused,
        trunk: forecast.trunk(ix).map(str::to_owned),
        spent_out: spent_out(forecast, ix),
        lists: lists.len() as u64,
        newest_list: lists.pop().map(|list| List {
            name: list.name,
            rows: list.rows,
            at: list.at.to_string(),
            expires: list.expires.map(|at| at.to_string()),
        }),
        loaded: fall.loaded,
        closed: fall.closed.iter().map(|(why, count)| (why.as_str(), *count)).collect(),
        blocked: fall.blocked.iter().map(|(why, count)| (why.as_str(), *count)).collect(),
        ineligible: fall.ineligible.iter().filter_map(why).collect(),
        later: fall.later.iter().map(|(why, count)| (why.as_str(), *count)).collect(),
        dialable_now: fall.now,
        hours: hours(&day, &clock),
        contact_hours: day.local.iter().map(|hour| row(hour, &TimeZone::UTC)).collect(),
        expected: None,
        answer_curves: None,
        zone: day.zone,
        fall,
        clock,
    })
}

fn expected(figures: &RunFigures) -> Vec<Expected> {
    let hour = |(hour, of): (usize, &HourFigures)| Expected {
        hour: format!("{hour:02}:00"),
        attempts: of.attempts,
        answered: of.answered,
        contacts: of.contacts,
        successes: of.successes,
    };
    figures.hours.iter().enumerate().filter(|(_, of)| of.attempts > 0).map(hour).collect()
}

fn hours(day: &Day, clock: &TimeZone) -> Vec<HourRow> {
    day.hours.iter().map(|hour| row(hour, clock)).collect()
}

fn row(hour: &Hour, clock: &TimeZone) -> HourRow {
    let from = hour.from.timestamp().to_zoned(clock.clone()).strftime("%H:%M").to_string();
    HourRow { hour: from, due: hour.due, dialable: hour.dialable, golden: hour.golden }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.campaigns.is_empty() {
            return f.write_str("no campaigns: the folder is empty");
        }
        for (nth, one) in self.campaigns.iter().enumerate() {
            let gap = if nth > 0 { "\n\n" } else { "" };
            let at = Wall::parse(&self.at).map_or_else(|_| self.at.clone(), |at| shown(at, &one.clock));
            write!(f, "{gap}{} at {at}", one.campaign)?;
            one.head(f)?;
            write!(f, "\n{}", one.waterfall())?;
            write!(f, "\n{}", one.day())?;
            if let (Some(expected), Some(curves)) = (&one.expected, &one.answer_curves) {
                write!(f, "\n{}\n  {curves}", ahead_of(expected))?;
            }
        }
        Ok(())
    }
}

fn ahead_of(expected: &[Expected]) -> String {
    if expected.is_empty() {
        return "  expected: nobody is dialled".to_owned();
    }
    let mut table = output::table();
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    table.add_row(["  hour", "dials", "answers", "contacts", "successes"].map(|text| right(text.to_owned())));
    for line in expected {
        let counts = [line.attempts, line.answered, line.contacts, line.successes].map(thousands);
        table.add_row(std::iter::once(line.hour.clone()).chain(counts).map(right));
    }
    format!("  expected of them, rehearsed, on the contact's clock\n{table}")
}

impl One {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.title != self.campaign {
            write!(f, "  {}", self.title)?;
        }
        if self.status != Status::Active.as_str() {
            write!(f, "\n  nothing goes out: its status is {}", self.status)?;
        }
        if self.paused {
            f.write_str("\n  nothing goes out: an operator has paused it")?;
        }
        if self.trunk.is_none() {
            f.write_str("\n  nothing goes out: the configuration has no trunk for it")?;
        }
        if let Some(why) = &self.spent_out {
            write!(f, "\n  nothing goes out until the next day: {why}")?;
        }
        match (&self.newest_list, self.lists) {
            (None, _) => f.write_str("\n  no list was loaded yet"),
            (Some(list), 1) => write!(f, "\n  one list: {}, {} rows", list.name, thousands(list.rows)),
            (Some(list), lists) => {
                write!(f, "\n  {lists} lists, the newest {}, {} rows", list.name, thousands(list.rows))
            }
        }
    }

    /// Groups and their reasons, in the order of the gate.
    fn waterfall(&self) -> String {
        let fall = &self.fall;
        let mut table = output::table();
        let mut line = |indent: usize, what: &str, count: u64| {
            let what = format!("  {:indent$}{what}", "", indent = indent * 2);
            table.add_row([Cell::new(what), Cell::new(thousands(count)).set_alignment(CellAlignment::Right)]);
        };
        line(0, "loaded", fall.loaded);
        line(0, "closed", fall.closed_in_all());
        fall.closed.iter().for_each(|(why, count)| line(1, why.as_str(), *count));
        line(0, "blocked, and time will not help", fall.blocked_in_all());
        for (why, count) in &fall.blocked {
            line(1, why.as_str(), *count);
            if why.as_str() == crate::gate::Rule::Eligible.as_str() {
                self.ineligible.iter().for_each(|(why, count)| line(2, why, *count));
            }
        }
        line(0, "waiting until later", fall.later_in_all());
        fall.later.iter().for_each(|(why, count)| line(1, why.as_str(), *count));
        line(0, "dialable now", fall.now);
        table.to_string()
    }

    /// Hours in which somebody may be dialled: the day ahead, and beside each hour what contacts have at that hour of
    /// their own clocks.
    fn day(&self) -> String {
        if self.hours.iter().all(|row| row.dialable == 0) {
            return "  nobody may be dialled in the 24 hours ahead".to_owned();
        }
        let mut table = output::table();
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let head = ["  hour", "due", "dialable", "golden", "  contact's clock: due", "dialable", "golden"];
        table.add_row(head.map(|text| right(text.to_owned())));
        for ahead in &self.hours {
            let hour = ahead.hour.get(..2).and_then(|hour| hour.parse::<usize>().ok());
            let Some(local) = hour.and_then(|hour| self.contact_hours.get(hour)) else { continue };
            if ahead.dialable > 0 || local.dialable > 0 {
                let counts = [ahead, local].into_iter().flat_map(|row| [row.due, row.dialable, row.golden]);
                let cells = std::iter::once(ahead.hour.clone()).chain(counts.map(thousands));
                table.add_row(cells.map(right));
            }
        }
        format!("  the 24 hours ahead on the clock of {}, if nobody is dialled meanwhile\n{table}", self.zone)
    }
}
