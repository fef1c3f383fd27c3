//! `goldenhour diff OLD NEW`: two versions of campaigns, told in people before fields.

mod fields;
mod impact;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::{LeadId, Wall};
use crate::campaign::Campaign;
use crate::engine::{Fate, Forecast, Outlook};
use crate::schedule::windows::local_us;

use super::ahead::{Places, Seen, clock, shown, thousands};
use super::exit::{Exit, Stop};
use super::output;
use super::site::{Site, block_on};
use fields::Field;
use impact::{Crew, Impact};
use version::Version;
pub(super) use version::is_campaign;

/// What another version of a campaign would mean for the people on its lists; changes nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A campaign file, or a folder of campaigns
    old: PathBuf,
    /// Its other version; a file takes policies, calendars and the like from the folder of the configuration
    new: PathBuf,
    /// The moment to look from [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = super::serve::wall)]
    at: Option<Wall>,
    /// Rehearse both versions with so many agents, or lines, and the leads of the database: what would come of it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: Option<u32>,
    /// Days of the rehearsal
    #[arg(long, value_name = "N", default_value_t = 7, requires = "agents", value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    at: String,
    campaigns: Vec<One>,
    /// By file.
    files: BTreeMap<String, Vec<Field>>,
}

/// `leads = enter + leave + stay_in + stay_out`, each by what stood before or stands now.
#[derive(Debug, Default, Serialize)]
struct One {
    campaign: String,
    leads: u64,
    /// Could not be dialled at any time and now can; by what kept them.
    enter: BTreeMap<&'static str, u64>,
    /// Could and now cannot; by what keeps them.
    leave: BTreeMap<&'static str, u64>,
    stay_in: u64,
    stay_out: u64,
    /// Of `stay_in`: `old -> new`.
    segments: BTreeMap<String, u64>,
    /// Of `stay_in`: the hour of the first dial.
    first_dial_earlier: u64,
    first_dial_later: u64,
    /// May be dialled at this moment.
    dialable_now_old: u64,
    dialable_now_new: u64,
    /// With `--agents`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal: Option<Impact>,
    #[serde(skip)]
    shown_at: String,
}

type Outlooks = BTreeMap<LeadId, Outlook>;

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(diff(args)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn diff(args: &Args) -> Result<Report, Stop> {
    let site = Site::read(&args.config)?;
    let (old, new) = (Version::read(&site, &args.old)?, Version::read(&site, &args.new)?);
    let mut seen = Seen::open(&site, args.at).await?;
    let all = |_: &Campaign| true;
    let then = seen.forecast(&site, &old.plan, all).await?;
    let now = seen.forecast(&site, &new.plan, all).await?;
    let (old_places, new_places) = (seen.places(&old.plan), seen.places(&new.plan));
    let names: BTreeSet<&str> =
        old_places.iter().chain(&new_places).map(|(_, campaign)| campaign.name.as_str()).collect();
    let mut campaigns = Vec::new();
    for name in names {
        let (was, is) = (side(&then, &old_places, name), side(&now, &new_places, name));
        let zone = [(&is, &new.plan), (&was, &old.plan)]
            .into_iter()
            .find_map(|(side, plan)| side.campaign.map(|campaign| clock(campaign, plan)))
            .unwrap_or(TimeZone::UTC);
        let one = One { campaign: name.to_owned(), shown_at: shown(seen.at, &zone), ..One::default() };
        let mut one = one.compare(&was, &is, &zone);
        if let Some(agents) = args.agents {
            let crew = Crew { agents, days: args.days };
            let (old, new) = ((&old.plan, &old_places), (&new.plan, &new_places));
            one.rehearsal = Some(Impact::of(&mut seen, crew, name, old, new).await?);
        }
        campaigns.push(one);
    }
    Ok(Report { at: seen.at.to_string(), campaigns, files: old.differing(&new) })
}

/// One campaign in one version.
struct Side<'a> {
    campaign: Option<&'a Campaign>,
    outlooks: Outlooks,
}

fn side<'a>(forecast: &Forecast, places: &'a Places, name: &str) -> Side<'a> {
    let found = places.iter().find(|(_, campaign)| campaign.name == name);
    let outlooks = found.map_or_else(Vec::new, |(ix, _)| forecast.outlooks(*ix));
    Side { campaign: found.map(|(_, campaign)| campaign.as_ref()), outlooks: outlooks.into_iter().collect() }
}

impl Side<'_> {
    /// What becomes of a lead; a campaign that this version does not have keeps everybody.
    fn fate(&self, lead: LeadId) -> Option<Fate> {
        self.outlooks.get(&lead).map(|outlook| outlook.fate)
    }

    fn segment(&self, lead: LeadId) -> &str {
        let segment = self.outlooks.get(&lead).map(|outlook| outlook.segment);
        let named = segment.and_then(|ix| self.campaign.and_then(|campaign| campaign.segment(ix)));
        named.map_or("none", |segment| segment.name.as_str())
    }

    /// The hour of the first dial, on that clock.
    fn hour(&self, lead: LeadId, zone: &TimeZone) -> Option<i64> {
        let first = self.outlooks.get(&lead).and_then(|outlook| outlook.first)?;
        Some(local_us(zone, first).div_euclid(3_600_000_000))
    }
}

