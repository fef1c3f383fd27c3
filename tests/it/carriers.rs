//! The two carriers of the simulation, with the same people: the leg level, and bytes through the real line to the far end.
//! Each attempt must end the same on both.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use goldenhour::base::{AttemptId, LegId, Now, Pii, Tick, TrunkIx, Wall};
use goldenhour::call::{Attempt, AttemptInput, AttemptOutput, Dial, Finished, LegCommand, LegEvent};
use goldenhour::campaign::{Campaign, Folder, load};
use goldenhour::contact::CallResult;
use goldenhour::far::{self, Gateway, Setup, Town};
use goldenhour::line::{self, Line, LineTrunk, MediaRange};
use goldenhour::sim::{Carrier, Population};
use goldenhour::sip::{self, Network};

/// A Tuesday evening in Shanghai, when most people are at home.
const AT: &str = "2026-12-01T18:30:00+08:00";
const HOUR: u8 = 18;
const LINE: &str = "127.0.0.1:5060";
const FAR: &str = "127.0.0.1:5080";

const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [service]\n\
     sources: [\"of a test\"]\nconsent: not_refused\n\
     calling_hours: { mon-sun: [\"00:00-24:00\"], holidays: open }\nattempts: { max: 9, max_per_day: 9 }\n";

const CAMPAIGN: &str = r#"schema: goldenhour/v1
campaign: c
title: c
scenario: activation
purpose: service
owner: nobody
status: active
use: { policy: p@1 }
list: { key: key, phones: [phone], model: { score: score } }
calling_hours: { fallback_zone: Asia/Shanghai }
pacing: { mode: agentless, ring: 25s }
flow:
  start: ask
  steps:
    ask:
      play: prompts/goodbye.wav
      collect: { digits: 1, timeout: 5s, tries: 2 }
      on: { "1": accept, "2": later, "3": later, "9": never, timeout: bye }
    accept: { play: prompts/goodbye.wav, disposition: accepted, then: hangup }
    later: { disposition: thinking, then: hangup }
    never: { disposition: declined, then: hangup }
    bye: { disposition: silent, then: hangup }
dispositions:
  accepted: { outcome: success, contact: right_party, then: final }
  thinking: { outcome: neutral, contact: right_party, then: callback }
  declined: { outcome: failure, contact: right_party, then: final }
  silent: { outcome: neutral, contact: nobody, then: retry }
"#;

/// Whatever carries one leg.
trait Wire {
    fn command(&mut self, now: Now, leg: LegId, command: LegCommand, number: &str);
    fn next_at(&self) -> Option<Tick>;
    /// What came to be reported by now, in order.
    fn reports(&mut self, now: Now) -> Vec<LegEvent>;
}

struct Legs {
    carrier: Carrier,
    seed: u64,
    said: Vec<LegEvent>,
}

impl Wire for Legs {
    fn command(&mut self, now: Now, leg: LegId, command: LegCommand, number: &str) {
        match &command {
            LegCommand::Dial(dial) => {
                let number = far::fingerprint(self.seed, number);
                self.said.push(self.carrier.dial_number(now, leg, dial, number, HOUR));
            }
            LegCommand::Play(_) | LegCommand::StopPlay | LegCommand::Refer { .. } | LegCommand::Hangup => {
                self.carrier.command(now, leg, &command);
            }
        }
    }

    fn next_at(&self) -> Option<Tick> {
        self.carrier.next_at()
    }

    fn reports(&mut self, now: Now) -> Vec<LegEvent> {
        let mut said = std::mem::take(&mut self.said);
        said.extend(std::iter::from_fn(|| self.carrier.next(now)).map(|(_, event)| event));
        said
    }
}

/// The line and the far end, and between them a network that takes no time.
struct Bytes {
    line: Line,
    gateway: Gateway,
    rtp: Vec<SocketAddr>,
    said: Vec<LegEvent>,
    datagrams: u64,
}

impl Bytes {
    fn new(people: Population) -> Self {
        let (here, there): (SocketAddr, SocketAddr) = (LINE.parse().unwrap(), FAR.parse().unwrap());
        let rtp: Vec<SocketAddr> = (0..8).map(|n| SocketAddr::new(there.ip(), 30_000 + 2 * n)).collect();
        let setup = Setup {
            town: Town { people, ..Town::default() },
            local: there,
            rtp: rtp.clone(),
            callers: vec![Network::parse("127.0.0.0/8").unwrap()],
            key: [7; 32],
            witness: false,
        };
        let media = MediaRange { address: here.ip(), first_port: 20_000, last_port: 20_063 };
        // Another seed than the town has: of equal ones come equal SSRCs, and each side takes the other for its own echo.
        let config = line::Config::new(
            sip::Config::new(here, [1; 32]),
            vec![LineTrunk::new(there)],
            media,
            0x6c69_6e65,
            [1; 32],
        );
        Self { line: Line::new(config), gateway: Gateway::new(setup), rtp, said: Vec::new(), datagrams: 0 }
    }

    fn settle(&mut self, now: Now) {
        let mut packet = Vec::new();
        loop {
            let mut quiet = true;
            while let Some(output) = self.line.poll_output() {
                quiet = false;
                match output {
                    line::Output::SendSip { bytes, .. } => {
                        self.datagrams += 1;
                        let from = LINE.parse().unwrap();
                        self.gateway.handle(now, far::Input::Datagram { from, bytes: &bytes });
                    }
                    line::Output::Leg(_, event) => self.said.push(event),
                    line::Output::OpenPort(port) => self.line.handle(now, line::Input::PortOpened { port, ok: true }),
                    line::Output::Journal(_)
                    | line::Output::Tried(_)
                    | line::Output::Unauthorised { .. }
                    | line::Output::Trouble { .. }
                    | line::Output::Registration { .. }
                    | line::Output::Trunk { .. }
                    | line::Output::Count(_) => {}
                }
            }
            while let Some(output) = self.gateway.poll_output() {
                quiet = false;
                if let far::Output::Sip { bytes, .. } = output {
                    let from = FAR.parse().unwrap();
                    self.line.handle(now, line::Input::Datagram { from, bytes: &bytes });
                }
            }
            while let Some((port, to)) = self.line.poll_rtp(&mut packet) {
                quiet = false;
                if goldenhour::media::is_rtcp(&packet) {
                    continue;
                }
                let at = self.rtp.iter().position(|socket| *socket == to).expect("one of the far end's sockets");
                let from = SocketAddr::from(([127, 0, 0, 1], port));
                self.gateway.handle(now, far::Input::Rtp { port: at as u16, from, bytes: &packet });
            }
            while let Some((at, to)) = self.gateway.poll_packet(&mut packet) {
                quiet = false;
                let from = self.rtp[usize::from(at)];
                self.line.handle(now, line::Input::Rtp { port: to.port(), from, bytes: &packet });
            }
            if quiet {
                return;
            }
        }
    }
}

impl Wire for Bytes {
    fn command(&mut self, now: Now, leg: LegId, command: LegCommand, number: &str) {
        let number = matches!(command, LegCommand::Dial(_)).then(|| Pii::new(number.to_owned()));
        self.line.handle(now, line::Input::Command { leg, command, number, identity: None });
        self.settle(now);
    }

    fn next_at(&self) -> Option<Tick> {
        let line = self.line.poll_timeout().map(|(at, _)| at);
        let far = self.gateway.poll_timeout().map(|(at, _)| at);
        [line, far].into_iter().flatten().min()
    }

    fn reports(&mut self, now: Now) -> Vec<LegEvent> {
        self.line.handle(now, line::Input::Timeout);
        self.gateway.handle(now, far::Input::Timeout);
        self.settle(now);
        std::mem::take(&mut self.said)
    }
}

fn campaign() -> Arc<Campaign> {
    let mut folder = Folder::default();
    folder.insert("policies/p.yaml", POLICY.as_bytes());
    folder.insert("c.yaml", CAMPAIGN.as_bytes());
    let prompt = concat!(env!("CARGO_MANIFEST_DIR"), "/campaigns/prompts/goodbye.wav");
    folder.insert("prompts/goodbye.wav", std::fs::read(prompt).unwrap());
    Arc::clone(&load(&folder).unwrap().campaigns[0])
}

/// One attempt from its dial to its end, and when that was.
fn attempt(wire: &mut impl Wire, campaign: &Arc<Campaign>, now: &mut Now, nth: u128, number: &str) -> Finished {
    let id = AttemptId(0x0190_0000_0000_7000_8000_0000_0000_0000 + nth);
    let dial = Dial {
        trunk: TrunkIx(0),
        hop: 0,
        caller_id: "+999100000001".into(),
        ring: campaign.pacing.ring,
        permit_until: now.tick + Duration::from_millis(500),
    };
    let mut attempt = Attempt::dial(id, Arc::clone(campaign), dial);
    loop {
        while let Some(output) = attempt.poll_output() {
            match output {
                AttemptOutput::Leg(command) => wire.command(*now, LegId(id), command, number),
                AttemptOutput::Finished(finished) => return finished,
                AttemptOutput::Noted(_) | AttemptOutput::Transfer { .. } => {}
            }
        }
        let reports = wire.reports(*now);
        if reports.is_empty() {
            let next = [wire.next_at(), attempt.poll_timeout()].into_iter().flatten().min();
            let next = next.expect("an attempt that nobody ends").max(now.tick + Duration::from_micros(1));
            *now = now.plus(next.since(now.tick));
            if attempt.poll_timeout().is_some_and(|at| at <= now.tick) {
                attempt.handle(*now, AttemptInput::Timeout);
            }
        }
        for event in reports {
            attempt.handle(*now, AttemptInput::Leg(event));
        }
    }
}

#[test]
fn an_attempt_ends_the_same_at_leg_level_and_through_the_wire() {
    let campaign = campaign();
    let mut kinds: BTreeMap<(CallResult, Option<u16>), u32> = BTreeMap::new();
    let mut pressed = 0;
    for seed in [1, 2] {
        let people = Population { seed, machine: 0.2, congestion: 0.1, ..Population::default() };
        let start = Now { tick: Tick(1_000_000), wall: Wall::parse(AT).unwrap() };
        let mut legs = Legs { carrier: Carrier::new(people.clone()), seed, said: Vec::new() };
        let mut bytes = Bytes::new(people);
        let mut clocks = [start, start];
        // Twice each: the second dial of a number goes its own way, on both.
        for nth in 0..300_u32 {
            let number = format!("+999{:09}", 700_000_000 + nth / 2);
            let [here, there] = &mut clocks;
            // The hour that people answer by is the same for all, however long the others talked.
            (here.wall, there.wall) = (start.wall, start.wall);
            let by_leg = attempt(&mut legs, &campaign, here, u128::from(nth), &number);
            let by_wire = attempt(&mut bytes, &campaign, there, u128::from(nth), &number);
            let told = |f: &Finished| {
                let p = &f.progress;
                let reached = (p.ringing.is_some(), p.answered.is_some());
                (f.result, f.sip_status, f.q850, f.by, p.digits.clone(), p.disposition.clone(), reached)
            };
            assert_eq!(told(&by_leg), told(&by_wire), "seed {seed}, dial {nth} of {number}");
            *kinds.entry((by_leg.result, by_leg.sip_status)).or_default() += 1;
            pressed += u32::from(!by_leg.progress.digits.is_empty());
        }
        assert!(bytes.datagrams > 600, "the wire was used: {}", bytes.datagrams);
    }
    let seen = |result| kinds.iter().filter(|((of, _), _)| *of == result).map(|(_, count)| count).sum::<u32>();
    for result in [
        CallResult::Answered,
        CallResult::Busy,
        CallResult::NoAnswer,
        CallResult::Rejected,
        CallResult::VacantNumber,
        CallResult::NotReachable,
        CallResult::NetworkFailure,
    ] {
        assert!(seen(result) > 3, "{result} is hardly seen: {kinds:?}");
    }
    assert!(pressed > 50, "{pressed} pressed a key");
}
