//! How far each version of a list was worked.

use crate::cli::ahead::thousands;

use super::{Part, Section, Table};
use crate::cli::report::draw::numbers::{of, share};
use crate::cli::report::figures::{Penetration, Report};

pub(super) fn lists(report: &Report) -> Section {
    let row = |list: &Penetration| {
        let closed: Vec<String> =
            list.closed.iter().map(|(why, n)| format!("{} {}", why.replace('_', " "), thousands(*n))).collect();
        vec![
            format!("{}\n{}, version {}", list.list, list.campaign, list.version),
            list.loaded_at.clone(),
            thousands(list.leads),
            format!("{}\n{}", share(list.tried.hits, list.tried.of), of(&list.tried)),
            thousands(list.right_party.hits),
            thousands(list.success.hits),
            thousands(list.open),
            format!("{}\n{}", thousands(list.closed_in_all), closed.join(", ")),
        ]
    };
    let rows = report.lists.iter().map(row).collect();
    let head = ["List", "Loaded", "Leads", "Tried", "Right party", "Success", "Open", "Closed, by why"];
    let how = "Tried: dialled at least once in the period. A lead belongs to the newest list that names it, so older versions \
               keep only those whom newer ones left out. Open and closed are as of the moment of this report.";
    let parts = vec![Part::Table(Table::new("Leads by list", &[0, 1, 7], &head, rows))];
    Section::new("penetration", "How far the lists were worked", how, parts)
}
