//! Reliable provisional answers (RFC 3262) and UPDATE before the answer (RFC 3311), per early dialog.

use super::*;
use crate::sip::header::Name;

/// Headers of a reliable answer.
fn reliable(rseq: u32) -> String {
    format!("{}Require: 100rel\r\nRSeq: {rseq}\r\n", contact())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sdp_type() -> String {
    format!("{}Content-Type: application/sdp\r\n", contact())
}

/// To tag, CSeq and RAck of every PRACK sent.
fn pracks(solo: &Solo) -> Vec<(String, u32, String)> {
    let sent = solo.sent.iter().filter(|bytes| bytes.starts_with(b"PRACK"));
    sent.map(|bytes| {
        let prack = Message::parse(bytes).unwrap();
        let tag = text(prack.to().unwrap().tag().unwrap());
        (tag, prack.cseq().unwrap().0, text(prack.named(b"RAck").unwrap()))
    })
    .collect()
}

fn early(solo: &Solo) -> Vec<(u8, u16)> {
    let media = |e: &Event| {
        if let Event::EarlyMedia { fork, media, .. } = e { Some((*fork, media.remote.port())) } else { None }
    };
    solo.events.iter().filter_map(media).collect()
}

#[test]
fn reliable_provisional_answers_are_announced_and_acknowledged_once_each() {
    let mut solo = Solo::calling();
    let invite = solo.sent[0].clone();
    assert!(Message::parse(&invite).unwrap().lists(Name::Supported, b"100rel"));
    solo.answer("183 Session Progress", "b", &reliable(70), SDP);
    solo.answer("183 Session Progress", "b", &reliable(70), SDP);
    assert_eq!(pracks(&solo), [("b".into(), 2, "70 1 INVITE".into())]);
    assert!(text(&solo.last("PRACK")).starts_with(&format!("PRACK sip:far@{GW} SIP/2.0\r\n")));
    solo.answer_to("PRACK", "200 OK", "", "", "");
    solo.wait(SECOND * 5);
    assert_eq!(pracks(&solo).len(), 1, "an acknowledged PRACK is not sent again");
    solo.feed(response(&invite, "180 Ringing", "b", &reliable(71), ""));
    assert_eq!(pracks(&solo).last(), Some(&("b".into(), 3, "71 1 INVITE".into())));
    assert!(matches!(solo.events[..], [Event::EarlyMedia { status: 183, .. }, Event::Ringing { status: 180 }]));
}

#[test]
fn a_reliable_answer_out_of_order_is_neither_acknowledged_nor_looked_at() {
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &reliable(7), "");
    solo.answer("183 Session Progress", "b", &reliable(9), SDP);
    solo.answer("183 Session Progress", "b", &reliable(6), SDP);
    assert_eq!((pracks(&solo).len(), early(&solo).len()), (1, 0));
    solo.answer("183 Session Progress", "b", &reliable(8), SDP);
    assert_eq!((pracks(&solo).len(), early(&solo).len()), (2, 1));
}

#[test]
fn forks_that_number_their_answers_alike_are_acknowledged_each_in_its_own_dialog() {
    let mut solo = Solo::calling();
    solo.answer("183 Session Progress", "x", &reliable(1), SDP);
    solo.answer("183 Session Progress", "y", &reliable(1), &SDP.replace("4000", "5000"));
    assert_eq!(
        pracks(&solo),
        [("x".into(), 2, "1 1 INVITE".into()), ("y".into(), 2, "1 1 INVITE".into())],
        "each early dialog counts for itself"
    );
    assert_eq!(early(&solo), [(0, 4000), (1, 5000)]);
    let branches: Vec<_> =
        solo.sent.iter().map(|b| Message::parse(b).unwrap().top_via().unwrap().branch().unwrap().to_vec()).collect();
    assert!(branches[1] != branches[2]);
}

#[test]
fn an_answer_does_not_wait_for_a_prack_that_nobody_answers() {
    let mut solo = Solo::calling();
    solo.answer("183 Session Progress", "b", &reliable(1), SDP);
    solo.answer("200 OK", "b", &contact(), "");
    assert_eq!(solo.lines(), ["INVITE", "PRACK", "ACK"]);
    assert!(matches!(solo.events[..], [Event::EarlyMedia { .. }, Event::Answered { .. }]));
    let ack = solo.last("ACK");
    assert_eq!(Message::parse(&ack).unwrap().cseq().unwrap().0, 1, "the ACK keeps the number of its INVITE");
    solo.wait(LIFE);
    assert_eq!((solo.end(), solo.ua.live_calls()), (None, 1), "the call goes on");
    solo.command(Command::Hangup { leg: leg(1) });
    let bye = solo.last("BYE");
    assert_eq!(Message::parse(&bye).unwrap().cseq().unwrap().0, 3, "the dialog goes on counting");
}

