//! Tests from their raw form: names, times and values checked against the campaign they are for.

mod customer;
mod expect;
mod history;
mod moment;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::base::{Code, Wall};
use crate::campaign::decode::{Findings, Spanned};
use crate::campaign::read::{RawCase, RawTests};
use crate::campaign::{Campaign, TestCall, TestCase, TestMoment, ZoneRule};
use crate::contact::{CallResult, Zones};

pub use expect::one_of;

use customer::Customer;

/// What a mistake is measured against.
#[derive(Clone, Copy)]
struct Subject<'a> {
    campaign: &'a Campaign,
    zones: &'a Zones,
}

/// Those that can be run; what is wrong with the others is in `findings`.
pub fn cases(raw: &RawTests, campaign: &Campaign, zones: &Zones, findings: &mut Findings) -> Vec<TestCase> {
    let subject = Subject { campaign, zones };
    // Once by itself: a file whose only cases are broken still hears what is wrong with their customer.
    customer::customer(subject, raw.customer.as_ref(), None, findings);
    raw.cases.iter().filter_map(|case| one(subject, raw, case, findings)).collect()
}

fn one(subject: Subject<'_>, raw: &RawTests, case: &RawCase, findings: &mut Findings) -> Option<TestCase> {
    let customer = customer::customer(subject, raw.customer.as_ref(), case.customer.as_ref(), findings);
    // A customer with a mistake must not hide those of the clock.
    let zone = customer.as_ref().and_then(|found| found.zone.clone()).or_else(|| subject.own_zone());
    let at = match &case.at {
        Some(text) => moment::moment(text, zone.as_deref(), findings).map(TestMoment::Given),
        None => Some(TestMoment::FirstOpenFrom(subject.ordinary_day(zone.as_deref()))),
    };
    let phones = customer.as_ref().map(|found| found.customer.phones.as_slice()).unwrap_or_default();
    let history = history::history(subject, &case.history, zone.as_deref(), at, phones, findings);
    let call = call(subject, case, zone.as_deref(), findings);
    let has_call = case.result.is_some() || case.disposition.is_some();
    let expect = expect::expectations(subject, &case.expect, zone.as_deref(), phones, has_call, findings);
    let arm = match &case.arm {
        Some(name) => Some(subject.arm(name, findings)?),
        None => None,
    };
    let Customer { customer, .. } = customer?;
    let (history, expect) = (history?, expect?);
    if expect.is_empty() {
        return None;
    }
    Some(TestCase { name: case.name.clone()?, at: at?, zone, customer, arm, history, call: call?, expect })
}

/// `None` for a mistake, `Some(None)` where no call is made.
#[expect(clippy::option_option, reason = "a mistake, nothing, or a value")]
fn call(subject: Subject<'_>, case: &RawCase, zone: Option<&str>, findings: &mut Findings) -> Option<Option<TestCall>> {
    let disposition = match &case.disposition {
        Some(name) => Some(subject.disposition(name, findings)?),
        None => None,
    };
    let callback_at = moment::callback(subject, case.callback_at.as_ref(), disposition.as_deref(), zone, findings)?;
    let result = match (&case.result, &disposition) {
        (Some(result), Some(_)) if result.value != CallResult::Answered => {
            findings.error(result.span, Code::Contradiction, "only an answered call ends with a disposition");
            return None;
        }
        (Some(result), _) => result.value,
        (None, Some(_)) => CallResult::Answered,
        (None, None) => return Some(None),
    };
    Some(Some(TestCall { result, disposition, callback_at }))
}

impl Subject<'_> {
    /// Whose clock counts for customers of whom nothing is known.
    fn own_zone(self) -> Option<String> {
        let hours = &self.campaign.calling_hours;
        let zone = match hours.zone {
            ZoneRule::Fixed(zone) => Some(zone),
            ZoneRule::Customer => hours.fallback_zone,
        };
        zone.map(|zone| self.zones.name(zone).to_owned())
    }

    /// From where a test without `at` looks for its moment: no date of the year is special to it.
    fn ordinary_day(self, zone: Option<&str>) -> Wall {
        let year = self.campaign.calendar.as_ref().and_then(|calendar| calendar.years.last().copied()).unwrap_or(2026);
        let day = self.campaign.run.from.unwrap_or_else(|| jiff::civil::date(year, 6, 1));
        moment::midnight(day, zone)
    }

    fn arm(self, name: &Spanned<String>, findings: &mut Findings) -> Option<Arc<str>> {
        let arms = self.campaign.experiment.as_ref().map(|experiment| experiment.arms.as_slice()).unwrap_or_default();
        let found = arms.iter().find(|arm| *arm.name == *name.value).map(|arm| Arc::clone(&arm.name));
        if found.is_none() {
            let message = format!("there is no arm `{}`", crate::campaign::decode::shortened(&name.value));
            let hint = match arms {
                [] => "the campaign has no `experiment`".to_owned(),
                arms => expect::one_of(&name.value, arms.iter().map(|arm| &*arm.name)),
            };
            findings.error_hint(name.span, Code::UnknownName, message, hint);
        }
        found
    }

    fn disposition(self, name: &Spanned<String>, findings: &mut Findings) -> Option<String> {
        if self.campaign.dispositions.contains_key(&name.value) {
            return Some(name.value.clone());
        }
        let known = self.campaign.dispositions.keys().map(String::as_str);
        findings.error_hint(
            name.span,
            Code::UnknownName,
            format!("there is no disposition `{}`", crate::campaign::decode::shortened(&name.value)),
            expect::one_of(&name.value, known),
        );
        None
    }
}
