//! What may leave, and what stops it, in a dialling daemon: the list of prefixes, and the kill switch of a trunk.

use std::fs;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api;
use crate::daemon::{Daemon, Setup, Site, until};
use crate::trial::{self, Trial};

/// The promise.
const IN_FORCE: Duration = Duration::from_secs(1);

/// Long after any of these tests: a ring that ends was ended.
const RING_S: u32 = 120;

#[expect(clippy::disallowed_methods, reason = "compared with the far end's own wall clock")]
fn wall() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

fn site(leads: u32) -> Site {
    let site = Site::new(&Setup { max_cps: 20, ..Setup::default() });
    Trial { ring_s: RING_S, ..Trial::default() }.write(&site);
    let rows = trial::rows(1, "Asia/Shanghai", leads);
    site.write("list.csv", &format!("{}\n{rows}", trial::HEADER));
    site.import("trial", &site.path("list.csv"));
    site
}

fn invites(site: &Site) -> usize {
    site.count_witnessed("invite")
}

fn at(line: &Value) -> Timestamp {
    line["wall"].as_str().unwrap().parse().unwrap()
}

fn invites_after(site: &Site, when: Timestamp) -> usize {
    site.witnessed("invite").iter().filter(|line| at(line) > when).count()
}

/// Half of the people talk for a while, the other half's phones ring.
fn some_talk(site: &Site) -> crate::daemon::Process {
    site.far_end(&trial::town(50, r#"{ "1": 0% }"#, ""), &[])
}

fn until_all_ended(site: &Site, daemon: &Daemon) {
    until("nothing is under way", || {
        daemon.metric("goldenhour_attempts_live", &[]) < 0.5 && site.count_witnessed("ended") == invites(site)
    });
}

#[test]
fn a_stopped_trunk_takes_no_new_call_within_a_second_and_hang_up_ends_those_under_way() {
    let site = site(2_000);
    let _far = some_talk(&site);
    let daemon = site.serve(&[]);
    until("it dials", || invites(&site) > 20);
    site.run("pause", &["--trunk", "gw-a", "--reason", "the bill is rising", "--by", "night shift"]);
    let stopped = wall();
    until("the daemon says so", || daemon.metric("goldenhour_trunk_stopped", &["gw-a"]) > 0.5);
    until("some talk or ring a second later", || wall() > stopped + IN_FORCE);
    assert_eq!(invites_after(&site, stopped + IN_FORCE), 0, "dialled over a stopped trunk");
    assert!(daemon.metric("goldenhour_attempts_live", &[]) > 0.5, "calls under way go on");

    site.run("pause", &["--trunk", "gw-a", "--hang-up", "--reason", "it rises still"]);
    let hung_up = wall();
    until_all_ended(&site, &daemon);
    let ends = site.witnessed("ended");
    assert!(ends.iter().all(|line| at(line) < hung_up + Duration::from_mins(1)), "they ended by themselves");
    assert_eq!(invites_after(&site, stopped + IN_FORCE), 0);
    assert!(daemon.log().contains("the trunk `gw-a` is stopped") && daemon.log().contains("night shift"));
    daemon.stop();

    let daemon = site.serve(&[]);
    until("it is stopped still", || daemon.metric("goldenhour_trunk_stopped", &["gw-a"]) > 0.5);
    until("every lead is read", || daemon.metric("goldenhour_leads", &["state=\"waiting\""]) > 1_000.0);
    let seen = invites(&site);
    let resumed = wall();
    site.run("resume", &["--trunk", "gw-a"]);
    until("it dials again", || invites(&site) > seen + 10);
    let before =
        site.witnessed("invite").iter().filter(|line| (stopped + IN_FORCE..resumed).contains(&at(line))).count();
    assert_eq!(before, 0, "dialled after the restart");

    site.run("pause", &["--all", "--hang-up"]);
    let everything = wall();
    until_all_ended(&site, &daemon);
    assert_eq!(invites_after(&site, everything + IN_FORCE), 0);
    let kept = site.number("SELECT count(*) FROM switch WHERE who <> '' AND reason <> '' AND at > 0");
    assert_eq!(kept, 4);
    assert_eq!(site.number("SELECT count(*) FROM switch WHERE who = 'night shift'"), 1);
    daemon.stop();
}

#[test]
fn a_trunk_is_stopped_through_the_api_by_who_may_pause() {
    let site = site(2_000);
    let _far = some_talk(&site);
    let (viewer, operator) = (api::token(&site, "viewer"), api::token(&site, "operator"));
    let daemon = site.serve(&[]);
    until("it dials", || invites(&site) > 5);
    let body = json!({ "hang_up": true, "reason": "a carrier called" }).to_string();
    let send = |token: &str, method: &str, path: &str, body: Option<&str>| {
        let answer = api::send(site.http, Some(token), method, path, body);
        (answer.status, serde_json::from_str::<Value>(&answer.text).unwrap())
    };
    assert_eq!(send(&viewer, "POST", "/api/v1/trunks/gw-a/pause", Some(&body)).0, 403);
    assert_eq!(send(&operator, "POST", "/api/v1/trunks/gw-x/pause", Some(&body)).0, 404);
    let (status, answer) = send(&operator, "POST", "/api/v1/trunks/gw-a/pause", Some(&body));
    let stopped = wall();
    assert_eq!((status, &answer["paused"], &answer["hang_up"]), (200, &json!(true), &json!(true)), "{answer}");
    until_all_ended(&site, &daemon);
    assert_eq!(invites_after(&site, stopped + IN_FORCE), 0);
    let (_, shown) = send(&viewer, "GET", "/api/v1/trunks", None);
    let trunk = &shown["trunks"][0];
    assert_eq!((&trunk["name"], &trunk["paused"]), (&json!("gw-a"), &json!(true)), "{shown}");
    assert_eq!(trunk["turned"]["reason"], "a carrier called");
    assert!(trunk["turned"]["by"].as_str().unwrap().starts_with("token "), "{shown}");
    let seen = invites(&site);
    assert_eq!(send(&operator, "POST", "/api/v1/trunks/gw-a/resume", None).0, 200);
    until("it dials again", || invites(&site) > seen);
    daemon.stop();
}

#[test]
fn numbers_outside_the_list_of_the_trunk_are_not_dialled_and_explain_says_why() {
    let site = Site::new(&Setup::default());
    let config = fs::read_to_string(site.path("goldenhour.yaml")).unwrap();
    let listed = "    allow: [\"+999\"]\n    deny: [\"+999200\"]\n    max_calls";
    site.write("goldenhour.yaml", &config.replace("    max_calls", listed));
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    let (good, bad) = (trial::rows(1, "Asia/Shanghai", 5), trial::rows(2, "Asia/Shanghai", 5));
    site.write("list.csv", &format!("{}\n{good}{bad}", trial::HEADER));
    site.import("trial", &site.path("list.csv"));
    let _far = site.far_end(&trial::town(0, r#"{ "1": 0% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    until("five are dialled", || invites(&site) == 5);
    until("five are blocked", || daemon.metric("goldenhour_leads", &["state=\"blocked\""]) > 4.5);
    until_all_ended(&site, &daemon);
    let of_list = "SELECT count(*) FROM attempt a JOIN contact c ON c.id = a.contact";
    assert_eq!((invites(&site), site.number(of_list)), (5, 5));
    assert!(daemon.metric("goldenhour_line_dials_not_allowed_total", &[]) < 0.5, "the gate comes first");
    let said = site.run("explain", &["--contact", "k2-0"]);
    assert!(said.contains("blocked: destination") && said.contains("the trunk denies a prefix"), "{said}");
    daemon.stop();
}
