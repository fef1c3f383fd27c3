//! How a trunk stands: the heartbeat, the breaker, and the pause that a gateway asks for.

use super::*;
use crate::call::TrunkDown::{self, Disconnected, Failing, Overloaded, Silent, Unregistered};
use crate::call::TrunkState::{Down, Up};
use crate::line::Trouble;

const EVERY: Duration = Duration::from_secs(30);

fn config(every: Option<Duration>, seed: u64) -> Config {
    let mut config = line_config();
    config.seed = seed;
    // Ports rest after each call.
    config.media.last_port = 20_199;
    config.trunks[0].options_every = every;
    config
}

fn rig(policy: Far, every: Option<Duration>) -> Rig {
    let mut rig = Rig::new(policy);
    rig.line = Line::new(config(every, 1));
    rig
}

/// A line whose gateway is played by hand.
struct Hand {
    line: Line,
    now: Now,
    sent: Vec<(u64, Vec<u8>)>,
    stood: Vec<TrunkState>,
    legs: u128,
    last: Vec<LegEvent>,
    troubles: Vec<Trouble>,
}

impl Hand {
    fn new(config: Config) -> Self {
        let now = Now { tick: Tick(1_000_000), ..Now::default() };
        let (line, troubles) = (Line::new(config), vec![]);
        let mut hand = Self { line, now, sent: vec![], stood: vec![], legs: 0, last: vec![], troubles };
        hand.input(Input::Recover(vec![]));
        hand
    }

    fn input(&mut self, input: Input<'_>) {
        self.line.handle(self.now, input);
        while let Some(output) = self.line.poll_output() {
            match output {
                Output::SendSip { bytes, .. } => self.sent.push((self.now.tick.0 / 1_000, bytes.to_vec())),
                Output::Trunk { state, .. } => self.stood.push(state),
                Output::OpenPort(port) => self.line.handle(self.now, Input::PortOpened { port, ok: true }),
                Output::Leg(_, event) => self.last.push(event),
                Output::Trouble { what, .. } => self.troubles.push(what),
                Output::Journal(_)
                | Output::Tried(_)
                | Output::Unauthorised { .. }
                | Output::Registration { .. }
                | Output::Count(_) => {}
            }
        }
    }

    fn wait(&mut self, by: Duration) {
        let until = self.now.plus(by);
        while let Some((at, _)) = self.line.poll_timeout().filter(|(at, _)| *at <= until.tick) {
            self.now = self.now.plus(at.since(self.now.tick));
            self.input(Input::Timeout);
        }
        self.now = until;
    }

    /// Waits for the next new OPTIONS, and says how long that took.
    fn beat(&mut self) -> Duration {
        let since = self.now.tick;
        let before = self.pings().len();
        while self.pings().len() == before {
            let (at, _) = self.line.poll_timeout().expect("a heartbeat");
            assert!(at.since(since) < Duration::from_mins(10), "no heartbeat");
            self.now = self.now.plus(at.since(self.now.tick));
            self.input(Input::Timeout);
        }
        self.now.tick.since(since)
    }

    /// OPTIONS, without those that were sent again.
    fn pings(&self) -> Vec<&(u64, Vec<u8>)> {
        let mut all: Vec<_> = self.sent.iter().filter(|(_, bytes)| bytes.starts_with(b"OPTIONS")).collect();
        all.dedup_by_key(|(_, bytes)| bytes);
        all
    }

    /// The gateway answers what was sent last.
    fn answer(&mut self, status: &str, more: &str) {
        let (_, request) = self.sent.last().unwrap().clone();
        let text = String::from_utf8(request).unwrap();
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        let [via, from, to, id, cseq] = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].map(line);
        let answer = format!(
            "SIP/2.0 {status}\r\n{via}\r\n{from}\r\n{to};tag=x\r\n{id}\r\n{cseq}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        self.input(Input::Datagram { from: at(GATEWAY), bytes: answer.as_bytes() });
    }

