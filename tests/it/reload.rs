//! A new plan under a dialling daemon: all of it or none, and what is under way keeps the one it began with.

use crate::daemon::{Daemon, Setup, Site, until};
use crate::trial::{self, Trial};

const PRESSES_ONE: &str = r#"{ "1": 100% }"#;

/// A site whose one campaign has so many leads.
fn site(leads: u32) -> Site {
    let site = Site::new(&Setup { max_cps: 20, ..Setup::default() });
    Trial::default().write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", leads)));
    site.import("trial", &site.path("list.csv"));
    site
}

fn reloads(daemon: &Daemon, result: &str) -> f64 {
    daemon.metric("goldenhour_config_reloads_total", &[result])
}

#[test]
fn a_running_attempt_finishes_under_the_plan_it_began_with() {
    let site = site(8);
    // They answer within twenty seconds or not at all, and press their key when they have listened for a while.
    let trial = Trial { ring_s: 20, ..Trial::default() };
    trial.write(&site);
    let town = trial::town(100, PRESSES_ONE, "").replace("pace: 10%", "pace: 100%");
    let _far = site.far_end(&town, &[]);
    let mut daemon = site.serve(&[]);
    until("all are called", || site.count_witnessed("invite") == 8);
    let text = trial.text();
    let other = text.replace("disposition: accepted", "disposition: silent").replace("owner: nobody", "owner: else");
    site.write("campaigns/trial.yaml", &other);
    daemon.process().signal("HUP");
    until("the new plan is read", || reloads(&daemon, "ok") > 0.5);
    assert_eq!(site.count_witnessed("key"), 0, "too late to show anything");
    // Those of the second list are called while those of the first still talk.
    site.write("more.csv", &format!("{}\n{}", trial::HEADER, trial::rows(2, "Asia/Shanghai", 8)));
    site.import("trial", &site.path("more.csv"));
    until("all outcomes are written", || site.number("SELECT count(*) FROM outcome") == 16);
    assert_eq!(site.number("SELECT count(*) FROM attempt"), 16);
    let versions = "SELECT count(DISTINCT campaign_hash) FROM plan_version";
    assert_eq!(site.number(versions), 2, "each outcome names the version it was decided under");
    let began = "SELECT count(*) FROM attempt WHERE plan_version = (SELECT min(id) FROM plan_version)";
    assert_eq!(site.number(began), 8, "those of the first list");
    let before = "SELECT count(*) FROM outcome o JOIN attempt a ON a.id = o.attempt
        WHERE a.plan_version = (SELECT min(id) FROM plan_version) AND o.digits = '1'";
    let before_said = "SELECT count(*) FROM outcome o JOIN attempt a ON a.id = o.attempt
        WHERE a.plan_version = (SELECT min(id) FROM plan_version) AND o.digits = '1' AND o.disposition = 'accepted'";
    let after = "SELECT count(*) FROM outcome o JOIN attempt a ON a.id = o.attempt
        WHERE a.plan_version = (SELECT max(id) FROM plan_version) AND o.digits = '1'";
    let after_said = "SELECT count(*) FROM outcome o JOIN attempt a ON a.id = o.attempt
        WHERE a.plan_version = (SELECT max(id) FROM plan_version) AND o.digits = '1' AND o.disposition = 'silent'";
    for (pressed, as_planned) in [(before, before_said), (after, after_said)] {
        assert!(site.number(pressed) > 3, "hardly anybody answered");
        assert_eq!(site.number(as_planned), site.number(pressed));
    }
    daemon.stop();
}

#[test]
fn what_is_saved_in_the_folder_is_in_force_without_a_signal() {
    let site = site(4_000);
    let _far = site.far_end(&trial::town(0, PRESSES_ONE, ""), &[]);
    let daemon = site.serve(&[]);
    let text = Trial::default().text();
    site.write("campaigns/trial.yaml", &text.replace("status: active", "status: paused"));
    until("the campaign is paused", || daemon.metric("goldenhour_campaign_paused", &["trial"]) > 0.5);
    site.write("campaigns/trial.yaml", &text.replace("attempts:", "atempts:"));
    until("the mistake is found", || reloads(&daemon, "refused") > 0.5);
    assert!(daemon.metric("goldenhour_config_last_reload_successful", &[]) < 0.5);
    assert!(daemon.metric("goldenhour_campaign_paused", &["trial"]) > 0.5);
    site.write("campaigns/trial.yaml", &text);
    until("it is mended", || daemon.metric("goldenhour_campaign_paused", &["trial"]) < 0.5);
    assert!(daemon.metric("goldenhour_config_last_reload_successful", &[]) > 0.5);
    daemon.stop();
}

#[test]
fn a_mistake_is_logged_once_however_often_it_is_read() {
    let site = site(10);
    let mut daemon = site.serve(&[]);
    let text = Trial::default().text();
    site.write("campaigns/trial.yaml", &text.replace("attempts:", "atempts:"));
    site.write("campaigns/other.yaml", "schema: goldenhour/v1\ncampaign: other\n");
    for times in 1..=3 {
        daemon.process().signal("HUP");
        until("it is refused", || reloads(&daemon, "refused") > f64::from(times) - 0.5);
    }
    let log = daemon.log();
    assert_eq!(log.matches("did you mean `attempts`?").count(), 1, "{log}");
    assert!(log.contains("other.yaml"), "every mistake, not only the first: {log}");
    daemon.stop();
}

#[test]
fn leads_are_judged_by_the_new_plan_before_anybody_is_dialled_by_it() {
    let site = site(4_000);
    let _far = site.far_end(&trial::town(0, PRESSES_ONE, ""), &[]);
    let mut daemon = site.serve(&[]);
    until("it dials", || site.count_witnessed("invite") > 5);
    let more = "eligible: { all_of: [\"score < 0.1\"] }";
    site.write("campaigns/trial.yaml", &Trial { more, ..Trial::default() }.text());
    daemon.process().signal("HUP");
    let blocked = |daemon: &Daemon| daemon.metric("goldenhour_leads", &["state=\"blocked\""]);
    until("the rest is not eligible", || blocked(&daemon) > 3_000.0);
    let seen = site.count_witnessed("invite");
    until("it goes on", || site.count_witnessed("invite") > seen + 5);
    daemon.stop();
    let wrongly = "SELECT count(*) FROM attempt a JOIN plan_version v ON v.id = a.plan_version
        WHERE a.score >= 0.1 AND v.id = (SELECT max(id) FROM plan_version)";
    assert_eq!(site.number("SELECT count(*) FROM plan_version"), 2);
    assert_eq!(site.number(wrongly), 0);
}
