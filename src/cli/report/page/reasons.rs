//! Why leads are not being called at this moment.

use crate::cli::ahead::thousands;

use super::{Part, Picture, Section, Table, head};
use crate::cli::report::draw;
use crate::cli::report::figures::{Chapter, Reason, Reasons, Report};

pub(super) fn reasons(report: &Report) -> Section {
    let all = &report.all.reasons;
    let how = "Every lead once, at the moment of this report, under the first thing that keeps it from being called, as \
               “goldenhour plan” says. Blocked: time alone will not help. Later: it will. Closed: nobody calls again.";
    let mut parts = vec![];
    if all.loaded == 0 {
        parts.push(Part::Note("No list was loaded yet.".to_owned()));
    } else {
        let title = format!("Leads by what keeps them from being called, n = {}", thousands(all.loaded));
        parts.push(Part::Picture(Picture::new(&title, draw::reasons("reasons-p", all))));
    }
    let rows: Vec<_> =
        report.campaigns.iter().map(|chapter: &Chapter| row(&head::name(chapter), &chapter.reasons)).collect();
    if rows.len() > 1 {
        let head = ["Campaign", "Loaded", "Free to be dialled now", "Later", "Blocked", "Closed"];
        let table = Table::new("The same by campaign", &[0], &head, rows).with_sum(Some(row("All", all)));
        parts.push(Part::Table(table));
    }
    Section::new("reasons", "Why leads are not called", how, parts)
}

fn row(name: &str, reasons: &Reasons) -> Vec<String> {
    let sum = |some: &[Reason]| thousands(some.iter().map(|reason| reason.leads).sum());
    vec![
        name.to_owned(),
        thousands(reasons.loaded),
        thousands(reasons.dialable_now),
        sum(&reasons.later),
        sum(&reasons.blocked),
        sum(&reasons.closed),
    ]
}
