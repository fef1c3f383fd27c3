//! The line against another user agent with media of its own, in virtual time over a perfect network.

mod health;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, LegId, Now, Pii, Reach, Tick, TrunkIx};
use crate::call::{
    CallResult, Codec, Dial, LegCommand, LegEnd, LegEvent, MediaQuality, NotSent, Prompt, ReleaseSide, TrunkState,
};
use crate::media::{self, Params, Session, Target, silence};
use crate::sip::{self, DialogFacts, Event, Tried, Ua, sdp};

use super::{Config, Counter, Input, Line, LineTrunk, MediaRange, NumberRule, Output, RecoveredLeg, Route};

const LINE: &str = "127.0.0.1:5060";
const GATEWAY: &str = "127.0.0.1:5080";
const NUMBER: &str = "+999100000042";

/// What the far end does with a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Far {
    Answers,
    /// Rings for this long, then answers.
    AnswersAfter(Duration),
    Refuses(u16, Option<u8>),
    Rings,
    /// Never says a word.
    Mute,
}

mod secure;

struct Rig {
    now: Now,
    line: Line,
    far: Ua,
    policy: Far,
    answer_at: Option<(Tick, LegId)>,
    sessions: BTreeMap<u16, Session>,
    ports_fail: bool,
    far_srtp: Option<sdp::Secret>,
    /// Applied to every datagram from the gateway.
    mangle: fn(&[u8]) -> Vec<u8>,
    /// From us to the gateway, first lines.
    sent: Vec<String>,
    /// What we said, and when, in milliseconds.
    events: Vec<(u64, LegEvent)>,
    far_events: Vec<Event>,
    heard: Vec<MediaQuality>,
    counted: Vec<Counter>,
    reports: Vec<sip::Report>,
    /// How the trunk stood from when on, in milliseconds.
    stood: Vec<(u64, TrunkState)>,
    journal: Vec<DialogFacts>,
    tried: Vec<Tried>,
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn leg() -> LegId {
    LegId(AttemptId(0x0190_0000_0000_7000_8000_0000_0000_0001))
}

fn line_config() -> Config {
    let sip = sip::Config::new(at(LINE), [7; 32]);
    let number = NumberRule { strip: "+999".into(), prefix: "0".into() };
    let reach = Reach::listed(&["+9991".to_owned()], &["+99919".to_owned()]);
    let trunk = LineTrunk { number, reach, asserts_caller_id: true, ..LineTrunk::new(at(GATEWAY)) };
    let media = MediaRange { address: [127, 0, 0, 1].into(), first_port: 20_000, last_port: 20_003 };
    Config::new(sip, vec![trunk], media, 1, [9; 32])
}

impl Rig {
    fn new(policy: Far) -> Self {
        let mut far = sip::Config::new(at(GATEWAY), [9; 32]);
        far.server = true;
        far.peers = vec![sip::Peer::new(at(LINE))];
        Self {
            now: Now { tick: Tick(1_000_000), ..Now::default() },
            line: Line::new(line_config()),
            far: Ua::new(far),
            policy,
            answer_at: None,
            sessions: BTreeMap::new(),
            ports_fail: false,
            far_srtp: None,
            mangle: <[u8]>::to_vec,
            sent: vec![],
            events: vec![],
            far_events: vec![],
            heard: vec![],
            counted: vec![],
            reports: vec![],
            stood: vec![],
            journal: vec![],
            tried: vec![],
        }
    }

    fn dialled(policy: Far) -> Self {
        let mut rig = Self::new(policy);
        rig.dial(leg());
        rig
    }

    fn answered() -> Self {
        let mut rig = Self::dialled(Far::Answers);
        rig.run(10);
        rig.events.clear();
        rig
    }

    fn dial(&mut self, leg: LegId) {
        let dial = Dial {
            trunk: TrunkIx(0),
            hop: 0,
            caller_id: "+999100000001".into(),
            ring: Duration::from_secs(30),
            permit_until: self.now.tick + Duration::from_millis(500),
        };
        let (command, number) = (LegCommand::Dial(dial), Some(Pii::new(NUMBER.to_owned())));
        self.input(Input::Command { leg, command, number, identity: None });
    }

    fn command(&mut self, command: LegCommand) {
        self.input(Input::Command { leg: leg(), command, number: None, identity: None });
    }

