//! Planted numbers and customer keys, and everything that a whole run says: none of it may hold one of them.

use std::fs;

use serde_json::{Value, json};

use crate::api;
use crate::daemon::{Daemon, Setup, Site, until};
use crate::trial::{self, Trial};

const NUMBER: &str = "271828182";
const OTHER: &str = "314159265";
const KEY: &str = "canary-key";

fn list() -> String {
    format!(
        "{}\n{KEY}-1,+999{NUMBER},Asia/Shanghai,0.9,1\n{KEY}-2,+999{OTHER},Asia/Shanghai,0.8,1\n{KEY}-3,12,,0.7,1\n",
        trial::HEADER
    )
}

fn assert_clean(what: &str, text: &[u8]) {
    for canary in [NUMBER, OTHER, KEY] {
        let found = text.windows(canary.len()).position(|part| part == canary.as_bytes());
        let near = found.map(|at| String::from_utf8_lossy(&text[at.saturating_sub(200)..at + canary.len()]));
        assert!(found.is_none(), "{canary} in {what}: {near:?}");
    }
}

fn assert_all_clean(site: &Site, daemon: &Daemon) {
    assert_clean("the log", daemon.log().as_bytes());
    assert_clean("/metrics", daemon.metrics_text().as_bytes());
    for path in ["/livez", "/readyz", "/", "/api/v1/campaigns", "/nothing-here"] {
        assert_clean(path, daemon.get(path).as_bytes());
    }
    let token: Value = serde_json::from_str(&site.run("token", &["new", "--role", "admin", "--json"])).unwrap();
    let token = token["token"].as_str().unwrap();
    let paths = ["campaigns", "campaigns/trial", "lists", "lists/1", "attempts?limit=500", "attempts/x"];
    let whom = json!({ "number": format!("+999{NUMBER}") }).to_string();
    let key = json!({ "customer": format!("{KEY}-1"), "reason": "a test" }).to_string();
    let wrong = json!({ "number": format!("+999{NUMBER}"), "customer": KEY }).to_string();
    let mut asked: Vec<(&str, String, Option<&str>)> =
        paths.map(|path| ("GET", format!("/api/v1/{path}"), None)).to_vec();
    asked.extend(
        site.texts::<1>("SELECT lower(hex(id)) FROM attempt")
            .iter()
            .map(|[id]| ("GET", format!("/api/v1/attempts/{id}"), None)),
    );
    for action in ["check", "add", "remove"] {
        for body in [&whom, &key, &wrong] {
            asked.push(("POST", format!("/api/v1/do-not-call/{action}"), Some(body)));
        }
    }
    // What somebody writes into the wrong place is not repeated either.
    asked.push(("GET", format!("/api/v1/attempts?before={NUMBER}"), None));
    asked.push(("GET", format!("/api/v1/campaigns/{KEY}"), None));
    until("the token is known", || api::send(daemon.http(), Some(token), "GET", "/api/v1/lists", None).status == 200);
    for (method, path, body) in asked {
        let answer = api::send(daemon.http(), Some(token), method, &path, body);
        assert_clean(&format!("{method} {path}").replace(NUMBER, "N").replace(KEY, "K"), answer.text.as_bytes());
    }
    // Everything beside the database but the keys, which are random: rejects, journals.
    let folders = ["var", "var/goldenhour.traces"].map(|folder| fs::read_dir(site.path(folder)).unwrap());
    for entry in folders.into_iter().flatten() {
        let path = entry.unwrap().path();
        assert_clean(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
    }
    for name in ["witness.jsonl", "gateway.log"] {
        assert_clean(name, &fs::read(site.path(name)).unwrap_or_default());
    }
}

#[test]
fn no_log_metric_or_answer_of_a_run_names_anybody() {
    let site = Site::new(&Setup { drain_s: 1, ..Setup::default() });
    Trial { ring_s: 5, attempts: "{ max: 3, max_per_day: 3, min_gap: 1s }", ..Trial::default() }.write(&site);
    site.write("list.csv", &list());
    assert_clean("the import's report", site.import("trial", &site.path("list.csv")).to_string().as_bytes());
    let far = site.far_end(&trial::town(100, r#"{ "9": 100% }"#, "gbk_server: 50%\n"), &[]);
    let filter = "debug,goldenhour=trace";
    let daemon = site.serve_logging(filter, &[]);
    until("both were called", || site.count_witnessed("invite") >= 2);
    until("it is over", || site.count_witnessed("ended") >= 2);
    assert_clean("dnc list", site.run("dnc", &["list"]).as_bytes());
    // A crash, a recovery, and a gateway that is not there.
    daemon.kill();
    drop(far);
    site.write("more.csv", &list().replace("-1,", "-4,").replace("-2,", "-5,").replace(",12,", ",13,"));
    site.import("trial", &site.path("more.csv"));
    let daemon = site.serve_logging(filter, &[]);
    assert_clean("erase", site.run("erase", &["--contact", &format!("{KEY}-2")]).as_bytes());
    assert_all_clean(&site, &daemon);
    assert!(daemon.log().contains("somebody opted out"), "the log is not the run's");
    daemon.stop();
    assert_clean("the whole log", &fs::read(site.path("serve.log")).unwrap());
}
