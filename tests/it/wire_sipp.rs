//! The wire against SIPp: calls are placed, answered, played to and hung up over real sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use goldenhour::base::{AttemptId, Clock, LegId, Now, Pii, Rng, Tick, TrunkIx, Wall};
use goldenhour::call::{Dial, LegCommand, LegEnd, LegEvent, ReleaseSide};
use goldenhour::campaign::Prompt;
use goldenhour::contact::CallResult;
use goldenhour::line::{self, LineTrunk, MediaRange, RecoveredLeg};
use goldenhour::sip;
use goldenhour::wire::{self, Command, Config, Counts, Direction, Event, Handle, LinkState, Order, Streams};

use crate::ports::{free_address, free_address_at};
use crate::sipp_uas::Sipp;

struct TestClock(Instant);

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "this test is the shell")]
    fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TestClock {
    #[expect(clippy::disallowed_methods, reason = "this test is the shell")]
    fn now(&self) -> Now {
        let passed = self.0.elapsed().as_micros() as u64;
        Now { tick: Tick(passed), wall: Wall(1_790_000_000_000_000 + passed as i64) }
    }
}

pub(crate) struct Rig {
    handle: Handle,
    clock: Arc<TestClock>,
    rng: Rng,
    events: Receiver<Vec<Event>>,
}

impl Rig {
    fn new(gateway: SocketAddr, ports: (u16, u16), journal: Option<PathBuf>, recover: Vec<RecoveredLeg>) -> Self {
        Self::start(LineTrunk::new(gateway), Streams::default(), ports, journal, recover)
    }

    pub(crate) fn over(trunk: LineTrunk, streams: Streams, ports: (u16, u16)) -> Self {
        Self::start(trunk, streams, ports, None, vec![])
    }

    fn start(
        trunk: LineTrunk,
        streams: Streams,
        ports: (u16, u16),
        journal: Option<PathBuf>,
        recover: Vec<RecoveredLeg>,
    ) -> Self {
        let clock = TestClock::start();
        let local = if trunk.addr.is_ipv6() { free_address_at("[::1]") } else { free_address() };
        let sip = sip::Config::new(local, [7; 32]);
        let range = MediaRange { address: local.ip(), first_port: ports.0, last_port: ports.1 };
        let line = line::Config::new(sip, vec![trunk], range, 1, [1; 32]);
        let (sender, events) = sync_channel(1_024);
        let sink = move |events: &mut Vec<Event>| {
            events.retain(|event| matches!(event, Event::Leg { .. }));
            if events.is_empty() {
                return;
            }
            if let Err(mpsc::TrySendError::Full(back)) = sender.try_send(std::mem::take(events)) {
                *events = back;
            }
        };
        let config = Config {
            listen: line.sip.local,
            line,
            streams,
            journal,
            recover,
            queue: 64,
            tap: None,
            captures: Arc::default(),
        };
        let handle = wire::start(config, clock.clone(), sink).unwrap();
        Self { handle, clock, rng: Rng::seeded(3), events }
    }

    pub(crate) fn counts(&self) -> Arc<Counts> {
        Arc::clone(self.handle.counts())
    }

    /// How the connection to the one trunk stands, as soon as somebody has said so.
    pub(crate) fn link(&self) -> LinkState {
        let known = || self.handle.links().into_iter().next().flatten();
        let found = (0..100).find_map(|_| known().or_else(|| self.pause(Duration::from_millis(20)).then(known)?));
        found.unwrap()
    }

    /// True if nothing was reported for so long.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        self.events.recv_timeout(time).is_err()
    }

    pub(crate) fn order(&self, leg: LegId, command: LegCommand, number: Option<&str>) {
        let number = number.map(|number| Pii::new(number.to_owned()));
        self.handle.order(vec![Order::Command(Command { leg, command, number, identity: None })]).unwrap();
    }

    pub(crate) fn dial(&mut self) -> LegId {
        let now = self.clock.now();
        let leg = LegId(AttemptId::new(now, &mut self.rng));
        let dial = Dial {
            trunk: TrunkIx(0),
            hop: 0,
            caller_id: "+999100000001".into(),
            ring: Duration::from_secs(20),
            permit_until: now.tick + Duration::from_secs(5),
        };
        self.order(leg, LegCommand::Dial(dial), Some("+999100000042"));
        leg
    }

    pub(crate) fn next(&self) -> Vec<(LegId, LegEvent)> {
        let events = self.events.recv_timeout(Duration::from_secs(40)).unwrap();
        let leg = |event| if let Event::Leg { leg, event, .. } = event { Some((leg, event)) } else { None };
        events.into_iter().filter_map(leg).collect()
    }

    /// Reads events until one of them is `last`.
    pub(crate) fn until(&self, last: impl Fn(&LegEvent) -> bool) -> Vec<LegEvent> {
        let mut all = Vec::new();
        while !all.iter().any(&last) {
            all.extend(self.next().into_iter().map(|(_, event)| without_media(event)));
        }
        all
    }
}

/// How the sound was is another for every call.
fn without_media(mut event: LegEvent) -> LegEvent {
    if let LegEvent::Ended(end) = &mut event {
        end.media = None;
    }
    event
}

