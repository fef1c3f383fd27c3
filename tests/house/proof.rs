//! Each check of the house is fed something bad and must say so, and something good and must keep quiet.

use super::tree::{Finding, Tree};
use super::{papers, purity, rooms, shape};

type Check = fn(&Tree) -> Vec<Finding>;

const NONE: [usize; 0] = [];

/// The lines that a check complains about in one file.
fn lines(check: Check, path: &str, text: &str) -> Vec<usize> {
    check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.line).collect()
}

#[test]
fn an_import_from_below_is_found_wherever_it_hides() {
    for text in [
        "use crate::engine::Engine;",
        "use crate::{base::Now, engine::{self as top}};",
        "fn f() { let x = crate::engine::f(); }",
        "macro_rules! m { () => { $crate::engine::f() }; }",
        "#[cfg(test)]\nmod tests {\n    use crate::engine::Engine;\n}",
        "use crate::*;",
        "use crate as house;",
        "use crate::nowhere::X;",
        "use goldenhour::base::Now;",
    ] {
        assert_eq!(lines(rooms::check_imports, "src/gate/hours.rs", text).len(), 1, "{text}");
    }
    assert_eq!(lines(rooms::check_imports, "src/gate/hours.rs", "\nuse crate::engine::Engine;"), [2]);
}

#[test]
fn an_import_from_above_is_fine() {
    let text =
        "pub(crate) struct X;\nuse crate::{base::Now, campaign::Cap};\nuse super::Verdict;\nuse crate::gate::Rule;";
    assert_eq!(lines(rooms::check_imports, "src/gate/hours.rs", text), NONE);
    assert_eq!(lines(rooms::check_imports, "src/store/sqlite.rs", "use crate::engine::StoreRequest;"), NONE);
}

#[test]
fn super_does_not_lead_out_of_a_room() {
    assert_eq!(lines(rooms::check_imports, "src/gate/mod.rs", "use super::engine::X;"), [1]);
    assert_eq!(lines(rooms::check_imports, "src/gate/a.rs", "use super::super::engine::X;"), [1]);
    assert_eq!(lines(rooms::check_imports, "src/gate/a.rs", "use super::{super::engine::X};"), [1]);
    assert_eq!(lines(rooms::check_imports, "src/gate/mod.rs", "mod tests { use super::*; }"), NONE);
}

#[test]
fn the_root_only_declares_rooms_behind_their_feature() {
    assert_eq!(lines(rooms::check_imports, "src/lib.rs", "pub use base::Now;"), [1]);
    assert_eq!(lines(rooms::check_imports, "src/lib.rs", "pub mod kitchen;"), [1]);
    assert_eq!(lines(rooms::check_imports, "src/lib.rs", "pub mod base;\npub mod store;"), [2]);
    let gated = "#[cfg(feature = \"daemon\")]\npub mod base;";
    assert_eq!(lines(rooms::check_imports, "src/lib.rs", gated), [2]);
    assert_eq!(lines(rooms::check_imports, "src/main.rs", "use goldenhour::store::Store;"), [1]);
    assert_eq!(lines(rooms::check_imports, "src/main.rs", "fn main() { goldenhour::cli::run(); }"), NONE);
    assert_eq!(lines(rooms::check_imports, "src/kitchen/mod.rs", ""), [1]);
}

#[test]
fn a_room_that_nobody_compiles_is_found() {
    let tree = Tree::of(&[("src/lib.rs", "pub mod base;\n"), ("src/base/mod.rs", ""), ("src/gate/mod.rs", "")]);
    let found: Vec<String> = rooms::check_imports(&tree).into_iter().map(|finding| finding.path).collect();
    assert_eq!(found, ["src/gate/mod.rs"]);
}

#[test]
fn no_room_imports_a_row_below_its_own() {
    for (at, room) in rooms::ROOMS.iter().enumerate() {
        let below = rooms::ROOMS.iter().skip(at + 1).filter(|other| room.may_import(other.name)).count();
        assert_eq!(below, 0, "{}", room.name);
        let core_to_shell = rooms::ROOMS.iter().any(|other| !room.shell && other.shell && room.may_import(other.name));
        assert!(!core_to_shell, "{}", room.name);
    }
}

