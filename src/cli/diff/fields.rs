//! What two versions of a YAML file say differently, path by path.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::base::SourceText;
use crate::campaign::decode::{Findings, Node, NodeKind, parse, source_text};

/// One path with another value; `None`: it does not stand there.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Field {
    /// `calling_hours.sat[0]`
    pub path: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// By path. A file that is no YAML of ours differs in nothing: it does not get here.
pub(super) fn differing(old: Option<&[u8]>, new: Option<&[u8]>) -> Vec<Field> {
    let (old, new) = (flat(old), flat(new));
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let changed = paths.into_iter().filter(|path| old.get(*path) != new.get(*path));
    changed.map(|path| Field { path: path.clone(), old: old.get(path).cloned(), new: new.get(path).cloned() }).collect()
}

fn flat(bytes: Option<&[u8]>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let source: Option<Arc<SourceText>> = bytes.and_then(|bytes| source_text("", bytes).ok());
    let root = source.and_then(|source| parse(&source, &mut Findings::new(&source)));
    if let Some(root) = &root {
        walk(root, "", &mut out);
    }
    out
}

/// Bounded by the depth that the parser allows.
fn walk(node: &Node, path: &str, out: &mut BTreeMap<String, String>) {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            out.insert(path.to_owned(), scalar.text.clone());
        }
        NodeKind::List(items) if items.is_empty() => {
            out.insert(path.to_owned(), "[]".to_owned());
        }
        NodeKind::List(items) => {
            for (nth, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{nth}]"), out);
            }
        }
        NodeKind::Map(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                walk(&entry.value, &format!("{path}{dot}{}", entry.key.text), out);
            }
        }
        NodeKind::Refused => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_new_and_gone_fields_are_named_by_path() {
        let old = b"a: 1\nhours: { sat: [\"10:00-12:00\"], sun: [] }\nsame: x\ngone: { deep: y }\n";
        let new = b"a: 2\nhours: { sat: [\"10:00-13:00\"], sun: [\"10:00-12:00\"] }\nsame: x\n";
        let shown: Vec<String> = differing(Some(old), Some(new))
            .iter()
            .map(|field| format!("{} {:?} {:?}", field.path, field.old.as_deref(), field.new.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                "a Some(\"1\") Some(\"2\")",
                "gone.deep Some(\"y\") None",
                "hours.sat[0] Some(\"10:00-12:00\") Some(\"10:00-13:00\")",
                "hours.sun Some(\"[]\") None",
                "hours.sun[0] None Some(\"10:00-12:00\")",
            ]
        );
        assert!(differing(Some(old), Some(old)).is_empty());
    }
}
