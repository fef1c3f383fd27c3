//! `tests:` of a campaign, and the files of `tests/` and `policies/vectors/`. Values that depend on the campaign (the
//! customer's columns, local times, names) stay as they are written: `check` reads them.

use std::time::Duration;

use crate::base::{Code, Span};
use crate::campaign::Said;
use crate::campaign::decode::{Findings, Node, NodeKind, Spanned, scalar, unit};
use crate::contact::CallResult;

use super::reference::{Reference, reference};

#[derive(Clone, Debug, Default)]
pub struct RawTests {
    /// Shared by all cases.
    pub customer: Option<Node>,
    pub cases: Vec<RawCase>,
}

/// A file of its own.
#[derive(Clone, Debug)]
pub struct RawTestFile {
    pub subject: RawSubject,
    pub tests: RawTests,
}

#[derive(Clone, Debug)]
pub enum RawSubject {
    Campaign(Spanned<String>),
    Policy { policy: Spanned<Reference>, calendar: Option<Spanned<Reference>> },
}

#[derive(Clone, Debug)]
pub struct RawCase {
    pub name: Option<Spanned<String>>,
    pub at: Option<Spanned<String>>,
    pub customer: Option<Node>,
    pub history: Vec<RawPast>,
    pub result: Option<Spanned<CallResult>>,
    pub disposition: Option<Spanned<String>>,
    pub callback_at: Option<Spanned<String>>,
    pub arm: Option<Spanned<String>>,
    pub expect: Vec<Spanned<String>>,
}

#[derive(Clone, Debug)]
pub struct RawPast {
    pub span: Span,
    pub when: Option<RawWhen>,
    /// `Some(None)`: under way.
    #[expect(clippy::option_option, reason = "unsaid, still under way, or known")]
    pub result: Option<Option<CallResult>>,
    pub disposition: Option<Spanned<String>>,
    pub callback_at: Option<Spanned<String>>,
    pub phone: Option<Spanned<String>>,
    pub campaign: Option<Spanned<String>>,
    pub said: Option<Said>,
}

#[derive(Clone, Debug)]
pub enum RawWhen {
    Ago(Duration),
    At(Spanned<String>),
}

/// Of one file: more is a generated file, which belongs into several.
const MOST_CASES: usize = 1_000;
/// A ledger remembers no more.
const MOST_PAST: usize = 60;
const MOST_EXPECTED: usize = 8;

/// The list alone, or with what its cases share.
pub fn tests(node: &Node, findings: &mut Findings) -> Option<RawTests> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return cases(node, findings).map(|cases| RawTests { customer: None, cases });
    }
    let mut fields = node.fields("tests", findings)?;
    let customer = fields.take("customer").cloned();
    let cases = fields.required("cases", findings, cases);
    fields.finish(findings);
    Some(RawTests { customer, cases: cases? })
}

pub fn test_file(root: &Node, findings: &mut Findings) -> Option<RawTestFile> {
    let mut fields = root.fields("a file of tests", findings)?;
    fields.take("schema");
    let campaign = fields
        .optional("campaign", findings, |node, findings| scalar::name(node, findings).map(|name| node.spanned(name)));
    let policy = fields.optional("policy", findings, reference);
    let calendar = fields.optional("calendar", findings, reference);
    if fields.take("campaign").is_none() && fields.take("policy").is_none() {
        fields.missing("campaign` or `policy", findings);
    }
    if let (Some(node), Some(_)) = (fields.take("policy"), fields.take("campaign")) {
        findings.error(node.span, Code::Contradiction, "the tests are for a campaign or for a policy, not for both");
    }
    if let (Some(node), Some(_)) = (fields.take("calendar"), fields.take("campaign")) {
        findings.error(node.span, Code::Contradiction, "a campaign names its own calendar");
    }
    let customer = fields.take("customer").cloned();
    let cases = fields.required("tests", findings, cases);
    fields.finish(findings);
    let subject = match (campaign, policy) {
        (Some(campaign), _) => RawSubject::Campaign(campaign),
        (None, policy) => RawSubject::Policy { policy: policy?, calendar },
    };
    Some(RawTestFile { subject, tests: RawTests { customer, cases: cases? } })
}

fn cases(node: &Node, findings: &mut Findings) -> Option<Vec<RawCase>> {
    let cases = node.list_of("tests", findings, case)?;
    if cases.len() > MOST_CASES {
        findings.error(node.span, Code::YamlBounds, format!("more than {MOST_CASES} tests"));
        return None;
    }
    for (nth, case) in cases.iter().enumerate() {
        let Some(name) = &case.name else { continue };
        let is_twice = |known: &RawCase| known.name.as_ref().is_some_and(|known| known.value == name.value);
        if cases.iter().take(nth).any(is_twice) {
            findings.error(name.span, Code::Contradiction, "another test of this file has the same name");
        }
    }
    Some(cases)
}

