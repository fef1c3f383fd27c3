//! What operators do to a dialling daemon, and how soon it is in force.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::daemon::{Daemon, Setup, Site, until};
use crate::trial::{self, Trial};

/// The promise.
const IN_FORCE: Duration = Duration::from_secs(1);

const NOBODY_ANSWERS: &str = "{ \"1\": 0% }";

/// A site with a list of so many leads, and its far end.
fn site(setup: &Setup, leads: u32) -> Site {
    let site = Site::new(setup);
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", leads)));
    site.import("trial", &site.path("list.csv"));
    site
}

fn invites(site: &Site) -> usize {
    site.count_witnessed("invite")
}

#[expect(clippy::disallowed_methods, reason = "compared with the far end's own wall clock")]
fn wall() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

/// INVITEs that came later than this.
fn invites_after(site: &Site, at: Timestamp) -> usize {
    let late = |line: &serde_json::Value| line["wall"].as_str().unwrap().parse::<Timestamp>().unwrap() > at;
    site.witnessed("invite").iter().filter(|line| late(line)).count()
}

/// Nothing rings any more, as the daemon and the far end both say.
fn until_quiet(site: &Site, daemon: &Daemon) {
    until("nothing is under way", || {
        daemon.metric("goldenhour_attempts_live", &[]) < 0.5 && site.count_witnessed("ended") == invites(site)
    });
}

#[test]
fn a_pause_stops_the_dials_at_once_and_resume_lets_them_go_on() {
    let site = site(&Setup { max_cps: 20, ..Setup::default() }, 2_000);
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let daemon = site.serve(&[]);
    for pause in [&["trial"][..], &["--all"]] {
        let seen = invites(&site);
        until("it dials", || invites(&site) > seen + 10);
        site.run("pause", pause);
        let paused = wall();
        until_quiet(&site, &daemon);
        assert_eq!(invites_after(&site, paused + IN_FORCE), 0, "dialled although paused: {pause:?}");
        assert!(daemon.metric("goldenhour_campaign_paused", &["trial"]) > 0.5);
        let seen = invites(&site);
        site.run("resume", pause);
        until("it dials again", || invites(&site) > seen);
    }
    daemon.stop();
}

#[test]
fn a_waiting_customer_who_is_put_on_the_list_is_never_dialled() {
    let site = site(&Setup { max_cps: 10, ..Setup::default() }, 60);
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let daemon = site.serve(&[]);
    until("it dials", || invites(&site) > 0);
    // The last two: by number and by key.
    site.run("dnc", &["add", &trial::number(1, 59), "--reason", "asked by letter"]);
    site.run("dnc", &["add", "--customer", "k1-58"]);
    let added = wall();
    until("everybody else was dialled", || invites(&site) == 58);
    until_quiet(&site, &daemon);
    until("the two are blocked", || daemon.metric("goldenhour_leads", &["state=\"blocked\""]) > 1.5);
    assert!(invites_after(&site, added) > 0, "too late to show anything");
    assert_eq!((invites(&site), site.number("SELECT count(DISTINCT contact) FROM attempt")), (58, 58));
    assert!(daemon.metric("goldenhour_dnc_entries", &[]) > 1.5);
    daemon.stop();
}

