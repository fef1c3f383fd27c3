//! What a rehearsal found, for people and for machines. Nothing in it depends on the day it was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use comfy_table::{Cell, CellAlignment, Table};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::Wall;
use crate::campaign::{Figure, PacingMode, Unit};
use crate::cli::ahead::thousands;
use crate::cli::output;
use crate::sim::{Capacity, HourFigures, RunFigures, SegmentFigures, Setting, Spread, Verdict};

use super::{CurvesSaid, Staged};

#[derive(Debug, Serialize)]
pub(super) struct Report {
    campaign: String,
    list: String,
    rows: u64,
    rejects: u64,
    leads: u64,
    from: String,
    days: u32,
    /// The clock that days and `first` are on.
    zone: String,
    seed: u64,
    runs: u16,
    /// `None`: lines of an agentless campaign, or a roster.
    agents: Option<u32>,
    lines: Option<u32>,
    answer_curves: CurvesSaid,
    figures: Vec<Line>,
    goals: Vec<GoalLine>,
    require: Vec<RequireLine>,
    /// Medians, by the hour that contacts' own clocks show.
    hours: Vec<HourLine>,
    segments: Vec<SegmentLine>,
    /// Medians of attempts, by call result.
    results: BTreeMap<&'static str, u64>,
    dispositions: BTreeMap<String, u64>,
    /// Medians of leads that were never dialled, by why not.
    not_called: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct Line {
    figure: String,
    #[serde(flatten)]
    spread: Quantiles,
    #[serde(skip)]
    unit: Unit,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Quantiles {
    p05: f64,
    p50: f64,
    p95: f64,
}

#[derive(Debug, Serialize)]
struct GoalLine {
    goal: String,
    target: f64,
    #[serde(flatten)]
    spread: Quantiles,
    /// Share of the runs that reached it.
    reached: f64,
    #[serde(skip)]
    unit: Unit,
}

#[derive(Debug, Serialize)]
struct RequireLine {
    require: String,
    value: Option<f64>,
    holds: bool,
    #[serde(skip)]
    unit: Unit,
}

#[derive(Debug, Serialize)]
struct HourLine {
    hour: String,
    attempts: u64,
    answered: u64,
    contacts: u64,
    successes: u64,
}

#[derive(Debug, Serialize)]
struct SegmentLine {
    segment: String,
    called: u64,
    attempts: u64,
    contacts: u64,
    successes: u64,
    /// When its first phone rings, on the campaign's clock; none where none does.
    first: Option<String>,
}

/// In the order of the report; those of agents only where there are any.
const FIGURES: [Figure; 13] = [
    Figure::LeadsCalled,
    Figure::ListPenetration,
    Figure::Attempts,
    Figure::Answered,
    Figure::AnswerRate,
    Figure::Contacts,
    Figure::Successes,
    Figure::Refusals,
    Figure::ContactsPerAgentHour,
    Figure::AgentIdle,
    Figure::QueueLate,
    Figure::QueueLost,
    Figure::PolicyViolations,
];

impl Report {
    pub(super) fn of(staged: &Staged, runs: &[RunFigures]) -> Self {
        let setting = &staged.setting;
        let campaign = &setting.campaign;
        let zone = Setting::zone(campaign, &setting.zones);
        let people = match setting.capacity {
            Capacity::Fixed(people) => Some(people),
            Capacity::Roster(_) => None,
        };
        let agentless = campaign.pacing.mode == PacingMode::Agentless;
        Self {
            campaign: campaign.name.clone(),
            list: staged.list.display().to_string(),
            rows: staged.tally.rows,
            rejects: staged.tally.rejects,
            leads: staged.tally.leads,
            from: staged.from.to_string(),
            days: setting.days,
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            seed: staged.seed,
            runs: staged.runs,
            agents: people.filter(|_| !agentless),
            lines: people.filter(|_| agentless),
            answer_curves: setting.answers.curves.into(),
            figures: FIGURES.iter().filter_map(|figure| Line::of(figure, agentless, runs)).collect(),
            goals: campaign.goals.iter().map(|goal| GoalLine::of(goal, runs)).collect(),
            require: campaign.simulate.require.iter().map(|wanted| RequireLine::of(wanted, runs)).collect(),
            hours: hours(runs),
            segments: campaign
                .segments
                .iter()
                .enumerate()
                .map(|(at, segment)| SegmentLine::of(&segment.name, at, runs, &zone))
                .collect(),
            results: medians(runs, |run| {
                run.by_result.iter().map(|(result, count)| (result.as_str(), *count)).collect()
            }),
            dispositions: medians(runs, |run| {
                run.by_disposition.iter().map(|(name, count)| (name.to_string(), *count)).collect()
            }),
            not_called: medians(runs, |run| run.uncalled.clone()),
        }
    }
}

impl From<Spread> for Quantiles {
    fn from(Spread { p05, p50, p95 }: Spread) -> Self {
        let rounded = |value: f64| (value * 1e6).round() / 1e6;
        Self { p05: rounded(p05), p50: rounded(p50), p95: rounded(p95) }
    }
}

impl Line {
    fn of(figure: &Figure, agentless: bool, runs: &[RunFigures]) -> Option<Self> {
        if agentless && figure.is_of_agents() {
            return None;
        }
        let spread = Spread::of(runs.iter().filter_map(|run| run.value(figure))).into();
        Some(Self { figure: figure.to_string(), spread, unit: figure.unit() })
    }
}

impl GoalLine {
    fn of(goal: &crate::campaign::Goal, runs: &[RunFigures]) -> Self {
        let values: Vec<f64> = runs.iter().map(|run| run.value(&goal.figure).unwrap_or(0.0)).collect();
        let reached = values.iter().filter(|value| **value >= goal.target).count();
        Self {
            goal: goal.name.clone(),
            target: goal.target,
            reached: reached as f64 / values.len().max(1) as f64,
            spread: Spread::of(values).into(),
            unit: goal.figure.unit(),
        }
    }
}

impl RequireLine {
    fn of(wanted: &crate::campaign::Requirement, runs: &[RunFigures]) -> Self {
        let Verdict { value, holds } = Verdict::of(wanted, runs);
        Self { require: wanted.text.clone(), value, holds, unit: wanted.figure.unit() }
    }
}

impl SegmentLine {
    fn of(name: &str, at: usize, runs: &[RunFigures], zone: &TimeZone) -> Self {
        let own = |of: fn(&SegmentFigures) -> u64| median(runs.iter().filter_map(|run| run.segments.get(at)).map(of));
        let first = runs.iter().filter_map(|run| run.segments.get(at)?.first).min();
        let shown = |at: Wall| at.timestamp().to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M").to_string();
        Self {
            segment: name.to_owned(),
            called: own(|of| of.called),
            attempts: own(|of| of.attempts),
            contacts: own(|of| of.contacts),
            successes: own(|of| of.successes),
            first: first.map(shown),
        }
    }
}

fn hours(runs: &[RunFigures]) -> Vec<HourLine> {
    let line = |hour: usize| {
        let own = |of: fn(&HourFigures) -> u64| median(runs.iter().filter_map(|run| run.hours.get(hour)).map(of));
        HourLine {
            hour: format!("{hour:02}:00"),
            attempts: own(|of| of.attempts),
            answered: own(|of| of.answered),
            contacts: own(|of| of.contacts),
            successes: own(|of| of.successes),
        }
    };
    (0..24).map(line).filter(|line| line.attempts > 0).collect()
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    Spread::of(values.map(|value| value as f64)).p50 as u64
}

/// Of every key that any run has.
fn medians<K: Ord + Clone>(runs: &[RunFigures], of: impl Fn(&RunFigures) -> BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let all: Vec<BTreeMap<K, u64>> = runs.iter().map(of).collect();
    let keys: BTreeSet<&K> = all.iter().flat_map(BTreeMap::keys).collect();
    let value = |key: &K| median(all.iter().map(|one| one.get(key).copied().unwrap_or(0)));
    keys.into_iter().map(|key| (key.clone(), value(key))).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural =
            |count: u64, word: &str| format!("{} {word}{}", thousands(count), if count == 1 { "" } else { "s" });
        let who = match (self.agents, self.lines) {
            (Some(agents), _) => plural(agents.into(), "agent"),
            (None, Some(lines)) => plural(lines.into(), "line"),
            (None, None) => "a roster".to_owned(),
        };
        let (leads, days, runs) =
            (thousands(self.leads), plural(self.days.into(), "day"), plural(self.runs.into(), "run"));
        write!(f, "{}: {leads} leads, {who}, {days} from {} ({}), ", self.campaign, self.from, self.zone)?;
        write!(f, "{runs}, seed {}\n  {}", self.seed, self.answer_curves)?;
        if self.rejects > 0 {
            write!(f, "\n  {} of {} rows are rejects", thousands(self.rejects), thousands(self.rows))?;
        }
        let lines = self.figures.iter().map(|line| (line.figure.clone(), line.spread, line.unit, String::new()));
        write!(f, "\n{}", self.quantiles(lines))?;
        if !self.goals.is_empty() {
            let reached = |goal: &GoalLine| {
                let runs = (goal.reached * f64::from(self.runs)).round();
                format!("of {}: in {runs} of {}", goal.unit.show(goal.target), self.runs)
            };
            let lines = self.goals.iter().map(|goal| (goal.goal.clone(), goal.spread, goal.unit, reached(goal)));
            write!(f, "\n  goals\n{}", self.quantiles(lines))?;
        }
        for one in &self.require {
            let value = one.value.map_or_else(|| "no value".to_owned(), |value| one.unit.show(value));
            let (mark, said) = if one.holds { ("holds", "") } else { ("FAILS", "  <-") };
            write!(f, "\n  {mark}  {}: {value}{said}", one.require)?;
        }
        write!(f, "\n  by the contact's clock\n{}\n  by segment\n{}", self.by_hour(), self.by_segment())?;
        for (what, counts) in [("call results", &self.results), ("never dialled", &self.not_called)] {
            let shown: Vec<String> = counts.iter().map(|(why, count)| format!("{} {why}", thousands(*count))).collect();
            let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
            write!(f, "\n  {what}: {shown}")?;
        }
        Ok(())
    }
}

impl Report {
    fn quantiles(&self, lines: impl Iterator<Item = (String, Quantiles, Unit, String)>) -> Table {
        let mut table = output::table();
        if self.runs > 1 {
            table.add_row(["  ", "p05", "p50", "p95"].map(right));
        }
        for (name, Quantiles { p05, p50, p95 }, unit, more) in lines {
            let values = if self.runs > 1 { vec![p05, p50, p95] } else { vec![p50] };
            let shown = values.into_iter().map(|value| match unit {
                Unit::Count => right(thousands(value as u64)),
                Unit::Share | Unit::Ratio => right(unit.show(value)),
            });
            let cells = std::iter::once(Cell::new(format!("  {name}"))).chain(shown);
            let more = (!more.is_empty()).then(|| Cell::new(more));
            table.add_row(cells.chain(more).collect::<Vec<_>>());
        }
        table
    }

