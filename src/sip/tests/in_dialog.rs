//! What a peer may ask of an answered call, and our REFER.

use super::*;
use crate::sip::sdp::{Direction, Media};

fn sdp_type() -> String {
    format!("{}Content-Type: application/sdp\r\n", contact())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn changed(solo: &Solo) -> Vec<Media> {
    let media = |e: &Event| if let Event::MediaChanged { media } = e { Some(*media) } else { None };
    solo.events.iter().filter_map(media).collect()
}

#[test]
fn hold_and_resume_are_answered_as_they_are_asked() {
    let mut solo = Solo::talking();
    for (cseq, line, ours, direction) in [
        (2, "a=sendonly", "a=recvonly", Direction::RecvOnly),
        (3, "a=inactive", "a=inactive", Direction::Inactive),
        (4, "a=recvonly", "a=sendonly", Direction::SendOnly),
        (5, "a=sendrecv", "a=sendrecv", Direction::SendRecv),
    ] {
        solo.clear();
        solo.feed(request("INVITE", cseq, &sdp_type(), &format!("{SDP}{line}\r\n")));
        let ok = text(&solo.sent[0]);
        assert!(
            ok.starts_with("SIP/2.0 200") && ok.contains(ours) && ok.contains("m=audio 20000 RTP/AVP 8 101"),
            "{ok}"
        );
        assert_eq!(changed(&solo).last().map(|m| m.direction), Some(direction));
        solo.wait(SECOND);
        assert_eq!(solo.sent.len(), 2, "the 200 is repeated until its ACK");
        solo.feed(request("ACK", cseq, "", ""));
        solo.wait(SECOND * 5);
        assert_eq!(solo.sent.len(), 2);
    }
    solo.clear();
    solo.feed(request("INVITE", 6, &sdp_type(), &SDP.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0")));
    assert!(!changed(&solo)[0].direction.can_send());
}

#[test]
fn an_offer_without_our_codec_gets_488_and_the_call_goes_on() {
    let mut solo = Solo::talking();
    let reinvite = request("INVITE", 2, &sdp_type(), &SDP.replace("AVP 8", "AVP 0"));
    solo.feed(&reinvite);
    solo.feed(&reinvite);
    assert_eq!(solo.lines(), ["488", "488"]);
    solo.feed(request("ACK", 2, "", ""));
    assert_eq!((solo.events.len(), solo.ua.live_calls()), (0, 1));
    solo.feed(request("INVITE", 3, &sdp_type(), SDP));
    assert_eq!(solo.lines().last().unwrap(), "200");
}

#[test]
fn a_reinvite_without_an_offer_gets_ours_and_the_ack_answers_it() {
    let mut solo = Solo::talking();
    solo.feed(request("INVITE", 2, &contact(), ""));
    assert!(text(&solo.sent[0]).contains("m=audio 20000 RTP/AVP 8 0 101"));
    solo.feed(request("ACK", 2, "Content-Type: application/sdp\r\n", &SDP.replace("4000", "4444")));
    assert_eq!(changed(&solo)[0].remote.port(), 4444);
}

#[test]
fn a_reinvite_that_is_never_acked_ends_the_call() {
    let mut solo = Solo::talking();
    solo.feed(request("INVITE", 2, &sdp_type(), SDP));
    solo.wait(LIFE);
    assert_eq!(solo.lines().last().unwrap(), "BYE");
    solo.answer_to("BYE", "200 OK", "", "", "");
    assert_eq!(solo.end().unwrap().cause, Cause::NoAck);
}

#[test]
fn a_second_reinvite_before_the_ack_gets_500_and_glare_gets_491() {
    let mut solo = Solo::talking();
    solo.feed(request("INVITE", 2, &sdp_type(), SDP));
    solo.feed(request("INVITE", 3, &sdp_type(), SDP));
    assert_eq!(solo.lines(), ["200", "500"]);
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.clear();
    solo.feed(request("INVITE", 2, &sdp_type(), SDP));
    solo.feed(request("UPDATE", 3, &sdp_type(), SDP));
    solo.feed(request("UPDATE", 4, &contact(), ""));
    solo.feed(request_tagged("OPTIONS", 5, "stranger", "", ""));
    assert_eq!(solo.lines(), ["491", "491", "200", "481"]);
}

#[test]
fn an_update_changes_media_and_one_without_a_body_refreshes() {
    let mut solo = Solo::talking();
    let update = request("UPDATE", 2, &sdp_type(), &SDP.replace("4000", "4444"));
    solo.feed(&update);
    solo.feed(&update);
    assert_eq!(changed(&solo).len(), 1);
    assert_eq!(solo.sent[0], solo.sent[1]);
    solo.feed(request("UPDATE", 3, &contact(), ""));
    assert_eq!(solo.lines(), ["200", "200", "200"]);
}

#[test]
fn requests_out_of_order_or_of_another_dialog_are_refused() {
    let mut solo = Solo::talking();
    solo.feed(request("OPTIONS", 9, "", ""));
    solo.feed(request("OPTIONS", 5, "", ""));
    solo.feed(request_tagged("BYE", 10, "other", "", ""));
    solo.feed(request("SUBSCRIBE", 11, "", ""));
    solo.feed(request("FOO", 12, "", ""));
    solo.feed(request("PRACK", 13, "", ""));
    solo.feed(request("REFER", 14, "Refer-To: <sip:x@y>\r\n", ""));
    assert_eq!(solo.lines(), ["200", "500", "481", "405", "501", "405", "405"]);
    assert_eq!(solo.ua.live_calls(), 1);
}

#[test]
fn keys_by_info_are_reported_once_each() {
    let mut solo = Solo::talking();
    let info = request("INFO", 2, "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\nDuration=160\r\n");
    solo.feed(&info);
    solo.feed(&info);
    solo.feed(request("INFO", 3, "Content-Type: application/xml\r\n", "<x/>"));
    assert_eq!(solo.events, [Event::Digit { key: '5' }]);
    assert_eq!(solo.lines(), ["200", "200", "415"]);
}

fn notify(cseq: u32, state: &str, fragment: &str) -> Vec<u8> {
    let headers =
        format!("Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n");
    request("NOTIFY", cseq, &headers, fragment)
}

#[test]
fn a_transfer_reports_its_progress_and_closes_once() {
    let mut solo = Solo::talking();
    solo.feed(notify(1, "active", "SIP/2.0 100 Trying\r\n"));
    assert_eq!(solo.lines(), ["481"], "nobody asked");
    solo.command(Command::Refer { leg: leg(1), target: "sip:8001@127.0.0.1:5080".into() });
    assert!(text(&solo.last("REFER")).contains("Refer-To: <sip:8001@127.0.0.1:5080>\r\n"));
    solo.answer_to("REFER", "202 Accepted", "", "", "");
    solo.feed(notify(2, "active;expires=60", "SIP/2.0 100 Trying\r\n"));
    solo.feed(notify(3, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"));
    solo.feed(notify(4, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"));
    let want = [Event::ReferProgress { status: 100, last: false }, Event::ReferProgress { status: 200, last: true }];
    assert_eq!(solo.events, want);
}

#[test]
fn a_transfer_that_is_refused_ends_but_the_call_goes_on() {
    for (answer, status) in [(Some("603 Decline"), 603), (None, 408)] {
        let mut solo = Solo::talking();
        solo.command(Command::Refer { leg: leg(1), target: "sip:8001@127.0.0.1:5080".into() });
        match answer {
            Some(answer) => solo.answer_to("REFER", answer, "", "", ""),
            None => solo.wait(LIFE),
        }
        assert_eq!(solo.events, [Event::ReferProgress { status, last: true }]);
        assert_eq!(solo.ua.live_calls(), 1);
    }
    let mut solo = Solo::talking();
    solo.command(Command::Refer { leg: leg(1), target: "sip:a@b>\r\nX: y".into() });
    assert_eq!((solo.sent.len(), solo.events.len()), (0, 1));
}

#[test]
fn an_attended_transfer_names_the_dialog_to_be_replaced_and_waits_for_its_answer() {
    let mut solo = Solo::talking();
    solo.command(Command::Invite(Box::new(invite(2))));
    let transfer = || Command::Transfer { leg: leg(1), with: leg(2) };
    solo.answer("180 Ringing", "q", &contact(), "");
    solo.clear();
    solo.command(transfer());
    assert_eq!((solo.sent.len(), &solo.events[..]), (0, &[Event::ReferProgress { status: 400, last: true }][..]));
    let mut solo = Solo::talking();
    solo.command(Command::Invite(Box::new(invite(2))));
    solo.answer("200 OK", "q&1", "Contact: <sip:queue@127.0.0.1:5080>\r\n", SDP);
    let from = Message::parse(&solo.last("INVITE")).unwrap().from().unwrap().tag().map(text).unwrap();
    solo.clear();
    solo.command(transfer());
    let want =
        format!("Refer-To: <sip:queue@127.0.0.1:5080?Replaces={}%3Bto-tag%3Dq%261%3Bfrom-tag%3D{from}>\r\n", leg(2).0);
    assert!(text(&solo.last("REFER")).contains(&want), "{}", text(&solo.last("REFER")));
    solo.command(Command::Transfer { leg: leg(2), with: leg(2) });
    assert_eq!(solo.lines(), ["REFER"], "nobody is joined with himself");
}

#[test]
fn outside_dialogs_options_is_served_and_all_else_refused() {
    let mut solo = Solo::new(config(US, GW));
    let ask = |method: &str| {
        format!(
            "{method} sip:x@{US} SIP/2.0\r\nVia: SIP/2.0/UDP {GW};branch=z9hG4bK{method}\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:x@h>\r\nCall-ID: o@h\r\nCSeq: 1 {method}\r\n\r\n"
        )
    };
    for method in ["OPTIONS", "INVITE", "REGISTER", "BYE", "CANCEL", "ACK", "MESSAGE", "FOO"] {
        solo.feed(ask(method));
    }
    assert_eq!(solo.lines(), ["200", "480", "405", "481", "481", "405", "501"]);
    assert!(solo.counts.contains(&Counter::InboundInvite));
    assert_eq!((solo.events.len(), solo.ua.live_calls()), (0, 0));
    assert!(text(&solo.sent[0]).contains("Allow: INVITE"));
}
