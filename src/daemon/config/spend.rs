//! `spend` of a trunk: what calls over it cost, and how much they may cost in a day.

use std::time::Duration;

use crate::base::{Code, Money, Tariff};
use crate::campaign::decode::{Findings, Node, scalar, shortened, unit};
use crate::engine::Spend;

/// Rates are what a careless hand gets wrong: nothing that costs nothing, and no day in which not one call fits.
pub(super) fn spend(node: &Node, findings: &mut Findings) -> Option<Spend> {
    let mut fields = node.fields("spend", findings)?;
    let max_per_day = fields.required("max_per_day", findings, money);
    let per_minute = fields.required("per_minute", findings, money);
    let per_call = fields.optional("per_call", findings, money);
    let steps = unit::duration_in(Duration::from_secs(1)..=Duration::from_hours(1));
    let billed_by = fields.optional("billed_by", findings, |node, findings| {
        let found = steps(node, findings)?;
        if found.subsec_nanos() > 0 {
            findings.error(node.span, Code::BadValue, "carriers bill by whole seconds");
            return None;
        }
        Some(found)
    });
    fields.finish(findings);
    let tariff = Tariff {
        per_minute: per_minute?,
        per_call: per_call.unwrap_or_default(),
        billed_by_s: billed_by.map_or(60, |step| step.as_secs() as u32),
    };
    let max_per_day = max_per_day?;
    let least = tariff.least();
    if least == Money::ZERO {
        let message = "a call that costs nothing never reaches `max_per_day`";
        findings.error_hint(node.span, Code::Contradiction, message, "say what the carrier bills: `per_minute: 0.05`");
        return None;
    }
    if max_per_day < least {
        let message =
            format!("nobody could be called: the shortest call costs {least}, and a day may cost {max_per_day}");
        let hint = "to stop a trunk, use `goldenhour pause --trunk NAME`";
        findings.error_hint(node.span, Code::Contradiction, message, hint);
        return None;
    }
    Some(Spend { max_per_day, tariff })
}

/// In quotes or without: it is read as a decimal, never as a floating number.
fn money(node: &Node, findings: &mut Findings) -> Option<Money> {
    let scalar = node.scalar("an amount of money", findings)?;
    if scalar::is_ambiguous(scalar) {
        scalar::report_ambiguous(scalar, node.span, findings);
        return None;
    }
    let found = Money::parse(&scalar.text);
    if found.is_none() {
        let message = format!("`{}` is not an amount of money", shortened(&scalar.text));
        let hint = "digits and a point, at most six digits behind it, without a currency: 2000.00, 0.0125";
        findings.error_hint(node.span, Code::BadValue, message, hint);
    }
    found
}
