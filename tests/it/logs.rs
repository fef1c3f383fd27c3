//! Logs as JSON: one object per line, with the field names that docs/OPERATING.md promises.

use std::process::Command;

use serde_json::Value;

use crate::daemon::{Process, Setup, Site, until};
use crate::trial::Trial;

#[test]
fn every_line_of_the_json_log_is_an_object_with_the_promised_fields() {
    let site = Site::new(&Setup { ports: 100, max_calls: 20, seats: 5, ..Setup::default() });
    Trial::default().write(&site);
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.args(["serve", "--log-format", "json", "--log", "info", "--config"]).arg(site.path("goldenhour.yaml"));
    let mut daemon = Process::start(command, &site.path("serve.log"));
    until("it is ready", || {
        daemon.must_run();
        daemon.log().contains("\"ready\"")
    });
    site.write("campaigns/trial.yaml", "schema: goldenhour/v1\n");
    daemon.signal("HUP");
    until("the reload is refused", || daemon.log().contains("not reloaded"));
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(0));
    let lines: Vec<Value> = daemon.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let timestamp: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(timestamp.as_second() > 0);
        assert!(["ERROR", "WARN", "INFO"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(line["target"].as_str().unwrap().starts_with("goldenhour"), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
    let found = |message: &str| lines.iter().find(|line| line["message"].as_str().unwrap().starts_with(message));
    let ready = found("ready").unwrap();
    assert!(ready["sip"].is_string() && ready["http"].is_string() && ready["recovered"].is_u64(), "{ready}");
    assert_eq!(found("not reloaded").unwrap()["level"], "ERROR");
    let findings = lines.iter().filter(|line| line["message"].as_str().unwrap().contains("trial.yaml:"));
    let codes: Vec<&str> = findings.map(|line| line["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"GH1005") && codes.contains(&"GH1013"), "{codes:?}");
}
