//! Lists from everywhere but a plain file: a view, a server, a pipe, a workbook; by hand and by the daemon's clock.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::daemon::{Setup, Site, command, until};
use crate::trial::{self, Trial};

/// A site with the trial's campaign, `list_more` in its `list:` and `config` behind its configuration.
pub(crate) fn site(list_more: &str, config: &str) -> Site {
    let site = Site::new(&Setup::default());
    Trial::default().write(&site);
    let campaign = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    let campaign = campaign.replace("list: { key:", &format!("list: {{ {list_more}key:"));
    site.write("campaigns/trial.yaml", &campaign);
    let known = fs::read_to_string(site.path("goldenhour.yaml")).unwrap();
    site.write("goldenhour.yaml", &format!("{known}{config}"));
    site
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) json: Value,
}

/// `import --json`, whatever comes of it.
pub(crate) fn import(site: &Site, more: &[&str]) -> Said {
    let output = command("import", &site.path("goldenhour.yaml"))
        .args(["--campaign", "trial", "--json"])
        .args(more)
        .current_dir(site.path(""))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let json =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    Said { code: output.status.code().unwrap(), json }
}

impl Said {
    #[track_caller]
    pub(crate) fn refused(&self, exit: i32, code: &str) -> String {
        assert_eq!(self.code, exit, "{}", self.json);
        let finding = &self.json["findings"][0];
        assert_eq!(finding["code"], code, "{}", self.json);
        assert!(finding["help"].is_string(), "{}", self.json);
        finding["message"].as_str().unwrap().to_owned()
    }
}

fn list(rows: u32) -> String {
    format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", rows))
}

/// A server for one path; says how often it was asked, and what the last request was.
struct Server {
    url: String,
    status: Arc<AtomicU16>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start(body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (status, asked) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicUsize::new(0)));
        let server = Self { url, status: Arc::clone(&status), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                asked.fetch_add(1, Ordering::Relaxed);
                answer(stream.unwrap(), status.load(Ordering::Relaxed), &body);
            }
        });
        server
    }
}

/// Only with the token of the tests, and only below `/lists/`.
fn answer(mut stream: TcpStream, status: u16, body: &str) {
    let mut request = Vec::new();
    let mut byte = [0; 1];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap().to_lowercase();
    let known = request.starts_with("get /lists/leads.csv ") && request.contains("authorization: bearer t0ken");
    let status = if known { status } else { 403 };
    let body = if status == 200 { body } else { "no" };
    let more = if status == 302 { "Location: /lists/leads.csv\r\n" } else { "" };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n", body.len());
    // Whoever asked may have heard enough.
    let _sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

fn database(site: &Site, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(site.path("dw.db")).create_if_missing(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    });
}

const VIEW: &str = "CREATE TABLE customer(id TEXT, mobile TEXT, p REAL, agreed INTEGER);
    INSERT INTO customer VALUES ('k1', '+999100000001', 0.12345678901234566, 1), ('k2', '+999100000002', 0.5, 0),
        ('k3', 'twelve', 0.5, 1), ('k4', '+999100000004', NULL, 1);
    CREATE VIEW leads AS SELECT id AS contact_id, mobile AS phone_e164, 'Asia/Shanghai' AS tz, p AS score,
        agreed AS consent FROM customer;";

#[test]
fn a_view_is_loaded_with_its_rejects_and_manifest_and_again_changes_nothing() {
    let site = site("", "sources: { dw: { database: \"sqlite://dw.db\" } }\n");
    database(&site, VIEW);
    let said = import(&site, &["sql:leads"]);
    assert_eq!(
        (said.code, &said.json["status"], &said.json["leads"]),
        (0, &"loaded".into(), &2.into()),
        "{}",
        said.json
    );
    let codes = &said.json["rejects_by_code"];
    assert_eq!((&codes["GH2003"], &codes["GH2007"]), (&1.into(), &1.into()));
    // Not a digit of a score is lost on the way.
    assert_eq!(site.number("SELECT count(*) FROM listed WHERE score = 0.12345678901234566"), 1);
    let manifest: Value =
        serde_json::from_slice(&fs::read(site.path("var/sql-leads.trial.manifest.json")).unwrap()).unwrap();
    assert_eq!(
        (&manifest["rows"], &manifest["leads"], &manifest["sha256"]),
        (&4.into(), &2.into(), &said.json["sha256"])
    );
    let rejects = fs::read_to_string(site.path("var/sql-leads.trial.rejects.csv")).unwrap();
    assert!(rejects.contains("4,phone_e164,GH2003") && !rejects.contains("twelve"), "{rejects}");
    assert_eq!(import(&site, &["sql:dw/leads"]).json["status"], "unchanged");
    import(&site, &["sql:nobody"]).refused(4, "GH2026");
    import(&site, &["sql:wd/leads"]).refused(2, "GH2025");
    import(&site, &["sql:leads; drop table customer"]).refused(2, "GH2025");
}

