//! Debugging of one call: `goldenhour explain --attempt` beside the real daemon, for calls that ended, that ring, and that a
//! crash cut off.

use std::fs;

use serde_json::Value;

use crate::daemon::{Setup, Site, until};
use crate::trial::{self, Trial};

/// Digits that no mask shows.
const HIDDEN: &str = "2718281";

fn site(traces: &str) -> Site {
    let site = Site::new(&Setup { drain_s: 1, ..Setup::default() });
    let config = fs::read_to_string(site.path("goldenhour.yaml")).unwrap();
    site.write("goldenhour.yaml", &format!("{config}{traces}"));
    Trial { ring_s: 20, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\nk-1,+999{HIDDEN}82,Asia/Shanghai,0.9,1\n", trial::HEADER));
    site.import("trial", &site.path("list.csv"));
    site
}

fn attempt(site: &Site) -> String {
    let [[id]] = &site.texts::<1>("SELECT lower(hex(id)) FROM attempt")[..] else { panic!("one attempt was expected") };
    id.clone()
}

fn ladder(site: &Site, attempt: &str) -> Value {
    serde_json::from_str(&site.run("explain", &["--attempt", attempt, "--json"])).unwrap()
}

/// Direction and first word of each message, and the method or status behind it.
fn rungs(report: &Value) -> Vec<String> {
    let rungs = report["ladder"].as_array().unwrap();
    let shown = rungs.iter().map(|rung| {
        let word = rung["start"].as_str().unwrap().split(' ').next().unwrap();
        format!("{} {word}", rung["direction"].as_str().unwrap())
    });
    shown.collect()
}

/// These, in this order, perhaps with others between them.
fn in_order(said: &[String], wanted: &[&str]) -> bool {
    let mut said = said.iter();
    wanted.iter().all(|want| said.any(|one| one == want))
}

#[test]
fn an_answered_call_is_told_from_invite_to_bye_and_names_nobody() {
    let site = site("");
    let _far = site.far_end(&trial::town(100, r#"{ "1": 100% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    until("the call is over", || site.number("SELECT count(*) FROM outcome") == 1);
    let attempt = attempt(&site);
    let whole = ["out INVITE", "in 100", "in 180", "in 200", "out ACK", "out BYE", "in 200"];
    until("the trace is whole", || in_order(&rungs(&ladder(&site, &attempt)), &whole));
    let report = ladder(&site, &attempt);
    assert_eq!(report["number"], "+9992****8182", "as the house masks it");
    assert!(report["outcome"]["media"]["codec"].is_string(), "{report}");
    let text = site.run("explain", &["--attempt", &attempt]);
    for shown in [
        "->  INVITE sip:+9992****8182@127.0.0.1",
        "CSeq 1 INVITE, udp 127.0.0.1:",
        "SDP: audio 127.0.0.1:",
        "PCMA,PCMU,telephone-event sendrecv RTP/AVP",
        "<-  180 Ringing",
        "To-tag: ",
        "->  BYE",
    ] {
        assert!(text.contains(shown), "{shown} is not in\n{text}");
    }
    for entry in fs::read_dir(site.path("var/goldenhour.traces")).unwrap() {
        let kept = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!kept.contains(HIDDEN) && !text.contains(HIDDEN), "{kept}");
        assert!(kept.contains("INVITE"), "{kept}");
    }
    daemon.stop();
}

#[test]
fn a_call_that_a_crash_cut_off_keeps_its_ladder_and_the_cancel_of_the_next_start_joins_it() {
    let site = site("");
    let _far = site.far_end(&trial::town(0, r#"{ "1": 0% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    let rings = ["out INVITE", "in 100", "in 180"];
    until("it rings", || site.count_witnessed("invite") == 1);
    let attempt = attempt(&site);
    until("it is told while it rings", || in_order(&rungs(&ladder(&site, &attempt)), &rings));
    assert!(site.run("explain", &["--attempt", &attempt]).contains("under way"));
    daemon.kill();
    assert!(in_order(&rungs(&ladder(&site, &attempt)), &rings));
    let daemon = site.serve(&[]);
    let ended = ["out INVITE", "in 180", "out CANCEL", "in 200"];
    until("the CANCEL is told", || in_order(&rungs(&ladder(&site, &attempt)), &ended));
    daemon.stop();
}

#[test]
fn without_traces_the_report_says_so() {
    let site = site("traces: off\n");
    let _far = site.far_end(&trial::town(100, r#"{ "1": 100% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    until("the call is over", || site.number("SELECT count(*) FROM outcome") == 1);
    let text = site.run("explain", &["--attempt", &attempt(&site)]);
    assert!(text.contains("no SIP to show: traces are off"), "{text}");
    assert!(!site.path("var/goldenhour.traces").exists());
    daemon.stop();
}
