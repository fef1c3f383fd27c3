//! The torture messages of RFC 4475 and RFC 5118 against the verdicts that lie beside them, where they are at hand.

use std::path::{Path, PathBuf};

use super::*;
use crate::sip::message::{Start, Unreadable};
use crate::sip::sdp::Session;
use crate::sip::uri::Uri;
use crate::sip::validate::check;

fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../shared/sip/torture", "../../shared/sip/torture"];
    places.iter().map(|place| root.join(place)).find(|place| place.join("verdicts.tsv").is_file())
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

/// The status a request would get from `check`, or 200; 0 for what is dropped.
fn status(bytes: &[u8]) -> u16 {
    match Message::parse(bytes) {
        Err(Unreadable::KeepAlive | Unreadable::TooLong | Unreadable::TooManyHeaders | Unreadable::StartLine) => 0,
        Ok(message) => match message.start {
            Start::Status { .. } => {
                if message.cseq().is_some() {
                    200
                } else {
                    0
                }
            }
            Start::Request { .. } => check(&message).err().map_or(200, |refusal| refusal.status),
        },
    }
}

/// What this version does, where the verdict leaves a choice or belongs to a layer above.
fn expected(file: &str, verdict: &str) -> &'static [u16] {
    match file {
        // Dropped: not a SIP start line, or a CSeq past its range. `test` is a bare body that no section refers to.
        "bigcode" | "scalarlg" | "test" => &[0],
        // Date is not read; the rest of the message is fine.
        "baddate" => &[200],
        // Judged by the transaction layer or by who asks.
        "bcast" | "badbranch" | "regaut01" | "zeromf" => &[200],
        "badvers" => &[505],
        "unkscm" | "novelsc" => &[416],
        "bext01" => &[420],
        "invut" => &[415],
        "sdp01" => &[406],
        "mismatch02" => &[400, 501],
        _ if verdict.starts_with("ACCEPT") => &[200],
        _ => &[400],
    }
}

#[test]
fn every_torture_message_gets_its_verdict_and_none_panics() {
    let Some(folder) = folder() else {
        println!("not here: the torture messages of RFC 4475 and RFC 5118");
        return;
    };
    let table = std::fs::read_to_string(folder.join("verdicts.tsv")).unwrap();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, rfc, _, _, _, verdict] = columns[..] else { panic!("{line}") };
        let bytes = read(&folder, rfc, file);
        let got = status(&bytes);
        if !expected(file, verdict).contains(&got) {
            wrong.push(format!("{file}: {got}, but {verdict}"));
        }
        let mut settings = config(US, GW);
        settings.server = true;
        let mut solo = Solo::new(settings);
        solo.feed(&bytes);
        solo.wait(LIFE * 3);
        seen += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen, 62);
}

#[test]
fn the_details_of_the_torture_messages_come_out() {
    let Some(folder) = folder() else {
        println!("not here: the torture messages of RFC 4475 and RFC 5118");
        return;
    };
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
}
