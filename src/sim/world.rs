//! The pump of a simulated world: the same engine, with a carrier, a store and two clocks that misbehave on purpose.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, LeadId, LegId, Now, Rng, Tick, TrunkIx, Wall};
use crate::call::{LegCommand, LegEvent};
use crate::campaign::Campaign;
use crate::contact::Row;
use crate::engine::{DncSubject, Engine, Input, OperatorCommand, Output, Recorder, StoreReply, StoreRequest, day_of};
use crate::gate::DncMark;

use super::bill::Bill;
use super::carrier::Carrier;
use super::clock::SimClock;
use super::model_import::ModelList;
use super::model_store::{Fault, ModelAttempt, ModelStore, ModelSubject};
use super::population::Population;
use super::scenario::{Draft, Scenario};
use super::witness::{Violation, Witness};

/// Runs one scenario from its seed. The same seed gives the same report, byte for byte.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    rng: Rng,
    clock: SimClock,
    /// In force, and how many there were before it.
    draft: Draft,
    reloads: usize,
    /// Whose leads this life of the engine has, and judged by what.
    known: BTreeMap<CampaignIx, Arc<Campaign>>,
    store: ModelStore,
    engine: Engine,
    carrier: Carrier,
    witness: Witness,
    /// Of each trunk, and over which one an attempt went last.
    bills: Vec<Bill>,
    billed: BTreeMap<AttemptId, TrunkIx>,
    /// What the engine said and nobody has carried out yet, in order.
    outbox: VecDeque<Output>,
    recorder: Option<Recorder>,
    /// Of the engine's lives that are over, where they are kept.
    journals: Option<Vec<Vec<u8>>>,
    /// Requests that no commit has taken yet, in order.
    inbox: Vec<StoreRequest>,
    /// A commit under way: when it is through, and what it holds.
    committing: Option<(Tick, Vec<StoreRequest>)>,
    law: Wall,
    lives: u64,
    next_fault: Tick,
    jumped_at: Tick,
    report: Report,
}

/// What happened, for people and for comparing runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub steps: u64,
    pub rang: usize,
    pub crashes: u32,
    pub doubts: u32,
    pub jumps: u32,
    pub reloads: u32,
    /// Calls that rang over another trunk than their first.
    pub rerouted: usize,
    pub violations: Vec<Violation>,
    /// FNV over every output of the engine in order: two runs with the same number decided the same.
    pub fingerprint: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    Commit,
    Carrier,
    Fault,
    Engine,
}

impl World {
    /// Far more than any scenario takes: a machine that wakes itself for ever is a bug, not a hang.
    const MAX_STEPS: u64 = 3_000_000;
    const HOUR: Duration = Duration::from_hours(1);

    pub fn new(scenario: Scenario) -> Self {
        let mut rng = Rng::seeded(scenario.seed ^ 0x5157_0AFE);
        let clock = SimClock::starting(scenario.start);
        let people = Population { seed: rng.u64(), ..Population::default() };
        let mut world = Self {
            engine: Engine::new(clock.now(), scenario.config.clone()),
            store: ModelStore::default(),
            carrier: Carrier::new(people),
            witness: Witness::default(),
            bills: scenario
                .config
                .trunks
                .iter()
                .map(|trunk| Bill::new(trunk.spend, scenario.config.zone.clone()))
                .collect(),
            billed: BTreeMap::new(),
            outbox: VecDeque::new(),
            recorder: None,
            journals: None,
            inbox: Vec::new(),
            committing: None,
            law: clock.now().wall,
            lives: 0,
            next_fault: Tick(0),
            jumped_at: Tick(0),
            report: Report { seed: scenario.seed, fingerprint: 0xCBF2_9CE4_8422_2325, ..Report::default() },
            rng,
            clock,
            draft: scenario.draft.clone(),
            reloads: 0,
            known: BTreeMap::new(),
            scenario,
        };
        world.load_lists();
        world.start();
        world
    }