    fn input(&mut self, input: Input<'_>) {
        self.line.handle(self.now, input);
        self.settle();
    }

    fn far_command(&mut self, command: sip::Command) {
        self.far.handle(self.now, sip::Input::Command(command));
        self.settle();
    }

    /// The far end's media, of its only call.
    fn far_media(&mut self, input: media::Input<'_>) {
        self.sessions.values_mut().next().unwrap().handle(self.now, input);
        self.settle();
    }

    fn run(&mut self, ms: u64) {
        let end = self.now.tick + Duration::from_millis(ms);
        loop {
            let sessions = self.sessions.values().filter_map(Session::poll_timeout).map(|(at, _)| at);
            let line = self.line.poll_timeout().map(|(at, _)| at);
            let far = self.far.poll_timeout().map(|(at, _)| at);
            let answer = self.answer_at.map(|(at, _)| at);
            let next = sessions.chain(line).chain(far).chain(answer).min();
            let next = next.filter(|next| *next <= end).unwrap_or(end).max(self.now.tick);
            self.now = self.now.plus(next.since(self.now.tick));
            self.line.handle(self.now, Input::Timeout);
            self.far.handle(self.now, sip::Input::Timeout);
            self.sessions.values_mut().for_each(|s| s.handle(self.now, media::Input::Timeout));
            if let Some((_, leg)) = self.answer_at.take_if(|(at, _)| *at <= next) {
                self.accept(leg);
            }
            self.settle();
            if next >= end {
                return;
            }
        }
    }

