//! `experiment:`

use crate::base::{Share, Span};
use crate::campaign::decode::{Findings, Node, Spanned, scalar, unit};

#[derive(Clone, Debug)]
pub struct RawExperiment {
    pub span: Span,
    pub id: Option<String>,
    /// In the order of the file.
    pub arms: Vec<RawArm>,
    pub success: Option<Spanned<String>>,
    pub alpha: Option<Spanned<Share>>,
    pub min_contacts_per_arm: Option<u32>,
    pub complaint_rate_above: Option<Share>,
}

#[derive(Clone, Debug)]
pub struct RawArm {
    pub name: Spanned<String>,
    pub share: Option<Spanned<Share>>,
    pub held_out: bool,
    pub script: Option<Spanned<String>>,
}

pub fn experiment(node: &Node, findings: &mut Findings) -> Option<RawExperiment> {
    let mut fields = node.fields("an experiment", findings)?;
    let id = fields.required("id", findings, scalar::name);
    fields.optional("split_by", findings, |node, findings| {
        scalar::one_of(node, "something to split by", &[("customer_id", ())], &[], findings)
    });
    let arms = fields.required("arms", findings, arms).unwrap_or_default();
    let success = fields.required("success", findings, scalar::text_at);
    let (alpha, least) = fields.optional("decide", findings, decide).unwrap_or_default();
    let stop = fields.optional("stop_if", findings, |node, findings| {
        let mut fields = node.fields("stop_if", findings)?;
        let rate = fields.required("complaint_rate_above", findings, unit::share);
        fields.finish(findings);
        rate
    });
    fields.finish(findings);
    Some(RawExperiment {
        span: node.span,
        id,
        arms,
        success,
        alpha,
        min_contacts_per_arm: least,
        complaint_rate_above: stop,
    })
}

fn arms(node: &Node, findings: &mut Findings) -> Option<Vec<RawArm>> {
    let mut arms = Vec::new();
    for entry in node.entries("arms", findings)? {
        let name = scalar::key_name(entry, findings);
        let arm =
            arm(&entry.value, Spanned { value: name.clone().unwrap_or_default(), span: entry.key_span }, findings);
        if name.is_some() {
            arms.extend(arm);
        }
    }
    Some(arms)
}

fn arm(node: &Node, name: Spanned<String>, findings: &mut Findings) -> Option<RawArm> {
    let mut fields = node.fields("an arm", findings)?;
    fields.not_yet(&["model"]);
    let share = fields
        .required("share", findings, |node, findings| unit::share(node, findings).map(|share| node.spanned(share)));
    let call = fields.optional("call", findings, |node, findings| {
        scalar::one_of(node, "whether to call", &[("never", ())], &[], findings)
    });
    let script = fields.optional("script", findings, scalar::text_at);
    fields.finish(findings);
    Some(RawArm { name, share, held_out: call.is_some(), script })
}

fn decide(node: &Node, findings: &mut Findings) -> Option<(Option<Spanned<Share>>, Option<u32>)> {
    let mut fields = node.fields("decide", findings)?;
    fields.optional("method", findings, |node, findings| {
        scalar::one_of(node, "a way to decide", &[("sequential", ())], &[], findings)
    });
    let alpha = fields
        .optional("alpha", findings, |node, findings| unit::share(node, findings).map(|alpha| node.spanned(alpha)));
    let least = fields.optional("min_contacts_per_arm", findings, scalar::u32_from(50..=10_000_000));
    fields.finish(findings);
    Some((alpha, least))
}
