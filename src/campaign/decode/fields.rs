//! A map with known keys: each is taken once, and what nobody took is an error.

use crate::base::{Code, Span};

use super::findings::did_you_mean;
use super::scalar::is_ambiguous;
use super::{Entry, Findings, Node};

/// Take keys with [`required`](Fields::required) and [`optional`](Fields::optional), name those that are planned with
/// [`not_yet`](Fields::not_yet), then call [`finish`](Fields::finish).
#[derive(Debug)]
pub struct Fields<'a> {
    what: &'static str,
    span: Span,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    not_yet: Vec<&'static str>,
    #[cfg(test)]
    required: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub fn new(what: &'static str, span: Span, entries: &'a [Entry]) -> Self {
        Self {
            what,
            span,
            entries,
            known: Vec::new(),
            not_yet: Vec::new(),
            #[cfg(test)]
            required: Vec::new(),
        }
    }

    pub fn span(&self) -> Span {
        self.span
    }

    /// The node of a key, if it stands there..
    pub fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }

    /// `None` if the key is missing, which is reported at the map, or its value is bad.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
        read: impl FnOnce(&Node, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        #[cfg(test)]
        self.required.push(key);
        let Some(node) = self.take(key) else {
            self.missing(key, findings);
            return None;
        };
        read(node, findings)
    }

    /// `None` if the key is absent, or if its value is bad, which is reported.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
        read: impl FnOnce(&Node, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        self.take(key).and_then(|node| read(node, findings))
    }

    /// Keys of the vocabulary that this version does not carry out.
    pub fn not_yet(&mut self, keys: &[&'static str]) {
        self.not_yet.extend_from_slice(keys);
    }

    /// For a key whose absence only a later check can judge.
    pub fn missing(&self, key: &str, findings: &mut Findings) {
        findings.error(self.first_line(findings), Code::MissingKey, format!("{} has no `{key}`", self.what));
    }

    /// Reports every key that was not taken.
    pub fn finish(self, findings: &mut Findings) {
        #[cfg(test)]
        findings.asked.push(super::findings::Asked::Keys {
            what: self.what,
            known: self.known.clone(),
            required: self.required.clone(),
        });
        for entry in self.entries {
            let key = entry.key.text.as_str();
            if self.known.contains(&key) {
                continue;
            }
            if self.not_yet.contains(&key) {
                let message = format!("`{key}` is not supported yet");
                findings.error_hint(
                    entry.key_span,
                    Code::NotSupported,
                    message,
                    "take it out: this version would not carry it out",
                );
            } else if is_ambiguous(&entry.key) {
                let message = format!("`{key}` as a key means true or false to some readers of YAML");
                findings.error_hint(entry.key_span, Code::Ambiguous, message, format!("quote it: \"{key}\""));
            } else {
                self.unknown(entry, findings);
            }
        }
    }

    fn unknown(&self, entry: &Entry, findings: &mut Findings) {
        let key = entry.key.text.as_str();
        let message = format!("unknown key `{}` in {}", shortened(key), self.what);
        let names = self.known.iter().chain(&self.not_yet).copied();
        let hint = did_you_mean(key, names).unwrap_or_else(|| format!("known here: {}", self.known.join(", ")));
        findings.error_hint(entry.key_span, Code::UnknownKey, message, hint);
    }

    /// A map has no sign of its own to point at in block style: its first key stands for it.
    fn first_line(&self, findings: &Findings) -> Span {
        let starts_with_brace = findings.source().text.as_bytes().get(self.span.start as usize) == Some(&b'{');
        match self.entries.first() {
            Some(entry) if !starts_with_brace => entry.key_span,
            _ => Span { start: self.span.start, end: self.span.start + 1 },
        }
    }
}

/// Names in messages: whole lines of somebody's file help nobody.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}