    /// As [`World::run`], with the input journal of every life of the engine.
    pub fn run_recorded(mut self) -> (Report, Vec<Vec<u8>>) {
        self.journals = Some(Vec::new());
        // The engine was told its first inputs already: it starts anew.
        self.crash();
        let mut world = self.live_through();
        world.close_journal();
        let journals = world.journals.take().unwrap_or_default();
        (world.last_questions(), journals)
    }

    fn close_journal(&mut self) {
        if let (Some(mut recorder), Some(journals)) = (self.recorder.take(), &mut self.journals) {
            recorder.end("stopped");
            journals.push(recorder.take());
        }
    }

    /// Every output is noted under the input that it follows, before the next input.
    fn tell(&mut self, now: Now, input: Input) {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, &input);
        }
        self.engine.handle(now, input);
        while let Some(output) = self.engine.poll_output() {
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            self.outbox.push_back(output);
        }
    }

    fn load_lists(&mut self) {
        for ((_, campaign), rows) in self.scenario.draft.campaigns.iter().zip(&self.scenario.lists) {
            let ix = self.store.campaign_ix(&campaign.name);
            let digest = [ix.0 as u8; 32];
            self.store.import(ModelList { campaign: ix, digest, expires: None }, rows);
        }
        let rows = self.scenario.lists.iter().flatten();
        let homes = rows.filter_map(|row| Some((self.store.find_contact(&row.key)?, row.zones.clone())));
        let max_cps = self.scenario.config.trunks.iter().map(|trunk| trunk.max_cps).collect();
        self.witness = Witness::new(max_cps, homes);
    }

    /// To the end of the scenario, then to rest, then the last questions.
    pub fn run(self) -> Report {
        self.live_through().last_questions()
    }

    fn live_through(mut self) -> Self {
        let days = Duration::from_hours(24) * self.scenario.days;
        let end = Tick(0) + days;
        while self.clock.now().tick < end && self.report.steps < Self::MAX_STEPS && self.report.violations.is_empty() {
            self.step(end);
        }
        self.settle(end);
        self
    }

    fn last_questions(mut self) -> Report {
        let law = self.law;
        let results = |attempt: &ModelAttempt| attempt.outcomes.iter().map(|outcome| outcome.result).collect();
        let outcomes = self.store.attempts().iter().map(|(id, attempt)| (*id, results(attempt))).collect();
        self.witness.closed(law, &outcomes);
        self.report.rang = self.witness.rang.len();
        self.report.rerouted = self.witness.rerouted;
        self.report.violations.append(&mut self.witness.violations);
        self.report
    }

    fn step(&mut self, end: Tick) {
        self.report.steps += 1;
        let (at, wake) = self.next_wake(end);
        self.clock.advance_to(at);
        let now = self.clock.now();
        self.law = self.law.max(now.wall);
        if wake == Wake::Carrier {
            self.watch();
        }
        match wake {
            Wake::Commit => self.commit(),
            Wake::Carrier => {
                if let Some((leg, event)) = self.carrier.next(now) {
                    if let Some(bill) = bill_of(&mut self.bills, &self.billed, leg.0) {
                        bill.heard(leg.0, &event, now.wall);
                    }
                    self.tell(now, Input::Leg(leg, event));
                }
            }
            Wake::Fault => self.misbehave(),
            Wake::Engine => self.tell(now, Input::Timeout),
        }
        self.drain();
        self.report.violations.append(&mut self.witness.violations);
    }

    fn next_wake(&self, end: Tick) -> (Tick, Wake) {
        let commit = self.committing.as_ref().map(|(at, _)| (*at, Wake::Commit));
        let carrier = self.carrier.next_at().map(|at| (at, Wake::Carrier));
        let engine = self.engine.poll_timeout().map(|(at, _)| (at, Wake::Engine));
        let fault = Some((self.next_fault, Wake::Fault));
        [commit, carrier, engine, fault].into_iter().flatten().min().unwrap_or((end, Wake::Engine))
    }

    /// No more faults, nothing new: what is under way comes to its end, and one more restart finds what was in doubt.
    fn settle(&mut self, end: Tick) {
        self.next_fault = Tick::MAX;
        self.scenario.commit_trouble = 0.0;
        self.tell(self.clock.now(), Input::Command(OperatorCommand::Drain));
        self.drain();
        let deadline = end + Self::HOUR;
        while (self.engine.live_attempts() > 0 || self.committing.is_some()) && self.clock.now().tick < deadline {
            self.step(deadline);
        }
        self.reopen();
    }

    /// Brings everything that the engine asks for to where it belongs.
    fn drain(&mut self) {
        while let Some(output) = self.outbox.pop_front() {
            self.fingerprint(&output);
            match output {
                Output::Store(request) => self.inbox.push(request),
                Output::Leg(leg, command) => self.leg(leg, &command),
                Output::Count(_) => {}
            }
        }
        if self.committing.is_none() && !self.inbox.is_empty() {
            let latency = Duration::from_micros(u64::from(500 + self.rng.below(25_000)));
            let slow = if self.rng.chance(0.002) { Duration::from_millis(700) } else { Duration::ZERO };
            let batch = self.inbox.drain(..self.inbox.len().min(256)).collect();
            self.committing = Some((self.clock.now().tick + latency + slow, batch));
        }
    }

    fn leg(&mut self, leg: LegId, command: &LegCommand) {
        let now = self.clock.now();
        let LegCommand::Dial(dial) = command else { return self.carrier.command(now, leg, command) };
        let Some(intent) = self.witness.intent(leg.0) else { return };
        let zone = intent.phone_zones.first().copied().unwrap_or_default();
        let decided = intent.decided.wall;
        let (phone, hour) = (intent.phone, intent.zones.local(zone, now.wall).hour().unsigned_abs());
        let event = if self.rng.chance(self.scenario.trunk_trouble) {
            let after = self.rng.chance(0.7).then(|| Duration::from_millis(u64::from(1 + self.rng.below(400))));
            self.carrier.turn_away(now, leg, dial, after)
        } else {
            let event = self.carrier.dial(now, leg, dial, phone, hour);
            if event == LegEvent::Sent {
                self.witness.rings(leg.0, self.law, now.tick);
            }
            event
        };
        if event == LegEvent::Sent {
            self.witness.sent(leg.0, dial.trunk, self.law, now.tick);
            self.bill(leg.0, dial.trunk, decided);
        }
        self.tell(now, Input::Leg(leg, event));
    }

    fn bill(&mut self, attempt: AttemptId, trunk: TrunkIx, decided: Wall) {
        let Some(authorised) = self.store.attempts().get(&attempt).map(|attempt| attempt.at) else { return };
        self.billed.insert(attempt, trunk);
        let bill = self.bills.get_mut(trunk.ix());
        if let Some(what) = bill.and_then(|bill| bill.dialled(attempt, authorised, decided)) {
            self.report.violations.push(Violation { at: decided, what });
        }
    }

    fn commit(&mut self) {
        let Some((_, batch)) = self.committing.take() else { return };
        let now = self.clock.now();
        let trouble = self.rng.chance(self.scenario.commit_trouble);
        let fault = match (trouble, self.rng.chance(0.5)) {
            (false, _) => Fault::None,
            (true, true) => Fault::Before,
            (true, false) => Fault::After,
        };
        if let Some(replies) = self.write(&batch, fault) {
            return self.tell(now, Input::Stored(replies));
        }
        // In doubt: authorisations are not used; everything else is written again until it is certain.
        self.report.doubts += 1;
        let mut again = Vec::new();
        let mut replies = Vec::new();
        for request in batch {
            match request {
                StoreRequest::Authorise(intent) | StoreRequest::Reroute(intent) => {
                    replies.push(StoreReply::Doubt { attempt: intent.attempt });
                }
                StoreRequest::Finish(_) | StoreRequest::Dnc(_) | StoreRequest::Slot(_) => again.push(request),
            }
        }
        again.append(&mut self.inbox);
        self.inbox = again;
        self.tell(now, Input::Stored(replies));
    }

    /// `None` if nobody hears whether it was written. The witness knows what the disk has.
    fn write(&mut self, batch: &[StoreRequest], fault: Fault) -> Option<Vec<StoreReply>> {
        let now = self.clock.now();
        if fault == Fault::Before {
            return None;
        }
        let replies = self.store.commit(now, batch, Fault::None).ok()?.replies;
        self.tell_witness(batch, &replies);
        (fault == Fault::None).then_some(replies)
    }

    fn tell_witness(&mut self, batch: &[StoreRequest], replies: &[StoreReply]) {
        let tick = self.clock.now().tick;
        for (request, reply) in batch.iter().zip(replies) {
            match (request, reply) {
                (StoreRequest::Authorise(intent), StoreReply::Authorised { .. }) => {
                    self.witness.authorised((**intent).clone());
                }
                (StoreRequest::Reroute(intent), StoreReply::Authorised { .. }) => {
                    self.witness.moved((**intent).clone());
                }
                (StoreRequest::Dnc(dnc), _) => match dnc.subject {
                    DncSubject::Contact(contact) => self.witness.dnc_contact(contact, tick),
                    DncSubject::Phone(phone) => self.witness.dnc_phone(phone, tick),
                },
                (
                    StoreRequest::Authorise(_)
                    | StoreRequest::Reroute(_)
                    | StoreRequest::Finish(_)
                    | StoreRequest::Slot(_),
                    _,
                ) => {}
            }
        }
    }

    /// Nothing rings past closing time. A CANCEL takes a moment, and a clock that jumped is noticed by the heartbeat.
    fn watch(&mut self) {
        if self.clock.now().tick.since(self.jumped_at) < Duration::from_millis(1_200) {
            return;
        }
        let before = self.law - Duration::from_millis(30);
        for leg in self.carrier.ringing().collect::<Vec<_>>() {
            self.witness.still_rings(leg.0, before);
        }
    }

    fn misbehave(&mut self) {
        let s = &self.scenario;
        let rates = [s.crashes_per_hour, s.clock_jumps_per_hour, s.dnc_per_hour, s.pauses_per_hour, s.reloads_per_hour];
        let total: f64 = rates.iter().sum();
        let mut draw = self.rng.f64() * total;
        // The first call only draws the time of the first fault.
        if self.next_fault > Tick(0) && total > 0.0 {
            let which = rates.iter().position(|rate| {
                draw -= rate;
                draw < 0.0
            });
            match which {
                Some(0) => self.crash(),
                Some(1) => self.jump(),
                Some(2) => self.dnc(),
                Some(3) => self.pause(),
                Some(4) => self.reload(),
                _ => {}
            }
        }
        let mean_s = if total > 0.0 { 3_600.0 / total } else { 1e9 };
        let wait = Duration::from_secs_f64(self.rng.exponential(mean_s).clamp(0.01, 1e9));
        self.next_fault = self.clock.now().tick + wait;
    }

    /// The process dies between two steps: what was not committed is gone, perhaps what was being committed too.
    fn crash(&mut self) {
        self.report.crashes += 1;
        if let Some((_, batch)) = self.committing.take()
            && self.rng.chance(0.5)
        {
            self.write(&batch, Fault::After);
        }
        self.inbox.clear();
        self.carrier.drop_all();
        let down = Duration::from_millis(u64::from(200 + self.rng.below(60_000)));
        self.clock.advance_to(self.clock.now().tick + down);
        self.start();
    }

    fn start(&mut self) {
        self.lives += 1;
        let now = self.clock.now();
        self.reopen();
        let mut config = self.scenario.config.clone();
        config.seed = config.seed.wrapping_add(self.lives.wrapping_mul(0x9E37_79B9));
        let began = Now { wall: now.wall.max(self.store.high_water()), ..now };
        // What the dead process saw on the wall and never wrote down, nobody knows any more.
        self.law = began.wall;
        self.close_journal();
        if self.journals.is_some() {
            self.recorder = Some(Recorder::new("sim", began, &config));
        }
        self.engine = Engine::new(began, config);
        self.known.clear();
        let (since, _) = day_of(&self.scenario.config.zone, began.wall);
        self.tell(now, Input::Talked { since, calls: self.store.talked_since(since) });
        self.tell(now, Input::Ledgers(self.store.ledgers(now)));
        self.tell_plan(now);
        self.drain();
    }

    /// As the daemon does: leads are read where nobody has judged them by these rules.
    fn tell_plan(&mut self, now: Now) {
        if let Some(recorder) = &mut self.recorder {
            recorder.files(&self.draft.folder);
        }
        let campaigns = self.draft.campaigns.clone();
        self.witness.rules(&campaigns, now.tick);
        self.tell(now, Input::Plan(campaigns.clone(), self.draft.zones.clone()));
        for (ix, campaign) in campaigns {
            let known = self.known.insert(ix, Arc::clone(&campaign));
            if known.is_none() {
                self.tell(now, Input::Heard(ix, self.store.heard_since(ix, Wall(0))));
            }
            if known.is_none_or(|known| !known.judges_as(&campaign)) {
                self.tell(now, Input::Leads(self.store.leads(ix, LeadId(0), usize::MAX)));
                self.tell(now, Input::LeadsRead(ix));
            }
        }
    }

    /// As a new process does: a new epoch, and whatever the old one left alive is closed as unknown.
    fn reopen(&mut self) {
        let now = self.clock.now();
        let trunks: Vec<String> = self.scenario.config.trunks.iter().map(|trunk| trunk.name.clone()).collect();
        self.store.crash();
        self.store.begin(&trunks, now);
        for (id, _) in self.store.attempts().iter().filter(|(_, attempt)| attempt.outcomes.is_empty()) {
            if let Some(bill) = bill_of(&mut self.bills, &self.billed, *id) {
                bill.lost(*id);
            }
        }
        if self.store.recover(now).is_err() {
            self.report.violations.push(Violation { at: now.wall, what: "recovery was refused".to_owned() });
        }
    }

    fn jump(&mut self) {
        self.report.jumps += 1;
        self.jumped_at = self.clock.now().tick;
        let by = Duration::from_secs(u64::from(1 + self.rng.below(7_200)));
        if self.rng.chance(0.5) { self.clock.jump_ahead(by) } else { self.clock.jump_back(by) }
    }

    /// Somebody says no by another channel. It is written beside the running engine, which hears of it a moment later.
    fn dnc(&mut self) {
        let now = self.clock.now();
        let rows: Vec<&Row> = self.scenario.lists.iter().flatten().collect();
        let Some(key) = rows.get(self.rng.below(rows.len() as u32) as usize).map(|row| row.key.clone()) else { return };
        let Some(contact) = self.store.find_contact(&key) else { return };
        self.store.dnc_add(ModelSubject::Customer(key), None);
        self.witness.dnc_contact(contact, now.tick);
        if self.rng.chance(0.8) {
            let mark = Some(DncMark { until: None });
            self.tell(now, Input::Command(OperatorCommand::DncContact(contact, mark)));
        }
    }

    fn pause(&mut self) {
        let at = self.rng.below(self.draft.campaigns.len() as u32) as usize;
        let Some(ix) = self.draft.campaigns.get(at).map(|(ix, _)| *ix) else { return };
        let command = if self.rng.chance(0.4) { OperatorCommand::Pause(ix) } else { OperatorCommand::Resume(ix) };
        self.tell(self.clock.now(), Input::Command(command));
    }

    /// Somebody saves the folder: all of it is swapped at once, under whatever is on the line.
    fn reload(&mut self) {
        let later = &self.scenario.later;
        let Some(draft) = later.get(self.reloads.checked_rem(later.len()).unwrap_or_default()) else { return };
        self.draft = draft.clone();
        self.reloads += 1;
        self.report.reloads += 1;
        self.tell_plan(self.clock.now());
    }

    fn fingerprint(&mut self, output: &Output) {
        for byte in format!("{output:?}").bytes() {
            self.report.fingerprint = (self.report.fingerprint ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}

/// Of the trunk over which it went last.
fn bill_of<'a>(
    bills: &'a mut [Bill],
    billed: &BTreeMap<AttemptId, TrunkIx>,
    attempt: AttemptId,
) -> Option<&'a mut Bill> {
    bills.get_mut(billed.get(&attempt)?.ix())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {} steps, {} rang, {} crashes, {} commits in doubt, {} clock jumps, {} reloads",
            self.seed, self.steps, self.rang, self.crashes, self.doubts, self.jumps, self.reloads
        )?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}
