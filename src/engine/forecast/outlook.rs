//! One lead's next day: where it stands now and why, when it may be dialled first, and in which hours.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{CampaignIx, Now, Wall};
use crate::campaign::GoldenMode;
use crate::contact::{ClosedWhy, ZoneIx};
use crate::engine::run::Run;
use crate::engine::standing::Standing;
use crate::gate::{Reason, Rule, Verdict};
use crate::schedule::{CellKey, Clock, LeadIx, Viewer, is_golden_slot, next_slot};

use super::Forecast;
use super::hours::{Hours, local_hour};

/// Where a lead stands at the moment asked about. Every lead is in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Closed(ClosedWhy),
    /// Time alone will not help.
    Blocked(Blocked),
    /// Time will.
    Later(Later),
    /// A free line is all that it needs.
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocked {
    /// The first rule, in the gate's order, that time cannot satisfy.
    Rule(Rule),
    /// No number is left.
    NoPhone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Later {
    /// The first rule that refuses, in the gate's order.
    Rule(Rule),
    /// The gate allows it; a retry rule or a callback holds it back.
    Retry,
    /// The gate allows it; `golden_hours.mode: only` holds it back.
    GoldenHours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub fate: Fate,
    /// Position in the campaign's segments; meaningless for one that is not eligible.
    pub segment: u8,
    /// When it may be dialled first, within [`Outlook::HORIZON`].
    pub first: Option<Wall>,
    /// Bit `n`: in hour `n` of the day ahead it may be dialled, and stands in a golden slot meanwhile.
    pub dialable: u32,
    pub golden: u32,
    /// The same by the hour that the contact's own clock shows.
    pub local_dialable: u32,
    pub local_golden: u32,
    /// The hour of `first` on the contact's clock.
    pub local_first: Option<u8>,
}

/// How a lead is seen at one instant.
enum Look {
    Open { golden: bool },
    Shut { fate: Fate, again: Option<Wall> },
}

/// Everything that the outlook of a lead without a history depends on: most leads share a few dozen of these.
type Alike = (CellKey, Option<bool>, Option<Wall>, u16, bool, bool, bool);

/// Outlooks of one campaign. Leads that differ in nothing any rule may look at are looked at once.
pub(super) struct Outlooks<'a> {
    forecast: &'a Forecast,
    at: usize,
    run: &'a Run,
    hours: Hours,
    known: BTreeMap<Alike, Outlook>,
}

impl Fate {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed(why) => why.as_str(),
            Self::Blocked(blocked) => blocked.as_str(),
            Self::Later(later) => later.as_str(),
            Self::Now => "now",
        }
    }
}

impl Blocked {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.as_str(),
            Self::NoPhone => "no_phone",
        }
    }
}

impl Later {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.as_str(),
            Self::Retry => "retry",
            Self::GoldenHours => "golden_hours",
        }
    }
}

impl Outlook {
    /// Beyond this nobody looks for a first dial: longer than any quiet period but `forever`.
    pub const HORIZON: Duration = Duration::from_hours(100 * 24);
}

impl<'a> Outlooks<'a> {
    /// Slots of a day, and the openings of as many days as the horizon has.
    const MOVES: usize = 512;

    pub(super) fn of(forecast: &'a Forecast, campaign: CampaignIx) -> Option<Self> {
        let at = forecast.engine.runs.iter().position(|run| run.ix == campaign)?;
        let run = forecast.engine.runs.get(at)?;
        let hours = Hours::from(forecast, run);
        Some(Self { forecast, at, run, hours, known: BTreeMap::new() })
    }

    pub(super) fn hours(&self) -> &Hours {
        &self.hours
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.known.len()
    }

    pub(super) fn of_lead(&mut self, lead: LeadIx) -> Option<Outlook> {
        let alike = self.alike(lead);
        if let Some(known) = alike.as_ref().and_then(|alike| self.known.get(alike)) {
            return Some(*known);
        }
        let outlook = self.walk(lead)?;
        if let Some(alike) = alike {
            self.known.insert(alike, outlook);
        }
        Some(outlook)
    }

    /// `None` for a lead with a history, a wait of its own, or an end.
    fn alike(&self, lead: LeadIx) -> Option<Alike> {
        let row = self.run.leads.get(lead)?;
        let facts = self.run.lead_facts(lead)?;
        let blocked = match self.run.standing(lead) {
            Standing::Waiting => false,
            Standing::Blocked(_) => true,
            Standing::Live | Standing::Closed(_) => return None,
        };
        if self.forecast.waits.contains_key(&row.lead) || !self.forecast.engine.book.is_blank(row.contact, row.phone) {
            return None;
        }
        let key = self.run.cell(lead)?;
        let free = facts.free_of_daily_budget;
        Some((key, facts.consent, facts.list_expires, facts.attempts_used, facts.phone_is_test, free, blocked))
    }

