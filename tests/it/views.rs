//! Lists from views of a real PostgreSQL server, by hand and by the daemon's clock.

use std::fs;

use serde_json::Value;

use crate::daemon::{Site, until};
use crate::lists::{import, site};
use crate::postgres::{PASSWORD, SUPERUSER, Server};

/// A site whose one source is the server, read by `user`.
fn reading(server: &Server, user: &str, list_more: &str, config: &str) -> Site {
    let source = format!("sources: {{ dw: {{ database: \"{}\", password_file: pw }} }}\n", server.url(user));
    let site = site(list_more, &format!("{source}{config}"));
    site.write("pw", &format!("{PASSWORD}\n"));
    site
}

const TABLE: &str = "CREATE DOMAIN share AS double precision CHECK (VALUE >= 0);
    CREATE TYPE tier AS ENUM ('gold', 'blue');
    CREATE TABLE customer(id varchar(20), mobile text, p share, agreed boolean, opened timestamptz, seen timestamp,
        born date, credit numeric(12, 2), visits bigint, level tier, note text);
    INSERT INTO customer VALUES
        ('k1', '+999100000001', 0.12345678901234566, true, '2026-12-01 09:30:00.5+08', '2026-12-01 09:30:00', '1980-02-29',
         12345.60, 9007199254740993, 'gold', E'two\\nlines, \"quoted\"'),
        ('k2', '+999100000002', 0.5, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('k3', 'twelve', 0.5, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('k4', '+999100000004', NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE SCHEMA mart;
    CREATE VIEW mart.leads AS SELECT id AS contact_id, mobile AS phone_e164, 'Asia/Shanghai' AS tz, p AS score,
        agreed AS consent, opened, seen, born, credit, visits, level, note FROM customer;";

const COLUMNS: &str = "columns: { opened: { type: time, from: opened }, born: { type: time, from: born }, \
                       credit: { type: number, from: credit }, visits: { type: integer, from: visits }, \
                       level: { type: text, from: level } }, ";

#[test]
fn a_view_of_every_type_is_loaded_with_every_digit_and_again_changes_nothing() {
    let server = Server::start();
    server.execute(TABLE);
    let site = reading(&server, SUPERUSER, COLUMNS, "");
    let said = import(&site, &["sql:mart.leads"]);
    assert_eq!((said.code, &said.json["leads"]), (0, &2.into()), "{}", said.json);
    let codes = &said.json["rejects_by_code"];
    assert_eq!((&codes["GH2003"], &codes["GH2007"]), (&1.into(), &1.into()), "{}", said.json);
    assert_eq!(site.number("SELECT count(*) FROM listed WHERE score = 0.12345678901234566"), 1);
    let manifest = fs::read(site.path("var/sql-mart.leads.trial.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!((&manifest["rows"], &manifest["sha256"]), (&4.into(), &said.json["sha256"]));
    assert_eq!(import(&site, &["sql:dw/mart.leads"]).json["status"], "unchanged");
    // A time without a zone is no instant.
    let campaign = fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    site.write("campaigns/trial.yaml", &campaign.replace("from: opened", "from: seen"));
    let said = import(&site, &["sql:mart.leads"]);
    assert_eq!((&said.json["leads"], &said.json["rejects_by_code"]["GH2012"]), (&1.into(), &1.into()), "{}", said.json);
}

#[test]
fn what_a_server_refuses_says_why_and_nothing_of_anybody_and_loads_nothing() {
    let server = Server::start();
    server.execute(TABLE);
    server.execute(
        "CREATE ROLE reader LOGIN PASSWORD 's3cret-of-the-test'; CREATE TABLE touched(n int);
         CREATE FUNCTION touch() RETURNS text LANGUAGE sql AS 'INSERT INTO touched VALUES (1) RETURNING n::text';
         CREATE VIEW writes AS SELECT touch() AS contact_id;
         CREATE VIEW casts AS SELECT id AS contact_id, mobile AS phone_e164, 'Asia/Shanghai' AS tz, 0.5 AS score,
            mobile::integer AS consent FROM customer WHERE id = 'k3';
         CREATE VIEW breaks_off AS SELECT 'k' || n AS contact_id, '+9991' || lpad(n::text, 8, '0') AS phone_e164,
            'Asia/Shanghai' AS tz, 1.0 / (20000 - n) AS score, true AS consent FROM generate_series(1, 30000) AS n;
         CREATE VIEW nobody AS SELECT * FROM mart.leads WHERE false;",
    );
    let site = reading(&server, SUPERUSER, "", "");
    let refused = |site: &Site, source: &str, why: &str| {
        let said = import(site, &[source]);
        let message = said.refused(4, "GH2026");
        assert!(message.contains(why), "{source}: {message}");
        let text = said.json.to_string();
        assert!(!text.contains(PASSWORD) && !text.contains("twelve") && !text.contains("+999"), "{text}");
    };
    refused(&site, "sql:nowhere", "relation \"nowhere\" does not exist");
    refused(&site, "sql:writes", "read-only transaction");
    refused(&site, "sql:casts", "invalid input syntax for type integer");
    refused(&site, "sql:breaks_off", "division by zero");
    import(&site, &["sql:nobody"]).refused(1, "GH2008");
    let reader = reading(&server, "reader", "", "");
    refused(&reader, "sql:mart.leads", "permission denied");
    reader.write("pw", "wrong\n");
    refused(&reader, "sql:mart.leads", "password authentication failed");
    drop(server);
    refused(&site, "sql:mart.leads", "the PostgreSQL server");
    assert_eq!(site.number("SELECT count(*) FROM lead") + site.number("SELECT count(*) FROM list"), 0);
}

#[test]
fn a_feed_brings_a_view_and_a_server_that_is_gone_harms_nobody() {
    let server = Server::start();
    server.execute(
        "CREATE VIEW leads AS SELECT 'k' || n AS contact_id, '+9991' || lpad(n::text, 8, '0') AS phone_e164,
            'Asia/Shanghai' AS tz, n / 3000.0 AS score, true AS consent FROM generate_series(1, 2000) AS n",
    );
    let feeds = "feeds: [{ campaign: trial, source: \"sql:leads\", cron: \"* * * * *\" }]\n";
    let site = reading(&server, SUPERUSER, "", feeds);
    let daemon = site.serve(&["--clock-start", "2026-12-01T02:00:00Z", "--clock-rate", "60"]);
    let runs = |result: &str| daemon.metric("goldenhour_feed_runs_total", &[&format!("result=\"{result}\"")]);
    until("the view is loaded, and again", || runs("loaded") >= 1.0 && runs("unchanged") >= 1.0);
    assert_eq!(site.number("SELECT count(*) FROM lead"), 2_000);
    drop(server);
    until("the feed fails and is counted", || runs("failed") >= 1.0);
    assert!(daemon.get("/livez").contains("200"));
    assert!(!daemon.log().contains(PASSWORD));
    daemon.stop();
}
