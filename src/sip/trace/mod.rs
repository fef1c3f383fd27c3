//! What is kept of a message for whoever debugs a call later: what a telephony engineer asks for, and no person's number.
//!
//! A message is not masked but summed up: only what is named here is read from it, so that a header nobody thought of
//! cannot bring a number along.

mod mask;
mod media;

use crate::base::AttemptId;

use super::bytes::{fingerprint, number, param, split_list, trim};
use super::header::Name;
use super::ids::attempt_of;
use super::message::{Message, Start};
use super::method::Method;

/// Between the fields of a note; in none of them.
pub const SEPARATOR: char = '\t';
/// First bytes of a tag: enough to tell two forks apart.
const TAG_SHOWN: usize = 8;
/// Values of one header.
const VALUES: usize = 4;

/// Appends what is kept of a message: a fingerprint, which two sendings of it share, the start line, CSeq, and then
/// `name: value` for each further thing. `None`, and nothing is appended, where it belongs to no attempt.
pub fn note(bytes: &[u8], out: &mut String) -> Option<AttemptId> {
    let message = Message::parse(bytes).ok()?;
    let attempt = attempt_of(message.get(Name::CallId)?)?;
    // Heartbeats and registrations are of no attempt, whatever their Call-ID looks like.
    let of_trunk = |method| matches!(method, Method::Options | Method::Register);
    if message.cseq().is_some_and(|(_, method)| of_trunk(method)) {
        return None;
    }
    push_fingerprint(&message, out);
    start_line(&message, out);
    out.push(SEPARATOR);
    mask::text(message.get(Name::CSeq).unwrap_or(b"no CSeq"), out);
    tag(&message, out);
    headers(&message, out);
    credentials(&message, out);
    body(&message, out);
    Some(attempt)
}

fn push_fingerprint(message: &Message<'_>, out: &mut String) {
    let start = match message.start {
        Start::Request { name, .. } => fingerprint(name),
        Start::Status { code, .. } => u64::from(code),
    };
    let branch = message.top_via().and_then(|via| via.branch()).unwrap_or(&[]);
    let to_tag = message.to().and_then(|to| to.tag()).unwrap_or(&[]);
    let parts = [branch, to_tag, message.get(Name::CSeq).unwrap_or(&[]), message.get(Name::RSeq).unwrap_or(&[])];
    let all = parts.iter().fold(start, |sum, part| sum.rotate_left(7) ^ fingerprint(part));
    out.push_str(&format!("{:08x}", (all ^ all >> 32) as u32));
    out.push(SEPARATOR);
}

fn start_line(message: &Message<'_>, out: &mut String) {
    match message.start {
        Start::Request { name, uri, .. } => {
            mask::text(name, out);
            out.push(' ');
            mask::uri(uri, out);
        }
        Start::Status { code, reason } => {
            out.push_str(&code.to_string());
            out.push(' ');
            mask::text(reason, out);
        }
    }
}

fn tag(message: &Message<'_>, out: &mut String) {
    let Some(tag) = message.to().and_then(|to| to.tag()) else { return };
    let mut shown = String::new();
    mask::text(tag, &mut shown);
    name(out, "To-tag");
    if shown.contains("****") {
        // Digits may be a number; their fingerprint still tells forks apart.
        out.push_str(&format!("#{:06x}", fingerprint(tag) & 0xff_ffff));
    } else {
        out.extend(shown.chars().take(TAG_SHOWN));
    }
}

fn headers(message: &Message<'_>, out: &mut String) {
    let texts: [&[u8]; 8] =
        [b"Reason", b"Warning", b"Require", b"Unsupported", b"RSeq", b"RAck", b"Min-SE", b"Subscription-State"];
    for header in texts {
        let mut values = message.values(header).take(VALUES).peekable();
        if values.peek().is_some() {
            name(out, &String::from_utf8_lossy(header));
        }
        for (at, value) in values.enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            mask::text(value, out);
        }
    }
    for (of, shown) in [(Name::RetryAfter, "Retry-After"), (Name::SessionExpires, "Session-Expires")] {
        if let Some(value) = message.get(of) {
            name(out, shown);
            mask::text(value, out);
        }
    }
    for (of, shown) in [(Name::Contact, "Contact"), (Name::ReferTo, "Refer-To")] {
        if let Some(value) = message.get(of) {
            name(out, shown);
            match super::addr::NameAddr::parse(split_list(value, b',').next().unwrap_or(value)) {
                Some(to) => mask::uri(to.uri, out),
                None => out.push_str("unreadable"),
            }
        }
    }
    if let Some(program) = message.named(b"Server").or_else(|| message.named(b"User-Agent")) {
        name(out, "by");
        mask::text(program, out);
    }
}

/// That somebody asks who we are and that we answer; of the answer nothing.
fn credentials(message: &Message<'_>, out: &mut String) {
    for challenge in message.all(Name::WwwAuthenticate).chain(message.all(Name::ProxyAuthenticate)).take(VALUES) {
        name(out, "asks");
        let (scheme, params) = super::bytes::split_once(challenge, b' ').unwrap_or((challenge, &[]));
        mask::text(scheme, out);
        let wanted = |key: &[u8]| split_list(params, b',').find_map(|one| param(one, key));
        for key in ["realm", "algorithm", "qop", "stale"] {
            if let Some(value) = wanted(key.as_bytes()) {
                out.push(' ');
                out.push_str(key);
                out.push('=');
                mask::text(value, out);
            }
        }
    }
    if message.named(b"Authorization").or_else(|| message.named(b"Proxy-Authorization")).is_some() {
        name(out, "credentials");
        out.push_str("yes");
    }
}

fn body(message: &Message<'_>, out: &mut String) {
    let body = match message.body {
        Ok([]) => return,
        Ok(body) => body,
        Err(why) => {
            name(out, "body");
            return out.push_str(&why.to_string());
        }
    };
    let kind = message.content_type();
    if kind.eq_ignore_ascii_case(b"application/sdp") {
        name(out, "SDP");
        return media::summary(body, out);
    }
    name(out, "body");
    mask::text(kind, out);
    // How a transfer goes on (RFC 3515 §2.4.5): a status line.
    let first = trim(super::bytes::split_once(body, b'\n').map_or(body, |(line, _)| line));
    if let Some(status) = first.strip_prefix(b"SIP/2.0 ")
        && status.get(..3).is_some_and(|code| number(code, 699).is_some())
    {
        out.push_str(": ");
        mask::text(status, out);
    }
}

fn name(out: &mut String, name: &str) {
    out.push(SEPARATOR);
    out.push_str(name);
    out.push_str(": ");
}

#[cfg(test)]
mod tests;
