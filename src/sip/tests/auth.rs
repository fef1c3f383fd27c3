//! Challenges: which are answered, with what, and how often.

use super::*;
use crate::sip::header::Name;

const SERVER: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n";
const PROXY: &str = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"p1\", qop=\"auth\"\r\n";
const STALE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", stale=true\r\n";

fn solo() -> Solo {
    let mut config = config(US, GW);
    config.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
    Solo::new(config)
}

/// With the INVITE of leg 1 on the wire.
fn calling() -> Solo {
    let mut solo = solo();
    solo.command(Command::Invite(Box::new(invite(1))));
    solo
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn last(solo: &Solo, method: &str) -> String {
    text(&solo.last(method))
}

#[test]
fn a_challenge_is_answered_once_with_the_next_cseq_and_a_new_branch() {
    for (status, challenge, reply) in
        [("401 Unauthorized", SERVER, "Authorization"), ("407 Proxy", PROXY, "Proxy-Authorization")]
    {
        let mut solo = calling();
        solo.answer(status, "c", challenge, "");
        assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE"]);
        let (first, second) = (Message::parse(&solo.sent[0]).unwrap(), Message::parse(&solo.sent[2]).unwrap());
        assert_eq!(second.cseq().unwrap().0, 2);
        assert_ne!(first.top_via().unwrap().branch(), second.top_via().unwrap().branch());
        for same in [Name::From, Name::To, Name::CallId] {
            assert_eq!(first.get(same), second.get(same));
        }
        assert!(second.named(reply.as_bytes()).is_some());
        solo.answer(status, "d", challenge, "");
        assert_eq!(solo.end().unwrap().cause, Cause::Refused, "wrong credentials are not tried again");
        assert_eq!(solo.unauthorised, [Unanswered::Rejected]);
        assert_eq!(solo.counts, [Counter::Authenticated]);
    }
}

#[test]
fn a_challenge_changes_nothing_of_a_signature() {
    let value = "eyJ.eyJ.c2ln;info=<https://cert.example/a.pem>;alg=ES256;ppt=shaken";
    let mut solo = solo();
    solo.command(Command::Invite(Box::new(Invite { identity: Identity::parse(value), ..invite(1) })));
    solo.answer("401 Unauthorized", "c", SERVER, "");
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE"]);
    let line = format!("\r\nIdentity: {value}\r\n");
    assert!(text(&solo.sent[0]).contains(&line) && text(&solo.sent[2]).contains(&line));
    assert!(!text(&solo.sent[1]).contains("Identity"));
}

#[test]
fn the_ack_of_a_challenge_belongs_to_its_invite() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", SERVER, "");
    let (invite, ack) = (Message::parse(&solo.sent[0]).unwrap(), Message::parse(&solo.sent[1]).unwrap());
    assert_eq!(ack.top_via().unwrap().branch(), invite.top_via().unwrap().branch());
    assert_eq!((ack.cseq().unwrap().0, ack.to().unwrap().tag()), (1, Some(&b"c"[..])));
    let again = response(&solo.sent[0].clone(), "401 Unauthorized", "c", SERVER, "");
    solo.feed(again);
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE", "ACK"], "a repetition draws the ACK alone");
}

#[test]
fn the_uri_of_the_answer_is_that_of_the_request() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", SERVER, "");
    assert!(last(&solo, "INVITE").contains(&format!("uri=\"sip:+999100000002@{GW}\"")));
    solo.answer("200 OK", "e", &contact(), SDP);
    solo.command(Command::Hangup { leg: leg(1) });
    assert!(last(&solo, "BYE").contains(&format!("uri=\"sip:far@{GW}\"")));
}

#[test]
fn a_proxy_and_the_server_behind_it_are_both_answered_in_one_request() {
    let mut solo = calling();
    solo.answer("407 Proxy", "c", PROXY, "");
    solo.answer("401 Unauthorized", "d", SERVER, "");
    let third = last(&solo, "INVITE");
    assert!(third.contains("CSeq: 3 INVITE") && third.contains("\r\nAuthorization: "), "{third}");
    assert!(third.contains("nonce=\"p1\"") && third.contains("nc=00000002"), "the proxy's nonce again: {third}");
    solo.answer("200 OK", "e", &contact(), SDP);
    let ack = last(&solo, "ACK");
    assert!(ack.contains("\r\nAuthorization: ") && ack.contains("\r\nProxy-Authorization: "), "{ack}");
}

#[test]
fn one_response_with_both_challenges_is_answered_at_once() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", &[SERVER, PROXY].concat(), "");
    let second = last(&solo, "INVITE");
    assert!(second.contains("\r\nAuthorization: ") && second.contains("\r\nProxy-Authorization: "), "{second}");
}

