//! OPTIONS of ours: what it says, and what counts as its answer.

use super::*;

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n";

fn settings(auth: bool, seed: u64) -> Config {
    let mut config = config(US, GW);
    let auth = auth.then(|| Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
    config.peers = vec![Peer { auth, ..Peer::new(addr(GW)) }];
    config.seed = seed;
    config
}

/// With an OPTIONS on the wire.
fn asking(auth: bool) -> Solo {
    let mut solo = Solo::new(settings(auth, 7));
    solo.command(Command::Options { trunk: TrunkIx(0) });
    solo
}

fn answered(status: u16) -> Pong {
    Pong::Answered { status, retry_after_s: None }
}

#[test]
fn the_options_reads_as_it_must() {
    let solo = asking(false);
    let sent = String::from_utf8_lossy(&solo.sent[0]).replace("\r\n", "\n");
    expect_test::expect![[r"
        OPTIONS sip:127.0.0.1:5080 SIP/2.0
        Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK4b60f321a3881318ad046035
        Max-Forwards: 70
        From: <sip:goldenhour@127.0.0.1:5060>;tag=fe56e3ce194b475505928a65
        To: <sip:127.0.0.1:5080>
        Call-ID: 149e4efa-ddc8-0f2c-7258-d4b0b311b3b7
        CSeq: 1 OPTIONS
        Contact: <sip:goldenhour@127.0.0.1:5060>
        Accept: application/sdp
        User-Agent: goldenhour
        Content-Length: 0

    "]]
    .assert_eq(&sent);
}

#[test]
fn every_final_answer_is_told_with_its_retry_after() {
    for status in [200, 404, 405, 483, 501] {
        let mut solo = asking(false);
        solo.answer_to("OPTIONS", "100 Trying", "", "", "");
        assert!(solo.pongs.is_empty());
        solo.answer_to("OPTIONS", &format!("{status} x"), "a", "", "");
        solo.answer_to("OPTIONS", &format!("{status} x"), "a", "", "");
        assert_eq!(solo.pongs, [answered(status)], "the second one is a repetition");
    }
    let mut solo = asking(false);
    solo.answer_to("OPTIONS", "503 Busy", "a", "Retry-After: 7 (tired)\r\n", "");
    assert_eq!(solo.pongs, [Pong::Answered { status: 503, retry_after_s: Some(7) }]);
}

#[test]
fn four_of_them_go_out_in_four_seconds_and_then_it_is_silence() {
    let mut solo = asking(false);
    solo.wait(Duration::from_millis(3_999));
    assert_eq!((solo.lines().len(), solo.pongs.len()), (4, 0));
    assert!(solo.sent.iter().all(|bytes| *bytes == solo.sent[0]));
    solo.wait(Duration::from_millis(1));
    assert_eq!(solo.pongs, [Pong::Silence]);
    assert_eq!(solo.ua.poll_timeout(), None);
}

#[test]
fn one_is_under_way_at_a_time_and_each_has_a_name_of_its_own() {
    let mut solo = asking(false);
    solo.command(Command::Options { trunk: TrunkIx(0) });
    assert_eq!(solo.sent.len(), 1);
    solo.answer_to("OPTIONS", "200 OK", "a", "", "");
    solo.command(Command::Options { trunk: TrunkIx(0) });
    let call_id = |bytes: &[u8]| Message::parse(bytes).unwrap().get(header::Name::CallId).map(<[u8]>::to_vec);
    assert_ne!(call_id(&solo.sent[0]), call_id(&solo.sent[1]));
    let mut other = Solo::new(settings(false, 8));
    other.command(Command::Options { trunk: TrunkIx(0) });
    assert_ne!(call_id(&solo.sent[0]), call_id(&other.sent[0]), "another process");
}

#[test]
fn a_challenge_is_answered_with_credentials_and_without_them_it_is_an_answer() {
    let mut solo = asking(true);
    solo.answer_to("OPTIONS", "401 Unauthorized", "a", CHALLENGE, "");
    assert!(solo.pongs.is_empty());
    let second = String::from_utf8_lossy(&solo.sent[1]).into_owned();
    assert!(
        second.contains("\r\nAuthorization: Digest username=\"u\"") && second.contains("CSeq: 2 OPTIONS"),
        "{second}"
    );
    solo.answer_to("OPTIONS", "200 OK", "a", "", "");
    assert_eq!(solo.pongs, [answered(200)]);
    solo.command(Command::Options { trunk: TrunkIx(0) });
    assert!(String::from_utf8_lossy(&solo.sent[2]).contains("nc=00000002"), "the nonce is used again");

    let mut solo = asking(false);
    solo.answer_to("OPTIONS", "401 Unauthorized", "a", CHALLENGE, "");
    assert_eq!((solo.pongs, solo.unauthorised), (vec![answered(401)], vec![]));
}

#[test]
fn wrong_credentials_end_the_question_and_are_complained_of() {
    let mut solo = asking(true);
    for _ in 0..2 {
        solo.answer_to("OPTIONS", "401 Unauthorized", "a", CHALLENGE, "");
    }
    assert_eq!((solo.pongs, solo.unauthorised), (vec![answered(401)], vec![Unanswered::Rejected]));
}

#[test]
fn nobody_at_the_address_ends_the_question_at_once() {
    let mut solo = asking(false);
    solo.handle(Input::Unreachable { to: addr("127.0.0.1:9") });
    assert!(solo.pongs.is_empty());
    solo.handle(Input::Unreachable { to: addr(GW) });
    solo.handle(Input::Unreachable { to: addr(GW) });
    assert_eq!(solo.pongs, [Pong::Unreachable]);
}

#[test]
fn over_a_connection_it_goes_out_once_and_a_missing_connection_is_said_at_once() {
    let mut config = settings(false, 7);
    config.peers[0].transport = Transport::Tcp;
    let to = Target::new(Transport::Tcp, addr(GW));
    let mut solo = Solo::new(config);
    solo.command(Command::Options { trunk: TrunkIx(0) });
    assert_eq!(solo.targets, [to]);
    let sent = solo.sent[0].clone();
    assert!(
        String::from_utf8_lossy(&sent)
            .starts_with("OPTIONS sip:127.0.0.1:5080;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP")
    );
    solo.handle(Input::Unsent { to, bytes: &sent });
    assert_eq!(solo.pongs, [Pong::Unreachable]);
    solo.command(Command::Options { trunk: TrunkIx(0) });
    solo.wait(Duration::from_secs(5));
    assert_eq!((solo.sent.len(), solo.pongs.last()), (2, Some(&Pong::Silence)));
}

#[test]
fn an_answer_from_elsewhere_or_to_another_question_is_none() {
    let mut solo = asking(false);
    let request = solo.last("OPTIONS");
    let answer = response(&request, "200 OK", "a", "", "");
    solo.handle(Input::Datagram { from: addr("127.0.0.1:9"), bytes: &answer });
    let other = String::from_utf8_lossy(&answer).replace("z9hG4bK", "z9hG4bX");
    solo.feed(other);
    assert!(solo.pongs.is_empty());
    assert!(solo.counts.contains(&Counter::StrayResponse));
}

#[test]
fn their_options_is_answered_with_what_we_serve() {
    let mut solo = Solo::new(settings(false, 7));
    solo.feed(format!(
        "OPTIONS sip:goldenhour@{US} SIP/2.0\r\nVia: SIP/2.0/UDP {GW};branch=z9hG4bKo\r\nMax-Forwards: 70\r\n\
         From: <sip:gw@{GW}>;tag=f\r\nTo: <sip:goldenhour@{US}>\r\nCall-ID: theirs\r\nCSeq: 9 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    ));
    let answer = String::from_utf8_lossy(&solo.sent[0]).into_owned();
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n") && answer.contains("\r\nAllow: INVITE, ACK, BYE"), "{answer}");
}
