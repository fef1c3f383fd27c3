//! The shape of files and functions, and words that never stay in code.

use syn::visit::{self, Visit};

use super::tree::{Finding, SourceFile, Tree};
use super::{purity, tokens};

const FOLDERS: &[&str] = &["src/", "tests/", "fuzz/"];
const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;

/// Every file opens with its one job and stays small.
pub(crate) fn check_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust(FOLDERS) {
        if !file.text.starts_with("//! ") {
            findings.push(file.finding(1, "open the file with `//! ` and its one job"));
        }
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            findings.push(file.finding(FILE_LINES, format!("{lines} lines: split it ({FILE_LINES} at most)")));
        }
    }
    findings
}

/// No function over 70 lines between its braces, test functions included.
pub(crate) fn check_functions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust(FOLDERS) {
        match syn::parse_file(&file.text) {
            Ok(parsed) => {
                let mut lengths = Lengths { file, findings: Vec::new() };
                lengths.visit_file(&parsed);
                findings.append(&mut lengths.findings);
            }
            Err(error) => findings.push(file.finding(error.span().start().line, format!("not Rust: {error}"))),
        }
    }
    findings
}

/// No ignored tests, left-overs, or lints switched off without a reason; no sleeps in tests. Elsewhere clippy bans them,
/// and a pump that must wait says why.
pub(crate) fn check_words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let test_files = purity::test_files(tree);
    for file in tree.rust(FOLDERS) {
        let Ok(scan) = tokens::scan(file) else { continue };
        let only_tests =
            !file.path.starts_with("src/") || test_files.iter().any(|prefix| file.path.starts_with(prefix));
        for path in &scan.paths {
            let last = path.segments.last().map_or("", String::as_str);
            if last == "sleep" && path.called && (only_tests || path.in_test) {
                let what = "`sleep(`: wait for an event with a bound (recv_timeout, park_timeout, sleep_until of poll_timeout)";
                findings.push(file.finding(path.line, what));
            }
            if path.is_macro && ["todo", "unimplemented"].contains(&last) {
                findings.push(file.finding(path.line, format!("`{last}!`: write it, or leave the function out")));
            }
        }
        for attribute in &scan.attributes {
            let first = attribute.words.first().map_or("", String::as_str);
            let has =
                |word: &str| first == word || first == "cfg_attr" && attribute.words.iter().any(|other| other == word);
            if has("allow") {
                findings.push(file.finding(attribute.line, "`#[allow(..)]`: write `#[expect(.., reason = \"..\")]`"));
            }
            if has("ignore") {
                findings.push(file.finding(attribute.line, "`#[ignore]`: mend the test or delete it"));
            }
        }
    }
    findings
}

struct Lengths<'a> {
    file: &'a SourceFile,
    findings: Vec<Finding>,
}

impl Lengths<'_> {
    fn judge(&mut self, name: &syn::Ident, body: &syn::Block) {
        let braces = body.brace_token.span;
        let open = braces.open().start().line;
        let lines = braces.close().start().line.saturating_sub(open + 1);
        if lines > FUNCTION_LINES {
            let what = format!("`{name}` has {lines} lines: split it ({FUNCTION_LINES} at most)");
            self.findings.push(self.file.finding(open, what));
        }
    }
}

impl<'ast> Visit<'ast> for Lengths<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.judge(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.judge(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.judge(&item.sig.ident, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
