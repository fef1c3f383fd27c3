//! What a peer may write and still be understood, one test for each thing that stacks are known to trip over.

use super::answers::assert_answer;
use super::*;
use crate::sip::header::Name;
use crate::sip::message::{MAX_BYTES, MAX_HEADERS, Start};

const PLAIN: &str = "OPTIONS sip:x@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa\r\n\
    Max-Forwards: 70\r\nFrom: \"a\" <sip:a@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: o@h\r\nCSeq: 7 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";

/// U+0001 stands for "测试" in GBK.
fn gbk(text: &str) -> Vec<u8> {
    text.bytes().flat_map(|b| if b == 1 { b"\xb2\xe2\xca\xd4".to_vec() } else { vec![b] }).collect()
}

/// An OPTIONS of no dialog, changed.
fn ask(from: &str, to: &str) -> Vec<u8> {
    assert!(PLAIN.contains(from), "{from}");
    gbk(&PLAIN.replacen(from, to, 1))
}

/// Status of the one answer; 0 for silence.
fn status(request: &[u8]) -> u16 {
    let mut solo = Solo::new(config(US, GW));
    solo.feed(request);
    assert!(solo.sent.len() <= 1);
    let Some(sent) = solo.sent.first() else { return 0 };
    assert_answer(request, sent);
    let Start::Status { code, .. } = Message::parse(sent).unwrap().start else { panic!("a request of ours") };
    code
}

/// Whether our call is answered by this 200, changed.
fn is_answered(change: impl Fn(&str) -> String) -> bool {
    let mut solo = Solo::calling();
    let headers = format!("{}Content-Type: application/sdp\r\n", contact());
    let ok = String::from_utf8(response(&solo.sent[0], "200 OK", "b", &headers, SDP)).unwrap();
    let changed = change(&ok);
    assert_ne!(changed, ok);
    solo.feed(changed);
    solo.lines() == ["INVITE", "ACK"] && matches!(solo.events.last(), Some(Event::Answered { .. }))
}

#[test]
fn bytes_that_are_no_text_come_back_verbatim_in_every_echoed_header() {
    for (from, to) in [
        (";branch", ";x=\u{1};branch"),
        ("\"a\"", "\"\u{1}\""),
        (";tag=1", ";tag=\u{1}"),
        ("<sip:x@h>", "\u{1} <sip:x@h>"),
        ("o@h", "\u{1}o@h"),
        ("Max-Forwards", "Record-Route: \"\u{1}\" <sip:h;lr>\r\nX-\u{1}: \u{1}\r\nMax-Forwards"),
    ] {
        assert_eq!(status(&ask(from, to)), 200, "{from}");
    }
}

#[test]
fn a_record_route_comes_back_verbatim() {
    let mut solo = Solo::talking();
    let route = "Record-Route: \"\u{6d4b}\" <sip:p1;lr>;x=1,<sip:p2;lr>\r\n";
    let headers = format!("{route}{}Content-Type: application/sdp\r\n", contact());
    solo.feed(request("INVITE", 2, &headers, SDP));
    assert!(String::from_utf8_lossy(&solo.sent[0]).contains(route));
}

#[test]
fn gb18030_is_decoded_for_display_only() {
    let mut settings = config(US, GW);
    settings.server = true;
    let mut solo = Solo::new(settings);
    solo.feed(gbk(&PLAIN.replace("OPTIONS", "INVITE").replace("<sip:a@h>", "<sip:\u{1}@h>")));
    let Some(Event::Incoming(incoming)) = solo.events.first() else { panic!("{:?}", solo.events) };
    assert_eq!(incoming.from_user.reveal(), "测试");
    assert!(solo.sent[0].windows(4).any(|w| w == b"\xb2\xe2\xca\xd4"), "the wire keeps its bytes");
}

#[test]
fn without_content_length_the_body_is_the_rest_of_the_datagram() {
    let length = format!("Content-Length: {}\r\n", SDP.len());
    assert!(is_answered(|ok| ok.replace(&length, "")));
    // Line ends behind the headers are no body of an unknown kind.
    let mut solo = Solo::talking();
    let update = String::from_utf8(request("UPDATE", 2, &contact(), "")).unwrap();
    solo.feed(update.replace("Content-Length: 0\r\n", "") + "\r\n\r\n");
    assert_eq!(solo.lines(), ["200"]);
}

