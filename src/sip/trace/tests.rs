//! Nobody's number gets into a trace, and what an engineer needs does.

use super::*;
use crate::base::Rng;
use crate::sip::tests::mutate;

const NUMBER: &str = "+999271828182";
const CALL_ID: &str = "01900000-0000-7000-8000-0000000000ff";

fn noted(message: &str) -> Option<(AttemptId, String)> {
    let mut out = String::new();
    let attempt = note(message.as_bytes(), &mut out)?;
    Some((attempt, out))
}

/// What stands behind the fingerprint.
fn fields(message: &str) -> Vec<String> {
    let (_, line) = noted(message).unwrap();
    line.split(SEPARATOR).skip(1).map(str::to_owned).collect()
}

/// The number, or so much of it that the rest could be guessed, with any signs between its digits.
fn leaks(line: &str) -> bool {
    let number: Vec<char> = NUMBER.chars().filter(char::is_ascii_digit).collect();
    line.split(SEPARATOR).skip(1).any(|field| {
        let plain: String = field.chars().filter(|c| c.is_alphanumeric() || *c == '*').collect();
        number.windows(7).any(|part| plain.contains(&part.iter().collect::<String>()))
    })
}

/// One message that says the number wherever a gateway might.
fn talkative(start: &str, number: &str) -> String {
    let sdp = format!(
        "v=0\r\no={number} 1 1 IN IP4 10.0.0.1\r\ns={number}\r\ni={number}\r\nu=tel:{number}\r\ne={number}@h\r\np={number}\r\n\
         c=IN IP4 {number}\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 {number}/8000\r\na=X-callee:{number}\r\n\
         a=crypto:1 {number} inline:{number}\r\n"
    );
    let headers = [
        "Contact: \"X\" <sip:X@10.0.0.1;phone-context=X;user=phone?Subject=X>",
        "Refer-To: <tel:X;isub=X>",
        "Remote-Party-ID: \"X\" <sip:X@h>;party=called",
        "P-Asserted-Identity: <tel:X>",
        "P-Preferred-Identity: <sip:X@h>",
        "P-Called-Party-ID: <sip:X@h>",
        "Diversion: <sip:X@h>;reason=no-answer",
        "History-Info: <sip:X@h>;index=1, <sip:X@g?Reason=X>;index=1.1",
        "Referred-By: <sip:X@h>",
        "Identity: X",
        "Reason: Q.850;cause=1;text=\"no route to X\"",
        "Reason: SIP;cause=404;text=X",
        "Warning: 399 10.0.0.1 \"X is not known\", 399 X \"there\"",
        "Retry-After: X (ask for X);duration=X",
        "Session-Expires: X;refresher=X",
        "Min-SE: X",
        "RSeq: X",
        "RAck: X 12345678 INVITE",
        "Require: X",
        "Unsupported: X",
        "Subscription-State: terminated;reason=X",
        "Server: X",
        "Subject: X",
        "Call-Info: <sip:X@h>;purpose=info",
        "WWW-Authenticate: Digest realm=\"X\", nonce=\"X\", algorithm=X, qop=\"X\", stale=X, opaque=X",
        "Proxy-Authenticate: X realm=X",
        "Authorization: Digest username=\"X\", uri=\"sip:X@h\"",
        "Content-Type: application/sdp",
    ];
    let headers = headers.map(|header| header.replace('X', number)).join("\r\n");
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK{number};received={number}\r\n\
         From: \"{number}\" <sip:{number}@h>;tag={number}\r\nTo: \"{number}\" <sip:{number}@h>;tag={number}\r\n\
         Call-ID: {CALL_ID}\r\nCSeq: {number} INVITE\r\n{headers}\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

/// As gateways write it, and as somebody might who wants to get past a mask.
fn spellings() -> Vec<String> {
    let digits = &NUMBER[1..];
    let joined = |with: &str, len: usize| {
        let parts: Vec<&str> = digits.as_bytes().chunks(len).map(|part| std::str::from_utf8(part).unwrap()).collect();
        parts.join(with)
    };
    let escaped = digits.chars().flat_map(|digit| ['%', '3', digit]).collect();
    let wide = digits.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap()).collect();
    let mut all =
        vec![NUMBER.to_owned(), digits.to_owned(), format!("00{digits}"), digits[3..].to_owned(), escaped, wide];
    for with in ["-", " ", "--", ") (", "\\", "%20", "\u{a0}", ".-.", "_"] {
        all.extend([1, 2, 3, 4].map(|len| joined(with, len)));
    }
    all
}

#[test]
fn no_header_no_uri_and_no_description_brings_a_number_along() {
    for number in spellings() {
        for start in [
            format!("INVITE sip:{number}@10.0.0.1;user=phone SIP/2.0"),
            format!("INVITE tel:{number} SIP/2.0"),
            format!("INVITE sip:{number} SIP/2.0"),
            format!("SIP/2.0 404 no {number}"),
        ] {
            let message = talkative(&start, &number);
            if let Some((_, line)) = noted(&message) {
                assert!(!leaks(&line), "{number}: {line}");
            }
        }
    }
    assert!(noted(&talkative("SIP/2.0 404 no", NUMBER)).is_some(), "the message is one that is kept");
}

