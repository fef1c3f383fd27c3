//! A flow: every name resolves, every step can be reached, and every step can reach an end.

use std::collections::BTreeMap;

use crate::base::Code;
use crate::campaign::decode::{Findings, Spanned, closest, did_you_mean};
use crate::campaign::read::{RawEnd, RawFlow, RawStep};
use crate::campaign::{Flow, FlowEnd, Key, Step, StepIx};
use crate::contact::{Meaning, Then};

use super::Names;

pub fn flow(
    raw: &RawFlow,
    dispositions: Option<&BTreeMap<String, Meaning>>,
    names: &mut Names<'_>,
    findings: &mut Findings,
) -> Option<Flow> {
    let by_name: BTreeMap<&str, StepIx> =
        raw.steps.iter().enumerate().map(|(at, step)| (step.name.value.as_str(), StepIx(at as u16))).collect();
    let start = raw.start.as_ref().and_then(|start| find(start, &by_name, findings));
    let steps: Vec<Option<Step>> =
        raw.steps.iter().map(|step| one_step(step, &by_name, dispositions, names, findings)).collect();
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    let flow = Flow { start: start?, steps };
    check_ways(&flow, raw, findings);
    Some(flow)
}

fn find(name: &Spanned<String>, steps: &BTreeMap<&str, StepIx>, findings: &mut Findings) -> Option<StepIx> {
    let found = steps.get(name.value.as_str()).copied();
    if found.is_none() {
        let hint = did_you_mean(&name.value, steps.keys().copied())
            .unwrap_or_else(|| format!("steps are: {}", steps.keys().copied().collect::<Vec<_>>().join(", ")));
        findings.error_hint(name.span, Code::UnknownName, format!("there is no step `{}`", name.value), hint);
    }
    found
}

fn one_step(
    raw: &RawStep,
    by_name: &BTreeMap<&str, StepIx>,
    dispositions: Option<&BTreeMap<String, Meaning>>,
    names: &mut Names<'_>,
    findings: &mut Findings,
) -> Option<Step> {
    let play = raw.play.as_ref().map(|path| names.prompt(path, findings));
    if let Some(code) = &raw.disposition {
        check_disposition(code, dispositions, findings);
    }
    check_callback(raw, dispositions, findings);
    let mut on = BTreeMap::new();
    let mut all_found = true;
    for (key, target) in &raw.on {
        match find(target, by_name, findings) {
            Some(ix) => drop(on.insert(key.value.clone(), ix)),
            None => all_found = false,
        }
    }
    check_shape(raw, findings);
    let then = raw.then.as_ref().map(|end| match &end.value {
        RawEnd::Hangup => FlowEnd::Hangup,
        RawEnd::Transfer(queue) => {
            names.queue(&Spanned { value: queue.as_str(), span: end.span }, findings);
            FlowEnd::Transfer { queue: queue.clone() }
        }
    });
    if !all_found || matches!(play, Some(None)) {
        return None;
    }
    Some(Step {
        name: raw.name.value.clone(),
        play: play.flatten(),
        disposition: raw.disposition.as_ref().map(|code| code.value.clone()),
        callback: raw.callback.as_ref().map(|promise| promise.value),
        collect: raw.collect.as_ref().map(|collect| collect.value),
        on,
        then,
    })
}

/// `None`: the shared set could not be read, so that nobody knows which names there are.
fn check_disposition(
    code: &Spanned<String>,
    dispositions: Option<&BTreeMap<String, Meaning>>,
    findings: &mut Findings,
) {
    let Some(known) = dispositions.filter(|known| !known.contains_key(&code.value)) else { return };
    let hint = match closest(&code.value, known.keys().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "declare it under `dispositions`".to_owned(),
    };
    findings.error_hint(code.span, Code::UnknownName, format!("there is no disposition `{}`", code.value), hint);
}

