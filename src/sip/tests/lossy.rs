//! Caller and called over a network that loses, doubles and reorders: whatever it does, every call ends on both sides, and
//! nothing is left behind.

use std::collections::BTreeMap;

use super::*;
use crate::base::{Rng, Tick};

const RING: Duration = Duration::from_secs(5);
/// Timer B and five seconds more.
const PATIENCE: Duration = Duration::from_secs(32 + 5);

struct Net {
    rng: Rng,
    now: Now,
    sides: [Ua; 2],
    /// By time of arrival and a running number.
    wire: BTreeMap<(Tick, u64), (usize, Vec<u8>)>,
    serial: u64,
    ends: [BTreeMap<LegId, Vec<End>>; 2],
    /// When a leg was last asked to move: by the INVITE, by the end of its ring time, by whoever hung up.
    asked: BTreeMap<LegId, Tick>,
    /// The longest time between that and an end of a leg, on either side.
    stuck: Duration,
    /// How often a phone began to ring for a leg.
    rings: BTreeMap<LegId, u32>,
    lost: u32,
    plans: BTreeMap<LegId, Vec<(Tick, usize, Plan)>>,
    loss: f64,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    Ring,
    Accept,
    Reject,
    Hangup,
    Refer,
    Notify(u16),
}

impl Net {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let loss = [0.0, 0.05, 0.2, 0.4][rng.below(4) as usize];
        Self::losing(loss, rng)
    }

    fn losing(loss: f64, rng: Rng) -> Self {
        let mut server = config(GW, US);
        server.server = true;
        server.key = [9; 32];
        Self {
            rng,
            now: Now::default(),
            sides: [Ua::new(config(US, GW)), Ua::new(server)],
            wire: BTreeMap::new(),
            serial: 0,
            ends: [BTreeMap::new(), BTreeMap::new()],
            asked: BTreeMap::new(),
            stuck: Duration::ZERO,
            rings: BTreeMap::new(),
            lost: 0,
            plans: BTreeMap::new(),
            loss,
        }
    }

    fn dial(&mut self, n: u128) {
        let mut wanted = invite(n);
        wanted.ring_timeout = RING;
        self.sides[0].handle(self.now, Input::Command(Command::Invite(Box::new(wanted))));
        self.asked.insert(leg(n), self.now.tick);
        self.drain(0);
        if self.rng.chance(0.2) {
            self.plan(leg(n), 0, 6_000, Plan::Hangup);
        }
    }

    /// Until nothing can happen any more.
    fn run(&mut self) {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 200_000, "it never comes to rest");
        }
    }

    fn drain(&mut self, side: usize) {
        while let Some(output) = self.sides[side].poll_output() {
            match output {
                Output::Send { bytes, .. } => self.transmit(side, &bytes),
                Output::Event { leg, event } => self.react(side, leg, &event),
                Output::Journal(_)
                | Output::Tried(_)
                | Output::Unauthorised { .. }
                | Output::Registration { .. }
                | Output::Pong { .. }
                | Output::Count(_) => {}
            }
        }
    }

    fn transmit(&mut self, side: usize, bytes: &[u8]) {
        let copies = if self.rng.chance(self.loss) { 0 } else { 1 + u32::from(self.rng.chance(0.1)) };
        self.lost += u32::from(copies == 0);
        for _ in 0..copies {
            let slow = if self.rng.chance(0.05) { 2_000 } else { 40 };
            let at = self.now.tick + Duration::from_millis(u64::from(self.rng.below(slow)));
            self.serial += 1;
            self.wire.insert((at, self.serial), (1 - side, bytes.to_vec()));
        }
    }

    fn react(&mut self, side: usize, leg: LegId, event: &Event) {
        match event {
            Event::Ended(end) => {
                let asked = self.asked.get(&leg).copied().unwrap_or_default();
                self.stuck = self.stuck.max(self.now.tick.since(asked));
                self.ends[side].entry(leg).or_default().push(*end);
            }
            Event::Incoming(_) => {
                *self.rings.entry(leg).or_default() += 1;
                let verdict = [Plan::Accept, Plan::Accept, Plan::Reject, Plan::Hangup][self.rng.below(4) as usize];
                self.plan(leg, 1, 500, Plan::Ring);
                self.plan(leg, 1, 8_000, verdict);
            }
            Event::Answered { .. } => {
                if self.rng.chance(0.3) {
                    self.plan(leg, 0, 3_000, Plan::Refer);
                }
                let side = self.rng.below(2) as usize;
                self.plan(leg, side, 20_000, Plan::Hangup);
            }
            Event::Refer { .. } => {
                self.plan(leg, 1, 300, Plan::Notify(100));
                self.plan(leg, 1, 4_000, Plan::Notify(200));
            }
            // The first of them is when the ring time begins.
            Event::Trying | Event::Ringing { .. } if side == 0 => {
                let asked = self.asked.entry(leg).or_default();
                *asked = (*asked).max(self.now.tick + RING);
            }
            Event::Trying
            | Event::Ringing { .. }
            | Event::EarlyMedia { .. }
            | Event::MediaChanged { .. }
            | Event::Digit { .. }
            | Event::ReferProgress { .. }
            | Event::Acked { .. } => {}
        }
    }

    fn plan(&mut self, leg: LegId, side: usize, within_ms: u32, plan: Plan) {
        let at = self.now.tick + Duration::from_millis(u64::from(self.rng.below(within_ms)));
        self.plans.entry(leg).or_default().push((at, side, plan));
    }

    fn carry_out(&mut self, leg: LegId, side: usize, plan: Plan) {
        let command = match plan {
            Plan::Ring => Command::Provisional { leg, status: 180, media: None },
            Plan::Accept => Command::Accept { leg, media: local(4000) },
            Plan::Reject => Command::Reject { leg, status: 486, q850: Some(17), retry_after_s: None },
            Plan::Hangup => {
                // A call that waits for its first answer is given until timer B, whoever wants it away.
                self.asked.insert(leg, self.now.tick);
                Command::Hangup { leg }
            }
            Plan::Refer => Command::Refer { leg, target: "sip:8001@127.0.0.1".into() },
            Plan::Notify(status) => Command::NotifyRefer { leg, status },
        };
        self.sides[side].handle(self.now, Input::Command(command));
        self.drain(side);
    }

    /// The next thing that happens anywhere. False once nothing can.
    fn step(&mut self) -> bool {
        let timers = self.sides.iter().filter_map(|ua| ua.poll_timeout().map(|(at, _)| at));
        let plans = self.plans.values().flatten().map(|(at, _, _)| *at);
        let wire = self.wire.keys().next().map(|(at, _)| *at);
        let Some(at) = timers.chain(plans).chain(wire).min() else { return false };
        self.now = self.now.plus(at.since(self.now.tick));
        let now = self.now.tick;
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= now) {
            let (side, bytes) = entry.remove();
            let from = addr(if side == 0 { GW } else { US });
            self.sides[side].handle(self.now, Input::Datagram { from, bytes: &bytes });
            self.drain(side);
        }
        let mut due = Vec::new();
        for (leg, plans) in &mut self.plans {
            due.extend(plans.extract_if(.., |(at, _, _)| *at <= now).map(|(_, side, plan)| (*leg, side, plan)));
        }
        for (leg, side, plan) in due {
            self.carry_out(leg, side, plan);
        }
        for side in 0..2 {
            self.sides[side].handle(self.now, Input::Timeout);
            self.drain(side);
        }
        true
    }
}

