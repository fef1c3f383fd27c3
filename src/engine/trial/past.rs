//! The history of a test, lived through event by event.

use std::sync::Arc;

use crate::base::{AttemptId, CampaignIx, Now, Tick, Wall};
use crate::campaign::{Campaign, Past, Said, TestCall, TestCase, TestDnc, When};
use crate::contact::{CallResult, ContactKind, Meaning, OutcomeKind, Then, Zones};
use crate::engine::book::Marks;
use crate::engine::explore::Chosen;
use crate::engine::{Engine, Input, LedgerPage, OperatorCommand};
use crate::gate::{DncMark, PastDial};
use crate::schedule::Best;

use super::stage::{self, CONTACT, LEAD, RUN, Stand, phone_id};

/// What the store would have kept of it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) page: LedgerPage,
    pub(super) stand: Stand,
}

const FOREVER: Option<DncMark> = Some(DncMark { until: None });

pub(super) fn live_through(campaign: &Arc<Campaign>, zones: &Zones, case: &TestCase, at: Wall) -> Record {
    let mut events: Vec<(Wall, &Past)> =
        case.history.iter().map(|event| (moment(event.when, at), &event.what)).collect();
    events.sort_by_key(|(when, _)| *when);
    let first = events.first().map_or(at, |(when, _)| *when);
    let mut life = Life::begin(campaign, zones, case, first);
    for (nth, (when, what)) in events.into_iter().enumerate() {
        life.happens(Now { tick: Tick(nth as u64 + 1), wall: when }, what);
    }
    life.record(case)
}

fn moment(when: When, at: Wall) -> Wall {
    match when {
        When::Ago(ago) => at - ago,
        When::At(then) => then,
    }
}

struct Life<'a> {
    campaign: &'a Campaign,
    engine: Engine,
    stand: Stand,
    /// Other campaigns in the order in which they turn up.
    others: Vec<&'a str>,
    attempts: u128,
    phones: usize,
}

impl<'a> Life<'a> {
    fn begin(campaign: &'a Arc<Campaign>, zones: &Zones, case: &TestCase, at: Wall) -> Self {
        let mut engine = stage::engine(campaign, zones, at);
        let now = Now { tick: Tick::default(), wall: at };
        // It decides nothing by itself: what happened is written in the test.
        engine.handle(now, Input::Command(OperatorCommand::Drain));
        for (nth, phone) in case.customer.phones.iter().enumerate() {
            let marks = Marks { phone_dead: phone.dead, ..Marks::default() };
            engine.book.mark(CONTACT, phone_id(nth), at, marks);
            if phone.dnc {
                engine.book.dnc_phone(phone_id(nth), FOREVER);
            }
        }
        engine.handle(now, Input::Leads(vec![stage::row(campaign, case, at, Stand::default())]));
        let phones = case.customer.phones.len();
        Self { campaign, engine, stand: Stand::default(), others: Vec::new(), attempts: 0, phones }
    }

    fn happens(&mut self, now: Now, what: &'a Past) {
        match what {
            Past::Said(said) => self.said(now, *said),
            Past::Attempt { campaign: None, phone, result: Some(result), disposition, callback_at } => {
                let (disposition, callback_at) = (disposition.clone(), *callback_at);
                let call = TestCall { result: *result, disposition, callback_at };
                self.relive(now, *phone, &call);
            }
            Past::Attempt { campaign, phone, result, disposition, .. } => {
                let campaign = campaign.as_deref().map_or(stage::OWN, |name| self.other(name));
                self.of_another(now, campaign, phone.unwrap_or(0), *result, disposition.as_deref());
            }
        }
    }

