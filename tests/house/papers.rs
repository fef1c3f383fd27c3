//! Pages that must stay complete: one per error code, decisions without gaps, tests that exist, no path of anybody's machine.

use std::collections::BTreeSet;

use goldenhour::base::Code;

use super::tree::{Finding, Tree};

const ERRORS: &str = "docs/errors/";
const DECISIONS: &str = "docs/decisions/";
const GOTCHAS: &str = "docs/sip/gotchas.md";

/// Put together here so that this file does not name them itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "the path of a machine"),
    (concat!("/ho", "me/"), "the path of a machine"),
    (concat!("/ro", "ot/"), "the path of a machine"),
    (concat!("<<<<", "<<< "), "a merge left open"),
    (concat!("FIX", "ME"), "mend it, or write down what is left where a reader looks for it"),
    (concat!("TO", "DO"), "do it, or write down what is left where a reader looks for it"),
];

/// Each code of `base::Code` has its page, each page its code.
pub(crate) fn check_error_pages(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for code in Code::ALL {
        let path = format!("{ERRORS}{code}.md");
        match tree.get(&path) {
            None => findings.push(Finding {
                path,
                line: 1,
                what: "is missing: a title, what it means, an example, what to do".into(),
            }),
            Some(page) if !page.text.starts_with(&format!("# {code}")) => {
                findings.push(page.finding(1, format!("open the page with `# {code}` and its title")));
            }
            Some(_) => {}
        }
    }
    for page in tree.files.iter().filter(|file| file.path.starts_with(ERRORS)) {
        let name = page.path.trim_start_matches(ERRORS).trim_end_matches(".md");
        if name != "README" && !Code::ALL.iter().any(|code| code.to_string() == name) {
            findings
                .push(page.finding(1, format!("`{name}` is not in src/base/code.rs: delete the page or add the code")));
        }
    }
    findings
}

/// 0001, 0002, 0003: a gap would mean that a decision was lost.
pub(crate) fn check_decisions(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files.iter().filter(|file| file.path.starts_with(DECISIONS));
    let mut findings = Vec::new();
    for (at, page) in pages.enumerate() {
        let wanted = format!("{DECISIONS}{:04}-", at + 1);
        if !page.path.starts_with(&wanted) {
            findings
                .push(page.finding(1, format!("decisions count up without gaps: this one should start with {wanted}")));
        }
        if !page.text.starts_with(&format!("# {:04}: ", at + 1)) {
            findings.push(page.finding(1, format!("open the page with `# {:04}: ` and the decision", at + 1)));
        }
    }
    findings
}

/// Tests that the pages for telephony engineers name are there, and each row of the list of gotchas names one, or says
/// that there is nothing to test.
pub(crate) fn check_named_tests(tree: &Tree) -> Vec<Finding> {
    let tests: BTreeSet<&str> = tree.files.iter().flat_map(|file| tests_of(&file.text)).collect();
    let mut findings = Vec::new();
    for page in tree.files.iter().filter(|file| file.path == "docs/SIP.md" || file.path.starts_with("docs/sip/")) {
        for (at, line) in page.text.lines().enumerate() {
            let named: Vec<&str> = line.split('`').skip(1).step_by(2).filter(|word| is_name_of_test(word)).collect();
            for name in named.iter().filter(|name| !tests.contains(*name)) {
                findings.push(page.finding(at + 1, format!("no test is called {name}: name the one that holds this")));
            }
            let is_row = page.path == GOTCHAS && line.starts_with("| ") && !line.starts_with("| what |");
            if is_row && named.is_empty() && !line.contains("**not built**") {
                findings.push(page.finding(at + 1, "no test holds this: name one, or say that it is not built"));
            }
        }
    }
    findings
}

/// Names of functions right after `#[test]`, and of those that the conformance suite runs against every store.
fn tests_of(source: &str) -> impl Iterator<Item = &str> {
    let after = source.split("#[test]").skip(1);
    let tests = after.filter_map(|text| text.split_once("fn ")?.1.split('(').next());
    let before = source.split("<H: Harness>(").map(|text| text.rsplit_once("async fn ").map_or("", |(_, name)| name));
    tests.chain(before.filter(|name| is_name_of_test(name)))
}

/// A sentence in small letters; keys of the configuration and names of metrics are shorter, or begin alike.
fn is_name_of_test(word: &str) -> bool {
    let small = word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    small && word.matches('_').count() >= 3 && !word.starts_with("goldenhour_")
}

pub(crate) fn check_forbidden(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path != "Cargo.lock") {
        for (at, line) in file.text.lines().enumerate() {
            for (word, why) in FORBIDDEN {
                if line.contains(word) {
                    findings.push(file.finding(at + 1, format!("`{word}`: {why}")));
                }
            }
        }
    }
    findings
}
