//! The called side: two user agents back to back over a perfect network, and the oddities by hand.

use std::collections::VecDeque;

use super::*;

/// Caller and called, joined. Events are kept apart.
struct Pair {
    now: Now,
    a: Ua,
    b: Ua,
    at_a: Vec<Event>,
    at_b: Vec<Event>,
    wire: VecDeque<(bool, Vec<u8>)>,
    /// Nothing arrives any more.
    dead: bool,
}

impl Pair {
    fn new() -> Self {
        let mut server = config(GW, US);
        server.server = true;
        server.key = [9; 32];
        let (a, b) = (Ua::new(config(US, GW)), Ua::new(server));
        let mut pair =
            Self { now: Now::default(), a, b, at_a: vec![], at_b: vec![], wire: VecDeque::new(), dead: false };
        pair.tell_a(Command::Invite(Box::new(invite(1))));
        pair
    }

    fn tell_a(&mut self, command: Command) {
        self.a.handle(self.now, Input::Command(command));
        self.settle();
    }

    fn tell_b(&mut self, command: Command) {
        self.b.handle(self.now, Input::Command(command));
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            while let Some(output) = self.a.poll_output() {
                match output {
                    Output::Send { bytes, .. } => self.wire.push_back((true, bytes.to_vec())),
                    Output::Event { event, .. } => self.at_a.push(event),
                    Output::Journal(_)
                    | Output::Tried(_)
                    | Output::Unauthorised { .. }
                    | Output::Registration { .. }
                    | Output::Pong { .. }
                    | Output::Count(_) => {}
                }
            }
            while let Some(output) = self.b.poll_output() {
                match output {
                    Output::Send { bytes, .. } => self.wire.push_back((false, bytes.to_vec())),
                    Output::Event { event, .. } => self.at_b.push(event),
                    Output::Journal(_)
                    | Output::Tried(_)
                    | Output::Unauthorised { .. }
                    | Output::Registration { .. }
                    | Output::Pong { .. }
                    | Output::Count(_) => {}
                }
            }
            let Some((from_a, bytes)) = self.wire.pop_front() else { return };
            if self.dead {
                continue;
            }
            let (ua, from) = if from_a { (&mut self.b, US) } else { (&mut self.a, GW) };
            ua.handle(self.now, Input::Datagram { from: addr(from), bytes: &bytes });
        }
    }

    fn wait(&mut self, by: Duration) {
        let until = self.now.plus(by);
        loop {
            let next = self.a.poll_timeout().into_iter().chain(self.b.poll_timeout()).map(|(at, _)| at).min();
            let Some(at) = next.filter(|at| *at <= until.tick) else { break };
            self.now = self.now.plus(at.since(self.now.tick));
            self.a.handle(self.now, Input::Timeout);
            self.b.handle(self.now, Input::Timeout);
            self.settle();
        }
        self.now = until;
        self.a.handle(self.now, Input::Timeout);
        self.b.handle(self.now, Input::Timeout);
        self.settle();
    }

    fn ends(&self) -> (Option<End>, Option<End>) {
        (self.at_a.iter().find_map(ended), self.at_b.iter().find_map(ended))
    }

    fn forgotten(&mut self) {
        self.wait(LIFE * 3);
        let left = [self.a.live_calls(), self.b.live_calls(), self.a.echoes(), self.b.echoes()];
        assert_eq!(left, [0; 4]);
    }
}

