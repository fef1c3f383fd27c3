//! Whether what was seen is what the test expects; if not, what came instead, for people.

use crate::base::Wall;
use crate::campaign::decode::Spanned;
use crate::campaign::{Daypart, Deferred, Expect, Rule, TestCase, show_moment};
use crate::schedule::daypart_at;

use super::question::{After, Seen};
use super::{Mismatch, Trial};

pub(super) fn judge(case: &TestCase, seen: &Seen) -> Trial {
    let failures = case.expect.iter().filter(|expect| !holds(&expect.value, case, seen));
    let expected_rules = || case.expect.iter().flat_map(|expect| expect.value.rules());
    let said_no = |rule: &Rule| !seen.dialled && expected_rules().any(|expected| expected.covers(*rule));
    let mut blocked: Vec<Rule> = seen.reasons.iter().map(|reason| reason.rule).filter(said_no).collect();
    blocked.dedup();
    Trial {
        name: case.name.clone(),
        failures: failures.map(|expect| mismatch(expect, case, seen)).collect(),
        blocked,
        segment: seen.segment.clone(),
        result: case.call.as_ref().filter(|_| seen.after.is_some()).map(|call| call.result),
    }
}

fn holds(expect: &Expect, case: &TestCase, seen: &Seen) -> bool {
    let blocked = |rules: &[Rule]| {
        !seen.dialled && rules.iter().all(|rule| seen.reasons.iter().any(|reason| rule.covers(reason.rule)))
    };
    match expect {
        Expect::Allowed => seen.dialled,
        Expect::BlockedBy(rules) => blocked(rules),
        Expect::BlockedOnlyBy(rules) => {
            let expected = |rule: Rule| rules.iter().any(|expected| expected.covers(rule));
            blocked(rules) && seen.reasons.iter().all(|reason| expected(reason.rule))
        }
        Expect::DeferredTo(Deferred::Golden) => seen.golden_at.is_some(),
        Expect::DeferredTo(Deferred::At(at)) => !seen.dialled && seen.due == Some(*at),
        Expect::DeferredTo(Deferred::Daypart(part)) => {
            !seen.dialled && seen.due.is_some_and(|due| daypart(due, case) == *part)
        }
        Expect::Segment(name) => seen.segment.as_ref() == Some(name),
        Expect::RetryAt(at) => seen.after.as_ref().is_some_and(|after| after.due == Some(*at)),
        Expect::NextPhone { phone, .. } => {
            seen.after.as_ref().is_some_and(|after| after.closed.is_none() && after.next_phone == *phone)
        }
        Expect::Closed(why) => seen.after.as_ref().is_some_and(|after| after.closed == Some(*why)),
    }
}

fn daypart(at: Wall, case: &TestCase) -> Daypart {
    let zone = case.zone.as_deref().and_then(|zone| jiff::tz::TimeZone::get(zone).ok());
    daypart_at(&zone.unwrap_or(jiff::tz::TimeZone::UTC), at)
}

fn mismatch(expect: &Spanned<Expect>, case: &TestCase, seen: &Seen) -> Mismatch {
    let shown = |at: Wall| show_moment(at, case.zone.as_deref());
    let expected = match &expect.value {
        Expect::DeferredTo(Deferred::At(at)) => format!("deferred_to {}", shown(*at)),
        Expect::RetryAt(at) => format!("retry_at {}", shown(*at)),
        Expect::Allowed
        | Expect::BlockedBy(_)
        | Expect::BlockedOnlyBy(_)
        | Expect::DeferredTo(_)
        | Expect::Segment(_)
        | Expect::NextPhone { .. }
        | Expect::Closed(_) => expect.value.to_string(),
    };
    let got = match (&expect.value, &seen.after) {
        (Expect::Segment(_), _) => match &seen.segment {
            Some(name) => format!("segment {name}"),
            None => "no segment: not eligible".to_owned(),
        },
        (expect, Some(after)) if expect.needs_call() => after_call(after, case, shown),
        _ => standing(seen, shown),
    };
    let mut verdict: Vec<String> =
        seen.reasons.iter().map(|reason| format!("{}: {}", reason.rule, reason.detail)).collect();
    verdict.extend(seen.waits_until.map(|until| format!("retry: waits until {}", shown(until))));
    Mismatch { span: expect.span, expected, got: format!("{got}, asked at {}", shown(seen.at)), verdict }
}

/// At the moment of the test.
fn standing(seen: &Seen, shown: impl Fn(Wall) -> String) -> String {
    if seen.dialled {
        let ahead = seen.golden_at.filter(|golden| *golden > seen.at);
        return match (seen.golden_now, ahead) {
            (true, _) => "allowed, in golden hours".to_owned(),
            (false, Some(golden)) => format!("allowed, golden from {}", shown(golden)),
            (false, None) => "allowed, with no golden hours ahead that day".to_owned(),
        };
    }
    let mut rules: Vec<&str> = seen.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    rules.dedup();
    let why = match (rules.as_slice(), seen.waits_until) {
        ([], Some(_)) => "not yet: it waits for its retry".to_owned(),
        ([], None) => "not yet: it waits for golden hours".to_owned(),
        (rules, _) => format!("blocked_by {}", rules.join(" and ")),
    };
    match seen.due {
        Some(due) => format!("{why}, deferred_to {}", shown(due)),
        None => format!("{why}, and time alone will not help"),
    }
}

fn after_call(after: &After, case: &TestCase, shown: impl Fn(Wall) -> String) -> String {
    if let Some(why) = after.closed {
        return format!("closed {why}");
    }
    let phone = case.customer.phones.get(usize::from(after.next_phone)).map_or("?", |phone| phone.column.as_str());
    match after.due {
        Some(due) => format!("retry_at {} and next_phone {phone}", shown(due)),
        None => "no moment at which it could dial again".to_owned(),
    }
}
