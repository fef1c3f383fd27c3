//! The decision: pace allows n, the frontier offers its best, the gate is asked again, and a wish goes to the store.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, Now, Tick, TrunkIx, Wall};
use crate::campaign::{ArmIx, Campaign};
use crate::gate::{self, Facts, PastDial, Verdict};
use crate::pace::Staff;
use crate::rank::Slot;
use crate::schedule::{LeadIx, Viewer, is_golden_slot};

use super::explore::Chosen;
use super::live::{Live, Stage};
use super::run::Run;
use super::standing::Standing;
use super::{Context, Engine, InTrial, Intent, Output, StoreRequest};

impl Engine {
    /// Refused leads cost a look each; a wave of them must not hold up the other campaigns.
    const LOOKS_PER_DIAL: u32 = 4;
    const LOOKS_MIN: u32 = 256;
    /// Decisions closer together than this share a round: at full rate a round places ten calls, and so does a commit.
    const ROUND: Duration = Duration::from_millis(5);

    /// One round over all campaigns. The one that went first last time goes last now: a trunk is shared, not taken.
    pub(super) fn decide(&mut self, now: Now) {
        if self.draining {
            return;
        }
        self.turn_day(self.law(now));
        self.recount_held(now);
        let runs = self.runs.len();
        for nth in 0..runs {
            self.decide_run(now, (self.first_run + nth) % runs);
        }
        self.first_run = (self.first_run + 1) % runs.max(1);
    }

    /// Not before the current round is over.
    pub(super) fn decide_soon(&mut self, now: Now) {
        let soon = self.decided_at.map_or(now.tick, |at| at + Self::ROUND).max(now.tick);
        self.decide_at = self.decide_at.min(soon);
    }

    /// When time alone gives a permit or brings a lead. What an event brings, the event announces.
    pub(super) fn plan_next_decision(&mut self, now: Now) {
        if self.draining {
            return;
        }
        for at in 0..self.runs.len() {
            let Some(run) = self.runs.get(at) else { continue };
            if !run.may_dial() || !run.has_next() {
                continue;
            }
            if let Some(next) = self.next_permit(now, run) {
                self.decide_at = self.decide_at.min(next.max(now.tick + Self::ROUND));
            }
        }
    }

    fn decide_run(&mut self, now: Now, at: usize) {
        self.turn_slot(now, at);
        let mut wanted = self.permits(now, at);
        let mut looks = wanted.saturating_mul(Self::LOOKS_PER_DIAL).saturating_add(Self::LOOKS_MIN);
        while wanted > 0 && looks > 0 {
            looks -= 1;
            let Some(chosen) = self.runs.get_mut(at).and_then(Run::next_lead) else { return };
            if self.try_lead(now, at, chosen) {
                wanted -= 1;
            }
        }
        if looks == 0 {
            self.decide_soon(now);
        }
    }

    /// Due leads move into their cells, and cells are looked at anew where something about them has changed.
    pub(super) fn turn_slot(&mut self, now: Now, at: usize) {
        let wall = self.law(now);
        let Some(run) = self.runs.get_mut(at) else { return };
        run.frontier.due(wall);
        let replans = run.ranking.replan_at() <= wall;
        if !run.stale && !replans && run.frontier.next_refresh() > wall {
            return;
        }
        if run.stale || replans {
            self.replan(wall, at);
        }
        let Some(run) = self.runs.get_mut(at) else { return };
        run.stale = false;
        let mut viewer = Viewer::new(&run.campaign, &self.zones, &self.zone_sets, &run.ranking, wall);
        run.frontier.refresh(|key| viewer.view(key));
        self.turn_draw(wall, at);
    }

    fn permits(&self, now: Now, at: usize) -> u32 {
        let Some(run) = self.runs.get(at).filter(|run| run.may_dial()) else { return 0 };
        let free = self.trunks_free(now.tick, run);
        run.pacer.permits(now.tick, free, &self.staff(run)).min(self.shows_left(run))
    }

