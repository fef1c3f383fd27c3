//! The pump of a rehearsal: one run, from the first midnight to the last.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, LeadId, LegId, Now, QueueIx, Rng, Tick, Wall};
use crate::call::{LegCommand, LegEvent};
use crate::contact::{CallResult, ContactKind, OutcomeKind};
use crate::engine::{DncSubject, Engine, Input, Intent, OperatorCommand, Outcome, Output, StoreReply, StoreRequest};
use crate::sim::carrier::Carrier;

use super::crowd::{Crowd, Stance};
use super::desk::{Desk, Handed};
use super::figures::{QueueFigures, RunFigures, SegmentFigures};
use super::records::{AttemptRecord, Note, Record};
use super::shelf::Shelf;
use super::uncalled::uncalled;
use super::watch::Watch;
use super::{Capacity, Setting};

/// The same setting and the same seed give the same figures. Call [`Rehearsal::advance`] until it is over, then
/// [`Rehearsal::end`].
#[derive(Debug)]
pub struct Rehearsal<'a> {
    setting: &'a Setting,
    engine: Engine,
    carrier: Carrier,
    crowd: Crowd,
    desk: Desk,
    shelf: Shelf,
    pub(super) watch: Watch,
    now: Now,
    /// Roster changes that lie ahead, soonest first.
    shifts: VecDeque<(Tick, u32)>,
    /// Agents there, and since when.
    staffed: (u32, Tick),
    calls: HashMap<AttemptId, Call>,
    called: HashSet<LeadId>,
    outbox: VecDeque<Output>,
    figures: RunFigures,
    /// Since they were taken last; always empty unless the leads keep cards.
    records: Vec<Record>,
}

/// An attempt that the store has authorised, until everything that belongs to it is over.
#[derive(Debug)]
struct Call {
    intent: Box<Intent>,
    stance: Stance,
    /// Its leg has ended; an agent may still talk.
    ended: Option<Box<Outcome>>,
    with_agent: bool,
    noted: Option<Note>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    Shift,
    Desk,
    Carrier,
    Engine,
}

impl<'a> Rehearsal<'a> {
    /// After the last midnight, for calls to end.
    const REST: Duration = Duration::from_hours(2);
    const DAY: Duration = Duration::from_hours(24);
    const PAGE: usize = 5_000;

    pub fn new(setting: &'a Setting, seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let crowd = Crowd::new(&setting.campaign, &setting.leads.ledgers, rng.u64());
        let now = Now { tick: Tick(0), wall: setting.start };
        let mut rehearsal = Self {
            setting,
            engine: Engine::new(now, setting.engine_config(rng.u64())),
            carrier: Carrier::with_room(crowd.people()),
            crowd,
            desk: Desk::new(setting.has_agents().then(|| setting.people()), rng.u64()),
            shelf: Shelf::new(&setting.leads),
            watch: Watch::new(setting),
            now,
            shifts: VecDeque::new(),
            staffed: (0, Tick(0)),
            calls: HashMap::new(),
            called: HashSet::new(),
            outbox: VecDeque::new(),
            figures: RunFigures {
                seed,
                leads: setting.leads.len() as u64,
                segments: vec![SegmentFigures::default(); setting.campaign.segments.len()],
                ..RunFigures::default()
            },
            records: Vec::new(),
        };
        rehearsal.begin();
        rehearsal
    }

    /// `by` further, at most to the end of the last day; false once that has come.
    pub fn advance(&mut self, by: Duration) -> bool {
        let end = self.end_tick();
        let until = (self.now.tick + by).min(end);
        while self.step(until) {}
        until < end
    }

