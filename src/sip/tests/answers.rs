//! What every message of ours must be, whatever it answers: well formed, and with the peer's own bytes.

use super::*;
use crate::sip::bytes::push_value;
use crate::sip::header::Name;
use crate::sip::message::Start;

/// Lines that end in CRLF, each a header; a Content-Length that is right; a Via that can be read.
pub fn assert_well_formed(sent: &[u8]) {
    let shown = String::from_utf8_lossy(sent).into_owned();
    let message = Message::parse(sent).unwrap_or_else(|e| panic!("{e}: {shown}"));
    assert!(!message.ragged, "{shown}");
    let head = sent.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no end: {shown}"));
    let lines = sent[..head].split(|&b| b == b'\n').skip(1);
    for line in lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        let colon = line.iter().position(|&b| b == b':').unwrap_or_else(|| panic!("no header: {shown}"));
        let name = &line[..colon];
        assert!(!name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-'), "{shown}");
        assert!(line.len() > colon + 2 && !line.contains(&b'\r'), "an empty or torn line: {shown}");
    }
    assert_eq!(message.count_of(Name::ContentLength), 1, "{shown}");
    assert_eq!(message.body.map(<[u8]>::len), Ok(sent.len() - head - 4), "{shown}");
    assert!(message.top_via().is_some(), "{shown}");
    match message.start {
        Start::Status { reason, .. } => assert!(!reason.is_empty(), "{shown}"),
        // The To may be the peer's, and is its business.
        Start::Request { .. } => {
            assert!(message.from().is_some_and(|from| from.tag().is_some()) && message.cseq().is_some(), "{shown}");
            let once = [Name::From, Name::To, Name::CallId, Name::CSeq, Name::MaxForwards];
            assert!(once.iter().all(|name| message.count_of(*name) == 1), "{shown}");
        }
    }
}

/// A response of ours to this request: each of the five headers once if the request had it, and as it had it.
pub fn assert_answer(request: &[u8], sent: &[u8]) {
    assert_well_formed(sent);
    let shown = String::from_utf8_lossy(sent).into_owned();
    let (theirs, ours) = (Message::parse(request).unwrap(), Message::parse(sent).unwrap());
    assert!(matches!(ours.start, Start::Status { code: 100..=699, .. }), "{shown}");
    for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
        let mut want = Vec::new();
        push_value(theirs.get(name).unwrap_or(&[]), &mut want);
        assert_eq!(ours.count_of(name), usize::from(!want.is_empty()), "{shown}");
        let got = ours.get(name).unwrap_or(&[]);
        let tag = got.strip_prefix(&want[..]).unwrap_or_else(|| panic!("{name:?} changed: {shown}"));
        assert!(tag.is_empty() || name == Name::To && tag.starts_with(b";tag="), "{shown}");
    }
    assert!(ours.count_of(Name::Via) <= theirs.count_of(Name::Via), "{shown}");
}
