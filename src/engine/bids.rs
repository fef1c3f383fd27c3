//! The contact budget: a person whom several campaigns want, and whom caps leave to one of them, goes to the one that gains
//! most by the call. Precedence of the policy goes before money.

use std::collections::HashMap;

use crate::base::{AttemptId, CampaignIx, ContactId, Now, Wall};
use crate::campaign::RankBy;
use crate::contact::CallResult;
use crate::gate::{self, Facts, Ledger, PastDial, Verdict};
use crate::schedule::{LeadIx, Viewer, next_slot};

use super::Engine;
use super::run::Run;
use super::standing::Standing;

/// What a campaign would give for a call to a person. Greater is better.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Bid {
    /// Of the campaign's policy.
    pub precedence: u8,
    /// In the unit of the value column: what its call is worth, now or in the best slot ahead less that slot's price.
    pub worth: f32,
}

/// Contacts with leads in more than one campaign, and which leads. Looked up, never walked.
#[derive(Debug, Default)]
pub struct Shared {
    leads: HashMap<ContactId, Vec<(usize, LeadIx)>>,
    /// Leads have come since.
    stale: bool,
}

impl Shared {
    pub(super) fn leads_have_come(&mut self) {
        self.stale = true;
    }

    /// One pass over the contacts of all campaigns to find who is there twice, one more to note their leads.
    fn find(&mut self, runs: &[Run]) {
        *self = Self::default();
        if runs.len() < 2 {
            return;
        }
        let (mut once, mut twice) = (Bits::default(), Bits::default());
        for run in runs {
            for contact in run.leads.contacts() {
                if !once.set(contact) {
                    twice.set(contact);
                }
            }
        }
        for (at, run) in runs.iter().enumerate() {
            for (ix, contact) in run.leads.contacts().enumerate().filter(|(_, contact)| twice.has(*contact)) {
                self.leads.entry(contact).or_default().push((at, LeadIx(ix as u32)));
            }
        }
    }
}

/// A set of dense ids.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// True if it was not in it.
    fn set(&mut self, id: ContactId) -> bool {
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    fn has(&self, id: ContactId) -> bool {
        self.0.get(id.0 as usize / 64).is_some_and(|word| word & (1 << (id.0 % 64)) != 0)
    }
}

impl Engine {
    /// With every heartbeat at most: ten million leads are looked through in some ten milliseconds.
    pub(super) fn find_shared(&mut self) {
        if self.shared.stale {
            self.shared.find(&self.runs);
        }
    }

    /// Who else wants this person more, and would not get them any more if this lead went now. It steps aside until the
    /// next slot, when both have bid anew.
    pub(super) fn outbid(&self, now: Now, at: usize, lead: LeadIx) -> Option<CampaignIx> {
        let contact = self.runs.get(at)?.leads.get(lead)?.contact;
        let others = self.shared.leads.get(&contact)?;
        let own = self.bid(now, at, lead)?;
        let mut others = others.iter().filter(|(other, _)| *other != at);
        others.find_map(|(other, theirs)| {
            let bid = self.bid(now, *other, *theirs)?;
            let more = bid > own || (bid == own && *other < at);
            let run = self.runs.get(*other)?;
            (more && self.would_take(now, at, lead, (*other, *theirs))).then_some(run.ix)
        })
    }

    /// `None` for a lead that does not compete: its campaign is held, or it is closed, blocked or under way.
    pub(super) fn bid(&self, now: Now, at: usize, lead: LeadIx) -> Option<Bid> {
        let run = self.runs.get(at).filter(|run| run.may_dial() && run.standing(lead) == Standing::Waiting)?;
        let (view, key) = (run.frontier.view_of(lead)?, run.frontier.key(lead)?);
        let worth = match run.campaign.rank.by {
            RankBy::ExpectedValue => {
                let later = view.later.iter().map(|later| key * later.multiplier - later.toll);
                let now = if view.open { key * view.multiplier + view.offset } else { 0.0 };
                later.fold(now, f32::max)
            }
            // Its order weighs no hours; what a call is worth is worth it all the same.
            RankBy::Score => {
                let mut viewer = Viewer::new(&run.campaign, &self.zones, &self.zone_sets, &run.ranking, self.law(now));
                let ((score, value), (_, p_answer)) = (run.worth(lead)?, viewer.p_answer(run.cell(lead)?)?);
                if view.open { score * value * p_answer } else { 0.0 }
            }
        };
        (worth > 0.0).then_some(Bid { precedence: run.campaign.policy.precedence, worth })
    }

