//! Leads come in: conditions are evaluated once, zones interned, and the gate asked for the first time.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Now, Wall};
use crate::campaign::{Campaign, Condition, Figures, RankBy, Truth};
use crate::contact::{ClosedWhy, LeadState, ZoneIx};
use crate::gate::{Eligibility, Reason, Rule, Verdict};
use crate::rank;
use crate::schedule::{CellIx, CellKey, Clock, History, LeadFlags, LeadIx, Viewer, ZoneSetIx, again_at};

use super::run::{PhoneSlot, Run};
use super::standing::Standing;
use super::{Counted, Engine, LeadRow, Output, PhoneRow};

/// When a lead is asked again whose person or number is being called. No outcome of the other attempt is waited for: most
/// calls are over by then, and the rest is asked once more.
const UNDER_WAY: Duration = Duration::from_mins(1);

impl Engine {
    /// Rows of one page may belong to any campaign of the plan; others are ignored, as their campaign is not here.
    pub(super) fn admit(&mut self, now: Now, rows: &[LeadRow]) {
        for row in rows {
            if let Some(at) = self.runs.iter().position(|run| run.ix == row.campaign_ix) {
                self.admit_one(now, at, row);
            }
        }
        self.shared.leads_have_come();
        self.decide_soon(now);
    }

    pub(super) fn admit_one(&mut self, now: Now, at: usize, row: &LeadRow) {
        let Some(run) = self.runs.get_mut(at) else { return };
        if let Some(known) = run.leads.find(row.lead) {
            if run.standing(known) == Standing::Live {
                run.renewals.insert(known, row.clone());
                return;
            }
            // The row was read before the lead's last outcome was written.
            if let Some(settled) = self.unwritten.of(row.lead) {
                return self.take_in(now, at, &settled.over(row.clone()));
            }
        }
        self.take_in(now, at, row);
    }

    fn take_in(&mut self, now: Now, at: usize, row: &LeadRow) {
        let Some(campaign) = self.runs.get(at).map(|run| Arc::clone(&run.campaign)) else { return };
        let slots = self.phone_slots(&campaign, &row.phones);
        let Some(slot) = slots.get(usize::from(row.next_phone)).or_else(|| slots.first()).copied() else { return };
        let Some(run) = self.runs.get_mut(at) else { return };
        let Some(lead) = run.put(row, slot, slots) else { return };
        if let Some(expires) = row.list_expires {
            run.expiries.insert(row.list, expires);
        }
        run.funnel.admitted += 1;
        self.out.push_back(Output::Count(Counted::Admitted { campaign: row.campaign_ix }));
        let judged = judge(&campaign, row);
        let segment = judged.unwrap_or_default();
        // The only wait that is free after a talk: a promise outlives the process that made it.
        let promised = row.next_free && self.book.contact(row.contact).owes_callback(row.campaign_ix);
        let Some(cell) = self.cell_for(now.wall, at, lead, slot, segment, promised) else { return };
        let key = rank::key(campaign.rank.by, row.score, row.value);
        // Its cell is where segment and zones are kept, so it goes through one even if it does not stay.
        let Some(run) = self.runs.get_mut(at) else { return };
        run.frontier.park(lead, cell, key, Wall::MAX);
        self.leave_lost_phone(now, at, lead);
        match row.state {
            LeadState::Closed(why) => self.close(at, lead, why),
            LeadState::Waiting { .. } if judged.is_err() => self.block(at, lead, Rule::Eligible),
            LeadState::Waiting { until } if until > now.wall => self.park(at, lead, until),
            LeadState::Waiting { .. }
            | LeadState::Reserved
            | LeadState::Dialling
            | LeadState::InCall
            | LeadState::WrapUp => self.place(now, at, lead),
        }
    }

