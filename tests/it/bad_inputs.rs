//! The fifteen bad inputs of docs/LISTS.md, each as somebody would meet it, beside a daemon that is running: every one is
//! refused or set right with its code, its place and what to do, nothing of it is loaded, and the daemon goes on.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::daemon::{Daemon, Setup, Site, until};
use crate::lists::{import, site};
use crate::trial::{self, Trial};

/// The daemon answers, is ready, has not panicked, and the database holds these leads and no more.
#[track_caller]
fn assert_unharmed(what: &str, site: &Site, daemon: &Daemon, leads: i64) {
    for path in ["/livez", "/readyz"] {
        assert_eq!(daemon.get(path).get(9..12), Some("200"), "{what}: {path}");
    }
    assert_eq!(site.number("SELECT count(*) FROM lead"), leads, "{what}");
    assert!(!daemon.log().contains("panicked"), "{what}: {}", daemon.log());
}

/// What `check` says of a file, which it must refuse.
fn check(site: &Site, file: &str) -> Vec<Value> {
    let mut check = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    let output = check.args(["check", "--json"]).arg(site.path(file)).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    said["findings"].as_array().unwrap().clone()
}

/// Each line is nine times the line before.
fn alias_bomb() -> String {
    (1..12).fold("a0: &a0 [lol]\n".to_owned(), |mut text, n| {
        let again = vec![format!("*a{}", n - 1); 9].join(", ");
        writeln!(text, "a{n}: &a{n} [{again}]").unwrap();
        text
    })
}

#[test]
fn numbers_1_to_5_yaml_that_is_not_what_it_seems() {
    let site = Site::new(&Setup::default());
    Trial::default().write(&site);
    let mut daemon = site.serve(&[]);
    let good = Trial { name: "bad", ..Trial::default() }.text();
    let behind = good.lines().count() + 1;
    let misspelt = good.replace("flow:", "golden_hours: { mdoe: only }\nflow:");
    let at = misspelt.lines().position(|line| line.starts_with("golden_hours")).unwrap() + 1;
    for (number, text, code, place, said, help) in [
        (
            1,
            format!("{good}{}", alias_bomb()),
            "GH1001",
            (behind, 5),
            "anchors are not allowed: &a0",
            "write the value",
        ),
        (1, alias_bomb(), "GH1001", (1, 5), "anchors are not allowed: &a0", "write the value"),
        (
            1,
            format!("{good}again: *gone\n"),
            "GH1001",
            (behind, 8),
            "aliases are not allowed: *gone",
            "write the value",
        ),
        (2, "[".repeat(100_000), "GH1002", (1, 33), "nested deeper than 32", "close what was opened"),
        (2, " ".repeat(300_000), "GH1002", (1, 1), "300000 bytes", "is this one?"),
        (3, misspelt, "GH1003", (at, 17), "`mdoe`", "did you mean `mode`?"),
        (4, format!("{good}title: again\n"), "GH1004", (behind, 1), "the first is on line 3", "keep one of them"),
        (5, format!("{good}---\n{good}"), "GH1000", (behind, 1), "a second document", "make two files"),
        (
            5,
            good.replace("A trial", "!!binary aGk="),
            "GH1000",
            (3, 8),
            "tags are not allowed: !!binary",
            "take it out",
        ),
    ] {
        site.write("campaigns/bad.yaml", &text);
        let findings = check(&site, "campaigns");
        let found = findings.iter().find(|finding| finding["code"] == code);
        let found = found.unwrap_or_else(|| panic!("number {number}: {code} is not among {findings:#?}"));
        let found_at = (found["line"].as_u64().unwrap() as usize, found["column"].as_u64().unwrap() as usize);
        assert_eq!(found_at, place, "number {number}: {found}");
        assert!(found["message"].as_str().unwrap().contains(said), "number {number}: {found}");
        assert!(found["help"].as_str().is_some_and(|text| text.contains(help)), "number {number}: {found}");
        let refused = |daemon: &Daemon| daemon.metric("goldenhour_config_reloads_total", &["result=\"refused\""]);
        let before = refused(&daemon);
        daemon.process().signal("HUP");
        until("it is not reloaded", || refused(&daemon) > before + 0.5);
        assert_unharmed(&format!("number {number}"), &site, &daemon, 0);
    }
    fs::remove_file(site.path("campaigns/bad.yaml")).unwrap();
    daemon.reload();
    daemon.stop();
}

