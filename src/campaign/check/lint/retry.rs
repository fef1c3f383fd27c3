//! Retries, attempts and phones that the budget, the spread, the caps, the hours or the list's life never let happen.

use std::time::Duration;

use crate::base::{Code, Span};
use crate::campaign::check::shared::place;
use crate::campaign::decode::{Findings, Spanned, unit::show};
use crate::campaign::read::RawCampaign;
use crate::campaign::{Campaign, CapPer, CapRule, Daypart, RetryRule};
use crate::contact::CallResult;

use super::{dialling_hours, sooner, warn};

const DAY: Duration = Duration::from_hours(24);

pub fn check(raw: &RawCampaign, campaign: &Campaign, findings: &mut Findings) {
    let parts = open_dayparts(campaign);
    let life = life(campaign);
    let rules = raw.retry.as_ref().map(|retry| retry.rules.as_slice()).unwrap_or_default();
    if campaign.attempts.max == 1 {
        if let Some((first, _)) = rules.iter().find(|(_, rule)| rule.max > 0 && !rule.phone_dead) {
            let hint = "attempts: { max: 2 } or more, or no rules for call results at all: retry: {}";
            warn(first.span, Code::NeverFires, "nothing is ever retried: the budget is one attempt", hint, findings);
        }
    } else {
        for (result, rule) in rules.iter().filter(|(_, rule)| rule.max > 0 && !rule.phone_dead) {
            let never = never(rule, campaign, &parts, life.as_ref());
            if let Some((why, hint)) = never.or_else(|| sooner::held(rule, campaign)) {
                let message = format!("the rule for `{}` {why}", result.value);
                warn(result.span, Code::NeverFires, message, hint, findings);
            }
        }
    }
    budget(raw, campaign, &parts, life.as_ref(), findings);
    phones(raw, campaign, rules, findings);
}

/// The most that a lead can live, and what ends it.
struct Life {
    lasts: Duration,
    ends: String,
}

fn life(campaign: &Campaign) -> Option<Life> {
    let list = campaign
        .list
        .expires_after
        .map(|lasts| Life { lasts, ends: format!("the list expires after {}", show(lasts)) });
    let run = campaign.run.from.zip(campaign.run.until).and_then(|(from, until)| {
        let days = u64::try_from((until - from).get_days()).ok()? + 1;
        Some(Life { lasts: DAY * u32::try_from(days).ok()?, ends: format!("the run lasts {days} days") })
    });
    list.into_iter().chain(run).min_by_key(|life| life.lasts)
}

fn open_dayparts(campaign: &Campaign) -> Vec<Daypart> {
    let hours = dialling_hours(campaign);
    let edges = |part: &Daypart| match part {
        Daypart::Morning => (0, 720),
        Daypart::Noon => (720, 840),
        Daypart::Afternoon => (840, 1_050),
        Daypart::Evening => (1_050, 1_440),
    };
    let is_open = |part: &Daypart| {
        let (from, to) = edges(part);
        (0..7).any(|day| hours.day(day).iter().any(|window| window.from.0 < to && from < window.to.0))
    };
    Daypart::ALL.into_iter().filter(is_open).collect()
}

fn never(rule: &RetryRule, campaign: &Campaign, parts: &[Daypart], life: Option<&Life>) -> Option<(String, String)> {
    let retries = campaign.attempts.max.saturating_sub(1);
    if let Some(life) = life.filter(|life| rule.after >= life.lasts) {
        let why = format!("never fires: it waits {}, and {}", show(rule.after), life.ends);
        return Some((why, "a shorter `after`, or max: 0 for no retry".to_owned()));
    }
    if rule.other_daypart && parts.len() < 2 {
        let only = parts.first().map_or("never", |part| part.as_str());
        let why = format!("asks for another part of the day, and all hours lie in one: {only}");
        return Some((why, "take `other_daypart` out, or open more hours".to_owned()));
    }
    if let Some(part) = rule.prefer.filter(|part| !parts.contains(part)) {
        let open: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        let why = format!("prefers the {}, when nobody is called", part.as_str());
        return Some((why, format!("open parts of the day: {}", open.join(", "))));
    }
    if let (Some(part), Some(spread)) = (rule.prefer, campaign.attempts.spread)
        && rule.max > spread.at_most_each
    {
        let why =
            format!("has max: {} in the {}, and the spread allows {}", rule.max, part.as_str(), spread.at_most_each);
        return Some((why, format!("max: {}", spread.at_most_each)));
    }
    if rule.max > retries {
        let why = format!("has max: {}, and a budget of {} attempts leaves {retries}", rule.max, campaign.attempts.max);
        return Some((why, format!("max: {retries}, or a larger attempts.max")));
    }
    None
}

