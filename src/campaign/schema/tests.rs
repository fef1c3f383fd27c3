//! The tables against the decoder, a real validator and the files that we ship.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use expect_test::expect_file;

use crate::base::{SourceText, render};
use crate::campaign::decode::{Asked, Entry, Findings, Node, NodeKind, parse};
use crate::campaign::{Folder, load, read};

use super::agree::{differences, json};
use super::{FILES, json_schema};

/// Every section and every kind of value.
const CAMPAIGN: &str = r#"schema: goldenhour/v1
campaign: everything
title: Everything
scenario: installments
purpose: marketing
owner: zhang.min
status: active
run: { from: "2026-12-01", until: "2026-12-31" }
use: { policy: cn-bank-marketing@3, calendar: cn-mainland@2026, dispositions: card-sales@2 }
list:
  source: "lists/a.csv"
  key: id
  phones: [mobile, home]
  model: { id: m, version: "1", score: prob, calibrated: true }
  value: value
  zone: tz
  language: lang
  consent: agreed
  tags: tags
  attempts_used: used
  attributes: attrs
  columns: { overdue: { type: integer, from: OVERDUE }, gold: { type: bool } }
  expires_after: 14d
  refuse_if: { rows_below: 1000, duplicate_keys_above: 0.5%, missing_score_above: 0%, score_psi_above: 0.25 }
eligible: { all_of: ['overdue == 0', true] }
segments:
  - { name: star, when: 'score >= 0.4', attempts: { max: 2 } }
  - { name: rest, when: true }
rank: { by: expected_value, lookahead: 2d, cost_per_dial: 0.5, explore: 2% }
calling_hours:
  zone: customer
  fallback_zone: Asia/Shanghai
  mon-fri: ["09:00-12:00", "13:30-20:00"]
  sat: ["10:00-12:00"]
  sun: []
  holidays: closed
golden_hours:
  mode: prefer
  learn: per_segment
  prior_weight_calls: 200
  answer_rate: { golden: 30%, other: 0.5% }
  seed: { star: ["18:00-20:00"], rest: { mon-fri: ["10:00-12:00"] } }
pacing: { mode: progressive, ring: 30s, max_call_duration: 10m }
attempts: { max: 4, max_per_day: 1, min_gap: 20h, spread: { over: daypart, at_most_each: 2 }, stop_after_contact: true }
retry:
  busy: { after: 15m, max: 2, free: 1, other_daypart: false }
  powered_off: { after: 1d, max: 2, prefer: evening, next_phone: true }
  vacant_number: { phone: dead }
contact_caps:
  - { per: customer, within: 7d, max_dials: 3, max_contacts: 1 }
  - { per: phone, after: declined, quiet_for: forever }
caller_id: { pool: cards }
trunk: { group: gw-a, max_calls: 60, max_cps: 5 }
agents: { queue: card-sales, wrap_up: 45s }
script: { default: scripts/a.md, star: scripts/a.md }
flow:
  start: hello
  steps:
    hello: { collect: { digits: 1, timeout: 5s, tries: 2 }, on: { "1": talk, "9": never, timeout: bye } }
    talk: { disposition: transferred, then: "transfer:card-sales", on: { failed: bye } }
    never: { disposition: opted_out, then: hangup }
    bye: { disposition: heard, then: hangup }
dispositions:
  heard: { outcome: neutral, contact: right_party, then: final, complaint: false }
  gone: { outcome: neutral, contact: nobody, then: [phone_dead, retry] }
experiment:
  id: e1
  split_by: customer_id
  arms: { champion: { share: 88.5% }, b: { share: 10%, script: scripts/a.md }, none: { share: 1.5%, call: never } }
  success: accepted
  decide: { method: sequential, alpha: 5%, min_contacts_per_arm: 400 }
  stop_if: { complaint_rate_above: 0.3% }
