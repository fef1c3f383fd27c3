//! `dispositions:` of a campaign, and the shared sets of `dispositions/`.

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, NodeKind, Spanned, scalar, shortened};
use crate::contact::{ContactKind, Meaning, OutcomeKind, Then};

pub type RawDisposition = (Spanned<String>, Meaning);

/// One file of `dispositions/`.
#[derive(Clone, Debug, Default)]
pub struct DispositionSet {
    pub name: String,
    pub version: String,
    pub codes: Vec<RawDisposition>,
}

pub fn disposition_set(root: &Node, findings: &mut Findings) -> Option<DispositionSet> {
    let mut fields = root.fields("a disposition set", findings)?;
    fields.take("schema");
    fields.optional("title", findings, scalar::text);
    let name = fields.required("dispositions", findings, scalar::name);
    let version = fields.required("version", findings, super::policy::version);
    let codes = fields.required("codes", findings, dispositions);
    fields.finish(findings);
    Some(DispositionSet { name: name?, version: version?.to_string(), codes: codes? })
}

pub fn dispositions(node: &Node, findings: &mut Findings) -> Option<Vec<RawDisposition>> {
    let mut codes = Vec::new();
    for entry in node.entries("dispositions", findings)? {
        let name = scalar::key_name(entry, findings);
        let meaning = meaning(&entry.value, findings);
        if let (Some(name), Some(meaning)) = (name, meaning) {
            codes.push((Spanned { value: name, span: entry.key_span }, meaning));
        }
    }
    Some(codes)
}

fn meaning(node: &Node, findings: &mut Findings) -> Option<Meaning> {
    let mut fields = node.fields("a disposition", findings)?;
    fields.not_yet(&["reason"]);
    let outcome = fields.required("outcome", findings, |node, findings| {
        let words =
            [("success", OutcomeKind::Success), ("neutral", OutcomeKind::Neutral), ("failure", OutcomeKind::Failure)];
        scalar::one_of(node, "an outcome", &words, &[], findings)
    });
    let contact = fields.required("contact", findings, |node, findings| {
        let words = [
            ("right_party", ContactKind::RightParty),
            ("wrong_party", ContactKind::WrongParty),
            ("nobody", ContactKind::Nobody),
        ];
        scalar::one_of(node, "somebody to have reached", &words, &[], findings)
    });
    let then = fields.required("then", findings, then_list);
    let complaint = fields.optional("complaint", findings, scalar::boolean).unwrap_or(false);
    fields.finish(findings);
    let meaning = Meaning { outcome: outcome?, contact: contact?, then: then?, complaint };
    contradictions(&meaning, node, findings);
    Some(meaning)
}

fn then_list(node: &Node, findings: &mut Findings) -> Option<Vec<Then>> {
    if !matches!(node.kind, NodeKind::List(_)) {
        return then(node, findings).map(|one| vec![one]);
    }
    let list = node.list_of("then", findings, then)?;
    if list.is_empty() || list.len() > 6 {
        findings.error(node.span, Code::BadValue, "one to six things follow a disposition");
        return None;
    }
    Some(list)
}

fn then(node: &Node, findings: &mut Findings) -> Option<Then> {
    let text = &node.scalar("what follows a disposition", findings)?.text;
    if text.starts_with("notify:") || text.starts_with("handoff:") {
        findings.error(node.span, Code::NotSupported, format!("`{}` is not supported yet", shortened(text)));
        return None;
    }
    let words = [
        ("final", Then::Final),
        ("callback", Then::Callback),
        ("phone_dead", Then::PhoneDead),
        ("dnc_customer", Then::DncCustomer),
        ("dnc_phone", Then::DncPhone),
        ("retry", Then::Retry),
    ];
    scalar::one_of(node, "something that follows a disposition", &words, &[], findings)
}

fn contradictions(meaning: &Meaning, node: &Node, findings: &mut Findings) {
    let again = [Then::Callback, Then::Retry].iter().any(|t| meaning.then.contains(t));
    let never = [Then::Final, Then::DncCustomer].iter().any(|t| meaning.then.contains(t));
    if again && never {
        findings.error(node.span, Code::Contradiction, "the customer is called again and never again");
    }
    if meaning.outcome == OutcomeKind::Success && meaning.contact != ContactKind::RightParty {
        findings.error(node.span, Code::Contradiction, "a success is with the right party only");
    }
}
