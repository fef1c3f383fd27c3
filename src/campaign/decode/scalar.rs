//! Readers of single values: text, names, numbers, booleans, words of a closed list.

use crate::base::Code;
use crate::contact::Country;

use super::fields::shortened;
use super::findings::did_you_mean;
use super::{Findings, Node, NodeKind, Scalar, Spanned};

/// Any text. Unquoted, it must not look like something else to another reader of YAML.
pub fn text(node: &Node, findings: &mut Findings) -> Option<String> {
    plain_text(node, "text", findings).map(str::to_owned)
}

/// As [`text`], never empty.
pub fn text_some(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = plain_text(node, "text", findings)?;
    if text.trim().is_empty() {
        findings.error(node.span, Code::BadValue, "the text is empty");
        return None;
    }
    Some(text.to_owned())
}

/// Any text, with its place.
pub fn text_at(node: &Node, findings: &mut Findings) -> Option<Spanned<String>> {
    text_some(node, findings).map(|text| node.spanned(text))
}

/// A name as metrics, tables and file names can carry it: letters, digits, `-` and `_`, at most 64.
pub fn name(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = plain_text(node, "a name", findings)?;
    check_name(text, node, findings).map(str::to_owned)
}

/// The same rule for the free keys of a map.
pub fn key_name(entry: &super::Entry, findings: &mut Findings) -> Option<String> {
    if is_ambiguous(&entry.key) {
        report_ambiguous(&entry.key, entry.key_span, findings);
        return None;
    }
    let at = Node { span: entry.key_span, kind: NodeKind::Refused };
    check_name(&entry.key.text, &at, findings).map(str::to_owned)
}

fn check_name<'a>(text: &'a str, at: &Node, findings: &mut Findings) -> Option<&'a str> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    if fits {
        return Some(text);
    }
    let message = format!("`{}` cannot be a name", shortened(text));
    findings.error_hint(
        at.span,
        Code::BadValue,
        message,
        "letters, digits, `-` and `_`, at most 64, one of them a letter",
    );
    None
}

/// A whole number of the range, both ends included.
pub fn integer(node: &Node, range: std::ops::RangeInclusive<u64>, findings: &mut Findings) -> Option<u64> {
    let scalar = node.scalar("a whole number", findings)?;
    if !scalar.quoted && scalar.text.len() <= 18 && is_digits(&scalar.text) {
        if scalar.text.len() > 1 && scalar.text.starts_with('0') {
            report_ambiguous(scalar, node.span, findings);
            return None;
        }
        if let Some(number) = scalar.text.parse().ok().filter(|n| range.contains(n)) {
            return Some(number);
        }
    }
    let (low, high) = (range.start(), range.end());
    let message = format!("a whole number from {low} to {high} was expected, not `{}`", shortened(&scalar.text));
    findings.error(node.span, Code::BadValue, message);
    None
}

/// Any number, with or without a sign and a fraction.
pub fn number(node: &Node, findings: &mut Findings) -> Option<f64> {
    let scalar = node.scalar("a number", findings)?;
    if is_ambiguous(scalar) {
        report_ambiguous(scalar, node.span, findings);
        return None;
    }
    let plain =
        !scalar.quoted && scalar.text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e'));
    let found = scalar.text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
    if found.is_none() {
        let message = format!("a number was expected, not `{}`", shortened(&scalar.text));
        findings.error(node.span, Code::BadValue, message);
    }
    found
}

/// A whole number, with or without a sign.
pub fn whole(node: &Node, findings: &mut Findings) -> Option<i64> {
    let scalar = node.scalar("a whole number", findings)?;
    if is_ambiguous(scalar) {
        report_ambiguous(scalar, node.span, findings);
        return None;
    }
    let found = scalar.text.parse::<i64>().ok().filter(|_| !scalar.quoted);
    if found.is_none() {
        let message = format!("a whole number was expected, not `{}`", shortened(&scalar.text));
        findings.error(node.span, Code::BadValue, message);
    }
    found
}

pub fn u16_from(range: std::ops::RangeInclusive<u16>) -> impl Fn(&Node, &mut Findings) -> Option<u16> {
    move |node, findings| {
        let wide = u64::from(*range.start())..=u64::from(*range.end());
        integer(node, wide, findings).map(|n| n as u16)
    }
}

pub fn u32_from(range: std::ops::RangeInclusive<u32>) -> impl Fn(&Node, &mut Findings) -> Option<u32> {
    move |node, findings| {
        let wide = u64::from(*range.start())..=u64::from(*range.end());
        integer(node, wide, findings).map(|n| n as u32)
    }
}

