//! `doctor` beside a real site: before the start, while it runs, and when things are missing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Setup, Site};
use crate::trial::{self, Trial};

/// Exit code and report.
fn doctor(site: &Site) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    let output = command.args(["doctor", "--json", "--config"]).arg(site.path("goldenhour.yaml")).output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

/// The findings of one check that are not ok.
fn bad<'a>(report: &'a Value, check: &str) -> Vec<&'a str> {
    let checks = report["checks"].as_array().unwrap().iter();
    let of_it = checks.filter(|finding| finding["check"] == check && finding["result"] != "ok");
    of_it.map(|finding| finding["what"].as_str().unwrap()).collect()
}

#[test]
fn doctor_follows_a_site_through_its_life() {
    let site = Site::new(&Setup::default());
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    let (exit, report) = doctor(&site);
    assert_eq!((exit, report["ok"].as_bool(), report["exit"].as_i64()), (4, Some(false), Some(4)), "{report}");
    assert!(bad(&report, "trunk")[0].contains("refused"), "only the far end is missing: {report}");

    let far = site.far_end(&trial::nobody_in_town(), &[]);
    let (exit, report) = doctor(&site);
    assert_eq!((exit, report["ok"].as_bool()), (0, Some(true)), "{report}");

    let daemon = site.serve(&[]);
    let (exit, report) = doctor(&site);
    assert_eq!((exit, bad(&report, "daemon").len(), bad(&report, "trunk").len()), (0, 0, 0), "{report}");
    assert!(report.to_string().contains("and is ready"), "{report}");
    daemon.stop();

    fs::set_permissions(site.path("var/keys"), fs::Permissions::from_mode(0o644)).unwrap();
    let (exit, report) = doctor(&site);
    assert_eq!((exit, bad(&report, "keys file").len()), (1, 1), "{report}");
    fs::set_permissions(site.path("var/keys"), fs::Permissions::from_mode(0o600)).unwrap();

    site.write("campaigns/trial.yaml", "schema: goldenhour/v1\n");
    let (exit, report) = doctor(&site);
    assert_eq!((exit, bad(&report, "campaigns").len()), (1, 1), "{report}");
    drop(far);
}
