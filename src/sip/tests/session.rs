//! Session timers (RFC 4028) in both roles, and our own re-INVITE with its glare (RFC 3261 §14).

use super::*;
use crate::sip::header::Name;
use crate::sip::sdp::Direction;

const MINUTE: Duration = Duration::from_mins(1);
const UPDATES: &str = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn header(bytes: &[u8], name: &str) -> String {
    text(Message::parse(bytes).unwrap().named(name.as_bytes()).unwrap_or(b"-"))
}

fn sdp_type() -> String {
    format!("{}Content-Type: application/sdp\r\n", contact())
}

/// Answered with these headers beside Contact, and nothing left in the lists.
fn answered(headers: &str) -> Solo {
    let mut solo = Solo::calling();
    solo.answer("200 OK", "b", &format!("{}{headers}", contact()), SDP);
    solo.clear();
    solo
}

/// We refresh every 15 minutes by re-INVITE, and the first one is on the wire.
fn refreshing() -> Solo {
    let mut solo = answered("Session-Expires: 1800;refresher=uac\r\n");
    solo.wait(MINUTE * 15);
    assert_eq!(solo.lines(), ["INVITE"]);
    solo
}

#[test]
fn the_invite_asks_for_a_session_timer_and_a_422_is_tried_again_with_more() {
    let mut solo = Solo::calling();
    assert_eq!(header(&solo.sent[0], "Session-Expires"), "1800");
    assert!(Message::parse(&solo.sent[0]).unwrap().lists(Name::Supported, b"timer"));
    solo.answer("422 Session Interval Too Small", "c", "Min-SE: 3600\r\n", "");
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE"]);
    let second = solo.last("INVITE");
    assert_eq!((header(&second, "Session-Expires"), header(&second, "Min-SE")), ("3600".into(), "3600".into()));
    assert_eq!(Message::parse(&second).unwrap().cseq().unwrap().0, 2);
    solo.answer("422 Session Interval Too Small", "d", "Min-SE: 3600\r\n", "");
    assert_eq!(solo.end().unwrap().status, Some(422), "the same demand again is a refusal");
}

#[test]
fn where_we_refresh_an_update_goes_out_at_half_time_and_every_answer_winds_the_timer_up() {
    let mut solo = answered(&format!("{UPDATES}Session-Expires: 1800;refresher=uac\r\n"));
    for _ in 0..3 {
        solo.wait(MINUTE * 14);
        assert_eq!(solo.lines().len(), 0);
        solo.wait(MINUTE);
        let update = solo.last("UPDATE");
        assert_eq!(header(&update, "Session-Expires"), "1800;refresher=uac");
        assert_eq!(Message::parse(&update).unwrap().body, Ok(&b""[..]), "a refresh changes no media");
        solo.answer_to("UPDATE", "200 OK", "", "Session-Expires: 1800;refresher=uac\r\n", "");
        solo.clear();
    }
    assert_eq!((solo.end(), solo.ua.live_calls()), (None, 1));
}

#[test]
fn without_update_a_reinvite_with_the_same_media_refreshes_and_is_acked() {
    let mut solo = refreshing();
    let body = text(&solo.sent[0]);
    assert!(body.contains("m=audio 20000 RTP/AVP 8 0 101") && body.contains("a=sendrecv"), "{body}");
    solo.answer("200 OK", "", &format!("{}Session-Expires: 1800;refresher=uac\r\n", contact()), SDP);
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
    assert_eq!(header(&solo.sent[1], "CSeq"), "2 ACK");
    assert!(solo.events.is_empty(), "{:?}", solo.events);
    solo.wait(MINUTE * 15);
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE"]);
}

#[test]
fn a_refresh_of_a_call_on_hold_leaves_it_on_hold() {
    let mut solo = answered("Session-Expires: 1800;refresher=uac\r\n");
    solo.feed(request("INVITE", 2, &sdp_type(), &format!("{SDP}a=sendonly\r\n")));
    solo.feed(request("ACK", 2, "", ""));
    solo.wait(MINUTE * 15);
    assert!(text(&solo.last("INVITE")).contains("a=recvonly"));
}

#[test]
fn the_answer_to_our_reinvite_may_move_the_media() {
    let mut solo = refreshing();
    solo.answer("200 OK", "", &contact(), &format!("{}a=inactive\r\n", SDP.replace("4000", "4444")));
    assert!(matches!(solo.events[..], [Event::MediaChanged { media }]
        if media.remote.port() == 4444 && media.direction == Direction::Inactive));
}

