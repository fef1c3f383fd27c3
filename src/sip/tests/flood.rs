//! Thousands of faulty messages from a peer, and hundreds of thousands of datagrams from nobody we know, while a call
//! stands: nothing panics, every answer is well formed, the call ends as it should, and nothing stays behind.

use super::answers::{assert_answer, assert_well_formed};
use super::mutation::{mutate, seeds};
use super::*;
use crate::base::Rng;

/// Outputs of one datagram: a 2xx is acknowledged, written down, reported, and ended by BYE.
const MOST: usize = 6;
/// Messages per call. Then it is hung up and the next one begins, with the same names.
const BATCH: u32 = 40;

#[derive(Clone, Copy, Debug)]
enum Stage {
    Ringing,
    Up,
}

/// A call under fire.
struct Live {
    ua: Ua,
    now: Now,
    stage: Stage,
    /// Requests of ours in this call.
    requests: Vec<Vec<u8>>,
    ends: u32,
    left: u32,
}

impl Live {
    fn new(stage: Stage, server: bool) -> Self {
        let mut settings = config(US, GW);
        settings.server = server;
        settings.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
        let ua = Ua::new(settings);
        let mut live = Self { ua, now: Now::default(), stage, requests: Vec::new(), ends: 0, left: 0 };
        live.dial();
        live
    }

    fn dial(&mut self) {
        (self.ends, self.left) = (0, BATCH);
        self.requests.clear();
        self.handle(Input::Command(Command::Invite(Box::new(invite(1)))), &[]);
        let (status, body) = match self.stage {
            Stage::Ringing => ("180 Ringing", ""),
            Stage::Up => ("200 OK", SDP),
        };
        self.feed(&response(&self.requests[0], status, "b", &contact(), body));
        assert_eq!((self.ua.live_calls(), self.ends), (1, 0));
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.handle(Input::Datagram { from: addr(GW), bytes }, bytes);
    }

    /// One input, and what may come of it. Calls that come in are refused.
    fn handle(&mut self, input: Input<'_>, datagram: &[u8]) {
        self.ua.handle(self.now, input);
        let outputs: Vec<Output> = std::iter::from_fn(|| self.ua.poll_output()).collect();
        assert!(datagram.is_empty() || outputs.len() <= MOST, "{outputs:?} for {}", String::from_utf8_lossy(datagram));
        // The answer to an earlier copy may come again, with what that copy said.
        let again = outputs.iter().any(|output| matches!(output, Output::Count(Counter::Repeated)));
        let mut strangers = Vec::new();
        for output in outputs {
            match output {
                Output::Send { to, bytes } => {
                    assert_eq!(to.addr.ip(), addr(GW).ip(), "nobody else is ever sent to");
                    assert!(
                        datagram.is_empty() || again || bytes.len() < datagram.len() + 2_000,
                        "an answer that grows"
                    );
                    if bytes.starts_with(b"SIP/2.0 ") && !datagram.is_empty() && !again {
                        assert_answer(datagram, &bytes);
                    } else {
                        assert_well_formed(&bytes);
                        self.requests.push(bytes.to_vec());
                    }
                }
                Output::Event { leg: who, event: Event::Incoming(_) } => strangers.push(who),
                Output::Event { leg: who, event } => self.ends += u32::from(who == leg(1) && ended(&event).is_some()),
                Output::Count(_)
                | Output::Journal(_)
                | Output::Tried(_)
                | Output::Unauthorised { .. }
                | Output::Registration { .. }
                | Output::Pong { .. } => {}
            }
        }
        assert!(self.ends <= 1, "a call ends once");
        for who in strangers {
            let reject = Command::Reject { leg: who, status: 486, q850: None, retry_after_s: None };
            self.handle(Input::Command(reject), &[]);
        }
    }