/// A list of good rows around `line`, which is its third.
fn with(line: &str) -> String {
    let good = trial::rows(1, "Asia/Shanghai", 2);
    let (first, last) = good.split_once('\n').unwrap();
    format!("{}\n{first}\n{line}\n{last}", trial::HEADER)
}

#[test]
fn numbers_6_to_14_lists_that_stop_nobody_and_lose_nothing_silently() {
    let site = site("", "");
    let daemon = site.serve(&[]);
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let chinese = with("客户,+999200000001,Asia/Shanghai,0.5,1");
    let header = trial::HEADER;
    // What stops the whole file: the code, the place, what to do.
    for (number, list, code, place, help) in [
        (7, gb(&chinese), "GH2001", "line 3", "--encoding gb18030"),
        (7, wide(&format!("\u{feff}{chinese}")), "GH2001", "line 1", "--encoding utf-16le"),
        (9, with("k,+999200000001,\"Asia/Shanghai,0.5,1").into(), "GH2002", "opened at line 3", "close it"),
        (9, with("\"k\n\",+999200000001,,0.5,1").into(), "GH2002", "opened at line 3", "close it"),
        (10, with("").replacen("score", "sc\0ore", 1).into(), "GH2004", "line 1, column 4", "save the header"),
        (11, with(&"x".repeat(70_000)).into(), "GH2005", "line 3", "16384 bytes"),
        (12, Vec::new(), "GH2008", "no content", "failed export"),
        (12, format!("{header}\n").into(), "GH2008", "a header and no row", "failed export"),
        (12, trial::rows(1, "", 3).into(), "GH2009", "`contact_id`", "first line"),
        (12, with("").replace("contact_id", "contact-id").into(), "GH2009", "`contact_id`", "`contact-id`"),
    ] {
        fs::write(site.path("bad.csv"), list).unwrap();
        let said = import(&site, &["bad.csv"]);
        let message = said.refused(1, code);
        assert!(message.contains(place), "number {number}: {message}");
        let hint = said.json["findings"][0]["help"].as_str().unwrap();
        assert!(hint.contains(help), "number {number}: {hint}");
        assert_unharmed(&format!("number {number}"), &site, &daemon, 0);
    }
    // What costs one row: its line and column, the code, and the reason with nothing of the value.
    for (number, line, code, column, reason) in [
        (6, "k,1.38e10,,0.5,1", "GH2003", "phone_e164", "not a dialable number"),
        (6, "k,９９９２００００００１,,0.5,1", "GH2003", "phone_e164", "not a dialable number"),
        (6, "k,0123,,0.5,1", "GH2003", "phone_e164", "not a dialable number"),
        (10, "k\0,+999200000001,,0.5,1", "GH2004", "contact_id", "U+0000"),
        (10, "k\u{202e},+999200000001,,0.5,1", "GH2004", "contact_id", "U+202E"),
        (12, "k,+999200000001", "GH2006", "", "2 cells, the header has 5"),
        (12, "k,+999200000001,,0.5,1,2,3", "GH2006", "", "7 cells, the header has 5"),
        (13, "k1-0,+999200000001,,0.9,1", "GH2010", "", "stood in an earlier row"),
        (14, "k,+999200000001,,NaN,1", "GH2007", "score", "NaN"),
        (14, "k,+999200000001,,1.2,1", "GH2007", "score", "between 0 and 1"),
        (14, "k,+999200000001,,-0.1,1", "GH2007", "score", "between 0 and 1"),
        (14, "k,+999200000001,,\"0,83\",1", "GH2007", "score", "has a comma"),
    ] {
        site.write("bad.csv", &with(line));
        let said = import(&site, &["bad.csv"]);
        assert_eq!((said.code, &said.json["leads"], &said.json["rejects"]), (0, &2.into(), &1.into()), "{number}");
        let reject = &said.json["first_rejects"][0];
        assert_eq!((&reject["line"], &reject["code"]), (&3.into(), &code.into()), "number {number}: {reject}");
        assert_eq!(reject["column"].as_str().unwrap_or(""), column, "number {number}: {reject}");
        assert!(reject["reason"].as_str().unwrap().contains(reason), "number {number}: {reject}");
        let file = fs::read_to_string(site.path("var/bad.csv.trial.rejects.csv")).unwrap();
        assert!(file.contains(&format!("3,{column},{code},")) && !file.contains("+999"), "number {number}: {file}");
        assert!(fs::metadata(format!("{}/docs/errors/{code}.md", env!("CARGO_MANIFEST_DIR"))).is_ok());
        assert_unharmed(&format!("number {number}"), &site, &daemon, 2);
    }
    // 8: set right, and noted.
    site.write("bom.csv", &format!("\u{feff}{}", with("k8,+999200000008,,0.5,1")));
    let said = import(&site, &["bom.csv"]);
    assert_eq!((&said.json["had_bom"], &said.json["leads"]), (&true.into(), &3.into()), "{}", said.json);
    // 13: one number of two people is one number, whose caps they share.
    site.write("shared.csv", &with("k13,+999100000000,,0.5,1"));
    let said = import(&site, &["shared.csv"]);
    assert_eq!((&said.json["leads"], &said.json["shared_phones"]), (&3.into(), &1.into()), "{}", said.json);
    assert_unharmed("numbers 8 and 13", &site, &daemon, 4);
    daemon.stop();
}

