//! From our INVITE to its final answer.

use super::*;
use crate::sip::header::Name;
use crate::sip::sdp::Direction;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn branch(bytes: &[u8]) -> Vec<u8> {
    Message::parse(bytes).unwrap().top_via().unwrap().branch().unwrap().to_vec()
}

#[test]
fn the_invite_reads_as_it_must() {
    let mut wanted = invite(1);
    wanted.from_display = Some("Card \"Office\"\r\nX: y".into());
    wanted.asserted = Some(Pii::new("+999100000001".to_owned()));
    let mut solo = Solo::new(config(US, GW));
    solo.command(Command::Invite(Box::new(wanted)));
    let sent = text(&solo.sent[0]).replace("\r\n", "\n");
    let head = sent.split("\n\n").next().unwrap();
    expect_test::expect![[r#"
        INVITE sip:+999100000002@127.0.0.1:5080 SIP/2.0
        Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK46387e5bd6afe50d38fbd8a1
        Max-Forwards: 70
        From: "Card \"Office\"X: y" <sip:+999100000001@127.0.0.1:5060>;tag=873bf5fee40333912407717d
        To: <sip:+999100000002@127.0.0.1:5080>
        Call-ID: 01900000-0000-7000-8000-000000000001
        CSeq: 1 INVITE
        Contact: <sip:goldenhour@127.0.0.1:5060>
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY
        Supported: 100rel, timer
        Session-Expires: 1800
        User-Agent: goldenhour
        P-Asserted-Identity: <sip:+999100000001@127.0.0.1:5060>
        Content-Type: application/sdp
        Content-Length:   214"#]]
    .assert_eq(head);
}

#[test]
fn without_an_asserted_identity_the_invite_carries_none() {
    let solo = Solo::calling();
    assert!(!text(&solo.sent[0]).contains("P-Asserted-Identity"));
}

#[test]
fn the_diversion_of_a_trunk_goes_out_as_it_is_written_in_each_invite() {
    let value = "\"Card centre\" <sip:+999100000009@bank.example>;reason=unconditional";
    let mut config = config(US, GW);
    config.peers[0].diversion = Some(value.to_owned());
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    assert!(text(&solo.sent[0]).contains(&format!("\r\nDiversion: {value}\r\n")), "{}", text(&solo.sent[0]));
    assert!(!text(&Solo::calling().sent[0]).contains("Diversion"));
}

#[test]
fn a_signature_goes_out_byte_for_byte() {
    let value = "eyJ.eyJ.c2ln;info=<https://cert.example/a.pem>;alg=ES256;ppt=\"shaken\"";
    let mut solo = Solo::new(config(US, GW));
    solo.command(Command::Invite(Box::new(Invite { identity: Identity::parse(value), ..invite(1) })));
    assert!(text(&solo.sent[0]).contains(&format!("\r\nIdentity: {value}\r\n")), "{}", text(&solo.sent[0]));
    assert!(!text(&Solo::calling().sent[0]).contains("\r\nIdentity:"));
}

#[test]
fn a_call_whose_signature_made_it_too_long_for_a_datagram_is_ended_over_tcp_after_a_crash() {
    let mut solo = Solo::new(config(US, GW));
    let signed = Invite { identity: Identity::parse(&"x".repeat(4_096)), ..invite(1) };
    solo.command(Command::Invite(Box::new(signed)));
    let there = Target::new(Transport::Tcp, addr(GW));
    assert_eq!((solo.targets[0], solo.tried.len()), (there, 1));
    let (to, cancel) = recovery::cancel(&config(US, GW), &invite(1), solo.tried.first(), 1).unwrap();
    let (sent, cancel) = (Message::parse(&solo.sent[0]).unwrap(), cancel.to_vec());
    assert_eq!(to, there);
    assert_eq!(sent.get(Name::Via), Message::parse(&cancel).unwrap().get(Name::Via));
}

#[test]
fn the_ack_of_a_2xx_has_a_branch_of_its_own_and_that_of_a_refusal_has_the_invites() {
    for (status, same) in [("200 OK", false), ("486 Busy Here", true)] {
        let mut solo = Solo::calling();
        solo.answer(status, "b", &contact(), if same { "" } else { SDP });
        let [invite, ack] = ["INVITE", "ACK"].map(|method| branch(&solo.last(method)));
        assert_eq!(invite == ack, same, "{status}");
    }
}

#[test]
fn a_1xx_without_a_to_tag_rings_and_is_no_dialog_of_its_own() {
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "", "", "");
    solo.answer("200 OK", "b", &contact(), SDP);
    assert!(matches!(solo.events[..], [Event::Ringing { status: 180 }, Event::Answered { .. }]), "{:?}", solo.events);
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
}

#[test]
fn a_plain_call_rings_is_answered_and_acked() {
    let mut solo = Solo::calling();
    solo.answer("100 Trying", "", "", "");
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.answer("200 OK", "b", &contact(), SDP);
    assert!(matches!(
        solo.events[..],
        [Event::Trying, Event::Ringing { status: 180 }, Event::Answered { media }]
            if media.remote == addr("127.0.0.1:4000") && media.direction == Direction::SendRecv
    ));
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
    assert_ne!(branch(&solo.sent[0]), branch(&solo.sent[1]), "the ACK of a 2xx is a transaction of its own");
    let facts: Vec<_> = solo.journal.iter().map(|f| (f.confirmed, &*f.to_tag, &*f.remote_target)).collect();
    let target = format!("sip:far@{GW}").into_bytes();
    assert_eq!(facts, [(false, &b"b"[..], &target[..]), (true, b"b", &target)]);
}

#[test]
fn any_2xx_is_success_and_every_repetition_is_acked_for_64_t1() {
    let mut solo = Solo::calling();
    solo.answer("204 Fine", "b", &contact(), SDP);
    assert!(matches!(solo.events[..], [Event::Answered { .. }]));
    let ok = response(&solo.sent[0], "204 Fine", "b", &contact(), SDP);
    solo.wait(SECOND * 31);
    solo.feed(&ok);
    assert_eq!(solo.lines(), ["INVITE", "ACK", "ACK"]);
    assert_eq!(solo.sent[1], solo.sent[2]);
    assert_eq!(solo.counts, [Counter::Repeated]);
    solo.command(Command::Hangup { leg: leg(1) });
    solo.answer_to("BYE", "200 OK", "", "", "");
    solo.wait(LIFE);
    assert_eq!((solo.ua.live_calls(), solo.ua.echoes()), (0, 0));
}

#[test]
fn a_2xx_without_usable_media_is_acked_first_and_ended_afterwards() {
    for (headers, body) in [
        (contact(), ""),
        (contact(), "v=0\r\nm=audio 0 RTP/AVP 8\r\n"),
        (contact(), "garbage"),
        (String::new(), SDP),
        ("Contact: <<<\r\nRecord-Route: ,,\"\r\n".into(), ""),
    ] {
        let mut solo = Solo::calling();
        solo.answer("200 OK", "b", &headers, body);
        assert_eq!(solo.lines()[1], "ACK");
        if body == SDP {
            assert!(matches!(solo.events[..], [Event::Answered { .. }]));
            continue;
        }
        assert_eq!(solo.lines()[2], "BYE");
        solo.answer_to("BYE", "200 OK", "", "", "");
        let end = solo.end().unwrap();
        assert_eq!((end.cause, end.answered, end.by), (Cause::BadMedia, true, Side::Us));
    }
}

#[test]
fn the_description_of_a_1xx_serves_a_2xx_of_the_same_dialog_that_has_none() {
    let mut solo = Solo::calling();
    solo.answer("183 Session Progress", "b", &contact(), SDP);
    solo.answer("183 Session Progress", "b", &contact(), SDP);
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.answer("200 OK", "b", &contact(), "");
    assert!(matches!(
        solo.events[..],
        [Event::EarlyMedia { fork: 0, status: 183, .. }, Event::Ringing { .. }, Event::Answered { .. }]
    ));
}

#[test]
fn forks_are_told_apart_and_every_further_2xx_is_ended() {
    let mut solo = Solo::calling();
    solo.answer("183 Session Progress", "x", &contact(), SDP);
    solo.answer("183 Session Progress", "y", &contact(), &SDP.replace("4000", "5000"));
    let forks: Vec<u8> = solo
        .events
        .iter()
        .filter_map(|e| if let Event::EarlyMedia { fork, .. } = e { Some(*fork) } else { None })
        .collect();
    assert_eq!(forks, [0, 1]);
    solo.answer("200 OK", "x", &contact(), SDP);
    solo.clear();
    let first = invite_bytes();
    solo.feed(response(&first, "200 OK", "y", &contact(), SDP));
    assert_eq!(solo.lines(), ["ACK", "BYE"]);
    assert!(text(&solo.sent[1]).contains(";tag=y\r\n"));
    assert_eq!(solo.counts, [Counter::ForkEnded]);
    solo.feed(response(&first, "200 OK", "y", &contact(), SDP));
    assert_eq!(solo.lines(), ["ACK", "BYE", "ACK"]);
    solo.answer_to("BYE", "200 OK", "", "", "");
    assert_eq!((solo.end(), solo.ua.live_calls()), (None, 1), "the call itself goes on");
}

/// The INVITE of leg 1, made again.
fn invite_bytes() -> Vec<u8> {
    Solo::calling().sent[0].clone()
}

#[test]
fn an_answer_to_an_invite_that_nobody_remembers_is_acked_and_ended() {
    let mut solo = Solo::new(config(US, GW));
    solo.feed(response(&invite_bytes(), "200 OK", "b", &contact(), SDP));
    assert_eq!(solo.lines(), ["ACK", "BYE"]);
    solo.wait(SECOND);
    assert_eq!(solo.lines(), ["ACK", "BYE", "BYE"]);
    solo.answer_to("BYE", "200 OK", "", "", "");
    assert_eq!(solo.ua.live_calls(), 0);
    // With a tag that is not ours it is nobody's.
    let forged = text(&response(&invite_bytes(), "200 OK", "c", &contact(), SDP)).replace("tag=873b", "tag=873c");
    solo.clear();
    solo.feed(forged);
    assert_eq!((solo.sent.len(), &solo.counts[..]), (0, &[Counter::StrayResponse][..]));
}

#[test]
fn a_refusal_is_acked_on_its_own_branch_and_reported_with_its_reason() {
    let mut solo = Solo::calling();
    let headers = "Reason: Q.850;cause=17;text=\"busy\"\r\nRetry-After: 120 (later);duration=3\r\n";
    solo.answer("486 Busy Here", "b", headers, "");
    assert_eq!(branch(&solo.sent[0]), branch(&solo.sent[1]));
    assert!(text(&solo.sent[1]).contains(";tag=b\r\n"));
    let want = End {
        cause: Cause::Refused,
        status: Some(486),
        q850: Some(17),
        retry_after_s: Some(120),
        by: Side::Them,
        answered: false,
        unheard: false,
    };
    assert_eq!((solo.end(), solo.ua.live_calls()), (Some(want), 0));
    solo.answer("486 Busy Here", "b", headers, "");
    assert_eq!(solo.lines(), ["INVITE", "ACK", "ACK"]);
}

#[test]
fn a_cause_that_was_given_while_it_rang_speaks_where_the_final_answer_gives_none() {
    let cause = |n: u8| format!("{}Reason: Q.850;cause={n}\r\n", contact());
    for (last, want) in [("", 17), ("Reason: Q.850;cause=20\r\n", 20)] {
        let mut solo = Solo::calling();
        solo.answer("183 Session Progress", "b", &cause(1), SDP);
        solo.answer("183 Session Progress", "b", &cause(17), SDP);
        solo.answer("480 Temporarily Unavailable", "b", last, "");
        assert_eq!(solo.end().unwrap().q850, Some(want));
    }
    let mut solo = Solo::calling();
    solo.answer("183 Session Progress", "b", &cause(1), SDP);
    solo.wait(SECOND * 30);
    solo.answer("487 Request Terminated", "b", &cause(31), "");
    let end = solo.end().unwrap();
    assert_eq!((end.cause, end.q850), (Cause::RingTimeout, Some(1)), "the 487 was drawn by our CANCEL");
}

#[test]
fn a_redirect_is_not_followed() {
    let mut solo = Solo::calling();
    solo.answer("302 Moved Temporarily", "b", "Contact: <sip:+999100000009@127.0.0.1:5099>\r\n", "");
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
    assert_eq!(solo.end().unwrap().status, Some(302));
}

#[test]
fn silence_until_timer_b_is_doubt_and_not_a_refusal() {
    let mut solo = Solo::calling();
    solo.wait(LIFE);
    assert_eq!(solo.lines().len(), 7);
    assert!(solo.sent.iter().all(|bytes| *bytes == solo.sent[0]));
    let end = solo.end().unwrap();
    assert_eq!((end.cause, end.status, end.by), (Cause::NoReply, None, Side::Nobody));
    assert_eq!(solo.ua.live_calls(), 0);
}

#[test]
fn an_unreachable_peer_is_reported_only_before_any_answer() {
    let mut solo = Solo::calling();
    solo.handle(Input::Unreachable { to: addr("127.0.0.1:5081") });
    assert_eq!(solo.end(), None);
    solo.handle(Input::Unreachable { to: addr(GW) });
    assert_eq!(solo.end().unwrap().cause, Cause::Unreachable);
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.handle(Input::Unreachable { to: addr(GW) });
    assert_eq!(solo.end(), None);
}

#[test]
fn a_stranger_gets_silence_and_leaves_nothing_behind() {
    let mut solo = Solo::calling();
    let ok = response(&solo.sent[0], "200 OK", "b", &contact(), SDP);
    let options = b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5081;branch=z9hG4bKx\r\n\r\n";
    for bytes in [&ok[..], options, b"", b"junk"] {
        solo.handle(Input::Datagram { from: addr("127.0.0.1:5081"), bytes });
    }
    assert_eq!((solo.sent.len(), solo.events.len(), solo.ua.echoes()), (1, 0, 0));
    assert_eq!(solo.counts, [Counter::UnknownSource; 4]);
}

#[test]
fn a_response_that_is_not_ours_is_dropped() {
    let mut solo = Solo::calling();
    let ok = text(&response(&solo.sent[0], "180 Ringing", "b", &contact(), ""));
    for (from, to) in [
        ("127.0.0.1:5060;", "255.255.255.255;"),
        ("z9hG4bK46", "z9hG4bK47"),
        ("CSeq: 1 ", "CSeq: 2 "),
        ("CSeq: 1 ", "CSeq: 36893488147419103232 "),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
    ] {
        solo.feed(ok.replacen(from, to, 1));
    }
    assert_eq!((solo.events.len(), &solo.counts[..]), (0, &[Counter::StrayResponse; 5][..]));
}

#[test]
fn what_cannot_be_sent_is_said_at_once_and_a_living_leg_is_left_alone() {
    for change in [
        (|invite| invite.trunk = TrunkIx(9)) as fn(&mut Invite),
        |invite| invite.request_uri = Pii::new("tel:+999100000002".into()),
        |invite| invite.request_uri = Pii::new("sip:a@b\r\nX: y".into()),
    ] {
        let mut bad = invite(1);
        change(&mut bad);
        let mut solo = Solo::new(config(US, GW));
        solo.command(Command::Invite(Box::new(bad)));
        assert_eq!((solo.end().unwrap().cause, solo.sent.len()), (Cause::NotSent, 0));
    }
    let mut solo = Solo::calling();
    solo.command(Command::Invite(Box::new(invite(1))));
    assert_eq!((solo.end(), solo.sent.len(), &solo.counts[..]), (None, 1, &[Counter::LegInUse][..]));
}

#[test]
fn the_same_leg_on_another_trunk_keeps_its_call_id_and_changes_its_branch() {
    let mut config = config(US, GW);
    config.peers.push(Peer::new(addr("127.0.0.1:5090")));
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    solo.answer("503 Service Unavailable", "b", "Retry-After: 5\r\n", "");
    assert_eq!(solo.end().unwrap().retry_after_s, Some(5));
    let mut again = invite(1);
    (again.trunk, again.hop, again.request_uri) = (TrunkIx(1), 1, Pii::new("sip:+999100000002@127.0.0.1:5090".into()));
    solo.command(Command::Invite(Box::new(again)));
    let second = solo.last("INVITE");
    assert_ne!(branch(&solo.sent[0]), branch(&second));
    let id = |bytes: &[u8]| Message::parse(bytes).unwrap().get(Name::CallId).unwrap().to_vec();
    assert_eq!(id(&solo.sent[0]), id(&second));
    // The first trunk repeats its refusal: the first ACK again, and the second try is not touched.
    let first = solo.sent[0].clone();
    solo.feed(response(&first, "503 Service Unavailable", "b", "", ""));
    assert_eq!(solo.sent.last(), Some(&solo.sent[1]));
    assert_eq!(solo.ua.live_calls(), 1);
}

#[test]
fn two_trunks_behind_one_address_do_not_disturb_each_other() {
    let mut config = config(US, GW);
    config.peers.push(Peer::new(addr(GW)));
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(Invite { trunk: TrunkIx(1), ..invite(1) })));
    solo.answer("200 OK", "b", &contact(), SDP);
    assert!(matches!(solo.events[..], [Event::Answered { .. }]), "{:?}", solo.events);
}

#[test]
fn a_peer_cannot_touch_the_calls_of_another_peer() {
    let mut config = config(US, GW);
    config.peers.push(Peer::new(addr("127.0.0.1:5090")));
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    solo.answer("200 OK", "b", &contact(), SDP);
    solo.clear();
    let bye = request("BYE", 7, "", "");
    solo.handle(Input::Datagram { from: addr("127.0.0.1:5090"), bytes: &bye });
    assert_eq!((solo.lines(), solo.end()), (vec!["481".to_owned()], None));
}
