//! The far end as a machine: datagrams and RTP in, datagrams, RTP and testimony out.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::{LegId, Now, Rng, Tick};
use crate::media;
use crate::sip::{self, Command, Network, Packet, Peer, Ua};

use super::call::Call;
use super::gbk::dress;
use super::media::Voices;
use super::people::People;
use super::ports::Ports;
use super::queues::Queues;
use super::stats::Stats;
use super::town::Town;
use super::witness::{Seen, Witness};

/// Calls look at their timers on this grid, so that one wake serves many; it divides the 20 ms of a frame.
const GRID_US: u64 = 10_000;
/// Transactions that outlive their calls need room beside the calls.
const TRANSACTIONS_MAX: usize = 200_000;

/// What a gateway is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    pub town: Town,
    /// Where SIP arrives, as callers see it.
    pub local: SocketAddr,
    /// Our RTP sockets; packets name them by position.
    pub rtp: Vec<SocketAddr>,
    /// Who may call. Datagrams from elsewhere get no answer.
    pub callers: Vec<Network>,
    /// Behind tags and branches.
    pub key: [u8; 32],
    /// Whether `Output::Witness` is wanted.
    pub witness: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A SIP datagram.
    Datagram {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// A datagram on the RTP socket at that position.
    Rtp {
        port: u16,
        from: SocketAddr,
        bytes: &'a [u8],
    },
    Timeout,
}

#[derive(Debug)]
pub enum Output {
    Sip { to: SocketAddr, bytes: Packet },
    Witness(Box<Witness>),
}

/// Why to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A SIP timer.
    Sip,
    /// Somebody speaks or does something.
    People,
}

/// After each `handle` drain `poll_output` and `poll_packet`, then sleep until `poll_timeout`.
#[derive(Debug)]
pub struct Gateway {
    pub(super) ua: Ua,
    pub(super) town: Town,
    pub(super) people: People,
    pub(super) queues: Queues,
    pub(super) ports: Ports,
    pub(super) voices: Voices,
    pub(super) rng: Rng,
    pub(super) srtp_key: [u8; 32],
    pub(super) calls: HashMap<LegId, Call>,
    pub(super) stats: Stats,
    wakes: BinaryHeap<Reverse<(Tick, LegId)>>,
    /// Calls that may have packets to send.
    loud: VecDeque<LegId>,
    outputs: VecDeque<Output>,
    witness: bool,
}

