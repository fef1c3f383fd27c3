//! `trunk_groups`: several trunks under one name, by priority and weight.

use crate::base::{Code, TrunkIx};
use crate::campaign::decode::{Entry, Findings, Node, did_you_mean, scalar};
use crate::engine::Member;

use super::TrunkConfig;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    pub name: String,
    /// Each trunk once; all of them live, or none.
    pub members: Vec<Member>,
}

/// More trunks than a group may have.
const MEMBERS_MAX: usize = 16;

pub(super) fn groups(node: &Node, trunks: &[TrunkConfig], findings: &mut Findings) -> Vec<GroupConfig> {
    let entries = node.entries("trunk_groups", findings).unwrap_or_default();
    entries.iter().filter_map(|entry| group(entry, trunks, findings)).collect()
}

fn group(entry: &Entry, trunks: &[TrunkConfig], findings: &mut Findings) -> Option<GroupConfig> {
    let name = scalar::key_name(entry, findings)?;
    if trunks.iter().any(|trunk| trunk.name == name) {
        let message = format!("`{name}` is a trunk already: a campaign could not tell them apart");
        findings.error_hint(entry.key_span, Code::Contradiction, message, "give the group another name");
        return None;
    }
    let entries = entry.value.entries("a group of trunks", findings)?;
    if !(1..=MEMBERS_MAX).contains(&entries.len()) {
        let message = format!("a group has 1 to {MEMBERS_MAX} trunks, this one has {}", entries.len());
        findings.error(entry.value.span, Code::BadValue, message);
        return None;
    }
    let members: Option<Vec<Member>> = entries.iter().map(|entry| member(entry, trunks, findings)).collect();
    let members = members?;
    let lives = |live: bool| members.iter().any(|m| trunks.get(m.trunk.ix()).is_some_and(|trunk| trunk.live == live));
    if lives(true) && lives(false) {
        let hint = "make all of them `live: true`, or none: who may be called must not hang on whose turn it is";
        let message = format!("`{name}` mixes trunks that are live with ones for test numbers");
        findings.error_hint(entry.value.span, Code::Contradiction, message, hint);
        return None;
    }
    Some(GroupConfig { name, members })
}

/// `gw-a: { priority: 1, weight: 60 }`
fn member(entry: &Entry, trunks: &[TrunkConfig], findings: &mut Findings) -> Option<Member> {
    let name = scalar::key_name(entry, findings)?;
    let mut fields = entry.value.fields("a trunk of a group", findings)?;
    let priority = fields.optional("priority", findings, scalar::u16_from(1..=100)).unwrap_or(1);
    let weight = fields.optional("weight", findings, scalar::u16_from(1..=1_000)).unwrap_or(1);
    fields.finish(findings);
    let at = trunks.iter().position(|trunk| trunk.name == name);
    if at.is_none() {
        let names = trunks.iter().map(|trunk| trunk.name.as_str());
        let hint = did_you_mean(&name, names).unwrap_or_else(|| "name a trunk of `trunks`".into());
        findings.error_hint(entry.key_span, Code::UnknownName, format!("`{name}` is not a trunk"), hint);
    }
    Some(Member { trunk: TrunkIx(at? as u16), priority, weight })
}
