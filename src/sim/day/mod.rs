//! Days of one campaign in virtual time, for tests: the engine, the model store, and a line that does as it is told.

mod callbacks;
mod detours;
mod experiments;
mod groups;
mod guards;
mod phones;
mod slots;
mod spend;
mod trunks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, LeadId, LegId, Now, PhoneId, Pii, Tick, TrunkIx, Wall};
use crate::call::{Digit, LegCommand, LegEnd, LegEvent, NotSent, ReleaseSide, TrunkState};
use crate::campaign::{Folder, Plan, load};
use crate::contact::{CallResult, ClosedWhy, Columns, Row};
use crate::engine::{Engine, EngineConfig, Input, OperatorCommand, Outcome, Output, StoreRequest, day_of};

use super::{Fault, ModelList, ModelStore};

const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [marketing]\n\
     sources: [\"of a test\"]\nconsent: not_refused\n\
     calling_hours: { mon-sun: [\"09:00-20:00\"], holidays: open }\nattempts: { max: 9, max_per_day: 9 }\n";

const CAMPAIGN: &str = r#"schema: goldenhour/v1
campaign: c
title: c
scenario: activation
purpose: marketing
owner: nobody
status: active
use: { policy: p@1 }
list: { key: key, phones: [mobile, home], model: { score: score } }
calling_hours: { fallback_zone: Asia/Shanghai }
pacing: { mode: agentless, ring: 30s }
flow:
  start: ask
  steps:
    ask: { collect: { digits: 1, timeout: 5s, tries: 1 }, on: { "1": accept, "2": at-three, "3": soon, "4": some-day, "5": not-now, "9": never, timeout: bye } }
    accept: { disposition: accepted, then: hangup }
    at-three: { disposition: thinking, callback: "15:00", then: hangup }
    soon: { disposition: thinking, callback: 2h, then: hangup }
    some-day: { disposition: thinking, then: hangup }
    not-now: { disposition: not_now, then: hangup }
    never: { disposition: declined, then: hangup }
    bye: { then: hangup }
dispositions:
  accepted: { outcome: success, contact: right_party, then: final }
  declined: { outcome: failure, contact: right_party, then: final }
  thinking: { outcome: neutral, contact: right_party, then: callback }
  not_now: { outcome: failure, contact: wrong_party, then: retry }
"#;

/// What the callee does. Whoever is dialled when no more is planned lets it ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callee {
    /// Answers after three seconds and presses this key.
    Presses(char),
    Gives(CallResult),
    /// Until it is taken back, or its time to ring is over.
    Rings,
    /// Nobody hears of it: after so many milliseconds the trunk says 503 before anything else.
    TurnedAway(u64),
    /// The line sends nothing: the trunk is down by now.
    NotSent,
    /// Nobody signs it, and the trunk takes nothing else.
    Unsigned,
}

/// One phone that was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialled {
    pub(super) at: Wall,
    pub(super) leg: LegId,
    pub(super) phone: PhoneId,
    pub(super) trunk: TrunkIx,
    pub(super) hop: u8,
}

pub(super) struct Day {
    plan: Plan,
    config: EngineConfig,
    engine: Engine,
    pub(super) store: ModelStore,
    pub(super) now: Now,
    legs: BTreeMap<(Tick, u64), (LegId, LegEvent)>,
    answered: BTreeMap<LegId, bool>,
    phones: BTreeMap<AttemptId, PhoneId>,
    serial: u64,
    callees: VecDeque<Callee>,
    inbox: Vec<StoreRequest>,
    commit_at: Option<Tick>,
    /// From a request to its answer.
    pub(super) disk: Duration,
    pub(super) dials: Vec<Dialled>,
}

pub(super) fn at(text: &str) -> Wall {
    Wall::parse(text).unwrap()
}

/// Customer `n` with these numbers, mobile first.
pub(super) fn row(n: u32, phones: &[u32]) -> Row {
    Row {
        line: u64::from(n) + 1,
        key: Pii::new(format!("customer-{n}")),
        phones: phones.iter().map(|phone| Pii::new(format!("+999{:09}", 600_000_000 + phone))).collect(),
        zones: vec!["Asia/Shanghai".to_owned()],
        language: None,
        consent: Some(true),
        tags: Vec::new(),
        attempts_used: 0,
        score: 0.5,
        value: 1.0,
        columns: Columns::default(),
    }
}

impl Day {
    /// `more` are lines of the campaign beside those it has.
    pub(super) fn new(more: &str, rows: &[Row], from: &str) -> Self {
        Self::over(config(), more, rows, from)
    }