impl Gateway {
    pub fn new(setup: Setup) -> Self {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        let config = sip::Config {
            user_agent: "goldenhour-far".to_owned(),
            server: true,
            peers: vec![Peer { from: setup.callers, ..Peer::new(nobody) }],
            max_calls: TRANSACTIONS_MAX,
            ..sip::Config::new(setup.local, setup.key)
        };
        Self {
            ua: Ua::new(config),
            people: People::new(&setup.town),
            queues: Queues::new(&setup.town),
            ports: Ports::new(&setup.rtp),
            voices: Voices::default(),
            rng: Rng::seeded(setup.town.people.seed),
            srtp_key: setup.key,
            town: setup.town,
            calls: HashMap::new(),
            stats: Stats::default(),
            wakes: BinaryHeap::new(),
            loud: VecDeque::new(),
            outputs: VecDeque::new(),
            witness: setup.witness,
        }
    }

    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        match input {
            Input::Datagram { from, bytes } => {
                self.ua.handle(now, sip::Input::Datagram { from, bytes });
                self.settle(now, bytes);
            }
            Input::Rtp { port, from, bytes } => self.on_rtp(now, port, from, bytes),
            Input::Timeout => {}
        }
        if self.ua.poll_timeout().is_some_and(|(at, _)| at <= now.tick) {
            self.ua.handle(now, sip::Input::Timeout);
            self.settle(now, &[]);
        }
        while let Some(leg) = self.due(now.tick) {
            self.wake(now, leg);
            self.settle(now, &[]);
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next RTP packet that is due, in place of what `out` holds: the socket to send it from, and where to.
    pub fn poll_packet(&mut self, out: &mut Vec<u8>) -> Option<(u16, SocketAddr)> {
        while let Some(leg) = self.loud.front().copied() {
            if let Some(call) = self.calls.get_mut(&leg)
                && let (Some(talk), Some(port)) = (call.talk.as_mut(), call.port)
            {
                if let Some(to) = talk.session.poll_packet(out) {
                    self.stats.rtp_out += 1;
                    return Some((port, to));
                }
                talk.loud = false;
                self.arm(leg);
            }
            self.loud.pop_front();
        }
        None
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Why)> {
        let sip = self.ua.poll_timeout().map(|(at, _)| (at, Why::Sip));
        let people = self.wakes.peek().map(|Reverse((at, _))| (*at, Why::People));
        match (sip, people) {
            (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    pub fn stats(&self) -> Stats {
        Stats { live: self.calls.len() as u64, ..self.stats }
    }

    pub(super) fn command(&mut self, now: Now, command: Command) {
        self.ua.handle(now, sip::Input::Command(command));
    }

    pub(super) fn testify(&mut self, at: Now, leg: LegId, seen: Seen) {
        if let Some(call) = self.calls.get(&leg).filter(|_| self.witness) {
            let witness = Witness { at, call_id: Arc::clone(&call.sip_id), seen };
            self.outputs.push_back(Output::Witness(Box::new(witness)));
        }
    }

    /// Something happened to the sound of this call: it may have packets to send, and reports to make.
    pub(super) fn touch(&mut self, now: Now, leg: LegId) {
        let Some(talk) = self.calls.get_mut(&leg).and_then(|call| call.talk.as_mut()) else { return self.arm(leg) };
        let mut gone = false;
        while let Some(output) = talk.session.poll_output() {
            match output {
                // The caller's keys and the end of our own greeting mean nothing here.
                media::Output::Digit(_) | media::Output::PlayDone => {}
                media::Output::Silent => gone = true,
            }
        }
        if !std::mem::replace(&mut talk.loud, true) {
            self.loud.push_back(leg);
        }
        if gone {
            self.hang_up(now, leg);
        }
    }

    /// Asks to be woken for whatever this call does next.
    pub(super) fn arm(&mut self, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let sound = call.talk.as_ref().and_then(|talk| talk.session.poll_timeout()).map(|(at, _)| at);
        let next = [call.next(), sound].into_iter().flatten().min();
        let Some(at) = next.map(|at| Tick(at.0.div_ceil(GRID_US).saturating_mul(GRID_US))) else { return };
        if at < call.armed {
            call.armed = at;
            self.wakes.push(Reverse((at, leg)));
        }
    }

    /// Carries out what the user agent says, until it has no more to say. `datagram` is what it was just given.
    fn settle(&mut self, now: Now, datagram: &[u8]) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                sip::Output::Send { to, bytes } => {
                    let bytes = dress(&bytes, self.town.gbk_server).unwrap_or(bytes);
                    // It has a datagram socket and nothing else.
                    self.outputs.push_back(Output::Sip { to: to.addr, bytes });
                }
                sip::Output::Event { leg, event } => {
                    self.on_event(now, leg, event, datagram);
                    self.arm(leg);
                }
                // A far end calls nobody who could ask it for credentials.
                sip::Output::Journal(_)
                | sip::Output::Tried(_)
                | sip::Output::Unauthorised { .. }
                | sip::Output::Registration { .. }
                | sip::Output::Pong { .. } => {}
                sip::Output::Count(counter) => self.stats.count(counter),
            }
        }
    }

    fn on_rtp(&mut self, now: Now, port: u16, from: SocketAddr, bytes: &[u8]) {
        // Our ports are no pairs, so reports for one call may reach the port of another. Nobody here reads them.
        if media::is_rtcp(bytes) {
            return;
        }
        let owner = self.ports.owner(port, from);
        let call = owner.and_then(|leg| Some((leg, self.calls.get_mut(&leg)?)));
        let Some((leg, call)) = call else {
            self.stats.rtp_stray += 1;
            return;
        };
        let Some(talk) = call.talk.as_mut() else { return };
        self.stats.rtp_in += 1;
        talk.session.handle(now, media::Input::Packet { from, bytes });
        if !talk.heard && talk.session.stats().reception.received() > 0 {
            talk.heard = true;
            call.heard(now.tick);
        }
        self.touch(now, leg);
    }

    /// The next call whose time has come.
    fn due(&mut self, now: Tick) -> Option<LegId> {
        while let Some(Reverse((at, leg))) = self.wakes.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.wakes.pop();
            // What was overtaken by an earlier wake, or belongs to a call that is gone, is stale.
            if let Some(call) = self.calls.get_mut(&leg).filter(|call| call.armed == at) {
                call.armed = Tick::MAX;
                return Some(leg);
            }
        }
        None
    }

