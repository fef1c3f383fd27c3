//! A SIP message as spans over the datagram it came in: nothing is copied, nothing is decoded, nothing is allocated.

use super::addr::NameAddr;
use super::bytes::{find, number, split_list, trim};
use super::header::Name;
use super::method::Method;
use super::via::Via;

/// Datagrams are at most this long; offsets are `u16`.
pub const MAX_BYTES: usize = 65_535;
/// More header lines than this and the message is refused.
pub const MAX_HEADERS: usize = 128;
/// RFC 3261 §8.1.1.5.
pub const MAX_CSEQ: u32 = (1 << 31) - 1;

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// `version_ok` is false for anything but SIP/2.0; the method is judged later, so that it can get 501.
    Request {
        method: Method,
        name: &'a [u8],
        uri: &'a [u8],
        version: Version,
    },
    Status {
        code: u16,
        reason: &'a [u8],
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Sip2,
    /// A SIP version that is not ours: 505.
    OtherSip,
    /// Not a version at all: 400.
    Garbage,
}

/// Why there is nothing to answer to. The datagram is dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("keep-alive")]
    KeepAlive,
    #[error("longer than 65535 bytes")]
    TooLong,
    #[error("more than 128 header lines")]
    TooManyHeaders,
    #[error("no SIP start line")]
    StartLine,
}

/// Why the length of the body is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    #[error("Content-Length is not a number")]
    NotANumber,
    #[error("Content-Length values differ")]
    Several,
    #[error("Content-Length is larger than the datagram")]
    TooLarge,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    name: Name,
    name_start: u16,
    start: u16,
    end: u16,
}

/// One message. Methods return raw values as they stand in the datagram, folds and all.
#[derive(Debug)]
pub struct Message<'a> {
    raw: &'a [u8],
    pub start: Start<'a>,
    /// Octets past Content-Length are gone; without Content-Length it is the rest of the datagram (RFC 3261 §18.3).
    pub body: Result<&'a [u8], BadBody>,
    /// A header line without a colon, or no empty line at the end. An INVITE gets 400; all else is used all the same.
    pub ragged: bool,
    count: usize,
    headers: [Header; MAX_HEADERS],
    /// Read at once, for it is asked for several times.
    top_via: Option<Via<'a>>,
}

impl<'a> Message<'a> {
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Unreadable> {
        if datagram.len() > MAX_BYTES {
            return Err(Unreadable::TooLong);
        }
        let lead = datagram.iter().take_while(|b| matches!(b, b'\r' | b'\n' | 0)).count();
        let raw = datagram.get(lead..).unwrap_or(&[]);
        if raw.is_empty() {
            return Err(Unreadable::KeepAlive);
        }
        let line_end = find(raw, b'\n').ok_or(Unreadable::StartLine)?;
        let start = start_line(strip_cr(raw.get(..line_end).unwrap_or(&[]))).ok_or(Unreadable::StartLine)?;
        let none = Header { name: Name::Other, name_start: 0, start: 0, end: 0 };
        let headers = [none; MAX_HEADERS];
        let mut message = Self { raw, start, body: Ok(&[]), ragged: false, count: 0, headers, top_via: None };
        let body_at = message.headers_from(line_end + 1)?;
        message.body = message.frame(raw.get(body_at..).unwrap_or(&[]));
        message.top_via = message.get(Name::Via).and_then(Via::parse);
        Ok(message)
    }