    /// An attempt of this campaign: it went out, whatever the gate says of it today.
    fn relive(&mut self, now: Now, phone: Option<u8>, call: &TestCall) {
        let Some(run) = self.engine.runs.get_mut(RUN) else { return };
        if let Some(slot) = phone.and_then(|at| run.phones(LEAD).get(usize::from(at)).copied()) {
            run.leads.set_phone(LEAD, slot.phone);
        }
        let Some(cell) = run.frontier.cell_of(LEAD) else { return };
        run.frontier.remove(LEAD);
        let best = Best { lead: LEAD, cell, tier: 0, index_value: 0.0 };
        if !self.engine.wish(now, RUN, Chosen { best, explore: false, propensity: 1.0 }) {
            return;
        }
        let Some(attempt) = self.engine.lives.ids().pop() else { return };
        if let Some(trunk) = self.engine.lives.get(attempt).map(|live| live.trunk) {
            self.engine.line_sent(now, RUN, trunk);
        }
        if let Some(outcome) = stage::end_call(&mut self.engine, now, attempt, call) {
            let state = outcome.lead_state_given(self.engine.book.contact(CONTACT).dnc);
            self.stand = Stand { state, next_phone: outcome.next_phone, next_free: outcome.next_free };
        }
    }

    /// An attempt of which only the ledgers know: another campaign's, or one that still lives.
    fn of_another(
        &mut self,
        now: Now,
        campaign: CampaignIx,
        phone: u8,
        result: Option<CallResult>,
        disposition: Option<&str>,
    ) {
        let phone = phone_id(usize::from(phone).min(self.phones.saturating_sub(1)));
        let meaning = disposition.and_then(|name| self.campaign.dispositions.get(name));
        self.attempts += 1;
        let dial = PastDial {
            attempt: AttemptId(self.attempts),
            at: now.wall,
            campaign,
            phone,
            result,
            contact: meaning.is_some_and(|meaning| meaning.contact == ContactKind::RightParty),
            free: false,
            callback: false,
        };
        self.engine.book.note(CONTACT, dial);
        let then = |wanted: Then| meaning.is_some_and(|meaning: &Meaning| meaning.then.contains(&wanted));
        if let Some(result) = result {
            let refused = meaning.is_some_and(|meaning| meaning.outcome == OutcomeKind::Failure);
            let complained = meaning.is_some_and(|meaning| meaning.complaint);
            let dead = then(Then::PhoneDead) || result == CallResult::VacantNumber;
            self.engine.book.mark(CONTACT, phone, now.wall, Marks::of(result, refused, complained, dead));
        }
        if then(Then::DncCustomer) {
            self.engine.book.dnc_contact(CONTACT, FOREVER);
        }
        if then(Then::DncPhone) {
            self.engine.book.dnc_phone(phone, FOREVER);
        }
    }

    fn said(&mut self, now: Now, said: Said) {
        let marks = match said {
            Said::Declined => Marks { refused: true, ..Marks::default() },
            Said::Complaint => Marks { complained: true, ..Marks::default() },
            Said::OptOut => return self.engine.book.dnc_contact(CONTACT, FOREVER),
        };
        self.engine.book.mark(CONTACT, phone_id(0), now.wall, marks);
    }

    fn other(&mut self, name: &'a str) -> CampaignIx {
        let at = self.others.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.others.push(name);
            self.others.len() - 1
        });
        CampaignIx(at as u16 + 1)
    }

    fn record(mut self, case: &TestCase) -> Record {
        let mark = match case.customer.dnc {
            Some(TestDnc::Forever) => FOREVER,
            Some(TestDnc::Until(until)) => Some(DncMark { until: Some(until) }),
            None => None,
        };
        if let Some(mark) = mark {
            self.engine.book.dnc_contact(CONTACT, Some(mark));
        }
        let phones = (0..self.phones).map(|nth| (phone_id(nth), self.engine.book.phone(phone_id(nth)).clone()));
        let page = LedgerPage {
            contacts: vec![(CONTACT, self.engine.book.contact(CONTACT).clone())],
            phones: phones.collect(),
        };
        Record { page, stand: self.stand }
    }
}
