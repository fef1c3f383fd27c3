//! A carrier at leg level: it takes leg commands and plays what a line, a gateway and people would report.
//!
//! It must say what the wire would: `tests/it/carriers.rs` holds it against the real line and the far end, call by call.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{LegId, Now, PhoneId, Tick};
use crate::call::{Dial, Digit, LegCommand, LegEnd, LegEvent, NotSent, ReleaseSide};
use crate::contact::CallResult;
use crate::line;
use crate::sip::{self, Cause, Side};

use super::population::{Behaviour, Kind, Person, Population};
use super::refusal::{Refusal, refusal_of, rings};

/// Legs by id, and what they will report when.
#[derive(Debug)]
pub struct Carrier {
    people: Population,
    legs: BTreeMap<LegId, Leg>,
    agenda: BTreeMap<(Tick, u64), (LegId, Step)>,
    ordinals: BTreeMap<u64, u32>,
    serial: u64,
    /// Every tenth transfer finds its queue full.
    queues_fill: bool,
}

#[derive(Debug)]
struct Leg {
    number: u64,
    behaviour: Behaviour,
    ring: Duration,
    answered: bool,
    /// Which prompt plays now: an earlier one's end is not reported any more.
    playing: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Ringing,
    Final,
    RingTimeout,
    Key(char),
    PlayDone(u64),
    TheyHangUp,
    Ended(LegEnd),
    Referred(bool),
}

impl Carrier {
    pub fn new(people: Population) -> Self {
        Self {
            people,
            legs: BTreeMap::new(),
            agenda: BTreeMap::new(),
            ordinals: BTreeMap::new(),
            serial: 0,
            queues_fill: true,
        }
    }

    /// A carrier whose queues have room for everybody.
    pub fn with_room(people: Population) -> Self {
        Self { queues_fill: false, ..Self::new(people) }
    }

    /// `phone` and `local_hour` belong to the number that the store gave out with the permit. The events that follow at
    /// once are returned; the others come by [`Carrier::next`].
    pub fn dial(&mut self, now: Now, leg: LegId, dial: &Dial, phone: PhoneId, local_hour: u8) -> LegEvent {
        self.dial_number(now, leg, dial, u64::from(phone.0), local_hour)
    }

    /// The trunk cannot take it: after this long it says 503 before anything else, or it was down at once.
    pub fn turn_away(&mut self, now: Now, leg: LegId, dial: &Dial, after: Option<Duration>) -> LegEvent {
        if now.tick > dial.permit_until {
            return LegEvent::NotSent(NotSent::PermitExpired);
        }
        let Some(after) = after else { return LegEvent::NotSent(NotSent::TrunkDown) };
        let behaviour = self.people.behaviour(0, 0, 0);
        self.legs.insert(leg, Leg { number: 0, behaviour, ring: dial.ring, answered: false, playing: 0 });
        let (unanswered, by) = (Some(CallResult::TrunkRefused), ReleaseSide::Them);
        let end = LegEnd { unanswered, sip_status: Some(503), q850: None, by, media: None, unheard: true };
        self.plan(now.tick + after, leg, Step::Ended(end));
        LegEvent::Sent
    }

    /// `number` is what its owner's behaviour is drawn from.
    pub fn dial_number(&mut self, now: Now, leg: LegId, dial: &Dial, number: u64, local_hour: u8) -> LegEvent {
        if now.tick > dial.permit_until {
            return LegEvent::NotSent(NotSent::PermitExpired);
        }
        let ordinal = self.ordinals.entry(number).or_default();
        let behaviour = self.people.behaviour(number, *ordinal, local_hour);
        *ordinal += 1;
        self.place(now, leg, dial, number, behaviour)
    }

    /// Whoever is called behaves as the caller says.
    pub fn place(&mut self, now: Now, leg: LegId, dial: &Dial, number: u64, behaviour: Behaviour) -> LegEvent {
        if now.tick > dial.permit_until {
            return LegEvent::NotSent(NotSent::PermitExpired);
        }
        let said_at = now.tick + ms(behaviour.post_dial_delay_ms);
        // A network that refuses does not ring first.
        let first = if rings(&behaviour.kind) {
            (said_at, Step::Ringing)
        } else {
            (said_at + ms(behaviour.ring_ms), Step::Final)
        };
        self.legs.insert(leg, Leg { number, behaviour, ring: dial.ring, answered: false, playing: 0 });
        self.plan(first.0, leg, first.1);
        LegEvent::Sent
    }