#[test]
fn octets_past_content_length_are_thrown_away() {
    assert!(is_answered(|ok| format!("{ok}m=video 1 RTP/AVP 31\r\n") + &"m=audio 1 RTP/AVP 8\r\n".repeat(99)));
    let twice = [ask("OPTIONS", "OPTIONS"), ask("o@h", "other@h")].concat();
    assert_eq!(status(&twice), 200);
}

#[test]
fn compact_forms_are_the_same_headers() {
    let compact = |text: &str| {
        let pairs = [
            ("Via:", "v:"),
            ("From:", "f:"),
            ("To:", "t:"),
            ("Call-ID:", "i:"),
            ("Contact:", "m:"),
            ("Content-Length:", "l:"),
            ("Content-Type:", "c:"),
        ];
        pairs.iter().fold(text.to_owned(), |text, (long, short)| text.replacen(long, short, 1))
    };
    assert!(is_answered(compact));
    assert_eq!(status(compact(PLAIN).as_bytes()), 200);
}

#[test]
fn a_folded_header_is_one_line() {
    assert!(is_answered(|ok| ok.replace(";tag=", "\r\n ;\r\n\ttag =\r\n  ").replace(": ", ":\r\n ")));
    let folded = ask("<sip:x@h>", "\r\n  <sip:x@h>\r\n\t;x=1");
    assert_eq!(status(&folded), 200, "and is written back as one");
}

#[test]
fn white_space_before_the_colon_is_legal() {
    assert!(is_answered(|ok| ok.replace(": ", " \t :")));
    assert_eq!(status(PLAIN.replace(": ", "  :").as_bytes()), 200);
}

#[test]
fn names_of_headers_have_no_case() {
    assert!(is_answered(|ok| ok.replace("Via", "VIA").replace("CSeq", "cseq").replace("Content-", "cOnTeNt-")));
}

#[test]
fn lines_may_end_without_a_carriage_return() {
    assert!(is_answered(|ok| ok.replace("\r\n", "\n").replacen("Content-Length", "X", 1)));
}

#[test]
fn an_unknown_method_gets_501_and_an_unknown_scheme_416() {
    let method = PLAIN.replace("OPTIONS", "N~v*l");
    assert_eq!(status(method.as_bytes()), 501);
    assert_eq!(status(&ask("sip:x@127", "tel:+999100000001;x=127")), 416);
    assert_eq!(
        status(&ask("<sip:a@h>", "<tel:+999100000001>")),
        200,
        "elsewhere than in the request URI it is only a name"
    );
    assert!(is_answered(|ok| ok.replace("Contact: ", "P-Asserted-Identity: <tel:+999100000001>\r\nContact: ")));
}

#[test]
fn the_reason_phrase_is_kept_and_may_be_missing() {
    for phrase in [&b" \xb2\xe2\xca\xd4: 404;x=\"1\" "[..], b" ", b""] {
        let bytes = [&b"SIP/2.0 486"[..], phrase, b"\r\nCSeq: 1 INVITE\r\n\r\n"].concat();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.start, Start::Status { code: 486, reason: phrase.get(1..).unwrap_or(&[]) });
    }
    assert!(is_answered(|ok| ok.replace("200 OK", "200")));
}

#[test]
fn leading_line_ends_are_tolerated_and_a_keep_alive_is_none_of_our_business() {
    assert!(is_answered(|ok| format!("\r\n\r\n\n{ok}")));
    let mut solo = Solo::new(config(US, GW));
    for keep_alive in [&b"\r\n\r\n"[..], b"\r\n", b"\0\0\0\0", b""] {
        solo.feed(keep_alive);
    }
    assert_eq!((solo.sent.len(), solo.counts.len()), (0, 0));
}