    /// Asks the gate and puts the lead where its answer says: among the due, in the wheel, or aside.
    pub(super) fn place(&mut self, now: Now, at: usize, lead: LeadIx) {
        match self.ask(now, at, lead) {
            Some(Verdict::Allow) => self.queue(at, lead),
            // Its cell is closed for as long; waiting there, it costs nothing when the hour comes.
            Some(Verdict::Refuse { reasons, .. }) if reasons.iter().all(|reason| is_of_hours(reason.rule)) => {
                self.queue(at, lead);
            }
            Some(Verdict::Refuse { reasons, until }) => self.set_aside(now, at, lead, &reasons, until),
            None => {}
        }
    }

    /// Refused: it comes back when time has helped, or rests until somebody changes something.
    pub(super) fn set_aside(&mut self, now: Now, at: usize, lead: LeadIx, reasons: &[Reason], until: Option<Wall>) {
        let Some(campaign) = self.runs.get(at).map(|run| run.ix) else { return };
        for reason in reasons {
            self.out.push_back(Output::Count(Counted::Refused { campaign, rule: reason.rule }));
        }
        if self.leave_lost_phone(now, at, lead) {
            return self.place(now, at, lead);
        }
        let lasting = reasons.iter().find(|reason| reason.until.is_none() && reason.rule != Rule::LiveAttempt);
        match (until, lasting) {
            (None, Some(lasting)) => self.block(at, lead, lasting.rule),
            (Some(until), _) => {
                let until = self.again_at(at, lead, until);
                self.park(at, lead, until);
            }
            // The person or the number is on the line for another lead; nobody knows for how long.
            (None, None) => {
                let known = reasons.iter().filter_map(|reason| reason.until).max();
                let until = known.unwrap_or_default().max(self.law(now) + UNDER_WAY);
                let until = self.again_at(at, lead, until);
                self.park(at, lead, until);
            }
        }
    }

    /// When a refused lead competes again: with its cell if hours alone refuse it, else as `set_aside` parks it.
    pub(super) fn back_at(&self, at: usize, lead: LeadIx, reasons: &[Reason], until: Wall) -> Wall {
        if reasons.iter().all(|reason| is_of_hours(reason.rule)) { until } else { self.again_at(at, lead, until) }
    }

    /// A lead never dialled enters at the start of a slot, so that the order within a slot holds.
    pub(super) fn again_at(&self, at: usize, lead: LeadIx, until: Wall) -> Wall {
        let Some(run) = self.runs.get(at) else { return until };
        let Some(key) = run.cell(lead) else { return until };
        let clock = Clock::of(&run.campaign.calling_hours, self.zone_sets.get(key.zones));
        clock.map_or(until, |clock| again_at(&self.zones, clock, u16::from(key.attempts), until))
    }

    /// A number may die, or be put on the do-not-call list, without its lead being dialled: then it is the next one's turn.
    /// False where the phone lives, or no other does.
    fn leave_lost_phone(&mut self, now: Now, at: usize, lead: LeadIx) -> bool {
        let law = self.law(now);
        let Some(run) = self.runs.get(at) else { return false };
        let Some(lost) = run.phone(lead).filter(|slot| self.is_lost(*slot, law)) else { return false };
        let slots = run.phones(lead);
        let from = slots.iter().position(|slot| slot.phone == lost.phone).unwrap_or(0);
        let after = slots.iter().cycle().skip(from + 1).take(slots.len());
        let Some(slot) = after.copied().find(|slot| !self.is_lost(*slot, law)) else { return false };
        let (Some(key), Some(worth)) = (run.cell(lead), run.frontier.key(lead)) else { return false };
        let Some(cell) = self.cell_for(now.wall, at, lead, slot, key.segment, key.promised) else { return false };
        let Some(run) = self.runs.get_mut(at) else { return false };
        run.leads.set_phone(lead, slot.phone);
        run.leads.set_flag(lead, LeadFlags::TEST_PHONE, slot.is_test);
        run.frontier.park(lead, cell, worth, Wall::MAX);
        true
    }

    pub(super) fn queue(&mut self, at: usize, lead: LeadIx) {
        let Some(run) = self.runs.get_mut(at) else { return };
        let (Some(cell), Some(key)) = (run.frontier.cell_of(lead), run.frontier.key(lead)) else { return };
        run.frontier.insert(lead, cell, key);
        run.set_standing(lead, Standing::Waiting);
    }

