//! The machine itself: one mutation per input, outputs in order, and when to come back.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{AttemptId, CampaignIx, LegId, Now, Rng, Tick, Wall};
use crate::call::{AttemptInput, LegEvent};
use crate::contact::Zones;
use crate::gate::{DncMark, Rule};
use crate::pace::{Limits, Seats};
use crate::schedule::ZoneSets;

use super::bids::Shared;
use super::book::Book;
use super::live::{Lives, Stage};
use super::run::Run;
use super::spend::Held;
use super::switches::{DownTrunks, StoppedTrunks};
use super::unwritten::Unwritten;
use super::usage::Today;
use super::{EngineConfig, Input, OperatorCommand, Output, StoreReply, Why};

/// Decides everything and touches nothing. After each `handle`, drain `poll_output` to `None`; come back at
/// `poll_timeout`. Time never goes back: an earlier tick counts as the latest one seen.
///
/// Nothing is dialled before the store has answered `Authorised`; a `Doubt` is never dialled.
#[derive(Debug)]
pub struct Engine {
    pub(super) config: EngineConfig,
    pub(super) rng: Rng,
    pub(super) zones: Arc<Zones>,
    pub(super) zone_sets: ZoneSets,
    /// Sorted by campaign name, as the plan is.
    pub(super) runs: Vec<Run>,
    pub(super) first_run: usize,
    pub(super) book: Book,
    pub(super) shared: Shared,
    pub(super) lives: Lives,
    pub(super) unwritten: Unwritten,
    /// Of trunks and queues, by their positions in the configuration.
    pub(super) trunks: Vec<Limits>,
    pub(super) seats: Vec<Seats>,
    pub(super) stopped: StoppedTrunks,
    pub(super) down: DownTrunks,
    pub(super) today: Today,
    /// What the calls under way cost at least, of trunks with a cap.
    pub(super) held: Held,
    /// The latest wall time seen: a clock that jumps back opens nothing.
    pub(super) high_water: Wall,
    pub(super) draining: bool,
    pub(super) decide_at: Tick,
    pub(super) decided_at: Option<Tick>,
    pub(super) out: VecDeque<Output>,
    latest: Tick,
    heartbeat_at: Tick,
}

impl Engine {
    /// Leads come due, slots turn and wall clocks jump without telling anybody.
    const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(1);

    pub fn new(now: Now, config: EngineConfig) -> Self {
        let trunks = config.trunks.iter().map(|t| Limits::new(Some(t.max_calls), Some(t.max_cps))).collect();
        let seats = config.queues.iter().map(|queue| Seats::new(queue.seats)).collect();
        Self {
            rng: Rng::seeded(config.seed),
            zones: Arc::new(Zones::default()),
            zone_sets: ZoneSets::default(),
            runs: Vec::new(),
            first_run: 0,
            book: Book::default(),
            shared: Shared::default(),
            lives: Lives::default(),
            unwritten: Unwritten::default(),
            trunks,
            seats,
            stopped: StoppedTrunks::default(),
            down: DownTrunks::default(),
            today: Today::new(config.zone.clone(), now.wall),
            held: Held::default(),
            high_water: now.wall,
            draining: false,
            decide_at: Tick::MAX,
            decided_at: None,
            out: VecDeque::new(),
            latest: now.tick,
            heartbeat_at: now.tick,
            config,
        }
    }