    /// Hangs up what still stands and waits until all is forgotten.
    fn finish(&mut self) {
        self.handle(Input::Command(Command::Hangup { leg: leg(1) }), &[]);
        let byes: Vec<Vec<u8>> = self.requests.iter().filter(|bytes| bytes.starts_with(b"BYE")).cloned().collect();
        for bye in byes {
            self.feed(&response(&bye, "200 OK", "b", "", ""));
        }
        for _ in 0..200 {
            let Some((at, _)) = self.ua.poll_timeout() else { break };
            self.now = self.now.plus(at.since(self.now.tick));
            self.handle(Input::Timeout, &[]);
        }
        self.now = self.now.plus(LIFE);
        self.handle(Input::Timeout, &[]);
        assert_eq!(self.ends, 1, "the call ended");
        assert_eq!((self.ua.live_calls(), self.ua.echoes()), (0, 0), "nothing stays behind");
    }
}

/// A message with a transaction of its own: `faults::NUMBER` stands in its branch and in its CSeq.
fn numbered(bytes: &[u8], n: u32) -> Vec<u8> {
    let mark = faults::NUMBER.to_string();
    let own = (faults::NUMBER + n).to_string();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = out[at..].windows(mark.len()).position(|w| w == mark.as_bytes()) {
        at += found + mark.len();
        out[at - mark.len()..at].copy_from_slice(own.as_bytes());
    }
    out
}

fn one_fault_messages() -> Vec<Vec<u8>> {
    let invite = Solo::calling().sent[0].clone();
    let message = Message::parse(&invite).unwrap();
    let get = |name| String::from_utf8(message.get(name).unwrap().to_vec()).unwrap();
    let call = faults::Call { leg: leg(1), via: get(header::Name::Via), from: get(header::Name::From) };
    let mut all = faults::all(&call);
    let mut rng = Rng::seeded(4_527);
    for at in (1..all.len()).rev() {
        all.swap(at, rng.below(at as u32 + 1) as usize);
    }
    all
}

fn under_fire(stage: Stage, server: bool) {
    let all = one_fault_messages();
    assert!(all.len() >= 4_527, "{} messages", all.len());
    let mut live = Live::new(stage, server);
    for (n, bytes) in (1..).zip(&all) {
        live.feed(&numbered(bytes, n));
        live.left -= 1;
        // Due timers run before the next message, so that each output has one cause.
        live.now = live.now.plus(Duration::from_millis(7));
        live.handle(Input::Timeout, &[]);
        if live.left == 0 || live.ends > 0 {
            live.finish();
            live.dial();
        }
    }
    live.finish();
}

#[test]
fn no_message_with_one_fault_hurts_a_call_that_is_up() {
    under_fire(Stage::Up, false);
}

#[test]
fn no_message_with_one_fault_hurts_a_call_that_rings() {
    under_fire(Stage::Ringing, false);
}

#[test]
fn no_message_with_one_fault_hurts_the_far_end() {
    under_fire(Stage::Up, true);
}

#[test]
fn two_hundred_thousand_datagrams_from_a_stranger_get_no_byte_and_leave_no_trace() {
    let mut solo = Solo::talking();
    let before = (solo.ua.live_calls(), solo.ua.echoes(), solo.ua.poll_timeout());
    let (mut rng, seeds) = (Rng::seeded(9), seeds());
    let strangers = [addr("192.0.2.66:5080"), addr("127.0.0.1:5081"), addr("[::1]:5080")];
    let mut bytes = Vec::new();
    for n in 0..200_000u32 {
        bytes.clear();
        if n % 2 == 0 {
            bytes.extend_from_slice(&seeds[rng.below(seeds.len() as u32) as usize]);
            mutate(&mut rng, &mut bytes);
        } else {
            bytes.resize(rng.below(300) as usize, 0);
            rng.fill(&mut bytes);
        }
        let from = strangers[rng.below(3) as usize];
        solo.ua.handle(solo.now, Input::Datagram { from, bytes: &bytes });
        assert!(matches!(solo.ua.poll_output(), Some(Output::Count(Counter::UnknownSource))));
        assert!(solo.ua.poll_output().is_none());
    }
    assert_eq!((solo.ua.live_calls(), solo.ua.echoes(), solo.ua.poll_timeout()), before);
    solo.command(Command::Hangup { leg: leg(1) });
    solo.answer_to("BYE", "200 OK", "", "", "");
    assert_eq!(solo.end().unwrap().cause, Cause::Bye);
}