/// What keeps the budget from ever being used up; the first that does is said.
fn budget(raw: &RawCampaign, campaign: &Campaign, parts: &[Daypart], life: Option<&Life>, findings: &mut Findings) {
    let max = campaign.attempts.max;
    let at = raw.attempts.max.as_ref().map_or(place(Span::default(), raw.span), |max| max.span);
    let mut say = |possible: u64, why: String| {
        let is_short = possible < u64::from(max);
        if is_short {
            let message = format!("of {max} attempts {possible} can happen: {why}");
            warn(
                at,
                Code::NeverFires,
                message,
                format!("attempts: {{ max: {possible} }} says the same and is plain"),
                findings,
            );
        }
        is_short
    };
    if let Some(spread) = campaign.attempts.spread {
        let possible = u64::from(spread.at_most_each) * parts.len() as u64;
        let why = format!("{} in each of {} open parts of the day", spread.at_most_each, parts.len());
        if say(possible, why) {
            return;
        }
    }
    let Some(life) = life else { return };
    let days = (life.lasts.as_secs().div_ceil(DAY.as_secs())).max(1);
    if say(
        days * u64::from(campaign.attempts.max_per_day),
        format!("{} a day, and {}", campaign.attempts.max_per_day, life.ends),
    ) {
        return;
    }
    for cap in campaign.caps.iter().filter(|cap| cap.per == CapPer::Customer) {
        if let CapRule::Within { within, max_dials: Some(dials), .. } = &cap.rule
            && *within > Duration::ZERO
        {
            let windows = life.lasts.as_secs() / within.as_secs().max(1) + 1;
            let why = format!("{dials} within {} ({}), and {}", show(*within), cap.origin.as_str(), life.ends);
            if say(windows * u64::from(*dials), why) {
                return;
            }
        }
    }
}

/// Every phone of the list is reached by some way of retries.
fn phones(raw: &RawCampaign, campaign: &Campaign, rules: &[(Spanned<CallResult>, RetryRule)], findings: &mut Findings) {
    let count = campaign.list.phones.len();
    let Some(list) = raw.list.as_ref().filter(|_| count > 1) else { return };
    let at = Span { start: list.span.start, end: list.span.start + 1 };
    // The defaults lead through all phones; rules of the file only as far as they say.
    let steps: usize = match &raw.retry {
        None => count,
        Some(_) => rules.iter().filter(|(_, rule)| rule.next_phone).map(|(_, rule)| usize::from(rule.max)).sum(),
    };
    let reached = (steps + 1).min(usize::from(campaign.attempts.max));
    // One phone of several has its own warning.
    if (2..count).contains(&reached) || reached == 1 && steps > 0 {
        let name = campaign.list.phones.get(reached).map_or("", String::as_str);
        let message =
            format!("the phone `{name}` is never dialled: attempts and `next_phone` lead to {reached} of {count}");
        warn(at, Code::NeverReached, message, "fewer phones, or more attempts and retries with next_phone", findings);
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::warned;

    #[test]
    fn a_rule_that_waits_longer_than_the_list_lives_never_fires() {
        let found = warned(&[("busy: { after: 15m", "busy: { after: 14d")]);
        assert_eq!(found, ["GH1030: the rule for `busy` never fires: it waits 14d, and the list expires after 14d"]);
    }

    #[test]
    fn a_budget_of_one_leaves_nothing_to_retry() {
        let edits = [("max: 4", "max: 1"), ("[mobile, home]", "[mobile]")];
        assert_eq!(warned(&edits), ["GH1030: nothing is ever retried: the budget is one attempt"]);
    }

    #[test]
    fn a_rule_cannot_retry_more_often_than_the_budget_or_the_spread() {
        let found = warned(&[("after: 1d, max: 3", "after: 1d, max: 4")]);
        assert_eq!(found, ["GH1030: the rule for `no_answer` has max: 4, and a budget of 4 attempts leaves 3"]);
        let found = warned(&[("max: 2, prefer", "max: 3, prefer")]);
        assert_eq!(found, ["GH1030: the rule for `powered_off` has max: 3 in the evening, and the spread allows 2"]);
    }

    #[test]
    fn a_part_of_the_day_in_which_nobody_is_called_cannot_be_asked_for() {
        let mornings = ("pacing:", "calling_hours: { mon-sat: [\"09:00-12:00\"], sun: [] }\npacing:");
        let golden = (r#"star: ["18:00-20:00"], "#, "");
        let found = warned(&[mornings, golden]);
        assert_eq!(
            found,
            [
                "GH1030: of 4 attempts 2 can happen: 2 in each of 1 open parts of the day",
                "GH1030: the rule for `no_answer` asks for another part of the day, and all hours lie in one: morning",
                "GH1030: the rule for `powered_off` prefers the evening, when nobody is called",
            ]
        );
    }

    #[test]
    fn the_lists_life_and_the_caps_bound_the_budget() {
        let found = warned(&[("expires_after: 14d", "expires_after: 3d"), ("after: 1d, max: 3", "after: 1d, max: 2")]);
        assert_eq!(found, ["GH1030: of 4 attempts 3 can happen: 1 a day, and the list expires after 3d"]);
        let cap = ("pacing:", "contact_caps: [{ per: customer, within: 30d, max_dials: 2 }]\npacing:");
        let found = warned(&[cap]);
        assert_eq!(
            found,
            ["GH1030: of 4 attempts 2 can happen: 2 within 30d (campaign), and the list expires after 14d"]
        );
    }

    #[test]
    fn every_phone_has_a_way_that_leads_to_it() {
        let found = warned(&[("[mobile, home]", "[mobile, home, office]"), ("after: 1d, max: 3", "after: 1d, max: 1")]);
        let wanted = "GH1031: the phone `office` is never dialled: attempts and `next_phone` lead to 2 of 3";
        assert_eq!(found, [wanted]);
    }
}