#[test]
fn a_call_with_early_media_is_answered_transferred_and_hung_up() {
    let mut pair = Pair::new();
    let Some(Event::Incoming(incoming)) = pair.at_b.first() else { panic!("{:?}", pair.at_b) };
    assert_eq!(incoming.to_user.reveal(), "+999100000002");
    assert_eq!(incoming.offer.unwrap().agree(false).unwrap().remote, addr("127.0.0.1:20000"));
    pair.tell_b(Command::Provisional { leg: leg(1), status: 180, media: None });
    pair.tell_b(Command::Provisional { leg: leg(1), status: 183, media: Some(local(4000)) });
    pair.tell_b(Command::Accept { leg: leg(1), media: local(4000) });
    assert!(matches!(
        pair.at_a[..],
        [Event::Trying, Event::Ringing { status: 180 }, Event::EarlyMedia { .. }, Event::Answered { media }]
            if media.remote == addr("127.0.0.1:4000") && media.event_payload_type == Some(101)
    ));
    assert!(matches!(pair.at_b.last(), Some(Event::Acked { .. })));
    pair.tell_a(Command::Refer { leg: leg(1), target: "sip:8001@127.0.0.1".into() });
    assert!(matches!(pair.at_b.last(), Some(Event::Refer { target }) if target.reveal() == "sip:8001@127.0.0.1"));
    pair.tell_b(Command::NotifyRefer { leg: leg(1), status: 100 });
    pair.tell_b(Command::NotifyRefer { leg: leg(1), status: 200 });
    assert_eq!(pair.at_a.last(), Some(&Event::ReferProgress { status: 200, last: true }));
    pair.tell_a(Command::Hangup { leg: leg(1) });
    let (a, b) = pair.ends();
    assert_eq!((a.unwrap().by, b.unwrap().by), (Side::Us, Side::Them));
    pair.forgotten();
}

#[test]
fn a_long_call_is_refreshed_again_and_again_and_a_dead_wire_ends_it_on_both_sides() {
    let mut pair = Pair::new();
    pair.tell_b(Command::Accept { leg: leg(1), media: local(4000) });
    pair.wait(SECOND * 7_200);
    assert_eq!((pair.ends(), pair.at_a.len(), pair.at_b.len()), ((None, None), 2, 2));
    pair.dead = true;
    pair.wait(SECOND * 1_900);
    let (a, b) = pair.ends();
    // The caller's refresh finds nobody; the called side waits for it in vain.
    assert_eq!((a.unwrap().cause, b.unwrap().cause), (Cause::Gone, Cause::Expired));
    pair.forgotten();
}

#[test]
fn the_called_side_hangs_up_too() {
    let mut pair = Pair::new();
    pair.tell_b(Command::Accept { leg: leg(1), media: local(4000) });
    pair.tell_b(Command::Hangup { leg: leg(1) });
    let (a, b) = pair.ends();
    assert_eq!((a.unwrap().by, b.unwrap().by), (Side::Them, Side::Us));
    pair.forgotten();
}

#[test]
fn a_refusal_carries_status_cause_and_retry_after() {
    let mut pair = Pair::new();
    let reject = Command::Reject { leg: leg(1), status: 503, q850: Some(34), retry_after_s: Some(7) };
    pair.tell_b(reject);
    let (a, b) = pair.ends();
    let a = a.unwrap();
    assert_eq!((a.cause, a.status, a.q850, a.retry_after_s), (Cause::Refused, Some(503), Some(34), Some(7)));
    assert_eq!(b.unwrap().by, Side::Us);
    pair.forgotten();
}

#[test]
fn a_cancel_reaches_the_called_side_and_the_invite_ends_with_487() {
    let mut pair = Pair::new();
    pair.tell_b(Command::Provisional { leg: leg(1), status: 180, media: None });
    pair.tell_a(Command::Hangup { leg: leg(1) });
    let (a, b) = pair.ends();
    assert_eq!((a.unwrap().cause, a.unwrap().status), (Cause::Cancelled, Some(487)));
    assert_eq!((b.unwrap().cause, b.unwrap().by), (Cause::Cancelled, Side::Them));
    pair.tell_b(Command::Accept { leg: leg(1), media: local(4000) });
    assert_eq!(pair.at_b.len(), 2, "too late to accept");
    pair.forgotten();
}

#[test]
fn ringing_out_is_cancelled_by_the_caller() {
    let mut pair = Pair::new();
    pair.tell_b(Command::Provisional { leg: leg(1), status: 180, media: None });
    pair.wait(SECOND * 31);
    let (a, b) = pair.ends();
    assert_eq!((a.unwrap().cause, b.unwrap().cause), (Cause::RingTimeout, Cause::Cancelled));
    pair.forgotten();
}