    fn by_hour(&self) -> Table {
        let mut table = output::table();
        table.add_row(["  hour", "attempts", "answered", "contacts", "successes"].map(right));
        for line in &self.hours {
            let counts = [line.attempts, line.answered, line.contacts, line.successes];
            table.add_row(std::iter::once(line.hour.clone()).chain(counts.map(thousands)).map(right));
        }
        table
    }

    fn by_segment(&self) -> Table {
        let mut table = output::table();
        let head = ["called", "attempts", "contacts", "successes"].map(right);
        table.add_row([Cell::new("  segment")].into_iter().chain(head).chain([Cell::new("first call")]));
        for line in &self.segments {
            let counts = [line.called, line.attempts, line.contacts, line.successes];
            let first = Cell::new(line.first.as_deref().unwrap_or("never"));
            let name = Cell::new(format!("  {}", line.segment));
            table.add_row([name].into_iter().chain(counts.map(thousands).map(right)).chain([first]));
        }
        table
    }
}

fn right(text: impl Into<String>) -> Cell {
    Cell::new(text.into()).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Goal;

    fn runs(successes: [u64; 3]) -> Vec<RunFigures> {
        successes.map(|successes| RunFigures { successes, ..RunFigures::default() }).to_vec()
    }

    #[test]
    fn a_goal_says_in_which_share_of_the_runs_it_was_reached() {
        let goal = Goal { name: "sold".into(), figure: Figure::Successes, target: 20.0 };
        let line = GoalLine::of(&goal, &runs([10, 20, 30]));
        assert!((line.reached - 2.0 / 3.0).abs() < 1e-9 && (line.spread.p50 - 20.0).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn a_result_that_one_run_of_three_has_is_none_in_the_middle() {
        let mut all = runs([0, 0, 0]);
        all[1].uncalled.insert("dnc", 9);
        for run in &mut all {
            run.uncalled.insert("eligible", 4);
        }
        assert_eq!(medians(&all, |run| run.uncalled.clone()), BTreeMap::from([("dnc", 0), ("eligible", 4)]));
    }

    #[test]
    fn hours_without_a_dial_are_left_out() {
        let mut all = runs([0, 0, 0]);
        for run in &mut all {
            run.hours[9].attempts = 5;
        }
        all[0].hours[10].attempts = 5;
        let shown: Vec<_> = hours(&all).into_iter().map(|line| (line.hour, line.attempts)).collect();
        assert_eq!(shown, [("09:00".to_owned(), 5)]);
    }

    #[test]
    fn a_segment_begins_with_the_first_call_of_all_runs() {
        let at = |minute: i64| Some(Wall(minute * 60_000_000));
        let segments = [at(30), None, at(20)].map(|first| vec![SegmentFigures { first, ..SegmentFigures::default() }]);
        let all = segments.map(|segments| RunFigures { segments, ..RunFigures::default() });
        let line = SegmentLine::of("young", 0, &all, &TimeZone::UTC);
        assert_eq!(line.first.as_deref(), Some("Thu 1970-01-01 00:20"));
        assert_eq!(SegmentLine::of("old", 1, &all, &TimeZone::UTC).first, None);
    }

    #[test]
    fn lines_have_no_figures_of_agents() {
        let all = runs([1, 2, 3]);
        let shown = |agentless| FIGURES.iter().filter_map(|figure| Line::of(figure, agentless, &all)).count();
        assert_eq!((shown(false), shown(true)), (13, 9));
    }
}
