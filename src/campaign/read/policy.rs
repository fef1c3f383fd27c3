//! `policies/NAME.yaml`.

use std::time::Duration;

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, scalar, unit};
use crate::campaign::{CapOrigin, ConsentRule, HolidayRule, Policy, Purpose};

use super::caps::caps;
use super::hours::{RawHours, RawZone, calling_hours};

/// `hash` is the file's; the caller knows its bytes.
pub fn policy(root: &Node, hash: String, findings: &mut Findings) -> Option<Policy> {
    let mut fields = root.fields("a policy", findings)?;
    fields.take("schema");
    let name = fields.required("policy", findings, scalar::name);
    let version = fields.required("version", findings, version);
    let title = fields.required("title", findings, scalar::text_some);
    let purposes = fields.required("purposes", findings, |node, findings| {
        node.list_of("purposes", findings, purpose).filter(|list| !list.is_empty())
    });
    let sources = fields.required("sources", findings, |node, findings| {
        let sources = node.list_of("sources", findings, scalar::text_some)?;
        if sources.is_empty() {
            findings.error(node.span, Code::BadValue, "a policy says where each of its figures comes from");
        }
        Some(sources)
    });
    let hours = fields.required("calling_hours", findings, |node, findings| {
        let hours = calling_hours(node, findings)?;
        check_hours(&hours, node, findings);
        Some(hours)
    });
    let consent = fields.required("consent", findings, |node, findings| {
        let words = [("required", ConsentRule::Required), ("not_refused", ConsentRule::NotRefused)];
        scalar::one_of(node, "a consent rule", &words, &[], findings)
    });
    let attempts = fields.required("attempts", findings, attempts);
    let caps = fields.optional("contact_caps", findings, caps(CapOrigin::Policy)).unwrap_or_default();
    let min_ring = fields.optional("min_ring", findings, unit::duration).unwrap_or(Duration::ZERO);
    let precedence = fields.optional("precedence", findings, scalar::u16_from(0..=9)).unwrap_or(0);
    fields.not_yet(&["abandonment", "recording", "notices"]);
    fields.finish(findings);
    let (hours, (attempts_max, attempts_max_per_day)) = (hours?, attempts?);
    Some(Policy {
        name: name?,
        version: version?,
        title: title?,
        purposes: purposes?,
        sources: sources?,
        hours: hours.week.hours(),
        holidays: hours.holidays.map_or(HolidayRule::Closed, |rule| rule.value),
        fixed_zone_allowed: hours.zone.is_some_and(|zone| zone.value == RawZone::Any),
        consent: consent?,
        caps: caps.into_iter().map(|cap| cap.value).collect(),
        attempts_max,
        attempts_max_per_day,
        min_ring,
        precedence: precedence as u8,
        hash,
    })
}

pub fn version(node: &Node, findings: &mut Findings) -> Option<u32> {
    scalar::u32_from(1..=1_000_000)(node, findings)
}

pub fn purpose(node: &Node, findings: &mut Findings) -> Option<Purpose> {
    let words: Vec<(&str, Purpose)> = Purpose::ALL.iter().map(|p| (p.as_str(), *p)).collect();
    scalar::one_of(node, "a purpose", &words, &[], findings)
}

fn attempts(node: &Node, findings: &mut Findings) -> Option<(u16, u16)> {
    let mut fields = node.fields("attempts of a policy", findings)?;
    let max = fields.required("max", findings, scalar::u16_from(1..=1_000));
    let per_day = fields.required("max_per_day", findings, scalar::u16_from(1..=1_000));
    fields.finish(findings);
    Some((max?, per_day?))
}

/// A policy leaves no day unsaid.
fn check_hours(hours: &RawHours, node: &Node, findings: &mut Findings) {
    let silent = hours.week.silent_days();
    if !silent.is_empty() && !hours.week.broken {
        let message = format!("calling_hours says nothing about {}", silent.join(", "));
        findings.error_hint(node.span, Code::MissingKey, message, "a closed day is written []");
    }
    if hours.holidays.is_none() {
        findings.error(node.span, Code::MissingKey, "calling_hours has no `holidays`");
    }
    if let Some(zone) = hours.zone.as_ref().filter(|zone| matches!(zone.value, RawZone::Named(_))) {
        let hint = "customer: the customer's own zone always counts; any: a campaign may name one zone for everybody";
        findings.error_hint(zone.span, Code::BadValue, "a policy names no zone", hint);
    }
    if let Some(zone) = &hours.fallback_zone {
        findings.error(zone.span, Code::BadValue, "the fallback zone is the campaign's to name");
    }
}