    /// What went on record since the last time, if the leads keep cards.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// What came of it, once the days are over: nothing new goes out, and what is under way comes to its end. With the
    /// last records.
    pub fn end(mut self) -> (RunFigures, Vec<Record>) {
        while self.advance(Self::DAY) {}
        self.tell(Input::Command(OperatorCommand::Drain));
        let rest = self.end_tick() + Self::REST;
        while !self.calls.is_empty() && self.step(rest) {}
        self.watch.close(self.now.wall);
        self.close_books();
        (self.figures, self.records)
    }

    fn end_tick(&self) -> Tick {
        Tick(0) + Self::DAY * self.setting.days
    }

    fn begin(&mut self) {
        let setting = self.setting;
        if let Capacity::Roster(roster) = &setting.capacity {
            let zone = Setting::zone(&setting.campaign, &setting.zones);
            let changes = roster.changes(&zone, setting.start, setting.days);
            let tick = |at: Wall| Tick(0) + at.since(setting.start);
            self.shifts = changes.into_iter().map(|(at, people)| (tick(at), people)).collect();
        }
        let leads = &setting.leads;
        self.tell(Input::Ledgers(leads.ledgers.clone()));
        self.tell(Input::Plan(vec![(leads.campaign, Arc::clone(&setting.campaign))], setting.zones.clone()));
        if !setting.answers.heard.is_empty() {
            self.tell(Input::Heard(leads.campaign, setting.answers.heard.clone()));
        }
        for page in leads.rows.chunks(Self::PAGE) {
            self.tell(Input::Leads(page.to_vec()));
        }
        self.tell(Input::LeadsRead(leads.campaign));
    }

    /// One wake-up; false if the next one lies behind `until`, where the clock then stands.
    fn step(&mut self, until: Tick) -> bool {
        let shift = self.shifts.front().map(|(at, _)| (*at, Wake::Shift));
        let desk = self.desk.next_at().map(|at| (at, Wake::Desk));
        let carrier = self.carrier.next_at().map(|at| (at, Wake::Carrier));
        let engine = self.engine.poll_timeout().map(|(at, _)| (at, Wake::Engine));
        let next = [shift, desk, carrier, engine].into_iter().flatten().min();
        let Some((at, wake)) = next.filter(|(at, _)| *at < until) else {
            self.pass_to(until);
            return false;
        };
        self.figures.steps += 1;
        self.pass_to(at);
        match wake {
            Wake::Shift => self.turn_shift(),
            Wake::Desk => {
                let handed = self.desk.step(self.now.tick);
                self.handed(handed);
            }
            Wake::Carrier => {
                if let Some((leg, event)) = self.carrier.next(self.now) {
                    self.heard(leg, event);
                }
            }
            Wake::Engine => self.tell(Input::Timeout),
        }
        true
    }

    fn pass_to(&mut self, tick: Tick) {
        self.now = self.now.plus(tick.since(self.now.tick));
    }

    fn turn_shift(&mut self) {
        let Some((at, people)) = self.shifts.pop_front() else { return };
        let (before, since) = self.staffed;
        self.desk.worked.rostered_us += u64::from(before) * at.since(since).as_micros() as u64;
        self.staffed = (people, at);
        let handed = self.desk.staff(at, people);
        self.handed(handed);
        for queue in 0..self.setting.campaign.queues().len() {
            self.tell(Input::Seats(QueueIx(queue as u16), people));
        }
    }

