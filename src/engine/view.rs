//! The engine as it stands, for metrics and people. Nothing here decides anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{CampaignIx, LeadId, Tick, Wall};
use crate::contact::{CallResult, ClosedWhy};
use crate::gate::Rule;
use crate::schedule::LeadIx;

use super::Engine;
use super::run::Run;
use super::standing::Standing;

/// One campaign. `leads = waiting + live + closed + blocked`, at any moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignView {
    pub name: Arc<str>,
    pub scenario: &'static str,
    /// By its file or by an operator.
    pub paused: bool,
    pub leads: u64,
    pub waiting: u64,
    pub live: u32,
    pub closed: BTreeMap<ClosedWhy, u64>,
    pub blocked: BTreeMap<Rule, u64>,
    /// Of the waiting ones: could be dialled now if a line were free.
    pub due: u64,
    /// Attempts of this run of the daemon.
    pub by_result: BTreeMap<CallResult, u64>,
    pub by_disposition: BTreeMap<Arc<str>, u64>,
}

impl CampaignView {
    /// Each lead once, under the names that metrics use.
    pub fn states(&self) -> Vec<(&'static str, u64)> {
        let mut states = vec![("waiting", self.waiting), ("live", u64::from(self.live))];
        states.extend(ClosedWhy::ALL.iter().map(|why| (why.as_str(), self.closed.get(why).copied().unwrap_or(0))));
        states.push(("blocked", self.blocked.values().sum()));
        states
    }
}

impl Engine {
    /// Every lead of one campaign that is in memory, and the rule that keeps it from being dialled, if time alone will
    /// not help.
    pub fn blocked(&self, campaign: CampaignIx) -> Vec<(LeadId, Option<Rule>)> {
        let Some(run) = self.runs.iter().find(|run| run.ix == campaign) else { return Vec::new() };
        let leads = (0..run.leads.len() as u32).map(LeadIx);
        let told = leads.filter_map(|lead| {
            let rule = match run.standing(lead) {
                Standing::Blocked(rule) => Some(rule),
                Standing::Waiting | Standing::Live | Standing::Closed(_) => None,
            };
            Some((run.leads.get(lead)?.lead, rule))
        });
        told.collect()
    }

    pub fn view(&self) -> Vec<(CampaignIx, CampaignView)> {
        self.runs.iter().map(|run| (run.ix, view_of(run))).collect()
    }

    /// Lines in use per trunk, in their order.
    pub fn trunk_lines(&self) -> impl Iterator<Item = u32> {
        self.trunks.iter().map(crate::pace::Limits::busy)
    }

    /// Name, free seats, all seats.
    pub fn queue_seats(&self, now: Tick) -> impl Iterator<Item = (&str, u32, u32)> {
        let seats = self.config.queues.iter().zip(&self.seats);
        seats.map(move |(queue, seats)| (queue.name.as_str(), seats.free(now), queue.seats))
    }

    pub fn high_water(&self) -> Wall {
        self.high_water
    }

    /// When the next lead may be dialled: `Wall(0)` if one may be now, `None` if nobody waits for anything.
    pub fn next_due(&self) -> Option<Wall> {
        let next = |run: &Run| {
            if run.frontier.has_best() {
                return Some(Wall(0));
            }
            let queued = (run.frontier.due_len() > 0).then(|| run.frontier.next_refresh());
            [run.frontier.next_due(), queued].into_iter().flatten().min()
        };
        self.runs.iter().filter_map(next).min()
    }
}

fn view_of(run: &Run) -> CampaignView {
    let mut view = CampaignView {
        name: run.name.clone(),
        scenario: run.campaign.scenario.as_str(),
        paused: run.is_held() || run.campaign.status != crate::campaign::Status::Active,
        leads: run.leads.len() as u64,
        due: run.frontier.open_len() as u64,
        by_result: run.funnel.by_result.clone(),
        by_disposition: run.funnel.by_disposition.clone(),
        ..CampaignView::default()
    };
    for (standing, count) in run.standings() {
        match standing {
            Standing::Waiting => view.waiting += count,
            Standing::Live => view.live += count as u32,
            Standing::Closed(why) => *view.closed.entry(why).or_default() += count,
            Standing::Blocked(rule) => *view.blocked.entry(rule).or_default() += count,
        }
    }
    view
}
