//! The end of an attempt: what it meant, what becomes of the lead, and the outcome that says so for good.

use std::sync::Arc;

use crate::base::{AttemptId, Now, Wall};
use crate::call::{Finished, Progress, ReleaseSide};
use crate::contact::{CallResult, ContactKind, LeadState, Meaning, OutcomeKind};
use crate::gate::PastDial;
use crate::rank;
use crate::schedule::day_number;
use crate::schedule::{
    self, After, Again, Clock, Dayparts, LeadFlags, LeadIx, Next, RetryRules, Wish, after_disposition, after_result,
    promised_at,
};

use super::book::Marks;
use super::live::Live;
use super::run::PhoneSlot;
use super::unwritten::Settled;
use super::{Counted, Engine, FinishedCount, Outcome, Output, StoreRequest, Times};

impl Engine {
    pub(super) fn finish(&mut self, now: Now, id: AttemptId, finished: Finished) {
        let Some(live) = self.lives.end(id) else { return };
        if finished.result == CallResult::Void {
            self.line_ended(now, &live, false);
            return self.write_void(now, id, &live);
        }
        self.line_ended(now, &live, finished.progress.connected.is_some());
        self.note_holding(now, &live, finished.progress.connected.is_some());
        if let (Some(answered), Some(run)) = (rank::answered(finished.result), self.runs.get_mut(live.run)) {
            run.ranking.observe(day_number(live.law), live.place, 1, u32::from(answered));
        }
        self.charge(&live, &finished);
        let meaning = finished.progress.disposition.as_deref().and_then(|name| live.campaign.dispositions.get(name));
        let meaning = meaning.cloned();
        let contact = meaning.as_ref().is_some_and(|meaning| meaning.contact == ContactKind::RightParty);
        let dial = self.note(&live, id, finished.result, contact);
        let ended = self.law(now);
        let settled = self.settle(&live, &finished, meaning.as_ref(), ended);
        if let Some(dial) = dial.filter(|_| settled.callback_at.is_some()) {
            self.book.note(live.contact, PastDial { callback: true, ..dial });
        }
        let refused = meaning.as_ref().is_some_and(|meaning| meaning.outcome == OutcomeKind::Failure);
        let complaint = meaning.as_ref().is_some_and(|meaning| meaning.complaint);
        let marks = Marks::of(finished.result, refused, complaint, settled.phone_dead);
        self.book.mark(live.contact, live.phone, ended, marks);
        let kind = meaning.as_ref().map_or(OutcomeKind::Neutral, |meaning| meaning.outcome);
        self.count(&live, &finished, kind);
        let outcome = self.outcome(now, id, &live, finished, meaning.as_ref(), settled);
        self.out.push_back(Output::Store(StoreRequest::Finish(Box::new(outcome))));
        self.unwritten.note(id, live.lead_id, settled);
        self.renew(now, live.run, live.lead);
    }

    /// Nothing went out: the account is as if it had never been, and the lead is due again in a minute.
    pub(super) fn write_void(&mut self, now: Now, id: AttemptId, live: &Live) {
        self.book.forget(live.contact, live.phone, id);
        self.unshow(live.law, &live.caller_id);
        let finished = Finished {
            result: CallResult::Void,
            not_sent: None,
            progress: Progress { ended: Some(now.wall), ..Progress::default() },
            sip_status: None,
            q850: None,
            by: ReleaseSide::Nobody,
            media: None,
        };
        let settled = self.settle(live, &finished, None, self.law(now));
        self.count(live, &finished, OutcomeKind::Neutral);
        let outcome = self.outcome(now, id, live, finished, None, settled);
        self.out.push_back(Output::Store(StoreRequest::Finish(Box::new(outcome))));
        self.unwritten.note(id, live.lead_id, settled);
        self.renew(now, live.run, live.lead);
    }

    fn note(&mut self, live: &Live, id: AttemptId, result: CallResult, contact: bool) -> Option<PastDial> {
        let campaign = self.runs.get(live.run).map(|run| run.ix)?;
        let (at, phone, free, result) = (live.law, live.phone, live.free, Some(result));
        let dial = PastDial { attempt: id, at, campaign, phone, result, contact, free, callback: false };
        self.book.note(live.contact, dial);
        Some(dial)
    }

