//! Builds messages into a buffer that is used again and again.

use std::net::SocketAddr;

use super::bytes::{push_addr, push_number, push_value, split_once, trim_end};
use super::header::Name;
use super::ids::Branch;
use super::message::Message;
use super::method::Method;
use super::target::Target;

/// What we serve; goes into Allow. Only the far end of trials is itself transferred.
pub const fn allow(server: bool) -> &'static [u8] {
    if server {
        b"INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY, REFER"
    } else {
        b"INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY"
    }
}

/// Extensions that we understand as a caller: reliable provisional answers (RFC 3262) and session timers (RFC 4028).
pub const SUPPORTED: &[u8] = b"100rel, timer";

/// One message under way. Nothing is checked here: values come from the machine or verbatim from the peer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Starts a request: start line, our Via, Max-Forwards.
    pub fn request(out: &'a mut Vec<u8>, method: Method, uri: &[u8], local: Target, branch: &Branch) -> Self {
        out.clear();
        let mut writer = Self { out };
        writer.raw(method.name().as_bytes()).raw(b" ").raw(uri).raw(b" SIP/2.0\r\nVia: SIP/2.0/");
        writer
            .raw(local.transport.name().as_bytes())
            .raw(b" ")
            .addr(local.addr)
            .raw(b";rport;branch=")
            .raw(branch)
            .raw(b"\r\nMax-Forwards: 70\r\n");
        writer
    }

    /// Goes on where somebody else stopped.
    pub fn append(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Starts a response: status line, and Via, From, To, Call-ID, CSeq as they came. `to_tag` is added where To has none.
    pub fn response(
        out: &'a mut Vec<u8>,
        request: &Message<'_>,
        status: u16,
        to_tag: &[u8],
        source: SocketAddr,
    ) -> Self {
        out.clear();
        let mut writer = Self { out };
        writer.raw(b"SIP/2.0 ").number(u64::from(status)).raw(b" ").raw(phrase(status).as_bytes()).raw(b"\r\n");
        for (index, line) in request.all(Name::Via).filter(|line| !line.is_empty()).enumerate() {
            writer.raw(b"Via: ");
            match super::via::Via::parse(line).filter(|_| index == 0) {
                Some(via) => via.write_reply(line, source, writer.out),
                None => push_value(line, writer.out),
            }
            writer.raw(b"\r\n");
        }
        writer.header("From", request.get(Name::From).unwrap_or(&[]));
        if let Some(to) = request.get(Name::To).filter(|to| !to.is_empty()) {
            writer.raw(b"To: ").value(to);
            let tagged = request.to().is_none_or(|to| to.tag().is_some());
            if !tagged && !to_tag.is_empty() {
                writer.raw(b";tag=").raw(to_tag);
            }
            writer.raw(b"\r\n");
        }
        writer.header("Call-ID", request.get(Name::CallId).unwrap_or(&[]));
        writer.header("CSeq", request.get(Name::CSeq).unwrap_or(&[]));
        writer
    }

    /// A header line; an empty value writes nothing.
    pub fn header(&mut self, name: &str, value: &[u8]) -> &mut Self {
        if value.is_empty() {
            return self;
        }
        self.raw(name.as_bytes()).raw(b": ").value(value).raw(b"\r\n")
    }

    /// A header line with a number.
    pub fn number_header(&mut self, name: &str, value: u32) -> &mut Self {
        self.raw(name.as_bytes()).raw(b": ").number(u64::from(value)).raw(b"\r\n")
    }

    pub fn cseq(&mut self, number: u32, method: Method) -> &mut Self {
        self.raw(b"CSeq: ").number(u64::from(number)).raw(b" ").raw(method.name().as_bytes()).raw(b"\r\n")
    }

    /// Our Contact. The user part is not a number: the peer only needs the address.
    pub fn contact(&mut self, local: Target) -> &mut Self {
        self.raw(b"Contact: <sip:goldenhour@");
        local.write_uri_tail(self.out);
        self.raw(b">\r\n")
    }

    /// Every line of a header of the peer's, verbatim.
    pub fn echo(&mut self, name: &str, request: &Message<'_>, which: Name) -> &mut Self {
        for value in request.all(which) {
            self.header(name, value);
        }
        self
    }

    /// Without the folds it may have had.
    pub fn value(&mut self, value: &[u8]) -> &mut Self {
        push_value(value, self.out);
        self
    }

    /// Whatever `write` appends.
    pub fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        write(self.out);
        self
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Ends the message without a body.
    pub fn end(&mut self) {
        self.raw(b"Content-Length: 0\r\n\r\n");
    }

    /// Ends the message with a body that `write` appends. The length is filled in afterwards.
    pub fn body(&mut self, content_type: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.header("Content-Type", content_type.as_bytes());
        self.raw(b"Content-Length:      \r\n\r\n");
        let start = self.out.len();
        write(self.out);
        let mut length = self.out.len() - start;
        // Right-aligned in the five blanks before the two line ends; 65535 has five digits.
        for at in (start.saturating_sub(9)..start.saturating_sub(4)).rev() {
            if let Some(slot) = self.out.get_mut(at) {
                *slot = b'0' + (length % 10) as u8;
            }
            length /= 10;
            if length == 0 {
                break;
            }
        }
    }

    pub fn addr(&mut self, addr: SocketAddr) -> &mut Self {
        push_addr(addr, self.out);
        self
    }

    fn number(&mut self, value: u64) -> &mut Self {
        push_number(value, self.out);
        self
    }
}

