//! The top of the page: what it is about, and the figures that are asked for first.

use crate::cli::ahead::thousands;

use super::Key;
use crate::cli::report::draw::numbers::{interval, maybe_span, of, rate, share, span};
use crate::cli::report::figures::{Chapter, Report};

pub(super) fn title(report: &Report) -> String {
    match report.campaigns.as_slice() {
        [one] => format!("Calling report: {}", name(one)),
        _several => "Calling report".to_owned(),
    }
}

/// Its title, or its name where it has none.
pub(super) fn name(chapter: &Chapter) -> String {
    if chapter.title.is_empty() { chapter.campaign.clone() } else { chapter.title.clone() }
}

pub(super) fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let names: Vec<String> = report.campaigns.iter().map(name).collect();
    let period = match (&report.from, &report.until) {
        (None, None) => "everything up to the moment of this report".to_owned(),
        (Some(from), None) => format!("from {from} to the moment of this report"),
        (None, Some(until)) => format!("up to {until}, that day included"),
        (Some(from), Some(until)) => format!("{from} to {until}, both days included"),
    };
    let dials = match (&report.first_dial, &report.last_dial) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        (None, _) | (_, None) => "none".to_owned(),
    };
    let mut facts = vec![
        ("Campaigns", if names.is_empty() { "none".to_owned() } else { names.join("; ") }),
        ("Period", period),
        ("Dials", dials),
        ("Made", report.made_at.clone()),
        ("Clock", format!("{}; hours of the week are on the clock of whoever was called", report.zone)),
    ];
    if report.left_out > 0 {
        let what = format!("{} attempts of campaigns that have no file any more", thousands(report.left_out));
        facts.push(("Left out", what));
    }
    if report.trial_clock {
        let what = "calls were made while the clock ran at a rate of its own (goldenhour demo, --clock-rate), so nobody can \
                    tell how long they took";
        facts.push(("Trial", what.to_owned()));
    }
    facts
}

pub(super) fn keys(report: &Report) -> Vec<Key> {
    let (group, funnel) = (&report.all.group, &report.all.funnel);
    let rated = |of_what: &crate::cli::report::figures::Rate, name| Key {
        value: rate(of_what),
        name,
        more: format!("{} ({})", of(of_what), interval(of_what)).replace(" ()", ""),
    };
    vec![
        Key { value: thousands(group.dialled), name: "dials", more: format!("to {} leads", thousands(funnel.dialled)) },
        Key {
            value: share(funnel.dialled, funnel.loaded),
            name: "of the leads dialled",
            more: format!("{} of {}", thousands(funnel.dialled), thousands(funnel.loaded)),
        },
        rated(&group.answered, "of dials answered"),
        rated(&group.right_party, "of dials reached the customer"),
        rated(&group.success, "of customers reached: success"),
        Key {
            value: maybe_span(group.talk_s),
            name: "talk time",
            more: group.talk_s.map_or_else(
                || "the clock of a trial cannot tell".to_owned(),
                |talk_s| format!("{} per answered call", span(talk_s / group.answered.hits.max(1))),
            ),
        },
    ]
}
