//! `name@version`: a shared file of a certain version.

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, Spanned, scalar, shortened};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub version: String,
}

pub fn reference(node: &Node, findings: &mut Findings) -> Option<Spanned<Reference>> {
    let text = scalar::plain_text(node, "name@version", findings)?;
    let parts = text.split_once('@').filter(|(name, version)| is_name(name) && is_name(version));
    let Some((name, version)) = parts else {
        let message = format!("`{}` does not say name@version", shortened(text));
        findings.error_hint(node.span, Code::BadValue, message, "for example cn-bank-marketing@3");
        return None;
    };
    Some(node.spanned(Reference { name: name.to_owned(), version: version.to_owned() }))
}

/// Names become parts of paths: nothing but letters, digits, `-`, `_` and `.` inside.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
