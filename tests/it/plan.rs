//! What `plan` says of real lists and beside a dialling daemon: every lead once, whatever the moment.

use std::path::Path;

use serde_json::Value;

use crate::daemon::{Setup, Site, until};
use crate::real_lists::{LISTS, lists};
use crate::trial::{self, Trial};

/// The weeks in which the clocks of the United States and of Europe change, and the days around a Chinese holiday.
const MOMENTS: [&str; 5] = [
    "2026-03-08T06:59:30Z",
    "2026-03-29T00:30:00Z",
    "2026-11-01T05:30:00Z",
    "2026-10-25T01:00:00Z",
    "2026-10-01T02:15:00Z",
];

/// Five more, drawn by a fixed generator over a year.
fn drawn() -> Vec<String> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 31_536_000
    };
    let year = "2026-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    (0..5).map(|_| jiff::Timestamp::from_second(year + draw() as i64).unwrap().to_string()).collect()
}

fn plan(site: &Site, more: &[&str]) -> Value {
    serde_json::from_str(&site.run("plan", &[&["--json"], more].concat())).unwrap()
}

fn sum(of: &Value) -> u64 {
    of.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

/// `loaded`, after the waterfall below it was added up.
#[track_caller]
fn adds_up(campaign: &Value) -> u64 {
    let of = |key: &str| campaign[key].as_u64().unwrap();
    let parts = sum(&campaign["closed"]) + sum(&campaign["blocked"]) + sum(&campaign["later"]) + of("dialable_now");
    assert_eq!(parts, of("loaded"), "{campaign}");
    let ineligible = campaign["blocked"]["eligible"].as_u64().unwrap_or(0);
    assert_eq!(sum(&campaign["ineligible"]), ineligible, "{campaign}");
    let hours = campaign["hours"].as_array().unwrap();
    assert_eq!((hours.len(), campaign["contact_hours"].as_array().unwrap().len()), (24, 24));
    let due: u64 = hours.iter().map(|hour| hour["due"].as_u64().unwrap()).sum();
    assert!(due <= of("loaded") && hours[0]["dialable"].as_u64().unwrap() >= of("dialable_now"), "{campaign}");
    of("loaded")
}

#[test]
fn the_waterfall_of_every_real_list_adds_up_at_ten_moments() {
    let Some(folder) = lists() else {
        println!("not run: ../shared/data/lists is not here");
        return;
    };
    let site = Site::new(&Setup::default());
    site.take_shipped();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let mut leads = Vec::new();
    for (campaign, list, rows) in LISTS {
        let text = std::fs::read_to_string(shipped.join(format!("{campaign}.yaml"))).unwrap();
        site.write(&format!("campaigns/{campaign}.yaml"), &text);
        let report = site.import(campaign, &folder.join(format!("{list}.csv.gz")));
        let of = |key: &str| report[key].as_u64().unwrap();
        assert_eq!(of("leads") + of("rejects"), rows);
        leads.push((campaign, of("leads")));
    }
    let mut dialable = 0;
    for moment in MOMENTS.iter().map(|moment| (*moment).to_owned()).chain(drawn()) {
        let said = plan(&site, &["--at", &moment]);
        let campaigns = said["campaigns"].as_array().unwrap();
        for (name, leads) in &leads {
            let campaign = campaigns.iter().find(|campaign| campaign["campaign"] == *name).unwrap();
            assert_eq!(adds_up(campaign), *leads, "{name} at {moment}");
            dialable += campaign["dialable_now"].as_u64().unwrap();
        }
    }
    assert!(dialable > 1_000, "nobody could ever be dialled: the moments prove nothing");
}

#[test]
fn plan_and_explain_look_on_while_the_daemon_dials_and_change_nothing() {
    const LEADS: u64 = 200;
    let site = Site::new(&Setup { max_cps: 40, ..Setup::default() });
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", LEADS as u32)));
    let refused = site.refuse("plan", &[]);
    assert!(refused.contains("GH3000") && refused.contains("goldenhour import"), "{refused}");
    site.import("trial", &site.path("list.csv"));
    let _far = site.far_end(&trial::town(0, "{ \"1\": 0% }", ""), &[]);
    let changes = || site.number("SELECT v FROM meta WHERE k = 'changes'");
    let before = changes();
    let first = plan(&site, &["--campaign", "trial"]);
    assert_eq!(first["campaigns"][0]["dialable_now"], LEADS, "{first}");
    let daemon = site.serve(&[]);
    let mut looks = 0;
    until("all were dialled", || {
        looks += 1;
        let said = plan(&site, &[]);
        assert_eq!(adds_up(&said["campaigns"][0]), LEADS, "{said}");
        let about = site.run("explain", &["--contact", "k1-199"]);
        assert!(about.contains("trial, lead ") && !about.contains(&trial::number(1, 199)), "{about}");
        assert!(about.contains("****") && !about.contains("k1-199"), "{about}");
        said["campaigns"][0]["dialable_now"] == 0 && daemon.metric("goldenhour_attempts_live", &[]) < 0.5
    });
    daemon.stop();
    assert!(looks > 1 && changes() == before);
    let last = plan(&site, &[]);
    assert_eq!(sum(&last["campaigns"][0]["closed"]), LEADS, "{last}");
    let about: Value = serde_json::from_str(&site.run("explain", &["--json", "--contact", "k1-0"])).unwrap();
    let lead = &about["leads"][0];
    assert_eq!((&lead["kind"], &about["history"][0]["result"]), (&"closed".into(), &"no_answer".into()));
    assert!(lead["p_answer"].is_null() && lead["golden"] == serde_json::json!([]), "nobody calls again: {lead}");
    assert_eq!(lead["phones"][0]["next"], false, "{lead}");
    assert!(site.refuse("explain", &["--contact", "nobody"]).contains("GH1009"));
}

#[test]
fn explain_and_diff_tell_people_what_a_change_means() {
    let site = Site::new(&Setup::default());
    let trial = Trial::default();
    trial.write(&site);
    let zones = [trial::rows(1, "Asia/Shanghai", 30), trial::rows(2, "America/New_York", 10)].concat();
    site.write("list.csv", &format!("{}\n{zones}", trial::HEADER));
    site.import("trial", &site.path("list.csv"));
    let at = ["--at", "2026-12-01T03:00:00Z"];
    let words = site.run("explain", &["--campaign", "trial"]);
    assert!(words.contains("calls Mon–Sun 00:00-24:00") && words.contains("the highest score first"), "{words}");
    assert!(words.contains("no call has told anything, and the seed holds"), "{words}");
    let of = |key: &str| -> Value {
        serde_json::from_str(&site.run("explain", &[&["--json", "--contact", key], &at[..]].concat())).unwrap()
    };
    let lead = &of("k1-2")["leads"][0];
    assert!(lead["bid"].as_f64().unwrap() > 0.0 && lead["precedence"] == 0, "{lead}");
    let rules = lead["rules"].as_array().unwrap();
    assert!(rules.len() > 10 && rules.iter().all(|rule| rule["passes"] == true), "{lead}");
    // By score: two of its own series before it, and the first of the other.
    assert_eq!((lead["kind"].as_str(), lead["of"].as_u64()), (Some("now"), Some(40)), "{lead}");
    assert_eq!(lead["position"], 4, "{lead}");
    // Office hours instead of the whole day: New York is asleep, and a third of the rest is not eligible.
    let text = trial.text();
    let new =
        format!("{text}calling_hours: {{ mon-sun: [\"09:00-18:00\"] }}\neligible: {{ all_of: ['score >= 0.333'] }}\n");
    site.write("old.yaml", &text);
    site.write("new.yaml", &new);
    let (old, new) = (site.path("old.yaml"), site.path("new.yaml"));
    let paths = [old.to_str().unwrap(), new.to_str().unwrap()];
    let said: Value = serde_json::from_str(&site.run("diff", &[&paths[..], &at, &["--json"]].concat())).unwrap();
    let one = &said["campaigns"][0];
    let left = one["leave"]["eligible"].as_u64().unwrap();
    assert!(left > 10 && one["leave"].as_object().unwrap().len() == 1, "{one}");
    assert_eq!(one["stay_in"].as_u64().unwrap() + left, 40, "{one}");
    assert!(one["first_dial_later"].as_u64().unwrap() > 5 && one["first_dial_earlier"] == 0, "{one}");
    assert_eq!(
        (one["dialable_now_old"].as_u64(), one["enter"].as_object().map(serde_json::Map::len)),
        (Some(40), Some(0))
    );
    let fields = said["files"]["new.yaml"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["path"] == "calling_hours.mon-sun[0]"), "{said}");
    let same = site.run("diff", &[paths[0], paths[0]]);
    assert!(same.contains("nobody is called otherwise"), "{same}");
}
