//! A trunk with several targets (RFC 3263 §4.3): the next one is tried only while nobody can know of the call.

use super::*;
use crate::sip::locate::Route;

const A: &str = "127.0.0.1:5080";
const B: &str = "127.0.0.1:5090";

fn route(at: &str, priority: u16, transport: Transport) -> Route {
    Route { priority, ..Route::new(Target::new(transport, addr(at))) }
}

fn peer(routes: Vec<Route>) -> Peer {
    let first = routes[0].target;
    Peer { transport: first.transport, routes, ..Peer::new(first.addr) }
}

fn over(transport: Transport) -> Solo {
    let mut config = config(US, A);
    config.peers = vec![peer(vec![route(A, 0, transport), route(B, 1, transport)])];
    Solo::new(config)
}

fn named(n: u128) -> Invite {
    Invite { request_uri: Pii::new("sip:+999100000002@gw.example".to_owned()), ..invite(n) }
}

fn calling(transport: Transport) -> Solo {
    let mut solo = over(transport);
    solo.command(Command::Invite(Box::new(named(1))));
    solo
}

fn hear(solo: &mut Solo, from: &str, status: &str, tag: &str, body: &str) {
    let request = solo.last("INVITE");
    let bytes = response(&request, status, tag, &format!("Contact: <sip:far@{from}>\r\n"), body);
    solo.handle(Input::Datagram { from: addr(from), bytes: &bytes });
}

fn invites(solo: &Solo) -> Vec<Target> {
    let all = solo.sent.iter().zip(&solo.targets);
    all.filter(|(bytes, _)| bytes.starts_with(b"INVITE")).map(|(_, to)| *to).collect()
}

fn udp(at: &str) -> Target {
    Target::udp(addr(at))
}

#[test]
fn a_503_moves_the_call_to_the_next_target_under_the_same_names_and_a_new_branch() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    assert_eq!(invites(&solo), [udp(A), udp(B)]);
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE"]);
    let (first, second) = (solo.sent[0].clone(), solo.sent[2].clone());
    let [first, second] = [&first, &second].map(|bytes| Message::parse(bytes).unwrap());
    for name in [header::Name::CallId, header::Name::From, header::Name::CSeq, header::Name::To] {
        assert_eq!(first.get(name), second.get(name));
    }
    let ids = ids::Ids::new(&[7; 32]);
    for (message, at) in [(&first, 0), (&second, 1)] {
        let branch = message.top_via().unwrap().branch().unwrap();
        assert_eq!(branch, ids.branch(leg(1), 1, ids::Hop::Invite(at)));
    }
    // The ACK of the first stays with the first, and so does what comes again from there.
    assert_eq!(solo.targets[1], udp(A));
}

#[test]
fn the_dialog_stays_with_the_target_that_answered() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    let request = solo.last("INVITE");
    let ok = response(&request, "200 OK", "b", "Contact: <sip:far@somewhere.example>\r\n", SDP);
    solo.handle(Input::Datagram { from: addr(B), bytes: &ok });
    solo.command(Command::Hangup { leg: leg(1) });
    assert_eq!(solo.lines()[3..], ["ACK", "BYE"]);
    assert_eq!(solo.targets[3..], [udp(B), udp(B)]);
}

#[test]
fn icmp_and_a_refused_connection_move_it_too() {
    let mut solo = calling(Transport::Udp);
    solo.handle(Input::Unreachable { to: addr(A) });
    assert_eq!((invites(&solo), solo.end()), (vec![udp(A), udp(B)], None));
    solo.handle(Input::Unreachable { to: addr(B) });
    assert_eq!(solo.end().unwrap().cause, Cause::Unreachable);

    let mut solo = calling(Transport::Tcp);
    let bytes = solo.sent[0].clone();
    solo.handle(Input::Unsent { to: Target::new(Transport::Tcp, addr(A)), bytes: &bytes });
    assert_eq!(invites(&solo)[1], Target::new(Transport::Tcp, addr(B)));
}

