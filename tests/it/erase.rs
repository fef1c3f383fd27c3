//! A person is erased beside a dialling daemon: at once, for good, and nobody else with them.

use serde_json::Value;

use crate::daemon::{Setup, Site, until};
use crate::trial::{self, Trial};

const NOBODY_ANSWERS: &str = "{ \"1\": 0% }";

fn site(setup: &Setup, ring_s: u32, leads: u32) -> Site {
    let site = Site::new(setup);
    Trial { ring_s, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", leads)));
    site.import("trial", &site.path("list.csv"));
    site
}

fn erase(site: &Site, key: &str) -> Value {
    serde_json::from_str(&site.run("erase", &["--contact", key, "--json"])).unwrap()
}

#[test]
fn an_erased_customer_is_never_dialled_and_the_rest_is() {
    let site = site(&Setup { max_cps: 10, ..Setup::default() }, 5, 60);
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let daemon = site.serve(&[]);
    until("it dials", || site.count_witnessed("invite") > 0);
    let erased = erase(&site, "k1-59");
    assert_eq!((&erased["erased"], &erased["numbers"], &erased["leads"]), (&true.into(), &1.into(), &1.into()));
    assert_eq!(erase(&site, "k1-59")["erased"], false, "there is nobody any more");
    until("everybody else was dialled", || site.count_witnessed("invite") == 59);
    until("nobody is called any more", || daemon.metric("goldenhour_attempts_live", &[]) < 0.5);
    until("the lead is put aside", || daemon.metric("goldenhour_leads", &["state=\"blocked\""]) > 0.5);
    // The same list under another name: the bank still names them.
    let rows = trial::rows(1, "Asia/Shanghai", 60).replace("0.", "0.0");
    site.write("again.csv", &format!("{}\n{rows}", trial::HEADER));
    site.import("trial", &site.path("again.csv"));
    site.write("campaigns/more.yaml", &Trial { name: "more", ring_s: 5, ..Trial::default() }.text());
    until("the second campaign is here", || daemon.metrics_text().contains("campaign=\"more\""));
    site.import("more", &site.path("again.csv"));
    until("the others are dialled for it too", || site.count_witnessed("invite") == 118);
    daemon.stop();
    assert_eq!(site.count_witnessed("invite"), 118);
    let of_them = "SELECT count(*) FROM attempt a JOIN lead l ON l.id = a.lead WHERE l.state = 'dnc'";
    assert_eq!(site.number(of_them), 0);
}

#[test]
fn what_rings_for_an_erased_customer_is_taken_back_and_stays_without_a_person() {
    let site = site(&Setup::default(), 60, 1);
    let _far = site.far_end(&trial::nobody_in_town(), &[]);
    let daemon = site.serve(&[]);
    until("it rings", || site.count_witnessed("invite") == 1);
    assert_eq!(erase(&site, "k1-0")["attempts"], 1);
    until("it is taken back", || site.count_witnessed("ended") == 1);
    until("it is written", || site.number("SELECT count(*) FROM outcome WHERE result = 'cancelled'") == 1);
    daemon.stop();
    assert_eq!(site.number("SELECT count(*) FROM contact WHERE sealed IS NOT NULL"), 0);
    assert_eq!(site.number("SELECT count(*) FROM phone WHERE sealed IS NOT NULL"), 0);
    assert_eq!(site.number("SELECT count(*) FROM dnc WHERE sealed IS NULL AND removed_at IS NULL"), 1);
    let out = site.path("out");
    let said = site.run("export", &["--format", "jsonl", "--out", out.to_str().unwrap(), "--json"]);
    assert!(said.contains("\"ok\":true"), "{said}");
}
