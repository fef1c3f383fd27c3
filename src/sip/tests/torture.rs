//! The torture messages of RFC 4475 and RFC 5118, sent by a peer, against `verdicts.tsv` beside this file: what we answer
//! on the wire, with inbound calls off as in the dialer and on as at the far end. The messages themselves, and the
//! verdicts that others reached on them, are read where they are at hand.

use std::path::{Path, PathBuf};

use super::answers::assert_answer;
use super::*;
use crate::sip::message::Start;
use crate::sip::sdp::Session;
use crate::sip::uri::Uri;

/// One line of our table. `None` is silence; 100 is an INVITE that was taken up.
struct Verdict {
    file: &'static str,
    rfc: &'static str,
    dialer: Option<u16>,
    far_end: Option<u16>,
}

fn table() -> Vec<Verdict> {
    let line = |line: &'static str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, rfc, _, dialer, far_end, why] = columns[..] else { panic!("{line}") };
        assert!(!why.is_empty(), "{line}");
        let status = |text: &str| (text != "-").then(|| text.parse().unwrap());
        Verdict { file, rfc, dialer: status(dialer), far_end: status(far_end) }
    };
    include_str!("verdicts.tsv").lines().skip(1).map(line).collect()
}

fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../shared/sip/torture", "../../shared/sip/torture"];
    let found = places.iter().map(|place| root.join(place)).find(|place| place.join("verdicts.tsv").is_file());
    if found.is_none() {
        println!("not here: the torture messages of RFC 4475 and RFC 5118");
    }
    found
}

fn read(folder: &Path, rfc: &str, file: &str) -> Vec<u8> {
    if rfc == "4475" {
        return std::fs::read(folder.join("rfc4475").join(format!("{file}.dat"))).unwrap();
    }
    // Stored with bare line ends and without the empty line where there is no body.
    let mut text = std::fs::read_to_string(folder.join("rfc5118").join(file)).unwrap().replace("\r\n", "\n");
    if !text.contains("\n\n") {
        text.push('\n');
    }
    let mut bytes = text.replace('\n', "\r\n").into_bytes();
    // The Content-Length of these files counts what an editor has changed since.
    if let Some(at) = bytes.windows(16).position(|w| w == b"Content-Length: ") {
        bytes[at] = b'X';
    }
    bytes
}

/// The status on the wire, and everything that came out.
fn answer(bytes: &[u8], server: bool) -> (Option<u16>, Solo) {
    let mut settings = config(US, GW);
    settings.server = server;
    let mut solo = Solo::new(settings);
    solo.feed(bytes);
    assert!(solo.sent.len() <= 1, "one answer to one message");
    let status = solo.sent.first().map(|sent| {
        assert_answer(bytes, sent);
        let Start::Status { code, .. } = Message::parse(sent).unwrap().start else { panic!("a request of ours") };
        code
    });
    (status, solo)
}

/// Whether the verdict of others leaves room for this answer.
fn fits(file: &str, verdict: &str, answer: Option<u16>) -> bool {
    let words = verdict.split(|c: char| !c.is_ascii_alphanumeric());
    let statuses: Vec<u16> = words.filter_map(|word| word.parse().ok()).filter(|n| (400..506).contains(n)).collect();
    match (file, answer) {
        // "may drop", "or ignore Date", "as usual (a proxy would 483)", "or RFC 2543 matching"; `test` has no verdict.
        ("badinv01", None) | ("baddate" | "zeromf" | "badbranch" | "test", _) => true,
        (_, None) => verdict.starts_with("DISCARD") || verdict.starts_with("ACCEPT response"),
        (_, Some(status)) if statuses.is_empty() => {
            verdict.starts_with("ACCEPT") && matches!(status, 100 | 200 | 405 | 480 | 481 | 501)
        }
        (_, Some(status)) => statuses.contains(&status),
    }
}

