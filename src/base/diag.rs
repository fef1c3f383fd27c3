//! Diagnostics for the people who write YAML and lists: what, where, what to do, and all of them at once.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::Code;

/// Bytes `start..end` of a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// A file as it was read, shared by the diagnostics that point into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// As the reader named it: a path relative to where the command was run.
    pub name: String,
    pub text: String,
}

/// An error stops what was asked for; a warning is shown and lets it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One finding. `message` says what is wrong in lower case without a full stop; `hint` says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub hint: Option<String>,
    pub at: Option<(Arc<SourceText>, Span)>,
}

impl Diagnostic {
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), hint: None, at: None }
    }

    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    #[must_use]
    pub fn at(mut self, source: &Arc<SourceText>, span: Span) -> Self {
        self.at = Some((Arc::clone(source), span));
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Line and column from 1, in characters, for machines; people get them from `Display`.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        let (source, span) = self.at.as_ref()?;
        let place = Place::find(&source.text, *span);
        Some((place.line, place.column))
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `file:line:column: error[GH1003]: message`, the line with a caret under the span, and the hint.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Some((source, span)) = &self.at else {
            write!(f, "{kind}[{}]: {}", self.code, self.message)?;
            return write_hint(f, "", self.hint.as_deref());
        };
        let place = Place::find(&source.text, *span);
        writeln!(f, "{}:{}:{}: {kind}[{}]: {}", source.name, place.line, place.column, self.code, self.message)?;
        let gutter = " ".repeat(place.line.to_string().len());
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{} | {}", place.line, place.text)?;
        write!(f, "{gutter} | {}{}", " ".repeat(place.indent), "^".repeat(place.carets))?;
        write_hint(f, &gutter, self.hint.as_deref())
    }
}

/// All findings for machines, with the same keys wherever they are told.
pub fn render_json(findings: &[Diagnostic]) -> serde_json::Value {
    let one = |finding: &Diagnostic| {
        let place = finding.line_column();
        serde_json::json!({
            "code": finding.code.to_string(),
            "severity": if finding.is_error() { "error" } else { "warning" },
            "message": finding.message,
            "help": finding.hint,
            "file": finding.at.as_ref().map(|(source, _)| &source.name),
            "line": place.map(|(line, _)| line),
            "column": place.map(|(_, column)| column),
        })
    };
    serde_json::Value::Array(findings.iter().map(one).collect())
}

/// All findings, one block each, in the order of their places.
pub fn render(findings: &[Diagnostic]) -> String {
    let mut out = String::new();
    for finding in findings {
        out.push_str(&finding.to_string());
        out.push('\n');
    }
    out
}

fn write_hint(f: &mut fmt::Formatter<'_>, gutter: &str, hint: Option<&str>) -> fmt::Result {
    match hint {
        Some(hint) => write!(f, "\n{gutter} = help: {hint}"),
        None => Ok(()),
    }
}

/// Columns of a terminal that we show of one line. A list may have lines of megabytes; nobody reads them.
const MOST_COLUMNS: usize = 140;

/// Columns of them that the place itself and what follows it get, where what stands before it is long.
const LEAST_BEHIND: usize = 80;

/// Line and column from 1, in characters; what is shown of the line, and the caret under it, in columns of a terminal.
struct Place {
    line: usize,
    column: usize,
    text: String,
    indent: usize,
    carets: usize,
}

impl Place {
    fn find(text: &str, span: Span) -> Self {
        let start = floor_char(text, span.start as usize);
        let before = text.get(..start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or("");
        let line_text = rest.split('\n').next().unwrap_or("").trim_end_matches('\r');
        let column = text.get(line_start..start).unwrap_or("").chars().count() + 1;
        let line_end = line_start + line_text.len();
        let end = floor_char(text, span.end as usize).min(line_end);
        // Byte for byte as long as the line itself, so that places in it hold.
        let line = without_password(line_text);
        let head = line.get(..start - line_start).unwrap_or("");
        let marked = line.get(start - line_start..end.max(start) - line_start).unwrap_or("");
        let tail = line.get(start - line_start..).unwrap_or("");

        let behind = MOST_COLUMNS.saturating_sub(width(head)).max(LEAST_BEHIND);
        let shown_tail = fitting(tail.chars(), behind);
        let room = MOST_COLUMNS - width(&shown_tail);
        let mut shown_head: Vec<char> = fitting(head.chars().rev(), room).chars().collect();
        shown_head.reverse();
        let mut shown: String = shown_head.iter().collect();
        if shown_head.len() < head.chars().count() {
            shown.insert(0, '…');
        }
        let indent = width(&shown);
        let carets = width(&fitting(marked.chars(), behind)).max(1);
        shown.push_str(&shown_tail);
        if shown_tail.chars().count() < tail.chars().count() {
            shown.push('…');
        }
        Self { line: before.matches('\n').count() + 1, column, text: shown, indent, carets }
    }
}

/// Whatever is wrong with a line, a password in it is not shown: of a URL, `scheme://user:password@`, or written where a
/// file should be named, `password: …`. What is returned has as many bytes.
fn without_password(line: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(line);
    for (at, mark) in line.match_indices("password:") {
        let rest = line.get(at + mark.len()..).unwrap_or("");
        let value = rest.trim_start();
        let first = line.len() - value.len();
        let length = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|inside| inside.find(quote)).map(|end| end + 1),
            _ => value.find([',', '}', ' ']),
        };
        let last = first + length.unwrap_or(value.len());
        shown.to_mut().replace_range(first..last, &"*".repeat(last - first));
    }
    for (at, mark) in line.match_indices("://") {
        let from = at + mark.len();
        let url = line.get(from..).and_then(|rest| rest.split([' ', '\t', '"', '\'', ',']).next()).unwrap_or("");
        let Some((login, _)) = url.rsplit_once('@') else { continue };
        let Some((user, _)) = login.split_once(':') else { continue };
        let (first, last) = (from + user.len() + 1, from + login.len());
        shown.to_mut().replace_range(first..last, &"*".repeat(last - first));
    }
    shown
}

