//! Bytes that are not UTF-8 may stand in any header of a peer, in any place, and disturb nothing.

use super::*;

/// "测试\" in GBK: its last byte is a backslash.
const GBK: &[u8] = b"\xb2\xe2\xca\xd4\xd5\x5c";

fn call_through(ok: &[u8], what: &str) {
    let mut solo = Solo::calling();
    solo.answer("180 Ringing", "b", &contact(), "");
    solo.feed(ok);
    assert_eq!(solo.lines(), ["INVITE", "ACK"], "{what}");
    assert!(matches!(solo.events.last(), Some(Event::Answered { .. })), "{what}: {:?}", solo.events);
    solo.command(Command::Hangup { leg: leg(1) });
    solo.answer_to("BYE", "200 \u{6d4b}", "", "", "");
    assert_eq!(solo.end().unwrap().cause, Cause::Bye, "{what}");
    assert_eq!(solo.ua.live_calls(), 0, "{what}");
}

fn plain() -> Vec<u8> {
    let headers =
        format!("Contact: \"x\" <sip:far@{GW}>\r\nRecord-Route: \"x\" <sip:{GW};lr>\r\nServer: x\r\nAllow: x\r\n");
    response(&Solo::calling().sent[0], "200 x", "b", &headers, SDP)
}

#[test]
fn a_gbk_header_line_at_any_position_disturbs_nothing() {
    let plain = plain();
    let head = plain.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let starts: Vec<usize> = (0..head + 2).filter(|&at| at >= 2 && plain[at - 2..at] == *b"\r\n").collect();
    assert!(starts.len() > 9);
    for at in starts {
        for line in [&b"Server: "[..], b"Subject: \"", b"X-\xb2\xe2: ", b"Organization:\r\n "] {
            let mut bytes = plain[..at].to_vec();
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(GBK);
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&plain[at..]);
            call_through(&bytes, &format!("line at {at}"));
        }
    }
}

#[test]
fn gbk_inside_each_value_that_is_the_peers_own_disturbs_nothing() {
    let plain = String::from_utf8(plain()).unwrap();
    for (from, to) in [
        ("200 x", "200 @"),
        ("Contact: \"x\"", "Contact: \"@\""),
        ("Contact: \"x\"", "Contact: @"),
        ("Record-Route: \"x\"", "Record-Route: \"@\""),
        ("Server: x", "Server: @"),
        ("Allow: x", "Allow: @"),
        ("To: <", "To: \"@\" <"),
        ("To: <", "To: @ <"),
        (";tag=b", ";tag=b;x=@"),
        ("From: <", "From: \"@\" <"),
        (";rport;", ";rport;x=@;"),
        ("<sip:far@", "<sip:@far@"),
    ] {
        let changed = plain.replacen(from, &to.replacen('@', "\u{1}", 1), 1);
        assert_ne!(changed, plain, "{from}");
        let bytes: Vec<u8> = changed.bytes().flat_map(|b| if b == 1 { GBK.to_vec() } else { vec![b] }).collect();
        call_through(&bytes, to);
    }
}

#[test]
fn a_bye_full_of_gbk_is_answered_with_its_own_bytes() {
    let mut solo = Solo::talking();
    let bye =
        String::from_utf8(request("BYE", 2, "Server: \u{1}\r\nReason: Q.850;cause=16;text=\"\u{1}\"\r\n", "")).unwrap();
    let bye = bye.replacen("From: <", "From: \"\u{1}\" <", 1);
    let bytes: Vec<u8> = bye.bytes().flat_map(|b| if b == 1 { GBK.to_vec() } else { vec![b] }).collect();
    solo.feed(&bytes);
    assert_eq!(solo.lines(), ["200"]);
    assert!(solo.sent[0].windows(GBK.len()).any(|w| w == GBK));
    assert_eq!(solo.end().unwrap().q850, Some(16));
}