    fn answer_ping(&mut self, status: &str) {
        let last = self.sent.iter().rfind(|(_, bytes)| bytes.starts_with(b"OPTIONS")).unwrap().clone();
        self.sent.push(last);
        self.answer(status, "");
    }

    fn dial(&mut self) {
        self.legs += 1;
        self.last.clear();
        let dial = Dial {
            trunk: TrunkIx(0),
            hop: 0,
            caller_id: "+999100000001".into(),
            ring: Duration::from_secs(30),
            permit_until: self.now.tick + Duration::from_millis(500),
        };
        let (command, number) = (LegCommand::Dial(dial), Some(Pii::new(NUMBER.to_owned())));
        self.input(Input::Command { leg: LegId(AttemptId(self.legs)), command, number, identity: None });
    }

    fn call(&mut self, status: &str, more: &str) {
        self.dial();
        assert_eq!(self.last, [LegEvent::Sent], "call {}", self.legs);
        self.answer(status, more);
    }

    fn refused(&mut self) -> bool {
        self.dial();
        self.last == [LegEvent::NotSent(NotSent::TrunkDown)]
    }
}

fn down(why: TrunkDown) -> TrunkState {
    Down(why)
}

/// With a heartbeat that is answered once.
fn healthy(every: Option<Duration>) -> Hand {
    let mut hand = Hand::new(config(every, 1));
    if every.is_some() {
        assert!(hand.beat() <= Duration::from_secs(5));
        hand.answer("200 OK", "");
    }
    hand
}

/// With five calls in a row that came to nothing.
fn failing(every: Option<Duration>) -> Hand {
    let mut hand = healthy(every);
    for _ in 0..5 {
        hand.call("503 Service Unavailable", "");
    }
    assert_eq!(hand.stood, [down(Failing)]);
    hand
}

#[test]
fn a_gateway_that_answers_is_asked_every_thirty_seconds_and_stays_up() {
    let mut rig = rig(Far::Answers, Some(EVERY));
    rig.run(300_000);
    let asked = rig.sent.iter().filter(|line| line.starts_with("OPTIONS")).count();
    assert!((9..=12).contains(&asked), "{asked}");
    assert!(rig.stood.is_empty());
}

#[test]
fn two_heartbeats_without_an_answer_make_it_silent_and_one_answer_brings_it_back() {
    let mut rig = rig(Far::Mute, Some(EVERY));
    rig.run(20_000);
    let [(at, Down(Silent))] = rig.stood[..] else { panic!("{:?}", rig.stood) };
    assert!((8_000..20_000).contains(&at), "{at}");
    rig.dial(leg());
    assert_eq!(rig.said(), [LegEvent::NotSent(NotSent::TrunkDown)]);
    assert!(rig.sent.iter().all(|line| line.starts_with("OPTIONS")), "nothing else is on the wire");
    rig.policy = Far::Answers;
    rig.run(10_000);
    assert_eq!(rig.stood.last().map(|(_, state)| *state), Some(Up));
    rig.dial(leg());
    assert_eq!(rig.said()[1], LegEvent::Sent);
}

#[test]
fn one_heartbeat_without_an_answer_changes_nothing() {
    let mut hand = healthy(Some(EVERY));
    hand.beat();
    assert!(hand.beat() < Duration::from_secs(10), "4 s of patience, and then soon again");
    hand.answer("200 OK", "");
    hand.beat();
    hand.wait(Duration::from_secs(5));
    assert!(hand.stood.is_empty(), "they were not in a row");
}

#[test]
fn any_answer_will_do_but_not_what_a_proxy_says_for_a_gateway_that_is_gone() {
    for (status, want) in [("404 Not Found", vec![]), ("501 No", vec![]), ("483 Too Many Hops", vec![])] {
        let mut hand = healthy(Some(EVERY));
        for _ in 0..3 {
            hand.beat();
            hand.answer(status, "");
        }
        assert_eq!(hand.stood, want, "{status}");
    }
    for status in ["408 Request Timeout", "503 Service Unavailable"] {
        let mut hand = healthy(Some(EVERY));
        for _ in 0..2 {
            assert!(hand.stood.is_empty(), "{status}");
            hand.beat();
            hand.answer(status, "");
        }
        assert_eq!(hand.stood, [down(Silent)], "{status}");
    }
}