#[test]
fn a_stale_table_in_the_document_is_found() {
    let good = format!("# Map\n\n{}{}{}\n", rooms::TABLE_BEGINS, rooms::render(), rooms::TABLE_ENDS);
    assert_eq!(lines(rooms::check_document, rooms::ARCHITECTURE, &good), NONE);
    assert_eq!(lines(rooms::check_document, rooms::ARCHITECTURE, &good.replace("| `sip` |", "| `sipp` |")), [3]);
    assert_eq!(lines(rooms::check_document, "docs/OTHER.md", ""), [1]);
}

#[test]
fn impurity_in_the_core_is_found() {
    for text in [
        "async fn f() {}",
        "fn f() { x.await; }",
        "use std::{fs, fmt};",
        "use std::net::{IpAddr, UdpSocket};",
        "fn f() { std::thread::spawn(g); }",
        "fn f() { tracing::info!(\"x\"); }",
        "use std::time::{Duration, Instant};",
        "fn f() { ::tokio::spawn(g()); }",
        "#[cfg(test)] mod tests { fn f() { std::thread::spawn(g); } }",
    ] {
        assert_eq!(lines(purity::check, "src/sip/x.rs", text).len(), 1, "{text}");
    }
    assert_eq!(lines(purity::check, "src/wire/x.rs", "use tokio::net::UdpSocket;"), NONE);
}

#[test]
fn addresses_as_data_and_fixtures_of_tests_are_fine_in_the_core() {
    let text = "use std::net::{IpAddr, SocketAddr};\nuse std::time::Duration;\n// std::fs\n#[cfg(test)]\nmod tests { use std::fs; }";
    assert_eq!(lines(purity::check, "src/sip/x.rs", text), NONE);
    let tree = Tree::of(&[
        ("src/sip/mod.rs", "#[cfg(test)]\nmod torture;\nmod wire;"),
        ("src/sip/torture.rs", "use std::fs;"),
        ("src/sip/wire.rs", "use std::fs;"),
    ]);
    let found: Vec<String> = purity::check(&tree).into_iter().map(|finding| finding.path).collect();
    assert_eq!(found, ["src/sip/wire.rs"]);
}

#[test]
fn files_without_a_job_and_long_ones_are_found() {
    assert_eq!(lines(shape::check_files, "src/x.rs", "fn f() {}"), [1]);
    assert_eq!(lines(shape::check_files, "src/x.rs", &format!("//! Job.\n{}", "//\n".repeat(800))), [800]);
    assert_eq!(lines(shape::check_files, "src/x.rs", &format!("//! Job.\n{}", "//\n".repeat(799))), NONE);
}

#[test]
fn long_functions_are_found_in_items_impls_traits_and_tests() {
    let body = "    g();\n".repeat(71);
    for text in [
        format!("fn f() {{\n{body}}}"),
        format!("impl X {{ fn f() {{\n{body}}} }}"),
        format!("trait X {{ fn f() {{\n{body}}} }}"),
        format!("mod tests {{ #[test] fn f() {{\n{body}}} }}"),
    ] {
        assert_eq!(lines(shape::check_functions, "src/x.rs", &text).len(), 1);
        assert_eq!(lines(shape::check_functions, "src/x.rs", &text.replacen("    g();\n", "", 1)), NONE);
    }
}

#[test]
fn sleeps_ignored_tests_left_overs_and_silenced_lints_are_found() {
    for text in ["fn f() { std::thread::sleep(d); }", "fn f() { sleep(d); }"] {
        assert_eq!(lines(shape::check_words, "tests/x.rs", text), [1], "{text}");
        assert_eq!(lines(shape::check_words, "src/wire/x.rs", text), NONE, "clippy's: {text}");
        let in_tests = format!("#[cfg(test)] mod tests {{ {text} }}");
        assert_eq!(lines(shape::check_words, "src/wire/x.rs", &in_tests), [1], "{text}");
        let tree = Tree::of(&[("src/wire/mod.rs", "#[cfg(test)]\nmod tests;"), ("src/wire/tests.rs", text)]);
        assert_eq!(shape::check_words(&tree).len(), 1, "{text}");
    }
    for text in [
        "#[test] #[ignore] fn f() {}",
        "#[ignore = \"slow\"] fn f() {}",
        "fn f() { todo!() }",
        "fn f() { unimplemented!(\"x\") }",
        "#[allow(dead_code)] fn f() {}",
        "#![allow(dead_code)]",
        "#[cfg_attr(test, allow(dead_code))] fn f() {}",
    ] {
        assert_eq!(lines(shape::check_words, "src/x.rs", text), [1], "{text}");
    }
    let fine = "// sleep(1)\n#[expect(dead_code, reason = \"r\")] fn f() { sleep_until(t); let todo = \"todo!\"; }";
    assert_eq!(lines(shape::check_words, "src/x.rs", fine), NONE);
}