/// A time to call back needs somebody who asks for it.
fn check_callback(raw: &RawStep, dispositions: Option<&BTreeMap<String, Meaning>>, findings: &mut Findings) {
    let Some(promise) = &raw.callback else { return };
    let asks = |code: &Spanned<String>| {
        dispositions
            .is_none_or(|known| known.get(&code.value).is_none_or(|meaning| meaning.then.contains(&Then::Callback)))
    };
    if !raw.disposition.as_ref().is_some_and(asks) {
        let message = format!("`{}` promises a callback, and no disposition of it asks for one", raw.name.value);
        findings.error_hint(promise.span, Code::Contradiction, message, "a disposition with `then: callback`");
    }
}

/// A step either waits for a key and branches, or ends.
fn check_shape(raw: &RawStep, findings: &mut Findings) {
    let name = &raw.name.value;
    let branches = |wanted: fn(&Key) -> bool| raw.on.iter().filter(move |(key, _)| wanted(&key.value));
    let is_digits = |key: &Key| matches!(key, Key::Digits(_));
    match (&raw.collect, &raw.then) {
        (Some(collect), None) => {
            if branches(is_digits).next().is_none() {
                findings.error(
                    raw.name.span,
                    Code::MissingKey,
                    format!("`{name}` collects a key and branches on none"),
                );
            }
            if branches(|key| *key == Key::Timeout).next().is_none() {
                let message = format!("`{name}` has no `timeout`: what if nobody presses a key?");
                findings.error(raw.name.span, Code::MissingKey, message);
            }
            for (key, _) in branches(is_digits) {
                if let Key::Digits(digits) = &key.value
                    && digits.len() != usize::from(collect.value.digits)
                {
                    let message =
                        format!("\"{digits}\" is never pressed: the step collects {} digits", collect.value.digits);
                    findings.error(key.span, Code::Contradiction, message);
                }
            }
        }
        (Some(_), Some(then)) => {
            let message = format!("`{name}` waits for a key, and `then` ends it");
            findings.error_hint(
                then.span,
                Code::Contradiction,
                message,
                "a step either collects and branches with `on`, or ends with `then`",
            );
        }
        (None, None) => {
            findings.error_hint(
                raw.name.span,
                Code::MissingKey,
                format!("`{name}` has neither `collect` nor `then`"),
                "then: hangup",
            );
        }
        (None, Some(_)) => {}
    }
    let transfers = raw.then.as_ref().is_some_and(|end| matches!(end.value, RawEnd::Transfer(_)));
    let impossible = |key: &Key| match key {
        Key::Digits(_) | Key::Timeout => raw.collect.is_none(),
        Key::Failed => !transfers,
    };
    for (key, _) in raw.on.iter().filter(|(key, _)| impossible(&key.value)) {
        let needs = if key.value == Key::Failed { "a transfer" } else { "`collect`" };
        findings.error(key.span, Code::Contradiction, format!("this branch is never taken without {needs}"));
    }
}

fn check_ways(flow: &Flow, raw: &RawFlow, findings: &mut Findings) {
    let next = |at: usize| flow.steps.get(at).into_iter().flat_map(|step| step.on.values().map(|ix| usize::from(ix.0)));
    let mut reached = vec![false; flow.steps.len()];
    let mut open = vec![usize::from(flow.start.0)];
    while let Some(at) = open.pop() {
        if let Some(seen) = reached.get_mut(at).filter(|seen| !**seen) {
            *seen = true;
            open.extend(next(at));
        }
    }
    let mut ends: Vec<bool> = flow.steps.iter().map(|step| step.then.is_some()).collect();
    for _ in 0..flow.steps.len() {
        let before = ends.clone();
        for (at, end) in ends.iter_mut().enumerate() {
            *end = *end || next(at).any(|to| before.get(to).copied().unwrap_or(false));
        }
        if before == ends {
            break;
        }
    }
    for (at, step) in raw.steps.iter().enumerate() {
        let name = &step.name.value;
        if !reached.get(at).copied().unwrap_or(false) {
            findings.error(step.name.span, Code::Contradiction, format!("no way leads to the step `{name}`"));
        } else if !ends.get(at).copied().unwrap_or(false) {
            findings.error(step.name.span, Code::Contradiction, format!("from `{name}` the call never ends"));
        }
    }
}
