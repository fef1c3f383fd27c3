//! `goldenhour capture` beside the real daemon: one call as a file of packets, and nobody gets it but who asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::api::{send, token};
use crate::daemon::{Daemon, Setup, Site, command, until};
use crate::trial::{self, Trial};

/// From port, to port, what it carries.
type Packet = (u16, u16, Vec<u8>);

/// Of a file between two ends of IPv4.
fn packets(file: &[u8]) -> Vec<Packet> {
    let mut rest = file.strip_prefix(&0xa1b2_c3d4_u32.to_le_bytes()[..]).expect("a capture file").get(20..).unwrap();
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let packet = &rest[16..16 + length];
        let port = |at: usize| u16::from_be_bytes(packet[at..at + 2].try_into().unwrap());
        packets.push((port(20), port(22), packet[28..].to_vec()));
        rest = &rest[16 + length..];
    }
    packets
}

/// Starts of messages, without what is RTP.
fn starts(packets: &[Packet]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let sip = packets.iter().filter_map(|(_, _, bytes)| text(bytes).filter(|text| text.contains("SIP/2.0")));
    sip.map(|text| text.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

/// The first to be called is somebody who answers.
fn site() -> Site {
    let site = Site::new(&Setup { max_cps: 20, drain_s: 1, ..Setup::default() });
    Trial { ring_s: 20, ..Trial::default() }.write(&site);
    let others =
        (2..7).map(|n| format!("k-{n},{},Asia/Shanghai,0.5,1\n", trial::number(1, n))).collect::<Vec<_>>().concat();
    site.write("list.csv", &format!("{}\nk-1,+999271828182,Asia/Shanghai,0.9,1\n{others}", trial::HEADER));
    site.import("trial", &site.path("list.csv"));
    site
}

fn capture(site: &Site, token: &str, out: &str, more: &[&str]) -> Command {
    let mut capture = command("capture", &site.path("goldenhour.yaml"));
    capture.args(["--json", "--out"]).arg(site.path(out)).args(more).env("GOLDENHOUR_TOKEN", token);
    capture.stdout(Stdio::piped()).stderr(Stdio::piped());
    capture
}

/// Nobody is dialled until it goes.
fn hold(daemon: &Daemon, token: &str, path: &str) {
    assert_eq!(send(daemon.http(), Some(token), "POST", path, None).status, 200);
}

fn is_waiting(daemon: &Daemon, token: &str) -> bool {
    send(daemon.http(), Some(token), "GET", "/api/v1/capture", None).text.contains("\"waiting\"")
}

#[test]
fn one_call_is_kept_from_invite_to_bye_with_its_sound_and_a_second_capture_is_refused() {
    let site = site();
    let _far = site.far_end(&trial::town(100, r#"{ "1": 100% }"#, ""), &[]);
    site.run("pause", &["--all"]);
    let (mine, other) = (token(&site, "operator"), token(&site, "admin"));
    let daemon = site.serve(&[]);
    let running = capture(&site, &mine, "one.pcap", &["--trunk", "gw-a", "--seconds", "60"]).spawn().unwrap();
    until("it waits", || is_waiting(&daemon, &mine));

    let refused = capture(&site, &other, "two.pcap", &["--trunk", "gw-a"]).output().unwrap();
    let said = String::from_utf8(refused.stdout).unwrap();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.contains("GH6010") && said.contains("the token `operator-1` has a capture under way"), "{said}");
    assert!(!site.path("two.pcap").exists());

    hold(&daemon, &mine, "/api/v1/resume");
    let done = running.wait_with_output().unwrap();
    let (said, warned) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{warned}"));
    assert_eq!((&report["ok"], &report["over"]), (&json!(true), &json!("call_ended")), "{report}");
    assert!(warned.contains("NOTHING in it is masked"), "{warned}");

    let path = site.path("one.pcap");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let packets = packets(&fs::read(&path).unwrap());
    assert_eq!(report["packets"], packets.len());
    let attempt = report["attempt"].as_str().unwrap();
    let starts = starts(&packets);
    let count = |word: &str| starts.iter().filter(|start| start.split(' ').next() == Some(word)).count();
    assert_eq!((count("INVITE"), count("ACK"), count("BYE")), (1, 1, 1), "{starts:?}");
    assert!(starts.first().unwrap().starts_with("INVITE") && starts.last().unwrap() == "SIP/2.0 200", "{starts:?}");
    for (_, _, bytes) in packets.iter().filter(|(_, _, bytes)| bytes.windows(7).any(|part| part == b"SIP/2.0")) {
        assert!(bytes.windows(36).any(|part| part == attempt.as_bytes()), "another call's message");
    }
    let sound: Vec<&Packet> = packets.iter().filter(|(_, _, bytes)| bytes.len() == 172 && bytes[0] == 0x80).collect();
    let ours = sound[0].0;
    let (sent, heard) =
        (sound.iter().filter(|packet| packet.0 == ours), sound.iter().filter(|packet| packet.1 == ours));
    let (sent, heard) = (sent.count(), heard.count());
    assert!(sent > 10 && heard > 10 && sent + heard == sound.len(), "{sent} sent, {heard} heard of {}", sound.len());

    let log = daemon.log();
    assert!(log.contains("handed out, unmasked") && log.contains("operator-1"), "{log}");
    let gone = send(daemon.http(), Some(&mine), "GET", "/api/v1/capture", None);
    assert_eq!(gone.status, 404, "the daemon keeps nothing: {}", gone.text);
    daemon.stop();
}

#[test]
fn a_person_is_waited_for_and_nobody_else_gets_the_file() {
    let site = site();
    let _far = site.far_end(&trial::town(0, r#"{ "1": 0% }"#, ""), &[]);
    site.run("pause", &["--all"]);
    let (mine, other) = (token(&site, "operator"), token(&site, "admin"));
    let daemon = site.serve(&[]);
    let ask = |token: &str, method: &str, path: &str, body: Option<&str>| {
        let answer = send(daemon.http(), Some(token), method, &format!("/api/v1/capture{path}"), body);
        (answer.status, serde_json::from_str::<Value>(&answer.text).unwrap_or_default())
    };
    assert_eq!(ask(&mine, "POST", "", Some(r#"{"contact": "k-99"}"#)).0, 404);
    for body in [r#"{"contact": "k-3", "trunk": "gw-a"}"#, "{}", r#"{"trunk": "gw-a", "seconds": 601}"#] {
        assert_eq!(ask(&mine, "POST", "", Some(body)).0, 400, "{body}");
    }
    let (status, began) = ask(&mine, "POST", "", Some(r#"{"contact": "k-3"}"#));
    assert_eq!((status, &began["state"]), (200, &json!("waiting")), "{began}");
    hold(&daemon, &mine, "/api/v1/resume");
    until("it records", || ask(&mine, "GET", "", None).1["packets"].as_u64() > Some(2));
    assert_eq!(ask(&mine, "GET", "/file", None).0, 409, "while the phone rings");
    let stopped = ask(&other, "POST", "/stop", None).1;
    assert_eq!((&stopped["state"], &stopped["over"]), (&json!("over"), &json!("stopped")));
    let dialled = format!("INVITE sip:{}@", trial::number(1, 3));
    let attempt = stopped["attempt"].as_str().unwrap().to_owned();
    assert_eq!(ask(&other, "GET", "/file", None).1["code"], "GH6010", "an admin is not who asked");
    assert_eq!(ask(&mine, "POST", "", Some(r#"{"trunk": "gw-a"}"#)).0, 409, "the first is not fetched yet");
    assert_eq!(ask(&other, "DELETE", "", None).1["attempt"], attempt);
    assert_eq!(ask(&mine, "GET", "/file", None).0, 404);
    assert!(!daemon.log().contains(&dialled));
    let number = site.run("explain", &["--attempt", &attempt, "--json"]);
    let shown = trial::number(1, 3);
    assert!(number.contains(&shown[shown.len() - 4..]), "the call of k-3: {number}");
    daemon.stop();
}
