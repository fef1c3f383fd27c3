//! Rust files as tokens: every path with its `use` groups spelled out, macro bodies included, and every attribute.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::tree::SourceFile;

/// `use crate::{a::B, c};` is two of these: `crate a B` and `crate c`. A lone word is a path of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathUse {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// How many inline modules stand around it.
    pub(crate) inline_modules: usize,
    /// Inside something that is compiled only for tests.
    pub(crate) in_test: bool,
    /// `name(`
    pub(crate) called: bool,
    /// `name!(`
    pub(crate) is_macro: bool,
    /// `name as other`
    pub(crate) renamed: bool,
}

/// `#[allow(..)]` has the words `allow` and whatever follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) words: Vec<String>,
    pub(crate) line: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Scan {
    pub(crate) paths: Vec<PathUse>,
    pub(crate) attributes: Vec<Attribute>,
    /// Modules in files of their own that are compiled only for tests: `#[cfg(test)] mod name;`
    pub(crate) test_modules: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Around {
    inline_modules: usize,
    in_test: bool,
}

/// `Err` says why the file does not tokenise.
pub(crate) fn scan(file: &SourceFile) -> Result<Scan, String> {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut found = Scan::default();
    walk(tokens, Around::default(), &mut found);
    Ok(found)
}

fn walk(tokens: TokenStream, around: Around, found: &mut Scan) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut test_until = None;
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let here = Around { in_test: around.in_test || test_until.is_some_and(|end| at <= end), ..around };
        match tree {
            TokenTree::Group(group) => {
                let inline = usize::from(is_module_body(&trees, at));
                let inner = Around { inline_modules: here.inline_modules + inline, ..here };
                walk(group.stream(), inner, found);
            }
            TokenTree::Ident(_) if starts_path(&trees, at) => at = read_path(&trees, at, &[], here, found),
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if attribute(&trees, at, found) == Some("cfg(test)".to_owned()) {
                    test_until = Some(end_of_item(&trees, at + 2));
                    found.test_modules.extend(file_module(&trees, at + 2));
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at += 1;
    }
}

/// Reads the path that starts at `at`, groups included; returns the index of its last token.
fn read_path(trees: &[TokenTree], mut at: usize, prefix: &[String], around: Around, found: &mut Scan) -> usize {
    let mut path = PathUse {
        segments: prefix.to_vec(),
        line: trees.get(at).map_or(0, |tree| tree.span().start().line),
        inline_modules: around.inline_modules,
        in_test: around.in_test,
        ..PathUse::default()
    };
    loop {
        match trees.get(at) {
            Some(TokenTree::Ident(ident)) => path.segments.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                for item in split_at_commas(group.stream()) {
                    read_path(&item, 0, &path.segments, around, found);
                }
                return at;
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => path.segments.push("*".into()),
            Some(_) | None => {
                found.paths.push(path);
                return at.saturating_sub(1);
            }
        }
        if !(is_punct(trees, at + 1, ':') && is_punct(trees, at + 2, ':')) {
            path.called = is_group(trees, at + 1, Delimiter::Parenthesis);
            path.is_macro = is_punct(trees, at + 1, '!') && matches!(trees.get(at + 2), Some(TokenTree::Group(_)));
            path.renamed = matches!(trees.get(at + 1), Some(TokenTree::Ident(word)) if word == "as");
            found.paths.push(path);
            return at;
        }
        at += 3;
    }
}

fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
    trees.split(is_comma).filter(|item| !item.is_empty()).map(<[TokenTree]>::to_vec).collect()
}

/// A word behind `a::` continues a path; behind a lone `::` it starts one.
fn starts_path(trees: &[TokenTree], at: usize) -> bool {
    let behind_colons = at >= 2 && is_punct(trees, at - 1, ':') && is_punct(trees, at - 2, ':');
    let continues = at >= 3 && (matches!(trees.get(at - 3), Some(TokenTree::Ident(_))) || is_punct(trees, at - 3, '>'));
    !(behind_colons && continues)
}

/// Notes the attribute whose `#` stands at `at` and returns its text without spaces.
fn attribute(trees: &[TokenTree], at: usize, found: &mut Scan) -> Option<String> {
    let body = if is_punct(trees, at + 1, '!') { at + 2 } else { at + 1 };
    let TokenTree::Group(group) = trees.get(body)? else { return None };
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let mut words = Vec::new();
    collect_words(group.stream(), &mut words);
    found.attributes.push(Attribute { words, line: group.span_open().start().line });
    Some(group.stream().to_string().replace(' ', ""))
}

fn collect_words(tokens: TokenStream, words: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => words.push(ident.to_string()),
            TokenTree::Group(group) => collect_words(group.stream(), words),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The first braces or semicolon from `from` on: the end of the item that an attribute stands on.
fn end_of_item(trees: &[TokenTree], from: usize) -> usize {
    (from..trees.len())
        .find(|&at| is_group(trees, at, Delimiter::Brace) || is_punct(trees, at, ';'))
        .unwrap_or(trees.len())
}

/// The name in `mod name;`, if that is the item at `from`.
fn file_module(trees: &[TokenTree], from: usize) -> Option<String> {
    let at = end_of_item(trees, from);
    let is_mod = at >= 2 && matches!(trees.get(at - 2), Some(TokenTree::Ident(word)) if word == "mod");
    match trees.get(at.checked_sub(1)?) {
        Some(TokenTree::Ident(name)) if is_mod && is_punct(trees, at, ';') => Some(name.to_string()),
        Some(_) | None => None,
    }
}

fn is_module_body(trees: &[TokenTree], at: usize) -> bool {
    at >= 2
        && is_group(trees, at, Delimiter::Brace)
        && matches!(trees.get(at - 2), Some(TokenTree::Ident(word)) if word == "mod")
}

fn is_punct(trees: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_group(trees: &[TokenTree], at: usize, wanted: Delimiter) -> bool {
    matches!(trees.get(at), Some(TokenTree::Group(group)) if group.delimiter() == wanted)
}