    /// Carries everything until nobody has more to say.
    fn settle(&mut self) {
        let mut rtp = Vec::new();
        loop {
            let mut quiet = true;
            while let Some((port, to)) = self.line.poll_rtp(&mut rtp) {
                quiet = false;
                if let Some(session) = self.sessions.get_mut(&to.port()) {
                    session.handle(self.now, media::Input::Packet { from: ([127, 0, 0, 1], port).into(), bytes: &rtp });
                }
            }
            while let Some(output) = self.line.poll_output() {
                quiet = false;
                self.on_output(output);
            }
            while let Some(output) = self.far.poll_output() {
                quiet = false;
                self.on_far(output);
            }
            for (port, session) in &mut self.sessions {
                while let Some(to) = session.poll_packet(&mut rtp) {
                    quiet = false;
                    let from = ([127, 0, 0, 1], *port).into();
                    self.line.handle(self.now, Input::Rtp { port: to.port(), from, bytes: &rtp });
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::SendSip { to, bytes } => {
                assert_eq!(to, sip::Target::udp(at(GATEWAY)));
                let text = String::from_utf8_lossy(&bytes);
                self.sent.push(text.lines().next().unwrap_or_default().to_owned());
                if self.policy != Far::Mute {
                    self.far.handle(self.now, sip::Input::Datagram { from: at(LINE), bytes: &bytes });
                }
            }
            Output::Leg(_, mut event) => {
                if let LegEvent::Ended(end) = &mut event {
                    self.heard.extend(end.media.take().map(|media| *media));
                }
                self.events.push((self.now.tick.0 / 1_000 - 1_000, event));
            }
            Output::OpenPort(port) => {
                self.line.handle(self.now, Input::PortOpened { port, ok: !self.ports_fail });
            }
            Output::Journal(facts) => self.journal.push(*facts),
            Output::Tried(tried) => self.tried.push(tried),
            Output::Unauthorised { .. } | Output::Trouble { .. } => {}
            Output::Registration { report, .. } => self.reports.push(report),
            Output::Trunk { state, .. } => self.stood.push((self.now.tick.0 / 1_000 - 1_000, state)),
            Output::Count(counter) => self.counted.push(counter),
        }
    }

    fn on_far(&mut self, output: sip::Output) {
        match output {
            sip::Output::Send { to, bytes } => {
                assert_eq!(to, sip::Target::udp(at(LINE)));
                let bytes = (self.mangle)(&bytes);
                self.line.handle(self.now, Input::Datagram { from: at(GATEWAY), bytes: &bytes });
            }
            sip::Output::Event { leg, event } => {
                match &event {
                    Event::Incoming(_) => self.incoming(leg),
                    Event::Acked { media } => self.far_started(media),
                    Event::Refer { .. } => {
                        self.far.handle(self.now, sip::Input::Command(sip::Command::NotifyRefer { leg, status: 100 }));
                    }
                    Event::Trying
                    | Event::Ringing { .. }
                    | Event::EarlyMedia { .. }
                    | Event::Answered { .. }
                    | Event::MediaChanged { .. }
                    | Event::Digit { .. }
                    | Event::ReferProgress { .. }
                    | Event::Ended(_) => {}
                }
                self.far_events.push(event);
            }
            sip::Output::Journal(_)
            | sip::Output::Tried(_)
            | sip::Output::Unauthorised { .. }
            | sip::Output::Registration { .. }
            | sip::Output::Pong { .. }
            | sip::Output::Count(_) => {}
        }
    }

    fn incoming(&mut self, leg: LegId) {
        let ring = |status| sip::Command::Provisional { leg, status, media: None };
        let command = match self.policy {
            Far::Answers => return self.accept(leg),
            Far::AnswersAfter(wait) => {
                self.answer_at = Some((self.now.tick + wait, leg));
                ring(180)
            }
            Far::Refuses(status, q850) => sip::Command::Reject { leg, status, q850, retry_after_s: None },
            Far::Rings => ring(180),
            Far::Mute => return,
        };
        self.far.handle(self.now, sip::Input::Command(command));
    }

    fn accept(&mut self, leg: LegId) {
        let media = sdp::Local { rtp: at("127.0.0.1:30000"), prefer: sdp::Codec::Pcma, srtp: self.far_srtp };
        self.far.handle(self.now, sip::Input::Command(sip::Command::Accept { leg, media }));
    }

    fn far_started(&mut self, media: &sdp::Media) {
        let codec = media::Codec::Pcma;
        let target = Target {
            remote: media.remote,
            codec,
            payload_type: 8,
            telephone_event_pt: media.event_payload_type,
            rtcp: None,
            srtp: media.srtp.as_ref().map(super::sessions::keys),
        };
        let params = Params {
            target,
            ssrc: 77,
            first_seq: 1,
            first_timestamp: 1,
            silence_after: Duration::ZERO,
            fill_silence: true,
            learn: false,
            report_seed: 0,
        };
        let mut session = Session::new(self.now, &params);
        session.handle(self.now, media::Input::Timeout);
        self.sessions.insert(30_000, session);
    }

    fn said(&self) -> Vec<LegEvent> {
        self.events.iter().map(|(_, event)| event.clone()).collect()
    }
}

fn prompt(ms: u32) -> LegCommand {
    LegCommand::Play(Prompt { path: "p.wav".into(), pcm: Arc::from(silence(ms)) })
}

fn ended(unanswered: Option<CallResult>, sip_status: Option<u16>, q850: Option<u8>, by: ReleaseSide) -> LegEvent {
    LegEvent::Ended(LegEnd { unanswered, sip_status, q850, by, media: None, unheard: false })
}

fn digit(key: char) -> LegEvent {
    LegEvent::Digit(crate::call::Digit::new(key).unwrap())
}

#[test]
fn an_answered_call_plays_hears_keys_and_ends_by_our_bye() {
    let mut rig = Rig::dialled(Far::AnswersAfter(Duration::from_secs(3)));
    rig.run(3_100);
    assert_eq!(rig.said(), [LegEvent::Sent, LegEvent::Ringing, LegEvent::Answered]);
    rig.events.clear();
    rig.command(prompt(1_000));
    rig.run(500);
    rig.far_media(media::Input::SendDigits("1#"));
    rig.run(1_000);
    assert_eq!(rig.said(), [digit('1'), digit('#'), LegEvent::PlayDone]);
    let heard = rig.sessions.get(&30_000).unwrap().stats();
    assert_eq!((heard.reception.received(), heard.reception.lost()), (50, 0));
    rig.command(LegCommand::Hangup);
    rig.run(100);
    assert_eq!(rig.said().last(), Some(&ended(None, Some(200), None, ReleaseSide::Us)));
    assert_eq!((rig.line.live_legs(), rig.heard.len(), rig.heard[0].sent), (0, 1, 50));
    assert!(rig.journal.iter().any(|facts| facts.confirmed && facts.leg == leg()));
}

#[test]
fn the_invite_carries_the_rewritten_number_and_the_caller_id_twice() {
    let rig = Rig::dialled(Far::Rings);
    assert_eq!(rig.sent, ["INVITE sip:0100000042@127.0.0.1:5080 SIP/2.0"]);
    let Some(Event::Incoming(incoming)) = rig.far_events.first() else { panic!("no call came") };
    assert_eq!(
        (incoming.from_user.reveal().as_str(), incoming.to_user.reveal().as_str()),
        ("+999100000001", "0100000042")
    );
}

#[test]
fn a_refusal_becomes_the_result_of_the_table() {
    for (status, q850, want) in [
        (486, None, CallResult::Busy),
        (404, None, CallResult::VacantNumber),
        (480, Some(19), CallResult::NoAnswer),
        (603, None, CallResult::Rejected),
        (503, None, CallResult::TrunkRefused),
    ] {
        let mut rig = Rig::dialled(Far::Refuses(status, q850));
        rig.run(10);
        let end = ended(Some(want), Some(status), q850, ReleaseSide::Them);
        assert_eq!(rig.said(), [LegEvent::Sent, end], "{status}");
    }
}

#[test]
fn ringing_ends_after_the_ring_time_as_no_answer() {
    let mut rig = Rig::dialled(Far::Rings);
    rig.run(31_000);
    let end = ended(Some(CallResult::NoAnswer), Some(487), None, ReleaseSide::Us);
    assert_eq!(rig.said(), [LegEvent::Sent, LegEvent::Ringing, end]);
    assert_eq!(rig.events[2].0, 30_000);
}

#[test]
fn a_gateway_that_never_speaks_is_doubt_and_counts() {
    let mut rig = Rig::dialled(Far::Mute);
    rig.run(40_000);
    assert_eq!(rig.said()[1..], [ended(Some(CallResult::UnknownCounted), None, None, ReleaseSide::Nobody)]);
    assert_eq!(rig.sent.len(), 7, "one INVITE and six repetitions of it");
}

#[test]
fn an_unreachable_gateway_refuses_at_once() {
    let mut rig = Rig::dialled(Far::Mute);
    rig.input(Input::Unreachable { to: at(GATEWAY) });
    let [_, LegEvent::Ended(end)] = &rig.said()[..] else { panic!("{:?}", rig.said()) };
    assert_eq!((end.unanswered, end.sip_status, end.by), (Some(CallResult::TrunkRefused), None, ReleaseSide::Nobody));
    assert!(end.unheard, "another trunk may place it");
}

#[test]
fn hanging_up_while_it_rings_cancels() {
    let mut rig = Rig::dialled(Far::Rings);
    rig.command(LegCommand::Hangup);
    rig.run(10);
    assert_eq!(rig.said()[2..], [ended(Some(CallResult::Cancelled), Some(487), None, ReleaseSide::Us)]);
}

#[test]
fn an_answer_that_crosses_our_cancel_is_ended_and_was_answered() {
    let mut rig = Rig::dialled(Far::Rings);
    rig.line.handle(rig.now, Input::Command { leg: leg(), command: LegCommand::Hangup, number: None, identity: None });
    rig.accept(leg());
    // The 200 is on its way before the gateway sees the CANCEL.
    while let Some(output) = rig.far.poll_output() {
        rig.on_far(output);
    }
    rig.settle();
    rig.run(100);
    let Some(LegEvent::Ended(end)) = rig.said().last().cloned() else { panic!("{:?}", rig.said()) };
    assert_eq!((end.unanswered, end.by), (None, ReleaseSide::Us));
    assert!(rig.sent.iter().any(|line| line.starts_with("BYE ")), "{:?}", rig.sent);
    assert_eq!(rig.line.live_legs(), 0);
}

#[test]
fn gbk_bytes_in_a_header_of_the_answer_do_not_disturb_the_call() {
    let mut rig = Rig::new(Far::Answers);
    rig.mangle = |bytes| {
        let end = bytes.windows(2).position(|w| w == b"\r\n").unwrap();
        [&bytes[..end], b"\r\nServer: \xd6\xd0\xb9\xfa\xd2\xf8\xd0\xd0", &bytes[end..]].concat()
    };
    rig.dial(leg());
    rig.run(1_000);
    assert_eq!(rig.said(), [LegEvent::Sent, LegEvent::Answered]);
    assert!(rig.sent.iter().any(|line| line.starts_with("ACK ")));
    assert_eq!(rig.line.live_legs(), 1);
}

#[test]
fn a_transfer_reports_its_fate_once() {
    for (status, ok) in [(200, true), (486, false)] {
        let mut rig = Rig::answered();
        rig.command(LegCommand::Refer { target: "sip:8001@127.0.0.1:5080".into() });
        rig.run(10);
        assert_eq!(rig.said(), [], "100 Trying is no fate");
        rig.far_command(sip::Command::NotifyRefer { leg: leg(), status });
        rig.run(10);
        assert_eq!(rig.said(), [LegEvent::Referred { ok }]);
        rig.far_command(sip::Command::Hangup { leg: leg() });
        rig.run(10);
        assert_eq!(rig.said()[1..], [ended(None, Some(200), None, ReleaseSide::Them)]);
    }
}

#[test]
fn a_transfer_cut_short_by_their_bye_did_not_come_about() {
    let mut rig = Rig::answered();
    rig.command(LegCommand::Refer { target: "sip:8001@127.0.0.1:5080".into() });
    rig.far_command(sip::Command::Hangup { leg: leg() });
    rig.run(10);
    assert_eq!(rig.said()[0], LegEvent::Referred { ok: false });
    assert!(matches!(rig.said()[1..], [LegEvent::Ended(_)]));
}

#[test]
fn a_peer_that_falls_silent_is_reported_after_ten_seconds() {
    let mut rig = Rig::answered();
    rig.run(5_000);
    assert_eq!(rig.said(), []);
    rig.sessions.clear();
    rig.run(9_900);
    assert_eq!(rig.said(), []);
    rig.run(200);
    assert_eq!(rig.said(), [LegEvent::Silent]);
}

#[test]
fn a_permit_that_ran_out_puts_nothing_on_the_wire() {
    let mut rig = Rig::new(Far::Answers);
    let dial = Dial {
        trunk: TrunkIx(0),
        hop: 0,
        caller_id: "+999100000001".into(),
        ring: Duration::from_secs(30),
        permit_until: Tick(rig.now.tick.0 - 1),
    };
    let number = Some(Pii::new(NUMBER.to_owned()));
    rig.input(Input::Command { leg: leg(), command: LegCommand::Dial(dial), number, identity: None });
    assert_eq!(rig.said(), [LegEvent::NotSent(NotSent::PermitExpired)]);
    assert_eq!(rig.sent, [""; 0]);
}

#[test]
fn a_number_that_the_trunk_does_not_let_out_is_not_dialled_whoever_asks() {
    let mut rig = Rig::new(Far::Answers);
    for (n, number) in ["+999200000001", "+999190000001", "100000001"].into_iter().enumerate() {
        let dial = Dial {
            trunk: TrunkIx(0),
            hop: 0,
            caller_id: "+999100000001".into(),
            ring: Duration::from_secs(30),
            permit_until: Tick::MAX,
        };
        let number = Some(Pii::new(number.to_owned()));
        rig.input(Input::Command {
            leg: LegId(AttemptId(n as u128)),
            command: LegCommand::Dial(dial),
            number,
            identity: None,
        });
    }
    assert_eq!(rig.said(), vec![LegEvent::NotSent(NotSent::NotAllowed); 3]);
    assert_eq!((rig.sent.as_slice(), rig.counted.as_slice()), (&[][..] as &[String], &[Counter::NotAllowed; 3][..]));
}

#[test]
fn the_same_leg_is_never_dialled_twice() {
    let mut rig = Rig::dialled(Far::Rings);
    rig.dial(leg());
    assert_eq!((rig.sent.len(), rig.counted.as_slice()), (1, &[Counter::LegInUse][..]));
}

#[test]
fn legs_past_the_last_port_are_not_sent_and_a_rested_port_serves_again() {
    let mut rig = Rig::new(Far::Refuses(486, None));
    let legs = [2, 3, 4].map(|n| LegId(AttemptId(n)));
    rig.dial(legs[0]);
    rig.dial(legs[1]);
    rig.events.clear();
    rig.dial(legs[2]);
    assert_eq!(rig.said(), [LegEvent::NotSent(NotSent::NoMediaPort)]);
    rig.run(2_000);
    rig.dial(legs[2]);
    assert_eq!(rig.said()[1], LegEvent::Sent);
}

#[test]
fn a_leg_whose_ports_cannot_be_bound_is_not_sent() {
    let mut rig = Rig::new(Far::Answers);
    rig.ports_fail = true;
    rig.dial(leg());
    assert_eq!(rig.said(), [LegEvent::NotSent(NotSent::NoMediaPort)]);
    assert_eq!((rig.sent.len(), rig.counted.as_slice()), (0, &[Counter::PortRefused; 2][..]));
}

#[test]
fn a_leg_hung_up_before_its_port_is_open_is_not_sent() {
    let mut rig = Rig::new(Far::Answers);
    let dial = Dial {
        trunk: TrunkIx(0),
        hop: 0,
        caller_id: "+999100000001".into(),
        ring: Duration::from_secs(30),
        permit_until: Tick::MAX,
    };
    let number = Some(Pii::new(NUMBER.to_owned()));
    rig.line.handle(rig.now, Input::Command { leg: leg(), command: LegCommand::Dial(dial), number, identity: None });
    rig.command(LegCommand::Hangup);
    assert_eq!(rig.said(), [LegEvent::NotSent(NotSent::PermitExpired)]);
    assert_eq!(rig.sent.len(), 0);
}

#[test]
fn after_a_crash_what_rang_is_cancelled_and_what_was_answered_gets_a_bye() {
    for policy in [Far::Rings, Far::Answers] {
        let mut rig = Rig::dialled(policy);
        rig.run(10);
        let dialog = rig.journal.iter().rfind(|facts| facts.confirmed).cloned().map(Box::new);
        rig.line = Line::new(line_config());
        rig.sent.clear();
        rig.far_events.clear();
        let left = RecoveredLeg {
            leg: leg(),
            trunk: TrunkIx(0),
            number: Pii::new(NUMBER.to_owned()),
            caller_id: "+999100000001".into(),
            dialog,
            tried: None,
        };
        rig.input(Input::Recover(vec![left]));
        rig.run(100);
        assert!(matches!(rig.far_events[..], [Event::Ended(_)]), "{:?}", rig.sent);
        rig.run(10_000);
        assert_eq!(rig.sent.len(), 4, "sent four times, for any of them may be lost");
        assert_eq!(rig.line.poll_timeout(), None);
    }
}

#[test]
fn a_leg_that_did_not_get_to_its_second_trunk_is_not_cancelled_on_the_first() {
    let mut rig = Rig::dialled(Far::Rings);
    rig.run(10);
    rig.line = Line::new(line_config());
    rig.sent.clear();
    let dest = sip::Target::udp(at("127.0.0.1:5099"));
    let left = RecoveredLeg {
        leg: leg(),
        trunk: TrunkIx(0),
        number: Pii::new(NUMBER.to_owned()),
        caller_id: "+999100000001".into(),
        dialog: None,
        tried: Some(Tried { leg: leg(), trunk: TrunkIx(1), hop: 0, dest }),
    };
    rig.input(Input::Recover(vec![left]));
    rig.run(100);
    assert!(matches!(rig.far_events[..], [.., Event::Ended(_)]), "it went to this trunk's own gateway");
}

#[test]
fn a_live_leg_fits_the_budget_of_memory() {
    let own = size_of::<(LegId, super::machine::Leg)>() * 2;
    let session = size_of::<Session>() + 64;
    assert!(own <= 128 && session <= 1_024, "{own} + {session} bytes");
}

#[test]
fn a_trunk_that_is_not_registered_refuses_dials_and_one_that_need_not_be_does_not() {
    for required in [true, false] {
        let mut config = line_config();
        config.trunks[0].register = Some(sip::Register { user: "bank".into(), domain: None, expires_s: 600, required });
        let mut rig = Rig::new(Far::Answers);
        rig.line = Line::new(config);
        rig.input(Input::Timeout);
        assert_eq!(rig.sent, ["REGISTER sip:127.0.0.1:5080 SIP/2.0"]);
        rig.dial(leg());
        let refused = rig.events.iter().any(|(_, event)| *event == LegEvent::NotSent(NotSent::TrunkDown));
        assert_eq!(refused, required);
        // A far end of trials is no registrar.
        assert!(matches!(rig.reports[..], [sip::Report::Failed { why: sip::Failure::Status(405), .. }]));
    }
}

#[test]
fn spoofed_dtmf_from_a_foreign_address_never_acts() {
    let mut rig = Rig::answered();
    let mut bytes = Vec::new();
    let header = media::Header { payload_type: 101, marker: true, seq: 1, timestamp: 1, ssrc: 77 };
    header.write(&[9, 0, 0, 160], &mut bytes).unwrap();
    for from in ["127.0.0.1:30001", "127.0.0.2:30000", GATEWAY] {
        rig.input(Input::Rtp { port: 20_000, from: at(from), bytes: &bytes });
    }
    rig.run(100);
    assert_eq!(rig.said(), []);
    rig.input(Input::Rtp { port: 20_000, from: at("127.0.0.1:30000"), bytes: &bytes });
    assert_eq!(rig.said(), [digit('9')]);
}

#[test]
fn the_voice_of_a_trunk_behind_a_nat_is_learned_where_the_trunk_says_so() {
    for (learns, want) in [(true, vec![digit('9')]), (false, vec![])] {
        let mut rig = Rig::new(Far::Answers);
        let mut config = line_config();
        config.trunks[0].learns_media_address = learns;
        rig.line = Line::new(config);
        rig.mangle = |bytes| String::from_utf8_lossy(bytes).replace("m=audio 30000", "m=audio 31000").into_bytes();
        rig.dial(leg());
        rig.run(200);
        rig.events.clear();
        rig.far_media(media::Input::SendDigits("9"));
        rig.run(300);
        assert_eq!(rig.said(), want);
    }
}

#[test]
fn keys_of_a_peer_without_telephone_events_reach_the_flow() {
    let mut rig = Rig::new(Far::Answers);
    rig.mangle =
        |bytes| String::from_utf8_lossy(bytes).replace("telephone-event/8000", "CN/8000             ").into_bytes();
    rig.dial(leg());
    rig.run(100);
    rig.events.clear();
    let sound = media::Tone { hz: (770.0, 1_336.0), on_ms: 100, off_ms: 100, level: 0.3 }.render(400);
    rig.far_media(media::Input::Play(sound.into()));
    rig.run(1_000);
    assert_eq!(rig.said(), [digit('5'), digit('5')]);
}

/// A report of the far end that says nothing, and its farewell.
const REPORT_AND_BYE: [u8; 16] = [0x80, 201, 0, 1, 0, 0, 0, 77, 0x81, 203, 0, 1, 0, 0, 0, 77];

#[test]
fn reports_leave_from_the_odd_port_to_the_odd_port_and_a_bye_among_theirs_ends_nothing() {
    let mut rig = Rig::answered();
    let (mut reports, mut out) = (0, Vec::new());
    for _ in 0..200 {
        rig.now = rig.now.plus(Duration::from_millis(100));
        rig.line.handle(rig.now, Input::Timeout);
        while let Some((port, to)) = rig.line.poll_rtp(&mut out) {
            assert_eq!((port, to), (20_001, at("127.0.0.1:30001")));
            assert!(media::is_rtcp(&out));
            reports += 1;
        }
        rig.input(Input::Rtp { port: 20_001, from: at("127.0.0.1:30001"), bytes: &REPORT_AND_BYE });
    }
    assert!((3..=10).contains(&reports), "{reports} in 20 s");
    assert!(!rig.said().iter().any(|event| matches!(event, LegEvent::Ended(_))));
    rig.command(LegCommand::Hangup);
    rig.run(100);
    assert_eq!((rig.heard[0].lost_there, rig.heard[0].round_trip_us), (None, None), "their reports say nothing of us");
    rig.sessions.clear();
    rig.counted.clear();
    rig.input(Input::Rtp { port: 20_001, from: at("127.0.0.1:30001"), bytes: &REPORT_AND_BYE });
    assert_eq!(rig.counted, [], "late reports are nothing to count");
}

#[test]
fn a_trunk_whose_name_leads_nowhere_dials_nothing_until_it_leads_somewhere() {
    let named = |addr| LineTrunk { host: Some("gw.example".to_owned()), ..LineTrunk::new(addr) };
    let mut rig = Rig::new(Far::Answers);
    rig.line = Line::new(Config { trunks: vec![named(sip::Peer::NOWHERE)], ..line_config() });
    rig.dial(leg());
    rig.run(10);
    assert_eq!((rig.said(), rig.sent.len()), (vec![LegEvent::NotSent(NotSent::TrunkDown)], 0));
    rig.events.clear();
    let route = Route::new(sip::Target::udp(at(GATEWAY)));
    rig.line.set_trunks(vec![LineTrunk { routes: vec![route], ..named(at(GATEWAY)) }]);
    rig.dial(leg());
    rig.run(10);
    assert!(rig.said().contains(&LegEvent::Answered), "{:?}", rig.said());
    assert_eq!(rig.tried.len(), 1);
    assert!(rig.journal.iter().any(|facts| facts.confirmed));
}

#[test]
fn a_trunk_over_tcp_takes_calls_while_one_of_its_targets_is_connected() {
    let to = |n: u8| sip::Target::new(sip::Transport::Tcp, SocketAddr::from(([127, 0, 0, n], 5060)));
    let routes = vec![Route::new(to(2)), Route { priority: 1, ..Route::new(to(3)) }];
    let trunk = LineTrunk { transport: sip::Transport::Tcp, routes, ..LineTrunk::new(to(2).addr) };
    let mut line = Line::new(Config { trunks: vec![trunk.clone()], ..line_config() });
    let now = Now { tick: Tick(1_000_000), ..Now::default() };
    let takes = |line: &mut Line, n: u128| {
        let (trunk, caller_id, ring) = (TrunkIx(0), "+999100000001".into(), Duration::from_secs(30));
        let command = LegCommand::Dial(Dial { trunk, hop: 0, caller_id, ring, permit_until: Tick::MAX });
        let number = Some(Pii::new(NUMBER.to_owned()));
        line.handle(now, Input::Command { leg: LegId(AttemptId(n)), command, number, identity: None });
        let mut said = std::iter::from_fn(|| line.poll_output());
        !said.any(|output| matches!(output, Output::Leg(_, LegEvent::NotSent(NotSent::TrunkDown))))
    };
    assert!(!takes(&mut line, 1));
    line.handle(now, Input::Connected { to: to(3), ours: at(LINE) });
    line.set_trunks(vec![trunk]);
    line.handle(now, Input::Connected { to: to(2), ours: at(LINE) });
    line.handle(now, Input::Disconnected { to: to(2) });
    assert!(takes(&mut line, 2), "the second one still stands, a change of names in between");
    line.handle(now, Input::Disconnected { to: to(3) });
    assert!(!takes(&mut line, 3));
}

/// What the far end says about `ssrc`: seven packets lost, and which report of ours it answers at once.
fn report_about(ssrc: &[u8], last_report: &[u8]) -> Vec<u8> {
    let block = [ssrc, &[0, 0, 0, 7], &[0, 0, 0, 40], &[0; 4], last_report, &[0; 4]].concat();
    let name = [0x81, 202, 0, 2, 0, 0, 0, 77, 1, 0, 0, 0];
    [&[0x81, 201, 0, 7, 0, 0, 0, 77][..], &block, &name].concat()
}

#[test]
fn a_leg_ends_with_what_its_sound_was_like_both_ways() {
    let mut rig = Rig::answered();
    rig.command(prompt(6_000));
    let mut out = Vec::new();
    while !(media::is_rtcp(&out) && out.get(1) == Some(&200)) {
        rig.now = rig.now.plus(Duration::from_millis(20));
        rig.line.handle(rig.now, Input::Timeout);
        while rig.line.poll_rtp(&mut out).is_some_and(|(port, _)| port == 20_000) {}
    }
    rig.now = rig.now.plus(Duration::from_millis(40));
    rig.sessions.clear();
    let answer = report_about(&out[4..8], &out[10..14]);
    rig.input(Input::Rtp { port: 20_001, from: at("127.0.0.1:30001"), bytes: &answer });
    for seq in [1, 2, 2, 4] {
        let header = media::Header { payload_type: 8, marker: false, seq, timestamp: 0, ssrc: 5 };
        header.write(&[0xd5; 160], &mut out).unwrap();
        rig.input(Input::Rtp { port: 20_000, from: at("127.0.0.1:30000"), bytes: &out });
    }
    rig.command(LegCommand::Hangup);
    rig.run(100);
    let [heard] = rig.heard[..] else { panic!("{:?}", rig.heard) };
    // One packet of the far end came before; the double does not count.
    assert_eq!((heard.codec, heard.received, heard.lost), (Codec::Pcma, 4, 1));
    assert_eq!((heard.lost_there, heard.round_trip_us, heard.one_way), (Some(7), Some(40_000), None));
    assert!(heard.sent >= 50, "{heard:?}");
}
