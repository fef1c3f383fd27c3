//! One call over one trunk after another: the same call, so that whoever hears of it twice can tell, and each trunk by a
//! branch of its own.

use super::*;
use crate::sip::locate::Route;

const A: &str = "127.0.0.1:5080";
const B: &str = "127.0.0.1:5090";

/// With leg 1 refused by trunk 0 without a sound, and its INVITE on its way over trunk 1.
fn moved() -> Solo {
    let mut config = config(US, A);
    config.peers = vec![Peer::new(addr(A)), Peer::new(addr(B))];
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    let first = solo.sent[0].clone();
    let refusal = response(&first, "503 Service Unavailable", "x", "", "");
    solo.handle(Input::Datagram { from: addr(A), bytes: &refusal });
    assert!(solo.end().unwrap().unheard);
    solo.events.clear();
    solo.command(Command::Invite(Box::new(second())));
    solo
}

fn second() -> Invite {
    Invite { trunk: TrunkIx(1), hop: 1, request_uri: Pii::new(format!("sip:+999100000002@{B}")), ..invite(1) }
}

fn branch(bytes: &[u8]) -> Vec<u8> {
    Message::parse(bytes).unwrap().top_via().unwrap().branch().unwrap().to_vec()
}

#[test]
fn over_the_next_trunk_it_is_the_same_call_on_another_branch() {
    let solo = moved();
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE"]);
    assert_eq!(solo.targets[2], Target::udp(addr(B)));
    let [first, second] = [&solo.sent[0], &solo.sent[2]].map(|bytes| Message::parse(bytes).unwrap());
    for name in [header::Name::CallId, header::Name::From, header::Name::CSeq] {
        assert_eq!(first.get(name), second.get(name));
    }
    let ids = ids::Ids::new(&[7; 32]);
    assert_eq!(branch(&solo.sent[2]), ids.branch(leg(1), 1, ids::Hop::Invite(16)));
}

#[test]
fn an_answer_of_the_trunk_before_is_ended_and_never_taken_for_this_one() {
    let mut solo = moved();
    let (first, second) = (solo.sent[0].clone(), solo.sent[2].clone());
    let ringing = response(&second, "180 Ringing", "b", "", "");
    solo.handle(Input::Datagram { from: addr(B), bytes: &ringing });
    let late = response(&first, "200 OK", "late", &format!("Contact: <sip:far@{A}>\r\n"), SDP);
    solo.handle(Input::Datagram { from: addr(A), bytes: &late });
    assert_eq!(solo.lines()[3..], ["ACK", "BYE"]);
    assert_eq!(solo.targets[3..], [Target::udp(addr(A)); 2]);
    assert!(!solo.events.iter().any(|event| matches!(event, Event::Answered { .. } | Event::Ended(_))));
    let bye = response(&solo.last("BYE"), "200 OK", "late", "", "");
    solo.handle(Input::Datagram { from: addr(A), bytes: &bye });
    solo.clear();
    solo.wait(Duration::from_secs(2));
    assert!(solo.sent.is_empty(), "the BYE was answered");
    let ok = response(&second, "200 OK", "b", &format!("Contact: <sip:far@{B}>\r\n"), SDP);
    solo.handle(Input::Datagram { from: addr(B), bytes: &ok });
    assert!(matches!(solo.events.last(), Some(Event::Answered { .. })));
}

#[test]
fn a_late_answer_from_the_one_address_of_two_trunks_is_ended_too() {
    let mut config = config(US, A);
    config.peers = vec![Peer::new(addr(A)), Peer::new(addr(A))];
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    let first = solo.sent[0].clone();
    solo.feed(response(&first, "503 Service Unavailable", "x", "", ""));
    solo.command(Command::Invite(Box::new(Invite { trunk: TrunkIx(1), hop: 1, ..invite(1) })));
    solo.clear();
    solo.feed(response(&first, "200 OK", "late", &format!("Contact: <sip:far@{A}>\r\n"), SDP));
    assert_eq!(solo.lines(), ["ACK", "BYE"]);
    assert_eq!(solo.events, []);
}

#[test]
fn a_refusal_that_comes_again_is_acked_again_and_says_nothing_of_the_next_trunk() {
    let mut solo = moved();
    let first = solo.sent[0].clone();
    solo.clear();
    let refusal = response(&first, "503 Service Unavailable", "x", "", "");
    solo.handle(Input::Datagram { from: addr(A), bytes: &refusal });
    assert_eq!((solo.lines(), solo.targets[0]), (vec!["ACK".to_owned()], Target::udp(addr(A))));
    assert_eq!(solo.events, []);
}

#[test]
fn its_cancel_is_found_after_a_crash_though_its_trunk_is_no_name() {
    let solo = moved();
    let tried = Tried { leg: leg(1), trunk: TrunkIx(1), hop: 16, dest: Target::udp(addr(B)) };
    assert_eq!(solo.tried, [tried]);
    let mut config = config(US, A);
    config.peers = vec![Peer::new(addr(A)), Peer::new(addr(B))];
    let (to, cancel) = recovery::cancel(&config, &Invite { hop: 0, ..second() }, Some(&tried), 1).unwrap();
    assert_eq!((to, branch(&cancel)), (Target::udp(addr(B)), branch(&solo.sent[2])));
}

#[test]
fn only_what_nobody_can_know_of_may_go_over_another_trunk() {
    let over = |named: bool| {
        let mut config = config(US, A);
        let route = Route::new(Target::udp(addr(A)));
        config.peers = vec![Peer { routes: if named { vec![route] } else { vec![] }, ..Peer::new(addr(A)) }];
        let mut solo = Solo::new(config);
        solo.command(Command::Invite(Box::new(invite(1))));
        solo
    };
    for named in [false, true] {
        let unheard = |say: &dyn Fn(&mut Solo)| {
            let mut solo = over(named);
            say(&mut solo);
            solo.end().unwrap().unheard
        };
        assert!(unheard(&|solo| solo.answer("503 Service Unavailable", "b", "", "")));
        assert!(unheard(&|solo| solo.handle(Input::Unreachable { to: addr(A) })));
        for status in ["500 No", "486 Busy Here", "403 Forbidden", "408 Timeout", "600 No"] {
            assert!(!unheard(&|solo| solo.answer(status, "b", "", "")), "{status}");
        }
        assert!(!unheard(&|solo| solo.wait(Duration::from_secs(40))), "no answer is doubt");
        for early in ["100 Trying", "180 Ringing", "183 Session Progress"] {
            let heard = |solo: &mut Solo| {
                solo.answer(early, "b", "", "");
                solo.answer("503 Service Unavailable", "b", "", "");
            };
            assert!(!unheard(&heard), "after {early} somebody may have heard of it");
        }
        let cancelled = |solo: &mut Solo| {
            solo.command(Command::Hangup { leg: leg(1) });
            solo.answer("503 Service Unavailable", "b", "", "");
        };
        assert!(!unheard(&cancelled), "nobody wants it any more");
    }
}