    fn next_permit(&self, now: Now, run: &Run) -> Option<crate::base::Tick> {
        // The heartbeat sees the next day come.
        if self.shows_left(run) == 0 {
            return None;
        }
        run.pacer.next_change(now.tick, self.trunks_next_free(now.tick, run)?, &self.staff(run))
    }

    fn staff(&self, run: &Run) -> Staff<'_> {
        run.queue.and_then(|ix| self.seats.get(ix.ix())).map_or(Staff::Nobody, Staff::Queue)
    }

    /// True if an intent went out.
    fn try_lead(&mut self, now: Now, at: usize, chosen: Chosen) -> bool {
        let lead = chosen.best.lead;
        let standing = self.runs.get(at).map(|run| run.standing(lead));
        if standing != Some(Standing::Waiting) {
            return false;
        }
        match self.ask(now, at, lead) {
            Some(Verdict::Allow) if self.outbid(now, at, lead).is_some() => {
                self.step_aside(now, at, lead);
                false
            }
            Some(Verdict::Allow) => self.wish(now, at, chosen),
            Some(Verdict::Refuse { reasons, until }) => {
                self.set_aside(now, at, lead, &reasons, until);
                false
            }
            None => false,
        }
    }

    /// The gate's answer for a lead's next phone.
    pub(super) fn ask(&self, now: Now, at: usize, lead: LeadIx) -> Option<Verdict> {
        let run = self.runs.get(at)?;
        let facts = self.facts(now, run, lead)?;
        Some(gate::ask(&facts, run.campaign.pacing.ring))
    }

    pub(super) fn facts<'a>(&'a self, now: Now, run: &'a Run, lead: LeadIx) -> Option<Facts<'a>> {
        let slot = run.phone(lead)?;
        let contact = run.leads.get(lead)?.contact;
        // Of a group all are live, or none.
        let test_only = run.route.first().is_none_or(|trunk| self.config.test_numbers_only_on(trunk));
        Some(Facts {
            now: self.law(now),
            campaign: &run.campaign,
            campaign_ix: run.ix,
            paused: run.is_held(),
            lead: run.lead_facts(lead)?,
            phone_id: slot.phone,
            phone_zones: self.zone_sets.get(slot.zones),
            zones: &self.zones,
            contact: self.book.contact(contact),
            phone: self.book.phone(slot.phone),
            test_numbers_only: test_only,
            // Nobody here has the number, and a stopped trunk gives no permits: the store asks both again.
            destination: None,
            trunk_stopped: false,
        })
    }

    pub(super) fn wish(&mut self, now: Now, at: usize, chosen: Chosen) -> bool {
        let id = AttemptId::new(now, &mut self.rng);
        let Some((intent, live)) = self.draw_up(now, at, chosen, id) else { return false };
        let dial = PastDial {
            attempt: id,
            at: self.law(now),
            campaign: intent.campaign_ix,
            phone: intent.phone,
            result: None,
            contact: false,
            free: live.free,
            callback: false,
        };
        self.book.note(intent.contact, dial);
        self.took_turn(now, at, live.trunk);
        self.reserve(at, &live);
        self.show(&live.caller_id);
        self.hold(live.trunk);
        if let Some(run) = self.runs.get_mut(at) {
            run.set_standing(chosen.best.lead, Standing::Live);
        }
        self.lives.begin(id, live);
        self.out.push_back(Output::Store(StoreRequest::Authorise(Box::new(intent))));
        true
    }

    fn draw_up(&self, now: Now, at: usize, chosen: Chosen, id: AttemptId) -> Option<(Intent, Live)> {
        let run = self.runs.get(at)?;
        let best = chosen.best;
        let facts = self.facts(now, run, best.lead)?;
        let context = Context {
            explore: chosen.explore,
            propensity: chosen.propensity,
            ..self.context(now, run, best.lead, best.index_value)?
        };
        let intent = Intent {
            permit_until: now.tick + self.config.permit,
            ..self.intent(now, run, (best.lead, &facts), id, (self.next_trunk(now, run)?, context))?
        };
        let live = Live {
            run: at,
            lead: best.lead,
            lead_id: intent.lead,
            contact: intent.contact,
            phone: intent.phone,
            trunk: intent.trunk,
            caller_id: Arc::clone(&intent.caller_id),
            campaign: Arc::clone(&run.campaign),
            seat: run.queue,
            decided: now,
            law: intent.law,
            authorised: None,
            permit_until: intent.permit_until,
            closing: gate::closing_time(&facts).unwrap_or(Wall::MAX),
            free: facts.lead.free_of_daily_budget,
            place: intent.context.place(),
            golden: intent.context.golden,
            explore: intent.context.explore,
            cancelled: false,
            stage: Stage::Asked,
            detour: None,
            timer: None,
        };
        Some((intent, live))
    }

    /// A wish to call this lead over this trunk, without a permit yet.
    pub(super) fn intent(
        &self,
        now: Now,
        run: &Run,
        (lead, facts): (LeadIx, &Facts<'_>),
        attempt: AttemptId,
        (trunk, context): (TrunkIx, Context),
    ) -> Option<Intent> {
        let row = run.leads.get(lead)?;
        let spec = self.config.trunk(trunk)?;
        Some(Intent {
            attempt,
            lead: row.lead,
            contact: row.contact,
            phone: facts.phone_id,
            campaign_ix: run.ix,
            campaign: Arc::clone(&run.campaign),
            facts: facts.lead,
            phone_zones: facts.phone_zones.into(),
            zones: Arc::clone(&self.zones),
            trunk,
            caller_id: self.caller_id(spec, run, row.contact)?,
            test_numbers_only: facts.test_numbers_only,
            reach: Arc::clone(&spec.reach),
            context,
            decided: now,
            law: self.law(now),
            permit_until: Tick(0),
        })
    }

    pub(super) fn context(&self, now: Now, run: &Run, lead: LeadIx, index_value: f32) -> Option<Context> {
        let row = run.leads.get(lead)?;
        let key = run.cell(lead)?;
        let wall = self.law(now);
        let mut viewer = Viewer::new(&run.campaign, &self.zones, &self.zone_sets, &run.ranking, wall);
        let (slot, p_answer) = viewer.p_answer(key)?;
        let ledger = self.book.contact(row.contact);
        let (score, value) = run.worth(lead)?;
        Some(Context {
            list: row.list,
            score,
            value,
            p_answer,
            index_value,
            propensity: 1.0,
            explore: false,
            segment: key.segment,
            slot_weekday: slot.weekday(),
            slot_half_hour: (slot.minute() / Slot::MINUTES) as u8,
            golden: is_golden_slot(&run.campaign, key.segment, slot),
            attempt_no: u16::from(key.attempts) + 1,
            same_slot_fails: key.fails.count(slot.hour()),
            reachability: key.reachability,
            since_last: ledger.dials.last().map(|dial| wall.since(dial.at)),
            trial: in_trial(&run.campaign, row.arm),
        })
    }

    /// Law goes by the latest wall time ever seen: a clock that jumps back opens nothing and frees no cap.
    pub(super) fn law(&self, now: Now) -> Wall {
        now.wall.max(self.high_water)
    }
}

/// Logged with every attempt: which arm, and how likely a customer was to be in it.
fn in_trial(campaign: &Campaign, arm: Option<ArmIx>) -> Option<InTrial> {
    let experiment = campaign.experiment.as_ref()?;
    let arm = experiment.arm(arm?)?;
    Some(InTrial { experiment: Arc::clone(&experiment.id), arm: Arc::clone(&arm.name), share: arm.share })
}