#[test]
fn a_stale_nonce_is_answered_again_once() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", SERVER, "");
    solo.answer("401 Unauthorized", "d", STALE, "");
    assert!(last(&solo, "INVITE").contains("CSeq: 3 INVITE"));
    let mut done = calling();
    for (tag, challenge) in [("c", SERVER), ("d", STALE), ("e", STALE)] {
        done.answer("401 Unauthorized", tag, challenge, "");
    }
    assert_eq!(done.end().unwrap().status, Some(401));
    solo.answer("200 OK", "e", &contact(), SDP);
    assert!(last(&solo, "ACK").contains("nonce=\"n2\""), "the ACK carries the credentials of its INVITE");
    solo.command(Command::Hangup { leg: leg(1) });
    let bye = last(&solo, "BYE");
    assert!(bye.contains("nonce=\"n2\"") && bye.contains("CSeq: 4 BYE"), "{bye}");
}

#[test]
fn the_next_call_carries_credentials_at_once_and_counts_up() {
    let mut solo = calling();
    solo.answer("407 Proxy", "c", PROXY, "");
    solo.command(Command::Invite(Box::new(invite(2))));
    let second = last(&solo, "INVITE");
    assert!(second.contains("CSeq: 1 INVITE") && second.contains("nonce=\"p1\""), "{second}");
    assert!(second.contains("nc=00000002"), "{second}");
}

#[test]
fn an_old_nonce_of_another_call_may_be_refused_without_stale_and_is_replaced() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", SERVER, "");
    solo.command(Command::Invite(Box::new(invite(2))));
    solo.answer("401 Unauthorized", "d", &SERVER.replace("n1", "n9"), "");
    let again = last(&solo, "INVITE");
    assert!(again.contains("CSeq: 2 INVITE") && again.contains("nonce=\"n9\""), "{again}");
    assert!(again.contains("nc=00000001"), "the count belongs to the nonce: {again}");
}

#[test]
fn new_peers_begin_without_a_nonce() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", SERVER, "");
    let mut peer = Peer::new(addr(GW));
    peer.auth = Some(Credentials { user: "v".into(), realm: "r".into(), password: "p".into() });
    solo.ua.set_peers(vec![peer]);
    solo.command(Command::Invite(Box::new(invite(2))));
    assert!(!last(&solo, "INVITE").contains("Authorization"));
}

#[test]
fn no_credentials_leave_for_another_realm_and_the_log_says_both() {
    let mut solo = calling();
    solo.answer("401 Unauthorized", "c", &SERVER.replace("\"r\"", "\"theirs\""), "");
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
    assert_eq!(solo.end().unwrap().status, Some(401));
    let said: Vec<String> = solo.unauthorised.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["it asks for realm \"theirs\", and the configured realm is \"r\""]);
}

#[test]
fn no_credentials_leave_for_another_peer() {
    let mut solo = calling();
    let challenge = response(&solo.sent[0].clone(), "401 Unauthorized", "c", SERVER, "");
    solo.handle(Input::Datagram { from: addr("127.0.0.1:5081"), bytes: &challenge });
    assert_eq!(solo.lines(), ["INVITE"]);
    // Another trunk asks for the same realm, and has no credentials of its own.
    let mut settings = config(US, GW);
    settings.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
    settings.peers.push(Peer::new(addr("127.0.0.1:5090")));
    let mut solo = Solo::new(settings);
    solo.command(Command::Invite(Box::new(invite(1))));
    solo.answer("401 Unauthorized", "c", SERVER, "");
    let other = Invite { trunk: TrunkIx(1), ..invite(2) };
    solo.command(Command::Invite(Box::new(other)));
    assert!(!last(&solo, "INVITE").contains("Authorization"));
    let challenge = response(&solo.last("INVITE"), "401 Unauthorized", "c", SERVER, "");
    solo.handle(Input::Datagram { from: addr("127.0.0.1:5090"), bytes: &challenge });
    assert_eq!(solo.unauthorised, [Unanswered::NoCredentials]);
    assert!(!last(&solo, "INVITE").contains("Authorization"));
}

#[test]
fn a_challenged_bye_is_sent_again_and_ends_the_call() {
    let mut solo = calling();
    solo.answer("200 OK", "b", &contact(), SDP);
    solo.command(Command::Hangup { leg: leg(1) });
    solo.answer_to("BYE", "407 Proxy", "", PROXY, "");
    let bye = last(&solo, "BYE");
    assert!(bye.contains("CSeq: 3 BYE") && bye.contains("Proxy-Authorization"), "{bye}");
    solo.answer_to("BYE", "407 Proxy", "", &PROXY.replace("nonce", "stale=true, nonce"), "");
    assert!(last(&solo, "BYE").contains("CSeq: 4 BYE"), "its nonce had run out by then");
    solo.answer_to("BYE", "407 Proxy", "", PROXY, "");
    assert_eq!(solo.end().unwrap().cause, Cause::Bye, "whatever the answer, the call is over");
}

#[test]
fn the_bye_of_another_fork_carries_credentials_at_once() {
    let mut solo = calling();
    solo.answer("407 Proxy", "c", PROXY, "");
    solo.answer("200 OK", "x", &contact(), SDP);
    solo.answer("200 OK", "y", &contact(), SDP);
    assert!(last(&solo, "BYE").contains("Proxy-Authorization"));
}
