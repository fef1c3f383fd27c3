//! The engine's pump: one thread that feeds the engine and carries what it asks for to the store and the line.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::{AttemptId, Clock, LegId, Now, Pii, TrunkIx};
use crate::call::{LegCommand, LegEvent, TrunkState};
use crate::engine::{Committed, Engine, Input, Output, StoreRequest};
use crate::http::Health;
use crate::wire::{self, Captures, Command, Order};

use super::journal::Journal;
use super::signing::{Signed, Signing};
use super::tally::Tally;
use super::view::View;
use super::writer::ToWriter;

/// What reaches the engine's thread.
#[derive(Debug)]
pub enum ToEngine {
    Legs(Vec<wire::Event>),
    Stored(Committed),
    Signed(Signed),
    Input(Box<Input>),
    Stop,
}

pub struct Pump {
    pub engine: Engine,
    pub clock: Arc<dyn Clock>,
    pub inbox: Receiver<ToEngine>,
    pub writer: SyncSender<ToWriter>,
    pub orders: mpsc::Sender<Vec<Order>>,
    pub signing: Signing,
    pub tally: Tally,
    pub health: Health,
    pub view: Arc<Mutex<View>>,
    pub queues: Queues,
    pub journal: Option<Journal>,
    /// Told of each call before the line is.
    pub captures: Arc<Captures>,
}

/// What could not be handed on yet. Bounded by the attempts under way: the engine wishes for no more than lines allow.
#[derive(Debug, Default)]
pub struct Queues {
    /// From the store past the engine to the line; nowhere else, and no longer than that takes.
    numbers: HashMap<AttemptId, Pii<String>>,
    requests: Vec<StoreRequest>,
    orders: Vec<Order>,
}

impl Pump {
    /// Inputs handled between two looks at the outputs: enough to share a batch, few enough to stay prompt.
    const TURN_MAX: usize = 512;
    /// Somebody's queue was full: try again soon.
    const RETRY: Duration = Duration::from_millis(1);

    pub fn run(mut self) {
        loop {
            let wait = self.wait();
            let first = match self.inbox.recv_timeout(wait) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let now = self.clock.now();
            self.health.beat(now.tick);
            if let Some((due, _)) = self.engine.poll_timeout().filter(|(due, _)| *due <= now.tick) {
                self.tally.lag(now.tick.since(due));
                self.tell(now, Input::Timeout);
            }
            self.unsigned(now);
            let mut next = first;
            let mut taken = 0;
            while taken < Self::TURN_MAX {
                let Some(message) = next.take() else { break };
                taken += 1;
                if matches!(message, ToEngine::Stop) {
                    self.drain();
                    return self.end_journal();
                }
                self.feed(message);
                next = self.inbox.try_recv().ok();
            }
            if let Some(message) = next {
                self.feed(message);
            }
            self.drain();
            self.tally.waited(taken);
            self.tally.look(now, &self.engine, &self.view);
            if let Some(journal) = &mut self.journal {
                journal.turn(now.tick);
            }
        }
        self.drain();
        self.end_journal();
    }