pub fn boolean(node: &Node, findings: &mut Findings) -> Option<bool> {
    let scalar = node.scalar("true or false", findings)?;
    match (scalar.quoted, scalar.text.as_str()) {
        (false, "true") => Some(true),
        (false, "false") => Some(false),
        _ if is_ambiguous(scalar) => {
            report_ambiguous(scalar, node.span, findings);
            None
        }
        _ => {
            let message = format!("true or false was expected, not `{}`", shortened(&scalar.text));
            findings.error(node.span, Code::BadValue, message);
            None
        }
    }
}

/// One word of a closed list. `not_yet` are words of the vocabulary that this version does not carry out.
pub fn one_of<T: Copy>(
    node: &Node,
    what: &str,
    words: &[(&str, T)],
    not_yet: &[&str],
    findings: &mut Findings,
) -> Option<T> {
    #[cfg(test)]
    findings.asked.push(super::findings::Asked::Words {
        what: what.to_owned(),
        words: words.iter().map(|(word, _)| (*word).to_owned()).collect(),
    });
    let scalar = node.scalar(what, findings)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == scalar.text) {
        return Some(*value);
    }
    let shown = shortened(&scalar.text);
    if not_yet.contains(&scalar.text.as_str()) {
        findings.error(node.span, Code::NotSupported, format!("`{shown}` is not supported yet"));
        return None;
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let hint =
        did_you_mean(&scalar.text, names.iter().copied()).unwrap_or_else(|| format!("one of: {}", names.join(", ")));
    findings.error_hint(node.span, Code::BadValue, format!("`{shown}` is not {what}"), hint);
    None
}

/// Of numbers without a country code.
pub fn country(node: &Node, findings: &mut Findings) -> Option<Country> {
    let text = plain_text(node, "a country", findings)?;
    let found = Country::parse(text);
    if found.is_none() {
        let message = format!("`{}` is no country with phone numbers", shortened(text));
        findings.error_hint(node.span, Code::BadValue, message, "two capital letters of ISO 3166-1: CN, US, GB");
    }
    found
}

/// A scalar as text, if no reader of YAML could take it for anything else.
pub fn plain_text<'a>(node: &'a Node, what: &str, findings: &mut Findings) -> Option<&'a str> {
    let scalar = node.scalar(what, findings)?;
    if scalar.quoted {
        return Some(&scalar.text);
    }
    if is_ambiguous(scalar) {
        report_ambiguous(scalar, node.span, findings);
        return None;
    }
    if scalar.text.is_empty() {
        findings.error(node.span, Code::BadValue, format!("{what} was expected here, not nothing"));
        return None;
    }
    if matches!(scalar.text.as_str(), "true" | "false" | "null" | "~") || looks_like_a_number(&scalar.text) {
        let message = format!("{what} was expected, and `{}` is not text without quotes", shortened(&scalar.text));
        findings.error_hint(node.span, Code::BadValue, message, format!("quote it: \"{}\"", shortened(&scalar.text)));
        return None;
    }
    Some(&scalar.text)
}

/// Unquoted and read differently by YAML 1.1 and 1.2: yes, no, on, off, times, dates, numbers with a leading zero.
pub fn is_ambiguous(scalar: &Scalar) -> bool {
    if scalar.quoted {
        return false;
    }
    let text = scalar.text.as_str();
    let boolean = ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
        || (text.eq_ignore_ascii_case("true") && text != "true")
        || (text.eq_ignore_ascii_case("false") && text != "false");
    let leading_zero = text.len() > 1 && text.starts_with('0') && is_digits(text);
    boolean || leading_zero || starts_like_a_time(text) || starts_like_a_date(text)
}

pub fn report_ambiguous(scalar: &Scalar, span: crate::base::Span, findings: &mut Findings) {
    let text = shortened(&scalar.text);
    let why = if starts_like_a_time(&scalar.text) {
        "is not a time to every reader of YAML"
    } else if starts_like_a_date(&scalar.text) {
        "is a date of its own kind to some readers of YAML"
    } else if is_digits(&scalar.text) {
        "is an octal number to some readers of YAML"
    } else {
        "is true or false to some readers of YAML and a word to others"
    };
    let hint = if why.contains("true or false") {
        format!("quote it, \"{text}\", or write true or false")
    } else {
        format!("quote it: \"{text}\"")
    };
    findings.error_hint(span, Code::Ambiguous, format!("unquoted `{text}` {why}"), hint);
}

fn starts_like_a_time(text: &str) -> bool {
    let Some((hours, rest)) = text.split_once(':') else { return false };
    (1..=3).contains(&hours.len()) && is_digits(hours) && rest.bytes().next().is_some_and(|b| b.is_ascii_digit())
}

fn starts_like_a_date(text: &str) -> bool {
    let shape: Vec<bool> = text.bytes().take(8).map(|b| b.is_ascii_digit()).collect();
    text.as_bytes().get(4) == Some(&b'-') && matches!(shape.as_slice(), [true, true, true, true, false, true, ..])
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn looks_like_a_number(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'))
        && (text.parse::<f64>().is_ok() || text.starts_with("0x") || text.starts_with("0o"))
}
