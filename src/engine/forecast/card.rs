//! One lead from all sides: every rule's answer, what comes next, and where it stands in the queue.

use crate::base::{CampaignIx, LeadId, ListId, PhoneId, Pii, Wall};
use crate::campaign::Campaign;
use crate::engine::intake::judge_whole;
use crate::engine::{Bid, LeadRow};
use crate::gate::{self, Eligibility, Facts, PastDial, Reason, Rule, Verdict};
use crate::schedule::{CellKey, Clock, LeadIx, Viewer, next_golden};

use super::Forecast;
use super::outlook::{Blocked, Fate, Outlook, Outlooks};

/// As of the forecast's moment.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadCard {
    pub campaign: CampaignIx,
    pub lead: LeadId,
    pub list: ListId,
    pub score: f32,
    pub value: f32,
    pub eligible: Eligibility,
    pub outlook: Outlook,
    /// The number that would be dialled next.
    pub phone: PhoneId,
    /// Of that number, the first of them the contact's own clock.
    pub zones: Vec<String>,
    /// Every rule in the gate's order; one without reasons passes.
    pub rules: Vec<(Rule, Vec<Reason>)>,
    /// Attempts made so far, those before the list included.
    pub attempts: u8,
    /// The next golden instants, each the start of a golden stretch or now; at most [`LeadCard::GOLDEN`].
    pub golden: Vec<Wall>,
    /// What the order is made by, in the slot of this moment.
    pub index_value: Option<f32>,
    pub p_answer: Option<f32>,
    /// What its campaign would give for a call, where others want the person too. `None`: it does not compete.
    pub bid: Option<Bid>,
    /// When a retry rule or a callback lets it go on, if that lies ahead.
    pub waits_until: Option<Wall>,
    /// Of the person, in all campaigns, oldest first.
    pub dials: Vec<PastDial>,
}

impl LeadCard {
    pub const GOLDEN: usize = 3;
}

impl Forecast {
    /// Of a row that was fed. `None`: not in memory, because its campaign is not in the plan or it has no number.
    /// `numbers` are those of its phones, in order, as far as anybody has them: what a trunk lets out is told by them.
    pub fn card(&self, of: &LeadRow, numbers: &[Option<Pii<String>>]) -> Option<LeadCard> {
        let (campaign, lead) = (of.campaign_ix, of.lead);
        let run = self.engine.runs.iter().find(|run| run.ix == campaign)?;
        let ix = run.leads.find(lead)?;
        let row = run.leads.get(ix)?;
        let key = run.cell(ix)?;
        let (score, value) = run.worth(ix)?;
        let mut viewer =
            Viewer::new(&run.campaign, &self.engine.zones, &self.engine.zone_sets, &run.ranking, self.now.wall);
        let view = viewer.view(key);
        let p_answer = viewer.p_answer(key).map(|(_, p_answer)| p_answer);
        let own = run.frontier.key(ix);
        let rules = self.rules(of, ix, numbers)?;
        let mut outlook = Outlooks::of(self, campaign)?.of_lead(ix)?;
        // Of these the leads in memory know nothing: they are asked where the number is.
        for (rule, _) in rules.iter().filter(|(_, reasons)| !reasons.is_empty()) {
            if matches!(rule, Rule::Destination | Rule::Trunk) && !matches!(outlook.fate, Fate::Closed(_)) {
                outlook.fate = Fate::Blocked(Blocked::Rule(*rule));
            }
        }
        Some(LeadCard {
            campaign,
            lead,
            list: row.list,
            score,
            value,
            eligible: self.ineligible.get(&lead).copied().unwrap_or(Eligibility::Yes),
            outlook,
            phone: row.phone,
            zones: self.zone_names(campaign, key),
            rules,
            attempts: key.attempts,
            golden: self.golden(campaign, key),
            index_value: own.map(|own| view.worth(own) as f32),
            p_answer,
            bid: self
                .engine
                .runs
                .iter()
                .position(|run| run.ix == campaign)
                .and_then(|at| self.engine.bid(self.now, at, ix)),
            waits_until: self.waits.get(&lead).copied(),
            dials: self.engine.book.contact(row.contact).dials.clone(),
        })
    }