#[test]
fn after_a_100_after_timer_b_and_past_the_permit_nobody_else_is_tried() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "100 Trying", "", "");
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    assert_eq!((invites(&solo).len(), solo.end().unwrap().status), (1, Some(503)));

    let mut solo = calling(Transport::Udp);
    solo.wait(LIFE);
    assert!(invites(&solo).iter().all(|to| *to == udp(A)), "doubt is not repeated elsewhere");
    assert_eq!(solo.end().unwrap().cause, Cause::NoReply);

    let mut solo = over(Transport::Udp);
    let permit_until = solo.now.tick + Duration::from_millis(500);
    solo.command(Command::Invite(Box::new(Invite { permit_until, ..named(1) })));
    solo.wait(Duration::from_millis(501));
    solo.clear();
    hear_first(&mut solo, "503 Service Unavailable");
    assert_eq!((invites(&solo).len(), solo.end().unwrap().status), (0, Some(503)));
}

/// The answer of A to the first INVITE of leg 1, which is written again for it.
fn hear_first(solo: &mut Solo, status: &str) {
    let bytes = response(&calling(Transport::Udp).sent[0], status, "x", "", "");
    solo.handle(Input::Datagram { from: addr(A), bytes: &bytes });
}

#[test]
fn a_call_that_was_given_up_and_one_that_was_refused_otherwise_stay_where_they_are() {
    let mut solo = calling(Transport::Udp);
    solo.command(Command::Hangup { leg: leg(1) });
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    assert_eq!(invites(&solo).len(), 1);
    for status in ["486 Busy Here", "500 Broken", "480 Gone", "603 Decline"] {
        let mut solo = calling(Transport::Udp);
        hear(&mut solo, A, status, "x", "");
        assert_eq!((invites(&solo).len(), solo.end().is_some()), (1, true), "{status}");
    }
}

#[test]
fn each_target_is_tried_once_even_where_all_answer_with_the_same_tag() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    hear(&mut solo, B, "503 Service Unavailable", "x", "");
    assert_eq!(solo.lines(), ["INVITE", "ACK", "INVITE", "ACK"]);
    assert_eq!(solo.targets[3], udp(B), "the ACK goes to who answered");
    assert_eq!(solo.end().unwrap().status, Some(503));
    // A says it again: its ACK was lost.
    hear_first(&mut solo, "503 Service Unavailable");
    assert_eq!((solo.lines().len(), solo.targets[4]), (5, udp(A)));
}

#[test]
fn what_a_target_brings_after_the_call_has_moved_on_is_a_second_call_and_is_ended() {
    let mut solo = calling(Transport::Udp);
    solo.handle(Input::Unreachable { to: addr(A) });
    let late = response(&solo.sent[0], "200 OK", "late", &format!("Contact: <sip:far@{A}>\r\n"), SDP);
    solo.handle(Input::Datagram { from: addr(A), bytes: &late });
    assert_eq!(solo.lines(), ["INVITE", "INVITE", "ACK", "BYE"]);
    assert_eq!(solo.targets[2..], [udp(A), udp(A)]);
    hear(&mut solo, B, "200 OK", "b", SDP);
    assert!(solo.events.iter().any(|event| matches!(event, Event::Answered { .. })));
}

#[test]
fn a_target_that_failed_rests_for_thirty_seconds_and_the_first_is_tried_again_when_all_rest() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    solo.command(Command::Invite(Box::new(named(2))));
    assert_eq!(invites(&solo)[2..], [udp(B)]);
    solo.handle(Input::Unreachable { to: addr(B) });
    solo.clear();
    solo.command(Command::Invite(Box::new(named(3))));
    assert_eq!(invites(&solo), [udp(A)]);
    solo.wait(SECOND * 31);
    solo.clear();
    solo.command(Command::Invite(Box::new(named(4))));
    assert_eq!(invites(&solo), [udp(A)]);
}

