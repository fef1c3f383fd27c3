//! The commands that work on an installation's data, as their users run them: the real program, a real database.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const CONFIG: &str = r#"database: "sqlite://var/goldenhour.db"
trunks: { gw-a: { uri: "sip:127.0.0.1:5080", caller_ids: ["+999100000001"], max_calls: 10, max_cps: 5 } }
queues:
  card-sales: { uri: "sip:8001@gw-a", seats: 12 }
  card-care: { uri: "sip:8002@gw-a", seats: 4 }
"#;

const HEADER: &str = "contact_id,phone_e164,tz,lang,score,segment_tags,consent,attempts_used,attrs_json";

/// Planted in every list; nothing that the program says may hold one of them.
const CANARIES: [&str; 3] = ["999271828182", "canary-key-", "canary-attribute"];
const CANARY_NUMBER: &str = "+999271828182";
const CANARY_KEY: &str = "canary-key-1";

/// An installation of its own, with the campaigns that we ship.
struct Site {
    home: TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Site {
    fn new() -> Self {
        let site = Self { home: tempfile::tempdir().unwrap() };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns"), &site.path("campaigns"));
        fs::write(site.path("goldenhour.yaml"), CONFIG).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `command` with the configuration and everything logged, elsewhere than where the files are.
    fn run(&self, command: &[&str]) -> Said {
        self.run_with(command, Path::new("/"))
    }

    fn run_with(&self, command: &[&str], folder: &Path) -> Said {
        let (first, rest) = command.split_first().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_goldenhour"))
            .args(["--log", "trace", first, "--config"])
            .arg(self.path("goldenhour.yaml"))
            .args(rest)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
        for canary in CANARIES {
            assert!(!said.out.contains(canary) && !said.err.contains(canary), "{canary}\n{}\n{}", said.out, said.err);
        }
        said
    }

    /// In the home, where the lists are.
    fn import(&self, campaign: &str, list: &str, more: &[&str]) -> Said {
        let command = [&["import", "--campaign", campaign, list], more].concat();
        self.run_with(&command, self.home.path())
    }

    fn list(&self, name: &str, rows: &[String]) {
        fs::write(self.path(name), format!("{HEADER}\n{}", rows.concat())).unwrap();
    }

    /// What the database holds.
    fn holds(&self, what: &str) -> u64 {
        self.run(&["migrate", "--json"]).json()[what].as_u64().unwrap()
    }
}

impl Said {
    fn json(&self) -> Value {
        assert_eq!(self.out.trim_end().lines().count(), 1, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }

    #[track_caller]
    fn ended(&self, code: i32, out: &str, err: &str) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.out.contains(out) && self.err.contains(err), "{}{}", self.out, self.err);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Of the first three, one is the canary.
fn row(n: u32) -> String {
    let (key, number) = match n {
        1 => (CANARY_KEY.to_owned(), CANARY_NUMBER.to_owned()),
        _ => (format!("canary-key-{n}"), format!("+99920000{n:04}")),
    };
    format!("{key},{number},Asia/Shanghai,zh,0.{n},dpd=0;age=u30,1,0,\"{{\"\"x\"\":\"\"canary-attribute\"\"}}\"\n")
}

fn rows(count: u32) -> Vec<String> {
    (1..=count).map(row).collect()
}

#[test]
fn a_list_is_loaded_once() {
    let site = Site::new();
    site.list("a.csv", &rows(3));
    let first = site.import("activation", "a.csv", &["--json"]);
    first.ended(0, "", "");
    let report = first.json();
    assert_eq!(
        (&report["ok"], &report["status"], &report["rows"], &report["stored"]["new_leads"]),
        (&Value::from(true), &Value::from("loaded"), &Value::from(3), &Value::from(3))
    );
    let again = site.import("activation", "a.csv", &[]);
    again.ended(0, "loaded before, nothing changed", "");
    assert_eq!((site.holds("contacts"), site.holds("leads")), (3, 3));
    site.import("spending", "a.csv", &[]).ended(0, "new leads", "");
    assert_eq!((site.holds("contacts"), site.holds("leads")), (3, 6));
}

#[test]
fn nothing_personal_is_readable_on_the_disk_of_the_database() {
    let site = Site::new();
    site.list("a.csv", &rows(3));
    site.import("activation", "a.csv", &[]).ended(0, "", "");
    site.run(&["dnc", "add", CANARY_NUMBER]).ended(0, "", "");
    for entry in fs::read_dir(site.path("var")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for canary in ["999271828182", "canary-key-"] {
            let found = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!found, "{canary} in {}", path.display());
        }
    }
}

#[test]
fn a_dry_run_reports_and_writes_nothing() {
    let site = Site::new();
    site.list("a.csv", &[rows(3), vec!["canary-key-9,12,,,0.5,,1,0,\n".into()]].concat());
    let said = site.import("activation", "a.csv", &["--dry-run", "--json"]);
    said.ended(0, "", "");
    let report = said.json();
    assert_eq!((report["leads"].as_u64(), report["rejects"].as_u64()), (Some(3), Some(1)));
    assert!(!site.path("var").exists());
}

#[test]
fn rejects_lie_beside_the_database_without_what_they_held() {
    let site = Site::new();
    site.list("a.csv", &[rows(2), vec![format!("canary-key-9,{CANARY_NUMBER}0,,,1.5,,1,0,\n")]].concat());
    let said = site.import("activation", "a.csv", &[]);
    said.ended(0, "a.csv.activation.rejects.csv", "");
    let rejects = fs::read_to_string(site.path("var/a.csv.activation.rejects.csv")).unwrap();
    assert!(rejects.lines().count() > 1 && CANARIES.iter().all(|canary| !rejects.contains(canary)), "{rejects}");
}

#[test]
fn a_bad_file_imports_nothing_and_says_what_to_do() {
    let site = Site::new();
    let quote = format!("canary-key-2,\"{CANARY_NUMBER},,,0.5,,1,0,\n");
    site.list("quote.csv", &[rows(1), vec![quote]].concat());
    site.list("unusable.csv", &["canary-key-2,12,,,0.5,,1,0,\n".to_owned()]);
    site.list("empty.csv", &[]);
    fs::write(site.path("headless.csv"), row(1)).unwrap();
    fs::write(
        site.path("gbk.csv"),
        [HEADER.as_bytes(), b"\ncanary-key-2,+999200000002,\xd6\xd0,zh,0.5,,1,0,\n"].concat(),
    )
    .unwrap();
    for (list, code) in [
        ("quote.csv", "GH2002"),
        ("unusable.csv", "GH2008"),
        ("empty.csv", "GH2008"),
        ("headless.csv", "GH2009"),
        ("gbk.csv", "GH2001"),
        ("none.csv", "GH1015"),
    ] {
        for more in [&["--json"][..], &["--json", "--dry-run"]] {
            let said = site.import("activation", list, more);
            said.ended(1, "", &format!("error[{code}]: {list}: "));
            said.ended(1, "", " = help: ");
            assert_eq!((&said.json()["ok"], &said.json()["findings"][0]["code"]), (&false.into(), &code.into()));
        }
    }
    assert_eq!((site.holds("contacts"), site.holds("leads")), (0, 0));
}

#[test]
fn the_command_line_and_the_configuration_have_codes_of_their_own() {
    let site = Site::new();
    site.list("a.csv", &rows(1));
    site.import("activation", "a.csv", &["--fast"]).ended(2, "", "--fast");
    site.import("activation", "a.csv", &["--dry-run", "--encoding", "klingon"]).ended(2, "", "GH2001");
    site.import("activation", "a.csv", &[CANARY_NUMBER]).ended(2, "", "+9992****8182");
    site.import("activaton", "a.csv", &[]).ended(3, "", "did you mean `activation`?");
    fs::write(site.path("campaigns/broken.yaml"), "schema: goldenhour/v1\n").unwrap();
    site.import("activation", "a.csv", &[]).ended(3, "", "broken.yaml");
    fs::write(site.path("goldenhour.yaml"), "databse: x\n").unwrap();
    site.import("activation", "a.csv", &[]).ended(3, "", "did you mean `database`?");
    fs::remove_file(site.path("goldenhour.yaml")).unwrap();
    let said = site.import("activation", "a.csv", &["--json"]);
    said.ended(3, "", "GH1015");
    assert_eq!(said.json()["exit"], 3);
    assert!(!site.path("var").exists());
}

#[test]
fn a_database_that_cannot_be_opened_is_unreachable() {
    let site = Site::new();
    site.list("a.csv", &rows(1));
    fs::write(site.path("var"), "a file where the folder should be").unwrap();
    for command in [&["migrate"][..], &["dnc", "list"], &["pause", "--all"]] {
        site.run(command).ended(4, "", "error[GH30");
    }
    site.import("activation", "a.csv", &[]).ended(4, "", "error[GH30");
    fs::remove_file(site.path("var")).unwrap();
    site.run(&["migrate"]).ended(0, "up to date", "");
    fs::write(site.path("var/goldenhour.db"), "not a database, but long enough to be looked at".repeat(20)).unwrap();
    site.run(&["migrate"]).ended(4, "", "error[GH30");
    fs::remove_file(site.path("var/goldenhour.db")).unwrap();
    fs::write(site.path("var/keys"), "blind 00\n").unwrap();
    site.run(&["migrate"]).ended(4, "", "error[GH3009]");
}

#[test]
fn an_export_of_nothing_is_empty_and_fine() {
    let site = Site::new();
    let out = site.path("out").display().to_string();
    for format in ["csv", "jsonl"] {
        let said = site.run(&["export", "--format", format, "--out", &out, "--features", "--json"]);
        said.ended(0, "", "");
        assert_eq!((&said.json()["rows"], &said.json()["cursor"]), (&0.into(), &0.into()));
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    let sheet = ["export", "--format", "csv", "--out", &out, "--profile", "spreadsheet", "--from-start"];
    site.run(&sheet).ended(0, "spreadsheet profile", "");
    let parquet = site.run(&["export", "--format", "parquet", "--out", &out]);
    parquet.ended(2, "", "error[GH1008]");
    fs::write(site.path("file"), "").unwrap();
    let file = site.path("file").display().to_string();
    site.run(&["export", "--format", "csv", "--out", &file]).ended(1, "", "error[GH2020]");
}

#[test]
fn labels_of_unknown_attempts_are_rejected_with_their_lines() {
    let site = Site::new();
    let labels = format!("customer_key,disposition,at\n{CANARY_KEY},accepted,2025-01-01\n");
    fs::write(site.path("sales.csv"), labels).unwrap();
    let file = site.path("sales.csv").display().to_string();
    let said = site.run(&["outcomes", "import", &file, "--json"]);
    said.ended(1, "", "error[GH2017]");
    assert_eq!((&said.json()["rejects"], &said.json()["added"]), (&1.into(), &0.into()));
    assert!(site.path("var/sales.csv.rejects.csv").exists());
    site.run(&["outcomes", "import", "none.csv"]).ended(1, "", "error[GH1015]");
    site.run(&["outcomes", "export", &file]).ended(2, "", "export");
}

#[test]
fn a_number_is_put_on_the_do_not_call_list_and_taken_off() {
    let site = Site::new();
    let added = site.run(&["dnc", "add", CANARY_NUMBER, "--reason", "asked by letter", "--json"]);
    added.ended(0, "", "");
    let fingerprint = added.json()["fingerprint"].as_str().unwrap().to_owned();
    let listed = site.run(&["dnc", "list"]);
    listed.ended(0, "+9992****8182", "");
    listed.ended(0, &fingerprint, "");
    listed.ended(0, "asked by letter", "");
    // As another list writes the same number.
    let found = site.run(&["dnc", "list", " +999 271-828-182", "--json"]).json();
    assert_eq!(found["entries"][0]["fingerprint"], Value::from(fingerprint));
    site.run(&["dnc", "list", "+999200000001"]).ended(0, "no entry", "");
    site.run(&["dnc", "remove", CANARY_NUMBER]).ended(0, "is off", "");
    site.run(&["dnc", "remove", CANARY_NUMBER]).ended(0, "nothing changed", "");
    site.run(&["dnc", "list"]).ended(0, "no entry", "");
    let all = site.run(&["dnc", "list", "--all", "--json"]).json();
    assert!(all["entries"][0]["removed_at"].is_string(), "{all}");
}

#[test]
fn a_number_without_a_country_code_is_refused_until_the_country_is_known() {
    let site = Site::new();
    let row = |key: &str| format!("{key},2125550123,Asia/Shanghai,zh-CN,0.5,,1,0,{{}}\n");
    site.list("national.csv", &[row("k1")]);
    site.import("activation", "national.csv", &[]).ended(1, "no country code", "GH2008");
    assert_eq!(site.holds("leads"), 0);
    site.run(&["dnc", "add", "2125550123"]).ended(2, "", "no country code");

    let with_country = format!("{CONFIG}country: US\n");
    fs::write(site.path("goldenhour.yaml"), with_country).unwrap();
    site.import("activation", "national.csv", &[]).ended(0, "", "");
    let added = site.run(&["dnc", "add", "(212) 555-0123", "--json"]).json();
    assert_eq!(added["masked"], Value::from("+121****0123"));

    // A campaign may have lists of another country.
    let file = site.path("campaigns/activation.yaml");
    let yaml = fs::read_to_string(&file).unwrap().replacen("list:\n", "list:\n  country: GB\n", 1);
    fs::write(&file, yaml).unwrap();
    site.list("british.csv", &[row("k2")]);
    site.import("activation", "british.csv", &[]).ended(1, "GH2003", "GH2008");
}

#[test]
fn a_customer_brings_every_number_they_have() {
    let site = Site::new();
    site.list("a.csv", &rows(3));
    site.import("activation", "a.csv", &[]).ended(0, "", "");
    let until = "2999-01-01T00:00:00Z";
    site.run(&["dnc", "add", "--customer", CANARY_KEY, "--until", until]).ended(0, "at least", "");
    let listed = site.run(&["dnc", "list", "--json"]).json();
    let mut kinds: Vec<&str> =
        listed["entries"].as_array().unwrap().iter().filter_map(|e| e["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["customer", "phone"]);
    assert_eq!(listed["entries"][1]["until"], Value::from("2999-01-01T00:00:00.000000Z"));
    let short = site.run(&["dnc", "list", "--limit", "1", "--json"]).json();
    assert_eq!((short["entries"].as_array().unwrap().len(), &short["more"]), (1, &true.into()));
    site.run(&["dnc", "remove", "--customer", CANARY_KEY]).ended(0, "numbers stay", "");
    assert_eq!(site.holds("dnc"), 1);
}

#[test]
fn what_makes_no_sense_of_the_do_not_call_list_is_a_usage_error() {
    let site = Site::new();
    for (command, expected) in [
        (&["add"][..], "NUMBER"),
        (&["add", "12"], "GH2003"),
        (&["add", CANARY_NUMBER, "--customer", CANARY_KEY], "cannot be used with"),
        (&["add", CANARY_NUMBER, "--until", "2001-01-01T00:00:00Z"], "past"),
        (&["add", CANARY_NUMBER, "--until", "tomorrow"], "tomorrow"),
        (&["list", "--reason", "x"], "add"),
        (&[CANARY_NUMBER], "+9992****8182"),
    ] {
        site.run(&[&["dnc"], command].concat()).ended(2, "", expected);
    }
    assert!(!site.path("var").exists());
}

#[test]
fn campaigns_are_paused_by_name_and_together() {
    let site = Site::new();
    let unknown = site.run(&["pause", "activaton", "--json"]);
    unknown.ended(3, "", "did you mean `activation`?");
    assert_eq!(unknown.json()["findings"][0]["code"], "GH1009");
    site.run(&["resume", "nobody"]).ended(3, "", "GH1009");
    // Before its first list, and in a folder that does not load any more.
    let paused = site.run(&["pause", "activation", "--json"]).json();
    assert_eq!((&paused["paused"], &paused["paused_by_name"]), (&true.into(), &1.into()));
    fs::write(site.path("campaigns/broken.yaml"), "schema: goldenhour/v1\n").unwrap();
    site.run(&["pause", "--all"]).ended(0, "everything is paused", "");
    site.run(&["resume", "activation"]).ended(0, "but everything is paused", "");
    site.run(&["pause", "activation"]).ended(0, "activation is paused", "");
    site.run(&["resume", "--all"]).ended(0, "1 campaign stays paused", "");
    let resumed = site.run(&["resume", "activation", "--json"]).json();
    assert_eq!((&resumed["all_paused"], &resumed["paused_by_name"]), (&false.into(), &0.into()));
    site.run(&["pause"]).ended(2, "", "NAME");
    site.run(&["pause", "activation", "--all"]).ended(2, "", "cannot be used with");
}

#[test]
fn a_list_is_taken_in_while_others_read_and_write_the_same_database() {
    let site = Site::new();
    let mut many = String::new();
    for n in 10..3_010 {
        writeln!(many, "canary-key-{n},+99920000{n:04},Asia/Shanghai,zh,0.5,,1,0,").unwrap();
    }
    fs::write(site.path("many.csv"), format!("{HEADER}\n{many}")).unwrap();
    std::thread::scope(|scope| {
        let import = scope.spawn(|| site.import("activation", "many.csv", &[]));
        for n in 0..8 {
            site.run(&["dnc", "add", &format!("+99930000000{n}")]).ended(0, "", "");
            site.run(&["pause", "--all"]).ended(0, "", "");
        }
        import.join().unwrap().ended(0, "", "");
    });
    assert_eq!((site.holds("leads"), site.holds("dnc")), (3_000, 8));
}