    /// Decides by the rules of the plan it began under, and puts the lead there.
    fn settle(&mut self, live: &Live, finished: &Finished, meaning: Option<&Meaning>, ended: Wall) -> Settled {
        let after = self.after(live, finished, meaning, ended);
        let Some((next, phone_dead)) = after.map(|after| (after.next, after.phone_dead)) else {
            let state = LeadState::Closed(crate::contact::ClosedWhy::Exhausted);
            return Settled { state, next_phone: 0, next_free: false, phone_dead: false, callback_at: None };
        };
        match next {
            Next::Close(why) => {
                self.close(live.run, live.lead, why);
                if let Some(campaign) = self.runs.get(live.run).map(|run| run.ix) {
                    self.out.push_back(Output::Count(Counted::Closed { campaign, why }));
                }
                let state = LeadState::Closed(why);
                Settled { state, next_phone: 0, next_free: false, phone_dead, callback_at: None }
            }
            Next::Again(again) => {
                let until = self.again(live, again, ended);
                let state = LeadState::Waiting { until };
                let callback_at = again.callback.then_some(again.not_before);
                Settled { state, next_phone: again.phone, next_free: again.free, phone_dead, callback_at }
            }
        }
    }

    fn after(&self, live: &Live, finished: &Finished, meaning: Option<&Meaning>, ended: Wall) -> Option<After> {
        let run = self.runs.get(live.run)?;
        let row = run.leads.get(live.lead)?;
        let phones = run.phones(live.lead);
        let zone = self.clock_zone(run, run.phone(live.lead)?);
        let dead =
            phones.iter().enumerate().filter(|(_, slot)| self.is_lost(**slot, ended)).map(|(at, _)| 1 << at).sum();
        let standing = schedule::Standing {
            dials: &self.book.contact(row.contact).dials,
            campaign: run.ix,
            attempts_used: u16::from(row.attempts_used),
            phones: phones.len() as u8,
            dead,
        };
        let dialled = live.authorised.unwrap_or(live.decided.wall);
        let zone = self.zones.get(zone);
        let promised = finished.progress.callback.and_then(|promise| promised_at(promise, zone, ended));
        let finished = schedule::Finished {
            result: finished.result,
            dialled,
            ended,
            phone: phones.iter().position(|slot| slot.phone == live.phone).unwrap_or(0) as u8,
            daypart: schedule::daypart_at(zone, dialled),
            free: live.free,
        };
        let segment = run.cell(live.lead).and_then(|key| live.campaign.segment(key.segment));
        let rules = RetryRules::of(&live.campaign, segment);
        Some(match meaning {
            Some(meaning) => after_disposition(&rules, &standing, &finished, meaning, promised),
            None => after_result(&rules, &standing, &finished),
        })
    }

    pub(super) fn is_lost(&self, slot: PhoneSlot, now: Wall) -> bool {
        let ledger = self.book.phone(slot.phone);
        ledger.dead || ledger.dnc.is_some_and(|mark| mark.holds_at(now))
    }

    /// Puts the lead where its next attempt may be, and returns from when on. Never: it rests until a newer list.
    fn again(&mut self, live: &Live, again: Again, ended: Wall) -> Wall {
        let slot = self.runs.get(live.run).and_then(|run| run.phones(live.lead).get(usize::from(again.phone)).copied());
        let Some(slot) = slot else { return Wall::MAX };
        let placed = self.place_again(live, again, slot, ended);
        let until = placed.unwrap_or(Wall::MAX);
        self.reseat(live.run, live.lead, slot, again, ended);
        self.park(live.run, live.lead, until);
        until
    }