    fn wake(&mut self, now: Now, leg: LegId) {
        while let Some(step) = self.calls.get_mut(&leg).and_then(|call| call.due(now.tick)) {
            self.on_step(now, leg, step);
        }
        if let Some(talk) = self.calls.get_mut(&leg).and_then(|call| call.talk.as_mut()) {
            talk.session.handle(now, media::Input::Timeout);
        }
        self.touch(now, leg);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::far::testing::{FAR, Rig, nobody, person};
    use crate::far::town::Queue;
    use crate::sip::{Cause, Event, Side};
    use std::time::Duration;

    const NUMBER: &str = "+999100000001";
    const ACCEPT: [(char, f64); 4] = [('1', 1.0), ('1', 0.0), ('1', 0.0), ('1', 0.0)];
    const NOTHING: [(char, f64); 4] = [('1', 0.0); 4];

    fn answered(event: &Event) -> bool {
        matches!(event, Event::Answered { .. })
    }

    fn ringing(event: &Event) -> bool {
        matches!(event, Event::Ringing { .. })
    }

    /// Status, Q.850 cause, whether it rang, of one call into a town.
    fn refused(town: Town) -> (Option<u16>, Option<u8>, bool) {
        let mut rig = Rig::new(town);
        let leg = rig.call(NUMBER);
        rig.run(30);
        let end = rig.end(leg).expect("the call ended");
        assert_eq!((end.cause, end.answered), (Cause::Refused, false));
        assert_eq!(rig.gateway.stats().live, 0);
        (end.status, end.q850, rig.at(leg, ringing).is_some())
    }

    #[test]
    fn a_person_answers_after_ringing_listens_and_presses_the_key() {
        let mut rig = Rig::new(person(ACCEPT));
        let leg = rig.call(NUMBER);
        rig.run(25);
        let (rang, up) = (rig.at(leg, ringing).unwrap(), rig.at(leg, answered).unwrap());
        assert!(up.since(rang) >= Duration::from_millis(1_500));
        assert_eq!(rig.keys(leg), "1");
        assert!(rig.digits[0].0.since(up) >= Duration::from_millis(1_500), "nobody presses before they have listened");
        assert_eq!(rig.gateway.stats().people, 1);
    }

    #[test]
    fn people_say_something_fifty_times_a_second_while_they_are_on_the_line_and_not_after() {
        let mut rig = Rig::new(person(NOTHING));
        let leg = rig.call(NUMBER);
        while rig.at(leg, answered).is_none() {
            rig.run(1);
        }
        let before = rig.rtp_from_far();
        rig.run(2);
        assert_eq!(rig.rtp_from_far() - before, 100);
        rig.command(Command::Hangup { leg });
        let after = rig.rtp_from_far();
        rig.run(5);
        assert_eq!((rig.rtp_from_far(), rig.gateway.stats().live), (after, 0));
        assert!(rig.gateway.stats().rtp_in > 100 && rig.gateway.stats().rtp_stray == 0);
    }

    #[test]
    fn the_delay_of_a_key_counts_from_what_is_heard() {
        let mut rig = Rig::new(person(ACCEPT));
        rig.plays = false;
        let leg = rig.call(NUMBER);
        while rig.at(leg, answered).is_none() {
            rig.run(1);
        }
        rig.run(8);
        assert_eq!(rig.keys(leg), "");
        let prompt = rig.now.tick;
        rig.play(leg);
        rig.run(15);
        assert_eq!(rig.keys(leg), "1");
        assert!(rig.digits[0].0.since(prompt) >= Duration::from_millis(1_500));
    }

    #[test]
    fn whoever_hears_nothing_hangs_up_after_ten_seconds() {
        let mut rig = Rig::new(person(ACCEPT));
        rig.plays = false;
        let leg = rig.call(NUMBER);
        rig.run(60);
        let up = rig.at(leg, answered).unwrap();
        let gone = rig.at(leg, |event| matches!(event, Event::Ended(_))).unwrap();
        assert_eq!(gone.since(up), Duration::from_secs(10));
        assert_eq!((rig.keys(leg).as_str(), rig.gateway.stats().heard_nothing), ("", 1));
        assert_eq!(rig.end(leg).map(|end| (end.cause, end.by)), Some((Cause::Bye, Side::Them)));
    }

    #[test]
    fn whoever_wants_out_presses_nine() {
        let mut rig = Rig::new(person([('9', 1.0), ('1', 0.0), ('1', 0.0), ('1', 0.0)]));
        let legs: Vec<_> = (0..5).map(|n| rig.call(&format!("+99910000000{n}"))).collect();
        rig.run(40);
        assert!(legs.iter().all(|leg| rig.keys(*leg) == "9"));
    }

    #[test]
    fn patience_ends_and_the_caller_gets_a_bye() {
        let mut rig = Rig::new(person(NOTHING));
        let legs: Vec<_> = (0..8).map(|n| rig.call(&format!("+99910000000{n}"))).collect();
        rig.run(50);
        let left = legs.iter().filter(|leg| rig.end(**leg).is_some_and(|end| end.by == Side::Them)).count();
        assert!((1..8).contains(&left), "some leave while the prompt plays and some stay: {left}");
    }

    #[test]
    fn a_caller_that_has_gone_silent_for_a_minute_is_dropped() {
        let mut rig = Rig::new(person(NOTHING));
        for n in 0..8 {
            rig.call(&format!("+99910000000{n}"));
        }
        rig.run(200);
        assert_eq!(rig.gateway.stats().live, 0);
    }

    #[test]
    fn each_refusal_has_its_status_and_cause() {
        assert_eq!(refused(nobody(|p| p.busy = 1.0)), (Some(486), Some(17), false));
        assert_eq!(refused(nobody(|p| p.vacant_numbers = 1.0)), (Some(404), Some(1), false));
        assert_eq!(refused(nobody(|p| p.powered_off = 1.0)), (Some(480), Some(20), false));
        assert_eq!(refused(nobody(|p| p.not_reachable = 1.0)), (Some(480), Some(20), false));
        assert_eq!(refused(nobody(|p| p.suspended_numbers = 1.0)), (Some(480), Some(8), false));
        assert_eq!(refused(nobody(|p| p.congestion = 1.0)), (Some(503), Some(34), false));
        let rejected = refused(nobody(|p| p.rejected = 1.0));
        assert!([(Some(603), None, true), (Some(480), Some(21), true)].contains(&rejected), "{rejected:?}");
    }

    #[test]
    fn a_number_that_nobody_answers_rings_until_the_caller_cancels() {
        let mut rig = Rig::new(nobody(|_| {}));
        let leg = rig.call(NUMBER);
        rig.run(39);
        assert!(rig.end(leg).is_none() && rig.at(leg, ringing).is_some());
        rig.run(3);
        assert_eq!(rig.end(leg).map(|end| (end.cause, end.status)), Some((Cause::RingTimeout, Some(487))));
        assert_eq!((rig.gateway.stats().cancelled, rig.gateway.stats().live), (1, 0));
    }

    #[test]
    fn a_machine_answers_talks_and_hangs_up_whatever_it_hears() {
        let mut rig = Rig::new(nobody(|p| p.machine = 1.0));
        let leg = rig.call(NUMBER);
        rig.run(60);
        let up = rig.at(leg, answered).unwrap();
        let gone = rig.at(leg, |event| matches!(event, Event::Ended(_))).unwrap();
        assert_eq!((gone.since(up), rig.keys(leg).as_str()), (Duration::from_secs(6), ""));
        assert_eq!(rig.gateway.stats().machines, 1);
    }

    /// A person, transferred at once to a queue: what the REFER reported.
    fn transferred(seats: u32, full: u16) -> (Rig, Vec<(u16, bool)>) {
        let queue = Queue { seats, full, ..Queue::default() };
        let mut rig = Rig::new(Town { queues: [("8001".to_owned(), queue)].into(), ..person(NOTHING) });
        let leg = rig.call(NUMBER);
        while rig.at(leg, answered).is_none() {
            rig.run(1);
        }
        rig.command(Command::Refer { leg, target: format!("sip:8001@{FAR}") });
        rig.run(8);
        let reports = rig.events.iter().filter_map(|(.., event)| {
            if let Event::ReferProgress { status, last } = event { Some((*status, *last)) } else { None }
        });
        let reports = reports.collect();
        (rig, reports)
    }

    #[test]
    fn a_transfer_is_taken_by_an_agent_who_is_free() {
        let (mut rig, reports) = transferred(1, 486);
        assert_eq!(reports.last(), Some(&(200, true)));
        assert_eq!(reports.iter().filter(|(_, last)| *last).count(), 1);
        assert_eq!(rig.gateway.stats().transfers, 1);
        rig.run(12);
        assert_eq!(rig.gateway.stats().live, 0, "the gateway lets go of a leg that its caller keeps");
    }

    #[test]
    fn a_transfer_to_a_full_queue_is_refused_and_the_call_goes_on() {
        for full in [486, 503] {
            let (rig, reports) = transferred(0, full);
            assert_eq!(reports.last(), Some(&(full, true)));
            assert_eq!((rig.gateway.stats().transfers_refused, rig.gateway.stats().live), (1, 1));
        }
    }

    #[test]
    fn above_the_limit_calls_get_503_with_retry_after_and_nobody_is_called() {
        let mut rig = Rig::new(Town { max_calls: 2, ..person(NOTHING) });
        let legs: Vec<_> = (0..3).map(|n| rig.call(&format!("+99910000000{n}"))).collect();
        let refused: Vec<_> = legs.iter().filter_map(|leg| rig.end(*leg)).collect();
        let [end] = refused[..] else { panic!("{refused:?}") };
        assert_eq!((end.status, end.retry_after_s), (Some(503), Some(5)));
        assert_eq!((rig.gateway.stats().over_limit, rig.gateway.stats().live), (1, 2));
        rig.run(300);
        rig.call("+999100000002");
        assert_eq!(rig.gateway.stats().live, 1, "there is room again");
        let ordinals = rig.witness.iter().filter_map(|w| {
            if let Seen::Invite { tail, ordinal, .. } = &w.seen { (tail == "0002").then_some(*ordinal) } else { None }
        });
        assert_eq!(ordinals.collect::<Vec<_>>(), [0, 0], "a refused call is not counted as a dial");
    }

    #[test]
    fn more_calls_than_rtp_ports_are_all_answered() {
        let mut rig = Rig::new(person(ACCEPT));
        let legs: Vec<_> = (0..20).map(|n| rig.call(&format!("+9991000000{n:02}"))).collect();
        rig.run(40);
        assert!(legs.iter().all(|leg| rig.keys(*leg) == "1"));
    }

    #[test]
    fn a_gbk_server_header_changes_nothing_for_the_caller() {
        let mut rig = Rig::new(Town { gbk_server: 1.0, ..person(ACCEPT) });
        let leg = rig.call(NUMBER);
        rig.run(25);
        assert_eq!(rig.keys(leg), "1");
        assert!(rig.from_far.iter().any(|datagram| std::str::from_utf8(datagram).is_err()));
    }

    #[test]
    fn strangers_get_no_answer() {
        let mut rig = Rig::new(person(ACCEPT));
        let from = "192.0.2.1:5060".parse().unwrap();
        let bytes = b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
                      To: <sip:x@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n";
        rig.gateway.handle(rig.now, Input::Datagram { from, bytes });
        assert!(rig.gateway.poll_output().is_none());
        let from = "127.0.0.9:5999".parse().unwrap();
        rig.gateway.handle(rig.now, Input::Datagram { from, bytes });
        assert!(matches!(rig.gateway.poll_output(), Some(Output::Sip { .. })));
    }

    #[test]
    fn the_witness_swears_to_every_call_by_its_call_id() {
        let mut rig = Rig::new(person(ACCEPT));
        let leg = rig.call(NUMBER);
        while rig.digits.is_empty() {
            rig.run(1);
        }
        rig.command(Command::Hangup { leg });
        let call_id = leg.0.to_string();
        assert!(rig.witness.iter().all(|w| *w.call_id == *call_id));
        let events: Vec<_> = rig.witness.iter().map(|w| &w.seen).collect();
        let [Seen::Invite { number, tail, ordinal: 0, will: "person" }, Seen::Answered, Seen::Key('1'), ended] =
            &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!((*number, tail.as_str()), (crate::far::fingerprint(1, NUMBER), "0001"));
        assert!(matches!(ended, Seen::Ended { cause: "bye", by: "caller", .. }));
    }

    #[test]
    fn a_hundred_calls_of_a_seed_go_the_same_way_twice_and_another_seed_differs() {
        let story = |seed| {
            let mut town = Town::default();
            town.seed(seed);
            let mut rig = Rig::new(town);
            for n in 0..100 {
                rig.call(&format!("+9991000{n:05}"));
                rig.run(1);
            }
            rig.run(200);
            let stats = rig.gateway.stats();
            assert_eq!(stats.live, 0);
            assert_eq!(stats.invites, stats.people + stats.machines + stats.refused + stats.cancelled);
            assert!(stats.people > 10 && stats.refused > 10 && stats.cancelled > 10, "{stats:?}");
            rig.story()
        };
        let first = story(3);
        assert_eq!(first, story(3));
        assert_ne!(first, story(4));
    }

    #[test]
    fn between_calls_there_is_nothing_to_wake_for() {
        let mut rig = Rig::new(nobody(|p| p.busy = 1.0));
        rig.call(NUMBER);
        rig.run(120);
        assert_eq!(rig.gateway.poll_timeout(), None);
        assert!(rig.gateway.wakes.is_empty() && rig.gateway.calls.is_empty() && rig.gateway.loud.is_empty());
    }
}
