//! The report of a database with weeks of calls, looked at by headless Chromium: whole, within the page, and of nobody.

use std::process::Command;

use serde_json::Value;

use crate::daemon::{Setup, Site};
use crate::trial::{self, Trial};

/// A title may hold anything.
const TITLE: &str = "分期 <script>alert(1)</script> & Instalments";
const LEADS: u64 = 900;
const CANARY_KEY: &str = "k271-";
const CANARY_NUMBER: &str = "999271";

const SEGMENTS: &str = r#"segments:
  - { name: high, when: 'score >= 0.5' }
  - { name: rest, when: 'score >= 0.02' }
golden_hours:
  mode: prefer
  answer_rate: { golden: 35%, other: 20% }
  seed: { high: ["18:00-20:00"], rest: ["11:30-12:00", "18:00-20:00"] }
calling_hours: { mon-sun: ["09:00-20:00"], fallback_zone: Asia/Shanghai }
"#;

/// A site whose daemon has dialled for four weeks.
pub(crate) fn after_four_weeks() -> Site {
    let site = Site::new(&Setup::default());
    Trial { more: SEGMENTS, ..Trial::default() }.write(&site);
    let text = Trial { more: SEGMENTS, ..Trial::default() }.text();
    site.write("campaigns/trial.yaml", &text.replace("title: A trial", &format!("title: \"{TITLE}\"")));
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(271, "Asia/Shanghai", LEADS as u32)));
    site.import("trial", &site.path("list.csv"));
    site.execute(include_str!("../fixtures/report/weeks.sql"));
    site
}

/// The figures, and the page.
fn report(site: &Site, more: &[&str]) -> (Value, String) {
    let out = site.path("report.html");
    let figures = site.run("report", &[&["--json", "--out", out.to_str().unwrap()], more].concat());
    (serde_json::from_str(&figures).unwrap(), std::fs::read_to_string(&out).unwrap())
}

/// What Chromium finds in the page, shown as wide as the printed part of an A4 sheet.
fn looked_at(site: &Site, page: &str) -> Vec<String> {
    let framed = page.replace('&', "&amp;").replace('"', "&quot;");
    let probe = include_str!("../fixtures/report/probe.html").replace("PAGE", &framed);
    site.write("probe.html", &probe);
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]);
    chromium.args(["--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom"]);
    chromium.arg(format!("--user-data-dir={}", site.path("chromium").display()));
    let output = chromium.arg(site.path("probe.html")).output().expect("chromium: scripts/test installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    let console: Vec<_> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{console:?}");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = dom.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    found.unwrap_or_else(|| panic!("{dom}\n{said}")).0.lines().map(str::to_owned).collect()
}

#[test]
fn the_page_is_whole_fits_a4_asks_the_network_for_nothing_and_runs_no_script_of_a_title() {
    let site = after_four_weeks();
    let (_, page) = report(&site, &[]);
    for reached in ["http:", "https:", "src=", "href=", "@import", "<script", "<link"] {
        assert!(!page.contains(reached), "{reached}");
    }
    assert!(page.contains("分期 &#60;script&#62;alert(1)&#60;/script&#62; &#38; Instalments"), "{}", &page[..9_000]);
    let found = looked_at(&site, &page);
    let of = |what: &str| found.iter().filter_map(|line| line.strip_prefix(what)).collect::<Vec<_>>();
    assert_eq!(of("outside: "), [""; 0]);
    assert_eq!(of("resource: "), [""; 0]);
    let sections = of("section: ");
    let expected = [
        "funnel",
        "campaigns",
        "versions",
        "results",
        "attempts",
        "hours",
        "reasons",
        "penetration",
        "golden-trial",
        "scores-trial",
        "segments-trial",
    ];
    assert_eq!(sections, expected);
    assert_eq!(of("untitled: "), [""; 0], "every picture and table says what it shows");
    assert_eq!(of("pictures: "), ["9"]);
}