    fn walk(&self, lead: LeadIx) -> Option<Outlook> {
        let row = self.run.leads.get(lead)?;
        let mut outlook = Outlook {
            fate: Fate::Blocked(Blocked::NoPhone),
            segment: self.run.cell(lead).map_or(0, |key| key.segment),
            first: None,
            dialable: 0,
            golden: 0,
            local_dialable: 0,
            local_golden: 0,
            local_first: None,
        };
        if let Standing::Closed(why) = self.run.standing(lead) {
            outlook.fate = Fate::Closed(why);
            return Some(outlook);
        }
        let now = self.forecast.now.wall;
        let wait = self.forecast.waits.get(&row.lead).copied().unwrap_or(now).max(now);
        outlook.fate = match self.look(now, lead) {
            Look::Shut { fate, .. } => fate,
            Look::Open { .. } if wait > now => Fate::Later(Later::Retry),
            Look::Open { .. } => Fate::Now,
        };
        if !matches!(outlook.fate, Fate::Blocked(_)) {
            self.ahead(lead, wait, &mut outlook);
        }
        Some(outlook)
    }

    /// From opening to opening, and from slot to slot while it is open.
    fn ahead(&self, lead: LeadIx, from: Wall, outlook: &mut Outlook) {
        let limit = self.forecast.now.wall + Outlook::HORIZON;
        let clock = self.zone(lead);
        let mut at = from;
        for _ in 0..Self::MOVES {
            if at >= limit || (at >= self.hours.end && outlook.first.is_some()) {
                return;
            }
            match self.look(at, lead) {
                Look::Open { golden } => {
                    self.mark(at, clock, golden, outlook);
                    at = match self.clock(lead) {
                        Some(clock) => next_slot(&self.forecast.engine.zones, clock, at),
                        None => return,
                    };
                }
                Look::Shut { again: Some(again), .. } if again > at => at = again,
                Look::Shut { .. } => return,
            }
        }
    }

    fn mark(&self, at: Wall, zone: ZoneIx, golden: bool, outlook: &mut Outlook) {
        let hour = local_hour(self.forecast.engine.zones.get(zone), at);
        if outlook.first.is_none() {
            outlook.first = Some(at);
            outlook.local_first = Some(hour);
        }
        let Some(nth) = self.hours.nth(at) else { return };
        let (bit, local) = (1 << nth, 1 << hour);
        outlook.dialable |= bit;
        outlook.local_dialable |= local;
        if golden {
            outlook.golden |= bit;
            outlook.local_golden |= local;
        }
    }

    fn look(&self, at: Wall, lead: LeadIx) -> Look {
        let engine = &self.forecast.engine;
        match engine.ask(Now { wall: at, ..self.forecast.now }, self.at, lead) {
            None => Look::Shut { fate: Fate::Blocked(Blocked::NoPhone), again: None },
            Some(Verdict::Allow) => self.look_at_cell(at, lead),
            Some(Verdict::Refuse { reasons, until: None }) => {
                Look::Shut { fate: Fate::Blocked(Blocked::Rule(lasting(&reasons))), again: None }
            }
            Some(Verdict::Refuse { reasons, until: Some(until) }) => {
                let again = engine.back_at(self.at, lead, &reasons, until);
                Look::Shut { fate: Fate::Later(Later::Rule(first(&reasons))), again: Some(again) }
            }
        }
    }

    /// The gate allows it: is its cell open too?
    fn look_at_cell(&self, at: Wall, lead: LeadIx) -> Look {
        let engine = &self.forecast.engine;
        let run = self.run;
        let Some(key) = run.cell(lead) else {
            return Look::Shut { fate: Fate::Blocked(Blocked::NoPhone), again: None };
        };
        let mut viewer = Viewer::new(&run.campaign, &engine.zones, &engine.zone_sets, &run.ranking, at);
        let view = viewer.view(key);
        if view.open {
            let golden = viewer.p_answer(key).is_some_and(|(slot, _)| is_golden_slot(&run.campaign, key.segment, slot));
            return Look::Open { golden: golden || run.campaign.golden_hours.mode == GoldenMode::Only };
        }
        if run.campaign.golden_hours.mode == GoldenMode::Prefer {
            return Look::Shut { fate: Fate::Later(Later::Rule(Rule::CallingHours)), again: Some(view.until) };
        }
        Look::Shut { fate: Fate::Later(Later::GoldenHours), again: Some(view.until) }
    }

    fn clock(&self, lead: LeadIx) -> Option<Clock<'_>> {
        let set = self.run.cell(lead)?.zones;
        Clock::of(&self.run.campaign.calling_hours, self.forecast.engine.zone_sets.get(set))
    }

    fn zone(&self, lead: LeadIx) -> ZoneIx {
        self.clock(lead).map_or(ZoneIx::default(), Clock::first)
    }
}

fn first(reasons: &[Reason]) -> Rule {
    reasons.first().map_or(Rule::CampaignState, |reason| reason.rule)
}

fn lasting(reasons: &[Reason]) -> Rule {
    reasons.iter().find(|reason| reason.until.is_none()).map_or_else(|| first(reasons), |reason| reason.rule)
}
