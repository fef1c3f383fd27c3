//! One contact: each lead with every rule's answer, when it comes next, its place in the queue, and its history.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::{CampaignIx, Code, Diagnostic, PhoneId, Pii, Wall};
use crate::campaign::{Arm, Campaign, Plan};
use crate::cli::ahead::{Seen, clock, shown, spent_out, thousands};
use crate::cli::exit::{Exit, Stop};
use crate::cli::site::Site;
use crate::engine::{Fate, Forecast, LeadCard, LeadRow};
use crate::gate::{Eligibility, PastDial, Reason, Rule};
use crate::store::Store as _;

use super::words;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    at: String,
    /// A mask.
    contact: String,
    leads: Vec<Lead>,
    history: Vec<Dial>,
}

/// One lead. Instants are UTC; `local` ones are on the contact's own clock.
#[derive(Debug, Serialize)]
struct Lead {
    campaign: String,
    #[serde(rename = "lead")]
    id: u32,
    /// `now`, or what keeps it: a rule, `retry`, `golden_hours`, why it is closed, `no_campaign`, `no_phone`.
    stands: String,
    /// `closed`, `blocked`, `later`, `now`.
    kind: &'static str,
    next: Option<String>,
    /// Why nobody of the campaign is dialled until the next day: its trunks have cost what they may.
    spent_out: Option<String>,
    waits_until: Option<String>,
    zones: Vec<String>,
    golden: Vec<String>,
    segment: Option<String>,
    /// Of the campaign's experiment.
    arm: Option<String>,
    /// What agents say: the arm's script, else the segment's, else the campaign's.
    script: Option<String>,
    score: f32,
    value: f32,
    p_answer: Option<f32>,
    index_value: Option<f32>,
    /// What its campaign would give for the call, where caps leave the person to one of several.
    bid: Option<f32>,
    precedence: u8,
    /// 1 is the next to be dialled.
    position: Option<u64>,
    of: Option<u64>,
    attempts: u8,
    phones: Vec<Phone>,
    rules: Vec<RuleAnswer>,
    #[serde(skip)]
    clock: TimeZone,
}

#[derive(Debug, Serialize)]
struct Phone {
    number: String,
    next: bool,
    dead: bool,
}

#[derive(Debug, Serialize)]
struct RuleAnswer {
    rule: &'static str,
    passes: bool,
    reasons: Vec<Why>,
}

#[derive(Debug, Serialize)]
struct Why {
    detail: String,
    until: Option<String>,
    /// What would have to change; `None` where time alone helps.
    change: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Dial {
    at: String,
    campaign: String,
    number: String,
    /// `None` while it is under way.
    result: Option<&'static str>,
    conversation: bool,
}

/// What all leads of the report are made from.
struct Desk {
    seen: Seen,
    plan: Plan,
    forecast: Forecast,
    places: Vec<(CampaignIx, Arc<Campaign>)>,
}

pub(super) async fn explain(config: &Path, key: &Pii<String>, at: Option<Wall>) -> Result<Report, Stop> {
    let site = Site::read(config)?;
    let plan = site.plan()?;
    let mut seen = Seen::open(&site, at).await?;
    let store = |error| Stop::store(&error);
    let contact = seen.store().find_contact(key).await.map_err(store)?;
    let rows = match contact {
        Some(contact) => seen.store().leads_of(contact).await.map_err(store)?,
        None => Vec::new(),
    };
    if rows.is_empty() {
        let finding = Diagnostic::error(Code::UnknownName, "no list has brought a contact with this key");
        let hint = "keys are compared letter by letter with the list's key column";
        return Err(Stop::one(Exit::Failure, finding.hint(hint)));
    }
    let places = seen.places(&plan);
    let theirs = |campaign: &Campaign| {
        places.iter().any(|(ix, known)| known.name == campaign.name && rows.iter().any(|row| row.campaign_ix == *ix))
    };
    let forecast = seen.forecast(&site, &plan, theirs).await?;
    let mut desk = Desk { seen, plan, forecast, places };
    let mut leads = Vec::with_capacity(rows.len());
    let mut dials = Vec::new();
    for row in &rows {
        let (lead, history) = desk.lead(row).await?;
        leads.push(lead);
        if dials.is_empty() {
            dials = history;
        }
    }
    let history = desk.history(&dials).await?;
    Ok(Report { at: desk.seen.at.to_string(), contact: key.to_string(), leads, history })
}

impl Desk {
    async fn lead(&mut self, row: &LeadRow) -> Result<(Lead, Vec<PastDial>), Stop> {
        let ids: Vec<PhoneId> = row.phones.iter().map(|phone| phone.phone).collect();
        let numbers = self.seen.store().numbers(&ids).await.map_err(|error| Stop::store(&error))?;
        let campaign = self.places.iter().find(|(ix, _)| *ix == row.campaign_ix).map(|(_, known)| Arc::clone(known));
        let card = self.forecast.card(row, &numbers);
        let mut lead = blank(row, campaign.as_deref(), self.seen.name_of(row.campaign_ix));
        let open = card.as_ref().filter(|card| !matches!(card.outlook.fate, Fate::Closed(_)));
        let next = open.map(|card| card.phone);
        let phones = row.phones.iter().zip(numbers);
        lead.phones = phones
            .map(|(phone, number)| Phone {
                number: masked(number.as_ref()),
                next: next == Some(phone.phone),
                dead: phone.dead,
            })
            .collect();
        let (Some(campaign), Some(card)) = (campaign, card) else { return Ok((lead, Vec::new())) };
        let dials = card.dials.clone();
        let of = self.forecast.waterfall(row.campaign_ix).map(|fall| fall.now);
        let ahead = self.forecast.ahead_of(row.campaign_ix, row.lead);
        lead.position = ahead.map(|ahead| ahead + 1);
        lead.of = of;
        lead.clock = clock(&campaign, &self.plan);
        lead.spent_out = spent_out(&self.forecast, row.campaign_ix);
        fill(&mut lead, &campaign, card);
        let segment = lead.segment.as_deref().unwrap_or("default");
        lead.script = campaign.script(segment, arm_of(&campaign, row)).map(ToString::to_string);
        Ok((lead, dials))
    }

