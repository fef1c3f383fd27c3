//! CANCEL, the 2xx that crosses it, BYE, and recovery after a crash.

use super::*;
use crate::sip::header::Name;

fn hangup() -> Command {
    Command::Hangup { leg: leg(1) }
}

#[test]
fn a_cancel_waits_for_a_provisional_answer() {
    let mut solo = Solo::calling();
    solo.command(hangup());
    assert_eq!(solo.lines(), ["INVITE"]);
    solo.answer("100 Trying", "", "", "");
    assert_eq!(solo.lines(), ["INVITE", "CANCEL"]);
    solo.command(hangup());
    assert_eq!(solo.lines(), ["INVITE", "CANCEL"]);
    let (invite, cancel) = (Message::parse(&solo.sent[0]).unwrap(), Message::parse(&solo.sent[1]).unwrap());
    for name in [Name::Via, Name::From, Name::To, Name::CallId] {
        assert_eq!(invite.get(name), cancel.get(name));
    }
    assert_eq!((cancel.cseq().unwrap().0, cancel.count_of(Name::Via)), (1, 1));
    let (invite, cancel) = (solo.sent[0].clone(), solo.sent[1].clone());
    solo.feed(response(&cancel, "200 OK", "b", "", ""));
    assert_eq!(solo.end(), None);
    solo.feed(response(&invite, "487 Request Terminated", "b", "", ""));
    let end = solo.end().unwrap();
    assert_eq!((end.cause, end.status, end.by, end.answered), (Cause::Cancelled, Some(487), Side::Us, false));
    assert_eq!(solo.ua.live_calls(), 0);
}

