//! The catalogue, docs/METRICS.md and the dashboards name the same metrics, and every panel can be read by a stranger.

use std::collections::{BTreeMap, BTreeSet};

use goldenhour::obs::{Entry, Kind, Metrics, render_metrics_document};
use serde_json::Value;

use super::tree::{Finding, SourceFile, Tree};

pub(crate) const DOCUMENT: &str = "docs/METRICS.md";
pub(crate) const DOCUMENT_FILE: &str = "house-METRICS.md";
const DASHBOARDS: &str = "grafana/dashboards/";
const COLUMNS: i64 = 24;
/// Words of PromQL that stand where a label or metric could stand, and labels that every scrape adds.
const ALWAYS_THERE: &[&str] = &["le", "instance", "job"];

pub(crate) fn check_document(tree: &Tree) -> Vec<Finding> {
    match tree.get(DOCUMENT) {
        Some(file) if file.text == render_metrics_document() => vec![],
        Some(_) | None => {
            let what = format!("is stale: copy target/tmp/{DOCUMENT_FILE} here");
            vec![Finding { path: DOCUMENT.into(), line: 1, what }]
        }
    }
}

/// Every metric is on a dashboard, and the dashboards name no other.
pub(crate) fn check_dashboards(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    let mut uids = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(DASHBOARDS) && file.ends_in("json")) {
        let dashboard: Value = match serde_json::from_str(&file.text) {
            Ok(dashboard) => dashboard,
            Err(error) => {
                findings.push(file.finding(error.line(), format!("not JSON: {error}")));
                continue;
            }
        };
        let uid = text(&dashboard, "uid");
        if uid.is_empty() || text(&dashboard, "title").is_empty() {
            findings.push(file.finding(1, "give the dashboard a stable `uid` and a `title`"));
        }
        if let Some(other) = uids.insert(uid.to_owned(), file.path.clone()) {
            findings.push(file.finding(1, format!("has the `uid` of {other}")));
        }
        let queries = queries(&dashboard);
        for query in &queries {
            used.extend(metrics_in(query).into_iter().filter_map(|name| known(&name).map(|entry| entry.name)));
            findings.extend(check_query(file, query));
        }
        findings.extend(check_panels(file, &dashboard));
    }
    for entry in Metrics::ENTRIES.iter().filter(|entry| !used.contains(entry.name)) {
        let path = "grafana/dashboards/daemon.json".into();
        findings.push(Finding { path, line: 1, what: format!("`{}` is on no dashboard", entry.name) });
    }
    findings
}

/// Every `expr`, and the queries of variables.
fn queries(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner {
                    Value::String(query) if ["expr", "query", "definition"].contains(&name.as_str()) => {
                        found.push(query.clone());
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                    Value::Array(_) | Value::Object(_) => found.extend(queries(inner)),
                }
            }
        }
        Value::Array(items) => found.extend(items.iter().flat_map(queries)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

pub(crate) fn check_query(file: &SourceFile, query: &str) -> Vec<Finding> {
    let line = line_of(file, query);
    let mut findings = Vec::new();
    let mut labels: BTreeSet<&str> = ALWAYS_THERE.iter().copied().collect();
    for name in metrics_in(query) {
        match known(&name) {
            Some(entry) => labels.extend(entry.labels),
            None => findings.push(file.finding(line, format!("`{name}` is not in src/obs/catalogue.rs"))),
        }
    }
    for label in labels_in(query) {
        if !labels.contains(label.as_str()) {
            findings.push(file.finding(line, format!("no metric of this query has the label `{label}`: {query}")));
        }
    }
    findings
}

fn check_panels(file: &SourceFile, dashboard: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ids = BTreeSet::new();
    let mut taken: Vec<(i64, i64, i64, i64, String)> = Vec::new();
    for panel in dashboard.get("panels").and_then(Value::as_array).into_iter().flatten() {
        let title = text(panel, "title");
        let line = line_of(file, title);
        let mut say = |what: &str| findings.push(file.finding(line, format!("panel `{title}`: {what}")));
        if !ids.insert(panel.get("id").and_then(Value::as_i64)) {
            say("its `id` is missing or used twice");
        }
        if text(panel, "type") != "row" {
            for (what, good) in panel_rules(panel) {
                if !good {
                    say(what);
                }
            }
        }
        let (x, y, w, h) = grid(panel);
        if w < 1 || h < 1 || x < 0 || x + w > COLUMNS {
            say("`gridPos` lies outside the 24 columns");
        }
        for (x2, y2, w2, h2, other) in &taken {
            if x < x2 + w2 && *x2 < x + w && y < y2 + h2 && *y2 < y + h {
                say(&format!("lies over `{other}`"));
            }
        }
        taken.push((x, y, w, h, title.to_owned()));
    }
    findings
}

fn panel_rules(panel: &Value) -> [(&'static str, bool); 5] {
    let at = |pointer: &str| panel.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let targets: Vec<&Value> = panel.get("targets").and_then(Value::as_array).into_iter().flatten().collect();
    let uses_variable =
        |value: &Value| value.pointer("/datasource/uid").and_then(Value::as_str) == Some("${datasource}");
    [
        ("give it a `title`", !at("/title").is_empty()),
        ("give it a `description`: what it shows, and what to do when it is bad", at("/description").len() > 20),
        ("give it a unit: `fieldConfig.defaults.unit`", !at("/fieldConfig/defaults/unit").is_empty()),
        ("use the variable `${datasource}` in the panel and its targets", {
            uses_variable(panel) && targets.iter().all(|target| uses_variable(target))
        }),
        ("give it a query with a legend", {
            let full = |target: &&Value| !text(target, "expr").is_empty() && !text(target, "legendFormat").is_empty();
            !targets.is_empty() && targets.iter().all(full)
        }),
    ]
}

fn grid(panel: &Value) -> (i64, i64, i64, i64) {
    let at = |key: &str| panel.pointer(&format!("/gridPos/{key}")).and_then(Value::as_i64).unwrap_or(-1);
    (at("x"), at("y"), at("w"), at("h"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// The line of a string of the dashboard, for the message.
fn line_of(file: &SourceFile, needle: &str) -> usize {
    let written = Value::String(needle.to_owned()).to_string();
    1 + file.text.lines().position(|line| line.contains(&written)).unwrap_or(0)
}

/// The catalogue's line for a name, or for one of a histogram's three series.
fn known(name: &str) -> Option<&'static Entry> {
    let whole = Metrics::ENTRIES.iter().find(|entry| entry.name == name && entry.kind != Kind::Histogram);
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
    whole.or_else(|| Metrics::ENTRIES.iter().find(|entry| Some(entry.name) == base && entry.kind == Kind::Histogram))
}

fn metrics_in(query: &str) -> BTreeSet<String> {
    words(query).filter(|word| word.starts_with("goldenhour_")).map(str::to_owned).collect()
}

/// Names before `=`, `!=` and `=~` in braces, and those in `by (..)` and `without (..)`.
fn labels_in(query: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for braces in between(query, "{", "}") {
        for matcher in braces.split(',') {
            labels.extend(matcher.split(['=', '!']).next().map(|name| name.trim().to_owned()));
        }
    }
    for opening in [" by (", " without (", " on (", " ignoring ("] {
        labels.extend(between(query, opening, ")").flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()));
    }
    labels.retain(|label| !label.is_empty());
    labels
}

fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

fn words(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
}