    async fn history(&mut self, dials: &[PastDial]) -> Result<Vec<Dial>, Stop> {
        let ids: Vec<PhoneId> = dials.iter().map(|dial| dial.phone).collect();
        let numbers = self.seen.store().numbers(&ids).await.map_err(|error| Stop::store(&error))?;
        let dial = |(dial, number): (&PastDial, Option<Pii<String>>)| Dial {
            at: dial.at.to_string(),
            campaign: self.seen.name_of(dial.campaign),
            number: masked(number.as_ref()),
            result: dial.result.map(crate::contact::CallResult::as_str),
            conversation: dial.contact,
        };
        Ok(dials.iter().zip(numbers).map(dial).collect())
    }
}

/// What the row alone says; enough for a lead that no engine has.
fn blank(row: &LeadRow, campaign: Option<&Campaign>, name: String) -> Lead {
    Lead {
        campaign: name,
        id: row.lead.0,
        stands: if campaign.is_none() { "no_campaign" } else { "no_phone" }.to_owned(),
        kind: "blocked",
        next: None,
        spent_out: None,
        waits_until: None,
        zones: Vec::new(),
        golden: Vec::new(),
        segment: None,
        arm: campaign.and_then(|campaign| arm_of(campaign, row)).map(|arm| arm.name.to_string()),
        script: None,
        score: row.score,
        value: row.value,
        p_answer: None,
        index_value: None,
        bid: None,
        precedence: campaign.map_or(0, |campaign| campaign.policy.precedence),
        position: None,
        of: None,
        attempts: 0,
        phones: Vec::new(),
        rules: Vec::new(),
        clock: TimeZone::UTC,
    }
}

fn arm_of<'a>(campaign: &'a Campaign, row: &LeadRow) -> Option<&'a Arm> {
    campaign.experiment.as_ref().and_then(|experiment| experiment.arm(experiment.arm_of(row.split)))
}

fn fill(lead: &mut Lead, campaign: &Campaign, card: LeadCard) {
    let fate = card.outlook.fate;
    fate.as_str().clone_into(&mut lead.stands);
    lead.kind = match fate {
        Fate::Closed(_) => "closed",
        Fate::Blocked(_) => "blocked",
        Fate::Later(_) => "later",
        Fate::Now => "now",
    };
    if let Some(zone) = card.zones.first().and_then(|name| TimeZone::get(name).ok()) {
        lead.clock = zone;
    }
    lead.next = card.outlook.first.map(|at| at.to_string());
    lead.waits_until = card.waits_until.map(|at| at.to_string());
    let named = campaign.segment(card.outlook.segment).filter(|_| card.eligible == Eligibility::Yes);
    lead.segment = named.map(|segment| segment.name.clone());
    lead.zones = card.zones;
    lead.attempts = card.attempts;
    // Of a call that nobody makes there is no chance, no hour and no rule.
    if matches!(fate, Fate::Closed(_)) {
        return;
    }
    lead.golden = card.golden.iter().map(ToString::to_string).collect();
    lead.p_answer = card.p_answer;
    lead.index_value = card.index_value;
    lead.bid = card.bid.map(|bid| bid.worth);
    lead.rules = card.rules.iter().map(|(rule, reasons)| answer(*rule, reasons)).collect();
}

fn answer(rule: Rule, reasons: &[Reason]) -> RuleAnswer {
    let why = |reason: &Reason| Why {
        detail: reason.detail.clone(),
        until: reason.until.map(|at| at.to_string()),
        change: reason.until.is_none().then(|| words::remedy(rule)),
    };
    RuleAnswer { rule: rule.as_str(), passes: reasons.is_empty(), reasons: reasons.iter().map(why).collect() }
}