#[test]
fn a_newer_view_updates_scores_and_keeps_what_the_older_one_said() {
    let site = site("source: \"sql:leads\", ", "sources: { dw: { database: \"sqlite://dw.db\" } }\n");
    database(&site, VIEW);
    assert_eq!(import(&site, &[]).code, 0);
    database(&site, "UPDATE customer SET p = 0.9 WHERE id = 'k2'");
    let said = import(&site, &[]);
    let stored = &said.json["stored"];
    assert_eq!((&stored["updated_leads"], &stored["unchanged_leads"]), (&1.into(), &1.into()), "{}", said.json);
    let scores: Vec<[String; 1]> = site.texts(
        "SELECT group_concat(score, ' ') FROM (SELECT lead, score FROM listed ORDER BY lead, list) GROUP BY lead",
    );
    assert!(scores.contains(&["0.5 0.9".to_owned()]), "{scores:?}");
}

#[test]
fn a_server_gives_its_list_to_who_has_the_token_and_redirects_lead_nowhere() {
    let server = Server::start(list(5));
    let site = site("", &format!("sources: {{ crm: {{ url: \"{}/lists\", token_file: t }} }}\n", server.url));
    site.write("t", "t0ken\n");
    let said = import(&site, &["http:crm/leads.csv"]);
    assert_eq!((said.code, &said.json["leads"]), (0, &5.into()), "{}", said.json);
    let message = import(&site, &["http:crm/other.csv"]).refused(4, "GH2026");
    assert!(message.contains("403"), "{message}");
    server.status.store(302, Ordering::Relaxed);
    let asked = server.asked.load(Ordering::Relaxed);
    import(&site, &["http:crm/leads.csv"]).refused(4, "GH2026");
    assert_eq!(server.asked.load(Ordering::Relaxed), asked + 1);
    // Without the token of the configuration a URL is only a URL.
    import(&site, &[&format!("{}/lists/leads.csv", server.url)]).refused(4, "GH2026");
    assert_eq!(site.number("SELECT count(*) FROM lead"), 5);
}

#[test]
fn an_endless_line_through_a_pipe_stops_early_and_a_whole_list_through_one_is_loaded() {
    let site = site("", "");
    let fifo = site.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let writer = thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut pipe = fs::File::options().write(true).open(fifo).unwrap();
            pipe.write_all(trial::HEADER.as_bytes()).unwrap();
            pipe.write_all(b"\n").unwrap();
            let chunk = vec![b'x'; 1 << 20];
            // 10 GiB, if anybody reads them.
            (0..10_240).take_while(|_| pipe.write_all(&chunk).is_ok()).count()
        }
    });
    let message = import(&site, &["fifo"]).refused(1, "GH2005");
    assert!(message.contains("line 2 is longer than 65536 bytes"), "{message}");
    assert!(writer.join().unwrap() < 16);
    let writer = thread::spawn(move || fs::write(fifo, list(3)).unwrap());
    assert_eq!(import(&site, &["fifo"]).json["leads"], 3);
    writer.join().unwrap();
}