goals: { accepted: 10, list_penetration: 95% }
simulate: { roster: rosters/a.csv, seed: 7, runs: 100, require: ['p50(goal.accepted) >= 10'] }
tests:
  customer: { zone: Asia/Shanghai, score: 0.5, overdue: 0, tags: [x], attrs: { a: 1 } }
  cases:
    - { name: closed at night, at: "2026-12-03 20:05", customer: { score: 0.9, consent: null }, expect: blocked_by calling_hours }
    - name: after a refusal
      history: [{ days_ago: 30, result: answered, disposition: declined, phone: mobile, campaign: other }, { ago: 1h, said: opt_out }]
      expect: [blocked_by dnc]
    - { name: busy, result: busy, expect: [allowed, segment star] }
    - { name: answered, disposition: transferred, expect: [closed success] }
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns")
}

fn tree(text: &str) -> (Node, Findings) {
    let source = Arc::new(SourceText { name: "t.yaml".into(), text: text.to_owned() });
    let mut findings = Findings::new(&source);
    let node = parse(&source, &mut findings).unwrap();
    (node, findings)
}

fn shipped(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All YAML of the folder, by its path inside.
fn all_shipped() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ext| ext == "yaml") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn validator(name: &str) -> jsonschema::Validator {
    let (_, table) = FILES.iter().find(|(known, _)| *known == name).unwrap();
    jsonschema::draft202012::new(&json_schema(name, table)).unwrap()
}