    fn tell(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    /// Brings everything that the engine asks for to where it belongs. The store answers at once.
    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            self.outbox.push_back(output);
        }
        while let Some(output) = self.outbox.pop_front() {
            match output {
                Output::Store(request) => self.store(request),
                Output::Leg(leg, command) => self.leg(leg, &command),
                Output::Count(_) => {}
            }
            while let Some(output) = self.engine.poll_output() {
                self.outbox.push_back(output);
            }
        }
    }

    fn store(&mut self, request: StoreRequest) {
        let reply = self.shelf.commit(self.now.wall, &request, &self.setting.leads);
        match request {
            StoreRequest::Authorise(intent) if matches!(reply, StoreReply::Authorised { .. }) => {
                let call = Call { intent, stance: Stance::Machine, ended: None, with_agent: false, noted: None };
                self.calls.insert(call.intent.attempt, call);
            }
            StoreRequest::Authorise(_) | StoreRequest::Reroute(_) => {}
            StoreRequest::Slot(slot) => {
                if self.setting.leads.keeps_cards() {
                    self.records.push(Record::Slot(slot));
                }
            }
            StoreRequest::Finish(outcome) => self.finished(outcome),
            StoreRequest::Dnc(request) => match request.subject {
                DncSubject::Contact(contact) => {
                    self.watch.silence(Some(contact), self.setting.leads.phones_of(contact));
                }
                DncSubject::Phone(phone) => self.watch.silence(None, std::iter::once(phone)),
            },
        }
        self.engine.handle(self.now, Input::Stored(vec![reply]));
    }

    fn leg(&mut self, leg: LegId, command: &LegCommand) {
        let LegCommand::Dial(dial) = command else { return self.carrier.command(self.now, leg, command) };
        let Some(call) = self.calls.get_mut(&leg.0) else { return };
        let yes = self.setting.leads.says_yes(&call.intent);
        let (behaviour, stance) = self.crowd.pick_up(&call.intent, &self.setting.answers.model, yes);
        call.stance = stance;
        let number = u64::from(call.intent.phone.0);
        let event = self.carrier.place(self.now, leg, dial, number, behaviour);
        if event == LegEvent::Sent {
            let row = self.setting.leads.place(call.intent.lead).and_then(|at| self.setting.leads.rows.get(at));
            if let Some(row) = row {
                self.watch.rings(&call.intent, row, self.now.wall, self.now.tick);
            }
            self.count_dial(leg.0);
        }
        self.engine.handle(self.now, Input::Leg(leg, event));
    }

    fn count_dial(&mut self, attempt: AttemptId) {
        let Some(call) = self.calls.get(&attempt) else { return };
        let context = &call.intent.context;
        let fresh = self.called.insert(call.intent.lead);
        self.figures.attempts += 1;
        self.figures.called += u64::from(fresh);
        if let Some(hour) = self.figures.hours.get_mut(usize::from(context.slot_half_hour / 2)) {
            hour.attempts += 1;
        }
        if let Some(segment) = self.figures.segments.get_mut(usize::from(context.segment)) {
            segment.attempts += 1;
            segment.called += u64::from(fresh);
            segment.first.get_or_insert(self.now.wall);
        }
        self.desk.worked.dialled(self.now.tick);
    }

    fn heard(&mut self, leg: LegId, event: LegEvent) {
        let handed_over = matches!(event, LegEvent::Referred { ok: true });
        if handed_over && let Some(call) = self.calls.get_mut(&leg.0) {
            call.with_agent = true;
            let stance = call.stance;
            self.figures.queue.handed_over += 1;
            let handed = self.desk.arrive(self.now.tick, leg.0, stance);
            self.handed(handed);
        }
        self.tell(Input::Leg(leg, event));
    }

    /// Calls that an agent took, or that were lost while they waited.
    fn handed(&mut self, calls: Vec<Handed>) {
        for Handed { attempt, lost, late } in calls {
            self.figures.queue.lost += u64::from(lost);
            self.figures.queue.late += u64::from(late);
            let Some(call) = self.calls.get_mut(&attempt) else { continue };
            call.with_agent = false;
            let stance = call.stance;
            if !lost {
                self.talked(attempt, stance);
            }
            self.close(attempt);
        }
    }

    /// With an agent, who notes what was said.
    fn talked(&mut self, attempt: AttemptId, stance: Stance) {
        let outcome = match stance {
            Stance::Yes => OutcomeKind::Success,
            Stance::No => OutcomeKind::Failure,
            Stance::Undecided => OutcomeKind::Neutral,
            Stance::Stranger | Stance::Machine => return,
        };
        let disposition = self.setting.said(outcome);
        if let Some(name) = &disposition {
            *self.figures.by_disposition.entry(Arc::clone(name)).or_default() += 1;
        }
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.noted = Some(Note { at: self.now.wall, disposition, outcome });
        }
        self.count_contact(attempt, outcome);
    }

    fn finished(&mut self, outcome: Box<Outcome>) {
        let attempt = outcome.attempt;
        *self.figures.by_result.entry(outcome.result).or_default() += 1;
        self.watch.ended(attempt, self.now.wall, outcome.result != CallResult::Void);
        if outcome.times.answered.is_some() {
            self.count_answer(attempt);
        }
        // A talk with an agent says more than the flow that led to it.
        if outcome.times.connected.is_none()
            && let Some(name) = &outcome.disposition
        {
            *self.figures.by_disposition.entry(Arc::clone(name)).or_default() += 1;
            if outcome.contact_kind == ContactKind::RightParty {
                self.count_contact(attempt, outcome.outcome);
            }
        }
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.ended = Some(outcome);
        }
        self.close(attempt);
    }

    /// Once both its leg and its talk are over.
    fn close(&mut self, attempt: AttemptId) {
        let over = |call: &Call| call.ended.is_some() && !call.with_agent;
        if !self.calls.get(&attempt).is_some_and(over) {
            return;
        }
        let Some(Call { intent, ended: Some(outcome), noted, .. }) = self.calls.remove(&attempt) else { return };
        if !self.setting.leads.keeps_cards() {
            return;
        }
        let record = AttemptRecord { intent, outcome, recorded_at: self.now.wall, noted_at: None };
        let noted = noted.map(|note| record.noted(&note));
        let revisions = std::iter::once(record).chain(noted);
        self.records.extend(revisions.map(|record| Record::Attempt(Box::new(record))));
    }

    fn count_answer(&mut self, attempt: AttemptId) {
        let Some(call) = self.calls.get(&attempt) else { return };
        self.figures.answered += 1;
        self.figures.machines += u64::from(call.stance == Stance::Machine);
        if let Some(hour) = self.figures.hours.get_mut(usize::from(call.intent.context.slot_half_hour / 2)) {
            hour.answered += 1;
        }
    }

    fn count_contact(&mut self, attempt: AttemptId, outcome: OutcomeKind) {
        let Some(call) = self.calls.get(&attempt) else { return };
        let context = &call.intent.context;
        let success = u64::from(outcome == OutcomeKind::Success);
        self.figures.contacts += 1;
        self.figures.successes += success;
        self.figures.refusals += u64::from(outcome == OutcomeKind::Failure);
        if let Some(hour) = self.figures.hours.get_mut(usize::from(context.slot_half_hour / 2)) {
            hour.contacts += 1;
            hour.successes += success;
        }
        if let Some(segment) = self.figures.segments.get_mut(usize::from(context.segment)) {
            segment.contacts += 1;
            segment.successes += success;
        }
    }

    fn close_books(&mut self) {
        let (there, since) = self.staffed;
        let rest = self.end_tick().since(since).as_micros() as u64;
        self.desk.worked.rostered_us += u64::from(there) * rest;
        let people = match self.setting.capacity {
            Capacity::Fixed(people) => Some(people).filter(|_| self.setting.has_agents()),
            Capacity::Roster(_) => None,
        };
        let (busy_us, staffed_us) = self.desk.worked.sums(people);
        self.figures.queue = QueueFigures { busy_us, staffed_us, ..self.figures.queue };
        self.figures.violations = self.watch.count;
        self.figures.first_violations = std::mem::take(&mut self.watch.first);
        let rows = &self.setting.leads.rows;
        let never = rows.iter().filter(|row| !self.called.contains(&row.lead));
        self.figures.uncalled = uncalled(self.setting, &self.shelf, self.now.wall, never);
    }
}