    /// The first value of a header, trimmed.
    pub fn get(&self, name: Name) -> Option<&'a [u8]> {
        self.lines().find(|h| h.name == name).map(|h| self.value(h))
    }

    /// Every line of a header, in order; a line may hold several values.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'a [u8]> {
        self.lines().filter(move |h| h.name == name).map(|h| self.value(h))
    }

    /// Every value of a header whose values are separated by commas.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &'a [u8]> {
        self.all(name).flat_map(|line| split_list(line, b','))
    }

    /// The first value of a header that nobody reads often enough to have a `Name`.
    pub fn named(&self, name: &[u8]) -> Option<&'a [u8]> {
        let kind = Name::parse(name);
        let mut alike = self.lines().filter(|h| h.name == kind);
        alike.find(|h| self.name_of(*h).eq_ignore_ascii_case(name)).map(|h| self.value(h))
    }

    /// Every line, in order: which header it is, its name as it stands there, and its value.
    pub fn headers(&self) -> impl Iterator<Item = (Name, &'a [u8], &'a [u8])> {
        self.lines().map(|h| (h.name, self.name_of(h), self.value(h)))
    }

    pub fn count_of(&self, name: Name) -> usize {
        self.lines().filter(|h| h.name == name).count()
    }

    /// Number and method. `None` where it is missing, malformed or past 2³¹−1.
    pub fn cseq(&self) -> Option<(u32, Method)> {
        let value = self.get(Name::CSeq)?;
        let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
        let (head, tail) = value.split_at_checked(digits)?;
        let method = trim(tail);
        (tail.len() > method.len() && !method.is_empty()).then_some(())?;
        Some((number(head, MAX_CSEQ)?, Method::parse(method)))
    }

    /// The method's name in CSeq, for comparison with a start line whose method we do not know.
    pub fn cseq_method_name(&self) -> Option<&'a [u8]> {
        let value = self.get(Name::CSeq)?;
        value.get(value.iter().take_while(|b| b.is_ascii_digit()).count()..).map(trim)
    }

    pub fn top_via(&self) -> Option<Via<'a>> {
        self.top_via
    }

    pub fn from(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.get(Name::From)?)
    }

    pub fn to(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.get(Name::To)?)
    }

    pub fn contact(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.list(Name::Contact).next()?)
    }

    /// Cause of the first `Reason: Q.850;cause=N` (RFC 3326).
    pub fn q850(&self) -> Option<u8> {
        self.list(Name::Reason).find_map(|one| {
            let (protocol, params) = super::bytes::split_once(one, b';')?;
            trim(protocol).eq_ignore_ascii_case(b"Q.850").then_some(())?;
            number(super::bytes::param(params, b"cause")?, 127).map(|cause| cause as u8)
        })
    }

    /// A comma-separated header of tokens names this one.
    pub fn lists(&self, name: Name, token: &[u8]) -> bool {
        self.list(name).any(|one| one.eq_ignore_ascii_case(token))
    }

    /// Seconds of Retry-After, without its comment and parameters (RFC 3261 §20.33).
    pub fn retry_after_s(&self) -> Option<u32> {
        let value = self.get(Name::RetryAfter)?;
        number(value.get(..value.iter().take_while(|b| b.is_ascii_digit()).count())?, u32::MAX)
    }

    /// What Content-Length says, whatever came behind the headers.
    pub fn content_length(&self) -> Result<Option<usize>, BadBody> {
        let mut lengths = self.all(Name::ContentLength);
        let Some(first) = lengths.next() else { return Ok(None) };
        if lengths.any(|other| other != first) {
            return Err(BadBody::Several);
        }
        number(first, u32::MAX).map(|length| Some(length as usize)).ok_or(BadBody::NotANumber)
    }

    /// The media type of the body without parameters, or empty.
    pub fn content_type(&self) -> &'a [u8] {
        let value = self.get(Name::ContentType).unwrap_or(&[]);
        trim(super::bytes::split_once(value, b';').map_or(value, |(kind, _)| kind))
    }

    fn lines(&self) -> impl Iterator<Item = Header> {
        self.headers.iter().take(self.count).copied()
    }

    fn value(&self, header: Header) -> &'a [u8] {
        self.raw.get(usize::from(header.start)..usize::from(header.end)).unwrap_or(&[])
    }

    fn name_of(&self, header: Header) -> &'a [u8] {
        let start = usize::from(header.name_start);
        let rest = self.raw.get(start..usize::from(header.start)).unwrap_or(&[]);
        trim(rest.get(..find(rest, b':').unwrap_or(rest.len())).unwrap_or(&[]))
    }

    /// Indexes the header lines from `at` and returns where the body starts.
    fn headers_from(&mut self, mut at: usize) -> Result<usize, Unreadable> {
        loop {
            let rest = self.raw.get(at..).unwrap_or(&[]);
            match rest {
                [b'\n', ..] => return Ok(at + 1),
                [b'\r', b'\n', ..] => return Ok(at + 2),
                [] => {
                    self.ragged = true;
                    return Ok(at);
                }
                _ => {}
            }
            let end = line_len(rest);
            let line = rest.get(..end).unwrap_or(rest);
            match find(line, b':') {
                Some(colon) if colon > 0 => self.push(at, colon, line)?,
                _ => self.ragged = true,
            }
            at += end;
        }
    }

    fn push(&mut self, at: usize, colon: usize, line: &[u8]) -> Result<(), Unreadable> {
        let slot = self.headers.get_mut(self.count).ok_or(Unreadable::TooManyHeaders)?;
        let name = Name::parse(super::bytes::trim_end(line.get(..colon).unwrap_or(&[])));
        let value = super::bytes::trim_end(line.get(colon + 1..).unwrap_or(&[]));
        let lead = value.len() - super::bytes::trim_start(value).len();
        let start = at + colon + 1 + lead;
        let place = |n: usize| u16::try_from(n).map_err(|_| Unreadable::TooLong);
        *slot = Header { name, name_start: place(at)?, start: place(start)?, end: place(start + value.len() - lead)? };
        self.count += 1;
        Ok(())
    }

    fn frame(&self, rest: &'a [u8]) -> Result<&'a [u8], BadBody> {
        match self.content_length()? {
            Some(length) => rest.get(..length).ok_or(BadBody::TooLarge),
            // Line ends behind the headers are no body.
            None if rest.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) => Ok(&[]),
            None => Ok(rest),
        }
    }
}