    fn end_journal(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.end("stopped");
        }
    }

    fn wait(&self) -> Duration {
        if !self.queues.requests.is_empty() || !self.queues.orders.is_empty() {
            return Self::RETRY;
        }
        let due =
            [self.engine.poll_timeout().map(|(at, _)| at), self.signing.poll_timeout()].into_iter().flatten().min();
        let left = due.map(|at| at.since(self.clock.now().tick));
        left.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(1))
    }

    fn feed(&mut self, message: ToEngine) {
        let now = self.clock.now();
        match message {
            ToEngine::Legs(events) => {
                for event in events {
                    match event {
                        wire::Event::Leg { at, leg, event } => self.tell(at, Input::Leg(leg, event)),
                        wire::Event::Trunk { at, trunk, state } => self.trunk(at, trunk, state),
                    }
                }
            }
            ToEngine::Stored(committed) => {
                let Committed { replies, numbers, .. } = committed;
                let authorised: Vec<AttemptId> = numbers.iter().map(|(attempt, _)| *attempt).collect();
                self.queues.numbers.extend(numbers);
                self.tell(now, Input::Stored(replies));
                self.forget_unused(&authorised);
            }
            ToEngine::Signed(signed) => {
                let dial = self.signing.signed(now.tick, signed);
                self.queues.orders.extend(dial.map(Order::Command));
                self.tell_refused(now);
            }
            ToEngine::Input(input) => {
                if let Input::Plan(campaigns, _) = &*input {
                    for (ix, campaign) in campaigns {
                        self.tally.open(*ix, &campaign.name);
                    }
                }
                self.tell(now, *input);
            }
            ToEngine::Stop => {}
        }
    }

    /// A trunk stands otherwise than before. The line refuses what was decided before the engine heard of it.
    fn trunk(&mut self, at: Now, trunk: TrunkIx, state: TrunkState) {
        self.tally.trunk_stands(at.tick, trunk, state);
        self.tell(at, Input::Trunk(trunk, state));
    }

    /// What follows an input is taken before the next one: the journal notes it there.
    fn tell(&mut self, now: Now, input: Input) {
        if let Some(journal) = &mut self.journal {
            journal.input(now, &input);
        }
        self.engine.handle(now, input);
        self.take_outputs(now);
        self.tell_refused(now);
    }

    /// Calls whose signature did not come in time.
    fn unsigned(&mut self, now: Now) {
        let dials = self.signing.expired(now.tick);
        self.queues.orders.extend(dials.into_iter().map(Order::Command));
        self.tell_refused(now);
    }

    /// Legs that ended before the line heard of them.
    fn tell_refused(&mut self, now: Now) {
        while let Some((leg, why)) = self.signing.poll_refused() {
            self.tell(now, Input::Leg(leg, LegEvent::NotSent(why)));
        }
    }

    /// A number whose attempt did not dial is not kept.
    fn forget_unused(&mut self, authorised: &[AttemptId]) {
        for attempt in authorised {
            self.queues.numbers.remove(attempt);
        }
    }

    fn take_outputs(&mut self, now: Now) {
        while let Some(output) = self.engine.poll_output() {
            if let Some(journal) = &mut self.journal {
                journal.output(&output);
            }
            match output {
                Output::Store(request) => {
                    self.tell_intent(now, &request);
                    self.queues.requests.push(request);
                }
                Output::Leg(leg, command) => {
                    self.tell_dial(now, leg, &command);
                    let number = self.number_for(leg, &command);
                    let passed = self.signing.pass(now, Command { leg, command, number, identity: None });
                    self.queues.orders.extend(passed.map(Order::Command));
                }
                Output::Count(counted) => self.tally.count(&counted),
            }
        }
    }

    fn tell_intent(&self, now: Now, request: &StoreRequest) {
        if let StoreRequest::Authorise(intent) = request {
            self.captures.tell(now.tick, |capture| capture.intends(intent.attempt, intent.contact));
        }
    }

    fn tell_dial(&self, now: Now, leg: LegId, command: &LegCommand) {
        if let LegCommand::Dial(dial) = command {
            self.captures.tell(now.tick, |capture| capture.dials(leg.0, dial.trunk, dial.hop));
        }
    }

    fn number_for(&mut self, leg: LegId, command: &LegCommand) -> Option<Pii<String>> {
        match command {
            LegCommand::Dial(_) => self.queues.numbers.remove(&leg.0),
            LegCommand::Play(_) | LegCommand::StopPlay | LegCommand::Refer { .. } | LegCommand::Hangup => None,
        }
    }

    /// Hands on what there is. Never waits: store and line wait for us, so we must not wait for them.
    fn drain(&mut self) {
        if !self.queues.orders.is_empty() {
            let batch = std::mem::take(&mut self.queues.orders);
            if let Err(refused) = self.orders.try_send(batch) {
                self.queues.orders = refused.into_inner();
            }
        }
        if !self.queues.requests.is_empty() {
            let batch = ToWriter::Requests(std::mem::take(&mut self.queues.requests));
            match self.writer.try_send(batch) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(ToWriter::Requests(batch))) => self.queues.requests = batch,
                Err(TrySendError::Full(ToWriter::Plan(_) | ToWriter::Stop)) => {}
            }
        }
    }
}
