//! Sections over all campaigns: funnel, call results, attempts per lead, hours.

use crate::cli::ahead::thousands;

use super::{Part, Picture, Section, Table};
use crate::cli::report::draw::{self, numbers};
use crate::cli::report::figures::Report;

pub(super) fn funnel(report: &Report) -> Section {
    let funnel = &report.all.funnel;
    let mut parts =
        vec![Part::Picture(Picture::new("Leads by the step that they came to", draw::funnel("funnel-p", funnel)))];
    let mut before = funnel.loaded;
    let row = |(name, count): (&str, u64)| {
        let of_before = numbers::share(count, before);
        before = count;
        vec![name.to_owned(), thousands(count), numbers::share(count, funnel.loaded), of_before]
    };
    let rows = funnel.steps().into_iter().map(row).collect();
    let head = ["Step", "Leads", "Of those loaded", "Of the step before"];
    parts.push(Part::Table(Table::new("The same in figures", &[0], &head, rows)));
    if funnel.erased > 0 {
        let text = format!(
            "{} of the leads dialled were erased since; they are counted, and nobody can tell who they were.",
            thousands(funnel.erased)
        );
        parts.push(Part::Note(text));
    }
    if report.all.late_successes > 0 {
        let text = format!(
            "{} more successes came by labels on attempts that had not reached the customer; they are in no step.",
            thousands(report.all.late_successes)
        );
        parts.push(Part::Note(text));
    }
    let how = "Each lead is counted once in every step that it came to in the period, so every step is part of the one above. \
               Eligible: not turned away by the campaign’s own conditions or for want of a number. Right party: the customer \
               was reached.";
    Section::new("funnel", "From the list to success", how, parts)
}

pub(super) fn results(report: &Report) -> Section {
    let how = "Every attempt of the period by what the network or the classifier said. Those that were never sent are \
               listed here and counted nowhere else.";
    let all: u64 = report.all.results.iter().map(|line| line.attempts).sum();
    let parts = if all == 0 {
        vec![Part::Note("No attempt was finished in the period.".to_owned())]
    } else {
        let title = format!("Attempts by call result, n = {}", thousands(all));
        vec![Part::Picture(Picture::new(&title, draw::results("results-p", &report.all.results)))]
    };
    Section::new("results", "How the calls ended", how, parts)
}

pub(super) fn tries(report: &Report) -> Section {
    let row = |one: &crate::cli::report::figures::Try| {
        let more = if one.and_more { " and later" } else { "" };
        vec![
            format!("{}{more}", one.attempt_no),
            thousands(one.answered.of),
            numbers::rate(&one.answered),
            numbers::interval(&one.answered),
            numbers::rate(&one.right_party),
            numbers::interval(&one.right_party),
            thousands(one.leads),
        ]
    };
    let rows = report.all.tries.iter().map(row).collect();
    let head =
        ["Attempt", "Dials", "Answered", "95 % interval", "Right party", "95 % interval", "Leads with\nso many dials"];
    let how = "The first dial to a lead, the second, and so on. Rates fall from line to line also because those who answer \
               easily are gone by then: a low rate of the third dial does not say that two would have done.";
    let parts =
        vec![Part::Table(Table::new("Dials by their number, and leads by how many they had", &[0], &head, rows))];
    Section::new("attempts", "Attempts per lead", how, parts)
}

pub(super) fn hours(report: &Report) -> Section {
    let how = "Outlined: dials in this hour of the contact’s own clock, their number above. Filled: those that were answered, \
               their share below the hour.";
    let parts = if report.all.hours.is_empty() {
        vec![Part::Note("Nobody was dialled in the period.".to_owned())]
    } else {
        vec![Part::Picture(Picture::new("Dials and answers by hour", draw::hours("hours-p", &report.all.hours)))]
    };
    Section::new("hours", "When it was dialled", how, parts)
}