#[test]
fn calls_are_shared_by_weight() {
    let mut config = config(US, A);
    let [a, b] = [(A, 10), (B, 30)].map(|(at, weight)| Route { weight, ..route(at, 0, Transport::Udp) });
    config.peers = vec![peer(vec![a, b])];
    let mut solo = Solo::new(config);
    (0..400).for_each(|n| solo.command(Command::Invite(Box::new(named(n)))));
    let at_a = solo.targets.iter().filter(|to| **to == udp(A)).count();
    assert!((60..140).contains(&at_a), "{at_a}");
}

#[test]
fn a_long_invite_goes_over_tcp_at_each_target_and_falls_back_before_it_moves_on() {
    let mut solo = over(Transport::Udp);
    solo.command(Command::Invite(Box::new(Invite { from_display: Some("x".repeat(1_000)), ..named(1) })));
    let tcp = |at| Target::new(Transport::Tcp, addr(at));
    for at in [A, B] {
        let (bytes, to) = (solo.sent.last().unwrap().clone(), *solo.targets.last().unwrap());
        assert_eq!(to, tcp(at));
        solo.handle(Input::Unsent { to, bytes: &bytes });
        assert_eq!(solo.targets.last(), Some(&udp(at)));
        solo.handle(Input::Unreachable { to: addr(at) });
    }
    assert_eq!(invites(&solo), [tcp(A), udp(A), tcp(B), udp(B)]);
    assert_eq!(solo.end().unwrap().cause, Cause::Unreachable);
}

#[test]
fn where_an_invite_goes_is_kept_so_that_its_cancel_finds_it_after_a_crash() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "503 Service Unavailable", "x", "");
    let want = |hop, at| Tried { leg: leg(1), trunk: TrunkIx(0), hop, dest: udp(at) };
    assert_eq!(solo.tried, [want(0, A), want(1, B)]);
    // The name leads elsewhere by now.
    let mut config = config(US, A);
    config.peers = vec![peer(vec![route("127.0.0.1:5099", 0, Transport::Udp)])];
    let (to, cancel) = recovery::cancel(&config, &named(1), solo.tried.last(), 1).unwrap();
    let (cancel, invite) = (cancel.to_vec(), solo.last("INVITE"));
    let branch = |bytes: &[u8]| Message::parse(bytes).unwrap().top_via().unwrap().branch().unwrap().to_vec();
    assert_eq!((to, branch(&cancel)), (udp(B), branch(&invite)));
}

#[test]
fn every_address_of_the_name_is_the_peer_and_no_other() {
    let peer = peer(vec![route(A, 0, Transport::Udp), route(B, 1, Transport::Udp)]);
    assert!(peer.owns(udp(A)) && peer.owns(udp(B)) && !peer.owns(udp("127.0.0.1:5091")));
    let nowhere = Peer::new(Peer::NOWHERE);
    assert!(nowhere.is_nowhere() && !nowhere.owns(udp(A)));
}

#[test]
fn a_call_goes_on_where_its_name_led_when_it_leads_elsewhere() {
    let mut solo = calling(Transport::Udp);
    hear(&mut solo, A, "200 OK", "b", SDP);
    let moved = || peer(vec![route(B, 0, Transport::Udp)]);
    solo.ua.set_peers(vec![moved()]);
    solo.clear();
    solo.handle(Input::Datagram { from: addr(A), bytes: &request("BYE", 2, "", "") });
    assert_eq!(solo.events.iter().filter_map(ended).count(), 1);
    assert_eq!(solo.targets, [udp(A)]);
    // With no call there, it is a stranger again.
    solo.ua.set_peers(vec![moved()]);
    solo.clear();
    solo.handle(Input::Datagram { from: addr(A), bytes: &request("OPTIONS", 3, "", "") });
    assert!(solo.sent.is_empty());
}