    /// Puts a lead aside for the rest of the slot.
    pub(super) fn step_aside(&mut self, now: Now, at: usize, lead: LeadIx) {
        let law = self.law(now);
        let Some(run) = self.runs.get(at) else { return };
        let Some(slot) = run.phone(lead) else { return };
        let zone = self.clock_zone(run, slot);
        let until = next_slot(&self.zones, crate::schedule::Clock::One(zone), law);
        self.park(at, lead, until);
    }

    /// Does a dial of this lead now take the other one's call away?
    fn would_take(&self, now: Now, at: usize, lead: LeadIx, (other, theirs): (usize, LeadIx)) -> bool {
        let (Some(run), Some(rival)) = (self.runs.get(at), self.runs.get(other)) else { return false };
        let Some(facts) = self.facts(now, rival, theirs) else { return false };
        let ring = rival.campaign.pacing.ring;
        let Some(when) = allowed_from(&gate::ask(&facts, ring), facts.now) else { return false };
        let Some(phone) = run.phone(lead).map(|slot| slot.phone) else { return false };
        let dial = PastDial {
            attempt: AttemptId(0),
            at: facts.now,
            campaign: run.ix,
            phone,
            result: Some(CallResult::NoAnswer),
            contact: false,
            free: false,
            callback: false,
        };
        let with = |ledger: &Ledger, theirs: bool| {
            let mut ledger = ledger.clone();
            if theirs {
                ledger.note(dial);
            }
            ledger
        };
        let (contact, number) = (with(facts.contact, true), with(facts.phone, phone == facts.phone_id));
        let after = Facts { now: when, contact: &contact, phone: &number, ..facts };
        !gate::ask(&after, ring).allows()
    }
}