#[test]
fn a_challenge_is_not_answered_once_the_call_is_unwanted() {
    let mut settings = config(US, GW);
    settings.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
    let mut solo = Solo::new(settings);
    solo.command(Command::Invite(Box::new(invite(1))));
    solo.command(hangup());
    solo.answer("401 Unauthorized", "c", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", "");
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
    assert_eq!((solo.end().unwrap().cause, solo.end().unwrap().status), (Cause::Cancelled, Some(401)));
}

#[test]
fn a_careless_bye_still_ends_the_call() {
    let mut solo = Solo::talking();
    solo.feed(request("BYE", 2, "Contact: sip:x?y\r\nnonsense without a colon\r\n", ""));
    assert_eq!(solo.lines(), ["200"]);
    assert_eq!(solo.end().unwrap().cause, Cause::Bye);
}

#[test]
fn ringing_is_timed_from_the_first_provisional_answer() {
    let mut solo = Solo::calling();
    solo.wait(SECOND * 10);
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.wait(SECOND * 20);
    solo.answer("183 Progress", "b", &contact(), SDP);
    solo.wait(SECOND * 9);
    assert!(!solo.lines().contains(&"CANCEL".to_owned()));
    solo.wait(SECOND);
    assert_eq!(solo.lines().last().unwrap(), "CANCEL");
    solo.answer("487 Request Terminated", "b", "", "");
    assert_eq!(solo.end().unwrap().cause, Cause::RingTimeout);
}

#[test]
fn a_2xx_that_crosses_the_cancel_is_acked_and_ended_by_bye() {
    for crossed in [true, false] {
        let mut solo = Solo::calling();
        if crossed {
            solo.answer("180 Ringing", "b", &contact(), "");
        }
        solo.command(hangup());
        solo.answer("200 OK", "b", &contact(), SDP);
        let want: &[&str] = if crossed { &["INVITE", "CANCEL", "ACK", "BYE"] } else { &["INVITE", "ACK", "BYE"] };
        assert_eq!(solo.lines(), want);
        solo.answer_to("BYE", "200 OK", "", "", "");
        let end = solo.end().unwrap();
        assert_eq!((end.cause, end.answered, end.status), (Cause::Cancelled, true, Some(200)));
        assert!(!solo.events.iter().any(|event| matches!(event, Event::Answered { .. })));
        assert_eq!(solo.ua.live_calls(), 0);
    }
}

#[test]
fn a_refusal_that_crosses_the_cancel_is_what_it_says() {
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.command(hangup());
    solo.answer("486 Busy Here", "b", "", "");
    assert_eq!((solo.end().unwrap().cause, solo.end().unwrap().status), (Cause::Refused, Some(486)));
}

#[test]
fn without_a_final_answer_a_cancelled_call_is_given_up_after_64_t1() {
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.command(hangup());
    solo.answer_to("CANCEL", "200 OK", "b", "", "");
    solo.wait(SECOND * 31);
    assert_eq!(solo.end(), None);
    solo.wait(SECOND * 2);
    assert_eq!((solo.end().unwrap().cause, solo.ua.live_calls()), (Cause::NoFinal, 0));
}

#[test]
fn our_bye_is_repeated_and_any_answer_or_none_ends_the_leg() {
    for answer in [Some("200 OK"), Some("481 Gone"), Some("487 Terminated"), None] {
        let mut solo = Solo::talking();
        solo.command(hangup());
        solo.wait(SECOND);
        assert_eq!(solo.lines(), ["BYE", "BYE"]);
        assert_eq!(solo.end(), None);
        match answer {
            Some(status) => solo.answer_to("BYE", status, "", "", ""),
            None => solo.wait(LIFE),
        }
        let end = solo.end().unwrap();
        assert_eq!((end.cause, end.by, end.answered), (Cause::Bye, Side::Us, true));
        assert_eq!(solo.ua.live_calls(), 0);
    }
}

#[test]
fn their_bye_is_answered_each_time_and_reported_once() {
    let mut solo = Solo::talking();
    let bye = request("BYE", 7, "Reason: Q.850;cause=16\r\n", "");
    solo.feed(&bye);
    solo.feed(&bye);
    assert_eq!(solo.lines(), ["200", "200"]);
    assert_eq!(solo.sent[0], solo.sent[1]);
    let end = solo.end().unwrap();
    assert_eq!((end.cause, end.by, end.q850), (Cause::Bye, Side::Them, Some(16)));
    assert_eq!(solo.ua.live_calls(), 0);
}

#[test]
fn two_byes_that_cross_end_the_leg_once() {
    let mut solo = Solo::talking();
    solo.command(hangup());
    solo.feed(request("BYE", 7, "", ""));
    assert_eq!(solo.lines(), ["BYE", "200"]);
    assert_eq!((solo.end().unwrap().by, solo.ua.live_calls()), (Side::Us, 0));
    solo.answer_to("BYE", "481 Gone", "", "", "");
    assert_eq!(solo.end().unwrap().by, Side::Us);
}

#[test]
fn after_a_crash_cancel_and_bye_are_what_the_daemon_itself_would_have_sent() {
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.command(hangup());
    let (to, cancel) = recovery::cancel(&config(US, GW), &invite(1), None, 1).unwrap();
    assert_eq!((to, cancel.to_vec()), (Target::udp(addr(GW)), solo.last("CANCEL")));

    let mut solo = Solo::calling();
    solo.answer("200 OK", "b", &format!("{}Record-Route: <sip:{GW};lr>\r\n", contact()), SDP);
    let (to, bye) = recovery::bye(&config(US, GW), &invite(1), &solo.journal[0]).unwrap();
    solo.command(hangup());
    let ours = solo.last("BYE");
    let (ours, bye) = (Message::parse(&ours).unwrap(), Message::parse(&bye).unwrap());
    for name in [Name::From, Name::To, Name::CallId, Name::Route] {
        assert_eq!(ours.get(name), bye.get(name), "{name:?}");
    }
    assert_eq!((ours.start, to), (bye.start, Target::udp(addr(GW))));
    assert!(bye.cseq().unwrap().0 > ours.cseq().unwrap().0);
}

#[test]
fn a_call_with_every_request_slot_taken_can_still_be_ended() {
    let mut solo = Solo::calling();
    let invite = solo.sent[0].clone();
    for n in 0..12 {
        solo.feed(response(&invite, "200 OK", &format!("b{n}"), &contact(), SDP));
    }
    solo.clear();
    solo.command(hangup());
    assert_eq!(solo.lines(), ["BYE"]);
    solo.wait(LIFE);
    assert_eq!((solo.end().unwrap().cause, solo.ua.live_calls()), (Cause::Bye, 0));
}