fn is_in(fate: Option<Fate>) -> bool {
    matches!(fate, Some(Fate::Now | Fate::Later(_)))
}

fn why(fate: Option<Fate>) -> &'static str {
    fate.map_or("no_campaign", Fate::as_str)
}

impl One {
    fn compare(mut self, was: &Side, is: &Side, zone: &TimeZone) -> Self {
        let leads: BTreeSet<LeadId> = was.outlooks.keys().chain(is.outlooks.keys()).copied().collect();
        self.leads = leads.len() as u64;
        for lead in leads {
            let (before, after) = (was.fate(lead), is.fate(lead));
            self.dialable_now_old += u64::from(before == Some(Fate::Now));
            self.dialable_now_new += u64::from(after == Some(Fate::Now));
            match (is_in(before), is_in(after)) {
                (false, true) => *self.enter.entry(why(before)).or_default() += 1,
                (true, false) => *self.leave.entry(why(after)).or_default() += 1,
                (false, false) => self.stay_out += 1,
                (true, true) => self.count_staying(lead, was, is, zone),
            }
        }
        self
    }

    fn count_staying(&mut self, lead: LeadId, was: &Side, is: &Side, zone: &TimeZone) {
        self.stay_in += 1;
        let (old, new) = (was.segment(lead), is.segment(lead));
        if old != new {
            *self.segments.entry(format!("{old} -> {new}")).or_default() += 1;
        }
        // Nobody who never comes is earlier than somebody who does.
        let (old, new) = (was.hour(lead, zone).unwrap_or(i64::MAX), is.hour(lead, zone).unwrap_or(i64::MAX));
        self.first_dial_earlier += u64::from(new < old);
        self.first_dial_later += u64::from(new > old);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.campaigns.is_empty() {
            f.write_str("no campaigns in either version")?;
        }
        for (nth, one) in self.campaigns.iter().enumerate() {
            let gap = if nth > 0 { "\n\n" } else { "" };
            write!(f, "{gap}{one}")?;
        }
        for (file, fields) in &self.files {
            write!(f, "\n\n{file}")?;
            for field in fields {
                match (&field.old, &field.new) {
                    (Some(old), Some(new)) => write!(f, "\n  {}: {old} -> {new}", field.path)?,
                    (None, Some(new)) => write!(f, "\n  + {}: {new}", field.path)?,
                    (Some(old), None) => write!(f, "\n  - {}: {old}", field.path)?,
                    (None, None) => {}
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} leads, seen at {}", self.campaign, thousands(self.leads), self.shown_at)?;
        let in_all = |of: &BTreeMap<&'static str, u64>| of.values().sum::<u64>();
        let list = |of: &BTreeMap<&'static str, u64>| {
            of.iter().map(|(why, count)| format!("{} {why}", thousands(*count))).collect::<Vec<_>>().join(", ")
        };
        let (enter, leave) = (in_all(&self.enter), in_all(&self.leave));
        if let Some(rehearsal) = &self.rehearsal {
            write!(f, "\n  {} customers become uncallable, {} callable", thousands(leave), thousands(enter))?;
            write!(f, "\n  {rehearsal}")?;
        }
        if enter == 0 && leave == 0 && self.segments.is_empty() && self.first_dial_earlier + self.first_dial_later == 0
        {
            return f.write_str("\n  nobody is called otherwise");
        }
        write!(f, "\n  enter     {:>8}", thousands(enter))?;
        if enter > 0 {
            write!(f, "  kept out before: {}", list(&self.enter))?;
        }
        write!(f, "\n  leave     {:>8}", thousands(leave))?;
        if leave > 0 {
            write!(f, "  kept out now: {}", list(&self.leave))?;
        }
        write!(f, "\n  stay      {:>8}", thousands(self.stay_in))?;
        let moves: u64 = self.segments.values().sum();
        if moves > 0 {
            let moved: Vec<String> =
                self.segments.iter().map(|(which, count)| format!("{} {which}", thousands(*count))).collect();
            write!(f, "\n    another segment   {:>8}  {}", thousands(moves), moved.join(", "))?;
        }
        write!(f, "\n    first dial earlier{:>8}", thousands(self.first_dial_earlier))?;
        write!(f, "\n    first dial later  {:>8}", thousands(self.first_dial_later))?;
        let (old, new) = (thousands(self.dialable_now_old), thousands(self.dialable_now_new));
        write!(f, "\n  dialable at that moment: {old} -> {new}")
    }
}
