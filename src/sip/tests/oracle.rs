//! For plain ASCII over IPv4 an independent parser must agree with ours. It is no oracle for anything else: it refuses
//! compact headers, IPv6 and GBK.

use rsip::headers::ToTypedHeader as _;
use rsip::prelude::{HasHeaders as _, HeadersExt as _, UntypedHeader as _};

use super::*;
use crate::base::Rng;
use crate::sip::header::Name;
use crate::sip::message::Start;

fn compare(bytes: &[u8]) {
    let ours = Message::parse(bytes).unwrap();
    let theirs = rsip::SipMessage::try_from(bytes.to_vec()).unwrap();
    match (&ours.start, &theirs) {
        (Start::Status { code, .. }, rsip::SipMessage::Response(r)) => assert_eq!(*code, r.status_code.code()),
        (Start::Request { name, uri, .. }, rsip::SipMessage::Request(r)) => {
            assert_eq!(*name, r.method.to_string().as_bytes());
            assert_eq!(*uri, r.uri.to_string().as_bytes());
        }
        (start, _) => panic!("{start:?}"),
    }
    assert_eq!(ours.get(Name::CallId), Some(theirs.call_id_header().unwrap().value().as_bytes()));
    let cseq = theirs.cseq_header().unwrap().typed().unwrap();
    assert_eq!(ours.cseq().unwrap().0, cseq.seq);
    let tag = |tag: Option<&rsip::common::uri::param::Tag>| tag.map(|t| t.value().as_bytes().to_vec());
    let (from, to) = (theirs.from_header().unwrap().typed().unwrap(), theirs.to_header().unwrap().typed().unwrap());
    assert_eq!(ours.from().unwrap().tag().map(<[u8]>::to_vec), tag(from.tag()));
    assert_eq!(ours.to().unwrap().tag().map(<[u8]>::to_vec), tag(to.tag()));
    assert_eq!(ours.to().unwrap().uri, to.uri.to_string().as_bytes());
    assert_eq!(ours.from().unwrap().uri, from.uri.to_string().as_bytes());
    assert_eq!(ours.cseq_method_name(), Some(cseq.method.to_string().as_bytes()));
    let contact = theirs.contact_header().ok().map(|contact| contact.typed().unwrap().uri.to_string().into_bytes());
    assert_eq!(ours.contact().map(|contact| contact.uri.to_vec()), contact);
    let via = theirs.via_header().unwrap().typed().unwrap();
    let branch = via.branch().map(|b| b.value().as_bytes().to_vec());
    let top = ours.top_via().unwrap();
    assert_eq!(top.branch().map(<[u8]>::to_vec), branch);
    assert_eq!(top.host, via.uri.host_with_port.host.to_string().as_bytes());
    assert_eq!(top.port, via.uri.host_with_port.port.as_ref().map(|port| *port.value()));
    assert_eq!(ours.body.unwrap(), &theirs.body()[..]);
    assert!(theirs.headers().iter().count() >= 6);
}

/// A word of an alphabet that both take anywhere.
fn word(rng: &mut Rng) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCXYZ0123456789";
    (0..=rng.below(12)).map(|_| char::from(LETTERS[rng.below(LETTERS.len() as u32) as usize])).collect()
}

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.below(of.len() as u32) as usize]
}

fn host(rng: &mut Rng) -> String {
    match rng.below(3) {
        0 => format!("{}.example.com", pick(rng, &["sip", "edge-1", "a.b"])),
        1 => format!("192.0.2.{}", 1 + rng.below(254)),
        _ => format!("198.51.100.{}:{}", 1 + rng.below(254), 1 + rng.below(65_535)),
    }
}

fn uri(rng: &mut Rng) -> String {
    let params = pick(rng, &["", ";lr", ";user=phone", ";user=phone;lr"]);
    format!("sip:{}@{}{params}", word(rng), host(rng))
}

fn name_addr(rng: &mut Rng, tag: bool) -> String {
    let display = match rng.below(3) {
        0 => String::new(),
        1 => format!("\"{} {}\" ", word(rng), word(rng)),
        _ => format!("\"{}\" ", word(rng)),
    };
    let tag = if tag { format!(";tag={}", word(rng)) } else { String::new() };
    format!("{display}<{}>{tag}", uri(rng))
}

/// Any order of headers, any number of routes and of headers that nobody reads, with and without a body.
fn plain(rng: &mut Rng) -> Vec<u8> {
    let method =
        pick(rng, &["INVITE", "BYE", "OPTIONS", "ACK", "CANCEL", "INFO", "NOTIFY", "UPDATE", "REFER", "REGISTER"]);
    let statuses =
        ["100 Trying", "180 Ringing", "183 Session Progress", "200 OK", "302 Moved", "404 Not Found", "486 Busy Here"];
    let (start, tagged) = match rng.below(2) {
        0 => (format!("{method} {} SIP/2.0", uri(rng)), rng.chance(0.5)),
        _ => (format!("SIP/2.0 {}", pick(rng, &statuses)), true),
    };
    let sent_by = host(rng);
    let via = pick(rng, &["", ";rport", ";rport=5060;received=192.0.2.9", ";received=192.0.2.9"]);
    let mut headers = vec![
        format!("Via: SIP/2.0/UDP {sent_by}{via};branch=z9hG4bK{}", word(rng)),
        format!("From: {}", name_addr(rng, true)),
        format!("To: {}", name_addr(rng, tagged)),
        format!("Call-ID: {}@{}", word(rng), word(rng)),
        format!("CSeq: {} {method}", rng.below(1 << 31)),
        format!("Max-Forwards: {}", rng.below(256)),
        format!("Contact: {}", name_addr(rng, false)),
    ];
    for _ in 0..rng.below(4) {
        headers.push(format!("{}: {}", pick(rng, &["Server", "X-Trace", "Subject", "Organization"]), word(rng)));
    }
    for _ in 0..rng.below(3) {
        headers.push(format!("Record-Route: <sip:{};lr>", host(rng)));
    }
    for at in (1..headers.len()).rev() {
        headers.swap(at, rng.below(at as u32 + 1) as usize);
    }
    let body = if rng.chance(0.5) { SDP } else { "" };
    format!("{start}\r\n{}\r\nContent-Length: {}\r\n\r\n{body}", headers.join("\r\n"), body.len()).into_bytes()
}

#[test]
fn an_independent_parser_agrees_on_three_thousand_generated_messages() {
    let mut rng = Rng::seeded(17);
    for _ in 0..3_000 {
        compare(&plain(&mut rng));
    }
}

#[test]
fn an_independent_parser_agrees_on_plain_messages() {
    let mut rng = Rng::seeded(5);
    for n in 0..200 {
        let mut solo = Solo::new(config(US, GW));
        solo.command(Command::Invite(Box::new(invite(u128::from(rng.u64())))));
        let sent = solo.sent[0].clone();
        compare(&sent);
        let tag = format!("t{}", rng.u32());
        let status = ["100 Trying", "180 Ringing", "200 OK", "302 Moved", "486 Busy", "503 Unavailable"][n % 6];
        compare(&response(&sent, status, &tag, &contact(), if n % 2 == 0 { SDP } else { "" }));
        compare(&request(["BYE", "NOTIFY", "OPTIONS", "INFO"][n % 4], rng.below(9999), &contact(), ""));
    }
}