    fn place_again(&self, live: &Live, again: Again, slot: PhoneSlot, ended: Wall) -> Option<Wall> {
        let run = self.runs.get(live.run)?;
        let campaign = &run.campaign;
        let clock = Clock::of(&campaign.calling_hours, self.zone_sets.get(slot.zones))?;
        let history = self.history(live.run, live.lead, slot)?;
        let wish = Wish {
            not_before: again.not_before.max(ended),
            other_daypart_than: again.other_daypart_than,
            prefer: again.prefer,
            barred: Dayparts::used_up(&history, campaign.attempts.spread.filter(|_| !again.promised)),
            promised: again.promised,
        };
        let segment = run.cell(live.lead)?.segment;
        schedule::place(campaign, &self.zones, clock, segment, &wish).map(|placed| placed.due)
    }

    /// Its next phone, its next cell: one more attempt made, perhaps one more failure in this part of the day.
    fn reseat(&mut self, at: usize, lead: LeadIx, slot: PhoneSlot, again: Again, now: Wall) {
        let Some(segment) = self.runs.get(at).and_then(|run| run.cell(lead)).map(|key| key.segment) else { return };
        let Some(cell) = self.cell_for(now, at, lead, slot, segment, again.promised) else { return };
        let Some(run) = self.runs.get_mut(at) else { return };
        run.leads.set_phone(lead, slot.phone);
        run.leads.set_flag(lead, LeadFlags::TEST_PHONE, slot.is_test);
        run.leads.set_flag(lead, LeadFlags::FREE, again.free);
        if let Some(key) = run.frontier.key(lead) {
            run.frontier.park(lead, cell, key, Wall::MAX);
        }
    }

    fn count(&mut self, live: &Live, finished: &Finished, outcome: OutcomeKind) {
        let Some(run) = self.runs.get_mut(live.run) else { return };
        let p = &finished.progress;
        let span = |from: Option<Wall>, to: Option<Wall>| {
            from.zip(to).map(|(from, to)| u32::try_from(to.since(from).as_millis()).unwrap_or(u32::MAX))
        };
        *run.funnel.by_result.entry(finished.result).or_default() += 1;
        if let Some(name) = &p.disposition {
            *run.funnel.by_disposition.entry(Arc::clone(name)).or_default() += 1;
        }
        let campaign = run.ix;
        for key in p.digits.chars() {
            self.out.push_back(Output::Count(Counted::Key { campaign, key }));
        }
        self.out.push_back(Output::Count(Counted::Finished(FinishedCount {
            campaign,
            trunk: live.trunk,
            result: finished.result,
            outcome,
            answered: p.answered.is_some(),
            local_hour: live.place.slot.hour(),
            setup_ms: span(p.sent, p.ringing),
            ring_ms: span(p.ringing, p.answered.or(p.ended)),
            talk_ms: span(p.answered, p.ended),
        })));
    }

    fn outcome(
        &self,
        now: Now,
        id: AttemptId,
        live: &Live,
        finished: Finished,
        meaning: Option<&Meaning>,
        settled: Settled,
    ) -> Outcome {
        let progress = finished.progress;
        Outcome {
            attempt: id,
            lead: live.lead_id,
            contact: live.contact,
            phone: live.phone,
            campaign_ix: self.runs.get(live.run).map(|run| run.ix).unwrap_or_default(),
            revision: 0,
            result: finished.result,
            outcome: meaning.map_or(OutcomeKind::Neutral, |meaning| meaning.outcome),
            contact_kind: meaning.map_or(ContactKind::Nobody, |meaning| meaning.contact),
            complaint: meaning.is_some_and(|meaning| meaning.complaint),
            disposition: progress.disposition,
            times: Times {
                queued: Some(live.decided.wall),
                authorised: live.authorised,
                sent: progress.sent,
                ringing: progress.ringing,
                answered: progress.answered,
                connected: progress.connected,
                ended: progress.ended.or(Some(now.wall)),
                wrap_ended: None,
            },
            sip_status: finished.sip_status,
            q850: finished.q850,
            by: Some(finished.by),
            media: finished.media,
            digits: progress.digits,
            callback_at: settled.callback_at,
            free: live.free,
            phone_dead: settled.phone_dead,
            lead_state: settled.state,
            next_phone: settled.next_phone,
            next_free: settled.next_free,
        }
    }
}