    pub(super) fn park(&mut self, at: usize, lead: LeadIx, until: Wall) {
        let Some(run) = self.runs.get_mut(at) else { return };
        let (Some(cell), Some(key)) = (run.frontier.cell_of(lead), run.frontier.key(lead)) else { return };
        run.frontier.park(lead, cell, key, until);
        run.set_standing(lead, Standing::Waiting);
    }

    pub(super) fn block(&mut self, at: usize, lead: LeadIx, rule: Rule) {
        self.take_out(at, lead, Standing::Blocked(rule));
    }

    pub(super) fn close(&mut self, at: usize, lead: LeadIx, why: ClosedWhy) {
        self.take_out(at, lead, Standing::Closed(why));
    }

    pub(super) fn take_out(&mut self, at: usize, lead: LeadIx, standing: Standing) {
        let Some(run) = self.runs.get_mut(at) else { return };
        run.frontier.remove(lead);
        run.set_standing(lead, standing);
    }

    /// After a change that may lift what time could not: asks again for all that this rule blocks.
    pub(super) fn unblock(&mut self, now: Now, at: usize, rule: Rule) {
        let Some(run) = self.runs.get(at) else { return };
        let blocked: Vec<LeadIx> = (0..run.leads.len() as u32)
            .map(LeadIx)
            .filter(|lead| run.standing(*lead) == Standing::Blocked(rule))
            .collect();
        for lead in blocked {
            self.place(now, at, lead);
        }
    }

    /// The cell of a lead as it stands now, with its history in this campaign.
    pub(super) fn cell_for(
        &mut self,
        now: Wall,
        at: usize,
        lead: LeadIx,
        slot: PhoneSlot,
        segment: u8,
        promised: bool,
    ) -> Option<CellIx> {
        let history = self.history(at, lead, slot)?;
        let run = self.runs.get_mut(at)?;
        let key = CellKey {
            zones: slot.zones,
            segment,
            attempts: u8::try_from(history.attempts).unwrap_or(u8::MAX),
            fails: history.fails,
            reachability: history.reachability,
            promised,
        };
        let mut viewer = Viewer::new(&run.campaign, &self.zones, &self.zone_sets, &run.ranking, now);
        run.frontier.cell(key, |key| viewer.view(key))
    }

    pub(super) fn history(&self, at: usize, lead: LeadIx, slot: PhoneSlot) -> Option<History> {
        let run = self.runs.get(at)?;
        let row = run.leads.get(lead)?;
        let zone = self.clock_zone(run, slot);
        let dials = &self.book.contact(row.contact).dials;
        Some(History::of(dials, run.ix, u16::from(row.attempts_used), self.zones.get(zone)))
    }

    /// By whose clock dayparts and slots of a lead go.
    pub(super) fn clock_zone(&self, run: &Run, slot: PhoneSlot) -> ZoneIx {
        Clock::of(&run.campaign.calling_hours, self.zone_sets.get(slot.zones)).map_or(ZoneIx::default(), Clock::first)
    }

    fn phone_slots(&mut self, campaign: &Campaign, phones: &[PhoneRow]) -> Vec<PhoneSlot> {
        let mut slots = Vec::with_capacity(phones.len().min(4));
        // Dead ones keep their places, by which stores and retry rules name them; the gate refuses them.
        for phone in phones.iter().take(4) {
            let zones = self.zone_set(campaign, &phone.zones);
            slots.push(PhoneSlot { phone: phone.phone, zones, is_test: phone.is_test });
        }
        slots
    }

    /// Interned, so that a lead holds two bytes. A name that the database lacks is left out; none left means the fallback.
    fn zone_set(&mut self, campaign: &Campaign, names: &[String]) -> ZoneSetIx {
        let mut set: Vec<ZoneIx> = Vec::with_capacity(names.len());
        for name in names {
            // Zones are few: cloning the shared table for a new one happens a few dozen times in a process.
            set.extend(self.zones.find(name).or_else(|| Arc::make_mut(&mut self.zones).intern(name)));
        }
        if set.is_empty() {
            set.extend(campaign.calling_hours.fallback_zone);
        }
        // With too many sets in use: the unknown one, which the gate refuses.
        self.zone_sets.intern(&set).unwrap_or_default()
    }
}