#[test]
fn a_session_that_nobody_refreshes_is_ended_by_bye() {
    let mut solo = answered("Session-Expires: 1800;refresher=uas\r\n");
    solo.wait(MINUTE * 29);
    assert_eq!(solo.lines().len(), 0, "it is theirs to refresh");
    solo.wait(MINUTE);
    assert_eq!(solo.lines()[0], "BYE");
    solo.answer_to("BYE", "481 Gone", "", "", "");
    let end = solo.end().unwrap();
    assert_eq!((end.cause, end.by, end.answered), (Cause::Expired, Side::Nobody, true));
    assert_eq!(solo.ua.live_calls(), 0);
}

#[test]
fn their_refresh_winds_the_timer_up_and_may_hand_the_role_over() {
    let mut solo = answered("Session-Expires: 1800;refresher=uas\r\n");
    solo.wait(MINUTE * 20);
    let refresh = format!("{}Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n", contact());
    solo.feed(request("UPDATE", 2, &refresh, ""));
    assert_eq!(header(&solo.sent[0], "Session-Expires"), "1800;refresher=uac");
    assert_eq!(header(&solo.sent[0], "Require"), "timer");
    solo.wait(MINUTE * 20);
    assert_eq!(solo.lines().len(), 1);
    let role = format!("{}Require: timer\r\nSession-Expires: 600;refresher=uas\r\n{UPDATES}", sdp_type());
    solo.feed(request("INVITE", 3, &role, SDP));
    solo.feed(request("ACK", 3, "", ""));
    assert_eq!(header(&solo.sent[1], "Session-Expires"), "600;refresher=uas");
    solo.wait(MINUTE * 5);
    assert_eq!(solo.lines().last().unwrap(), "UPDATE", "now we refresh");
}

#[test]
fn a_refresh_that_no_longer_mentions_the_timer_ends_it_where_it_was_theirs() {
    let mut solo = answered("Session-Expires: 1800;refresher=uas\r\n");
    solo.feed(request("UPDATE", 2, &contact(), ""));
    solo.wait(MINUTE * 60);
    assert_eq!(solo.lines(), ["200"]);
}

#[test]
fn a_session_shorter_than_ninety_seconds_is_refused_with_422() {
    let mut solo = Solo::talking();
    solo.feed(request("INVITE", 2, &format!("{}Session-Expires: 30\r\n", sdp_type()), SDP));
    assert_eq!((solo.lines(), header(&solo.sent[0], "Min-SE")), (vec!["422".to_owned()], "90".into()));
    assert_eq!(solo.ua.live_calls(), 1);
}

#[test]
fn a_refresh_that_finds_nobody_ends_the_call_and_any_other_refusal_does_not() {
    for status in [None, Some("481 Gone"), Some("408 Timeout")] {
        let mut solo = refreshing();
        match status {
            Some(status) => solo.answer(status, "", "", ""),
            None => solo.wait(LIFE),
        }
        assert!(solo.lines().contains(&"BYE".to_owned()), "{status:?}");
        solo.answer_to("BYE", "200 OK", "", "", "");
        assert_eq!((solo.end().unwrap().cause, solo.end().unwrap().by), (Cause::Gone, Side::Nobody));
    }
    for status in ["488 Not Acceptable", "500 Error", "503 Busy"] {
        let mut solo = refreshing();
        solo.answer(status, "", "", "");
        solo.wait(SECOND * 11);
        assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE", "INVITE"], "{status}: tried again, and that repeated");
        assert_eq!((solo.end(), solo.ua.live_calls()), (None, 1));
    }
}

#[test]
fn a_422_to_a_refresh_is_tried_again_with_more() {
    let mut solo = answered(&format!("{UPDATES}Session-Expires: 1800;refresher=uac\r\n"));
    solo.wait(MINUTE * 15);
    solo.answer_to("UPDATE", "422 Small", "", "Min-SE: 2000\r\n", "");
    assert_eq!(header(&solo.last("UPDATE"), "Session-Expires"), "2000;refresher=uac");
}

#[test]
fn a_peer_that_allows_update_and_then_does_not_is_refreshed_by_reinvite() {
    let mut solo = answered(&format!("{UPDATES}Session-Expires: 1800;refresher=uac\r\n"));
    solo.wait(MINUTE * 15);
    solo.answer_to("UPDATE", "501 Not Implemented", "", "", "");
    assert_eq!(solo.lines(), ["UPDATE", "INVITE"]);
}

#[test]
fn when_two_offers_cross_both_sides_say_491_and_we_try_again_after_the_owners_pause() {
    let mut solo = refreshing();
    let theirs = request("INVITE", 2, &sdp_type(), SDP);
    solo.feed(&theirs);
    solo.feed(request("UPDATE", 3, &sdp_type(), SDP));
    solo.feed(request("UPDATE", 4, &contact(), ""));
    assert_eq!(solo.lines(), ["INVITE", "491", "491", "200"], "an UPDATE without an offer crosses nothing");
    solo.answer("491 Request Pending", "", "", "");
    assert_eq!(solo.lines().last().unwrap(), "ACK");
    solo.clear();
    solo.feed(&theirs);
    assert_eq!(solo.lines(), ["491"], "a repetition gets the answer it got before");
    solo.clear();
    solo.wait(Duration::from_millis(2_099));
    assert_eq!(solo.lines().len(), 0);
    solo.wait(Duration::from_millis(1_902));
    assert_eq!(solo.lines(), ["INVITE"]);
}