#[test]
fn error_pages_and_codes_must_match_both_ways() {
    let pages = |tree: &Tree| papers::check_error_pages(tree).into_iter().map(|f| f.path).collect::<Vec<_>>();
    let missing = pages(&Tree::of(&[("docs/errors/GH1000.md", "# GH1000: not YAML\n")]));
    assert!(
        missing.contains(&"docs/errors/GH1003.md".to_owned()) && !missing.contains(&"docs/errors/GH1000.md".to_owned())
    );
    assert!(pages(&Tree::of(&[("docs/errors/GH9999.md", "# GH9999\n")])).contains(&"docs/errors/GH9999.md".to_owned()));
    assert!(pages(&Tree::of(&[("docs/errors/GH1000.md", "no title\n")])).contains(&"docs/errors/GH1000.md".to_owned()));
}

#[test]
fn a_gap_in_the_decisions_is_found() {
    let tree = Tree::of(&[("docs/decisions/0001-a.md", "# 0001: a\n"), ("docs/decisions/0003-c.md", "# 0003: c\n")]);
    assert!(papers::check_decisions(&tree).iter().all(|finding| finding.path.ends_with("0003-c.md")));
    assert_eq!(papers::check_decisions(&tree).len(), 2);
    assert_eq!(lines(papers::check_decisions, "docs/decisions/0001-a.md", "# 0001: a\n"), NONE);
}

#[test]
fn paths_of_a_machine_are_found() {
    let text = format!("fine\nsee {}src\n", concat!("/wo", "rk/"));
    assert_eq!(lines(papers::check_forbidden, "docs/x.md", &text), [2]);
    assert_eq!(lines(papers::check_forbidden, "docs/x.md", "a homework\n"), NONE);
}

#[cfg(feature = "daemon")]
mod dashboards {
    use crate::metrics;
    use crate::tree::Tree;

    const TARGET: &str = "\"refId\": \"A\",\n          \"datasource\": {";

