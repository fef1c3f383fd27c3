//! The house checks itself: layering, purity, shape, and papers that must match the code. Each check can fail, and
//! `house/proof.rs` shows it. A red test names file and line and says what to do.

#[cfg(feature = "daemon")]
#[path = "house/alerts.rs"]
mod alerts;
#[cfg(feature = "daemon")]
#[path = "house/metrics.rs"]
mod metrics;
#[path = "house/papers.rs"]
mod papers;
#[path = "house/proof.rs"]
mod proof;
#[path = "house/purity.rs"]
mod purity;
#[path = "house/rooms.rs"]
mod rooms;
#[path = "house/shape.rs"]
mod shape;
#[path = "house/tokens.rs"]
mod tokens;
#[path = "house/tree.rs"]
mod tree;

use std::collections::BTreeSet;

use tree::{Finding, Tree};

#[test]
fn rooms_import_only_what_the_table_allows() {
    assert_clean(&rooms::check_imports(&Tree::read()));
}

#[test]
fn the_table_of_rooms_is_shown_in_the_architecture_page() {
    leave(rooms::TABLE_FILE, &rooms::render());
    assert_clean(&rooms::check_document(&Tree::read()));
}

#[test]
fn the_core_is_pure() {
    assert_clean(&purity::check(&Tree::read()));
}

#[test]
fn files_say_their_job_and_stay_small() {
    assert_clean(&shape::check_files(&Tree::read()));
}

#[test]
fn functions_fit_on_a_screen() {
    assert_clean(&shape::check_functions(&Tree::read()));
}

#[test]
fn no_sleeps_no_left_overs_no_silenced_lints() {
    assert_clean(&shape::check_words(&Tree::read()));
}

#[test]
fn every_error_code_has_its_page() {
    assert_clean(&papers::check_error_pages(&Tree::read()));
}

#[cfg(feature = "daemon")]
#[test]
fn the_metrics_page_is_written_from_the_catalogue() {
    leave(metrics::DOCUMENT_FILE, &goldenhour::obs::render_metrics_document());
    assert_clean(&metrics::check_document(&Tree::read()));
}

#[cfg(feature = "daemon")]
#[test]
fn dashboards_show_every_metric_and_no_other() {
    assert_clean(&metrics::check_dashboards(&Tree::read()));
}

#[cfg(feature = "daemon")]
#[test]
fn every_alert_has_its_page_its_cases_and_known_metrics() {
    assert_clean(&alerts::check(&Tree::read()));
}

#[test]
fn decisions_count_up_without_gaps() {
    assert_clean(&papers::check_decisions(&Tree::read()));
}

#[test]
fn every_test_that_the_pages_of_sip_name_exists() {
    assert_clean(&papers::check_named_tests(&Tree::read()));
}

#[test]
fn no_file_names_a_machine_or_leaves_work_open() {
    assert_clean(&papers::check_forbidden(&Tree::read()));
}

fn assert_clean(findings: &[Finding]) {
    let lines: BTreeSet<String> = findings.iter().map(ToString::to_string).collect();
    let lines: Vec<String> = lines.into_iter().collect();
    assert!(lines.is_empty(), "{} to mend:\n{}", lines.len(), lines.join("\n"));
}

/// Writes the text that a page should hold to target/tmp, to be copied from there.
fn leave(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    assert!(std::fs::write(&path, text).is_ok(), "cannot write {}", path.display());
}