pub(crate) fn is_end(event: &LegEvent) -> bool {
    matches!(event, LegEvent::Ended(_) | LegEvent::NotSent(_))
}

pub(crate) const HUNG_UP: LegEvent = LegEvent::Ended(LegEnd {
    unanswered: None,
    sip_status: Some(200),
    q850: None,
    by: ReleaseSide::Us,
    media: None,
    unheard: false,
});

#[test]
fn three_hundred_calls_are_answered_and_hung_up_without_a_loss() {
    let sipp = Sipp::uas(&["-m", "300", "-timeout", "60"]);
    let mut rig = Rig::new(sipp.addr, (41_000, 42_999), None, vec![]);
    let mut legs: BTreeMap<LegId, Vec<LegEvent>> = BTreeMap::new();
    let (mut ended, mut dialled) = (0, 0);
    while ended < 300 {
        // Thirty at a time: what a trunk of this size would carry.
        while dialled < 300 && dialled - ended < 30 {
            legs.insert(rig.dial(), vec![]);
            dialled += 1;
        }
        for (leg, event) in rig.next() {
            ended += usize::from(is_end(&event));
            if event == LegEvent::Answered {
                rig.order(leg, LegCommand::Hangup, None);
            }
            legs.get_mut(&leg).unwrap().push(without_media(event));
        }
    }
    for said in legs.values() {
        assert_eq!(said[..], [LegEvent::Sent, LegEvent::Ringing, LegEvent::Answered, HUNG_UP]);
    }
    let counts = rig.handle.counts();
    assert!(counts.sip(Direction::Out, 0) >= 300 && counts.sip(Direction::In, 7) >= 600);
    // A port that another program holds is stepped over.
    assert_eq!(counts.send_failed(), 0);
    assert!(sipp.finish(), "SIPp saw a failed call");
    // A sender that somebody still holds does not keep the shard alive.
    let orders = rig.handle.orders();
    drop(rig);
    assert!(orders.is_closed());
}

/// As in the daemon, which starts the wire from inside a runtime of its own.
#[test]
fn an_address_that_is_taken_is_an_error_and_no_panic() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let range = MediaRange { address: listen.ip(), first_port: 40_998, last_port: 40_999 };
    let line = line::Config::new(sip::Config::new(listen, [7; 32]), vec![], range, 1, [1; 32]);
    let config = Config {
        listen,
        line,
        streams: Streams::default(),
        journal: None,
        recover: vec![],
        queue: 1,
        tap: None,
        captures: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { wire::start(config, TestClock::start(), |_| {}).unwrap_err() });
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn a_prompt_goes_out_as_rtp_and_comes_back_from_an_echo() {
    let sipp = Sipp::uas(&["-rtp_echo"]);
    let mut rig = Rig::new(sipp.addr, (43_000, 43_099), None, vec![]);
    let leg = rig.dial();
    rig.until(|event| *event == LegEvent::Answered);
    let pcm: Vec<i16> = vec![1_000; 8_000];
    rig.order(leg, LegCommand::Play(Prompt { path: "second.wav".into(), pcm: pcm.into() }), None);
    let said = rig.until(|event| *event == LegEvent::PlayDone || is_end(event));
    assert_eq!(said, [LegEvent::PlayDone]);
    rig.order(leg, LegCommand::Hangup, None);
    assert_eq!(rig.until(is_end), [HUNG_UP]);
    let counts = rig.handle.counts();
    let (sent, received) = (counts.rtp(Direction::Out), counts.rtp(Direction::In));
    assert_eq!(sent, 50);
    assert!((45..=50).contains(&received), "{received} of {sent} came back");
}

#[test]
fn nobody_at_the_gateway_s_address_is_found_out_long_before_timer_b() {
    let mut rig = Rig::new(free_address(), (43_100, 43_199), None, vec![]);
    rig.dial();
    let said = rig.until(is_end);
    let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
    assert_eq!((end.unanswered, end.by), (Some(CallResult::TrunkRefused), ReleaseSide::Nobody));
    assert!(rig.clock.now().tick < Tick(15_000_000));
}

#[test]
fn what_a_crash_left_answered_is_ended_by_the_next_start() {
    // SIPp's own scenario ends its one call well only when a BYE comes.
    let sipp = Sipp::uas(&["-m", "1", "-timeout", "30"]);
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("dialogs");
    let mut rig = Rig::new(sipp.addr, (43_200, 43_299), Some(journal.clone()), vec![]);
    let leg = rig.dial();
    rig.until(|event| *event == LegEvent::Answered);
    // The shard goes down with the call up: nobody told it to hang up.
    drop(rig);
    let left = RecoveredLeg {
        leg,
        trunk: TrunkIx(0),
        number: Pii::new("+999100000042".to_owned()),
        caller_id: "+999100000001".into(),
        dialog: None,
        tried: None,
    };
    let _rig = Rig::new(sipp.addr, (43_200, 43_299), Some(journal), vec![left]);
    assert!(sipp.finish(), "SIPp never saw the BYE");
}
