//! What a request must fulfil before anybody looks at what it wants (RFC 3261 §8.2).

use super::addr::NameAddr;
use super::bytes::{number, split_once, trim};
use super::header::Name;
use super::message::{Message, Start, Version};
use super::method::Method;
use super::uri::{BadUri, Uri};

/// A refusal. The status says which headers explain it: Allow, Accept or Unsupported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
}

/// Checks a request in the order of §8.2. ACK is never answered, so whoever handles it only asks whether this passes.
pub fn check(request: &Message<'_>) -> Result<(), Refusal> {
    let Start::Request { method, name, uri, version } = request.start else { return refuse(400) };
    match version {
        Version::Sip2 => {}
        Version::OtherSip => return refuse(505),
        Version::Garbage => return refuse(400),
    }
    match Uri::parse(uri) {
        Ok(uri) if uri.headers.is_empty() => {}
        Ok(_) | Err(BadUri::Malformed) => return refuse(400),
        Err(BadUri::Scheme) => return refuse(416),
    }
    headers(request, method)?;
    if request.cseq().is_none() || request.cseq_method_name() != Some(name) {
        return refuse(400);
    }
    if request.body.is_err() || request.ragged && method == Method::Invite {
        return refuse(400);
    }
    // Proxy-Require speaks to proxies (§20.29), of which we are none.
    if !matches!(method, Method::Cancel | Method::Ack) && !request.list(Name::Require).all(is_understood) {
        return refuse(420);
    }
    content(request, method)
}

/// Extensions that a request may require of us: session timers (RFC 4028). Reliable answers (RFC 3262) we only take.
pub fn is_understood(tag: &[u8]) -> bool {
    tag.eq_ignore_ascii_case(b"timer")
}

const fn refuse(status: u16) -> Result<(), Refusal> {
    Err(Refusal { status })
}

fn headers(request: &Message<'_>, method: Method) -> Result<(), Refusal> {
    let once = [Name::From, Name::To, Name::CallId, Name::CSeq];
    if once.iter().any(|name| request.count_of(*name) != 1) || request.count_of(Name::MaxForwards) > 1 {
        return refuse(400);
    }
    let readable = request.top_via().is_some() && request.from().is_some() && request.to().is_some();
    let hops = request.get(Name::MaxForwards).is_none_or(|value| number(value, 255).is_some());
    // What ends or accompanies a call is taken even if it is careless about what it does not need.
    let plain = matches!(method, Method::Ack | Method::Bye | Method::Cancel | Method::Info | Method::Notify);
    let contacts = plain || request.list(Name::Contact).all(|value| value == b"*" || NameAddr::parse(value).is_some());
    if readable && hops && contacts { Ok(()) } else { refuse(400) }
}

/// A body we cannot read, or an answer they cannot (§8.2.3).
fn content(request: &Message<'_>, method: Method) -> Result<(), Refusal> {
    if !matches!(method, Method::Invite | Method::Update) {
        return Ok(());
    }
    let body = request.body.unwrap_or(&[]);
    if !body.is_empty() && !request.content_type().eq_ignore_ascii_case(b"application/sdp") {
        return refuse(415);
    }
    let takes_sdp = |range: &[u8]| {
        let range = trim(split_once(range, b';').map_or(range, |(range, _)| range));
        [&b"*/*"[..], b"application/*", b"application/sdp"].iter().any(|ours| range.eq_ignore_ascii_case(ours))
    };
    let mut ranges = request.list(Name::Accept).peekable();
    if ranges.peek().is_some() && !ranges.any(takes_sdp) {
        return refuse(406);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(change: impl Fn(&str) -> String) -> u16 {
        let good = "INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:b@h>;tag=1\r\nTo: <sip:a@h>\r\n\
            Call-ID: x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:b@h>\r\n\r\n";
        let text = change(good);
        check(&Message::parse(text.as_bytes()).unwrap()).err().map_or(200, |refusal| refusal.status)
    }

    #[test]
    fn each_fault_has_its_status() {
        assert_eq!(verdict(str::to_owned), 200);
        for (from, to, status) in [
            ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", 505),
            ("INVITE sip:", "INVITE soap:", 416),
            ("sip:a@h SIP", "sip:a@h?Route=x SIP", 400),
            ("Call-ID: x\r\n", "", 400),
            ("Call-ID: x\r\n", "Call-ID: x\r\ni: x\r\n", 400),
            ("1 INVITE", "1 OPTIONS", 400),
            ("1 INVITE", "9999999999 INVITE", 400),
            ("70", "300", 400),
            ("Contact: <sip:b@h>", "Contact: sip:b@h?x=y", 400),
            ("Contact", "Require: foo\r\nContact", 420),
            ("Contact", "Proxy-Require: foo\r\nContact", 200),
            ("Contact", "Require: timer\r\nContact", 200),
            ("Contact", "Require: timer, foo\r\nContact", 420),
            ("Contact", "Content-Length: 9\r\nContact", 400),
            ("Contact", "Accept: text/plain\r\nContact", 406),
            ("\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\nx", 415),
            ("Contact", "garbage\r\nContact", 400),
        ] {
            assert_eq!(verdict(|good| good.replacen(from, to, 1)), status, "{from} -> {to}");
        }
    }
}