    pub(super) fn over(config: EngineConfig, more: &str, rows: &[Row], from: &str) -> Self {
        let mut folder = Folder::default();
        folder.insert("policies/p.yaml", POLICY.as_bytes());
        folder.insert("c.yaml", format!("{CAMPAIGN}{more}").as_bytes());
        let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
        let mut store = ModelStore::default();
        let campaign = store.campaign_ix("c");
        store.import(ModelList { campaign, digest: [1; 32], expires: None }, rows);
        let now = Now { tick: Tick(0), wall: at(from) };
        let mut day = Self {
            engine: Engine::new(now, config.clone()),
            config,
            plan,
            store,
            now,
            legs: BTreeMap::new(),
            answered: BTreeMap::new(),
            phones: BTreeMap::new(),
            serial: 0,
            callees: VecDeque::new(),
            inbox: Vec::new(),
            commit_at: None,
            disk: Duration::from_millis(5),
            dials: Vec::new(),
        };
        day.restart();
        day
    }

    /// The process dies where it stands, and another one takes over.
    pub(super) fn restart(&mut self) {
        self.store.crash();
        let trunks: Vec<String> = self.config.trunks.iter().map(|trunk| trunk.name.clone()).collect();
        self.store.begin(&trunks, self.now);
        self.store.recover(self.now).unwrap();
        self.legs.clear();
        self.inbox.clear();
        self.commit_at = None;
        self.engine = Engine::new(self.now, self.config.clone());
        let (since, _) = day_of(&self.config.zone, self.now.wall);
        let shown = self.store.shown_since(since).into_iter();
        let counts = shown.map(|(number, count)| (Arc::from(number), count)).collect();
        self.tell(Input::Shown { since, counts });
        let calls = self.store.talked_since(since);
        self.tell(Input::Talked { since, calls });
        let campaign = Arc::clone(&self.plan.campaigns[0]);
        self.tell(Input::Plan(vec![(CampaignIx(0), campaign)], self.plan.zones.clone()));
        self.tell(Input::Heard(CampaignIx(0), self.store.heard_since(CampaignIx(0), Wall(0))));
        self.tell(Input::Ledgers(self.store.ledgers(self.now)));
        let leads = self.store.leads(CampaignIx(0), LeadId(0), usize::MAX);
        self.tell(Input::Leads(leads));
    }

    pub(super) fn callees(&mut self, callees: &[Callee]) {
        self.callees.extend(callees);
    }

    pub(super) fn command(&mut self, command: OperatorCommand) {
        self.tell(Input::Command(command));
    }

    pub(super) fn trunk_stands(&mut self, trunk: TrunkIx, state: TrunkState) {
        self.tell(Input::Trunk(trunk, state));
    }

    /// The wall clock is set ahead; the monotonic one is not.
    pub(super) fn jump_ahead(&mut self, by: Duration) {
        self.now.wall = self.now.wall + by;
    }

    pub(super) fn until(&mut self, wall: &str) {
        self.pass(at(wall).since(self.now.wall));
    }

    pub(super) fn pass(&mut self, by: Duration) {
        let end = self.now.tick + by;
        // Far more than any of these days takes: a machine that wakes itself for ever is red, not a hang.
        for _ in 0..2_000_000 {
            let leg = self.legs.first_key_value().map(|((at, _), _)| *at);
            let engine = self.engine.poll_timeout().map(|(at, _)| at);
            let next = [leg, engine, self.commit_at].into_iter().flatten().min().unwrap_or(end);
            let next = next.max(self.now.tick);
            let step = next.min(end);
            self.now = self.now.plus(step.since(self.now.tick));
            if next > end {
                return;
            }
            self.step();
        }
        panic!("it wakes itself for ever at {:?}", self.now);
    }

    /// When which phone was dialled, on the clock of Shanghai.
    pub(super) fn dialled(&self) -> Vec<(String, u32)> {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let shown = |dial: &Dialled| zone.to_datetime(dial.at.timestamp()).strftime("%d %H:%M").to_string();
        self.dials.iter().map(|dial| (shown(dial), dial.phone.0)).collect()
    }

    /// Of the attempts so far, in their order.
    pub(super) fn results(&self) -> Vec<CallResult> {
        self.outcomes().map(|outcome| outcome.result).collect()
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.store.attempts().values().filter_map(|attempt| attempt.outcomes.last())
    }

    /// Calls under way on each trunk, as the engine counts them.
    pub(super) fn lines(&self) -> Vec<u32> {
        self.engine.trunk_lines().collect()
    }