#[test]
fn an_opt_out_is_in_the_database_before_the_call_is_over() {
    let site = site(&Setup { max_cps: 10, ..Setup::default() }, 12);
    let _far = site.far_end(&trial::town(100, r#"{ "9": 100% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    let entries = "SELECT count(*) FROM dnc WHERE kind = 'contact' AND attempt IS NOT NULL";
    let mut opted_out = 0;
    until("all calls are over", || {
        // In this order: whatever has ended by now must have its entry by then.
        let witness = site.witness();
        let of = |event: &'static str| witness.iter().filter(move |line| line["event"] == event);
        let pressed: BTreeSet<_> = of("key").map(|line| &line["call_id"]).map(ToString::to_string).collect();
        let over = of("ended").filter(|line| pressed.contains(&line["call_id"].to_string())).count() as i64;
        let written = site.number(entries);
        assert!(written >= over, "{over} calls with the key are over, {written} entries are written");
        opted_out = over;
        of("ended").count() == 12
    });
    assert!(opted_out > 4, "hardly anybody answered");
    assert_eq!(site.number(entries), opted_out);
    until_quiet(&site, &daemon);
    until("outcomes are written", || site.number("SELECT count(*) FROM lead WHERE state = 'dnc'") == opted_out);
    let late = "SELECT count(*) FROM outcome o JOIN dnc d ON d.attempt = o.attempt WHERE d.at >= o.t_ended";
    assert_eq!(site.number(late), 0);
    assert_eq!(site.number("SELECT count(*) FROM outcome WHERE disposition = 'opted_out' AND digits = '9'"), opted_out);
    daemon.stop();
}

#[test]
fn sigterm_lets_calls_finish_and_exits_zero() {
    let site = site(&Setup { max_cps: 20, ..Setup::default() }, 2_000);
    let _far = site.far_end(&trial::town(50, r#"{ "1": 50% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    until("people are talking", || site.count_witnessed("answered") > 10);
    let asked = wall();
    daemon.stop();
    assert_eq!(invites_after(&site, asked + IN_FORCE), 0, "dialled while draining");
    assert_eq!(site.number("SELECT count(*) FROM attempt WHERE state <> 'done'"), 0);
    let unsealed = "SELECT (SELECT count(*) FROM outcome) - (SELECT count(*) FROM seal)";
    assert_eq!(site.number(unsealed), 0);
    until("the far end has seen the ends", || site.count_witnessed("ended") == invites(&site));
    let by_recovery = "SELECT count(*) FROM outcome WHERE source <> 'engine'";
    assert_eq!(site.number(by_recovery), 0);
    let next = site.serve(&[]);
    assert!(next.log().contains("recovered=0"), "the next start found something to clean up");
    next.stop();
}

#[test]
fn a_drain_that_takes_too_long_ends_the_calls() {
    let site = site(&Setup { max_cps: 20, drain_s: 1, ..Setup::default() }, 40);
    Trial { ring_s: 60, ..Trial::default() }.write(&site);
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let daemon = site.serve(&[]);
    until("phones ring", || invites(&site) > 20);
    daemon.stop();
    assert_eq!(site.number("SELECT count(*) FROM attempt WHERE state <> 'done'"), 0);
    until("the rings were taken back", || site.count_witnessed("ended") == invites(&site));
}

#[test]
fn a_broken_reload_keeps_the_old_plan_and_a_good_one_takes_over() {
    let site = site(&Setup { max_cps: 20, ..Setup::default() }, 4_000);
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let mut daemon = site.serve(&[]);
    let good = |daemon: &Daemon| daemon.metric("goldenhour_config_last_reload_successful", &[]);
    until("it dials", || invites(&site) > 0);
    assert!(good(&daemon) > 0.5);
    let text = Trial { ring_s: 5, ..Trial::default() }.text();
    site.write("campaigns/trial.yaml", &text.replace("attempts:", "atempts:"));
    daemon.process().signal("HUP");
    until("the reload is refused", || good(&daemon) < 0.5);
    assert!(daemon.log().contains("did you mean `attempts`?"), "{}", daemon.log());
    let seen = invites(&site);
    until("the old plan goes on", || invites(&site) > seen + 20);

    site.write("campaigns/trial.yaml", &text.replace("status: active", "status: paused"));
    daemon.process().signal("HUP");
    until("the new plan is in force", || {
        good(&daemon) > 0.5 && daemon.metric("goldenhour_campaign_paused", &["trial"]) > 0.5
    });
    until_quiet(&site, &daemon);

    let seen = invites(&site);
    site.write("campaigns/trial.yaml", &text);
    daemon.process().signal("HUP");
    until("it dials again", || invites(&site) > seen + 10);

    fs::remove_file(site.path("campaigns/trial.yaml")).unwrap();
    daemon.process().signal("HUP");
    until("a campaign whose file is gone stops", || daemon.metric("goldenhour_campaign_paused", &["trial"]) > 0.5);
    until_quiet(&site, &daemon);
    let seen = invites(&site);
    site.write("campaigns/trial.yaml", &text);
    daemon.process().signal("HUP");
    until("it comes back", || invites(&site) > seen + 10);
    daemon.stop();
}

#[test]
fn a_reload_does_not_mix_up_the_zones_of_two_plans() {
    let site = Site::new(&Setup::default());
    site.take_shipped();
    let hours = |zone| format!("calling_hours: {{ fallback_zone: {zone}, mon-sun: [\"08:00-21:00\"] }}");
    let (china, york) = (hours("Asia/Shanghai"), hours("America/New_York"));
    let policy = "cn-bank-collection@2";
    Trial { name: "trial", policy, more: &china, ring_s: 5, ..Trial::default() }.write(&site);
    let header = trial::HEADER;
    site.write("here.csv", &format!("{header}\n{}", trial::rows(1, "", 5)));
    site.write("there.csv", &format!("{header}\n{}", trial::rows(2, "", 5)));
    site.import("trial", &site.path("here.csv"));
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    // 16:00 in Shanghai, 03:00 in New York.
    let mut daemon = site.serve(&["--clock-start", "2026-12-01T08:00:00Z"]);
    until("the first list is dialled", || invites(&site) == 5);
    Trial { name: "another", policy, more: &york, ring_s: 5, ..Trial::default() }.write(&site);
    site.import("another", &site.path("there.csv"));
    daemon.process().signal("HUP");
    let of = |state: &str| daemon.metric("goldenhour_leads", &["another", &format!("state=\"{state}\"")]);
    until("the second list is loaded", || of("waiting") > 4.5);
    assert!(daemon.metric("goldenhour_leads_due", &["another"]) < 0.5);
    daemon.stop();
    assert_eq!(invites(&site), 5, "somebody was called at three in the morning");
}

#[test]
fn what_the_store_refuses_to_write_does_not_stop_the_rest() {
    let site = site(&Setup { max_cps: 20, ..Setup::default() }, 12);
    site.execute(
        "CREATE TRIGGER damaged BEFORE INSERT ON outcome
            WHEN (SELECT lead FROM attempt WHERE id = NEW.attempt) = 3
         BEGIN SELECT RAISE(ABORT, 'damaged'); END",
    );
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let daemon = site.serve(&[]);
    until("the others are written", || site.number("SELECT count(*) FROM outcome") == 11);
    until("it is given up", || daemon.metric("goldenhour_store_given_up_total", &[]) > 0.5);
    assert!(daemon.log().contains("given up"));
    until("the store is fine", || daemon.get("/readyz").get(9..12) == Some("200"));
    daemon.stop();
    assert_eq!(site.number("SELECT lead FROM attempt WHERE state = 'authorised'"), 3);
    site.execute("DROP TRIGGER damaged");
    let next = site.serve(&[]);
    assert_eq!(site.number("SELECT count(*) FROM lead WHERE state = 'unknown_counted'"), 1);
    next.stop();
}
