//! What becomes of every lead at a moment: the engine's own intake, gate and golden hours, asked and never obeyed.

mod card;
mod hours;
mod outlook;
mod waterfall;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{CampaignIx, LeadId, Now, Tick, TrunkIx, Wall};
use crate::campaign::Campaign;
use crate::contact::{LeadState, Zones};
use crate::gate::{Eligibility, Rule};
use crate::schedule::LeadIx;

use super::intake::judge;
use super::standing::Standing;
use super::{Engine, EngineConfig, Input, LeadRow, LedgerPage, OperatorCommand, SpendView, Talked};

pub use card::LeadCard;
pub use hours::{Day, Hour};
pub use outlook::{Blocked, Fate, Later, Outlook};
pub use waterfall::Waterfall;

/// An engine that was told everything and will never dial: it is draining from its first input on.
///
/// Feed it as the daemon feeds its own: ledgers, pauses, then leads, closed ones too, each once.
#[derive(Debug)]
pub struct Forecast {
    engine: Engine,
    now: Now,
    /// Leads whose next attempt waits for a retry rule's or a callback's instant, which the engine keeps in its wheel.
    waits: BTreeMap<LeadId, Wall>,
    /// Why leads are not eligible, which the engine forgets. Those that are are not here.
    ineligible: BTreeMap<LeadId, Eligibility>,
    /// Rows fed, by campaign. One without a phone never reaches the engine's table.
    rows: BTreeMap<CampaignIx, u64>,
}

impl Forecast {
    pub fn new(at: Wall, config: EngineConfig, campaigns: Vec<(CampaignIx, Arc<Campaign>)>, zones: Zones) -> Self {
        let now = Now { tick: Tick(0), wall: at };
        let mut engine = Engine::new(now, config);
        engine.handle(now, Input::Command(OperatorCommand::Drain));
        let mut forecast =
            Self { engine, now, waits: BTreeMap::new(), ineligible: BTreeMap::new(), rows: BTreeMap::new() };
        forecast.tell(Input::Plan(campaigns, zones));
        forecast
    }

    pub fn ledgers(&mut self, page: LedgerPage) {
        self.tell(Input::Ledgers(page));
    }

    pub fn pause(&mut self, campaign: CampaignIx) {
        self.tell(Input::Command(OperatorCommand::Pause(campaign)));
    }

    pub fn stop_trunk(&mut self, trunk: TrunkIx) {
        self.tell(Input::Command(OperatorCommand::StopTrunk(trunk)));
    }

    /// How long calls were talked since [`Forecast::day_began`].
    pub fn talked(&mut self, calls: Vec<Talked>) {
        self.tell(Input::Talked { since: self.day_began(), calls });
    }

    /// The day that caps of money are for.
    pub fn day_began(&self) -> Wall {
        self.engine.today.began()
    }

    /// A page of leads of one campaign, in ascending order of `LeadId`.
    pub fn leads(&mut self, rows: Vec<LeadRow>) {
        for row in &rows {
            *self.rows.entry(row.campaign_ix).or_default() += 1;
            if let LeadState::Waiting { until } = row.state
                && until > self.now.wall
            {
                self.waits.insert(row.lead, until);
            }
        }
        self.tell(Input::Leads(rows.clone()));
        for row in rows {
            self.note_ineligible(&row);
        }
    }

    /// The moment that everything here is about.
    pub fn at(&self) -> Wall {
        self.now.wall
    }

    /// Every lead of one campaign in memory, by `LeadId`.
    pub fn outlooks(&self, campaign: CampaignIx) -> Vec<(LeadId, Outlook)> {
        let Some(mut outlooks) = outlook::Outlooks::of(self, campaign) else { return Vec::new() };
        let leads = self.leads_of(campaign);
        leads.into_iter().filter_map(|(ix, lead)| Some((lead, outlooks.of_lead(ix)?))).collect()
    }

    /// Or the group of them. `None`: this daemon has no trunk for it, so nothing goes out whatever the gate says.
    pub fn trunk(&self, campaign: CampaignIx) -> Option<&str> {
        let run = self.engine.runs.iter().find(|run| run.ix == campaign)?;
        let first = self.engine.config.trunk(run.route.first()?)?;
        Some(run.campaign.trunk.group.as_deref().unwrap_or(&first.name))
    }

    /// The trunks of a campaign whose calls have cost today what they may, by name. Empty while one can take a call.
    pub fn spent_out(&self, campaign: CampaignIx) -> Vec<(&str, SpendView)> {
        let run = self.engine.runs.iter().find(|run| run.ix == campaign);
        let of = |ix| Some((self.engine.config.trunk(ix)?.name.as_str(), self.engine.spend_view(ix)?));
        let all: Vec<_> = run.iter().flat_map(|run| run.route.trunks()).map(of).collect();
        let all: Option<Vec<_>> = all.into_iter().collect();
        all.filter(|all| all.iter().all(|(_, spend)| spend.used_up)).unwrap_or_default()
    }

    /// Only what the engine found ineligible is judged again, to learn by which condition.
    fn note_ineligible(&mut self, row: &LeadRow) {
        let Some(run) = self.engine.runs.iter().find(|run| run.ix == row.campaign_ix) else { return };
        let standing = run.leads.find(row.lead).map(|lead| run.standing(lead));
        if standing == Some(Standing::Blocked(Rule::Eligible))
            && let Err(why) = judge(&run.campaign, row)
        {
            self.ineligible.insert(row.lead, why);
        }
    }

    fn leads_of(&self, campaign: CampaignIx) -> Vec<(LeadIx, LeadId)> {
        let Some(run) = self.engine.runs.iter().find(|run| run.ix == campaign) else { return Vec::new() };
        let all = (0..run.leads.len() as u32).map(LeadIx);
        all.filter_map(|ix| Some((ix, run.leads.get(ix)?.lead))).collect()
    }

    fn tell(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        while self.engine.poll_output().is_some() {}
    }
}

#[cfg(test)]
mod tests;
