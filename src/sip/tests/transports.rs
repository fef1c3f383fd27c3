//! Connections: what changes where bytes cannot be lost, and what a message that never left means.

use super::*;

fn over(transport: Transport) -> Config {
    let mut config = config(US, GW);
    config.peers[0].transport = transport;
    config
}

fn calling(config: Config) -> Solo {
    let mut solo = Solo::new(config);
    solo.command(Command::Invite(Box::new(invite(1))));
    solo
}

/// From the peer's end of our connection.
fn hear(solo: &mut Solo, transport: Transport, bytes: impl AsRef<[u8]>) {
    solo.handle(Input::Framed { from: Target::new(transport, addr(GW)), bytes: bytes.as_ref() });
}

fn unsent(solo: &mut Solo, at: usize) {
    let (to, bytes) = (solo.targets[at], solo.sent[at].clone());
    solo.handle(Input::Unsent { to, bytes: &bytes });
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An INVITE that fits in no datagram of 1,300 bytes.
fn long() -> Invite {
    Invite { from_display: Some("x".repeat(1_000)), ..invite(1) }
}

fn calling_long() -> Solo {
    let mut solo = Solo::new(config(US, GW));
    solo.command(Command::Invite(Box::new(long())));
    solo
}

fn branch(bytes: &[u8]) -> Vec<u8> {
    Message::parse(bytes).unwrap().top_via().unwrap().branch().unwrap().to_vec()
}

#[test]
fn via_and_contact_say_how_we_are_reached() {
    for (transport, via, contact) in [
        (Transport::Udp, "Via: SIP/2.0/UDP 127.0.0.1:5060;", "<sip:goldenhour@127.0.0.1:5060>"),
        (Transport::Tcp, "Via: SIP/2.0/TCP 127.0.0.1:5060;", "<sip:goldenhour@127.0.0.1:5060;transport=tcp>"),
        (Transport::Tls, "Via: SIP/2.0/TLS 127.0.0.1:5060;", "<sip:goldenhour@127.0.0.1:5060;transport=tls>"),
    ] {
        let solo = calling(over(transport));
        let invite = text(&solo.sent[0]);
        assert!(invite.contains(via) && invite.contains(contact), "{invite}");
        assert_eq!(solo.targets, [Target::new(transport, addr(GW))]);
    }
}

#[test]
fn our_contact_is_where_we_listen_else_our_end_of_the_connection_and_via_never_moves() {
    let connected = Input::Connected { to: Target::new(Transport::Tls, addr(GW)), ours: addr("127.0.0.1:40001") };
    let mut solo = Solo::new(over(Transport::Tls));
    solo.handle(connected);
    solo.command(Command::Invite(Box::new(invite(1))));
    let said = text(&solo.sent[0]);
    assert!(said.contains("<sip:goldenhour@127.0.0.1:40001;transport=tls>"), "{said}");
    assert!(said.contains("Via: SIP/2.0/TLS 127.0.0.1:5060;"), "{said}");
    let mut listens = over(Transport::Tls);
    listens.local_tls = Some(addr("127.0.0.1:5061"));
    listens.peers[0].our_end = Some(addr("127.0.0.1:40001"));
    assert!(text(&calling(listens).sent[0]).contains("<sip:goldenhour@127.0.0.1:5061;transport=tls>"));
}

#[test]
fn a_call_over_a_connection_sends_everything_once_and_the_same_way() {
    let mut solo = calling(over(Transport::Tcp));
    let ringing = response(&solo.sent[0], "180 Ringing", "b", &contact(), "");
    let ok = response(&solo.sent[0], "200 OK", "b", &contact(), SDP);
    hear(&mut solo, Transport::Tcp, ringing);
    hear(&mut solo, Transport::Tcp, ok);
    solo.command(Command::Hangup { leg: leg(1) });
    solo.wait(SECOND * 10);
    assert_eq!(solo.lines(), ["INVITE", "ACK", "BYE"]);
    assert!(solo.targets.iter().all(|to| *to == Target::new(Transport::Tcp, addr(GW))));
    assert!(solo.sent.iter().all(|bytes| text(bytes).contains("SIP/2.0/TCP")));
    let bye = response(&solo.last("BYE"), "200 OK", "", "", "");
    hear(&mut solo, Transport::Tcp, bye);
    assert_eq!(solo.end().unwrap().cause, Cause::Bye);
}

#[test]
fn an_invite_over_a_connection_goes_once_and_silence_is_doubt_all_the_same() {
    let mut solo = calling(over(Transport::Tcp));
    solo.wait(LIFE);
    assert_eq!(solo.lines(), ["INVITE"]);
    assert_eq!(solo.end().unwrap().cause, Cause::NoReply);
}

#[test]
fn what_comes_by_datagram_never_speaks_for_a_trunk_over_tls() {
    let mut solo = calling(over(Transport::Tls));
    let ok = response(&solo.sent[0], "200 OK", "b", &contact(), SDP);
    solo.feed(&ok);
    hear(&mut solo, Transport::Tcp, &ok);
    assert_eq!((solo.events.len(), solo.sent.len()), (0, 1));
    assert_eq!(solo.counts, [Counter::UnknownSource; 2]);
    hear(&mut solo, Transport::Tls, &ok);
    assert_eq!(solo.lines(), ["INVITE", "ACK"]);
}

#[test]
fn a_request_is_answered_through_the_connection_it_came_by() {
    let mut solo = Solo::new(over(Transport::Tcp));
    let from = Target::new(Transport::Tcp, addr("127.0.0.1:40002"));
    let options = "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKx\r\n\
        From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";
    solo.handle(Input::Framed { from, bytes: format!("{options}Content-Length: 0\r\n\r\n").as_bytes() });
    assert_eq!((solo.lines(), &solo.targets[..]), (vec!["200".to_owned()], &[from][..]));
    // Nothing comes twice, so that nothing is remembered for longer than a moment.
    solo.wait(Duration::from_millis(1));
    assert_eq!(solo.ua.echoes(), 0);
    solo.handle(Input::Framed { from, bytes: format!("{options}\r\n").as_bytes() });
    assert_eq!(solo.lines()[1..], ["400"], "without a length nobody knows where it ends");
}

#[test]
fn an_invite_that_found_no_connection_is_unreachable_and_one_that_left_is_not() {
    let mut solo = calling(over(Transport::Tls));
    unsent(&mut solo, 0);
    assert_eq!(solo.end().unwrap().cause, Cause::Unreachable);

    let mut solo = calling(over(Transport::Tls));
    solo.command(Command::Invite(Box::new(invite(2))));
    unsent(&mut solo, 1);
    let ended: Vec<End> = solo.events.iter().filter_map(ended).collect();
    assert_eq!(ended.len(), 1, "the one before it may have arrived, and nobody knows: {ended:?}");
    assert_eq!(solo.ua.live_calls(), 1);
}

#[test]
fn a_bye_that_found_no_connection_is_sent_again_until_one_takes_it() {
    let mut solo = calling(over(Transport::Tcp));
    let ok = response(&solo.sent[0], "200 OK", "b", &contact(), SDP);
    hear(&mut solo, Transport::Tcp, ok);
    solo.command(Command::Hangup { leg: leg(1) });
    unsent(&mut solo, 2);
    solo.wait(SECOND * 2);
    assert_eq!(solo.lines(), ["INVITE", "ACK", "BYE", "BYE", "BYE"]);
}

#[test]
fn an_invite_too_long_for_a_datagram_goes_over_tcp_with_all_that_belongs_to_it() {
    let mut solo = calling_long();
    let refused = response(&solo.sent[0], "486 Busy Here", "b", "", "");
    assert!(text(&solo.sent[0]).contains("SIP/2.0/TCP"));
    hear(&mut solo, Transport::Tcp, refused);
    let tcp = Target::new(Transport::Tcp, addr(GW));
    assert_eq!((solo.lines(), &solo.targets[..]), (vec!["INVITE".to_owned(), "ACK".to_owned()], &[tcp, tcp][..]));
    assert_eq!(solo.end().unwrap().status, Some(486));
}

#[test]
fn where_tcp_is_refused_the_same_invite_goes_by_datagram_and_the_phone_rings_once() {
    let mut solo = calling_long();
    unsent(&mut solo, 0);
    assert_eq!(solo.targets[1], Target::udp(addr(GW)));
    assert_eq!(branch(&solo.sent[0]), branch(&solo.sent[1]));
    assert_eq!(text(&solo.sent[0]).replacen("SIP/2.0/TCP", "SIP/2.0/UDP", 1), text(&solo.sent[1]));
    // Said again, it changes nothing: that INVITE is no more.
    unsent(&mut solo, 0);
    assert_eq!(solo.lines(), ["INVITE", "INVITE"]);
    let ok = response(&solo.sent[1], "200 OK", "b", &contact(), SDP);
    solo.feed(ok);
    assert_eq!(solo.lines()[2..], ["ACK"]);
    assert_eq!(solo.targets[2], Target::udp(addr(GW)));
}

#[test]
fn after_any_answer_there_is_no_other_way() {
    let mut solo = calling_long();
    let trying = response(&solo.sent[0], "100 Trying", "", "", "");
    hear(&mut solo, Transport::Tcp, trying);
    unsent(&mut solo, 0);
    assert_eq!((solo.lines(), solo.end()), (vec!["INVITE".to_owned()], None));
}

#[test]
fn a_call_that_was_given_up_does_not_take_the_other_way() {
    let mut solo = calling_long();
    solo.command(Command::Hangup { leg: leg(1) });
    unsent(&mut solo, 0);
    assert_eq!((solo.lines(), solo.end().unwrap().cause), (vec!["INVITE".to_owned()], Cause::Cancelled));
}

#[test]
fn what_a_crash_left_is_ended_over_the_trunk_s_connection() {
    let mut config = over(Transport::Tls);
    config.peers[0].our_end = Some(addr("127.0.0.1:40001"));
    let sent = calling(config).sent.remove(0);
    // The new process has another connection.
    let (to, cancel) = recovery::cancel(&over(Transport::Tls), &invite(1), None, 1).unwrap();
    assert_eq!(to, Target::new(Transport::Tls, addr(GW)));
    let (sent, cancel) = (Message::parse(&sent).unwrap(), cancel.to_vec());
    assert_eq!(sent.get(header::Name::Via), Message::parse(&cancel).unwrap().get(header::Name::Via));
}

#[test]
fn version_six_of_the_internet_protocol_is_spoken_too() {
    let mut config = config("[::1]:5060", "[::1]:5080");
    config.peers[0].transport = Transport::Tcp;
    let mut solo = Solo::new(config);
    let media = Local { rtp: addr("[::1]:20000"), prefer: Codec::Pcma, srtp: None };
    solo.command(Command::Invite(Box::new(Invite { media, ..invite(1) })));
    let said = text(&solo.sent[0]);
    for part in ["Via: SIP/2.0/TCP [::1]:5060;", "<sip:goldenhour@[::1]:5060;transport=tcp>", "c=IN IP6 ::1\r\n"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