#[test]
fn refuse_if_keeps_a_list_out_and_the_one_before_in_force() {
    let rules =
        "refuse_if: { rows_below: 20, duplicate_keys_above: 1%, missing_score_above: 2%, score_psi_above: 0.25 }, ";
    let site = site(rules, "");
    site.write("good.csv", &list(100));
    assert_eq!(import(&site, &["good.csv"]).code, 0);
    site.write("short.csv", &list(19));
    let short = import(&site, &["short.csv"]).refused(5, "GH2021");
    assert!(short.contains("rows_below is 20"), "{short}");
    site.write("twice.csv", &format!("{}{}", list(100), trial::rows(1, "Asia/Shanghai", 2)));
    let twice = import(&site, &["twice.csv"]).refused(5, "GH2021");
    assert!(twice.contains("2 of 102 rows repeat a customer key"), "{twice}");
    site.write("moved.csv", &list(100).replace(",0.", ",0.0"));
    let moved = import(&site, &["moved.csv", "--dry-run"]).refused(5, "GH2021");
    assert!(moved.contains("the scores have moved by"), "{moved}");
    assert_eq!(import(&site, &["moved.csv"]).refused(5, "GH2021"), moved);
    assert_eq!(site.number("SELECT count(*) FROM list"), 1);
    assert_eq!(site.number("SELECT count(*) FROM lead"), 100);
}

#[test]
fn a_list_is_held_to_the_manifest_beside_it() {
    let site = site("", "");
    site.write("a.csv", &list(3));
    site.write("a.csv.manifest.json", "{ \"rows\": 4 }");
    let message = import(&site, &["a.csv"]).refused(1, "GH2022");
    assert!(message.contains("3 rows, it says 4"), "{message}");
    assert_eq!(site.number("SELECT count(*) FROM lead"), 0);
    site.write("a.csv.manifest.json", "{ \"rows\": 3 }");
    assert_eq!(import(&site, &["a.csv"]).json["leads"], 3);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_refused_by_the_name_of_its_feature() {
    let site = site("", "");
    site.write("a.parquet", "PAR1 and so on");
    assert!(import(&site, &["a.parquet"]).refused(1, "GH2024").contains("`parquet`"));
}

#[test]
fn a_workbook_is_told_by_its_first_bytes() {
    let site = site("", "");
    site.write("a.csv", "PK\u{3}\u{4} no workbook");
    import(&site, &["a.csv"]).refused(1, "GH2023");
}

#[test]
fn feeds_and_exports_run_by_the_clock_and_a_broken_one_harms_nobody() {
    let server = Server::start(list(7));
    let config = format!(
        "sources: {{ crm: {{ url: \"{}/lists\", token_file: t }} }}\nfeeds:\n  \
         - {{ campaign: trial, source: \"http:crm/leads.csv\", cron: \"* * * * *\", zone: \"Asia/Shanghai\" }}\n  \
         - {{ campaign: nobody, source: \"http:crm/leads.csv\", cron: \"* * * * *\" }}\n\
         exports: [{{ cron: \"* * * * *\", format: jsonl, dir: out }}]\n",
        server.url
    );
    let site = site("", &config);
    site.write("t", "t0ken\n");
    let daemon = site.serve(&["--clock-start", "2026-12-01T02:00:00Z", "--clock-rate", "60"]);
    let runs = |campaign: &str, result: &str| {
        let labels = [format!("campaign=\"{campaign}\""), format!("result=\"{result}\"")];
        daemon.metric("goldenhour_feed_runs_total", &[&labels[0], &labels[1]])
    };
    until("the feed has brought its list twice", || {
        runs("trial", "loaded") >= 1.0 && runs("trial", "unchanged") >= 1.0 && runs("nobody", "failed") >= 1.0
    });
    until("outcomes are exported", || daemon.metric("goldenhour_export_runs_total", &["result=\"written\""]) >= 1.0);
    assert_eq!(site.number("SELECT count(*) FROM lead"), 7);
    server.status.store(500, Ordering::Relaxed);
    until("the feed fails and is counted", || runs("trial", "failed") >= 1.0);
    assert!(daemon.get("/livez").contains("200"));
    assert!(!daemon.log().contains("t0ken"));
    daemon.stop();
}

/// The shell's own way: `zcat list.gz | goldenhour import /dev/stdin`.
#[test]
fn standard_input_is_a_pipe_like_any_other() {
    let site = site("", "");
    let mut child = command("import", &site.path("goldenhour.yaml"))
        .args(["--campaign", "trial", "--json", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(list(4).as_bytes()).unwrap();
    let said: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said["leads"], 4);
}
