//! `calling_hours:` and the days of a week.

use crate::base::{Code, Span};
use crate::campaign::decode::{Fields, Findings, Node, Spanned, scalar, unit};
use crate::campaign::{HolidayRule, WeekHours, Window};

#[derive(Clone, Debug, Default)]
pub struct RawHours {
    pub span: Span,
    pub zone: Option<Spanned<RawZone>>,
    pub fallback_zone: Option<Spanned<String>>,
    pub week: RawWeek,
    pub holidays: Option<Spanned<HolidayRule>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawZone {
    Customer,
    /// `any` of a policy: a campaign may name one zone for everybody.
    Any,
    Named(String),
}

/// Days as they were written; Monday first.
#[derive(Clone, Debug, Default)]
pub struct RawWeek {
    pub days: [Option<Vec<Spanned<Window>>>; 7],
    /// A day was unreadable: say nothing about what it lacks.
    pub broken: bool,
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Every way to write days, with the first and the last of them.
const DAYS: [(&str, usize, usize); 28] = [
    ("mon", 0, 0),
    ("tue", 1, 1),
    ("wed", 2, 2),
    ("thu", 3, 3),
    ("fri", 4, 4),
    ("sat", 5, 5),
    ("sun", 6, 6),
    ("mon-tue", 0, 1),
    ("mon-wed", 0, 2),
    ("mon-thu", 0, 3),
    ("mon-fri", 0, 4),
    ("mon-sat", 0, 5),
    ("mon-sun", 0, 6),
    ("tue-wed", 1, 2),
    ("tue-thu", 1, 3),
    ("tue-fri", 1, 4),
    ("tue-sat", 1, 5),
    ("tue-sun", 1, 6),
    ("wed-thu", 2, 3),
    ("wed-fri", 2, 4),
    ("wed-sat", 2, 5),
    ("wed-sun", 2, 6),
    ("thu-fri", 3, 4),
    ("thu-sat", 3, 5),
    ("thu-sun", 3, 6),
    ("fri-sat", 4, 5),
    ("fri-sun", 4, 6),
    ("sat-sun", 5, 6),
];

impl RawWeek {
    pub fn is_empty(&self) -> bool {
        self.days.iter().all(Option::is_none)
    }

    /// Names of the days that nothing was said about.
    pub fn silent_days(&self) -> Vec<&'static str> {
        self.days.iter().zip(NAMES).filter(|(day, _)| day.is_none()).map(|(_, name)| name).collect()
    }

    pub fn hours(&self) -> WeekHours {
        let mut days: [Vec<Window>; 7] = Default::default();
        for (out, day) in days.iter_mut().zip(&self.days) {
            *out = day.iter().flatten().map(|window| window.value).collect();
        }
        WeekHours::new(days)
    }

    /// Takes the day keys out of a section.
    pub fn read(fields: &mut Fields<'_>, findings: &mut Findings) -> Self {
        let mut week = Self::default();
        for (key, first, last) in DAYS {
            let Some(node) = fields.take(key) else { continue };
            let Some(windows) = windows(node, findings) else {
                week.broken = true;
                continue;
            };
            for (name, day) in NAMES.iter().zip(&mut week.days).take(last + 1).skip(first) {
                if day.is_some() {
                    findings.error(node.span, Code::Contradiction, format!("`{name}` is given twice"));
                }
                *day = Some(windows.clone());
            }
        }
        week
    }

    /// The same windows on every day.
    pub fn every_day(windows: &[Spanned<Window>]) -> Self {
        let mut week = Self::default();
        for day in &mut week.days {
            *day = Some(windows.to_vec());
        }
        week
    }
}

pub fn day_name(weekday: usize) -> &'static str {
    NAMES.get(weekday).copied().unwrap_or("?")
}

/// More windows than this on one day nobody means.
const MOST_WINDOWS: usize = 24;

pub fn windows(node: &Node, findings: &mut Findings) -> Option<Vec<Spanned<Window>>> {
    let what = "the hours of a day, like [\"09:00-12:00\"] or [],";
    if node.items(what, findings)?.len() > MOST_WINDOWS {
        findings.error(node.span, Code::YamlBounds, format!("more than {MOST_WINDOWS} windows on one day"));
        return None;
    }
    let windows =
        node.list_of(what, findings, |item, findings| unit::window(item, findings).map(|w| item.spanned(w)))?;
    for (at, window) in windows.iter().enumerate() {
        let before = windows.iter().take(at);
        if before.into_iter().any(|other| other.value.from < window.value.to && window.value.from < other.value.to) {
            findings.error(window.span, Code::Contradiction, format!("{} overlaps another window", window.value));
        }
    }
    Some(windows)
}

pub fn calling_hours(node: &Node, findings: &mut Findings) -> Option<RawHours> {
    let mut fields = node.fields("calling_hours", findings)?;
    let hours = RawHours {
        span: node.span,
        zone: fields.optional("zone", findings, zone),
        fallback_zone: fields.optional("fallback_zone", findings, scalar::text_at),
        week: RawWeek::read(&mut fields, findings),
        holidays: fields.optional("holidays", findings, |node, findings| {
            let words = [("closed", HolidayRule::Closed), ("open", HolidayRule::Open)];
            scalar::one_of(node, "a rule for holidays", &words, &[], findings).map(|rule| node.spanned(rule))
        }),
    };
    fields.finish(findings);
    Some(hours)
}

fn zone(node: &Node, findings: &mut Findings) -> Option<Spanned<RawZone>> {
    let text = scalar::plain_text(node, "a zone", findings)?;
    Some(node.spanned(match text {
        "customer" => RawZone::Customer,
        "any" => RawZone::Any,
        name => RawZone::Named(name.to_owned()),
    }))
}
