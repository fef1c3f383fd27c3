//! Alert rules: each has a severity, words, a runbook page, catalogued metrics, and cases in which it fires and does not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::metrics::check_query;
use super::tree::{Finding, SourceFile, Tree};

const RULES: &str = "grafana/alerts/";
const RUNBOOKS: &str = "docs/runbooks/";
const TABLE: &str = "docs/OPERATING.md";
const CASES: &str = "tests/fixtures/alerts/";
const SECTIONS: [&str; 3] = ["## What it means", "## How to see", "## What to do"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut alerts = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(RULES) && file.ends_in("yaml")) {
        match serde_saphyr::from_str::<Value>(&file.text) {
            Ok(rules) => {
                for rule in list(&rules, "groups").flat_map(|group| list(group, "rules")) {
                    findings.extend(check_rule(tree, file, rule));
                    alerts.insert(text(rule, "/alert").to_owned(), file);
                }
            }
            Err(error) => findings.push(file.finding(1, format!("not YAML: {error}"))),
        }
    }
    for page in tree.files.iter().filter(|file| file.path.starts_with(RUNBOOKS)) {
        let name = page.path.trim_start_matches(RUNBOOKS).trim_end_matches(".md");
        if !alerts.contains_key(name) {
            findings.push(page.finding(1, format!("there is no alert `{name}`: delete the page or add the alert")));
        }
    }
    findings.extend(check_cases(tree, &alerts));
    findings
}

fn check_rule(tree: &Tree, file: &SourceFile, rule: &Value) -> Vec<Finding> {
    let name = text(rule, "/alert");
    let line = line_of(file, name);
    let query = text(rule, "/expr");
    let mut findings = check_query(file, query);
    let mut say = |what: String| findings.push(file.finding(line, format!("alert `{name}`: {what}")));
    if !name.starts_with("Goldenhour") {
        say("its name begins with `Goldenhour`, so that it is told from the alerts of others".into());
    }
    if query.is_empty() || text(rule, "/for").is_empty() {
        say("give it an `expr` and a `for`: one bad scrape wakes nobody".into());
    }
    if !["page", "ticket"].contains(&text(rule, "/labels/severity")) {
        say("its `severity` is `page` or `ticket`".into());
    }
    for key in ["summary", "description"] {
        if text(rule, &format!("/annotations/{key}")).len() < 15 {
            say(format!("give it a `{key}`"));
        }
    }
    let page = format!("{RUNBOOKS}{name}.md");
    if text(rule, "/annotations/runbook_url") != page {
        say(format!("its `runbook_url` is `{page}`"));
    }
    match tree.get(&page) {
        None => say(format!("write {page}: {}", SECTIONS.join(", "))),
        Some(found) => {
            let whole = SECTIONS.iter().all(|section| found.text.contains(&format!("\n{section}\n")));
            if !whole || !found.text.starts_with(&format!("# {name}\n")) {
                findings.push(found.finding(1, format!("begins with `# {name}` and has {}", SECTIONS.join(", "))));
            }
        }
    }
    let row = format!("| [{name}](runbooks/{name}.md) | {} | ", text(rule, "/labels/severity"));
    if !tree.get(TABLE).is_some_and(|table| table.text.contains(&row)) {
        findings.push(file.finding(line, format!("alert `{name}`: the table of {TABLE} has no row `{row}…`")));
    }
    findings
}

/// Every alert fires in one case at least, and keeps quiet in one that has series.
fn check_cases(tree: &Tree, alerts: &BTreeMap<String, &SourceFile>) -> Vec<Finding> {
    let mut seen: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(CASES)) {
        let Ok(cases) = serde_saphyr::from_str::<Value>(&file.text) else {
            findings.push(file.finding(1, "not YAML"));
            continue;
        };
        for case in list(&cases, "tests") {
            let has_series = list(case, "input_series").next().is_some();
            for asked in list(case, "alert_rule_test") {
                let (fires, quiet) = seen.entry(text(asked, "/alertname").to_owned()).or_default();
                let expected = list(asked, "exp_alerts").next().is_some();
                *fires |= expected;
                *quiet |= !expected && has_series;
            }
        }
    }
    for (alert, file) in alerts {
        if seen.get(alert) != Some(&(true, true)) {
            let what = format!("alert `{alert}` needs a case in {CASES} where it fires and one where it does not");
            findings.push(file.finding(line_of(file, alert), what));
        }
    }
    findings
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn line_of(file: &SourceFile, alert: &str) -> usize {
    let needle = format!("alert: {alert}");
    1 + file.text.lines().position(|line| line.trim_end().ends_with(&needle)).unwrap_or(0)
}
