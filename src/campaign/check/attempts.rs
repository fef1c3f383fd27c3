//! The attempts budget under the policy's ceilings, and the retry rules with our defaults.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Code;
use crate::campaign::decode::{Findings, Spanned};
use crate::campaign::read::{RawAttempts, RawRetry};
use crate::campaign::{Attempts, Policy, RetryRule};
use crate::contact::CallResult;

const MIN_GAP: Duration = Duration::from_hours(2);

pub fn attempts(raw: &RawAttempts, policy: &Policy, findings: &mut Findings) -> Attempts {
    let mut under = |figure: &Option<Spanned<u16>>, ceiling: u16, key: &str| -> u16 {
        let Some(figure) = figure else { return ceiling };
        if figure.value > ceiling {
            let message = format!("{} allows {key} {ceiling}, not {}", policy.reference(), figure.value);
            findings.error_hint(figure.span, Code::Loosens, message, "a campaign may only tighten its policy");
        }
        figure.value.min(ceiling)
    };
    let max = under(&raw.max, policy.attempts_max, "max");
    let max_per_day = under(&raw.max_per_day, policy.attempts_max_per_day, "max_per_day");
    if let Some(figure) = raw.max_per_day.as_ref().filter(|figure| figure.value > max) {
        let message = format!("{} a day of {max} in all", figure.value);
        findings.warning(figure.span, Code::Contradiction, message);
    }
    Attempts {
        max,
        max_per_day: max_per_day.min(max),
        min_gap: raw.min_gap.as_ref().map_or(MIN_GAP, |gap| gap.value),
        spread: raw.spread,
        stop_after_contact: raw.stop_after_contact.unwrap_or(true),
    }
}

/// Without `retry:` the whole table of defaults. With it exactly what it says, and the defaults for failures of our own
/// side, which no campaign means when it leaves them out.
pub fn retry(raw: Option<&RawRetry>) -> BTreeMap<CallResult, RetryRule> {
    let Some(raw) = raw else { return defaults().into_iter().collect() };
    let ours = |result: CallResult| {
        matches!(result, CallResult::NetworkFailure | CallResult::TrunkRefused | CallResult::Cancelled)
    };
    let mut rules: BTreeMap<CallResult, RetryRule> =
        defaults().into_iter().filter(|(result, _)| ours(*result)).collect();
    rules.extend(raw.rules.iter().map(|(result, rule)| (result.value, rule.clone())));
    rules
}

fn defaults() -> [(CallResult, RetryRule); 13] {
    let minutes = |m: u64| Duration::from_secs(m * 60);
    let days = |d: u64| Duration::from_hours(d * 24);
    let rule = |after: Duration, max: u16| RetryRule {
        after,
        max,
        free: 0,
        other_daypart: false,
        prefer: None,
        next_phone: false,
        phone_dead: false,
    };
    let dead = || RetryRule { next_phone: true, phone_dead: true, ..rule(Duration::ZERO, 4) };
    [
        (CallResult::Busy, rule(minutes(15), 2)),
        (CallResult::NoAnswer, RetryRule { other_daypart: true, next_phone: true, ..rule(days(1), 3) }),
        (CallResult::Machine, RetryRule { other_daypart: true, ..rule(days(1), 2) }),
        (CallResult::Fax, dead()),
        (CallResult::Rejected, rule(days(7), 1)),
        (CallResult::VacantNumber, dead()),
        (CallResult::Suspended, RetryRule { next_phone: true, ..rule(days(5), 1) }),
        (CallResult::PoweredOff, RetryRule { other_daypart: true, ..rule(days(1), 2) }),
        (CallResult::NotReachable, rule(minutes(240), 2)),
        (CallResult::NetworkFailure, RetryRule { free: 3, ..rule(minutes(2), 3) }),
        (CallResult::TrunkRefused, RetryRule { free: 3, ..rule(minutes(2), 3) }),
        (CallResult::Abandoned, rule(days(3), 1)),
        (CallResult::Cancelled, RetryRule { free: 3, ..rule(minutes(10), 3) }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_without_rules_has_one_for_every_result_that_is_retried() {
        let rules = retry(None);
        for result in CallResult::ALL {
            assert_eq!(rules.contains_key(result), result.is_retryable(), "{result}");
        }
    }

    #[test]
    fn a_campaign_with_rules_has_those_and_our_own_failures() {
        let rules: Vec<CallResult> = retry(Some(&RawRetry::default())).into_keys().collect();
        assert_eq!(rules, [CallResult::NetworkFailure, CallResult::TrunkRefused, CallResult::Cancelled]);
    }
}
