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
    let via = theirs.via_header().unwrap().typed().unwrap();
    let branch = via.branch().map(|b| b.value().as_bytes().to_vec());
    assert_eq!(ours.top_via().unwrap().branch().map(<[u8]>::to_vec), branch);
    assert_eq!(ours.body.unwrap(), &theirs.body()[..]);
    assert!(theirs.headers().iter().count() >= 6);
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
