//! `attempts:` and `retry:`.

use std::time::Duration;

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, Spanned, closest, scalar, shortened, unit};
use crate::campaign::{Daypart, ListMap, RetryRule, Spread};
use crate::contact::CallResult;

#[derive(Clone, Debug, Default)]
pub struct RawAttempts {
    pub max: Option<Spanned<u16>>,
    pub max_per_day: Option<Spanned<u16>>,
    pub min_gap: Option<Spanned<Duration>>,
    pub spread: Option<Spread>,
    pub stop_after_contact: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct RawRetry {
    pub rules: Vec<(Spanned<CallResult>, RetryRule)>,
}

pub fn attempts(node: &Node, findings: &mut Findings) -> Option<RawAttempts> {
    let mut fields = node.fields("attempts", findings)?;
    let figure = |node: &Node, findings: &mut Findings| {
        scalar::u16_from(1..=1_000)(node, findings).map(|value| node.spanned(value))
    };
    let attempts = RawAttempts {
        max: fields.optional("max", findings, figure),
        max_per_day: fields.optional("max_per_day", findings, figure),
        min_gap: fields.optional("min_gap", findings, |node, findings| {
            unit::duration(node, findings).map(|value| node.spanned(value))
        }),
        spread: fields.optional("spread", findings, spread),
        stop_after_contact: fields.optional("stop_after_contact", findings, scalar::boolean),
    };
    fields.finish(findings);
    Some(attempts)
}

fn spread(node: &Node, findings: &mut Findings) -> Option<Spread> {
    let mut fields = node.fields("spread", findings)?;
    fields.optional("over", findings, |node, findings| {
        scalar::one_of(node, "something to spread over", &[("daypart", ())], &[], findings)
    });
    let each = fields.required("at_most_each", findings, scalar::u16_from(1..=1_000));
    fields.finish(findings);
    each.map(|at_most_each| Spread { at_most_each })
}

pub fn retry(node: &Node, findings: &mut Findings) -> Option<RawRetry> {
    let mut retry = RawRetry::default();
    for entry in node.entries("retry", findings)? {
        let key = entry.key.text.as_str();
        let Some(result) = CallResult::parse(key) else {
            let names = || CallResult::ALL.iter().filter(|r| r.is_retryable()).map(|r| r.as_str());
            let hint = match closest(key, names()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("one of: {}", names().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{}` is no call result", shortened(key));
            findings.error_hint(entry.key_span, Code::UnknownKey, message, hint);
            continue;
        };
        if !result.is_retryable() {
            let message = format!("`{result}` is not retried: what follows it is the disposition's to say");
            findings.error(entry.key_span, Code::BadValue, message);
            continue;
        }
        if let Some(rule) = rule(&entry.value, findings) {
            retry.rules.push((Spanned { value: result, span: entry.key_span }, rule));
        }
    }
    Some(retry)
}

fn rule(node: &Node, findings: &mut Findings) -> Option<RetryRule> {
    let mut fields = node.fields("a retry rule", findings)?;
    fields.not_yet(&["report", "other_trunk", "mode"]);
    let phone_dead = fields
        .optional("phone", findings, |node, findings| {
            scalar::one_of(node, "something that happens to a phone", &[("dead", true)], &[], findings)
        })
        .unwrap_or(false);
    let figure = scalar::u16_from(0..=1_000);
    let (after, max) = if phone_dead {
        // The rule leads to another phone, not to this one again: once for each, at once.
        (fields.optional("after", findings, unit::duration), fields.optional("max", findings, figure))
    } else {
        (fields.required("after", findings, unit::duration), fields.required("max", findings, figure))
    };
    let rule = RetryRule {
        after: after.unwrap_or_default(),
        max: max.unwrap_or(ListMap::MAX_PHONES as u16),
        free: fields.optional("free", findings, scalar::u16_from(0..=1_000)).unwrap_or(0),
        other_daypart: fields.optional("other_daypart", findings, scalar::boolean).unwrap_or(false),
        prefer: fields.optional("prefer", findings, |node, findings| {
            let words = Daypart::ALL.map(|part| (part.as_str(), part));
            scalar::one_of(node, "a part of the day", &words, &[], findings)
        }),
        next_phone: fields.optional("next_phone", findings, scalar::boolean).unwrap_or(false),
        phone_dead,
    };
    fields.finish(findings);
    if rule.free > rule.max {
        let message = format!("{} free retries of {} in all", rule.free, rule.max);
        findings.error_hint(
            node.span,
            Code::Contradiction,
            message,
            "`free` says how many of `max` spare the daily budget",
        );
    }
    if rule.other_daypart && rule.prefer.is_some() {
        findings.error(node.span, Code::Contradiction, "`other_daypart` and `prefer` ask for two different times");
    }
    Some(rule)
}
