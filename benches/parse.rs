//! The hot path's reading of a 200 OK, beside rsip with the same bytes in the same run.
//! `cargo bench --no-default-features --bench parse [-- --json]`. rsip stays a dev-dependency (docs/decisions/0001), so
//! this is no part of the program.

use std::hint::black_box;
use std::time::Instant;

use goldenhour::sip::header::Name;
use goldenhour::sip::message::{Message, Start};
use goldenhour::sip::sdp::Session;
use rsip::headers::ToTypedHeader as _;
use rsip::prelude::{HeadersExt as _, UntypedHeader as _};

const BYTES: usize = 734;
const ROUNDS: usize = 31;
const PER_ROUND: u32 = 20_000;

#[expect(clippy::print_stdout, reason = "a program for people at a terminal")]
fn main() {
    let message = message();
    // Both read the same things, or the times mean nothing.
    assert_eq!(ours(&message), theirs(&message), "the parsers disagree");
    let (mut our_ns, mut their_ns) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_ns.push(time(|| ours(&message)));
        their_ns.push(time(|| theirs(&message)));
    }
    let (ours_ns, rsip_ns) = (median(our_ns), median(their_ns));
    let ratio = rsip_ns / ours_ns;
    if std::env::args().any(|arg| arg == "--json") {
        println!("{{\"bytes\":{BYTES},\"ours_ns\":{ours_ns:.0},\"rsip_ns\":{rsip_ns:.0},\"ratio\":{ratio:.2}}}");
    } else {
        println!(
            "a 200 OK of {BYTES} bytes, headers of the hot path: {ours_ns:.0} ns, rsip {rsip_ns:.0} ns, {ratio:.2} times"
        );
    }
}

/// What the user agent reads of a 2xx before it sends the ACK, as a sum: status, CSeq number, and the lengths of
/// Call-ID, branch, tags, Contact and body.
fn ours(bytes: &[u8]) -> Option<usize> {
    let message = Message::parse(bytes).ok()?;
    let Start::Status { code, .. } = message.start else { return None };
    let (from, to) = (message.from()?, message.to()?);
    let lengths = [
        message.get(Name::CallId)?.len(),
        message.top_via()?.branch()?.len(),
        from.tag()?.len(),
        to.tag()?.len(),
        message.contact()?.uri.len(),
        message.body.ok()?.len(),
    ];
    Some(usize::from(code) + message.cseq()?.0 as usize + lengths.iter().sum::<usize>())
}

fn theirs(bytes: &[u8]) -> Option<usize> {
    let message = rsip::Response::try_from(bytes).ok()?;
    let (from, to) = (message.from_header().ok()?.typed().ok()?, message.to_header().ok()?.typed().ok()?);
    let contact = message.contact_header().ok()?.typed().ok()?;
    let lengths = [
        message.call_id_header().ok()?.value().len(),
        message.via_header().ok()?.typed().ok()?.branch()?.value().len(),
        from.tag()?.value().len(),
        to.tag()?.value().len(),
        contact.uri.to_string().len(),
        message.body.len(),
    ];
    let cseq = message.cseq_header().ok()?.typed().ok()?.seq;
    Some(usize::from(message.status_code.code()) + cseq as usize + lengths.iter().sum::<usize>())
}

/// As a carrier writes it, filled up to the size with a Server header.
fn message() -> Vec<u8> {
    let body = "v=0\r\no=- 20518 0 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 101\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
    assert!(Session::parse(body.as_bytes()).is_some_and(|session| session.agree(true).is_some()));
    let write = |server: &str| {
        format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=z9hG4bK0123456789abcdef0123456;received=192.0.2.1\r\n\
             From: <sip:+999100000001@192.0.2.1>;tag=0123456789abcdef\r\nTo: <sip:+999100000002@192.0.2.10>;tag=as58f4201b\r\n\
             Call-ID: 01900000-0000-7000-8000-000000000001\r\nCSeq: 1 INVITE\r\nContact: <sip:+999100000002@192.0.2.10:5060>\r\n\
             Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE\r\nServer: {server}\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let room = BYTES.saturating_sub(write("").len());
    let message = write(&"s".repeat(room)).into_bytes();
    assert_eq!(message.len(), BYTES, "the message of the measurement");
    message
}

/// Nanoseconds of one.
#[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
fn time(work: impl Fn() -> Option<usize>) -> f64 {
    let since = Instant::now();
    for _ in 0..PER_ROUND {
        black_box(work());
    }
    since.elapsed().as_nanos() as f64 / f64::from(PER_ROUND)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