fn masked(number: Option<&Pii<String>>) -> String {
    number.map_or_else(|| "erased".to_owned(), ToString::to_string)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leads = words::count(self.leads.len() as u64, "lead");
        write!(f, "contact {} has {leads}; seen at {}", self.contact, self.at)?;
        for lead in &self.leads {
            write!(f, "\n\n{lead}")?;
        }
        f.write_str("\n\nhistory, in all campaigns")?;
        if self.history.is_empty() {
            f.write_str("\n  never dialled")?;
        }
        let clock = self.leads.first().map_or(TimeZone::UTC, |lead| lead.clock.clone());
        for dial in &self.history {
            let result = dial.result.unwrap_or("under way");
            let talked = if dial.conversation { ", they talked" } else { "" };
            write!(f, "\n  {}  {}  {}  {result}{talked}", on(&dial.at, &clock), dial.campaign, dial.number)?;
        }
        Ok(())
    }
}

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, lead {}: ", self.campaign, self.id)?;
        self.verdict(f)?;
        let numbers = self.phones.iter().map(|phone| {
            let next = if phone.next { " (next)" } else { "" };
            let dead = if phone.dead { " (dead)" } else { "" };
            format!("{}{next}{dead}", phone.number)
        });
        write!(f, "\n  numbers    {}", numbers.collect::<Vec<_>>().join(", "))?;
        if !self.zones.is_empty() {
            write!(f, "\n  clock      {}", self.zones.join(" and "))?;
        }
        let segment = self.segment.as_deref().unwrap_or("none");
        write!(f, "\n  ranked     segment {segment}, score {}, value {}", self.score, self.value)?;
        if let (Some(p_answer), Some(index)) = (self.p_answer, self.index_value) {
            write!(f, ", chance of an answer {:.1} %, index {index:.4}", p_answer * 100.0)?;
        }
        if let Some(bid) = self.bid {
            write!(f, ", bids {bid:.4}")?;
        }
        if self.precedence > 0 {
            write!(f, " with precedence {}", self.precedence)?;
        }
        if let Some(arm) = &self.arm {
            write!(f, "\n  experiment arm {arm}")?;
        }
        if let Some(said) =
            self.script.as_deref().and_then(|script| script.lines().find(|line| !line.trim().is_empty()))
        {
            write!(f, "\n  script     {said}")?;
        }
        if !self.golden.is_empty() {
            let golden: Vec<String> = self.golden.iter().map(|at| on(at, &self.clock)).collect();
            write!(f, "\n  golden     from {}", golden.join("; "))?;
        }
        self.rules.iter().try_for_each(|rule| rule.show(f, &self.clock))
    }
}

impl Lead {
    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            "closed" => write!(f, "closed as {}, nobody calls again", self.stands)?,
            "now" => f.write_str("may be dialled now")?,
            "later" => write!(f, "waits: {}", self.stands)?,
            _ => write!(f, "blocked: {}", self.stands)?,
        }
        if let (Some(position), Some(of)) = (self.position, self.of) {
            write!(f, ", number {} of {} in the queue", thousands(position), thousands(of))?;
        }
        if let Some(until) = &self.waits_until {
            write!(f, "\n  held until {}, by a retry rule or a callback", on(until, &self.clock))?;
        }
        if let Some(why) = self.spent_out.as_ref().filter(|_| matches!(self.kind, "now" | "later")) {
            write!(f, "\n  nobody is dialled until the next day: {why}")?;
        }
        match (&self.next, self.kind) {
            (Some(next), "later") => write!(f, "\n  next       {}", on(next, &self.clock)),
            (None, "later") => f.write_str("\n  next       not within 100 days"),
            (_, _) => Ok(()),
        }
    }
}

impl RuleAnswer {
    fn show(&self, f: &mut fmt::Formatter<'_>, clock: &TimeZone) -> fmt::Result {
        if self.passes {
            return write!(f, "\n  {:<15}passes", self.rule);
        }
        for (at, why) in self.reasons.iter().enumerate() {
            write!(f, "\n  {:<15}REFUSES  {}", self.rule, why.detail)?;
            // One remedy below all the conditions that it is for.
            let follows = self.reasons.get(at + 1).and_then(|next| next.change);
            match (&why.until, why.change) {
                (Some(until), _) => write!(f, "\n  {:<15}passes by itself at {}", "", on(until, clock))?,
                (None, Some(change)) if follows != why.change => write!(f, "\n  {:<15}to change it: {change}", "")?,
                (None, Some(_) | None) => {}
            }
        }
        Ok(())
    }
}

fn on(at: &str, clock: &TimeZone) -> String {
    Wall::parse(at).map_or_else(|_| at.to_owned(), |at| shown(at, clock))
}
