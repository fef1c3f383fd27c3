//! Lists without scores: the campaign's model scores them as they are loaded, by hand, by feeds and in rehearsals.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::daemon::{Setup, Site, until};
use crate::lists::import;
use crate::trial::{Trial, number};

const CHAMPION: &str =
    "list: { key: contact_id, phones: [phone_e164], model: { dir: ../models/champion }, consent: consent }";
const ROWS: u32 = 1_500;

/// A model of numbers and categories that XGBoost trained, under this calibration.
fn put_model(site: &Site, version: &str, calibration: &Value) {
    let number = |name| json!({"name": name, "type": "number"});
    let category = |name, codes: u32| {
        let categories: Vec<String> = (0..codes).map(|code| format!("{name} {code}")).collect();
        json!({"name": name, "type": "category", "categories": categories})
    };
    let features = [
        number("age"),
        category("marital", 4),
        number("balance"),
        category("job", 12),
        number("index"),
        category("branch", 200),
    ];
    let manifest = json!({
        "schema": "goldenhour/model/v1", "name": "trial", "version": version, "target": "convert", "features": features,
        "models": {"a": {"file": "a.ubj"}}, "calibration": calibration,
    });
    site.write(&format!("models/{version}/model.json"), &manifest.to_string());
    let forest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/mixed.ubj");
    fs::copy(forest, site.path(&format!("models/{version}/a.ubj"))).unwrap();
}

fn goldenhour(site: &Site, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.args(args).current_dir(site.path("")).output().unwrap()
}

fn promote(site: &Site, version: &str) {
    promote_as(site, version, "champion");
}

