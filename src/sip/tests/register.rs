//! Registration: when it asks, what it says, and when it gives the address back.

use super::*;
use crate::sip::header::Name;
use crate::sip::register::{Failure, Register, Report};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n";

fn settings() -> Config {
    let mut config = config(US, GW);
    let auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
    let register = Some(Register { user: "bank".into(), domain: None, expires_s: 600, required: true });
    config.peers = vec![Peer { auth, register, ..Peer::new(addr(GW)) }];
    config.seed = 7;
    config
}

/// With its first REGISTER on the wire.
fn registering() -> Solo {
    let mut solo = Solo::new(settings());
    solo.handle(Input::Timeout);
    solo
}

fn registered(contact: &str) -> Solo {
    let mut solo = registering();
    solo.answer_to("REGISTER", "200 OK", "s", contact, "");
    solo
}

fn ours(expires: u32) -> String {
    format!("Contact: <sip:goldenhour@{US}>;expires={expires}\r\n")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn bound(s: u64) -> Report {
    Report::Bound { expires: seconds(s) }
}

/// The last failure and its wait.
fn failed(solo: &Solo) -> (Failure, Duration) {
    match solo.reports.last() {
        Some(Report::Failed { why, again: Some(again) }) => (why.clone(), *again),
        other => panic!("{other:?}"),
    }
}

/// How long until the next REGISTER of a new transaction leaves.
fn until_next(solo: &mut Solo) -> Duration {
    let (before, since) = (solo.lines().len(), solo.now.tick);
    while solo.lines().len() == before {
        let (at, _) = solo.ua.poll_timeout().expect("something to wait for");
        solo.now = solo.now.plus(at.since(solo.now.tick));
        solo.handle(Input::Timeout);
    }
    solo.now.tick.since(since)
}

#[test]
fn the_register_reads_as_it_must() {
    let solo = registering();
    let sent = text(&solo.sent[0]).replace("\r\n", "\n");
    expect_test::expect![[r"
        REGISTER sip:127.0.0.1:5080 SIP/2.0
        Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK6c26fe227ddb9642badc3ca4
        Max-Forwards: 70
        From: <sip:bank@127.0.0.1:5080>;tag=9808b524a211e5d0de1e0f5c
        To: <sip:bank@127.0.0.1:5080>
        Call-ID: ccf2ca6e-6c19-7abc-2b1e-064810efc3db
        CSeq: 1 REGISTER
        Contact: <sip:goldenhour@127.0.0.1:5060>
        Expires: 600
        User-Agent: goldenhour
        Content-Length: 0

    "]]
    .assert_eq(&sent);
}

#[test]
fn a_challenge_is_answered_and_the_refresh_carries_credentials_at_once() {
    let mut solo = registering();
    solo.answer_to("REGISTER", "401 Unauthorized", "s", CHALLENGE, "");
    solo.answer_to("REGISTER", "200 OK", "s", &ours(600), "");
    until_next(&mut solo);
    let sent: Vec<Message<'_>> = solo.sent.iter().map(|bytes| Message::parse(bytes).unwrap()).collect();
    let cseqs: Vec<u32> = sent.iter().map(|message| message.cseq().unwrap().0).collect();
    assert_eq!(cseqs, [1, 2, 3]);
    for same in [Name::CallId, Name::From] {
        assert!(sent.iter().all(|message| message.get(same) == sent[0].get(same)));
    }
    assert!(text(&solo.sent[1]).contains("nc=00000001") && text(&solo.sent[1]).contains("uri=\"sip:127.0.0.1:5080\""));
    assert!(text(&solo.sent[2]).contains("nc=00000002"));
    assert_eq!(solo.reports, [bound(600)]);
}

#[test]
fn another_process_has_another_call_id() {
    let mut other = settings();
    other.seed = 8;
    let mut second = Solo::new(other);
    second.handle(Input::Timeout);
    let call_id = |bytes: &[u8]| Message::parse(bytes).unwrap().get(Name::CallId).unwrap().to_vec();
    assert_ne!(call_id(&registering().sent[0]), call_id(&second.sent[0]));
}

#[test]
fn it_comes_back_between_a_half_and_nine_tenths_of_what_was_granted() {
    for granted in [60, 300, 600] {
        let wait = until_next(&mut registered(&ours(granted))).as_secs_f64() / f64::from(granted);
        assert!((0.5..=0.9).contains(&wait), "{wait}");
    }
}

#[test]
fn a_registrar_that_grants_a_second_does_not_make_us_hurry() {
    let mut solo = registered(&ours(1));
    assert_eq!(until_next(&mut solo), seconds(5));
    assert_eq!(solo.reports, [bound(1), Report::Unbound]);
}

#[test]
fn the_time_granted_is_that_of_our_own_address() {
    let several = format!("Contact: <sip:desk@10.0.0.9>;expires=30, <sip:goldenhour@{US}>;q=0.5;expires=120\r\n");
    let theirs = "Contact: <sip:desk@10.0.0.9>;expires=30, <sip:desk@10.0.0.8>;expires=30\r\n";
    for (headers, want) in [
        (several.as_str(), Some(120)),
        ("Contact: <sip:goldenhour@203.0.113.9:1024>;expires=90\r\n", Some(90)),
        (&format!("Contact: <sip:goldenhour@{US}>\r\nExpires: 240\r\n"), Some(240)),
        ("", Some(600)),
        ("Expires: 100\r\n", Some(100)),
        (&ours(999_999), Some(600)),
        (&ours(0), None),
        (theirs, None),
    ] {
        let solo = registered(headers);
        match want {
            Some(want) => assert_eq!(solo.reports, [bound(want)], "{headers}"),
            None => assert_eq!(failed(&solo).0, Failure::NotBound, "{headers}"),
        }
    }
}

#[test]
fn an_interval_too_brief_is_raised_once() {
    let mut solo = registering();
    solo.answer_to("REGISTER", "423 Interval Too Brief", "s", "Min-Expires: 3600\r\n", "");
    assert!(text(&solo.last("REGISTER")).contains("\r\nExpires: 3600\r\n"));
    solo.answer_to("REGISTER", "423 Interval Too Brief", "s", "Min-Expires: 7200\r\n", "");
    assert_eq!(failed(&solo).0, Failure::Status(423));
    for bad in ["Min-Expires: 60\r\n", "Min-Expires: 90000000\r\n", "Min-Expires: x\r\n", ""] {
        let mut solo = registering();
        solo.answer_to("REGISTER", "423 Interval Too Brief", "s", bad, "");
        assert_eq!((failed(&solo).0, solo.sent.len()), (Failure::Status(423), 1), "{bad}");
    }
}

#[test]
fn failures_wait_longer_each_time_up_to_a_bound_and_a_success_forgets_them() {
    let mut solo = registering();
    for full in [10, 20, 40, 80, 160, 300, 300] {
        solo.answer_to("REGISTER", "500 No", "s", "", "");
        let (why, again) = failed(&solo);
        assert_eq!(why, Failure::Status(500));
        assert!(again >= seconds(full) / 2 && again <= seconds(full), "{again:?} of {full}");
        assert_eq!(until_next(&mut solo), again);
    }
    solo.answer_to("REGISTER", "200 OK", "s", &ours(600), "");
    until_next(&mut solo);
    solo.answer_to("REGISTER", "500 No", "s", "", "");
    assert!(failed(&solo).1 <= seconds(10));
}

#[test]
fn refused_credentials_wait_long_at_once() {
    let foreign = CHALLENGE.replace("\"r\"", "\"theirs\"");
    for (status, headers) in [("403 Forbidden", ""), ("401 Unauthorized", foreign.as_str())] {
        let mut solo = registering();
        solo.answer_to("REGISTER", status, "s", headers, "");
        assert!(failed(&solo).1 >= seconds(150), "the account would be locked");
    }
    let mut solo = registering();
    solo.answer_to("REGISTER", "401 Unauthorized", "s", CHALLENGE, "");
    solo.answer_to("REGISTER", "401 Unauthorized", "s", CHALLENGE, "");
    assert_eq!((failed(&solo).0, solo.sent.len()), (Failure::Unauthorised(Unanswered::Rejected), 2));
}

#[test]
fn retry_after_is_kept_within_reason() {
    for (header, least, most) in [("Retry-After: 120\r\n", 120, 120), ("Retry-After: 999999\r\n", 3600, 3600)] {
        let mut solo = registering();
        solo.answer_to("REGISTER", "503 Busy", "s", header, "");
        let (_, again) = failed(&solo);
        assert!(again >= seconds(least) && again <= seconds(most), "{again:?}");
    }
}

#[test]
fn a_redirection_is_not_followed() {
    let mut solo = registering();
    solo.answer_to("REGISTER", "302 Moved", "s", "Contact: <sip:203.0.113.7>\r\n", "");
    assert_eq!((failed(&solo).0, solo.sent.len()), (Failure::Status(302), 1));
}

#[test]
fn silence_is_a_failure_and_so_is_a_port_where_nobody_listens() {
    let mut solo = registering();
    solo.wait(LIFE);
    assert_eq!(failed(&solo).0, Failure::Silence);
    assert!(solo.counts.iter().filter(|counter| **counter == Counter::Resent).count() == 10);
    let mut solo = registering();
    solo.handle(Input::Unreachable { to: addr("127.0.0.1:5081") });
    assert_eq!(solo.reports, []);
    solo.handle(Input::Unreachable { to: addr(GW) });
    assert_eq!(failed(&solo).0, Failure::Unreachable);
}

#[test]
fn a_binding_that_runs_out_is_reported_and_no_call_may_leave() {
    let mut solo = registering();
    let may = |solo: &Solo| solo.ua.may_dial(TrunkIx(0), solo.now.tick);
    assert!(!may(&solo), "not yet registered");
    solo.answer_to("REGISTER", "200 OK", "s", &ours(60), "");
    assert!(may(&solo));
    until_next(&mut solo);
    solo.answer_to("REGISTER", "500 No", "s", "", "");
    assert!(may(&solo), "the binding before it holds still");
    solo.wait(seconds(31));
    assert!(solo.reports.contains(&Report::Unbound) && !may(&solo));
    let mut optional = settings();
    optional.peers[0].register.as_mut().unwrap().required = false;
    assert!(may(&Solo::new(optional)));
}

#[test]
fn the_address_is_taken_back_at_the_end_and_not_given_again() {
    let mut solo = registered(&ours(600));
    solo.handle(Input::Unregister);
    let last = text(&solo.last("REGISTER"));
    assert!(last.contains("CSeq: 2 REGISTER") && last.contains("\r\nExpires: 0\r\n"), "{last}");
    assert!(last.contains(&format!("Contact: <sip:goldenhour@{US}>")) && solo.ua.is_registering());
    solo.answer_to("REGISTER", "401 Unauthorized", "s", CHALLENGE, "");
    solo.answer_to("REGISTER", "200 OK", "s", "", "");
    assert_eq!(solo.reports.last(), Some(&Report::Unbound));
    solo.wait(seconds(3600));
    assert_eq!((solo.sent.len(), solo.ua.is_registering(), solo.ua.poll_timeout()), (3, false, None));
}

#[test]
fn what_was_never_registered_is_not_taken_back_and_what_may_be_is() {
    let mut solo = registering();
    solo.answer_to("REGISTER", "500 No", "s", "", "");
    solo.handle(Input::Unregister);
    assert_eq!((solo.sent.len(), solo.ua.is_registering()), (1, false));
    let mut solo = registering();
    solo.handle(Input::Unregister);
    assert!(text(&solo.sent[1]).contains("\r\nExpires: 0\r\n"), "the first one may have arrived");
}

#[test]
fn a_response_to_another_request_or_from_elsewhere_changes_nothing() {
    let mut solo = registering();
    let ok = text(&response(&solo.sent[0].clone(), "200 OK", "s", &ours(600), ""));
    solo.feed(ok.replace("CSeq: 1 ", "CSeq: 2 "));
    solo.feed(ok.replacen("branch=z9hG4bK", "branch=z9hG4bKx", 1));
    assert_eq!(solo.counts, [Counter::StrayResponse; 2]);
    solo.handle(Input::Datagram { from: addr("127.0.0.1:5081"), bytes: ok.as_bytes() });
    assert_eq!(solo.reports, []);
}

#[test]
fn a_reload_keeps_the_registration_of_a_trunk_that_did_not_change() {
    let mut solo = registered(&ours(600));
    solo.ua.set_peers(settings().peers);
    assert!(solo.ua.may_dial(TrunkIx(0), solo.now.tick));
    let mut peers = settings().peers;
    peers[0].register.as_mut().unwrap().user = "other".into();
    solo.ua.set_peers(peers);
    solo.handle(Input::Timeout);
    assert!(!solo.ua.may_dial(TrunkIx(0), solo.now.tick) && text(&solo.last("REGISTER")).contains("sip:other@"));
}

#[test]
fn over_a_connection_it_registers_once_that_stands_and_again_when_it_comes_back() {
    let mut config = settings();
    config.peers[0].transport = Transport::Tcp;
    let (to, ours) = (Target::new(Transport::Tcp, addr(GW)), addr("127.0.0.1:40001"));
    let mut solo = Solo::new(config);
    solo.handle(Input::Timeout);
    assert_eq!((solo.lines().len(), solo.ua.poll_timeout()), (0, None), "there is nothing to send it by");
    solo.handle(Input::Connected { to, ours });
    let first = solo.sent[0].clone();
    assert!(
        text(&first).contains("Via: SIP/2.0/TCP ") && text(&first).contains("40001;transport=tcp>"),
        "{}",
        text(&first)
    );
    // The connection broke meanwhile. Long before the wait is over it stands again.
    solo.handle(Input::Unsent { to, bytes: &first });
    assert_eq!(failed(&solo).0, Failure::Unreachable);
    solo.handle(Input::Connected { to, ours });
    assert_eq!(solo.lines().len(), 2);
    // What the registrar itself refused is not asked again by a connection that comes and goes.
    solo.answer_to("REGISTER", "403 Forbidden", "s", "", "");
    solo.handle(Input::Connected { to, ours });
    assert_eq!(solo.lines().len(), 2);
}
