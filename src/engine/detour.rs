//! A trunk could not take an attempt: it goes over another one of its group. It stays the same attempt, under the same
//! permit, and the store is asked again, because the other trunk has another list of where it may call and shows another
//! number. Each trunk once, and only while it is certain that nobody has heard of the call (RFC 3261 §21.5.4).

use std::sync::Arc;

use crate::base::{AttemptId, LegId, Now, TrunkIx};
use crate::call::{Dial, LegCommand, LegEvent, NotSent};
use crate::gate::{Rule, Verdict};

use super::live::{Live, Stage};
use super::{Counted, Engine, Intent, Output, StoreRequest};

/// What an attempt has behind it, and where it would go next.
#[derive(Debug)]
pub struct Detour {
    tried: Vec<TrunkIx>,
    /// With which the attempt ends if nobody takes it.
    end: LegEvent,
    /// What the store has been asked for.
    asked: Option<Way>,
}

/// A trunk, and the number of ours to show there. Line and number are reserved.
#[derive(Clone, Debug)]
struct Way {
    trunk: TrunkIx,
    caller_id: Arc<str>,
}

/// As many as a branch can tell apart; see `sip::Hop`.
const TRUNKS_MAX: usize = 16;

impl Engine {
    /// What the attempt is to hear of what its leg reports. `None`: it goes elsewhere, or waits for the store to let it.
    pub(super) fn elsewhere(&mut self, now: Now, id: AttemptId, event: LegEvent) -> Option<LegEvent> {
        let live = self.lives.get_mut(id)?;
        if live.detour.as_ref().is_some_and(|detour| detour.asked.is_some()) {
            return None;
        }
        if !is_unheard(&event, live.detour.is_some()) {
            return Some(event);
        }
        let mut detour = live.detour.take().unwrap_or_else(|| Box::new(Detour::of(event.clone())));
        detour.tried.push(live.trunk);
        // A refusal says more than a trunk that was not even asked.
        if matches!(event, LegEvent::Ended(_)) {
            detour.end = event;
        }
        self.try_another(now, id, detour)
    }

    pub(super) fn is_on_detour(&self, id: AttemptId) -> bool {
        let detour = self.lives.get(id).and_then(|live| live.detour.as_ref());
        detour.is_some_and(|detour| detour.asked.is_some())
    }

    /// Durable, as the first time.
    pub(super) fn detour_authorised(&mut self, now: Now, id: AttemptId) {
        let Some((detour, way)) = self.take_detour(id) else { return };
        if !self.lives.get(id).is_some_and(|live| self.may_still_dial(now, live)) {
            self.give_back_detour(id, &way);
            return self.tell_attempt(now, id, detour.end);
        }
        // Stopped, or down, while the store was writing.
        if !self.may_carry(way.trunk) {
            return self.pass_over(now, id, detour, &way);
        }
        let Way { trunk, caller_id } = way;
        let Some(live) = self.lives.get_mut(id) else { return };
        let from = std::mem::replace(&mut live.trunk, trunk);
        let shown = std::mem::replace(&mut live.caller_id, Arc::clone(&caller_id));
        let (since, ring, permit_until) = (live.law, live.campaign.pacing.ring, live.permit_until);
        let hop = u8::try_from(detour.tried.len()).unwrap_or(u8::MAX);
        live.detour = Some(detour);
        self.unshow(since, &shown);
        if let Some(limits) = self.trunks.get_mut(from.ix()) {
            limits.ended();
        }
        if let Some(limits) = self.trunks.get_mut(trunk.ix()) {
            limits.sent(now.tick);
        }
        let dial = Dial { trunk, hop, caller_id, ring, permit_until };
        self.out.push_back(Output::Leg(LegId(id), LegCommand::Dial(dial)));
        self.out.push_back(Output::Count(Counted::Rerouted { from, to: trunk }));
        self.decide_soon(now);
    }

    /// Another trunk may do what this one may not; whatever else the gate says holds for all of them.
    pub(super) fn detour_refused(&mut self, now: Now, id: AttemptId, verdict: &Verdict) {
        let Some((detour, way)) = self.take_detour(id) else { return };
        let of_the_trunk = match verdict {
            Verdict::Allow => false,
            Verdict::Refuse { reasons, .. } => {
                reasons.iter().all(|reason| matches!(reason.rule, Rule::Trunk | Rule::Destination))
            }
        };
        if of_the_trunk {
            return self.pass_over(now, id, detour, &way);
        }
        self.give_back_detour(id, &way);
        self.tell_attempt(now, id, detour.end);
    }