/// Length of a header line with its folds and its line end (RFC 3261 §7.3.1).
fn line_len(rest: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let tail = rest.get(end..).unwrap_or(&[]);
        let Some(lf) = find(tail, b'\n') else { return rest.len() };
        end += lf + 1;
        if !matches!(rest.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

fn strip_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `None` where the line is neither a request nor a response: nobody could be answered.
fn start_line(line: &[u8]) -> Option<Start<'_>> {
    if let Some((head, rest)) = line.split_at_checked(8)
        && head.eq_ignore_ascii_case(b"SIP/2.0 ")
    {
        let (digits, reason) = rest.split_at_checked(3)?;
        matches!(reason.first(), None | Some(b' ')).then_some(())?;
        let code = number(digits, 699).filter(|&code| code >= 100)?;
        return Some(Start::Status { code: code as u16, reason: reason.get(1..).unwrap_or(&[]) });
    }
    let first = find(line, b' ')?;
    let last = line.iter().rposition(|&b| b == b' ').filter(|&at| at > first)?;
    let (name, uri, version) = (line.get(..first)?, line.get(first + 1..last)?, line.get(last + 1..)?);
    if name.is_empty() || !name.iter().all(|&b| super::bytes::is_token(b)) {
        return None;
    }
    let version = match version.split_at_checked(4) {
        _ if version.eq_ignore_ascii_case(b"SIP/2.0") => Version::Sip2,
        Some((head, _)) if head.eq_ignore_ascii_case(b"SIP/") => Version::OtherSip,
        _ => Version::Garbage,
    };
    Some(Start::Request { method: Method::parse(name), name, uri, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx;rport=5060\r\n\
        f: <sip:+999100000001@127.0.0.1>;tag=a\r\nTo : <sip:+999100000002@127.0.0.1>\r\n ;tag=b\r\ni: c1\r\n\
        CSeq: 1\r\n\tINVITE\r\nServer: \xb2\xe2\xca\xd4\r\nReason: SIP;cause=200, Q.850 ;cause=16;text=\"x\"\r\n\
        Content-Length: 2\r\n\r\nabEXTRA";

    #[test]
    fn compact_folded_and_gbk_headers_are_read_as_they_stand() {
        let message = Message::parse(OK).unwrap();
        assert_eq!(message.start, Start::Status { code: 200, reason: b"OK" });
        assert_eq!(message.cseq(), Some((1, Method::Invite)));
        assert_eq!(message.get(Name::CallId), Some(&b"c1"[..]));
        assert_eq!(message.to().unwrap().tag(), Some(&b"b"[..]));
        assert_eq!(message.named(b"server"), Some(&b"\xb2\xe2\xca\xd4"[..]));
        assert_eq!(message.q850(), Some(16));
        assert_eq!(message.body, Ok(&b"ab"[..]));
        assert!(!message.ragged);
    }

    #[test]
    fn without_content_length_the_body_is_the_rest_of_the_datagram() {
        let message = Message::parse(b"\r\n\r\nSIP/2.0 200\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n").unwrap();
        assert_eq!(message.body, Ok(&b"v=0\r\n"[..]));
    }

    #[test]
    fn a_length_that_lies_is_an_error_of_the_body_and_not_of_the_headers() {
        for (length, error) in
            [("9999", BadBody::TooLarge), ("-1", BadBody::NotANumber), ("1\r\nl: 2", BadBody::Several)]
        {
            let text = format!("SIP/2.0 200 OK\r\nContent-Length: {length}\r\nCSeq: 7 BYE\r\n\r\nabc");
            let message = Message::parse(text.as_bytes()).unwrap();
            assert_eq!(message.body, Err(error));
            assert_eq!(message.cseq(), Some((7, Method::Bye)));
        }
    }

    #[test]
    fn keep_alives_and_bounds_are_refused_before_anything_else() {
        assert_eq!(Message::parse(b"\r\n\r\n").err(), Some(Unreadable::KeepAlive));
        assert_eq!(Message::parse(&[0; 4]).err(), Some(Unreadable::KeepAlive));
        assert_eq!(Message::parse(&vec![b'a'; 65_536]).err(), Some(Unreadable::TooLong));
        let many = format!("SIP/2.0 200 OK\r\n{}\r\n", "a: b\r\n".repeat(129));
        assert_eq!(Message::parse(many.as_bytes()).err(), Some(Unreadable::TooManyHeaders));
        for bad in [&b"hello"[..], b"SIP/2.0 4294967301 x\r\n\r\n", b"SIP/2.0 99 x\r\n\r\n", b"INVITE\r\n\r\n"] {
            assert_eq!(Message::parse(bad).err(), Some(Unreadable::StartLine));
        }
    }
}
