//! The tree that a file becomes: every node knows its place, every scalar whether it was quoted.

use crate::base::{Code, Span};

use super::{Fields, Findings};

/// A value with the place it was written at, for checks that come after reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub span: Span,
    pub kind: NodeKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Already reported (an alias, a tag): readers pass over it in silence.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    pub text: String,
    /// Quoted or a block scalar: never a number, a time or a boolean by accident.
    pub quoted: bool,
}

/// Keys stand in the order of the file. Of a key that stands twice, which was reported, the last is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Scalar,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// What it is, for messages.
    pub fn shape(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(scalar) if !scalar.quoted && scalar.text.is_empty() => "nothing",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map of keys",
            NodeKind::Refused => "something refused",
        }
    }

    /// The keys of a map, to be taken one by one. `what` names the map in messages: `a retry rule`.
    pub fn fields<'a>(&'a self, what: &'static str, findings: &mut Findings) -> Option<Fields<'a>> {
        self.entries(what, findings).map(|entries| Fields::new(what, self.span, entries))
    }

    /// A map whose keys are free names.
    pub fn entries(&self, what: &'static str, findings: &mut Findings) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            NodeKind::Refused => None,
            NodeKind::Scalar(_) | NodeKind::List(_) => {
                findings.error(self.span, Code::BadValue, format!("{what} is a map of keys, not {}", self.shape()));
                None
            }
        }
    }

    pub fn items(&self, what: &'static str, findings: &mut Findings) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List(items) => Some(items),
            NodeKind::Refused => None,
            NodeKind::Scalar(_) | NodeKind::Map(_) => {
                findings.error(self.span, Code::BadValue, format!("{what} is a list, not {}", self.shape()));
                None
            }
        }
    }

    /// A list read item by item. `None` if it is no list or any item is bad; all items are read all the same.
    pub fn list_of<T>(
        &self,
        what: &'static str,
        findings: &mut Findings,
        mut read: impl FnMut(&Self, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.items(what, findings)?;
        let read: Vec<Option<T>> = items.iter().map(|item| read(item, findings)).collect();
        read.into_iter().collect()
    }

    /// The one value of a scalar; `what` says what was wanted: `a duration`.
    pub fn scalar(&self, what: &str, findings: &mut Findings) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::Refused => None,
            NodeKind::List(_) | NodeKind::Map(_) => {
                findings.error(self.span, Code::BadValue, format!("{what} was expected here, not {}", self.shape()));
                None
            }
        }
    }

    pub fn spanned<T>(&self, value: T) -> Spanned<T> {
        Spanned { value, span: self.span }
    }
}
