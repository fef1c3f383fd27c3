//! `flow:`, before its names are resolved.

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, Spanned, scalar, shortened, unit};
use crate::campaign::{Collect, Key, Promise};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct RawFlow {
    pub start: Option<Spanned<String>>,
    pub steps: Vec<RawStep>,
}

#[derive(Clone, Debug)]
pub struct RawStep {
    pub name: Spanned<String>,
    pub play: Option<Spanned<String>>,
    pub disposition: Option<Spanned<String>>,
    pub callback: Option<Spanned<Promise>>,
    pub collect: Option<Spanned<Collect>>,
    pub on: Vec<(Spanned<Key>, Spanned<String>)>,
    pub then: Option<Spanned<RawEnd>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawEnd {
    Hangup,
    Transfer(String),
}

/// A longer flow is a program, not a phone call.
const MOST_STEPS: usize = 200;

pub fn flow(node: &Node, findings: &mut Findings) -> Option<RawFlow> {
    let mut fields = node.fields("flow", findings)?;
    let start = fields.required("start", findings, scalar::text_at);
    let steps = fields.required("steps", findings, |node, findings| {
        let entries = node.entries("steps", findings)?;
        if entries.is_empty() || entries.len() > MOST_STEPS {
            findings.error(node.span, Code::BadValue, format!("a flow has 1 to {MOST_STEPS} steps"));
            return None;
        }
        let mut steps = Vec::new();
        for entry in entries {
            if let Some(name) = scalar::key_name(entry, findings) {
                steps.extend(step(Spanned { value: name, span: entry.key_span }, &entry.value, findings));
            }
        }
        Some(steps)
    });
    fields.finish(findings);
    Some(RawFlow { start, steps: steps? })
}

fn step(name: Spanned<String>, node: &Node, findings: &mut Findings) -> Option<RawStep> {
    let mut fields = node.fields("a step", findings)?;
    let step = RawStep {
        play: fields.optional("play", findings, scalar::text_at),
        disposition: fields.optional("disposition", findings, scalar::text_at),
        callback: fields.optional("callback", findings, |node, findings| {
            unit::promise(node, findings).map(|promise| node.spanned(promise))
        }),
        collect: fields.optional("collect", findings, |node, findings| {
            collect(node, findings).map(|collect| node.spanned(collect))
        }),
        on: fields.optional("on", findings, branches).unwrap_or_default(),
        then: fields.optional("then", findings, end),
        name,
    };
    fields.finish(findings);
    Some(step)
}

fn collect(node: &Node, findings: &mut Findings) -> Option<Collect> {
    let mut fields = node.fields("collect", findings)?;
    let seconds = Duration::from_secs;
    let collect = Collect {
        digits: fields.optional("digits", findings, scalar::u16_from(1..=16)).unwrap_or(1) as u8,
        timeout: fields
            .optional("timeout", findings, unit::duration_in(seconds(1)..=seconds(60)))
            .unwrap_or(Collect::DEFAULT_TIMEOUT),
        tries: fields.optional("tries", findings, scalar::u16_from(1..=10)).unwrap_or(Collect::DEFAULT_TRIES) as u8,
    };
    fields.finish(findings);
    Some(collect)
}

fn branches(node: &Node, findings: &mut Findings) -> Option<Vec<(Spanned<Key>, Spanned<String>)>> {
    let mut branches = Vec::new();
    for entry in node.entries("on", findings)? {
        let text = entry.key.text.as_str();
        let key = match text {
            "timeout" => Key::Timeout,
            "failed" => Key::Failed,
            digits if is_keys(digits) => {
                if !entry.key.quoted {
                    let message = format!("the key {digits} is a number without quotes");
                    findings.error_hint(entry.key_span, Code::Ambiguous, message, format!("quote it: \"{digits}\""));
                    continue;
                }
                Key::Digits(digits.to_owned())
            }
            other => {
                let message = format!("`{}` is nothing that happens in a step", shortened(other));
                findings.error_hint(
                    entry.key_span,
                    Code::UnknownKey,
                    message,
                    "keys in quotes (\"1\", \"*\"), timeout, failed",
                );
                continue;
            }
        };
        if let Some(target) = scalar::text_at(&entry.value, findings) {
            branches.push((Spanned { value: key, span: entry.key_span }, target));
        }
    }
    Some(branches)
}

fn is_keys(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#')
}

fn end(node: &Node, findings: &mut Findings) -> Option<Spanned<RawEnd>> {
    let text = scalar::plain_text(node, "an end of the flow", findings)?;
    if text == "hangup" {
        return Some(node.spanned(RawEnd::Hangup));
    }
    if let Some(queue) = text.strip_prefix("transfer:").filter(|queue| !queue.is_empty()) {
        return Some(node.spanned(RawEnd::Transfer(queue.to_owned())));
    }
    let message = format!("`{}` is no end of a flow", shortened(text));
    findings.error_hint(
        node.span,
        Code::BadValue,
        message,
        "hangup, or \"transfer:QUEUE\"; to go on to a step, use `on`",
    );
    None
}
