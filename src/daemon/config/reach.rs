//! `allow` and `deny` of a trunk: the prefixes of the numbers that may be dialled over it.

use crate::base::{Code, Reach};
use crate::campaign::decode::{Entry, Fields, Findings, Node, scalar};
use crate::contact::Country;

const HINT: &str = "\"+86\": `+`, then one to fifteen digits";

/// Without `allow` it is the daemon's country, and test numbers. Without a country too, a live trunk would have to guess.
pub(super) fn reach(
    fields: &mut Fields<'_>,
    trunk: &Entry,
    live: bool,
    country: Option<Country>,
    findings: &mut Findings,
) -> Option<Reach> {
    let allow_node = fields.take("allow");
    let deny_node = fields.take("deny");
    let allow = allow_node.map(|node| (node, node.list_of("allow", findings, prefix)));
    let deny = deny_node.map_or(Some(Vec::new()), |node| node.list_of("deny", findings, prefix))?;
    let Some((node, allow)) = allow else {
        let home = country.and_then(Country::prefix);
        if live && home.is_none() {
            let message = "this trunk is live, and nothing says which numbers it may dial";
            let hint = "`allow: [\"+86\"]`, or the daemon's `country: CN`";
            findings.error_hint(trunk.key_span, Code::MissingKey, message, hint);
            return None;
        }
        return Some(Reach::of_country(home, &deny));
    };
    let allow = allow?;
    if allow.is_empty() {
        findings.error_hint(node.span, Code::BadValue, "an empty list lets no call out", HINT);
        return None;
    }
    if let Some(both) = deny_node.filter(|_| deny.iter().any(|prefix| allow.contains(prefix))) {
        let message = "a prefix stands in `allow` and in `deny`";
        findings.error_hint(both.span, Code::Contradiction, message, "the longer of two prefixes decides");
        return None;
    }
    Some(Reach::listed(&allow, &deny))
}

fn prefix(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = scalar::plain_text(node, "a prefix", findings)?;
    let digits = text.strip_prefix('+').unwrap_or_default();
    if (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    findings.error_hint(node.span, Code::BadValue, "this is not the beginning of an E.164 number", HINT);
    None
}
