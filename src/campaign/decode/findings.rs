//! All mistakes of one file, collected while it is read.

use std::sync::Arc;

use crate::base::{Code, Diagnostic, SourceText, Span};

/// More than anybody reads; a hostile file cannot make the list longer.
const MOST: usize = 200;

#[derive(Clone, Debug)]
pub struct Findings {
    source: Arc<SourceText>,
    list: Vec<Diagnostic>,
    #[cfg(test)]
    pub asked: Vec<Asked>,
}

/// What a reader asked for, to be compared with the tables of `campaign::schema`.
#[cfg(test)]
#[derive(Clone, Debug)]
pub enum Asked {
    Keys { what: &'static str, known: Vec<&'static str>, required: Vec<&'static str> },
    Words { what: String, words: Vec<String> },
}

impl Findings {
    pub fn new(source: &Arc<SourceText>) -> Self {
        Self {
            source: Arc::clone(source),
            list: Vec::new(),
            #[cfg(test)]
            asked: Vec::new(),
        }
    }

    pub fn source(&self) -> &Arc<SourceText> {
        &self.source
    }

    pub fn error(&mut self, span: Span, code: Code, message: impl Into<String>) {
        self.push(Diagnostic::error(code, message).at(&self.source, span));
    }

    pub fn error_hint(&mut self, span: Span, code: Code, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Diagnostic::error(code, message).at(&self.source, span).hint(hint));
    }

    pub fn warning(&mut self, span: Span, code: Code, message: impl Into<String>) {
        self.push(Diagnostic::warning(code, message).at(&self.source, span));
    }

    /// For a value that may hold a password: its line by number, without what stands there.
    pub fn unshown(&mut self, span: Span, code: Code, message: &str, hint: impl Into<String>) {
        let message = format!("{}:{}: {message}", self.source.name, self.line_of(span));
        self.push(Diagnostic::error(code, message).hint(hint));
    }

    /// What was found already, by another reader of the same lines, is not said twice.
    pub fn push(&mut self, finding: Diagnostic) {
        if self.list.len() < MOST && !self.list.contains(&finding) {
            self.list.push(finding);
        }
    }

    pub fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// In the order of their places.
    pub fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|finding| finding.at.as_ref().map(|(_, span)| span.start));
        self.list
    }

    /// 1 for the first line.
    pub fn line_of(&self, span: Span) -> usize {
        self.source.text.as_bytes().iter().take(span.start as usize).filter(|b| **b == b'\n').count() + 1
    }
}

/// `did you mean x?`, where one of the names is close enough to be meant.
pub fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// Swapped, missing or wrong letters: one in three may differ.
pub fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong: String = wrong.chars().take(64).collect();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(3)) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