#[test]
fn damaged_messages_bring_no_number_along_either() {
    let mut rng = Rng::seeded(11);
    let seeds = [
        talkative(&format!("INVITE sip:{NUMBER}@10.0.0.1 SIP/2.0"), NUMBER),
        talkative(&format!("SIP/2.0 183 {NUMBER}"), NUMBER),
    ];
    let mut kept = 0;
    for turn in 0..4_000 {
        let mut bytes = seeds[turn % 2].clone().into_bytes();
        mutate(&mut rng, &mut bytes);
        let mut line = String::new();
        if note(&bytes, &mut line).is_some() {
            kept += 1;
            assert!(!leaks(&line), "{line}");
            assert!(!line.contains(['\n', '\r']), "{line}");
        }
    }
    assert!(kept > 1_000, "{kept}");
}

#[test]
fn an_invite_and_its_answers_are_summed_up() {
    let via = "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa\r\n";
    let rest = |to: &str, more: &str, body: &str| {
        format!(
            "{via}From: <sip:95500@h>;tag=a\r\nTo: <sip:{NUMBER}@h>{to}\r\nCall-ID: {CALL_ID}\r\nCSeq: 1 INVITE\r\n{more}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let sdp = "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 20000 RTP/AVP 8 0\r\n";
    let sent = rest("", "Contact: <sip:10.0.0.2:5060>\r\nContent-Type: application/sdp\r\n", sdp);
    assert_eq!(
        fields(&format!("INVITE sip:{NUMBER}@10.0.0.1 SIP/2.0\r\n{sent}")),
        [
            "INVITE sip:+9992****8182@10.0.0.1",
            "1 INVITE",
            "Contact: sip:10.0.0.2:5060",
            "SDP: audio 10.0.0.2:20000 PCMA,PCMU sendrecv RTP/AVP"
        ]
    );
    let busy = rest(";tag=as7f3e21c9", "Reason: Q.850;cause=17\r\nRetry-After: 30\r\nServer: gw/1.2\r\n", "");
    assert_eq!(
        fields(&format!("SIP/2.0 486 Busy Here\r\n{busy}")),
        ["486 Busy Here", "1 INVITE", "To-tag: as7f3e21", "Reason: Q.850;cause=17", "Retry-After: 30", "by: gw/1.2"]
    );
    let asked = "Proxy-Authenticate: Digest realm=\"gw.example\", nonce=\"abc\", algorithm=SHA-256, qop=\"auth\"\r\n";
    assert_eq!(
        fields(&format!("SIP/2.0 407 Who?\r\n{}", rest("", asked, ""))).last().unwrap(),
        "asks: Digest realm=\"gw.example\" algorithm=SHA-256 qop=\"auth\""
    );
}

#[test]
fn two_sendings_share_a_fingerprint_and_nothing_else_does() {
    let print = |start: &str, branch: &str, cseq: u32, tag: &str| {
        let message = format!(
            "{start}\r\nVia: SIP/2.0/UDP h;branch={branch}\r\nTo: <sip:a@h>;tag={tag}\r\nCall-ID: {CALL_ID}\r\nCSeq: {cseq} INVITE\r\n\r\n"
        );
        noted(&message).unwrap().1.split(SEPARATOR).next().unwrap().to_owned()
    };
    let first = print("SIP/2.0 180 Ringing", "z9hG4bKa", 1, "x");
    assert_eq!(first, print("SIP/2.0 180 Still Ringing", "z9hG4bKa", 1, "x"));
    for other in [
        print("SIP/2.0 183 Ringing", "z9hG4bKa", 1, "x"),
        print("SIP/2.0 180 Ringing", "z9hG4bKb", 1, "x"),
        print("SIP/2.0 180 Ringing", "z9hG4bKa", 2, "x"),
        print("SIP/2.0 180 Ringing", "z9hG4bKa", 1, "y"),
    ] {
        assert_ne!(first, other);
    }
}

#[test]
fn forks_with_tags_of_digits_are_still_told_apart() {
    let tag = |tag: &str| {
        let message =
            format!("SIP/2.0 180 R\r\nTo: <sip:a@h>;tag={tag}\r\nCall-ID: {CALL_ID}\r\nCSeq: 1 INVITE\r\n\r\n");
        fields(&message).pop().unwrap()
    };
    assert!(tag("1928301774").starts_with("To-tag: #"));
    assert_ne!(tag("1928301774"), tag("1928301775"));
}

#[test]
fn heartbeats_registrations_and_strangers_are_of_no_attempt() {
    for (call_id, method) in [
        (CALL_ID, "OPTIONS"),
        (CALL_ID, "REGISTER"),
        ("01900000-0000-4000-8000-0000000000ff", "INVITE"),
        ("a@b", "INVITE"),
    ] {
        let message = format!("{method} sip:a@h SIP/2.0\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\r\n");
        assert_eq!(noted(&message), None, "{call_id} {method}");
    }
}
