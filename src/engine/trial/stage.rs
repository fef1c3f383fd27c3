//! What a trial stands on: an engine with lines and seats to spare, one lead, and a call that ends as the test says.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, Now, PhoneId, Split, Tick, Wall};
use crate::call::{Finished, Progress, ReleaseSide};
use crate::campaign::{Campaign, Experiment, Promise, TestCall, TestCase};
use crate::contact::{CallResult, LeadState, Zones};
use crate::engine::{
    Engine, EngineConfig, Input, LeadRow, Outcome, Output, PhoneRow, QueueSpec, StoreRequest, TrunkSpec,
};
use crate::schedule::LeadIx;

/// The campaign under test, the one contact, and its one lead, which is the first of the first run.
pub(super) const OWN: CampaignIx = CampaignIx(0);
pub(super) const CONTACT: ContactId = ContactId(1);
pub(super) const RUN: usize = 0;
pub(super) const LEAD: LeadIx = LeadIx(0);

const PLENTY: u32 = 1_000;

/// Where the lead stands when it is handed to an engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) state: LeadState,
    pub(super) next_phone: u8,
    pub(super) next_free: bool,
}

impl Default for Stand {
    fn default() -> Self {
        Self { state: LeadState::Waiting { until: Wall::default() }, next_phone: 0, next_free: false }
    }
}

/// It has the plan, and nobody to call yet.
pub(super) fn engine(campaign: &Arc<Campaign>, zones: &Zones, at: Wall) -> Engine {
    let now = Now { tick: Tick::default(), wall: at };
    let mut engine = Engine::new(now, config(campaign));
    engine.handle(now, Input::Plan(vec![(OWN, Arc::clone(campaign))], zones.clone()));
    engine
}

/// A trunk and queues of the names that the campaign uses: a test asks whom it calls, not whether a line is free.
fn config(campaign: &Campaign) -> EngineConfig {
    let numbers: Arc<[Arc<str>]> = ["+999100000001".into()].into();
    let pools = campaign.caller_id_pool.iter().map(|pool| (pool.clone(), Arc::clone(&numbers)));
    let queue = |name: &str| QueueSpec { name: name.to_owned(), uri: format!("sip:{name}@127.0.0.1"), seats: PLENTY };
    EngineConfig {
        seed: 1,
        trunks: vec![TrunkSpec {
            shown_max: BTreeMap::new(),
            spend: None,
            reach: Arc::new(crate::base::Reach::of_country(None, &[])),
            name: campaign.trunk.group.clone().unwrap_or_else(|| "trial".to_owned()),
            live: true,
            max_calls: PLENTY,
            max_cps: PLENTY,
            pools: pools.collect::<BTreeMap<_, _>>(),
            caller_ids: numbers,
        }],
        groups: Vec::new(),
        queues: campaign.queues().into_iter().map(queue).collect(),
        test_numbers_only: false,
        zone: jiff::tz::TimeZone::UTC,
        wall_rate: 1.0,
        permit: EngineConfig::PERMIT,
    }
}

pub(super) fn row(campaign: &Campaign, case: &TestCase, at: Wall, stand: Stand) -> LeadRow {
    let customer = &case.customer;
    let phones = customer.phones.iter().enumerate().map(|(nth, phone)| PhoneRow {
        phone: phone_id(nth),
        is_test: true,
        dead: phone.dead,
        zones: phone.zones.clone(),
    });
    LeadRow {
        lead: LeadId(1),
        contact: CONTACT,
        split: campaign.experiment.as_ref().map_or(Split::default(), |experiment| {
            experiment.someone_in(case.arm.as_deref().unwrap_or(Experiment::CHAMPION))
        }),
        campaign_ix: OWN,
        list: ListId(1),
        list_expires: campaign.list.expires_after.map(|after| (at - customer.list_age) + after),
        phones: phones.collect(),
        score: customer.score,
        value: customer.value,
        consent: customer.consent,
        attempts_used: customer.attempts_used,
        columns: customer.columns.clone(),
        state: stand.state,
        next_phone: stand.next_phone,
        next_free: stand.next_free,
    }
}

pub(super) fn phone_id(nth: usize) -> PhoneId {
    PhoneId(nth as u32 + 1)
}

/// The attempt ends as the test says, through what the engine does at the end of every attempt.
pub(super) fn end_call(engine: &mut Engine, now: Now, attempt: AttemptId, call: &TestCall) -> Option<Outcome> {
    if let Some(disposition) = &call.disposition {
        engine.noted(now, attempt, disposition);
    }
    engine.finish(now, attempt, finished(now, call));
    let mut outcome = None;
    while let Some(output) = engine.poll_output() {
        if let Output::Store(StoreRequest::Finish(found)) = output {
            outcome = Some(*found);
        }
    }
    outcome
}

/// A call that takes no time: what follows counts from the moment of the test.
fn finished(now: Now, call: &TestCall) -> Finished {
    let answered = matches!(call.result, CallResult::Answered | CallResult::Machine | CallResult::Abandoned);
    Finished {
        result: call.result,
        not_sent: None,
        progress: Progress {
            sent: Some(now.wall),
            answered: answered.then_some(now.wall),
            ended: Some(now.wall),
            disposition: call.disposition.as_deref().map(Arc::from),
            callback: call.callback_at.map(Promise::At),
            ..Progress::default()
        },
        sip_status: None,
        q850: None,
        by: ReleaseSide::Nobody,
        media: None,
    }
}
