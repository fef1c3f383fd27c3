//! Expectations: a word, and what it is about.

use crate::base::{Code, Span};
use crate::campaign::decode::{Findings, Spanned, did_you_mean, shortened};
use crate::campaign::{Daypart, Deferred, Expect, Rule, TestPhone};
use crate::contact::ClosedWhy;

use super::{Subject, moment};

pub(super) fn expectations(
    subject: Subject<'_>,
    raw: &[Spanned<String>],
    zone: Option<&str>,
    phones: &[TestPhone],
    has_call: bool,
    findings: &mut Findings,
) -> Option<Vec<Spanned<Expect>>> {
    let mut one = |text: &Spanned<String>| {
        let expect = expectation(subject, text, zone, phones, findings)?;
        fits_call(&expect, text.span, has_call, findings)?;
        Some(Spanned { value: expect, span: text.span })
    };
    let read: Vec<Option<Spanned<Expect>>> = raw.iter().map(&mut one).collect();
    read.into_iter().collect()
}

fn expectation(
    subject: Subject<'_>,
    text: &Spanned<String>,
    zone: Option<&str>,
    phones: &[TestPhone],
    findings: &mut Findings,
) -> Option<Expect> {
    let (word, about) = text.value.trim().split_once(char::is_whitespace).unwrap_or((text.value.trim(), ""));
    let about = about.trim();
    let at = part(text.span, about, findings);
    if about.is_empty() == (word != "allowed") && Expect::WORDS.contains(&word) {
        let message = if about.is_empty() {
            format!("`{word}` needs something behind it")
        } else {
            "`allowed` stands alone".to_owned()
        };
        findings.error_hint(text.span, Code::BadValue, message, "see \"Tests\" in docs/CAMPAIGNS.md");
        return None;
    }
    match word {
        "allowed" => Some(Expect::Allowed),
        "blocked_by" => rules(text.span, about, findings).map(Expect::BlockedBy),
        "blocked_only_by" => rules(text.span, about, findings).map(Expect::BlockedOnlyBy),
        "deferred_to" => deferred(about, at, zone, findings).map(Expect::DeferredTo),
        "segment" => segment(subject, about, at, findings).map(Expect::Segment),
        "retry_at" => moment::moment_at(about, at, zone, findings).map(Expect::RetryAt),
        "next_phone" => {
            let phone = phone_at(about, at, phones, findings)?;
            Some(Expect::NextPhone { phone, column: about.to_owned() })
        }
        "closed" => closed(about, at, findings).map(Expect::Closed),
        other => {
            let message = format!("`{}` is nothing that a test can expect", shortened(other));
            findings.error_hint(
                part(text.span, other, findings),
                Code::BadValue,
                message,
                one_of(other, Expect::WORDS),
            );
            None
        }
    }
}

/// A call is made, or none is: an expectation of the other kind can never hold.
fn fits_call(expect: &Expect, span: Span, has_call: bool, findings: &mut Findings) -> Option<()> {
    if expect.needs_call() && !has_call {
        let hint = "say what comes of the call: `result: no_answer`, or a `disposition`";
        findings.error_hint(
            span,
            Code::MissingKey,
            "this speaks of what follows a call, and the test makes none",
            hint,
        );
        return None;
    }
    if expect.forbids_call() && has_call {
        let hint = "take `result` and `disposition` away, or expect what follows the call";
        findings.error_hint(span, Code::Contradiction, "the test makes a call, so that nothing can hold it back", hint);
        return None;
    }
    Some(())
}

fn rules(span: Span, about: &str, findings: &mut Findings) -> Option<Vec<Rule>> {
    let names = about.split(" and ").map(str::trim);
    let read: Vec<Option<Rule>> = names
        .map(|name| {
            let found = Rule::parse(name);
            if found.is_none() {
                let message = format!("there is no rule `{}`", shortened(name));
                let hint = one_of(name, Rule::ALL.iter().map(|rule| rule.as_str()));
                findings.error_hint(part(span, name, findings), Code::UnknownName, message, hint);
            }
            found
        })
        .collect();
    read.into_iter().collect()
}

fn deferred(about: &str, at: Span, zone: Option<&str>, findings: &mut Findings) -> Option<Deferred> {
    if about == "golden_hours" {
        return Some(Deferred::Golden);
    }
    if let Some(daypart) = Daypart::ALL.into_iter().find(|part| part.as_str() == about) {
        return Some(Deferred::Daypart(daypart));
    }
    if about.starts_with(|c: char| c.is_ascii_digit()) {
        return moment::moment_at(about, at, zone, findings).map(Deferred::At);
    }
    let words = Daypart::ALL.iter().map(|part| part.as_str()).chain(["golden_hours"]);
    let hint = did_you_mean(about, words)
        .unwrap_or_else(|| "a moment, golden_hours, morning, noon, afternoon or evening".to_owned());
    findings.error_hint(at, Code::BadValue, format!("nothing is deferred to `{}`", shortened(about)), hint);
    None
}

fn segment(subject: Subject<'_>, about: &str, at: Span, findings: &mut Findings) -> Option<String> {
    let names = || subject.campaign.segments.iter().map(|segment| segment.name.as_str());
    if names().any(|name| name == about) {
        return Some(about.to_owned());
    }
    let message = format!("there is no segment `{}`", shortened(about));
    findings.error_hint(at, Code::UnknownName, message, one_of(about, names()));
    None
}

fn closed(about: &str, at: Span, findings: &mut Findings) -> Option<ClosedWhy> {
    let found = ClosedWhy::parse(about);
    if found.is_none() {
        let hint = one_of(about, ClosedWhy::ALL.iter().map(|why| why.as_str()));
        findings.error_hint(at, Code::UnknownName, format!("no lead is closed as `{}`", shortened(about)), hint);
    }
    found
}

/// The position of a customer's phone by its column.
pub(super) fn phone(at: &Spanned<String>, column: &str, phones: &[TestPhone], findings: &mut Findings) -> Option<u8> {
    phone_at(column, at.span, phones, findings)
}

fn phone_at(column: &str, at: Span, phones: &[TestPhone], findings: &mut Findings) -> Option<u8> {
    // Of a customer that could not be read nothing is known; that is reported already.
    if phones.is_empty() {
        return None;
    }
    let found = phones.iter().position(|phone| phone.column == column);
    if found.is_none() {
        let message = format!("the customer has no phone `{}`", shortened(column));
        let hint = one_of(column, phones.iter().map(|phone| phone.column.as_str()));
        findings.error_hint(at, Code::UnknownName, message, hint);
    }
    found.and_then(|at| u8::try_from(at).ok())
}

/// `did you mean x?`, or all there are.
pub fn one_of<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    did_you_mean(wrong, known.iter().copied()).unwrap_or_else(|| match known.as_slice() {
        [] => "there is none at all".to_owned(),
        known => format!("one of: {}", known.join(", ")),
    })
}

/// The place of a word inside a text, or the whole text.
fn part(span: Span, word: &str, findings: &Findings) -> Span {
    let text = findings.source().text.get(span.start as usize..span.end as usize).unwrap_or("");
    match text.rfind(word).filter(|_| !word.is_empty()) {
        Some(at) => {
            let start = span.start + at as u32;
            Span { start, end: start + word.len() as u32 }
        }
        None => span,
    }
}