pub(super) fn is_of_hours(rule: Rule) -> bool {
    matches!(rule, Rule::CallingHours | Rule::Holidays)
}

/// `eligible`, then the first segment that matches: its position, or why the lead is nobody's.
pub(super) fn judge(campaign: &Campaign, row: &LeadRow) -> Result<u8, Eligibility> {
    match unmet(campaign, row).next() {
        Some(why) => Err(why),
        None => segment_of(campaign, row).ok_or(Eligibility::NoSegment),
    }
}

/// All that keeps a lead out, where [`judge`] stops at the first. Empty: it is eligible.
pub(super) fn judge_whole(campaign: &Campaign, row: &LeadRow) -> Vec<Eligibility> {
    let lost = segment_of(campaign, row).is_none().then_some(Eligibility::NoSegment);
    unmet(campaign, row).chain(lost).collect()
}

fn unmet<'a>(campaign: &'a Campaign, row: &'a LeadRow) -> impl Iterator<Item = Eligibility> + 'a {
    (0..).zip(&campaign.eligible).filter_map(|(at, condition)| match truth(condition, row) {
        Truth::Yes => None,
        Truth::No => Some(Eligibility::No { condition: at }),
        Truth::Missing(_) => Some(Eligibility::Missing { condition: at }),
        Truth::Failed(_) => Some(Eligibility::Failed { condition: at }),
    })
}

/// A segment whose condition cannot be known is no match: the lead falls to the next one, at worst to nobody.
fn segment_of(campaign: &Campaign, row: &LeadRow) -> Option<u8> {
    let at = campaign.segments.iter().position(|segment| truth(&segment.when, row) == Truth::Yes);
    at.and_then(|at| u8::try_from(at).ok())
}

fn truth(condition: &Condition, row: &LeadRow) -> Truth {
    let figures =
        Figures { score: row.score, value: row.value, attempts_used: row.attempts_used, consent: row.consent };
    condition.evaluate_with(figures, &row.columns)
}

impl Run {
    /// Not under an attempt; and what closed stays closed until a newer list.
    fn may_renew(&self, known: LeadIx, row: &LeadRow) -> bool {
        match self.standing(known) {
            Standing::Live => false,
            Standing::Closed(_) => self.leads.get(known).is_some_and(|lead| lead.list != row.list),
            Standing::Waiting | Standing::Blocked(_) => true,
        }
    }

    /// New, or in place of what was known of it. `None` if what is known holds.
    fn put(&mut self, row: &LeadRow, slot: PhoneSlot, slots: Vec<PhoneSlot>) -> Option<LeadIx> {
        let flags = LeadFlags::default()
            .with_consent(row.consent)
            .with(LeadFlags::TEST_PHONE, slot.is_test)
            .with(LeadFlags::FREE, row.next_free)
            .with(LeadFlags::SEVERAL_PHONES, slots.len() > 1);
        let factor = match self.campaign.rank.by {
            RankBy::Score => row.value,
            RankBy::ExpectedValue => row.score,
        };
        let entry = crate::schedule::LeadRow {
            lead: row.lead,
            contact: row.contact,
            phone: slot.phone,
            factor,
            list: row.list,
            attempts_used: u8::try_from(row.attempts_used).unwrap_or(u8::MAX),
            flags,
            arm: self.campaign.experiment.as_ref().map(|experiment| experiment.arm_of(row.split)),
        };
        let lead = match self.leads.find(row.lead) {
            Some(known) if !self.may_renew(known, row) => return None,
            Some(known) => {
                self.leads.set(known, entry);
                known
            }
            None => {
                self.count_new();
                self.leads.push(entry)
            }
        };
        self.several.remove(&lead);
        if slots.len() > 1 {
            self.several.insert(lead, slots.into());
        }
        Some(lead)
    }
}