#[test]
fn a_refresh_that_is_challenged_is_sent_again_with_credentials() {
    for updates in [UPDATES, ""] {
        let mut config = config(US, GW);
        config.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
        let mut solo = Solo::new(config);
        solo.command(Command::Invite(Box::new(invite(1))));
        solo.answer("200 OK", "b", &format!("{}{updates}Session-Expires: 600;refresher=uac\r\n", contact()), SDP);
        solo.clear();
        solo.wait(MINUTE * 5);
        let method = if updates.is_empty() { "INVITE" } else { "UPDATE" };
        solo.answer_to(method, "407 Auth", "", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\"\r\n", "");
        let again = solo.last(method);
        assert!(header(&again, "Proxy-Authorization").contains("n1") && header(&again, "CSeq").starts_with('3'));
        solo.answer_to(method, "200 OK", "", "Session-Expires: 600;refresher=uac\r\n", "");
        assert_eq!((solo.end(), solo.ua.live_calls()), (None, 1));
    }
}

#[test]
fn a_hangup_during_a_refresh_ends_the_call_and_acks_its_late_answer() {
    let mut solo = refreshing();
    solo.command(Command::Hangup { leg: leg(1) });
    let reinvite = solo.last("INVITE");
    solo.feed(response(&reinvite, "200 OK", "", &contact(), SDP));
    assert_eq!(solo.lines(), ["INVITE", "BYE", "ACK"]);
    solo.answer_to("BYE", "200 OK", "", "", "");
    solo.wait(MINUTE);
    assert_eq!((solo.end().unwrap().cause, solo.ua.live_calls(), solo.ua.poll_timeout()), (Cause::Bye, 0, None));
}

#[test]
fn a_finished_call_leaves_no_wake_of_its_session_timer_behind() {
    let mut solo = Solo::new(config(US, GW));
    for n in 1..=20 {
        solo.command(Command::Invite(Box::new(invite(n))));
        solo.answer("200 OK", "b", &format!("{}Session-Expires: 86400;refresher=uac\r\n", contact()), SDP);
        solo.wait(SECOND);
        // The first one goes on, and its wakes come before all others.
        if n > 1 {
            solo.command(Command::Hangup { leg: leg(n) });
            solo.answer_to("BYE", "200 OK", "", "", "");
        }
    }
    solo.wait(LIFE);
    let wakes = format!("{:?}", solo.ua).matches("Reverse(").count();
    assert_eq!((solo.ua.live_calls(), wakes), (1, 1));
}

#[test]
fn the_called_side_takes_the_timer_that_the_invite_asks_for() {
    for (asks, says, refreshes) in [
        ("Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", "600;refresher=uac", false),
        ("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", "600;refresher=uas", true),
        ("Session-Expires: 600\r\n", "600;refresher=uas", true),
    ] {
        let mut settings = config(US, GW);
        settings.server = true;
        let mut solo = Solo::new(settings);
        let head = format!(
            "sip:+999100000001@{US} SIP/2.0\r\nVia: SIP/2.0/UDP {GW};branch=z9hG4bK1\r\nFrom: <sip:a@{GW}>;tag=x\r\n\
             Call-ID: one\r\nContact: <sip:a@{GW}>\r\n"
        );
        let to = format!("To: <sip:+999100000001@{US}>");
        let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
        solo.feed(format!("INVITE {head}{to}\r\nCSeq: 1 INVITE\r\n{asks}{body}"));
        let id = ids::Ids::new(&[7; 32]).leg(b"one");
        solo.command(Command::Accept { leg: id, media: local(4000) });
        let ok = solo.last("SIP/2.0 200");
        assert_eq!(header(&ok, "Session-Expires"), says);
        let tag = text(Message::parse(&ok).unwrap().to().unwrap().tag().unwrap());
        solo.feed(format!("ACK {head}{to};tag={tag}\r\nCSeq: 1 ACK\r\n\r\n"));
        solo.clear();
        solo.wait(MINUTE * 6);
        assert_eq!(solo.lines().first().is_some_and(|line| line == "INVITE"), refreshes, "{asks}");
        if !refreshes {
            solo.wait(MINUTE * 4);
            assert_eq!(solo.lines()[0], "BYE");
        }
    }
}
