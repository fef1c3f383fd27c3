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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::civil::{Weekday, date};

    use super::*;
    use crate::base::{SourceText, render};
    use crate::campaign::decode::parse;

    fn shipped(name: &str) -> Calendar {
        let path = format!("{}/campaigns/calendars/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let source = Arc::new(SourceText { name: name.to_owned(), text: std::fs::read_to_string(path).unwrap() });
        let mut findings = Findings::new(&source);
        let read = parse(&source, &mut findings).and_then(|root| calendar(&root, &mut findings));
        read.unwrap_or_else(|| panic!("{}", render(&findings.into_list())))
    }

    fn holidays_of(calendar: &Calendar) -> BTreeSet<Date> {
        calendar.days.iter().filter(|(_, kind)| **kind == DayKind::Holiday).map(|(day, _)| *day).collect()
    }

    /// The third Monday of January: `nth(2026, 1, 3, Monday)`; -1 is the last.
    fn nth(year: i16, month: i8, nth: i8, weekday: Weekday) -> Date {
        date(year, month, 1).nth_weekday_of_month(nth, weekday).unwrap()
    }

    fn after(day: Date, days: i64) -> Date {
        day.checked_add(jiff::Span::new().days(days)).unwrap()
    }

    /// The Gregorian rule, as Meeus, Jones and Butcher wrote it.
    fn easter(year: i16) -> Date {
        let year = i32::from(year);
        let (golden, century, of_century) = (year % 19, year / 100, year % 100);
        let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
        let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
        let days = epact + weekday - 7 * ((golden + 11 * epact + 22 * weekday) / 451) + 114;
        date(year as i16, (days / 31) as i8, (days % 31 + 1) as i8)
    }

    /// `expected` of each published year, and nothing else.
    fn holds(name: &str, expected: impl Fn(i16) -> Vec<Date>) {
        let calendar = shipped(name);
        let years = &calendar.years;
        let last = years.last().copied().unwrap();
        // A holiday of the next year may be observed in this one.
        let wanted: BTreeSet<Date> = years.iter().copied().chain([last + 1]).flat_map(expected).collect();
        let wanted: BTreeSet<Date> = wanted.into_iter().filter(|day| years.contains(&day.year())).collect();
        assert_eq!(holidays_of(&calendar), wanted, "{name}");
        assert!(years.contains(&2026), "{name}");
    }

    #[test]
    fn federal_holidays_of_the_united_states_follow_the_statute() {
        holds("us", |year| {
            let fixed = [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)].map(|(month, day)| date(year, month, day));
            let to_friday = |day: Date| i64::from(day.weekday() == Weekday::Saturday);
            let to_monday = |day: Date| i64::from(day.weekday() == Weekday::Sunday);
            let observed = fixed.map(|day| after(day, to_monday(day) - to_friday(day)));
            let moving = [
                nth(year, 1, 3, Weekday::Monday),
                nth(year, 2, 3, Weekday::Monday),
                nth(year, 5, -1, Weekday::Monday),
                nth(year, 9, 1, Weekday::Monday),
                nth(year, 10, 2, Weekday::Monday),
                nth(year, 11, 4, Weekday::Thursday),
            ];
            [fixed.as_slice(), &observed, &moving].concat()
        });
    }

    #[test]
    fn bank_holidays_of_england_and_wales_have_their_days_in_lieu() {
        holds("uk", |year| {
            let is_weekend = |day: Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            let mut days = vec![
                after(easter(year), -2),
                after(easter(year), 1),
                nth(year, 5, 1, Weekday::Monday),
                nth(year, 5, -1, Weekday::Monday),
                nth(year, 8, -1, Weekday::Monday),
            ];
            for day in [date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)] {
                days.push(day);
                if is_weekend(day) {
                    let free = (1..7).map(|n| after(day, n)).find(|d| !is_weekend(*d) && !days.contains(d));
                    days.extend(free);
                }
            }
            days
        });
    }

    #[test]
    fn public_holidays_of_france_follow_easter_and_the_code() {
        holds("fr", |year| {
            let fixed = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
            let moving = [1, 39, 50].map(|days| after(easter(year), days));
            fixed.map(|(month, day)| date(year, month, day)).into_iter().chain(moving).collect()
        });
    }

    #[test]
    fn china_works_on_weekends_in_place_of_holidays_and_nothing_is_known_of_2027() {
        let calendar = shipped("cn-mainland");
        let count = |year: i16, kind: DayKind| {
            calendar.days.iter().filter(|(day, known)| day.year() == year && **known == kind).count()
        };
        // As the State Council's notices of the three years have it.
        for (year, free, worked) in [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)] {
            assert_eq!((count(year, DayKind::Holiday), count(year, DayKind::Workday)), (free, worked), "{year}");
        }
        let worked = calendar.days.iter().filter(|(_, kind)| **kind == DayKind::Workday);
        for (day, _) in worked {
            assert!(matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday), "{day}");
        }
        assert!(calendar.kind(date(2027, 1, 1)).is_err());
        assert_eq!(calendar.kind(date(2026, 2, 17)), Ok(Some(DayKind::Holiday)));
    }
}