#[test]
fn the_figures_agree_with_the_database_and_with_plan() {
    let site = after_four_weeks();
    let (figures, _) = report(&site, &[]);
    let number = |sql| site.number(sql) as u64;
    let all = &figures["all"];
    assert_eq!(all["group"]["dialled"], number("SELECT count(*) FROM attempt"));
    assert_eq!(all["group"]["answered"]["hits"], number("SELECT count(*) FROM outcome WHERE result = 'answered'"));
    let funnel = &all["funnel"];
    assert_eq!((&funnel["loaded"], &funnel["dialled"]), (&LEADS.into(), &LEADS.into()));
    assert_eq!(funnel["success"], number("SELECT count(*) FROM lead WHERE state = 'success'"));
    let (rate, low, high) =
        (&all["group"]["answered"]["rate"], &all["group"]["answered"]["low"], &all["group"]["answered"]["high"]);
    assert!(low.as_f64() < rate.as_f64() && rate.as_f64() < high.as_f64(), "{all}");

    let plan: Value = serde_json::from_str(&site.run("plan", &["--json"])).unwrap();
    let (plan, reasons) = (&plan["campaigns"][0], &all["reasons"]);
    for group in ["closed", "blocked", "later"] {
        let said = plan[group].as_object().unwrap();
        let ours = reasons[group].as_array().unwrap();
        assert_eq!(said.len(), ours.len(), "{plan}\n{reasons}");
        for reason in ours {
            assert_eq!(said[reason["code"].as_str().unwrap()], reason["leads"]);
        }
    }
    assert_eq!((&plan["dialable_now"], &plan["loaded"]), (&reasons["dialable_now"], &reasons["loaded"]));

    let chapter = &figures["campaigns"][0];
    let golden = &chapter["golden"];
    assert!(golden["inside"]["answered"]["low"].as_f64() > golden["outside"]["answered"]["high"].as_f64(), "{golden}");
    // The draws convert as their scores promise.
    assert!(chapter["scores"]["ece"].as_f64().unwrap() < 0.1, "{}", chapter["scores"]["ece"]);
    let list = &figures["lists"][0];
    assert_eq!(list["open"].as_u64().unwrap() + list["closed_in_all"].as_u64().unwrap(), LEADS);
}

#[test]
fn a_period_holds_its_days_alone_and_an_unknown_campaign_is_refused() {
    let site = after_four_weeks();
    let (first, _) = report(&site, &["--until", "2026-11-08"]);
    let (rest, page) = report(&site, &["--campaign", "trial", "--from", "2026-11-09"]);
    let dials = |figures: &Value| figures["all"]["group"]["dialled"].as_u64().unwrap();
    assert_eq!(dials(&first), site.number("SELECT count(*) FROM attempt WHERE attempt_no = 1") as u64);
    assert_eq!(dials(&first) + dials(&rest), site.number("SELECT count(*) FROM attempt") as u64);
    assert!(page.contains("from 2026-11-09 to the moment of this report"));
    let out = site.path("none.html");
    let out = ["--out", out.to_str().unwrap()];
    assert!(site.refuse("report", &[&out[..], &["--campaign", "trail"]].concat()).contains("trial"));
    assert!(
        site.refuse("report", &[&out[..], &["--from", "2026-11-09", "--until", "2026-11-08"]].concat())
            .contains("--until")
    );
    assert!(!site.path("none.html").exists());
}

#[test]
fn attempts_of_a_campaign_whose_file_is_gone_are_in_no_figure_and_said_to_be_left_out() {
    let site = after_four_weeks();
    let text = std::fs::read_to_string(site.path("campaigns/trial.yaml")).unwrap();
    site.write("campaigns/other.yaml", &text.replace("campaign: trial", "campaign: other"));
    std::fs::remove_file(site.path("campaigns/trial.yaml")).unwrap();
    let (all, page) = report(&site, &[]);
    assert_eq!(all["left_out"], site.number("SELECT count(*) FROM attempt") as u64);
    assert_eq!((&all["all"]["group"]["dialled"], &all["first_dial"]), (&0.into(), &Value::Null), "{all}");
    assert!(page.contains("attempts of campaigns that have no file any more"));
    // Whoever asks for one campaign has left the others out themselves.
    assert_eq!(report(&site, &["--campaign", "other"]).0["left_out"], 0);
}

#[test]
fn once_a_daemon_has_dialled_by_a_clock_that_runs_ahead_no_minute_is_called_talk() {
    let site = after_four_weeks();
    let (figures, page) = report(&site, &[]);
    assert!(figures["all"]["group"]["talk_s"].as_u64() > Some(0) && !page.contains("<dt>Trial</dt>"), "{figures}");
    // Only set, it still keeps time.
    site.serve(&["--clock-start", "2026-12-01T00:00:00Z"]).stop();
    assert_eq!(report(&site, &[]).0["trial_clock"], false);
    site.serve(&["--clock-start", "2026-12-01T00:00:00Z", "--clock-rate", "60"]).stop();
    let (figures, page) = report(&site, &[]);
    assert_eq!((&figures["trial_clock"], &figures["all"]["group"]["talk_s"]), (&true.into(), &Value::Null));
    assert!(page.contains("<dt>Trial</dt>"), "{}", &page[..9_000]);
}

#[test]
fn a_report_names_nobody() {
    let site = after_four_weeks();
    let (figures, page) = report(&site, &[]);
    for text in [figures.to_string(), page] {
        for canary in [CANARY_KEY, CANARY_NUMBER, "999100000001"] {
            assert!(!text.contains(canary), "{canary}");
        }
    }
    assert_eq!(site.number("SELECT count(*) FROM attempt WHERE caller_id = '+999100000001'") as u64, {
        site.number("SELECT count(*) FROM attempt") as u64
    });
}