    pub fn command(&mut self, now: Now, leg: LegId, command: &LegCommand) {
        let Some(state) = self.legs.get_mut(&leg) else { return };
        match command {
            LegCommand::Dial(_) => {}
            LegCommand::Play(prompt) => {
                self.serial += 1;
                state.playing = self.serial;
                let (at, serial) = (now.tick + prompt.duration(), self.serial);
                self.plan(at, leg, Step::PlayDone(serial));
            }
            LegCommand::StopPlay => state.playing = 0,
            LegCommand::Refer { .. } => {
                // Every tenth queue is full; which one follows from the leg, so that a seed replays.
                let ok = !self.queues_fill || !leg.0.0.is_multiple_of(10);
                self.plan(now.tick + Duration::from_millis(900), leg, Step::Referred(ok));
            }
            LegCommand::Hangup => {
                let unanswered = (!state.answered).then_some(CallResult::NoAnswer);
                let status = if state.answered { Some(200) } else { Some(487) };
                let end = LegEnd {
                    unanswered,
                    sip_status: status,
                    q850: None,
                    by: ReleaseSide::Us,
                    media: None,
                    unheard: false,
                };
                self.plan(now.tick + Duration::from_millis(20), leg, Step::Ended(end));
            }
        }
    }

    pub fn next_at(&self) -> Option<Tick> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next report that is due.
    pub fn next(&mut self, now: Now) -> Option<(LegId, LegEvent)> {
        loop {
            let key = *self.agenda.first_key_value().filter(|((at, _), _)| *at <= now.tick)?.0;
            let (leg, step) = self.agenda.remove(&key)?;
            if let Some(event) = self.take(now, leg, step) {
                return Some((leg, event));
            }
        }
    }

    /// Legs that ring and have not been answered.
    pub fn ringing(&self) -> impl Iterator<Item = LegId> {
        self.legs.iter().filter(|(_, leg)| !leg.answered).map(|(id, _)| *id)
    }

    /// The daemon is gone: recovery's CANCEL and BYE end everything, and nobody is there to hear of it.
    pub fn drop_all(&mut self) {
        self.legs.clear();
        self.agenda.clear();
    }

    fn plan(&mut self, at: Tick, leg: LegId, step: Step) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), (leg, step));
    }

    fn take(&mut self, now: Now, leg: LegId, step: Step) -> Option<LegEvent> {
        let state = self.legs.get_mut(&leg)?;
        match step {
            Step::Ringing => {
                let ring_ms = u64::from(state.behaviour.ring_ms);
                let gives_up = now.tick + state.ring;
                let at = now.tick + Duration::from_millis(ring_ms);
                let (at, step) = if at < gives_up { (at, Step::Final) } else { (gives_up, Step::RingTimeout) };
                self.plan(at, leg, step);
                Some(LegEvent::Ringing)
            }
            Step::Final => self.pick_up(now, leg),
            Step::RingTimeout => self.end(leg, Some(CallResult::NoAnswer), Some(487), None, ReleaseSide::Us),
            Step::Key(key) => Digit::new(key).map(LegEvent::Digit),
            Step::PlayDone(serial) => (state.playing == serial).then_some(LegEvent::PlayDone),
            Step::TheyHangUp => self.end(leg, None, Some(200), None, ReleaseSide::Them),
            Step::Ended(end) => {
                self.legs.remove(&leg);
                Some(LegEvent::Ended(end))
            }
            Step::Referred(ok) => Some(LegEvent::Referred { ok }),
        }
    }

    fn pick_up(&mut self, now: Now, leg: LegId) -> Option<LegEvent> {
        let state = self.legs.get_mut(&leg)?;
        if let Some(refusal) = refusal_of(&state.behaviour.kind, state.number) {
            return self.refuse(leg, refusal);
        }
        match state.behaviour.kind.clone() {
            Kind::Person(Person { keys, patience_ms }) => {
                state.answered = true;
                let mut at = now.tick;
                for (after_ms, key) in keys {
                    at = at + Duration::from_millis(u64::from(after_ms));
                    self.plan(at, leg, Step::Key(key));
                }
                if patience_ms < u32::MAX {
                    let at = now.tick + Duration::from_millis(u64::from(patience_ms));
                    self.plan(at, leg, Step::TheyHangUp);
                }
                Some(LegEvent::Answered)
            }
            Kind::Machine { talk_ms } => {
                state.answered = true;
                self.plan(now.tick + Duration::from_millis(u64::from(talk_ms)), leg, Step::TheyHangUp);
                Some(LegEvent::Answered)
            }
            Kind::Busy
            | Kind::Rejected
            | Kind::Vacant
            | Kind::Suspended
            | Kind::PoweredOff
            | Kind::NotReachable
            | Kind::Congestion
            | Kind::NoAnswer => None,
        }
    }

    /// By the line's own table: what the network cannot say, nobody learns here either.
    fn refuse(&mut self, leg: LegId, Refusal { status, q850 }: Refusal) -> Option<LegEvent> {
        let (cause, by, status) = (Cause::Refused, Side::Them, Some(status));
        let result = line::unanswered(&sip::End {
            cause,
            status,
            q850,
            retry_after_s: None,
            by,
            answered: false,
            unheard: false,
        });
        self.end(leg, result, status, q850, ReleaseSide::Them)
    }

    fn end(
        &mut self,
        leg: LegId,
        unanswered: Option<CallResult>,
        sip_status: Option<u16>,
        q850: Option<u8>,
        by: ReleaseSide,
    ) -> Option<LegEvent> {
        self.legs.remove(&leg)?;
        Some(LegEvent::Ended(LegEnd { unanswered, sip_status, q850, by, media: None, unheard: false }))
    }
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