    fn complaints(from: &str, to: &str) -> Vec<String> {
        let real = Tree::read();
        let path = "grafana/dashboards/daemon.json";
        let good = real.get(path).map(|file| file.text.clone()).unwrap_or_default();
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        let others = real.files.iter().filter(|file| file.path.starts_with("grafana/dashboards/") && file.path != path);
        let mut files: Vec<(&str, &str)> = others.map(|file| (file.path.as_str(), file.text.as_str())).collect();
        files.push((path, &bad));
        metrics::check_dashboards(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_wrong_with_a_dashboard_is_found() {
        for (from, to, expected) in [
            ("goldenhour_leads{", "goldenhour_leeds{", "`goldenhour_leeds` is not in"),
            ("goldenhour_dnc_entries", "goldenhour_leads", "`goldenhour_dnc_entries` is on no dashboard"),
            ("sum by (rule)", "sum by (role)", "the label `role`"),
            ("goldenhour_leads{campaign=~", "goldenhour_leads{campain=~", "the label `campain`"),
            ("goldenhour_ring_seconds_bucket", "goldenhour_ring_seconds", "`goldenhour_ring_seconds` is not in"),
            ("\"unit\": \"bytes\"", "\"unit\": \"\"", "give it a unit"),
            ("\"description\": \"Resident", "\"descr\": \"Resident", "give it a `description`"),
            ("\"uid\": \"goldenhour-daemon\"", "\"uid\": \"\"", "stable `uid`"),
            ("\"id\": 2,", "\"id\": 1,", "used twice"),
            ("\"x\": 10,", "\"x\": 9,", "lies over"),
            ("\"x\": 18,", "\"x\": 23,", "outside the 24 columns"),
            (
                TARGET,
                "\"refId\": \"A\",\n          \"datasource\": {\"uid\": \"mine\"}, \"was\": {",
                "use the variable",
            ),
            ("{", "[", "not JSON"),
        ] {
            assert!(complaints(from, to).iter().any(|found| found.contains(expected)), "{from}: {expected}");
        }
        assert_eq!(complaints("goldenhour", "goldenhour"), Vec::<String>::new());
    }

    #[test]
    fn a_stale_metrics_page_is_found() {
        let page = goldenhour::obs::render_metrics_document();
        assert_eq!(metrics::check_document(&Tree::of(&[(metrics::DOCUMENT, &page)])), []);
        assert_eq!(metrics::check_document(&Tree::of(&[(metrics::DOCUMENT, &page[1..])])).len(), 1);
        assert_eq!(metrics::check_document(&Tree::of(&[])).len(), 1);
    }
}

#[cfg(feature = "daemon")]
mod alerts {
    use crate::alerts;
    use crate::tree::Tree;

    const RULES: &str = "grafana/alerts/x.yaml";
    const PAGE: &str = "docs/runbooks/GoldenhourX.md";
    const CASES: &str = "tests/fixtures/alerts/x.yaml";
    const TABLE: &str = "docs/OPERATING.md";
    const GOOD: [(&str, &str); 4] = [
        (
            RULES,
            "groups:\n  - rules:\n      - alert: GoldenhourX\n        expr: goldenhour_leads{state=\"waiting\"} > 1\n        \
             for: 1m\n        labels: { severity: page }\n        annotations:\n          summary: Something is wrong\n          \
             description: Something is wrong here\n          runbook_url: docs/runbooks/GoldenhourX.md\n",
        ),
        (TABLE, "| [GoldenhourX](runbooks/GoldenhourX.md) | page | it is so |"),
        (PAGE, "# GoldenhourX\n\n## What it means\n\n## How to see\n\n## What to do\n"),
        (
            CASES,
            "tests:\n  - input_series: [{ series: a, values: b }]\n    alert_rule_test:\n      - { alertname: GoldenhourX, \
             exp_alerts: [{ exp_labels: {} }] }\n      - { alertname: GoldenhourX, exp_alerts: [] }\n",
        ),
    ];

    fn complaints(path: &str, from: &str, to: &str) -> Vec<String> {
        let files = GOOD.map(|(own, text)| (own, if own == path { text.replace(from, to) } else { text.to_owned() }));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        alerts::check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_wrong_with_an_alert_is_found() {
        for (path, from, to, expected) in [
            (RULES, "goldenhour_leads", "goldenhour_leeds", "`goldenhour_leeds` is not in"),
            (RULES, "state=", "stat=", "the label `stat`"),
            (RULES, "severity: page", "severity: loud", "`page` or `ticket`"),
            (RULES, "for: 1m", "four: 1m", "one bad scrape"),
            (RULES, "summary", "summery", "give it a `summary`"),
            (RULES, "GoldenhourX.md", "GoldenhourY.md", "its `runbook_url` is"),
            (RULES, "alert: GoldenhourX", "alert: X", "begins with `Goldenhour`"),
            (RULES, "groups:", "groups: [", "not YAML"),
            (TABLE, "| page |", "| ticket |", "docs/OPERATING.md has no row"),
            (PAGE, "## How to see", "## How", "begins with `# GoldenhourX` and has"),
            (RULES, "GoldenhourX", "GoldenhourZ", "there is no alert `GoldenhourX`"),
            (CASES, "exp_alerts: []", "exp_alerts: [{}]", "where it fires and one where it does not"),
            (CASES, "[{ exp_labels: {} }]", "[]", "where it fires and one where it does not"),
        ] {
            let found = complaints(path, from, to);
            assert!(found.iter().any(|found| found.contains(expected)), "{from}: {expected}: {found:?}");
        }
        assert_eq!(complaints(RULES, "", ""), Vec::<String>::new());
    }
}

#[test]
fn a_page_that_names_no_test_or_one_that_is_gone_is_found() {
    let source = ("tests/x.rs", "#[test]\nfn a_call_is_ended() {}\nfn not_at_all_a_test() {}");
    for (row, wrong) in [
        ("| what | test |", false),
        ("| a | `a_call_is_ended` |", false),
        ("| a | **not built**, `not_so_long` |", false),
        ("| a | `goldenhour_calls_in_all_total` |", true),
        ("| a | `not_at_all_a_test` |", true),
        ("| a | |", true),
    ] {
        let tree = Tree::of(&[source, ("docs/sip/gotchas.md", row)]);
        assert_eq!(!papers::check_named_tests(&tree).is_empty(), wrong, "{row}");
    }
    let elsewhere = Tree::of(&[source, ("docs/sip/media.md", "| a | |\n| b | `a_call_is_not_ended` |")]);
    assert_eq!(papers::check_named_tests(&elsewhere).iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
}