/// Now, or when hours open again; `None` if something else is in the way.
fn allowed_from(verdict: &Verdict, now: Wall) -> Option<Wall> {
    match verdict {
        Verdict::Allow => Some(now),
        Verdict::Refuse { reasons, until } => {
            until.filter(|_| reasons.iter().all(|reason| super::intake::is_of_hours(reason.rule)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::{LeadId, LegId, ListId, PhoneId, Split};
    use crate::call::{LegEnd, LegEvent, ReleaseSide};
    use crate::campaign::{Folder, load};
    use crate::contact::{Columns, LeadState};
    use crate::engine::{Input, LeadRow, OperatorCommand, Output, PhoneRow, StoreReply, StoreRequest, testing};

    fn policy(name: &str, precedence: u8) -> String {
        format!(
            "schema: goldenhour/policy/v1\npolicy: {name}\nversion: 1\ntitle: t\npurposes: [marketing]\nsources: [t]\n\
             consent: not_refused\ncalling_hours: {{ mon-sun: [\"00:00-24:00\"], holidays: open }}\n\
             attempts: {{ max: 9, max_per_day: 9 }}\nprecedence: {precedence}\n"
        )
    }

    fn campaign(name: &str, policy: &str, dials: u8) -> String {
        format!(
            "schema: goldenhour/v1\ncampaign: {name}\nscenario: activation\npurpose: marketing\nuse: {{ policy: {policy}@1 }}\n\
             list: {{ key: key, phones: [phone], model: {{ score: score }}, value: value }}\n\
             calling_hours: {{ fallback_zone: Asia/Shanghai }}\npacing: {{ mode: agentless, ring: 30s }}\n\
             contact_caps: [{{ per: customer, within: 1d, max_dials: {dials} }}]\n\
             flow: {{ start: bye, steps: {{ bye: {{ disposition: done, then: hangup }} }} }}\n\
             dispositions: {{ done: {{ outcome: success, contact: right_party, then: final }} }}\n"
        )
    }

    /// Campaign `a` and campaign `b` want person 1, who may be dialled so often in a day; which of them dial, in order.
    fn dialled(values: [f32; 2], precedence: [u8; 2], dials: u8) -> Vec<u16> {
        let mut now = Now { wall: Wall::parse("2026-12-01T10:00:00+08:00").unwrap(), ..Now::default() };
        let mut engine = Engine::new(now, testing::config(9, 9));
        engine.handle(now, plan(precedence, dials));
        let both = [CampaignIx(0), CampaignIx(1)];
        for ix in both {
            engine.handle(now, Input::Command(OperatorCommand::Pause(ix)));
        }
        for (ix, value) in both.into_iter().zip(values) {
            engine.handle(now, Input::Leads(vec![row(ix, value)]));
        }
        let mut order = Vec::new();
        for second in 0..7_200 {
            for ix in both.into_iter().filter(|_| second == 2) {
                engine.handle(now, Input::Command(OperatorCommand::Resume(ix)));
            }
            now = now.plus(Duration::from_secs(1));
            engine.handle(now, Input::Timeout);
            while let Some(output) = engine.poll_output() {
                if let Output::Store(StoreRequest::Authorise(intent)) = output {
                    order.push(intent.campaign_ix.0);
                    nobody_is_reached(&mut engine, now, intent.attempt);
                }
            }
        }
        order
    }

    fn plan(precedence: [u8; 2], dials: u8) -> Input {
        let mut folder = Folder::default();
        for (name, (policy_name, precedence)) in ["a", "b"].into_iter().zip(["p", "q"].into_iter().zip(precedence)) {
            folder.insert(format!("policies/{policy_name}.yaml"), policy(policy_name, precedence).as_bytes());
            folder.insert(format!("{name}.yaml"), campaign(name, policy_name, dials).as_bytes());
        }
        let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
        Input::Plan((0..).map(CampaignIx).zip(plan.campaigns.iter().cloned()).collect(), plan.zones)
    }

    fn row(campaign_ix: CampaignIx, value: f32) -> LeadRow {
        LeadRow {
            lead: LeadId(u32::from(campaign_ix.0) + 1),
            contact: ContactId(1),
            campaign_ix,
            list: ListId(1),
            list_expires: None,
            phones: vec![PhoneRow { phone: PhoneId(1), is_test: true, dead: false, zones: Vec::new() }],
            score: 0.5,
            value,
            consent: Some(true),
            attempts_used: 0,
            columns: Columns::default(),
            state: LeadState::Waiting { until: Wall(0) },
            next_phone: 0,
            next_free: false,
            split: Split::default(),
        }
    }

    /// So only caps keep the other campaign away.
    fn nobody_is_reached(engine: &mut Engine, now: Now, attempt: AttemptId) {
        engine.handle(now, Input::Stored(vec![StoreReply::Authorised { attempt }]));
        let end = LegEnd {
            unanswered: Some(CallResult::Rejected),
            sip_status: None,
            q850: None,
            by: ReleaseSide::Them,
            media: None,
            unheard: false,
        };
        engine.handle(now, Input::Leg(LegId(attempt), LegEvent::Sent));
        engine.handle(now, Input::Leg(LegId(attempt), LegEvent::Ended(end)));
    }

    #[test]
    fn a_person_who_may_be_called_once_goes_to_the_campaign_that_gains_most() {
        assert_eq!(dialled([10.0, 50.0], [0, 0], 1).first(), Some(&1));
        assert_eq!(dialled([50.0, 10.0], [0, 0], 1).first(), Some(&0));
        assert_eq!(dialled([10.0, 50.0], [0, 0], 1).len(), 1, "and to no other");
    }

    #[test]
    fn precedence_of_the_policy_goes_before_money() {
        assert_eq!(dialled([50.0, 10.0], [0, 5], 1).first(), Some(&1));
    }

    #[test]
    fn where_caps_leave_room_for_both_nobody_steps_aside() {
        let (mut once, twice) = (dialled([10.0, 50.0], [0, 0], 2), dialled([50.0, 10.0], [0, 0], 2));
        assert_eq!(once, twice, "whose turn it is does not go by money");
        once.sort_unstable();
        assert_eq!(once, [0, 1]);
    }

    #[test]
    fn of_two_equal_bids_one_goes() {
        assert_eq!(dialled([10.0, 10.0], [0, 0], 1), [0]);
    }
}