fn promote_as(site: &Site, version: &str, alias: &str) {
    let said = goldenhour(site, &["model", "promote", "--models", "models", version, "--as", alias]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// A site whose campaign is scored by `models/champion`, which is version 1.
fn site(config: &str) -> Site {
    let site = Site::new(&Setup::default());
    Trial::default().write(&site);
    let text = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    let lines = text.lines().map(|line| if line.starts_with("list:") { CHAMPION } else { line });
    site.write("campaigns/trial.yaml", &lines.collect::<Vec<_>>().join("\n"));
    let known = fs::read_to_string(site.path("goldenhour.yaml")).unwrap();
    site.write("goldenhour.yaml", &format!("{known}{config}"));
    put_model(&site, "1", &json!({"kind": "none"}));
    put_model(&site, "2", &json!({"kind": "platt", "a": 1.5, "b": -0.25}));
    promote(&site, "1");
    site
}

fn list() -> String {
    let mut text = "contact_id,phone_e164,consent,job,age,marital,balance,index,branch\n".to_owned();
    for n in 0..ROWS {
        let age = if n % 11 == 0 { "NA".to_owned() } else { (18 + n % 70).to_string() };
        let job = if n % 13 == 0 { "unheard of".to_owned() } else { format!("job {}", n % 12) };
        let (balance, index) = (f64::from(n * 37 % 4_001) / 3.0, f64::from(n % 41) / 10.0 - 2.0);
        let phone = number(7, n);
        writeln!(text, "k{n},{phone},1,{job},{age},marital {},{balance},{index},branch {}", n % 4, n % 200).unwrap();
    }
    text
}

/// What `goldenhour score` writes, as bits of the numbers that it wrote.
fn scored(site: &Site, model: &str) -> Vec<u64> {
    let said = goldenhour(
        site,
        &["score", "--model", model, "--data", "list.csv", "--out", "scores.csv", "--id", "contact_id"],
    );
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = fs::read_to_string(site.path("scores.csv")).unwrap();
    text.lines().skip(1).map(|line| line.split_once(',').unwrap().1.parse::<f64>().unwrap().to_bits()).collect()
}

/// Of the newest list, in its order.
fn stored(site: &Site) -> Vec<u64> {
    let rows = site.texts::<1>(
        "SELECT printf('%!.17g', score) FROM listed WHERE list = (SELECT max(id) FROM list WHERE state = 1) ORDER BY lead",
    );
    rows.iter().map(|[score]| score.parse::<f64>().unwrap().to_bits()).collect()
}

fn models(site: &Site) -> Vec<[String; 2]> {
    site.texts("SELECT model_id, model_version FROM list WHERE state = 1 ORDER BY id")
}

#[test]
fn an_import_without_scores_has_those_of_goldenhour_score_and_a_promotion_gives_others() {
    let site = site("");
    site.write("list.csv", &list());
    let said = import(&site, &["list.csv"]);
    assert_eq!((said.code, &said.json["leads"]), (0, &ROWS.into()), "{}", said.json);
    let first = stored(&site);
    assert_eq!(first, scored(&site, "models/1"));
    assert_eq!(import(&site, &["list.csv"]).json["status"], "unchanged");
    promote(&site, "2");
    assert_eq!(import(&site, &["list.csv"]).json["status"], "loaded");
    let second = stored(&site);
    assert_eq!(second, scored(&site, "models/2"));
    assert!(first.iter().zip(&second).all(|(one, two)| one != two));
    assert_eq!(models(&site), [["trial", "1"], ["trial", "2"]].map(|names| names.map(str::to_owned)));
}

#[test]
fn records_of_a_rehearsal_name_the_list_and_the_model_as_the_import_would() {
    let site = site("");
    site.write("list.csv", &list());
    let text = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    site.write("campaigns/trial.yaml", &format!("{text}\ncalling_hours: {{ fallback_zone: Asia/Shanghai }}\n"));
    let words = "simulate campaigns/trial.yaml --list list.csv --agents 5 --days 1 --outcomes records --json";
    let rehearsed = goldenhour(&site, &words.split(' ').collect::<Vec<_>>());
    assert!(rehearsed.status.success(), "{}", String::from_utf8_lossy(&rehearsed.stderr));
    let version = import(&site, &["list.csv"]).json["list_version"].clone();
    let records = lines_below(&site.path("records"));
    let attempts: Vec<_> = records.iter().filter(|record| record["attempt_id"].is_string()).collect();
    assert!(attempts.len() > 20, "{}", attempts.len());
    for record in attempts {
        assert_eq!((&record["model_id"], &record["model_version"]), (&json!("trial"), &json!("1")), "{record}");
        assert_eq!((&record["model_alias"], &record["list_version"]), (&json!("champion"), &version), "{record}");
    }
}

/// Every row of the list with a label; of `times(nth)` the weight, or so many copies of the row.
fn table(weighed: bool, times: fn(u32) -> u32) -> String {
    let mut text = String::new();
    for (line, nth) in list().lines().zip(0_u32..) {
        match nth.checked_sub(1) {
            None => writeln!(text, "{line},accepted,stands_for").unwrap(),
            Some(n) => {
                let (label, times) = (if n * 7 % 5 < 2 { "yes" } else { "no" }, times(n));
                let (rows, weight) = if weighed { (1, times) } else { (times, 1) };
                for _ in 0..rows {
                    writeln!(text, "{line},{label},{weight}").unwrap();
                }
            }
        }
    }
    text
}

#[test]
fn a_check_counts_rows_by_their_weight_and_refuses_what_is_no_weight() {
    let site = site("");
    let check = |data: &str, more: &[&str]| {
        let mut words = vec!["model", "check", "--model", "models/2", "--champion", "models/1", "--data", data];
        words.extend(["--label", "accepted", "--json"].iter().chain(more));
        let said = goldenhour(&site, &words);
        (said.status.code(), serde_json::from_slice::<Value>(&said.stdout).unwrap())
    };
    site.write("weighed.csv", &table(true, |n| 1 + n % 3));
    site.write("copied.csv", &table(false, |n| 1 + n % 3));
    let ((_, weighed), (_, copied)) = (check("weighed.csv", &["--weight", "stands_for"]), check("copied.csv", &[]));
    for of in ["model", "champion"] {
        for figure in ["auc", "brier", "capture_20"] {
            let [one, other] = [&weighed, &copied].map(|report| report[of][figure].as_f64().unwrap());
            assert!((one - other).abs() < 1e-9, "{of}: {figure} {one} {other}");
        }
        assert_eq!((&weighed[of]["rows"], &copied[of]["rows"]), (&ROWS.into(), &(2 * ROWS).into()));
    }
    let (_, even) = check("weighed.csv", &[]);
    assert_ne!(even["model"]["auc"], weighed["model"]["auc"]);
    assert!(even["model"]["rarer"].as_f64() > weighed["model"]["rarer"].as_f64(), "{weighed}");
    site.write("odd.csv", &table(true, |n| n % 3));
    let (code, refused) = check("odd.csv", &["--weight", "stands_for"]);
    assert_eq!(code, Some(3), "{refused}");
    assert!(refused.to_string().contains("line 2: `stands_for` is no number above 0"), "{refused}");
}

#[test]
fn two_campaigns_that_share_the_customers_out_try_a_challenger_against_the_champion() {
    let site = site("");
    promote_as(&site, "2", "challenger");
    let text = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    let experiment = |arms: &str| format!("experiment: {{ id: model-2, success: accepted, arms: {arms} }}\n");
    let today = experiment("{ champion: { share: 80% }, challenger: { share: 20%, call: never } }");
    let instead = experiment("{ champion: { share: 20% }, holdout: { share: 80%, call: never } }");
    let second = text.replace("campaign: trial", "campaign: second").replace("models/champion", "models/challenger");
    site.write("campaigns/trial.yaml", &format!("{text}\n{today}"));
    site.write("campaigns/second.yaml", &format!("{second}\n{instead}"));
    site.write("list.csv", &list());
    for campaign in ["trial", "second"] {
        site.import(campaign, &site.path("list.csv"));
    }
    let said = goldenhour(&site, &["plan", "--config", "goldenhour.yaml", "--json"]);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let held_out = |name: &str| {
        let campaigns = said["campaigns"].as_array().unwrap();
        let campaign = campaigns.iter().find(|campaign| campaign["campaign"] == name).unwrap();
        campaign["blocked"]["holdout"].as_u64().unwrap()
    };
    let (by_one, by_other) = (held_out("trial"), held_out("second"));
    assert_eq!(by_one + by_other, u64::from(ROWS), "each is called by one of them: {said}");
    assert!((200..400).contains(&by_one), "{by_one}");
    let aliases = site.texts::<2>("SELECT model_version, model_alias FROM list WHERE state = 1 ORDER BY id");
    assert_eq!(aliases, [["1", "champion"], ["2", "challenger"]].map(|names| names.map(str::to_owned)));
}

/// JSON Lines of all days.
fn lines_below(folder: &Path) -> Vec<Value> {
    let days = fs::read_dir(folder).unwrap().map(|day| day.unwrap().path());
    let files = days.flat_map(|day| fs::read_dir(day).unwrap()).map(|file| file.unwrap().path());
    let texts: Vec<String> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_feed_scores_its_list_and_without_a_model_the_list_before_stays() {
    let site = site("feeds: [{ campaign: trial, source: list.csv, cron: \"* * * * *\" }]\n");
    site.write("list.csv", &list());
    let daemon = site.serve(&["--clock-start", "2026-12-01T02:00:00Z", "--clock-rate", "60"]);
    let runs = |result: &str| {
        let result = format!("result=\"{result}\"");
        daemon.metric("goldenhour_feed_runs_total", &["campaign=\"trial\"", &result])
    };
    until("the feed has brought its list", || runs("loaded") >= 1.0);
    assert_eq!(stored(&site), scored(&site, "models/1"));
    fs::remove_file(site.path("models/champion")).unwrap();
    until("the feed fails and is counted", || runs("failed") >= 1.0);
    assert_eq!(site.number("SELECT count(*) FROM list WHERE state = 1"), 1);
    assert!(daemon.log().contains("GH2027"));
    daemon.stop();
}

#[test]
fn check_and_import_say_which_model_is_missing_and_nothing_is_loaded() {
    let site = site("");
    site.write("list.csv", &list());
    fs::remove_file(site.path("models/champion")).unwrap();
    let message = import(&site, &["list.csv"]).refused(3, "GH2027");
    assert!(message.contains("models/champion cannot be read"), "{message}");
    assert!(!Path::new(&site.path("models/champion")).exists());
    let said = goldenhour(&site, &["check", "campaigns"]);
    let shown = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(3), "{shown}");
    assert!(shown.contains("trial.yaml:9:") && shown.contains("GH2027"), "{shown}");
    promote(&site, "2");
    site.write("list.csv", &list().replace(",index,", ",indices,"));
    let message = import(&site, &["list.csv"]).refused(1, "GH2009");
    assert!(message.contains("`index` (a feature of list.model)"), "{message}");
    assert_eq!(site.number("SELECT count(*) FROM lead"), 0);
}

#[test]
fn with_a_broken_model_a_campaign_that_says_so_is_called_in_plain_order_and_everybody_hears_of_it() {
    let site = site("feeds: [{ campaign: trial, source: list.csv, cron: \"* * * * *\" }]\n");
    site.write("list.csv", &list());
    let text = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    let plain = text.replace("models/champion }", "models/champion, on_error: plain_order, base_rate: 3% }");
    site.write("campaigns/trial.yaml", &plain);
    site.write("models/1/a.ubj", "no forest");
    let said = import(&site, &["list.csv"]);
    assert_eq!((said.code, &said.json["model_alias"]), (0, &"plain_order".into()), "{}", said.json);
    assert_eq!(site.number("SELECT count(*) FROM listed WHERE score = 0.03"), i64::from(ROWS));
    assert_eq!(site.texts::<1>("SELECT model_alias FROM list"), [["plain_order".to_owned()]]);
    let by_hand =
        goldenhour(&site, &["import", "--config", "goldenhour.yaml", "--campaign", "trial", "--dry-run", "list.csv"]);
    let shown = String::from_utf8_lossy(&by_hand.stderr);
    assert!(shown.contains("warning[GH2027]") && shown.contains("in plain order"), "{shown}");
    let daemon = site.serve(&["--clock-start", "2026-12-01T02:00:00Z", "--clock-rate", "60"]);
    let runs = |result: &str| daemon.metric("goldenhour_feed_runs_total", &["campaign=\"trial\"", result]);
    until("the feed says that it is in plain order", || runs("result=\"plain_order\"") >= 1.0);
    assert!(daemon.log().contains("a feed is in plain order"));
    daemon.stop();
}
