//! YAML text → tree. The one place that knows the parser: serde-saphyr's events with their spans.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span as YamlSpan, StrInput, options};

use crate::base::{Code, Diagnostic, SourceText, Span};

use super::fields::shortened;
use super::{Entry, Findings, Node, NodeKind, Scalar};

/// Larger files are refused unread.
pub const MAX_BYTES: usize = 256 * 1024;

/// Maps and lists inside each other.
pub const MAX_DEPTH: usize = 32;

const LARGE: &str = "a file of ours has some kilobytes: is this one?";
const DEEP: &str = "close what was opened; no file of ours needs more than ten levels";

/// Bytes of a file → text: size, UTF-8 and characters that hide what a line says are checked here.
pub fn source_text(name: &str, bytes: &[u8]) -> Result<Arc<SourceText>, Diagnostic> {
    let empty = || Arc::new(SourceText { name: name.to_owned(), text: String::new() });
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        return Err(Diagnostic::error(Code::YamlBounds, message).at(&empty(), Span::default()).hint(LARGE));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let message = format!("not UTF-8 text: byte {} belongs to no character", error.valid_up_to() + 1);
            return Err(Diagnostic::error(Code::Yaml, message).at(&empty(), Span::default()).hint("save it as UTF-8"));
        }
    };
    let hidden = text.char_indices().find(|(_, c)| is_hidden(*c));
    let source = Arc::new(SourceText { name: name.to_owned(), text });
    match hidden {
        None => Ok(source),
        Some((at, c)) => {
            let span = Span { start: at as u32, end: (at + c.len_utf8()) as u32 };
            let message = format!("the invisible character U+{:04X} is not allowed", u32::from(c));
            Err(Diagnostic::error(Code::Yaml, message)
                .at(&source, span)
                .hint("delete it; it can make a line say another thing than it shows"))
        }
    }
}

/// The root of the one document. `None` if there is none or the text breaks off; whatever was refused is in `findings`.
pub fn parse(source: &Arc<SourceText>, findings: &mut Findings) -> Option<Node> {
    let text = source.text.as_str();
    if text.len() > MAX_BYTES {
        findings.error_hint(Span::default(), Code::YamlBounds, format!("longer than {MAX_BYTES} bytes"), LARGE);
        return None;
    }
    let mut options = options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    Builder { text, parser, findings, documents: 0 }.document()
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

struct Builder<'a, 'f> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    findings: &'f mut Findings,
    documents: usize,
}

/// The text cannot be followed any further; it has been reported.
struct Broken;

