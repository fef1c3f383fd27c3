//! `goldenhour bench parse`: the hot path's reading of a 200 OK, beside rsip with the same bytes in the same run. The only
//! place of the program that uses rsip (docs/decisions/0001).

use std::hint::black_box;

use anyhow::anyhow;
use rsip::headers::ToTypedHeader as _;
use rsip::prelude::{HeadersExt as _, UntypedHeader as _};

use super::figures::{Figures, median, rounded};
use super::stopwatch::thread_cpu_ns;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;
use crate::sip::header::Name;
use crate::sip::message::{Message, Start};

/// Read one 200 OK as the hot path does, and as rsip does, in turn: CPU nanoseconds of each
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Of each parser, in turn; the medians are printed
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
}

/// The size of the message.
const BYTES: usize = 734;
/// Messages read in one round: some milliseconds of the faster one.
const PER_ROUND: u32 = 20_000;

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let message = message();
    // Both read the same things, or the times mean nothing.
    let sum = ours(&message);
    if message.len() != BYTES || sum.is_none() || sum != theirs(&message) {
        let why = "the two parsers do not read the same of the message: their times cannot be compared";
        return Err(anyhow!(why).into());
    }
    let (mut our_ns, mut rsip_ns) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        our_ns.push(cpu_ns_each(|| ours(&message)));
        rsip_ns.push(cpu_ns_each(|| theirs(&message)));
    }
    let (our_ns, rsip_ns) = (median(our_ns), median(rsip_ns));
    let mut figures = Figures::default();
    figures.set("bytes", BYTES).set("rounds", args.rounds).set("messages_per_round", PER_ROUND);
    figures.set("cpu_ns", rounded(our_ns, 0)).set("rsip_cpu_ns", rounded(rsip_ns, 0));
    figures.set("times_faster", rounded(rsip_ns / our_ns, 2));
    output::answer(args.json, &figures, None)
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

/// As a carrier answers an INVITE of ours, filled up to the size with a Server header.
fn message() -> Vec<u8> {
    let body = "v=0\r\no=- 20518 0 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 101\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
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
    write(&"s".repeat(room)).into_bytes()
}

fn cpu_ns_each(read: impl Fn() -> Option<usize>) -> f64 {
    let from = thread_cpu_ns();
    for _ in 0..PER_ROUND {
        black_box(read());
    }
    (thread_cpu_ns() - from) / f64::from(PER_ROUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::sdp::Session;

    #[test]
    fn both_parsers_read_the_same_of_a_message_of_the_size_that_is_measured() {
        let message = message();
        assert_eq!(message.len(), BYTES);
        assert!(ours(&message).is_some() && ours(&message) == theirs(&message));
        let body = Message::parse(&message).unwrap().body.unwrap();
        assert!(Session::parse(body).is_some_and(|session| session.agree(true).is_some()), "an answer to take");
    }
}
