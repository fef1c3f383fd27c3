//! Tables of campaigns, of their segments, and of the versions that attempts were decided under.

use crate::cli::ahead::thousands;

use super::{Part, Section, Table, head};
use crate::cli::report::draw::numbers::{maybe_span, stacked};
use crate::cli::report::figures::{Chapter, Group, Report};

const HEAD: [&str; 7] = [
    "",
    "Dials",
    "Answered,\nof dials",
    "Right party,\nof dials",
    "Success,\nof right parties",
    "Talk time",
    "Complaints",
];

pub(super) fn campaigns(report: &Report) -> Section {
    let rows: Vec<_> = report.campaigns.iter().map(|chapter| row(&head::name(chapter), &chapter.group)).collect();
    let sum = (rows.len() > 1).then(|| row("All", &report.all.group));
    let how = "Success is counted of the customers reached, because nobody else was asked. Below a rate what it is of, and its \
               interval of 95 %: where two of them overlap widely, chance may be all the difference.";
    let parts = vec![Part::Table(Table::new("Dials of the period by campaign", &[0], &HEAD, rows).with_sum(sum))];
    Section::new("campaigns", "Campaigns", how, parts)
}

pub(super) fn segments(chapter: &Chapter) -> Section {
    let rows: Vec<_> = chapter.segments.iter().map(|segment| row(&segment.name, segment)).collect();
    let sum = (rows.len() > 1).then(|| row("All", &chapter.group));
    let how = "Segments by their names in the campaign’s file of today, as they were at the dial.";
    let mut parts = vec![Part::Table(Table::new("Dials of the period by segment", &[0], &HEAD, rows).with_sum(sum))];
    if !chapter.reasons.ineligible.is_empty() {
        let rows = chapter.reasons.ineligible.iter().map(|why| vec![why.says.clone(), thousands(why.leads)]).collect();
        parts.push(Part::Table(Table::new(
            "Leads that are not eligible now, by condition",
            &[0],
            &["Condition", "Leads"],
            rows,
        )));
    }
    Section::new(&format!("segments-{}", chapter.campaign), "Segments", how, parts)
}

pub(super) fn versions(report: &Report) -> Section {
    let row = |(chapter, version): (&Chapter, &crate::cli::report::figures::VersionRow)| {
        let current = if version.current { " (in the folder now)" } else { "" };
        let models = if version.models.is_empty() { "–".to_owned() } else { version.models.join(", ") };
        vec![
            head::name(chapter),
            format!("{}{current}", version.version),
            version.policy.clone(),
            models,
            format!("{} to {}", version.first, version.last),
            thousands(version.attempts),
        ]
    };
    let all =
        report.campaigns.iter().flat_map(|chapter| chapter.versions.iter().map(move |version| (chapter, version)));
    let rows = all.map(row).collect();
    let head = ["Campaign", "Version", "Policy", "Model", "First to last dial", "Dials"];
    let how =
        "What the dials were decided under. A version is the SHA-256 of the campaign’s file, its first eight digits.";
    Section::new(
        "versions",
        "Versions",
        how,
        vec![Part::Table(Table::new("Versions of the period", &[0, 1, 2, 3, 4], &head, rows))],
    )
}

fn row(name: &str, group: &Group) -> Vec<String> {
    vec![
        name.to_owned(),
        thousands(group.dialled),
        stacked(&group.answered),
        stacked(&group.right_party),
        stacked(&group.success),
        maybe_span(group.talk_s),
        thousands(group.complaints),
    ]
}