    pub fn handle(&mut self, now: Now, input: Input) {
        let now = Now { tick: now.tick.max(self.latest), wall: now.wall };
        self.latest = now.tick;
        self.high_water = self.high_water.max(now.wall);
        match input {
            Input::Plan(campaigns, zones) => self.take_plan(now, campaigns, &zones),
            Input::Shown { since, counts } => self.take_shown(since, counts),
            Input::Talked { since, calls } => self.take_talked(since, &calls),
            Input::Heard(campaign, heard) => self.take_heard(campaign, &heard),
            Input::Ledgers(page) => self.book.load(page),
            Input::Leads(rows) => self.admit(now, &rows),
            Input::LeadsRead(campaign) => self.leads_read(now, campaign),
            Input::Stored(replies) => {
                for reply in replies {
                    self.stored(now, reply);
                }
            }
            Input::Leg(leg, event) => self.on_leg(now, leg, event),
            Input::Command(command) => self.obey(now, &command),
            Input::Trunk(trunk, state) => self.trunk_stands(now, trunk, state),
            Input::Seats(queue, seats) => self.staff_queue(now, queue, seats),
            Input::Timeout => {}
        }
        self.close_what_rings(now);
        self.fire_timers(now);
        if now.tick >= self.heartbeat_at {
            self.heartbeat_at = now.tick + Self::HEARTBEAT;
            self.find_shared();
            self.decide_soon(now);
        }
        if now.tick >= self.decide_at {
            self.decide_at = Tick::MAX;
            self.decided_at = Some(now.tick);
            self.decide(now);
            self.plan_next_decision(now);
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The earliest of everything; at least once a second, because wall clocks jump.
    pub fn poll_timeout(&self) -> Option<(Tick, Why)> {
        let closing = self.lives.next_closing().map(|at| (self.tick_of(at), Why::Closing));
        let timer = self.lives.next_timer().map(|at| (at, Why::AttemptTimer));
        let decide = (self.decide_at < Tick::MAX).then_some((self.decide_at, Why::Decide));
        let heartbeat = Some((self.heartbeat_at, Why::Heartbeat));
        [closing, timer, decide, heartbeat].into_iter().flatten().min()
    }

    /// Attempts under way. A drain is over when this is zero.
    pub fn live_attempts(&self) -> usize {
        self.lives.len()
    }

    fn stored(&mut self, now: Now, reply: StoreReply) {
        match reply {
            StoreReply::Authorised { attempt } => self.authorised(now, attempt),
            StoreReply::Refused { attempt, verdict } => self.refused(now, attempt, verdict),
            StoreReply::Doubt { attempt } => self.in_doubt(now, attempt),
            StoreReply::Finished { attempt, .. } => self.unwritten.written(attempt),
            StoreReply::Noted => {}
        }
    }

    fn on_leg(&mut self, now: Now, leg: LegId, event: LegEvent) {
        if let Some(event) = self.elsewhere(now, leg.0, event) {
            self.tell_attempt(now, leg.0, event);
        }
    }

    pub(super) fn tell_attempt(&mut self, now: Now, id: AttemptId, event: LegEvent) {
        let Some(live) = self.lives.get_mut(id) else { return };
        let Stage::Dialled(attempt) = &mut live.stage else { return };
        attempt.handle(now, AttemptInput::Leg(event));
        self.pump(now, id);
    }

    fn obey(&mut self, now: Now, command: &OperatorCommand) {
        match *command {
            OperatorCommand::Pause(ix) => self.set_paused(now, ix, true),
            OperatorCommand::Resume(ix) => self.set_paused(now, ix, false),
            OperatorCommand::DncContact(contact, mark) => {
                self.book.dnc_contact(contact, mark);
                self.cancel_marked(now, mark, |live| live.contact == contact);
            }
            OperatorCommand::DncPhone(phone, mark) => {
                self.book.dnc_phone(phone, mark);
                self.cancel_marked(now, mark, |live| live.phone == phone);
            }
            OperatorCommand::Drain => {
                self.draining = true;
                self.end_slots(self.law(now));
            }
            OperatorCommand::HangUp(whose) => self.hang_up(now, whose),
            OperatorCommand::StopTrunk(trunk) => self.stop_trunk(trunk),
            OperatorCommand::ResumeTrunk(trunk) => self.resume_trunk(now, trunk),
        }
    }

    fn set_paused(&mut self, now: Now, ix: CampaignIx, paused: bool) {
        let Some(at) = self.runs.iter().position(|run| run.ix == ix) else { return };
        if let Some(run) = self.runs.get_mut(at).filter(|run| run.paused != paused) {
            run.paused = paused;
            if !paused {
                self.unblock(now, at, Rule::CampaignState);
                self.decide_soon(now);
            }
        }
    }

    /// A late do-not-call: what rings for them is taken back, what talks goes on.
    fn cancel_marked(&mut self, now: Now, mark: Option<DncMark>, is_theirs: impl Fn(&super::live::Live) -> bool) {
        if mark.is_none_or(|mark| !mark.holds_at(now.wall)) {
            return;
        }
        for id in self.lives.ids() {
            if self.lives.get(id).is_some_and(&is_theirs) {
                self.cancel(now, id);
            }
        }
    }

    fn close_what_rings(&mut self, now: Now) {
        while let Some(id) = self.lives.take_closing(now.wall) {
            let campaign = self.lives.get(id).and_then(|live| self.runs.get(live.run)).map(|run| run.ix);
            if self.cancel(now, id)
                && let Some(campaign) = campaign
            {
                self.out.push_back(Output::Count(super::Counted::CancelledAtClosing { campaign }));
            }
        }
    }

    fn fire_timers(&mut self, now: Now) {
        while let Some(id) = self.lives.due_timer(now.tick) {
            if let Some(Stage::Dialled(attempt)) = self.lives.get_mut(id).map(|live| &mut live.stage) {
                attempt.handle(now, AttemptInput::Timeout);
            }
            self.pump(now, id);
        }
    }

    /// When the wall clock will show `at`, if it neither jumps nor changes its rate.
    fn tick_of(&self, at: Wall) -> Tick {
        let ahead = at.since(self.high_water).as_secs_f64() / self.config.wall_rate.max(1e-6);
        self.latest + std::time::Duration::from_secs_f64(ahead.min(86_400.0))
    }
}