/// The most memory that a process ever had, in KiB (proc_pid_status(5)).
fn peak_kib(daemon: &mut Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.process().id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn number_11_ten_gigabytes_in_one_line_cost_a_dialling_daemon_no_memory() {
    let feeds = "feeds: [{ campaign: trial, source: fifo, cron: \"5 2 1 12 *\" }]\n";
    let site = site("", feeds);
    let fifo = site.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut daemon = site.serve(&["--clock-start", "2026-12-01T02:04:30Z", "--clock-rate", "10"]);
    let idle = peak_kib(&mut daemon);
    let writer = thread::spawn(move || {
        let mut pipe = fs::File::options().write(true).open(fifo).unwrap();
        pipe.write_all(trial::HEADER.as_bytes()).unwrap();
        pipe.write_all(b"\n").unwrap();
        let chunk = vec![b'x'; 1 << 20];
        (0..10_240).take_while(|_| pipe.write_all(&chunk).is_ok()).count()
    });
    until("the feed has failed", || daemon.metric("goldenhour_feed_runs_total", &["result=\"failed\""]) > 0.5);
    assert!(writer.join().unwrap() < 16, "it was read to its end");
    let peak = peak_kib(&mut daemon);
    assert!(peak < idle + 64 * 1024, "from {idle} to {peak} KiB");
    assert!(daemon.log().contains("GH2005"), "{}", daemon.log());
    assert_unharmed("number 11", &site, &daemon, 0);
    daemon.stop();
}

#[test]
fn number_15_formulas_are_text_here_and_harmless_in_a_spreadsheet() {
    let site = site("tags: note, ", "");
    let formulas = ["=HYPERLINK(A1)", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3"];
    let mut list = format!("{},note\n", trial::HEADER);
    for (n, formula) in formulas.iter().enumerate() {
        writeln!(list, "=k{n},{},Asia/Shanghai,0.5,1,{formula}", trial::number(1, n as u32)).unwrap();
    }
    site.write("list.csv", &list);
    assert_eq!(import(&site, &["list.csv"]).json["leads"], 4);
    let _far = site.far_end(&trial::town(0, r#"{ "1": 0% }"#, ""), &[]);
    let daemon = site.serve(&[]);
    until("all have outcomes", || site.number("SELECT count(*) FROM outcome") == 4);
    let sealed = || {
        let more = ["--format", "csv", "--features", "--from-start", "--out"];
        for profile in ["machine", "spreadsheet"] {
            let out = site.path(profile);
            site.run("export", &[&["--profile", profile][..], &more, &[out.to_str().unwrap()]].concat());
        }
        exported(&site, "machine").contains("@SUM(1)")
    };
    until("they are sealed and exported", sealed);
    let (machine, spreadsheet) = (exported(&site, "machine"), exported(&site, "spreadsheet"));
    for formula in formulas {
        assert!(machine.contains(&format!(",{formula},")), "{formula}: {machine}");
        assert!(spreadsheet.contains(&format!(",'{formula},")), "{formula}: {spreadsheet}");
    }
    assert!(machine.contains(",=k0,"), "{machine}");
    for start in [",=", ",+", ",@", "\n=", ",\"="] {
        assert!(!spreadsheet.contains(start), "{start}: {spreadsheet}");
    }
    assert_unharmed("number 15", &site, &daemon, 4);
    daemon.stop();
}

/// The files of all days of an export, one behind the other.
fn exported(site: &Site, folder: &str) -> String {
    let days = fs::read_dir(site.path(folder)).into_iter().flatten().flatten();
    let files = days.flat_map(|day| fs::read_dir(day.path()).into_iter().flatten().flatten());
    files.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
}
