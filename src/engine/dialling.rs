//! From the store's answer to the end of the leg: who is dialled, what is taken back, and what an attempt reports.

use crate::base::{AttemptId, LegId, Now};
use crate::call::{Attempt, AttemptInput, AttemptOutput, Dial};
use crate::contact::Then;
use crate::gate::{DncMark, Rule, Verdict};

use super::live::Stage;
use super::{Counted, DncRequest, DncSubject, Engine, IntentAnswer, Output, StoreRequest};

impl Engine {
    /// Durable: the leg may dial, if the permit still holds. Past it nothing goes out and the attempt is void.
    pub(super) fn authorised(&mut self, now: Now, id: AttemptId) {
        if self.is_on_detour(id) {
            return self.detour_authorised(now, id);
        }
        let law = self.law(now);
        let Some(live) = self.lives.get_mut(id).filter(|live| matches!(live.stage, Stage::Asked)) else { return };
        live.authorised = Some(now.wall);
        live.law = law;
        let (run, trunk, campaign) = (live.run, live.trunk, live.campaign.clone());
        let (place, golden, explore) = (live.place, live.golden, live.explore);
        // Closing may have come, or a drain begun, while the store was writing.
        let late = now.tick >= live.permit_until || law >= live.closing || live.cancelled;
        if late || self.draining {
            return self.void(now, id);
        }
        let dial = Dial {
            trunk,
            hop: 0,
            caller_id: live.caller_id.clone(),
            ring: campaign.pacing.ring,
            permit_until: live.permit_until,
        };
        live.stage = Stage::Dialled(Box::new(Attempt::dial(id, campaign, dial)));
        self.line_sent(now, run, trunk);
        self.count_intent(run, IntentAnswer::Authorised);
        if let Some(campaign) = self.runs.get(run).map(|run| run.ix) {
            let local_hour = place.slot.hour();
            self.out.push_back(Output::Count(Counted::Dialled { campaign, trunk, local_hour, golden }));
            self.count_dialled(run, place, explore);
        }
        self.pump(now, id);
    }

    /// The last gate said no: it knew something that the engine did not.
    pub(super) fn refused(&mut self, now: Now, id: AttemptId, verdict: Verdict) {
        if self.is_on_detour(id) {
            return self.detour_refused(now, id, &verdict);
        }
        let Some(live) = self.lives.end(id) else { return };
        self.book.forget(live.contact, live.phone, id);
        self.unshow(live.law, &live.caller_id);
        self.give_back(now, &live);
        self.count_intent(live.run, IntentAnswer::Refused);
        let another = self.runs.get(live.run).is_some_and(|run| run.route.has_choice());
        match verdict {
            // Stopped a moment ago. Another trunk of its group may take the call.
            Verdict::Refuse { reasons, .. } if another && reasons.iter().all(|reason| reason.rule == Rule::Trunk) => {
                self.queue(live.run, live.lead);
            }
            Verdict::Refuse { reasons, until } => self.set_aside(now, live.run, live.lead, &reasons, until),
            Verdict::Allow => self.queue(live.run, live.lead),
        }
        self.renew(now, live.run, live.lead);
    }

    /// Nobody knows whether the intent was written, but it is certain that it was not dialled: void, in any case.
    pub(super) fn in_doubt(&mut self, now: Now, id: AttemptId) {
        if self.is_on_detour(id) {
            return self.detour_in_doubt(now, id);
        }
        let Some(run) = self.lives.get(id).map(|live| live.run) else { return };
        self.count_intent(run, IntentAnswer::Doubt);
        self.void(now, id);
    }

    /// Drains an attempt after it was touched.
    pub(super) fn pump(&mut self, now: Now, id: AttemptId) {
        while let Some(output) = self.attempt_output(id) {
            match output {
                AttemptOutput::Leg(command) => self.out.push_back(Output::Leg(LegId(id), command)),
                AttemptOutput::Noted(disposition) => self.noted(now, id, &disposition),
                AttemptOutput::Transfer { queue } => self.transfer(now, id, &queue),
                AttemptOutput::Finished(finished) => return self.finish(now, id, finished),
            }
        }
        self.lives.rearm(id);
    }

    /// Takes back what is not answered yet; an answered call goes on. True if there was something to take back.
    pub(super) fn cancel(&mut self, now: Now, id: AttemptId) -> bool {
        let Some(live) = self.lives.get_mut(id) else { return false };
        match &mut live.stage {
            Stage::Asked => live.cancelled = true,
            Stage::Dialled(attempt) if attempt.is_answered() => return false,
            Stage::Dialled(attempt) => attempt.handle(now, AttemptInput::Cancel),
        }
        self.pump(now, id);
        true
    }

    /// Authorised, and certainly not sent.
    fn void(&mut self, now: Now, id: AttemptId) {
        let Some(live) = self.lives.end(id) else { return };
        self.give_back(now, &live);
        self.write_void(now, id, &live);
    }

    fn attempt_output(&mut self, id: AttemptId) -> Option<AttemptOutput> {
        match &mut self.lives.get_mut(id)?.stage {
            Stage::Asked => None,
            Stage::Dialled(attempt) => attempt.poll_output(),
        }
    }

    /// A disposition counts from the moment it is noted; a do-not-call is written before the call is over.
    pub(super) fn noted(&mut self, now: Now, id: AttemptId, disposition: &str) {
        let Some(live) = self.lives.get(id) else { return };
        let (contact, phone, run) = (live.contact, live.phone, live.run);
        let Some(meaning) = live.campaign.dispositions.get(disposition).cloned() else { return };
        for then in meaning.then {
            let subject = match then {
                Then::DncCustomer => DncSubject::Contact(contact),
                Then::DncPhone => DncSubject::Phone(phone),
                Then::Final | Then::Callback | Then::PhoneDead | Then::Retry => continue,
            };
            match subject {
                DncSubject::Contact(contact) => self.book.dnc_contact(contact, Some(DncMark { until: None })),
                DncSubject::Phone(phone) => self.book.dnc_phone(phone, Some(DncMark { until: None })),
            }
            let request = DncRequest {
                subject,
                source: "flow",
                reason: disposition.to_owned(),
                attempt: Some(id),
                at: now.wall,
                until: None,
            };
            self.out.push_back(Output::Store(StoreRequest::Dnc(request)));
            if let Some(campaign) = self.runs.get(run).map(|run| run.ix) {
                self.out.push_back(Output::Count(Counted::Dnc { campaign }));
            }
        }
    }

    fn transfer(&mut self, now: Now, id: AttemptId, queue: &str) {
        let target = self.config.queue(queue).map(|(_, spec)| spec.uri.clone());
        if let Some(Stage::Dialled(attempt)) = self.lives.get_mut(id).map(|live| &mut live.stage) {
            attempt.refer(now, target);
        }
    }

    fn count_intent(&mut self, run: usize, answer: IntentAnswer) {
        if let Some(campaign) = self.runs.get(run).map(|run| run.ix) {
            self.out.push_back(Output::Count(Counted::Intent { campaign, answer }));
        }
    }
}