#[test]
fn the_verdicts_leave_no_message_out() {
    let table = table();
    assert_eq!((table.iter().filter(|v| v.rfc == "4475").count(), table.len()), (50, 62));
    for verdict in &table {
        let same = verdict.dialer == verdict.far_end;
        assert!(same || (verdict.dialer, verdict.far_end) == (Some(480), Some(100)), "{}", verdict.file);
    }
}

#[test]
fn every_torture_message_gets_its_verdict_on_the_wire() {
    let Some(folder) = folder() else { return };
    let theirs = std::fs::read_to_string(folder.join("verdicts.tsv")).unwrap();
    let mut wrong = Vec::new();
    let table = table();
    for line in theirs.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, rfc, _, _, _, text] = columns[..] else { panic!("{line}") };
        let ours = table.iter().find(|ours| (ours.file, ours.rfc) == (file, rfc)).expect(file);
        let bytes = read(&folder, rfc, file);
        for (server, want) in [(false, ours.dialer), (true, ours.far_end)] {
            let (got, mut solo) = answer(&bytes, server);
            if got != want || !fits(file, text, got) {
                wrong.push(format!("{file}, far end {server}: {got:?} for {want:?}, and they say {text}"));
            }
            solo.wait(LIFE * 3);
            let left = (solo.ua.live_calls(), solo.ua.echoes());
            assert_eq!(left, (usize::from(got == Some(100)), 0), "{file}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(theirs.lines().count() - 1, table.len());
}

#[test]
fn refusals_of_torture_messages_say_what_would_be_right() {
    let Some(folder) = folder() else { return };
    for (file, line) in [
        ("bext01", "\r\nUnsupported: nothingSupportsThis\r\nUnsupported: nothingSupportsThisEither\r\n"),
        ("invut", "\r\nAccept: application/sdp\r\n"),
        ("sdp01", "\r\nAccept: application/sdp\r\n"),
        ("intmeth", "\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS,"),
        ("mpart01", "\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS,"),
    ] {
        let (_, solo) = answer(&read(&folder, "4475", file), false);
        let text = String::from_utf8_lossy(&solo.sent[0]).into_owned();
        assert!(text.contains(line) && !text.contains("noProxiesSupportThis"), "{file}: {text}");
    }
}

#[test]
fn the_details_of_the_torture_messages_come_out() {
    let Some(folder) = folder() else { return };
    let uri_of = |bytes: &[u8]| match Message::parse(bytes).unwrap().start {
        Start::Request { uri, .. } => uri.to_vec(),
        Start::Status { .. } => Vec::new(),
    };
    let semiuri = uri_of(&read(&folder, "4475", "semiuri"));
    assert_eq!(Uri::parse(&semiuri).unwrap().user, b"user;par=u%40example.net");
    let ambiguous = uri_of(&read(&folder, "5118", "port-ambiguous"));
    assert_eq!(Uri::parse(&ambiguous).unwrap().port, None);
    let clear = uri_of(&read(&folder, "5118", "port-unambiguous"));
    assert_eq!(Uri::parse(&clear).unwrap().port, Some(5070));
    let dblreq = read(&folder, "4475", "dblreq");
    assert_eq!(Message::parse(&dblreq).unwrap().body, Ok(&[][..]));
    let mixed = read(&folder, "5118", "mult-ip-in-sdp");
    let session = Session::parse(Message::parse(&mixed).unwrap().body.unwrap()).unwrap();
    assert_eq!(session.agree(false).unwrap().remote, addr("192.0.2.1:22334"));
    let wsinv = read(&folder, "4475", "wsinv");
    let message = Message::parse(&wsinv).unwrap();
    assert_eq!(message.to().unwrap().tag(), Some(&b"1918181833n"[..]));
    assert_eq!(message.top_via().unwrap().host, b"192.0.2.2");
    assert_eq!(message.cseq(), Some((9, method::Method::Invite)));
    let unreason = read(&folder, "4475", "unreason");
    let Start::Status { code: 200, reason } = Message::parse(&unreason).unwrap().start else { panic!() };
    assert!(std::str::from_utf8(reason).unwrap().starts_with("= 2**3 * 5**2 но сто"));
}