#[test]
fn past_64_kb_or_128_header_lines_a_datagram_is_dropped_and_counted() {
    let own = Message::parse(PLAIN.as_bytes()).unwrap();
    let lines = [Name::Via, Name::MaxForwards, Name::From, Name::To, Name::CallId, Name::CSeq, Name::ContentLength];
    let lines: usize = lines.iter().map(|name| own.count_of(*name)).sum();
    let room = MAX_BYTES - PLAIN.len() - "X: \r\n".len();
    for (extra, want) in [
        ("X: y\r\n".repeat(MAX_HEADERS - lines), 200),
        ("X: y\r\n".repeat(MAX_HEADERS - lines + 1), 0),
        (format!("X: {}\r\n", "y".repeat(room)), 200),
        (format!("X: {}\r\n", "y".repeat(room + 1)), 0),
    ] {
        let mut solo = Solo::new(config(US, GW));
        solo.feed(ask("CSeq", &format!("{extra}CSeq")));
        assert_eq!(solo.sent.len(), usize::from(want == 200), "{}", extra.len());
        assert_eq!(solo.counts.contains(&Counter::Unreadable), want == 0);
    }
}

#[test]
fn cseq_ends_at_two_to_the_31_less_one() {
    assert_eq!(status(&ask("CSeq: 7", "CSeq: 2147483647")), 200);
    assert_eq!(status(&ask("CSeq: 7", "CSeq: 2147483648")), 400);
    assert_eq!(status(&ask("CSeq: 7", "CSeq: -7")), 400);
}

#[test]
fn a_proxy_require_is_not_for_us_and_a_require_is() {
    assert_eq!(status(&ask("Max", "Proxy-Require: foo\r\nMax")), 200);
    let mut solo = Solo::new(config(US, GW));
    solo.feed(ask("Max", "Require: foo\r\nProxy-Require: bar\r\nRequire: baz, qux\r\nMax"));
    let text = String::from_utf8_lossy(&solo.sent[0]).into_owned();
    assert!(
        text.contains("420") && text.contains("Unsupported: foo\r\nUnsupported: baz\r\nUnsupported: qux\r\n"),
        "{text}"
    );
    assert!(!text.contains("bar"));
}

#[test]
fn credentials_that_we_never_gave_are_not_accepted() {
    let register = PLAIN.replace("OPTIONS", "REGISTER");
    assert_eq!(status(register.as_bytes()), 405);
    assert_eq!(status(register.replace("Max", "Authorization: Digest x=y\r\nMax").as_bytes()), 403);
}

#[test]
fn transactions_without_a_branch_are_told_apart_by_their_whole_via() {
    for via in ["", ";branch=z9hG4bK", ";branch=1"] {
        let mut solo = Solo::new(config(US, GW));
        let one = ask(";branch=z9hG4bKa", via);
        let other = ask("127.0.0.1:5080;branch=z9hG4bKa", &format!("127.0.0.2{via}"));
        for bytes in [&one, &one, &other] {
            solo.feed(bytes);
        }
        assert_eq!(solo.counts, [Counter::Repeated], "{via}");
        assert_eq!(solo.sent[0], solo.sent[1]);
        assert!(String::from_utf8_lossy(&solo.sent[2]).contains("127.0.0.2"));
    }
}

#[test]
fn nothing_of_the_peers_begins_a_line_of_its_own_in_our_answer() {
    for (from, to) in [
        ("<sip:x@h>", "<sip:x@h>\rX: injected"),
        ("<sip:x@h>", "<sip:x@h>\n ;x=y"),
        (";branch", "\r\n ;x=1\r;branch"),
        ("7 OPTIONS", "7\r\n OPTIONS"),
        ("\r\nMax", "\r\nVia:\r\nMax"),
    ] {
        // `assert_answer` looks at every line.
        assert_ne!(status(&ask(from, to)), 0, "{to}");
    }
}

#[test]
fn a_challenge_with_a_line_end_inside_is_not_answered() {
    for (nonce, want) in [("n", 1), ("n\r\n n", 0), ("n\rX: y", 0)] {
        let mut settings = config(US, GW);
        settings.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
        let mut solo = Solo::new(settings);
        solo.command(Command::Invite(Box::new(invite(1))));
        let challenge = format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\"\r\n");
        solo.answer("401 Unauthorized", "b", &challenge, "");
        let signed = solo.sent.iter().filter(|sent| Message::parse(sent).unwrap().named(b"Authorization").is_some());
        assert_eq!(signed.count(), want, "{nonce}");
    }
}