#[test]
fn a_prack_that_is_refused_changes_nothing() {
    for status in ["481 Gone", "400 Bad", "503 Busy"] {
        let mut solo = Solo::calling();
        solo.answer("183 Session Progress", "b", &reliable(1), SDP);
        solo.answer_to("PRACK", status, "", "", "");
        assert_eq!((solo.end(), solo.ua.live_calls()), (None, 1), "{status}");
        solo.answer("486 Busy Here", "b", "", "");
        assert_eq!(solo.end().unwrap().status, Some(486));
    }
}

#[test]
fn a_prack_that_is_challenged_is_sent_again_with_credentials() {
    let mut config = config(US, GW);
    config.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    solo.answer("183 Session Progress", "b", &reliable(5), SDP);
    solo.answer_to(
        "PRACK",
        "407 Auth",
        "",
        "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n",
        "",
    );
    assert_eq!(pracks(&solo), [("b".into(), 2, "5 1 INVITE".into()), ("b".into(), 3, "5 1 INVITE".into())]);
    assert!(text(&solo.last("PRACK")).contains("Proxy-Authorization: "));
    solo.answer_to("PRACK", "407 Auth", "", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n2\"\r\n", "");
    assert_eq!(pracks(&solo).len(), 2);
}

#[test]
fn a_provisional_answer_that_allows_the_cancel_is_not_acknowledged_first() {
    let mut solo = Solo::calling();
    solo.command(Command::Hangup { leg: leg(1) });
    solo.answer("183 Session Progress", "b", &reliable(1), SDP);
    assert_eq!(solo.lines(), ["INVITE", "CANCEL"]);
}

#[test]
fn unanswered_pracks_never_keep_a_cancel_back() {
    let mut solo = Solo::calling();
    for rseq in 1..=20 {
        solo.answer("183 Session Progress", "b", &reliable(rseq), "");
    }
    assert_eq!(pracks(&solo).len(), 8);
    solo.command(Command::Hangup { leg: leg(1) });
    assert_eq!(solo.lines().last().unwrap(), "CANCEL");
}

#[test]
fn an_update_before_the_answer_waits_for_the_reliable_answer_to_our_offer() {
    let moved = SDP.replace("4000", "4444");
    let mut solo = Solo::calling();
    solo.answer("183 Session Progress", "b", &contact(), SDP);
    solo.feed(request("UPDATE", 2, &sdp_type(), &moved));
    assert_eq!(solo.lines().last().unwrap(), "491", "our offer is still open");
    solo.answer("183 Session Progress", "b", &reliable(1), SDP);
    let update = request("UPDATE", 3, &sdp_type(), &moved);
    solo.clear();
    solo.feed(&update);
    solo.feed(&update);
    assert_eq!(solo.lines(), ["200", "200"]);
    assert!(text(&solo.sent[0]).contains("m=audio 20000 RTP/AVP 8 101"));
    assert_eq!(early(&solo), [(0, 4444)]);
}

#[test]
fn what_an_update_changed_holds_against_the_old_answer_in_the_200() {
    let mut solo = Solo::calling();
    let invite = solo.sent[0].clone();
    solo.feed(response(&invite, "183 Session Progress", "b", &reliable(1), SDP));
    solo.feed(request("UPDATE", 9, &sdp_type(), &SDP.replace("4000", "4444")));
    solo.feed(response(&invite, "200 OK", "b", &contact(), SDP));
    assert!(matches!(solo.events.last(), Some(Event::Answered { media }) if media.remote.port() == 4444));
    solo.clear();
    solo.feed(request("OPTIONS", 9, "", ""));
    assert_eq!(solo.lines(), ["500"], "the answered dialog knows the numbers of the early one");
}

#[test]
fn early_media_follows_the_fork_that_was_described_last_and_the_answer_follows_its_own() {
    let mut solo = Solo::calling();
    let invite = solo.sent[0].clone();
    for (tag, port) in [("x", "4000"), ("y", "5000"), ("x", "4000"), ("x", "4002")] {
        solo.feed(response(&invite, "183 Session Progress", tag, &contact(), &SDP.replace("4000", port)));
    }
    assert_eq!(early(&solo), [(0, 4000), (1, 5000), (0, 4002)], "the same description again says nothing new");
    solo.feed(response(&invite, "200 OK", "y", &contact(), ""));
    assert!(matches!(solo.events.last(), Some(Event::Answered { media }) if media.remote.port() == 5000));
}

#[test]
fn more_early_dialogs_than_are_told_apart_ring_unheard_but_may_still_answer() {
    let mut solo = Solo::calling();
    let invite = solo.sent[0].clone();
    for n in 0..20 {
        solo.feed(response(&invite, "183 Session Progress", &format!("f{n}"), &reliable(1), SDP));
    }
    assert_eq!((early(&solo).len(), pracks(&solo).len(), solo.journal.len()), (8, 8, 8));
    solo.feed(response(&invite, "200 OK", "f19", &contact(), SDP));
    assert!(matches!(solo.events.last(), Some(Event::Answered { .. })));
}
