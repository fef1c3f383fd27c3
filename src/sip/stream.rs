//! Cuts a stream of bytes into messages (RFC 3261 §18.3). Where the bytes were cut on the way makes no difference.

use super::bytes::is_token;
use super::message::{BadBody, MAX_BYTES, Message, Start, Unreadable, Version};

/// The start line and the headers of one message.
pub const MAX_HEAD: usize = 16 * 1024;
/// How far we look for the end of the first line before a peer that speaks something else is told apart.
const MAX_START_LINE: usize = 2 * 1024;

/// What stands next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Message(Vec<u8>),
    /// A request whose end nobody can tell: the head alone, to be answered by 400. The stream is of no more use.
    Last(Vec<u8>, Broken),
    /// A keep-alive that wants a CRLF back (RFC 5626 §3.5.1).
    Ping,
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("what came is no SIP")]
    NotSip,
    #[error("the headers of a message are longer than 16 KiB, or more than 128")]
    HeadTooLong,
    #[error("a message is longer than 65535 bytes")]
    TooLong,
    #[error("a message has no Content-Length")]
    NoLength,
    #[error("a message's Content-Length cannot be used")]
    BadLength,
}

/// The bytes of one connection that are not messages yet. Holds at most one message and what was read behind it.
#[derive(Debug, Default)]
pub struct Framer {
    held: Vec<u8>,
    /// So far there is no end of a head.
    looked: usize,
    /// Of the message that begins `held`, once its head is known.
    length: Option<usize>,
    /// A lone line end came: with a second one it is a ping.
    half_ping: bool,
    /// We have asked, and one line end is the answer.
    pong_due: bool,
    broken: Option<Broken>,
}

impl Framer {
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.held.extend_from_slice(bytes);
        }
    }

    /// We have sent a ping: the next lone line end answers it.
    pub fn pinged(&mut self) {
        self.pong_due = true;
    }

    /// The next frame. `None`: more bytes must come. After an error, and after `Last`, nothing comes any more.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let found = self.find();
        match &found {
            Err(broken) | Ok(Some(Frame::Last(_, broken))) => self.broken = Some(*broken),
            Ok(Some(Frame::Message(_) | Frame::Ping) | None) => {}
        }
        found
    }

    fn find(&mut self) -> Result<Option<Frame>, Broken> {
        if self.length.is_none() {
            if self.skip_line_ends()? {
                return Ok(Some(Frame::Ping));
            }
            let Some(head) = self.head()? else { return Ok(None) };
            let declared = declared(self.held.get(..head).unwrap_or(&[]));
            match declared {
                Ok(body) if head + body <= MAX_BYTES => self.length = Some(head + body),
                Ok(_) => return Err(Broken::TooLong),
                Err((broken, true)) => return Ok(Some(Frame::Last(self.take(head), broken))),
                Err((broken, false)) => return Err(broken),
            }
        }
        let Some(length) = self.length.filter(|length| *length <= self.held.len()) else { return Ok(None) };
        Ok(Some(Frame::Message(self.take(length))))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.held.split_off(length.min(self.held.len()));
        self.length = None;
        self.looked = 0;
        std::mem::replace(&mut self.held, rest)
    }

    /// Line ends between messages. True for each ping.
    fn skip_line_ends(&mut self) -> Result<bool, Broken> {
        let mut at = 0;
        let mut ping = false;
        while !ping && self.held.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
            at += 2;
            if std::mem::take(&mut self.pong_due) {
                continue;
            }
            ping = std::mem::take(&mut self.half_ping);
            self.half_ping = !ping;
        }
        self.held.drain(..at);
        self.looked = self.looked.saturating_sub(at);
        if ping {
            return Ok(true);
        }
        match self.held.as_slice() {
            [] | [b'\r'] => Ok(false),
            [first, ..] if is_token(*first) => {
                self.half_ping = false;
                Ok(false)
            }
            [_, ..] => Err(Broken::NotSip),
        }
    }

    /// Length of the head with its empty line, once all of it is there.
    fn head(&mut self) -> Result<Option<usize>, Broken> {
        // Three bytes back: the end may have been cut in two.
        let from = self.looked.saturating_sub(3);
        let end = self.held.get(from..).unwrap_or(&[]).windows(4).position(|four| four == b"\r\n\r\n");
        self.looked = self.held.len();
        let first_line = self.held.iter().take(MAX_START_LINE).position(|b| *b == b'\n');
        match first_line {
            Some(at) if !is_start_line(self.held.get(..=at).unwrap_or(&[])) => return Err(Broken::NotSip),
            None if self.held.len() >= MAX_START_LINE => return Err(Broken::NotSip),
            Some(_) | None => {}
        }
        match end.map(|at| from + at + 4) {
            Some(head) if head <= MAX_HEAD => Ok(Some(head)),
            None if self.held.len() < MAX_HEAD => Ok(None),
            Some(_) | None => Err(Broken::HeadTooLong),
        }
    }
}