#[test]
fn nobody_at_the_address_makes_it_silent_at_once() {
    let mut hand = healthy(Some(EVERY));
    hand.input(Input::Unreachable { to: at(GATEWAY) });
    assert!(hand.stood.is_empty(), "nothing was asked");
    hand.beat();
    hand.input(Input::Unreachable { to: at(GATEWAY) });
    assert_eq!(hand.stood, [down(Silent)]);
    assert!(hand.beat() < Duration::from_secs(6));
}

#[test]
fn trunks_and_restarts_do_not_beat_together() {
    let beats = |seed| {
        let mut hand = Hand::new(config(Some(EVERY), seed));
        for _ in 0..3 {
            hand.beat();
            hand.answer("200 OK", "");
        }
        hand.pings().iter().map(|(at, _)| *at).collect::<Vec<_>>()
    };
    let (one, other) = (beats(1), beats(2));
    assert_eq!(one, beats(1));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other), "{one:?} {other:?}");
    assert_ne!(one[1] - one[0], one[2] - one[1], "nor evenly");
}

#[test]
fn without_options_every_nothing_is_asked_and_nothing_is_silent() {
    let mut rig = rig(Far::Mute, None);
    rig.run(600_000);
    assert!(rig.sent.is_empty() && rig.stood.is_empty());
    assert_eq!(rig.line.poll_timeout(), None);
}

#[test]
fn a_503_with_retry_after_is_a_pause_of_that_length() {
    let mut hand = healthy(None);
    hand.call("503 Service Unavailable", "Retry-After: 20\r\n");
    assert_eq!(hand.stood, [down(Overloaded)]);
    hand.wait(Duration::from_millis(19_999));
    assert!(hand.refused());
    hand.wait(Duration::from_millis(1));
    assert_eq!(hand.stood, [down(Overloaded), Up]);
    assert!(!hand.refused());
}

#[test]
fn a_retry_after_is_believed_between_a_second_and_ten_minutes() {
    for (asked, want_ms) in [(0, 1_000), (7, 7_000), (86_400, 600_000)] {
        let mut hand = healthy(None);
        hand.call("503 Service Unavailable", &format!("Retry-After: {asked}\r\n"));
        hand.wait(Duration::from_millis(want_ms - 1));
        assert!(hand.refused(), "{asked}");
        hand.wait(Duration::from_millis(1));
        assert!(!hand.refused(), "{asked}");
    }
}

#[test]
fn retry_after_in_an_answer_about_the_callee_pauses_nothing() {
    let mut hand = healthy(None);
    hand.call("480 Temporarily Unavailable", "Retry-After: 20\r\n");
    assert!(hand.stood.is_empty());
}

#[test]
fn a_heartbeat_may_ask_for_a_pause_too() {
    let mut hand = healthy(Some(EVERY));
    hand.beat();
    hand.answer("503 Service Unavailable", "Retry-After: 3\r\n");
    assert_eq!(hand.stood, [down(Overloaded)]);
    hand.wait(Duration::from_secs(3));
    assert_eq!(hand.stood, [down(Overloaded), Up]);
}

#[test]
fn four_calls_that_come_to_nothing_are_no_reason_and_a_fifth_is() {
    let mut hand = failing(None);
    assert!(hand.refused());
}