#[test]
fn every_call_ends_once_on_both_sides_and_leaves_nothing_behind() {
    for seed in 0..150 {
        let mut net = Net::new(seed);
        let calls = 8;
        for n in 1..=calls {
            net.dial(n);
        }
        net.run();
        for n in 1..=calls {
            let ends = net.ends[0].get(&leg(n)).map_or(0, Vec::len);
            assert_eq!(ends, 1, "seed {seed}: caller's leg {n}");
        }
        for (leg, ends) in &net.ends[1] {
            assert_eq!(ends.len(), 1, "seed {seed}: called leg {leg:?}");
        }
        net.now = net.now.plus(LIFE);
        for side in &mut net.sides {
            side.handle(net.now, Input::Timeout);
            assert_eq!((side.live_calls(), side.echoes(), side.poll_timeout()), (0, 0, None), "seed {seed}");
        }
    }
}

#[test]
fn over_a_clean_network_both_sides_agree_on_every_call() {
    let mut net = Net::new(0);
    net.loss = 0.0;
    for n in 1..=50 {
        net.sides[0].handle(net.now, Input::Command(Command::Invite(Box::new(invite(n)))));
        net.drain(0);
    }
    while net.step() {}
    assert_eq!(net.ends[1].len(), 50);
    for (leg, ends) in &net.ends[0] {
        let theirs = net.ends[1][leg][0];
        if ends[0].cause == Cause::Refused {
            assert_eq!(ends[0].status, theirs.status);
        } else {
            assert_eq!(ends[0].answered, theirs.answered, "{leg:?}: {ends:?} {theirs:?}");
        }
    }
}

#[test]
fn at_1_5_and_20_per_cent_loss_no_phone_rings_twice_no_call_is_stuck_and_no_outcome_is_lost() {
    for loss in [0.01, 0.05, 0.2] {
        let (mut lost, mut refused, mut answered) = (0, 0, 0);
        for seed in 0..40 {
            let mut net = Net::losing(loss, Rng::seeded(seed));
            for n in 1..=10 {
                net.dial(n);
            }
            net.run();
            let what = format!("seed {seed} at {loss}");
            for n in 1..=10 {
                let ends = net.ends[0].remove(&leg(n)).unwrap_or_default();
                assert_eq!(ends.len(), 1, "{what}: outcomes of leg {n}");
                answered += u32::from(ends[0].answered);
                refused += u32::from(ends[0].cause == Cause::Refused);
            }
            assert!(net.rings.values().all(|rings| *rings == 1), "{what}: rang twice: {:?}", net.rings);
            assert!(net.ends[1].values().all(|ends| ends.len() == 1), "{what}: called side");
            assert!(net.stuck <= PATIENCE, "{what}: stuck for {:?}", net.stuck);
            lost += net.lost;
        }
        assert!(
            lost > 20 && refused > 40 && answered > 100,
            "{loss}: {lost} lost, {refused} refused, {answered} answered"
        );
    }
}