    /// How many leads of its campaign would leave before it, if lines came free now; `None` if it may not leave at all.
    /// The queue is eaten on the way: ask for one lead of a forecast, last.
    pub fn ahead_of(&mut self, campaign: CampaignIx, lead: LeadId) -> Option<u64> {
        let at = self.engine.runs.iter().position(|run| run.ix == campaign)?;
        let ix = self.engine.runs.get(at)?.leads.find(lead)?;
        self.engine.turn_slot(self.now, at);
        let mut ahead = 0;
        loop {
            let best = self.engine.runs.get_mut(at)?.frontier.pop()?;
            let allowed = self.engine.ask(self.now, at, best.lead).is_some_and(|verdict| verdict.allows());
            match (best.lead == ix, allowed) {
                (true, true) => return Some(ahead),
                (true, false) => return None,
                (false, allowed) => ahead += u64::from(allowed),
            }
        }
    }

    fn rules(&self, row: &LeadRow, lead: LeadIx, numbers: &[Option<Pii<String>>]) -> Option<Vec<(Rule, Vec<Reason>)>> {
        let run = self.engine.runs.iter().find(|run| run.ix == row.campaign_ix)?;
        let facts = self.engine.facts(self.now, run, lead)?;
        let at = row.phones.iter().position(|phone| phone.phone == facts.phone_id);
        let number = at.and_then(|at| numbers.get(at)).and_then(Option::as_ref);
        let trunk = run.route.first().and_then(|ix| self.engine.config.trunk(ix));
        let destination = number.zip(trunk).map(|(number, trunk)| trunk.reach.judge(number.reveal()));
        let trunk_stopped = run.route.first().is_some() && run.route.trunks().all(|ix| self.engine.is_stopped(ix));
        let facts = Facts { destination, trunk_stopped, ..facts };
        let mut reasons = match gate::ask(&facts, run.campaign.pacing.ring) {
            Verdict::Allow => Vec::new(),
            Verdict::Refuse { reasons, .. } => reasons,
        };
        if self.ineligible.contains_key(&row.lead) {
            reasons.retain(|reason| reason.rule != Rule::Eligible);
            reasons.extend(unmet(&run.campaign, row));
        }
        let of = |rule: Rule| reasons.iter().filter(|reason| reason.rule == rule).cloned().collect();
        Some(Rule::ALL.iter().map(|rule| (*rule, of(*rule))).collect())
    }

    fn zone_names(&self, campaign: CampaignIx, key: CellKey) -> Vec<String> {
        let clock = self.clock(campaign, key);
        let zones = clock.iter().flat_map(|clock| clock.zones().iter());
        zones.map(|ix| self.engine.zones.name(*ix).to_owned()).collect()
    }

    fn golden(&self, campaign: CampaignIx, key: CellKey) -> Vec<Wall> {
        let Some(run) = self.engine.runs.iter().find(|run| run.ix == campaign) else { return Vec::new() };
        let Some(clock) = self.clock(campaign, key) else { return Vec::new() };
        let mut found = Vec::with_capacity(LeadCard::GOLDEN);
        let mut from = self.now.wall;
        while found.len() < LeadCard::GOLDEN {
            let next = next_golden(&run.campaign, &self.engine.zones, clock, key.segment, from);
            let Some(next) = next else { break };
            found.push(next);
            let Some(end) = crate::schedule::golden_end(&run.campaign, &self.engine.zones, clock, key.segment, next)
            else {
                break;
            };
            from = end;
        }
        found
    }

    fn clock(&self, campaign: CampaignIx, key: CellKey) -> Option<Clock<'_>> {
        let run = self.engine.runs.iter().find(|run| run.ix == campaign)?;
        Clock::of(&run.campaign.calling_hours, self.engine.zone_sets.get(key.zones))
    }
}

/// The gate's facts hold the first condition that is not met; whoever wants to change something needs them all.
fn unmet(campaign: &Campaign, row: &LeadRow) -> Vec<Reason> {
    let reason = |why: Eligibility| Some(Reason { rule: Rule::Eligible, detail: why.why_not(campaign)?, until: None });
    judge_whole(campaign, row).into_iter().filter_map(reason).collect()
}