fn served() -> (Solo, Vec<u8>) {
    let mut settings = config(US, GW);
    settings.server = true;
    let mut solo = Solo::new(settings);
    let invite = invite_text("z9hG4bK1", SDP);
    solo.feed(&invite);
    (solo, invite)
}

fn invite_text(branch: &str, body: &str) -> Vec<u8> {
    format!(
        "INVITE sip:+999100000001@{US} SIP/2.0\r\nVia: SIP/2.0/UDP {GW};branch={branch}\r\nFrom: <sip:a@{GW}>;tag=x\r\n\
         To: <sip:+999100000001@{US}>\r\nCall-ID: odd id@here\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{GW}>\r\n\
         Record-Route: <sip:{GW};lr>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn the_leg() -> LegId {
    ids::Ids::new(&[7; 32]).leg(b"odd id@here")
}

#[test]
fn a_repeated_invite_gets_the_last_answer_and_starts_no_second_call() {
    let (mut solo, invite) = served();
    solo.feed(&invite);
    assert_eq!(solo.lines(), ["100", "100"]);
    solo.command(Command::Provisional { leg: the_leg(), status: 180, media: None });
    solo.feed(&invite);
    assert_eq!(solo.lines(), ["100", "100", "180", "180"]);
    solo.feed(invite_text("z9hG4bK2", SDP));
    assert_eq!(solo.lines().last().unwrap(), "482", "one call by two ways");
    solo.command(Command::Reject { leg: the_leg(), status: 486, q850: None, retry_after_s: None });
    solo.clear();
    solo.feed(&invite);
    solo.wait(SECOND / 2);
    assert_eq!(solo.lines(), ["486", "486"]);
    let ack = String::from_utf8(invite.clone()).unwrap().replace("INVITE", "ACK");
    solo.feed(ack);
    solo.wait(SECOND * 10);
    solo.feed(&invite);
    assert_eq!((solo.lines().len(), solo.ua.live_calls()), (2, 0), "the memory outlives the call");
    assert!(!solo.events.iter().any(|event| matches!(event, Event::Incoming(_))));
}

#[test]
fn a_2xx_that_is_never_acked_is_repeated_and_ended_by_bye() {
    let (mut solo, _) = served();
    solo.command(Command::Accept { leg: the_leg(), media: local(4000) });
    solo.command(Command::Hangup { leg: the_leg() });
    assert_eq!(solo.lines(), ["100", "200"], "no BYE before the ACK");
    solo.wait(LIFE);
    assert_eq!(solo.lines().last().unwrap(), "BYE");
    solo.answer_to("BYE", "200 OK", "", "", "");
    assert_eq!((solo.end().unwrap().cause, solo.ua.live_calls()), (Cause::NoAck, 0));
}

#[test]
fn an_invite_without_an_offer_is_answered_with_ours() {
    let mut settings = config(US, GW);
    settings.server = true;
    let mut solo = Solo::new(settings);
    solo.feed(invite_text("z9hG4bK1", ""));
    solo.command(Command::Accept { leg: the_leg(), media: local(4000) });
    assert!(String::from_utf8_lossy(&solo.last("SIP/2.0 200")).contains("m=audio 4000 RTP/AVP 8 0 101"));
    let tag = String::from_utf8(ids::Ids::new(&[7; 32]).tag(the_leg()).to_vec()).unwrap();
    let ack = String::from_utf8(invite_text("z9hG4bK2", SDP)).unwrap().replace("INVITE", "ACK");
    solo.feed(ack.replace(&format!("{US}>\r\n"), &format!("{US}>;tag={tag}\r\n")));
    assert!(matches!(solo.events.last(), Some(Event::Acked { media }) if media.remote == addr("127.0.0.1:4000")));
}

#[test]
fn an_offer_we_cannot_take_is_refused_with_488() {
    let mut settings = config(US, GW);
    settings.server = true;
    let mut solo = Solo::new(settings);
    solo.feed(invite_text("z9hG4bK1", &SDP.replace("AVP 8", "AVP 18")));
    solo.command(Command::Accept { leg: the_leg(), media: local(4000) });
    assert_eq!(solo.lines(), ["100", "488"]);
    assert_eq!(solo.end().unwrap().status, Some(488));
}
