//! What is kept of a message for whoever debugs a call later: what a telephony engineer asks for, and no person's number.
//!
//! A message is not masked but summed up: only what is named here is read from it, so that a header nobody thought of
//! cannot bring a number along.

mod mask;
mod media;

use crate::base::{AttemptId, push_hex};

use super::addr::NameAddr;
use super::bytes::{fingerprint, number, param, split_list, split_once, trim};
use super::header::Name;
use super::ids::attempt_of;
use super::message::{Message, Start};
use super::method::Method;

/// Between the fields of a note; in none of them.
pub const SEPARATOR: char = '\t';
/// First bytes of a tag: enough to tell two forks apart.
const TAG_SHOWN: usize = 8;
/// Headers of one message that are kept.
const NOTES: usize = 16;

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
    push_hex(&((all ^ all >> 32) as u32).to_be_bytes(), out);
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
    push_name(out, "To-tag");
    if shown.contains("****") {
        // Digits may be a number; their fingerprint still tells forks apart.
        out.push('#');
        push_hex(&(fingerprint(tag) as u32).to_be_bytes(), out);
    } else {
        out.extend(shown.chars().take(TAG_SHOWN));
    }
}

/// In the order of the message.
fn headers(message: &Message<'_>, out: &mut String) {
    let mut left = NOTES;
    for (kind, raw, value) in message.headers() {
        let Some(shown) = shown(kind, raw) else { continue };
        if left == 0 {
            return;
        }
        left -= 1;
        match shown {
            Shown::Text(name) => {
                push_name(out, name);
                mask::text(value, out);
            }
            Shown::Uri(name) => {
                push_name(out, name);
                match NameAddr::parse(split_list(value, b',').next().unwrap_or(value)) {
                    Some(to) => mask::uri(to.uri, out),
                    None => out.push_str("unreadable"),
                }
            }
            Shown::Challenge => challenge(value, out),
            // That we answer, and not what.
            Shown::Credentials => {
                push_name(out, "credentials");
                out.push_str("yes");
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Shown {
    Text(&'static str),
    Uri(&'static str),
    Challenge,
    Credentials,
}

fn shown(kind: Name, raw: &[u8]) -> Option<Shown> {
    const KINDS: [(Name, Shown); 11] = [
        (Name::Contact, Shown::Uri("Contact")),
        (Name::Reason, Shown::Text("Reason")),
        (Name::RetryAfter, Shown::Text("Retry-After")),
        (Name::Require, Shown::Text("Require")),
        (Name::RSeq, Shown::Text("RSeq")),
        (Name::SessionExpires, Shown::Text("Session-Expires")),
        (Name::MinSe, Shown::Text("Min-SE")),
        (Name::ReferTo, Shown::Uri("Refer-To")),
        (Name::SubscriptionState, Shown::Text("Subscription-State")),
        (Name::WwwAuthenticate, Shown::Challenge),
        (Name::ProxyAuthenticate, Shown::Challenge),
    ];
    const OTHERS: [(&[u8], Shown); 7] = [
        (b"Warning", Shown::Text("Warning")),
        (b"Unsupported", Shown::Text("Unsupported")),
        (b"RAck", Shown::Text("RAck")),
        (b"Server", Shown::Text("by")),
        (b"User-Agent", Shown::Text("by")),
        (b"Authorization", Shown::Credentials),
        (b"Proxy-Authorization", Shown::Credentials),
    ];
    if kind == Name::Other {
        return OTHERS.iter().find(|(name, _)| raw.eq_ignore_ascii_case(name)).map(|(_, shown)| *shown);
    }
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, shown)| *shown)
}

/// Scheme and what it wants; a nonce says nothing to anybody.
fn challenge(value: &[u8], out: &mut String) {
    push_name(out, "asks");
    let (scheme, params) = split_once(value, b' ').unwrap_or((value, &[]));
    mask::text(scheme, out);
    for key in ["realm", "algorithm", "qop", "stale"] {
        if let Some(value) = split_list(params, b',').find_map(|one| param(one, key.as_bytes())) {
            out.push(' ');
            out.push_str(key);
            out.push('=');
            mask::text(value, out);
        }
    }
}

fn body(message: &Message<'_>, out: &mut String) {
    let body = match message.body {
        Ok([]) => return,
        Ok(body) => body,
        Err(why) => {
            push_name(out, "body");
            return out.push_str(&why.to_string());
        }
    };
    let kind = message.content_type();
    if kind.eq_ignore_ascii_case(b"application/sdp") {
        push_name(out, "SDP");
        return media::summary(body, out);
    }
    push_name(out, "body");
    mask::text(kind, out);
    // How a transfer goes on (RFC 3515 §2.4.5): a status line.
    let first = trim(split_once(body, b'\n').map_or(body, |(line, _)| line));
    if let Some(status) = first.strip_prefix(b"SIP/2.0 ")
        && status.get(..3).is_some_and(|code| number(code, 699).is_some())
    {
        out.push_str(": ");
        mask::text(status, out);
    }
}

fn push_name(out: &mut String, name: &str) {
    out.push(SEPARATOR);
    out.push_str(name);
    out.push_str(": ");
}

#[cfg(test)]
mod tests;
