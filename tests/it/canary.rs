//! Planted numbers and customer keys, and everything that a whole run says: none of it may hold one of them.

use std::fs;

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
    for name in ["witness.jsonl", "gateway.log", "var/goldenhour.db", "var/goldenhour.db-wal"] {
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
    assert_all_clean(&site, &daemon);
    assert!(daemon.log().contains("somebody opted out"), "the log is not the run's");
    daemon.stop();
    assert_clean("the whole log", &fs::read(site.path("serve.log")).unwrap());
}
