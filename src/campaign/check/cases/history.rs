//! What happened before: when, by which campaign, to which phone.

use crate::base::{Code, Wall};
use crate::campaign::decode::{Findings, Spanned};
use crate::campaign::read::{RawPast, RawWhen};
use crate::campaign::{Past, PastEvent, TestMoment, TestPhone, When};
use crate::contact::CallResult;

use super::{Subject, expect, moment};

pub(super) fn history(
    subject: Subject<'_>,
    raw: &[RawPast],
    zone: Option<&str>,
    at: Option<TestMoment>,
    phones: &[TestPhone],
    findings: &mut Findings,
) -> Option<Vec<PastEvent>> {
    let read: Vec<Option<PastEvent>> =
        raw.iter().map(|past| event(subject, past, zone, at, phones, findings)).collect();
    read.into_iter().collect()
}

fn event(
    subject: Subject<'_>,
    raw: &RawPast,
    zone: Option<&str>,
    at: Option<TestMoment>,
    phones: &[TestPhone],
    findings: &mut Findings,
) -> Option<PastEvent> {
    let when = when(raw.when.as_ref(), zone, at, findings);
    let disposition = match &raw.disposition {
        Some(name) => Some(subject.disposition(name, findings)?),
        None => None,
    };
    let callback_at = moment::callback(subject, raw.callback_at.as_ref(), disposition.as_deref(), zone, findings)?;
    let phone = match &raw.phone {
        Some(name) => Some(expect::phone(name, &name.value, phones, findings)?),
        None => None,
    };
    let result = match (raw.result, &disposition) {
        (None | Some(Some(CallResult::Answered)), Some(_)) => Some(CallResult::Answered),
        (Some(result), None) => result,
        (None, None) => None,
        (Some(_), Some(_)) => {
            findings.error(raw.span, Code::Contradiction, "only an answered call ends with a disposition");
            return None;
        }
    };
    // Said by its own name or by another's, the campaign under test is one.
    let campaign = raw.campaign.as_ref().map(|name| name.value.clone());
    let campaign = campaign.filter(|name| *name != subject.campaign.name);
    let what = match raw.said {
        Some(said) => Past::Said(said),
        None => Past::Attempt { campaign, phone, result, disposition, callback_at },
    };
    Some(PastEvent { when: when?, what })
}

fn when(raw: Option<&RawWhen>, zone: Option<&str>, at: Option<TestMoment>, findings: &mut Findings) -> Option<When> {
    match raw? {
        RawWhen::Ago(ago) => Some(When::Ago(*ago)),
        RawWhen::At(text) => {
            let then = moment::moment(text, zone, findings)?;
            not_later(text, then, at?, findings).map(When::At)
        }
    }
}

fn not_later(text: &Spanned<String>, then: Wall, at: TestMoment, findings: &mut Findings) -> Option<Wall> {
    match at {
        TestMoment::Given(at) if then <= at => Some(then),
        TestMoment::Given(_) => {
            findings.error(text.span, Code::Contradiction, "this comes after the moment of the test");
            None
        }
        TestMoment::FirstOpenFrom(_) => {
            let hint = "add `at` to the test, or say `days_ago` here";
            findings.error_hint(text.span, Code::Contradiction, "a date in the history of a test without one", hint);
            None
        }
    }
}
