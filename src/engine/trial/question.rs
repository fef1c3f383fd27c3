//! The moment of a test: an engine as it stands then is asked, and where the test says so, it calls.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, Now, Pii, Tick, Wall};
use crate::campaign::{Campaign, TestCall, TestCase, TestMoment};
use crate::contact::{ClosedWhy, LeadState, ZoneIx, Zones};
use crate::engine::intake::{is_of_hours, judge};
use crate::engine::{
    AsStored, Engine, Input, Intent, LeadRow, LedgerPage, Output, StoreReply, StoreRequest, last_gate,
};
use crate::gate::{self, Eligibility, Ledger, Reason, Rule, Verdict};
use crate::schedule::{self, Clock, Placed, Wish};

use super::past;
use super::stage::{self, CONTACT, LEAD, RUN};

/// Rules hand the lead on to each other: hours, then a holiday, then a quiet period. More rounds than there are rules.
const ROUNDS: usize = 24;

/// All that an expectation can be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) at: Wall,
    /// An intent went out, and the last gate let it through.
    pub(super) dialled: bool,
    /// Why not, by rule; a closed lead among them.
    pub(super) reasons: Vec<Reason>,
    /// The first moment at which it dials; `at` itself if it does. `None`: time alone will not help.
    pub(super) due: Option<Wall>,
    /// By a retry rule, not by the gate.
    pub(super) waits_until: Option<Wall>,
    pub(super) golden_now: bool,
    /// Golden hours that lie ahead, on the day of `due`.
    pub(super) golden_at: Option<Wall>,
    pub(super) segment: Option<String>,
    pub(super) after: Option<After>,
}

/// Where the call leaves the lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub(super) closed: Option<ClosedWhy>,
    /// When it is next dialled, by its retry rule and by the gate of that moment.
    pub(super) due: Option<Wall>,
    pub(super) next_phone: u8,
}

pub(super) fn ask(campaign: &Arc<Campaign>, zones: &Zones, case: &TestCase) -> Seen {
    let at = match case.at {
        TestMoment::Given(at) => at,
        TestMoment::FirstOpenFrom(from) => first_open(campaign, zones, case, from),
    };
    let record = past::live_through(campaign, zones, case, at);
    let row = stage::row(campaign, case, at, record.stand);
    let judged = judge(campaign, &row);
    let mut asked = Asked { engine: stage::engine(campaign, zones, at), at, eligible: judged.err() };
    asked.take(record.page.clone(), row.clone());
    let mut seen = asked.look(&row, judged.ok());
    let intent = asked.decide(&row, &record.page, &mut seen);
    if let (Some(call), Some(attempt)) = (&case.call, intent.filter(|_| seen.dialled)) {
        seen.after = asked.call(attempt, call);
    }
    seen
}

/// Of a test that names no moment: when calling hours next hold for this customer.
fn first_open(campaign: &Campaign, zones: &Zones, case: &TestCase, from: Wall) -> Wall {
    let mut zones = zones.clone();
    let names = case.customer.phones.first().map(|phone| phone.zones.as_slice()).unwrap_or_default();
    let set: Vec<ZoneIx> = names.iter().filter_map(|name| zones.intern(name)).collect();
    let Some(clock) = Clock::of(&campaign.calling_hours, &set) else { return from };
    // As if it were promised: calling hours alone, without golden ones.
    let wish = Wish { not_before: from, promised: true, ..Wish::default() };
    schedule::place(campaign, &zones, clock, 0, &wish).map_or(from, |placed| placed.due)
}

struct Asked {
    engine: Engine,
    at: Wall,
    /// `None`: eligible.
    eligible: Option<Eligibility>,
}

impl Asked {
    fn now(&self, tick: u64) -> Now {
        Now { tick: Tick(Duration::from_secs(tick).as_micros() as u64), wall: self.at }
    }

    fn take(&mut self, page: LedgerPage, row: LeadRow) {
        self.engine.handle(self.now(0), Input::Ledgers(page));
        self.engine.handle(self.now(0), Input::Leads(vec![row]));
    }