/// What keeps a file from fitting a schema, each with its path.
fn misfits(validator: &jsonschema::Validator, text: &str) -> Vec<String> {
    let instance = json(&tree(text).0);
    validator.iter_errors(&instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_key_and_word_that_the_decoder_takes_is_in_the_tables_and_vice_versa() {
    let mut asked: Vec<Asked> = Vec::new();
    let mut decode = |text: &str, read: &dyn Fn(&Node, &mut Findings)| {
        let (node, mut findings) = tree(text);
        read(&node, &mut findings);
        asked.append(&mut findings.asked);
        assert_eq!(render(&findings.into_list()), "");
    };
    decode(CAMPAIGN, &|node, findings| drop(read::campaign(node, findings)));
    let scored = "model: { dir: models/m, on_error: plain_order, base_rate: 3% }";
    let by_column = r#"model: { id: m, version: "1", score: prob, calibrated: true }"#;
    assert!(CAMPAIGN.contains(by_column));
    decode(&CAMPAIGN.replace(by_column, scored), &|node, findings| drop(read::campaign(node, findings)));
    decode(&shipped("policies/cn-bank-marketing.yaml"), &|node, findings| {
        drop(read::policy(node, String::new(), findings));
    });
    decode(&shipped("calendars/cn-mainland.yaml"), &|node, findings| drop(read::calendar(node, findings)));
    decode(&shipped("dispositions/card-sales.yaml"), &|node, findings| drop(read::disposition_set(node, findings)));
    decode("{ schema: goldenhour/tests/v1, campaign: a, tests: [] }", &|node, findings| {
        drop(read::test_file(node, findings));
    });
    let tables = FILES.map(|(_, table)| table);
    assert_eq!(differences(&tables, &asked, &["a zone of a policy"]), [] as [String; 0]);
}

#[test]
fn a_table_that_lacks_a_key_or_has_one_too_many_is_found() {
    let (node, mut findings) = tree("{ schema: x, calendar: c, version: 1, years: [2026], holidays: [], name: x }");
    let mut fields = node.fields("a calendar", &mut findings).unwrap();
    for key in ["schema", "calendar", "version", "years", "holidays", "name"] {
        fields.take(key);
    }
    fields.finish(&mut findings);
    let found = differences(&[&super::CALENDAR], &findings.asked, &[]).join("\n");
    assert!(found.contains(r#"a calendar: "name" is decoded, and in no table"#), "{found}");
    assert!(found.contains(r#"a calendar: "workdays" is in the table, and not decoded"#), "{found}");
}

#[test]
fn the_committed_schemas_are_the_generated_ones() {
    for (name, table) in FILES {
        let text = serde_json::to_string_pretty(&json_schema(&format!("Goldenhour: {name}"), table)).unwrap();
        expect_file![root().join(format!("schema/{name}.json"))].assert_eq(&format!("{text}\n"));
    }
}

#[test]
fn every_shipped_file_names_its_schema_and_fits_it() {
    let files = all_shipped();
    assert!(files.len() >= 20, "{}", files.len());
    for (path, text) in files {
        let first = text.lines().next().unwrap();
        let named = first.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{path}: {first}"));
        let target = root().join(&path).parent().unwrap().join(named).canonicalize().unwrap();
        let name = target.file_stem().unwrap().to_str().unwrap();
        let kind = text.lines().find_map(|line| line.strip_prefix("schema: goldenhour/")).unwrap();
        let wanted = kind.strip_suffix("/v1").unwrap_or("campaign");
        assert_eq!(name, wanted, "{path}");
        assert_eq!(misfits(&validator(name), &text), [] as [String; 0], "{path}");
    }
}

#[test]
fn what_an_editor_should_underline_does_not_fit() {
    let validator = validator("campaign");
    assert_eq!(misfits(&validator, CAMPAIGN), [] as [String; 0]);
    for (from, to) in [
        ("pacing: { mode", "pacing: { mod"),
        ("title: Everything", "titel: Everything"),
        ("scenario: installments", "scenario: instalments"),
        ("mode: progressive", "mode: predictive"),
        ("ring: 30s", "ring: 30"),
        ("golden: 30%", "golden: 0.3"),
        ("\"18:00-20:00\"", "\"18-20\""),
        ("within: 7d, ", ""),
        ("campaign: everything\n", ""),
        ("policy: cn-bank-marketing@3", "policy: cn-bank-marketing"),
        ("gold: { type: bool }", "gold: { type: boolean }"),
        ("  busy:", "  engaged:"),
        ("\"9\": never", "nine: never"),
        ("then: hangup", "then: hang up"),
        ("status: active", "status: active\nrecording: { mode: all }"),
        ("runs: 100", "runs: 0"),
        ("accepted: 10", "\"1\": 10"),
    ] {
        assert!(CAMPAIGN.contains(from), "{from}");
        assert_ne!(misfits(&validator, &CAMPAIGN.replacen(from, to, 1)), [] as [String; 0], "{to}");
    }
}

/// Each value replaced by each of these, and each key left out: whatever the loader accepts, the schema accepts.
#[test]
fn no_file_that_loads_is_underlined() {
    let mut folder = Folder::default();
    for path in ["policies/cn-bank-marketing.yaml", "calendars/cn-mainland.yaml", "dispositions/card-sales.yaml"] {
        folder.insert(path, shipped(path).into_bytes());
    }
    folder.insert("scripts/a.md", "Say who you are.".as_bytes());
    let validator = validator("campaign");
    folder.insert("a.yaml", CAMPAIGN.as_bytes());
    assert_eq!(load(&folder).map(|_| ()).map_err(|findings| render(&findings)), Ok(()));
    let mut accepted = 0;
    let mut places = Vec::new();
    spans(&tree(CAMPAIGN).0, &mut places);
    let values = [
        "x",
        "1",
        "true",
        "15m",
        "30%",
        "0.5",
        "\"2026-12-03\"",
        "\"10:00-11:00\"",
        "[]",
        "[x]",
        "{}",
        "{ a: b }",
        "off",
    ];
    for (from, to) in places {
        for value in values {
            let text = format!("{}{value}{}", &CAMPAIGN[..from], &CAMPAIGN[to..]);
            folder.insert("a.yaml", text.as_bytes());
            if load(&folder).is_ok() {
                accepted += 1;
                assert_eq!(misfits(&validator, &text), [] as [String; 0], "{text}");
            }
        }
    }
    assert!(accepted > 150, "hardly anything was accepted, so hardly anything was compared: {accepted}");
}

/// The places of all values, inner and outer.
fn spans(node: &Node, out: &mut Vec<(usize, usize)>) {
    let inside = |span: crate::base::Span| (span.start as usize, span.end as usize);
    match &node.kind {
        NodeKind::Scalar(_) => out.push(inside(node.span)),
        NodeKind::List(items) => items.iter().for_each(|item| spans(item, out)),
        NodeKind::Map(entries) => entries.iter().for_each(|Entry { value, .. }| spans(value, out)),
        NodeKind::Refused => {}
    }
    if CAMPAIGN.as_bytes().get(node.span.start as usize).is_some_and(|b| matches!(b, b'{' | b'[')) {
        out.push(inside(node.span));
    }
}