    /// Numbers of each trunk that are shown no more today.
    pub(super) fn used_up(&self) -> Vec<usize> {
        self.engine.caller_ids_used_up().collect()
    }

    pub(super) fn engine_live(&self) -> usize {
        self.engine.live_attempts()
    }

    pub(super) fn closed(&self) -> Vec<ClosedWhy> {
        self.store.lead_counts(CampaignIx(0)).2.into_keys().collect()
    }

    fn step(&mut self) {
        if self.commit_at.is_some_and(|at| at <= self.now.tick) {
            self.commit_at = None;
            let batch = std::mem::take(&mut self.inbox);
            let committed = self.store.commit(self.now, &batch, Fault::None).unwrap();
            return self.tell(Input::Stored(committed.replies));
        }
        let due = self.legs.first_key_value().map(|(key, _)| *key).filter(|(at, _)| *at <= self.now.tick);
        match due.and_then(|key| self.legs.remove(&key)) {
            Some((leg, event)) => self.tell(Input::Leg(leg, event)),
            None => self.tell(Input::Timeout),
        }
    }

    fn tell(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Store(request) => {
                    if let StoreRequest::Authorise(intent) | StoreRequest::Reroute(intent) = &request {
                        self.phones.insert(intent.attempt, intent.phone);
                    }
                    self.inbox.push(request);
                    self.commit_at.get_or_insert(self.now.tick + self.disk);
                }
                Output::Leg(leg, command) => self.leg(leg, &command),
                Output::Count(_) => {}
            }
        }
    }

    fn leg(&mut self, leg: LegId, command: &LegCommand) {
        const SECOND: Duration = Duration::from_secs(1);
        match command {
            LegCommand::Dial(dial) => {
                self.dials.push(Dialled {
                    at: self.now.wall,
                    leg,
                    phone: self.phones[&leg.0],
                    trunk: dial.trunk,
                    hop: dial.hop,
                });
                let callee = self.callees.pop_front().unwrap_or(Callee::Rings);
                match callee {
                    Callee::TurnedAway(_) => self.report(Duration::ZERO, leg, LegEvent::Sent),
                    Callee::NotSent | Callee::Unsigned => {}
                    Callee::Presses(_) | Callee::Gives(_) | Callee::Rings => {
                        self.report(Duration::ZERO, leg, LegEvent::Sent);
                        self.report(SECOND, leg, LegEvent::Ringing);
                    }
                }
                match callee {
                    Callee::TurnedAway(ms) => self.report(Duration::from_millis(ms), leg, turned_away()),
                    Callee::NotSent => self.report(Duration::ZERO, leg, LegEvent::NotSent(NotSent::TrunkDown)),
                    Callee::Unsigned => self.report(Duration::ZERO, leg, LegEvent::NotSent(NotSent::NotSigned)),
                    Callee::Presses(key) => {
                        self.answered.insert(leg, true);
                        self.report(3 * SECOND, leg, LegEvent::Answered);
                        self.report(4 * SECOND, leg, LegEvent::Digit(Digit::new(key).unwrap()));
                    }
                    Callee::Gives(result) => self.report(2 * SECOND, leg, ended(Some(result))),
                    Callee::Rings => self.report(SECOND + dial.ring, leg, ended(Some(CallResult::NoAnswer))),
                }
            }
            LegCommand::Hangup => {
                self.legs.retain(|_, (of, _)| *of != leg);
                let unanswered = (!self.answered.contains_key(&leg)).then_some(CallResult::NoAnswer);
                self.report(Duration::from_millis(20), leg, ended(unanswered));
            }
            LegCommand::Play(_) | LegCommand::StopPlay | LegCommand::Refer { .. } => {}
        }
    }

    fn report(&mut self, after: Duration, leg: LegId, event: LegEvent) {
        self.serial += 1;
        self.legs.insert((self.now.tick + after, self.serial), (leg, event));
    }
}

fn ended(unanswered: Option<CallResult>) -> LegEvent {
    LegEvent::Ended(LegEnd {
        unanswered,
        sip_status: None,
        q850: None,
        by: ReleaseSide::Them,
        media: None,
        unheard: false,
    })
}

fn turned_away() -> LegEvent {
    let (unanswered, by) = (Some(CallResult::TrunkRefused), ReleaseSide::Them);
    LegEvent::Ended(LegEnd { unanswered, sip_status: Some(503), q850: None, by, media: None, unheard: true })
}

/// One trunk, `gw`.
pub(super) fn config() -> EngineConfig {
    crate::engine::testing::config(9, 9)
}