fn case(node: &Node, findings: &mut Findings) -> Option<RawCase> {
    let mut fields = node.fields("a test", findings)?;
    let case = RawCase {
        name: fields.required("name", findings, scalar::text_at),
        at: fields.optional("at", findings, scalar::text_at),
        customer: fields.take("customer").cloned(),
        history: fields.optional("history", findings, history).unwrap_or_default(),
        result: fields.optional("result", findings, result),
        disposition: fields.optional("disposition", findings, scalar::text_at),
        callback_at: fields.optional("callback_at", findings, scalar::text_at),
        expect: fields.required("expect", findings, expect).unwrap_or_default(),
        arm: fields.optional("arm", findings, scalar::text_at),
    };
    fields.finish(findings);
    Some(case)
}

fn result(node: &Node, findings: &mut Findings) -> Option<Spanned<CallResult>> {
    let ends = CallResult::ALL.iter().filter(|result| result.is_retryable() || **result == CallResult::Answered);
    let words: Vec<(&str, CallResult)> = ends.map(|result| (result.as_str(), *result)).collect();
    scalar::one_of(node, "a call result", &words, &[], findings).map(|result| node.spanned(result))
}

fn expect(node: &Node, findings: &mut Findings) -> Option<Vec<Spanned<String>>> {
    if !matches!(node.kind, NodeKind::List(_)) {
        return scalar::text_at(node, findings).map(|one| vec![one]);
    }
    let list = node.list_of("expect", findings, scalar::text_at)?;
    if list.is_empty() || list.len() > MOST_EXPECTED {
        findings.error(node.span, Code::BadValue, format!("a test has one to {MOST_EXPECTED} expectations"));
        return None;
    }
    Some(list)
}

fn history(node: &Node, findings: &mut Findings) -> Option<Vec<RawPast>> {
    let history = node.list_of("history", findings, past)?;
    if history.len() > MOST_PAST {
        findings.error(node.span, Code::YamlBounds, format!("more than {MOST_PAST} events"));
        return None;
    }
    Some(history)
}

fn past(node: &Node, findings: &mut Findings) -> Option<RawPast> {
    let mut fields = node.fields("an event of the history", findings)?;
    let days = fields.optional("days_ago", findings, |node, findings| scalar::integer(node, 0..=3_650, findings));
    let ago = fields.optional("ago", findings, unit::duration);
    let at = fields.optional("at", findings, scalar::text_at);
    let said_when = ["days_ago", "ago", "at"].into_iter().filter(|key| fields.take(key).is_some()).count();
    match said_when {
        0 => fields.missing("days_ago`, `ago` or `at", findings),
        1 => {}
        _ => findings.error(node.span, Code::Contradiction, "an event happened once: `days_ago`, `ago` or `at`"),
    }
    let when = days.map(|days| RawWhen::Ago(Duration::from_hours(24 * days)));
    let when = when.or(ago.map(RawWhen::Ago)).or(at.map(RawWhen::At));
    let result = fields.optional("result", findings, past_result);
    let disposition = fields.optional("disposition", findings, scalar::text_at);
    let callback_at = fields.optional("callback_at", findings, scalar::text_at);
    let said = fields.optional("said", findings, |node, findings| {
        let words = [("declined", Said::Declined), ("complaint", Said::Complaint), ("opt_out", Said::OptOut)];
        scalar::one_of(node, "something that a customer says", &words, &[], findings)
    });
    let is_call = fields.take("result").is_some() || fields.take("disposition").is_some();
    match (is_call, fields.take("said")) {
        (true, Some(node)) => {
            findings.error(node.span, Code::Contradiction, "`said` is outside a call: no `result`, no `disposition`");
        }
        (false, None) => fields.missing("result`, `disposition` or `said", findings),
        (true, None) | (false, Some(_)) => {}
    }
    let phone = fields.optional("phone", findings, scalar::text_at);
    let campaign = fields
        .optional("campaign", findings, |node, findings| scalar::name(node, findings).map(|name| node.spanned(name)));
    fields.finish(findings);
    Some(RawPast { span: node.span, when, result, disposition, callback_at, phone, campaign, said })
}

#[expect(clippy::option_option, reason = "a mistake, still under way, or known")]
fn past_result(node: &Node, findings: &mut Findings) -> Option<Option<CallResult>> {
    let ends = CallResult::ALL.iter().filter(|result| result.counts());
    let mut words: Vec<(&str, Option<CallResult>)> = ends.map(|result| (result.as_str(), Some(*result))).collect();
    words.push(("under_way", None));
    scalar::one_of(node, "the end of an attempt", &words, &[], findings)
}