/// The first characters, up to so many columns, as a terminal may show them: one that moves the cursor, or turns the
/// direction of writing, is replaced.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    chars
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}') =>
            {
                '\u{fffd}'
            }
            c => c,
        })
        .take_while(|c| {
            used += columns_of(*c);
            used <= columns
        })
        .collect()
}

fn floor_char(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// East Asian wide characters take two columns. The blocks that occur in our files suffice: a caret may be off by one elsewhere.
fn columns_of(c: char) -> usize {
    if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffdc}') { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_url_is_not_shown_whatever_is_wrong_with_its_line() {
        let text = "databse: \"postgres://me:s3cr/et@x@db/a\", \"http://u:pö@h\" # sip://a@b x://c:1/ d@e\n".to_owned();
        let source = Arc::new(SourceText { name: "a.yaml".into(), text });
        for (start, end) in [(0, 7), (12, 40), (26, 27), (50, 52)] {
            let shown = Diagnostic::error(Code::UnknownKey, "x").at(&source, Span { start, end }).to_string();
            assert!(!shown.contains("s3cr") && !shown.contains("et@") && !shown.contains('ö'), "{shown}");
            assert!(shown.contains("me:*********@db/a") && shown.contains("# sip://a@b x://c:1/ d@e"), "{shown}");
        }
        for (line, hidden) in [
            ("auth: { user: u, password: s3cret }", "auth: { user: u, password: ****** }"),
            ("auth: { password: \"s3, }t\", user: u }", "auth: { password: *******\", user: u }"),
            ("password: 's3c", "password: ****"),
            ("auth: { password_file: secret }", "auth: { password_file: secret }"),
            ("password:", "password:"),
        ] {
            assert_eq!(without_password(line), hidden);
        }
    }

    #[test]
    fn the_caret_stands_under_the_span_even_behind_wide_characters() {
        let source = Arc::new(SourceText { name: "a.yaml".into(), text: "title: x\nname: 账单 pacin\n".into() });
        let start = source.text.find("pacin").unwrap() as u32;
        let finding = Diagnostic::error(Code::UnknownKey, "unknown key `pacin`")
            .at(&source, Span { start, end: start + 5 })
            .hint("did you mean `pacing`?");
        expect_test::expect![[r"
            a.yaml:2:10: error[GH1003]: unknown key `pacin`
              |
            2 | name: 账单 pacin
              |            ^^^^^
              = help: did you mean `pacing`?
        "]]
        .assert_eq(&render(&[finding]));
    }

    #[test]
    fn a_span_past_the_end_or_inside_a_character_still_renders() {
        let source = Arc::new(SourceText { name: "a".into(), text: "账".into() });
        for span in [Span { start: 1, end: 2 }, Span { start: 99, end: 120 }] {
            assert!(Diagnostic::error(Code::Yaml, "m").at(&source, span).to_string().contains("a:1:"));
        }
    }

    #[test]
    fn a_line_of_megabytes_is_cropped_around_the_caret() {
        let text = format!("{}账单 pacin {}", "x".repeat(4_000_000), "账".repeat(1_000_000));
        let source = Arc::new(SourceText { name: "a.yaml".into(), text });
        let start = source.text.find("pacin").unwrap() as u32;
        let shown = Diagnostic::error(Code::UnknownKey, "m").at(&source, Span { start, end: start + 5 }).to_string();
        assert!(shown.lines().all(|line| width(line) <= 160), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        let [_, _, line, caret] = lines.as_slice() else { panic!("{shown}") };
        let column = width(line.split("pacin").next().unwrap());
        assert_eq!(width(caret.split('^').next().unwrap()), column, "{shown}");
        assert!(line.contains("…x") && line.ends_with('…'), "{shown}");

        let whole = Diagnostic::error(Code::Yaml, "m").at(&source, Span { start: 0, end: u32::MAX }).to_string();
        assert!(whole.lines().all(|line| width(line) <= 160), "{whole}");
    }

    #[test]
    fn what_moves_the_cursor_is_not_sent_to_the_terminal() {
        let source = Arc::new(SourceText { name: "a".into(), text: "a:\t\u{1b}[2J\u{202e}x".into() });
        let shown = Diagnostic::error(Code::Yaml, "m").at(&source, Span { start: 3, end: 4 }).to_string();
        assert!(shown.contains("1 | a: \u{fffd}[2J\u{fffd}x"), "{shown}");
        assert!(shown.ends_with("  |    ^"), "{shown}");
    }
}
