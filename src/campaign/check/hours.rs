//! Calling hours: the campaign's inside the policy's.

use jiff::civil::Date;

use crate::base::{Code, Span};
use crate::campaign::decode::{Findings, Spanned, did_you_mean};
use crate::campaign::read::{RawCampaign, RawHours, RawWeek, RawZone};
use crate::campaign::{Calendar, CallingHours, HolidayRule, Policy, RunDates, WeekHours, Window, ZoneRule};
use crate::contact::{ZoneIx, Zones};

use super::shared::place;

pub fn calling_hours(
    raw: &RawHours,
    policy: &Policy,
    zones: &mut Zones,
    findings: &mut Findings,
) -> Option<CallingHours> {
    let zone = match &raw.zone {
        None => Some(ZoneRule::Customer),
        Some(zone) => zone_rule(zone, policy, zones, findings),
    };
    let fallback_zone = match &raw.fallback_zone {
        None => Some(None),
        Some(zone) => intern(&zone.value, zone.span, zones, findings).map(Some),
    };
    let week = week(&raw.week, raw.span, policy, findings);
    let holidays = match &raw.holidays {
        None => policy.holidays,
        Some(rule) => {
            if rule.value == HolidayRule::Open && policy.holidays == HolidayRule::Closed {
                let message = format!("{} closes public holidays", policy.reference());
                findings.error_hint(rule.span, Code::Loosens, message, "a campaign may only tighten: holidays: closed");
            }
            rule.value
        }
    };
    Some(CallingHours { zone: zone?, fallback_zone: fallback_zone?, week: week?, holidays })
}

fn zone_rule(zone: &Spanned<RawZone>, policy: &Policy, zones: &mut Zones, findings: &mut Findings) -> Option<ZoneRule> {
    match &zone.value {
        RawZone::Customer => Some(ZoneRule::Customer),
        RawZone::Any => {
            findings.error_hint(
                zone.span,
                Code::BadValue,
                "`any` is for policies",
                "customer, or a zone: Asia/Shanghai",
            );
            None
        }
        RawZone::Named(name) => {
            let ix = intern(name, zone.span, zones, findings)?;
            if !policy.fixed_zone_allowed {
                let message = format!("{} goes by the customer's own zone", policy.reference());
                let hint = "zone: customer; a zone for those whose own is unknown is `fallback_zone`";
                findings.error_hint(zone.span, Code::Loosens, message, hint);
            }
            Some(ZoneRule::Fixed(ix))
        }
    }
}

fn intern(name: &str, span: Span, zones: &mut Zones, findings: &mut Findings) -> Option<ZoneIx> {
    let ix = zones.intern(name);
    if ix.is_none() {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let hint = did_you_mean(name, names.iter().map(String::as_str))
            .unwrap_or_else(|| "an IANA name, like Asia/Shanghai or America/New_York".to_owned());
        findings.error_hint(span, Code::UnknownName, format!("there is no time zone `{name}`"), hint);
    }
    ix
}

fn week(raw: &RawWeek, span: Span, policy: &Policy, findings: &mut Findings) -> Option<WeekHours> {
    if raw.is_empty() && !raw.broken {
        return Some(policy.hours.clone());
    }
    let silent = raw.silent_days();
    if !silent.is_empty() && !raw.broken {
        let message = format!("calling_hours says nothing about {}", silent.join(", "));
        findings.error_hint(
            span,
            Code::MissingKey,
            message,
            "name every day, a closed one as [], or none at all to get the policy's hours",
        );
        return None;
    }
    let mut seen: Vec<Span> = Vec::new();
    for (weekday, windows) in raw.days.iter().enumerate() {
        for window in windows.iter().flatten() {
            if !inside(window.value, policy.hours.day(weekday)) && !seen.contains(&window.span) {
                seen.push(window.span);
                loosens(window, weekday, policy, findings);
            }
        }
    }
    if raw.broken {
        return None;
    }
    let hours = raw.hours();
    if hours.is_empty() {
        findings.error(span, Code::Contradiction, "there is not one hour left to call in");
    }
    Some(hours.intersect(&policy.hours))
}

fn inside(window: Window, law: &[Window]) -> bool {
    law.iter().any(|allowed| allowed.from <= window.from && window.to <= allowed.to)
}

fn loosens(window: &Spanned<Window>, weekday: usize, policy: &Policy, findings: &mut Findings) {
    let allowed: Vec<String> = policy.hours.day(weekday).iter().map(|w| format!("\"{w}\"")).collect();
    let day = crate::campaign::read::day_name(weekday);
    let message = format!("{} on {day} is outside the hours of {}", window.value, policy.reference());
    let hint = if allowed.is_empty() {
        format!("the policy closes {day}: []")
    } else {
        format!("the policy allows on {day}: [{}]", allowed.join(", "))
    };
    findings.error_hint(window.span, Code::Loosens, message, hint);
}

/// Closed holidays need a calendar, and one that knows every year of the run.
pub fn holidays(raw: &RawCampaign, rule: HolidayRule, calendar: Option<&Calendar>, findings: &mut Findings) {
    if rule == HolidayRule::Open {
        return;
    }
    let Some(calendar) = calendar else {
        if raw.uses.calendar.is_none() {
            let message = "public holidays are closed, and no calendar says which days they are";
            let hint = "use: { calendar: cn-mainland@2026 }";
            findings.error_hint(place(raw.hours.span, raw.span), Code::MissingKey, message, hint);
        }
        return;
    };
    let Some(run) = &raw.run else { return };
    let RunDates { from, until } = run.value;
    let first = from.or(until).map(Date::year);
    let last = until.or(from).map(Date::year);
    if let (Some(first), Some(last)) = (first, last)
        && let Some(unknown) = (first..=last).find(|year| !calendar.years.contains(year))
    {
        let message = format!("{} has not been published for {unknown}, and the run goes into it", calendar.name);
        let hint = "end the run earlier, or wait for the calendar: nobody can know its holidays yet";
        findings.error_hint(run.span, Code::CalendarYear, message, hint);
    }
}