    /// Not this one, then.
    fn pass_over(&mut self, now: Now, id: AttemptId, mut detour: Box<Detour>, way: &Way) {
        self.give_back_detour(id, way);
        detour.tried.push(way.trunk);
        if let Some(end) = self.try_another(now, id, detour) {
            self.tell_attempt(now, id, end);
        }
    }

    /// Written or not: it was dialled once, nobody heard of it, and it is not dialled again.
    pub(super) fn detour_in_doubt(&mut self, now: Now, id: AttemptId) {
        let Some((detour, way)) = self.take_detour(id) else { return };
        self.give_back_detour(id, &way);
        self.tell_attempt(now, id, detour.end);
    }

    /// Asks the store for the next trunk. With what the attempt ends, where there is none.
    fn try_another(&mut self, now: Now, id: AttemptId, mut detour: Box<Detour>) -> Option<LegEvent> {
        self.turn_day(self.law(now));
        self.recount_held(now);
        let Some((at, intent)) = self.way_for(now, id, &detour.tried) else { return Some(detour.end) };
        let (trunk, caller_id) = (intent.trunk, Arc::clone(&intent.caller_id));
        self.took_turn(now, at, trunk);
        if let Some(limits) = self.trunks.get_mut(trunk.ix()) {
            limits.reserve();
        }
        self.show(&caller_id);
        detour.asked = Some(Way { trunk, caller_id });
        if let Some(live) = self.lives.get_mut(id) {
            live.detour = Some(detour);
        }
        self.out.push_back(Output::Store(StoreRequest::Reroute(Box::new(intent))));
        None
    }

    fn way_for(&self, now: Now, id: AttemptId, tried: &[TrunkIx]) -> Option<(usize, Intent)> {
        let live = self.lives.get(id).filter(|live| self.may_still_dial(now, live))?;
        // A new plan may want something else of this lead. Its attempt ends as it would have.
        let run = self.runs.get(live.run).filter(|run| Arc::ptr_eq(&run.campaign, &live.campaign))?;
        // What it shows and costs belongs to the day on which it was dialled.
        if tried.len() >= TRUNKS_MAX || !self.today.has(live) {
            return None;
        }
        let trunk = self.next_trunk_but(now, run, tried)?;
        let facts = self.facts(now, run, live.lead).filter(|facts| facts.phone_id == live.phone)?;
        let context = self.context(now, run, live.lead, 0.0)?;
        let intent = self.intent(now, run, (live.lead, &facts), id, (trunk, context))?;
        Some((live.run, Intent { permit_until: live.permit_until, ..intent }))
    }

    fn may_still_dial(&self, now: Now, live: &Live) -> bool {
        let wanted = match &live.stage {
            Stage::Asked => false,
            Stage::Dialled(attempt) => !attempt.is_ending(),
        };
        wanted && !self.draining && now.tick < live.permit_until && self.law(now) < live.closing
    }

    fn take_detour(&mut self, id: AttemptId) -> Option<(Box<Detour>, Way)> {
        let mut detour = self.lives.get_mut(id)?.detour.take()?;
        let asked = detour.asked.take()?;
        Some((detour, asked))
    }

    fn give_back_detour(&mut self, id: AttemptId, way: &Way) {
        if let Some(limits) = self.trunks.get_mut(way.trunk.ix()) {
            limits.give_back();
        }
        if let Some(law) = self.lives.get(id).map(|live| live.law) {
            self.unshow(law, &way.caller_id);
        }
    }
}

impl Detour {
    /// The trunk that the store was asked for.
    pub fn asked(&self) -> Option<TrunkIx> {
        self.asked.as_ref().map(|way| way.trunk)
    }

    const fn of(end: LegEvent) -> Self {
        Self { tried: Vec::new(), end, asked: None }
    }
}

/// On the way to another trunk whatever was not sent is no reason to stop; on the first one only that it is down, or that
/// nobody signs its calls.
fn is_unheard(event: &LegEvent, on_the_way: bool) -> bool {
    match event {
        LegEvent::NotSent(why) => on_the_way || matches!(why, NotSent::TrunkDown | NotSent::NotSigned),
        LegEvent::Ended(end) => end.unheard,
        LegEvent::Sent
        | LegEvent::Ringing
        | LegEvent::EarlyMedia
        | LegEvent::Answered
        | LegEvent::Digit(_)
        | LegEvent::PlayDone
        | LegEvent::Referred { .. }
        | LegEvent::Silent => false,
    }
}