/// Length of the body. With an error: could a request be answered?
fn declared(head: &[u8]) -> Result<usize, (Broken, bool)> {
    let message = match Message::parse(head) {
        Ok(message) => message,
        Err(Unreadable::TooManyHeaders | Unreadable::TooLong) => return Err((Broken::HeadTooLong, false)),
        Err(Unreadable::KeepAlive | Unreadable::StartLine) => return Err((Broken::NotSip, false)),
    };
    let is_request = matches!(message.start, Start::Request { .. });
    match message.content_length() {
        Ok(Some(length)) => Ok(length),
        Ok(None) => Err((Broken::NoLength, is_request)),
        Err(BadBody::NotANumber | BadBody::Several | BadBody::TooLarge) => Err((Broken::BadLength, is_request)),
    }
}

/// Another version of SIP is answered by 505; another protocol is not answered at all.
fn is_start_line(line: &[u8]) -> bool {
    let foreign = |start| matches!(start, Start::Request { version: Version::Garbage, .. });
    Message::parse(line).is_ok_and(|message| !foreign(message.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nl: 4\r\n\r\nv=0\n";
    const OK: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

    /// Everything that comes of these pieces, and why the stream ended if it did.
    fn frames(pieces: &[&[u8]]) -> (Vec<Frame>, Option<Broken>) {
        let mut framer = Framer::default();
        let mut all = Vec::new();
        for piece in pieces {
            framer.push(piece);
            loop {
                match framer.next_frame() {
                    Ok(Some(frame)) => all.push(frame),
                    Ok(None) => break,
                    Err(broken) => return (all, Some(broken)),
                }
            }
        }
        (all, None)
    }

    fn message(bytes: &[u8]) -> Frame {
        Frame::Message(bytes.to_vec())
    }

    #[test]
    fn a_stream_cut_at_any_two_bytes_gives_the_same_messages() {
        let stream = [b"\r\n", INVITE, b"\r\n\r\n", OK, b"\r\n", INVITE, OK, b"\r\n\r\n"].concat();
        let whole = frames(&[&stream]);
        let want = [message(INVITE), Frame::Ping, message(OK), message(INVITE), message(OK), Frame::Ping];
        assert_eq!((&whole.0[..], whole.1), (&want[..], None));
        for first in 0..stream.len() {
            for second in first..stream.len() {
                let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(frames(&pieces), whole, "cut at {first} and {second}");
            }
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(frames(&single), whole);
    }

    #[test]
    fn a_line_end_answers_our_own_ping_and_is_none_of_theirs() {
        let mut framer = Framer::default();
        framer.pinged();
        framer.push(b"\r\n");
        assert_eq!(framer.next_frame(), Ok(None));
        framer.push(b"\r\n");
        assert_eq!(framer.next_frame(), Ok(None));
        framer.push(b"\r\n");
        assert_eq!(framer.next_frame(), Ok(Some(Frame::Ping)));
    }

    #[test]
    fn a_request_without_a_length_is_the_last_one_and_a_response_closes_in_silence() {
        let request = b"BYE sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n\r\n";
        let (seen, broken) = frames(&[request, OK]);
        assert_eq!(seen, [Frame::Last(request.to_vec(), Broken::NoLength)]);
        assert_eq!(broken, Some(Broken::NoLength));
        assert_eq!(frames(&[b"SIP/2.0 200 OK\r\n\r\n"]), (vec![], Some(Broken::NoLength)));
        let lying = b"BYE sip:a@h SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n";
        assert!(matches!(frames(&[lying]).0[..], [Frame::Last(_, Broken::BadLength)]));
    }

    #[test]
    fn what_is_no_sip_ends_the_connection_as_soon_as_that_is_known() {
        let long_line = vec![b'a'; MAX_START_LINE];
        for (bytes, why) in [
            (&b"GET / HTTP/1.1\r\n"[..], Broken::NotSip),
            (b"\x16\x03\x01\x02\x00", Broken::NotSip),
            (b"\nSIP/2.0 200 OK\r\n", Broken::NotSip),
            (&long_line, Broken::NotSip),
            (b"SIP/2.0 200 OK\r\nl: 65536\r\n\r\n", Broken::TooLong),
            (b"SIP/2.0 200 OK\r\nl: -1\r\n\r\n", Broken::BadLength),
        ] {
            assert_eq!(frames(&[bytes]), (vec![], Some(why)), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_head_without_end_is_held_up_to_its_bound_and_no_further() {
        let mut framer = Framer::default();
        framer.push(b"SIP/2.0 200 OK\r\n");
        let line = [&[b'a'; 62][..], b"\r\n"].concat();
        let mut pushed = 16;
        while framer.next_frame() == Ok(None) {
            framer.push(&line);
            pushed += line.len();
        }
        assert!((MAX_HEAD..MAX_HEAD + 64).contains(&pushed), "{pushed}");
        assert_eq!(framer.next_frame(), Err(Broken::HeadTooLong));
        let many = format!("SIP/2.0 200 OK\r\n{}l: 0\r\n\r\n", "a: b\r\n".repeat(128));
        assert_eq!(frames(&[many.as_bytes()]).1, Some(Broken::HeadTooLong));
    }

    #[test]
    fn a_body_is_taken_whole_even_if_it_looks_like_a_message() {
        let body = [OK, b"\r\n\r\n"].concat();
        let outer = [format!("NOTIFY sip:a@h SIP/2.0\r\nl: {}\r\n\r\n", body.len()).as_bytes(), &body].concat();
        assert_eq!(frames(&[&outer, OK]).0, [message(&outer), message(OK)]);
    }
}