/// The value of a header in a message that a `Writer` made: its name reads as it was written, and nothing is folded. Empty
/// where there is none.
pub fn written<'a>(message: &'a [u8], name: &str) -> &'a [u8] {
    let mut rest = message;
    while let Some((line, tail)) = split_once(rest, b'\n').filter(|(line, _)| *line != b"\r") {
        if let Some(value) = line.strip_prefix(name.as_bytes()).and_then(|value| value.strip_prefix(b": ")) {
            return trim_end(value);
        }
        rest = tail;
    }
    &[]
}

/// Ends a message that has no more headers and no body.
pub fn no_body(writer: &mut Writer<'_>) {
    writer.end();
}

/// Reason phrase (RFC 3261 §21). Meant for people; codes we never send have none.
pub const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut out = vec![1, 2, 3];
        let local = Target::udp("127.0.0.1:5060".parse().unwrap());
        let mut writer = Writer::request(&mut out, Method::Invite, b"sip:+999100000001@127.0.0.1", local, &[b'z'; 31]);
        writer.header("Call-ID", b"c").header("Empty", b"").cseq(1, Method::Invite).contact(local);
        writer.body("application/sdp", |out| out.extend_from_slice(&[&b"\r\na: b\r\n"[..], &[b'x'; 313]].concat()));
        let message = Message::parse(&out).unwrap();
        assert_eq!(message.body.unwrap().len(), 321);
        assert_eq!(message.get(Name::ContentLength), Some(&b"321"[..]));
        assert_eq!(message.named(b"Empty"), None);
        assert_eq!(message.contact().unwrap().uri, b"sip:goldenhour@127.0.0.1:5060");
        for (name, value) in [("Call-ID", "c"), ("Call", ""), ("CSeq", "1 INVITE"), ("a", "")] {
            assert_eq!(written(&out, name), value.as_bytes(), "{name}");
        }
    }

    #[test]
    fn a_response_echoes_every_byte_of_the_peer_and_adds_the_tag_once() {
        let request = b"BYE sip:a SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nVia: \xb2\xe2\r\nf: \"\xb2\xe2\" <sip:a@h>;tag=1\r\n\
            t: <sip:b@h>\r\ni: x\r\nCSeq: 7   BYE\r\n\r\n";
        let message = Message::parse(request).unwrap();
        let mut out = Vec::new();
        Writer::response(&mut out, &message, 200, b"tt", "127.0.0.1:9".parse().unwrap()).end();
        let want = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;received=127.0.0.1\r\nVia: \xb2\xe2\r\n\
            From: \"\xb2\xe2\" <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=tt\r\nCall-ID: x\r\nCSeq: 7   BYE\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(out, want);
    }
}