    fn look(&self, row: &LeadRow, segment: Option<u8>) -> Seen {
        let mut reasons = match self.gate(self.at) {
            Some(Verdict::Refuse { reasons, .. }) => reasons,
            Some(Verdict::Allow) | None => Vec::new(),
        };
        let (closed, waits_until) = match row.state {
            LeadState::Closed(why) => (Some(why), None),
            LeadState::Waiting { until } => (None, Some(until).filter(|until| *until > self.at)),
            LeadState::Reserved | LeadState::Dialling | LeadState::InCall | LeadState::WrapUp => (None, None),
        };
        if let Some(why) = closed {
            let rule = if why == ClosedWhy::Dnc { Rule::Dnc } else { Rule::Attempts };
            reasons.push(Reason { rule, detail: format!("the lead is closed: {why}"), until: None });
        }
        let due = if closed.is_some() { None } else { self.due(waits_until.unwrap_or(self.at)) };
        let golden = |at| self.placed(at).and_then(|placed| placed.golden_at);
        let name =
            segment.and_then(|ix| self.engine.runs.get(RUN)?.campaign.segment(ix).map(|found| found.name.clone()));
        Seen {
            at: self.at,
            dialled: false,
            reasons,
            due,
            waits_until,
            golden_now: golden(self.at) == Some(self.at),
            golden_at: due.and_then(golden).filter(|golden| *golden > self.at),
            segment: name,
            after: None,
        }
    }

    /// Whether it dials is not computed: the engine decides, and the store's gate has the last word.
    fn decide(&mut self, row: &LeadRow, page: &LedgerPage, seen: &mut Seen) -> Option<AttemptId> {
        self.engine.handle(self.now(1), Input::Timeout);
        let intent = self.intent()?;
        let contact = page.contacts.first().map(|(_, ledger)| ledger.clone()).unwrap_or_default();
        let of_phone = page.phones.iter().find(|(phone, _)| *phone == intent.phone);
        let phone = of_phone.map_or_else(Ledger::default, |(_, ledger)| ledger.clone());
        let known = AsStored {
            now: self.at,
            lead: row.state,
            paused: false,
            trunk_stopped: false,
            contact: &contact,
            phone: &phone,
            // A case names nobody.
            number: &Pii::new("+999100000001".to_owned()),
        };
        match last_gate(&intent, &known) {
            Verdict::Allow => seen.dialled = true,
            Verdict::Refuse { reasons, .. } => seen.reasons.extend(reasons),
        }
        Some(intent.attempt)
    }

    fn intent(&mut self) -> Option<Box<Intent>> {
        let mut found = None;
        while let Some(output) = self.engine.poll_output() {
            if let Output::Store(StoreRequest::Authorise(intent)) = output {
                found = Some(intent);
            }
        }
        found
    }

    fn call(&mut self, attempt: AttemptId, call: &TestCall) -> Option<After> {
        let now = self.now(1);
        self.engine.handle(now, Input::Stored(vec![StoreReply::Authorised { attempt }]));
        let outcome = stage::end_call(&mut self.engine, now, attempt, call)?;
        let (closed, until) = match outcome.lead_state_given(self.engine.book.contact(CONTACT).dnc) {
            LeadState::Closed(why) => (Some(why), None),
            LeadState::Waiting { until } => (None, Some(until)),
            LeadState::Reserved | LeadState::Dialling | LeadState::InCall | LeadState::WrapUp => (None, None),
        };
        let due = until.filter(|until| *until < Wall::MAX).and_then(|until| self.due(until));
        Some(After { closed, due, next_phone: outcome.next_phone })
    }

    /// The first moment from `from` on at which the gate allows it and the frontier's hours are open.
    fn due(&self, from: Wall) -> Option<Wall> {
        let mut at = from.max(self.at);
        for _ in 0..ROUNDS {
            let next = match self.gate(at)? {
                Verdict::Allow => self.placed(at)?.due,
                Verdict::Refuse { until: None, .. } => return None,
                Verdict::Refuse { reasons, until: Some(until) } if reasons.iter().all(|r| is_of_hours(r.rule)) => until,
                Verdict::Refuse { until: Some(until), .. } => self.engine.again_at(RUN, LEAD, until),
            };
            if next <= at {
                return Some(at);
            }
            at = next;
        }
        None
    }

    /// The gate at another moment, with what is known today.
    fn gate(&self, at: Wall) -> Option<Verdict> {
        let run = self.engine.runs.get(RUN)?;
        let mut facts = self.engine.facts(Now { wall: at, ..self.now(0) }, run, LEAD)?;
        // The engine keeps only that it is not; people want to know why.
        facts.lead.eligible = self.eligible.unwrap_or(Eligibility::Yes);
        Some(gate::ask(&facts, run.campaign.pacing.ring))
    }

    fn placed(&self, from: Wall) -> Option<Placed> {
        let run = self.engine.runs.get(RUN)?;
        let key = run.cell(LEAD)?;
        let clock = Clock::of(&run.campaign.calling_hours, self.engine.zone_sets.get(key.zones))?;
        let wish = Wish { not_before: from, promised: key.promised, ..Wish::default() };
        schedule::place(&run.campaign, &self.engine.zones, clock, key.segment, &wish)
    }
}