impl<'a> Builder<'a, '_> {
    fn document(mut self) -> Option<Node> {
        let mut root = None;
        loop {
            match self.next() {
                Err(Broken) => return None,
                Ok((Event::StreamEnd, _)) => break,
                Ok((Event::DocumentStart(..), at)) => {
                    self.documents += 1;
                    if self.documents > 1 {
                        let hint = "one file holds one document: take the `---` out, or make two files";
                        self.findings.error_hint(at, Code::Yaml, "a second document", hint);
                        return None;
                    }
                }
                Ok((Event::StreamStart | Event::DocumentEnd, _)) => {}
                Ok((event, at)) => root = Some(self.node(event, at, 1).ok()?),
            }
        }
        if root.is_none() {
            self.findings.error(Span::default(), Code::Yaml, "the file is empty");
        }
        root
    }

    /// The next event that is not mere decoration, with its bytes.
    fn next(&mut self) -> Result<(Event<'a>, Span), Broken> {
        loop {
            match self.parser.next_event() {
                None => return Ok((Event::StreamEnd, Span::default())),
                Some(Err(error)) => {
                    self.scan_error(&error);
                    return Err(Broken);
                }
                Some(Ok((Event::Anchor(_, name), span))) => {
                    let message = format!("anchors are not allowed: &{}", shortened(&name));
                    let at = self.span(span);
                    self.findings.error_hint(at, Code::YamlAlias, message, "write the value out where it is needed");
                }
                Some(Ok((event, span))) => {
                    if let (Some(tag), Some(tag_span)) = (event.tag(), span.tag_span()) {
                        let message = format!("tags are not allowed: {}", shortened(&tag.original()));
                        let at = self.span(tag_span);
                        self.findings.error_hint(
                            at,
                            Code::Yaml,
                            message,
                            "take it out; what a value is follows from its key",
                        );
                    }
                    let at = self.span(span);
                    return Ok((event, at));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, at: Span, depth: usize) -> Result<Node, Broken> {
        if depth > MAX_DEPTH {
            self.findings.error_hint(at, Code::YamlBounds, format!("nested deeper than {MAX_DEPTH}"), DEEP);
            return Err(Broken);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's own enum; what opens no node is refused")]
        match event {
            Event::Scalar(text, style, ..) => {
                let scalar = Scalar { text: text.into_owned(), quoted: style != ScalarStyle::Plain };
                Ok(Node { span: at, kind: NodeKind::Scalar(scalar) })
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let name = self.text.get(at.start as usize..at.end as usize).unwrap_or("*");
                let message = format!("aliases are not allowed: {}", shortened(name));
                self.findings.error_hint(at, Code::YamlAlias, message, "write the value out where it is needed");
                Ok(Node { span: at, kind: NodeKind::Refused })
            }
            Event::SequenceStart(..) => self.list(at, depth),
            Event::MappingStart(..) => self.map(at, depth),
            _ => {
                self.findings.error(at, Code::Yaml, "a value was expected here");
                Err(Broken)
            }
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Broken> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Node { span: joined(start, at), kind: NodeKind::List(items) });
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Broken> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Node { span: joined(start, at), kind: NodeKind::Map(entries) });
            }
            let key = self.node(event, at, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            let NodeKind::Scalar(scalar) = key.kind else {
                if key.kind != NodeKind::Refused {
                    self.findings.error(key.span, Code::Yaml, format!("a key is a single word, not {}", key.shape()));
                }
                continue;
            };
            if scalar.text == "<<" && !scalar.quoted {
                let hint = "write the keys out where they are needed";
                self.findings.error_hint(key.span, Code::Yaml, "merge keys are not allowed", hint);
                continue;
            }
            let entry = Entry { key: scalar, key_span: key.span, value };
            match seen.get(&entry.key.text).copied() {
                None => {
                    seen.insert(entry.key.text.clone(), entries.len());
                    entries.push(entry);
                }
                Some(first) => {
                    if let Some(known) = entries.get_mut(first) {
                        twice(&entry, known.key_span, self.findings);
                        *known = entry;
                    }
                }
            }
        }
    }

    fn scan_error(&mut self, error: &ScanError) {
        let start = error.marker().byte_offset().unwrap_or_else(|| {
            self.text.char_indices().nth(error.marker().index()).map_or(self.text.len(), |(at, _)| at)
        }) as u32;
        let at = Span { start, end: start + 1 };
        let info = error.info();
        if info.contains("recursion limit") || info.contains("nesting") {
            self.findings.error_hint(at, Code::YamlBounds, format!("nested deeper than {MAX_DEPTH}"), DEEP);
        } else {
            self.findings.error(at, Code::Yaml, format!("not YAML: {info}"));
        }
    }

    fn span(&self, span: YamlSpan) -> Span {
        match span.byte_range() {
            Some(range) => Span { start: range.start as u32, end: range.end as u32 },
            None => Span { start: self.text.len() as u32, end: self.text.len() as u32 },
        }
    }
}

fn twice(entry: &Entry, first: Span, findings: &mut Findings) {
    let line = findings.line_of(first);
    let message = format!("`{}` stands twice; the first is on line {line}", shortened(&entry.key.text));
    findings.error_hint(entry.key_span, Code::DuplicateKey, message, "keep one of them");
}

fn joined(start: Span, end: Span) -> Span {
    Span { start: start.start, end: end.end.max(start.end) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::render;

    fn read(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
        match source_text("t.yaml", text.as_bytes()) {
            Err(finding) => (None, vec![finding]),
            Ok(source) => {
                let mut findings = Findings::new(&source);
                let node = parse(&source, &mut findings);
                (node, findings.into_list())
            }
        }
    }

    fn codes(text: &str) -> Vec<Code> {
        read(text).1.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn quoting_and_places_are_kept() {
        let (node, findings) = read("a: \"18:00\"\nb: [x, 'y']\n");
        assert_eq!(render(&findings), "");
        let NodeKind::Map(entries) = node.unwrap().kind else { panic!() };
        let [a, b] = entries.as_slice() else { panic!() };
        assert_eq!(a.value.kind, NodeKind::Scalar(Scalar { text: "18:00".into(), quoted: true }));
        assert_eq!(a.value.span, Span { start: 3, end: 10 });
        let NodeKind::List(items) = &b.value.kind else { panic!() };
        assert_eq!(
            items.iter().map(|i| matches!(&i.kind, NodeKind::Scalar(s) if s.quoted)).collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        assert_eq!(codes("a: &x 1\nb: *x\n"), [Code::YamlAlias, Code::YamlAlias]);
        assert_eq!(codes("b: *gone\n"), [Code::YamlAlias]);
        assert_eq!(codes("a: !!binary aGk=\n"), [Code::Yaml]);
        assert_eq!(codes("a: {<<: {b: 1}}\n"), [Code::Yaml]);
        assert_eq!(codes("a: 1\n---\nb: 2\n"), [Code::Yaml]);
        assert_eq!(codes("%YAML 1.1\n---\na: 1\n"), [Code::Yaml]);
        assert_eq!(codes("? [a, b]\n: 1\n"), [Code::Yaml]);
        assert_eq!(codes("a: 1\na: 2\na: 3\n"), [Code::DuplicateKey, Code::DuplicateKey]);
        assert_eq!(codes(""), [Code::Yaml]);
        assert_eq!(codes("a: 1\u{202e}\n"), [Code::Yaml]);
        assert_eq!(codes("a: \0\n"), [Code::Yaml]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(codes("\u{feff}a: 1\n"), []);
    }

    #[test]
    fn size_and_depth_have_an_end() {
        assert_eq!(codes(&"[".repeat(100_000)), [Code::YamlBounds]);
        assert_eq!(codes(&"- ".repeat(50_000)), [Code::YamlBounds]);
        assert_eq!(codes(&"{a: ".repeat(40)), [Code::YamlBounds]);
        assert_eq!(codes(&format!("{}1{}", "[".repeat(MAX_DEPTH - 1), "]".repeat(MAX_DEPTH - 1))), []);
        assert_eq!(codes(&"x".repeat(MAX_BYTES + 1)), [Code::YamlBounds]);
        let bytes = vec![0xff, 0xfe, b'a'];
        assert_eq!(source_text("t", &bytes).unwrap_err().code, Code::Yaml);
    }

    proptest! {
        #[test]
        fn any_text_is_a_tree_or_a_finding(text in "[a-z0-9:,\\[\\]{}&*!#|>'\"%@? \n\t-]{0,80}|\\PC{0,40}") {
            let (node, findings) = read(&text);
            prop_assert!(node.is_some() || !findings.is_empty());
            let _ = render(&findings);
        }
    }
}
