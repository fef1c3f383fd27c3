//! `calendars/NAME.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, NodeKind, scalar, shortened, unit};
use crate::campaign::{Calendar, DayKind};

/// A year has no more; a period that is longer is a slip.
const LONGEST_PERIOD: usize = 60;

pub fn calendar(root: &Node, findings: &mut Findings) -> Option<Calendar> {
    let mut fields = root.fields("a calendar", findings)?;
    fields.take("schema");
    let name = fields.required("calendar", findings, scalar::name);
    let version = fields.required("version", findings, |node, findings| {
        scalar::u32_from(1..=1_000_000)(node, findings).map(|version| version.to_string())
    });
    fields.optional("title", findings, scalar::text_some);
    fields.optional("sources", findings, |node, findings| node.list_of("sources", findings, scalar::text_some));
    let years: Option<BTreeSet<i16>> = fields
        .required("years", findings, |node, findings| node.list_of("years", findings, scalar::u16_from(2000..=2100)))
        .map(|years| years.into_iter().map(|year| year as i16).collect());
    let holidays = fields.required("holidays", findings, days);
    let workdays = fields.optional("workdays", findings, days).unwrap_or_default();
    fields.finish(findings);

    let (years, holidays) = (years?, holidays?);
    let mut all = BTreeMap::new();
    let kinds =
        holidays.into_iter().map(|d| (d, DayKind::Holiday)).chain(workdays.into_iter().map(|d| (d, DayKind::Workday)));
    for ((day, span), kind) in kinds {
        if !years.contains(&day.year()) {
            findings.error(span, Code::Contradiction, format!("{day} is in no year that `years` declares published"));
        }
        if all.insert(day, kind).is_some() {
            findings.error(span, Code::Contradiction, format!("{day} stands twice"));
        }
    }
    Some(Calendar { name: name?, version: version?, years, days: all })
}

type Day = (Date, crate::base::Span);

/// A list of days and periods, or a map from a name to such a list: `spring festival: ["2026-02-15..2026-02-23"]`.
fn days(node: &Node, findings: &mut Findings) -> Option<Vec<Day>> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return day_list(node, findings);
    }
    let mut all = Vec::new();
    for entry in node.entries("days by name", findings)? {
        all.extend(day_list(&entry.value, findings)?);
    }
    Some(all)
}

fn day_list(node: &Node, findings: &mut Findings) -> Option<Vec<Day>> {
    let periods = node.list_of("a list of days", findings, |item, findings| {
        period(item, findings).map(|days| days.into_iter().map(|day| (day, item.span)).collect::<Vec<_>>())
    })?;
    Some(periods.into_iter().flatten().collect())
}

fn period(node: &Node, findings: &mut Findings) -> Option<Vec<Date>> {
    let text = scalar::plain_text(node, "a day", findings)?;
    let (from, until) = text.split_once("..").unwrap_or((text, text));
    let ends = unit::parse_date(from).zip(unit::parse_date(until)).filter(|(from, until)| from <= until);
    let days: Option<Vec<Date>> = ends.map(|(from, until)| {
        from.series(jiff::Span::new().days(1)).take_while(|day| *day <= until).take(LONGEST_PERIOD + 1).collect()
    });
    match days {
        Some(days) if days.len() <= LONGEST_PERIOD => Some(days),
        _ => {
            let message = format!("`{}` is neither a day nor a period", shortened(text));
            findings.error_hint(
                node.span,
                Code::BadValue,
                message,
                "\"2026-05-01\", or both ends of it: \"2026-05-01..2026-05-05\"",
            );
            None
        }
    }
}
