//! Every panel of every dashboard, asked of a real Prometheus: each query is understood and shows data.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use goldenhour::http;
use goldenhour::obs::Metrics;
use serde_json::Value;
use tokio::sync::watch;

use crate::daemon::{Setup, Site};
use crate::prometheus::{Prometheus, wait_until};
use crate::trial::{self, Trial};

#[test]
fn every_panel_shows_data_of_a_busy_daemon() {
    let metrics = Metrics::new().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (stop, stopped) = watch::channel(false);
    let listener = runtime.block_on(http::bind("metrics.listen", SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    let target = listener.local_addr().unwrap();
    let server = runtime.spawn(http::serve(listener, http::metrics(metrics.clone()), stopped));
    let done = Arc::new(AtomicBool::new(false));
    let busy = thread::spawn({
        let (done, metrics) = (Arc::clone(&done), metrics);
        move || {
            while !done.load(Ordering::Relaxed) {
                work(&metrics);
                thread::park_timeout(std::time::Duration::from_millis(100));
            }
        }
    });
    let prometheus = Prometheus::start(target);
    assert_every_panel_shows_data(&prometheus);
    done.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    stop.send(true).unwrap();
    runtime.block_on(server).unwrap().unwrap();
}

/// A real run: a campaign with golden hours against the far end, people who press keys, a do-not-call entry.
#[test]
fn every_panel_shows_data_of_a_real_run() {
    let site = Site::new(&Setup { max_calls: 100, max_cps: 20, ..Setup::default() });
    let golden = "golden_hours: { mode: prefer, seed: { all: [\"00:00-12:00\"] } }";
    Trial { more: golden, ring_s: 5, ..Trial::default() }.write(&site);
    let rows = |series| format!("{}\n{}", trial::HEADER, trial::rows(series, "Asia/Shanghai", 4_000));
    site.write("list.csv", &rows(1));
    site.import("trial", &site.path("list.csv"));
    site.run("dnc", &["add", "+999300000000"]);
    let _far = site.far_end(&trial::town(50, r#"{ "1": 50%, "9": 10% }"#, ""), &[]);
    // Ten in the morning in Shanghai.
    let daemon = site.serve(&["--clock-start", "2026-12-01T02:00:00Z"]);
    let prometheus = Prometheus::start_with_rules(site.metrics, &impatient(ALERTS));
    assert_every_panel_shows_data(&prometheus);
    for (query, least) in [
        ("sum(goldenhour_dnc_entries)", 1.0),
        ("sum(goldenhour_export_lag_rows)", 1.0),
        ("max(max_over_time(goldenhour_engine_queue_depth[10m]))", 1.0),
        ("sum(goldenhour_queue_seats)", 80.0),
        ("sum(goldenhour_golden_dials_total)", 1.0),
        ("sum(goldenhour_flow_keys_total)", 1.0),
        ("sum(goldenhour_rtp_packets_total{direction=\"in\"})", 1.0),
        ("sum(goldenhour_setup_seconds_count)", 1.0),
        ("sum(goldenhour_talk_seconds_count)", 1.0),
        ("sum(goldenhour_answers_by_hour_total{local_hour=\"10\"})", 1.0),
    ] {
        let mut last = Ok(Vec::new());
        wait_until(&format!("{query} at least {least}"), || {
            last = prometheus.query(query);
            matches!(&last, Ok(values) if values.iter().any(|value| *value >= least))
        });
    }
    let fired = prometheus.label("count_over_time(ALERTS{alertstate=\"firing\"}[10m])", "alertname");
    assert_eq!(fired, Ok(vec![]), "fired in a healthy run");
    daemon.kill();
    wait_until("the alert of a dead daemon fires", || {
        let down = prometheus.query("ALERTS{alertname=\"GoldenhourDown\", alertstate=\"firing\"}");
        down.is_ok_and(|values| values.len() == 1)
    });
}

const ALERTS: &str = include_str!("../../grafana/alerts/goldenhour.yaml");

/// What wakes people fires after ten seconds, so that a short run can say something about it.
fn impatient(rules: &str) -> String {
    let mut text = String::new();
    let mut lines = rules.lines().peekable();
    while let Some(line) = lines.next() {
        let wakes = lines.peek().is_some_and(|next| next.contains("severity: page"));
        let line = if wakes && line.trim_start().starts_with("for: ") { "        for: 10s" } else { line };
        text.push_str(line);
        text.push('\n');
    }
    assert!(text.matches("for: 10s").count() > 5, "the rules are written differently now");
    text
}

/// For any run that Prometheus scrapes. Each query has 30 s to show its first value.
pub(crate) fn assert_every_panel_shows_data(prometheus: &Prometheus) {
    let missing = |query: &str| prometheus.query(query).map(|values| !values.iter().any(|value| value.is_finite()));
    for (panel, query) in queries() {
        let mut last = Ok(true);
        wait_until(&format!("data for panel `{panel}`: {query}"), || {
            last = missing(&query);
            !matches!(last, Ok(true))
        });
        assert_eq!(last, Ok(false), "panel `{panel}`: {query}");
    }
}

/// Panel title and query, with Grafana's variables filled in.
fn queries() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        for panel in dashboard.pointer("/panels").and_then(Value::as_array).into_iter().flatten() {
            let title = panel.pointer("/title").and_then(Value::as_str).unwrap_or("");
            for target in panel.pointer("/targets").and_then(Value::as_array).into_iter().flatten() {
                let expr = target.pointer("/expr").and_then(Value::as_str).unwrap_or("");
                let filled = [("$__rate_interval", "10s"), ("$__range", "10s"), ("$campaign", ".*"), ("$trunk", ".*")]
                    .iter()
                    .fold(expr.to_owned(), |expr, (variable, value)| expr.replace(variable, value));
                found.push((title.to_owned(), filled));
            }
        }
    }
    assert!(found.len() > 80, "the dashboards were not found");
    found
}

/// A tenth of a second of a busy daemon: everything moves.
fn work(metrics: &Metrics) {
    let campaign = "spring";
    metrics.open_campaign(campaign, &["dnc"], &["busy"], &["success"]);
    for check in ["store", "campaigns", "line", "engine"] {
        metrics.ready.set_truth([check], true);
    }
    metrics.config_last_reload_successful.set_truth([], true);
    metrics.engine_queue_depth.set([], 3.0);
    metrics.engine_silence_seconds.set([], 0.4);
    metrics.engine_tick_lag_seconds.observe([], 0.002);
    metrics.leads.set([campaign, "waiting"], 100.0);
    metrics.leads_due.set([campaign], 10.0);
    metrics.gate_refusals.add([campaign, "dnc"], 1);
    metrics.intents.add([campaign, "authorised"], 1);
    metrics.attempts_live.set([campaign], 2.0);
    metrics.attempts.add([campaign, "busy"], 1);
    metrics.outcomes.add([campaign, "success"], 1);
    metrics.dials_by_hour.add([campaign, "10"], 2);
    metrics.answers_by_hour.add([campaign, "10"], 1);
    metrics.golden_dials.add([campaign], 1);
    metrics.flow_keys.add([campaign, "1"], 1);
    metrics.ring_seconds.observe([campaign], 4.0);
    metrics.talk_seconds.observe([campaign], 20.0);
    metrics.queue_seats.set(["sales"], 12.0);
    metrics.queue_seats_busy.set(["sales"], 4.0);
    metrics.store_commit_seconds.observe([], 0.004);
    metrics.store_batch_size.observe([], 8.0);
    metrics.dnc_entries.set([], 5.0);
    metrics.export_lag_rows.set([], 7.0);
    metrics.sip_messages.add(["out", "invite"], 1);
    metrics.open_trunk("gw-a", 60, 5, &["answered", "network_failure"]);
    metrics.trunk_up.set_truth(["gw-a"], true);
    metrics.trunk_state.set_truth(["gw-a", "up"], true);
    metrics.trunk_state.set_truth(["gw-a", "silent"], false);
    metrics.line_calls.set(["gw-a"], 2.0);
    metrics.trunk_dials.add(["gw-a"], 1);
    metrics.trunk_results.add(["gw-a", "answered"], 1);
    metrics.setup_seconds.observe(["gw-a"], 0.3);
    metrics.rtp_packets.add(["out"], 5);
    metrics.rtcp_packets.add(["out"], 1);
    metrics.rtp_jitter_seconds.observe([], 0.002);
    metrics.one_way_calls.add(["in"], 1);
    metrics.trunk_auth_failures.add(["gw-a", "rejected"], 1);
    metrics.trunk_registered.set_truth(["gw-a"], true);
    metrics.trunk_registrations.add(["gw-a", "accepted"], 1);
}
