//! A live run, told again: the same decisions, and the first that a changed rule makes different.

use std::fs;

use serde_json::Value;

use crate::daemon::{Setup, Site, until};
use crate::trial::{self, Trial};

const LEADS: u32 = 120;

#[test]
fn a_live_run_replays_and_a_changed_rule_is_the_first_difference() {
    let site = Site::new(&Setup { max_cps: 30, ..Setup::default() });
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(3, "Asia/Shanghai", LEADS)));
    site.import("trial", &site.path("list.csv"));
    let _far = site.far_end(&trial::town(60, "{ \"1\": 50% }", ""), &[]);
    let journal = site.path("inputs.journal");
    let shown = journal.to_str().unwrap();
    let daemon = site.serve(&["--journal", shown]);
    until("half of them were dialled", || site.count_witnessed("invite") > LEADS as usize / 2);
    // A command and a reload in the midst of it.
    site.run("dnc", &["add", "--customer", "k3-5"]);
    site.run("pause", &["trial"]);
    until("the pause is in force", || daemon.metric("goldenhour_campaign_paused", &["trial"]) > 0.5);
    daemon.reload();
    site.run("resume", &["trial"]);
    until("the rest was dialled", || site.count_witnessed("invite") + 2 > LEADS as usize);
    daemon.stop();

    let said = trial::without_config("replay", &[shown]);
    assert!(said.status.success(), "{said:?}");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.starts_with("identical, ") && text.contains(" decisions"), "{text}");
    let report: Value = serde_json::from_slice(&trial::without_config("replay", &[shown, "--json"]).stdout).unwrap();
    assert_eq!((report["identical"].as_bool(), report["ended"].as_str()), (Some(true), Some("stopped")), "{report}");
    assert!(report["decisions"].as_u64().unwrap() > u64::from(LEADS) * 2, "{report}");
    no_customer_is_in(&fs::read(&journal).unwrap());

    let campaign = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    site.write("campaigns/trial.yaml", &campaign.replace("ring: 5s", "ring: 6s"));
    let campaigns = site.path("campaigns");
    let changed = trial::without_config("replay", &[shown, "--campaigns", campaigns.to_str().unwrap()]);
    assert_eq!(changed.status.code(), Some(1));
    let text = String::from_utf8_lossy(&changed.stdout).into_owned();
    assert!(text.contains("expected  ") && text.contains("got       ") && text.contains("ring: 6s"), "{text}");

    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 40]).unwrap();
    let cut = trial::without_config("replay", &[shown]);
    let (text, complaint) = (String::from_utf8_lossy(&cut.stdout), String::from_utf8_lossy(&cut.stderr));
    assert!(text.starts_with("identical as far as it goes") && complaint.contains("GH3021"), "{text}{complaint}");
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&journal, &damaged).unwrap();
    let complaint = trial::without_config("replay", &[shown]).stderr;
    assert!(String::from_utf8_lossy(&complaint).contains("GH3020"));
}

/// Neither a number nor a key of the list. Shorter keys may be in any file by chance.
fn no_customer_is_in(journal: &[u8]) {
    for n in 100..LEADS {
        for secret in [trial::number(3, n), format!("k3-{n}")] {
            let secret = secret.trim_start_matches('+').as_bytes();
            assert!(!journal.windows(secret.len()).any(|window| window == secret), "row {n} is in the journal");
        }
    }
}