#[test]
fn a_call_that_rings_or_is_refused_by_its_callee_ends_the_row() {
    let between: [(&str, &str); 5] = [
        ("180 Ringing", ""),
        ("486 Busy Here", ""),
        ("404 Not Found", ""),
        ("500 No", "Reason: Q.850;cause=1\r\n"),
        ("504 No", "Reason: Q.850;cause=34\r\n"),
    ];
    for (status, more) in between {
        let mut hand = healthy(None);
        for _ in 0..4 {
            hand.call("504 Server Time-out", "");
        }
        hand.call(status, more);
        for _ in 0..4 {
            hand.call("500 Server Internal Error", "");
        }
        assert!(hand.stood.is_empty(), "{status} {more}");
        hand.call("503 Service Unavailable", "Reason: Q.850;cause=34\r\n");
        assert_eq!(hand.stood, [down(Failing)], "{status} {more}");
    }
}

#[test]
fn five_calls_whose_credentials_are_not_taken_are_enough() {
    for status in ["401 Unauthorized", "407 Proxy Authentication Required"] {
        let mut hand = healthy(None);
        for _ in 0..5 {
            assert!(hand.stood.is_empty(), "{status}");
            hand.call(status, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
        }
        assert_eq!(hand.stood, [down(Failing)], "{status}");
    }
}

#[test]
fn what_a_call_says_against_its_trunk_is_told_with_its_status() {
    let mut hand = healthy(None);
    hand.call("503 Service Unavailable", "");
    hand.call("486 Busy Here", "");
    hand.call("404 Not Found", "");
    hand.call("407 Who", "");
    hand.call("503 Service Unavailable", "Retry-After: 7\r\n");
    assert_eq!(hand.troubles, [503, 407, 503].map(Trouble::Refused));
    hand.wait(Duration::from_secs(8));
    hand.dial();
    hand.wait(Duration::from_secs(33));
    assert_eq!(hand.troubles.last(), Some(&Trouble::Unanswered));
    hand.dial();
    hand.input(Input::Unreachable { to: at(GATEWAY) });
    assert_eq!(hand.troubles.last(), Some(&Trouble::Unreachable));
}

#[test]
fn calls_without_any_answer_count_and_those_that_were_trying_do_not() {
    let mut hand = healthy(None);
    for _ in 0..5 {
        hand.dial();
        hand.answer("100 Trying", "");
    }
    hand.wait(Duration::from_mins(2));
    assert!(hand.stood.is_empty());
    for _ in 0..5 {
        hand.dial();
    }
    hand.wait(Duration::from_secs(32));
    assert_eq!(hand.stood[0], down(Failing));
    let mut hand = healthy(None);
    for _ in 0..5 {
        hand.dial();
        hand.input(Input::Unreachable { to: at(GATEWAY) });
    }
    assert_eq!(hand.stood, [down(Failing)]);
}

/// So seldom that only the breaker asks.
const SELDOM: Option<Duration> = Some(Duration::from_hours(1));

#[test]
fn after_the_pause_an_options_decides() {
    let mut hand = failing(SELDOM);
    let waited = hand.beat();
    assert!((27..=33).contains(&waited.as_secs()), "{waited:?}");
    assert!(hand.refused(), "not before it is answered");
    hand.answer_ping("200 OK");
    assert_eq!(hand.stood, [down(Failing), Up]);
}

#[test]
fn an_options_that_goes_wrong_then_doubles_the_pause_and_only_a_call_shortens_it_again() {
    let mut hand = failing(SELDOM);
    for want_s in [30, 60, 120, 240, 300, 300] {
        let since = hand.now.tick;
        if want_s > 30 {
            hand.beat();
            hand.answer("200 OK", "");
        }
        hand.beat();
        let waited_s = hand.now.tick.since(since).as_secs();
        assert!((want_s * 9 / 10..=want_s * 11 / 10).contains(&waited_s), "{waited_s} {want_s}");
        hand.answer("408 Request Timeout", "");
    }
    assert_eq!(hand.stood, [down(Failing)]);
    hand.beat();
    hand.answer("200 OK", "");
    hand.beat();
    hand.answer("200 OK", "");
    assert_eq!(hand.stood, [down(Failing), Up]);
    for _ in 0..5 {
        hand.call("503 Service Unavailable", "");
    }
    assert!(hand.beat().as_secs() >= 270, "nobody was reached in between");
    hand.answer("200 OK", "");
    hand.call("180 Ringing", "");
    for _ in 0..5 {
        hand.call("503 Service Unavailable", "");
    }
    assert!(hand.beat().as_secs() <= 33);
}

#[test]
fn without_a_heartbeat_one_call_tries_and_a_ringing_one_closes_it() {
    let mut hand = failing(None);
    hand.wait(Duration::from_secs(33));
    assert_eq!(hand.stood, [down(Failing), Up]);
    hand.dial();
    assert_eq!(hand.last, [LegEvent::Sent]);
    assert!(hand.refused(), "one at a time");
    hand.answer("180 Ringing", "");
    assert_eq!(hand.stood, [down(Failing), Up, down(Failing), Up]);
    for _ in 0..4 {
        hand.call("503 Service Unavailable", "");
    }
    assert_eq!(hand.stood.last(), Some(&Up), "it counts anew");
}

#[test]
fn a_trial_call_that_fails_opens_it_for_twice_as_long() {
    let mut hand = failing(None);
    hand.wait(Duration::from_secs(33));
    hand.call("503 Service Unavailable", "");
    hand.wait(Duration::from_secs(53));
    assert!(hand.refused());
    hand.wait(Duration::from_secs(14));
    assert!(!hand.refused());
}

#[test]
fn a_trial_call_that_says_nothing_leaves_it_to_the_next() {
    let mut hand = failing(None);
    hand.wait(Duration::from_secs(33));
    hand.dial();
    let leg = LegId(AttemptId(hand.legs));
    hand.answer("100 Trying", "");
    hand.input(Input::Command { leg, command: LegCommand::Hangup, number: None, identity: None });
    hand.answer("200 OK", "");
    let invite = hand.sent.iter().rposition(|(_, bytes)| bytes.starts_with(b"INVITE")).unwrap();
    let invite = hand.sent[invite].clone();
    hand.sent.push(invite);
    hand.answer("487 Request Terminated", "");
    assert!(!hand.refused());
}

#[test]
fn a_trunk_without_its_connection_is_disconnected_and_not_asked() {
    let mut config = config(Some(EVERY), 1);
    config.trunks[0].transport = crate::sip::Transport::Tcp;
    let to = config.trunks[0].target();
    let mut hand = Hand::new(config);
    assert_eq!(hand.stood, [down(Disconnected)]);
    hand.wait(Duration::from_mins(1));
    assert!(hand.sent.is_empty());
    hand.input(Input::Connected { to, ours: at("127.0.0.1:40000") });
    assert_eq!(hand.stood, [down(Disconnected), Up]);
    hand.beat();
    hand.input(Input::Disconnected { to });
    assert_eq!(hand.stood.last(), Some(&down(Disconnected)));
    let before = hand.pings().len();
    hand.wait(Duration::from_mins(2));
    assert_eq!(hand.pings().len(), before);
    hand.input(Input::Connected { to, ours: at("127.0.0.1:40001") });
    assert_eq!(hand.stood.last(), Some(&Up), "what was asked before says nothing of this connection");
}

#[test]
fn a_trunk_that_must_be_registered_and_is_not_says_so() {
    let mut config = config(None, 1);
    config.trunks[0].register =
        Some(sip::Register { user: "bank".into(), domain: None, expires_s: 600, required: true });
    let mut hand = Hand::new(config);
    assert_eq!(hand.stood, [down(Unregistered)]);
    hand.input(Input::Timeout);
    hand.answer("200 OK", "Contact: <sip:goldenhour@127.0.0.1:5060>;expires=600\r\n");
    assert_eq!(hand.stood, [down(Unregistered), Up]);
}

#[test]
fn a_reload_keeps_what_is_known_and_asks_again_what_was_open() {
    let mut hand = failing(Some(EVERY));
    hand.beat();
    hand.line.set_trunks(config(Some(EVERY), 1).trunks);
    assert!(hand.refused());
    hand.beat();
    assert_eq!(hand.stood, [down(Failing)]);
}
