//! Where every lead stands at this moment, as bars by reason.

use crate::cli::ahead::thousands;

use super::bars::{Bar, bars};
use super::numbers::share;
use crate::cli::report::figures::{Reason, Reasons, ResultCount};

pub fn reasons(id: &str, reasons: &Reasons) -> String {
    let line = |group: &str, class| {
        let group = group.to_owned();
        move |reason: &Reason| Bar {
            name: format!("{group}: {}", reason.says),
            value: reason.leads,
            figures: figures(reason.leads, reasons.loaded),
            class,
        }
    };
    let now = Bar {
        name: "free to be dialled now".to_owned(),
        value: reasons.dialable_now,
        figures: figures(reasons.dialable_now, reasons.loaded),
        class: "bar",
    };
    let closed = reasons.closed.iter().map(line("closed", "bar light"));
    let blocked = reasons.blocked.iter().map(line("blocked", "bar hatch"));
    let later = reasons.later.iter().map(line("later", "outline"));
    let all: Vec<Bar> = std::iter::once(now).chain(later).chain(blocked).chain(closed).collect();
    let says: Vec<String> = all.iter().map(|bar| format!("{}: {}", bar.name, bar.value)).collect();
    bars(id, "Leads by what keeps them from being called", &says.join("; "), &all)
}

pub fn results(id: &str, results: &[ResultCount]) -> String {
    let all: u64 = results.iter().map(|line| line.attempts).sum();
    let bar = |line: &ResultCount| Bar {
        name: line.says.to_owned(),
        value: line.attempts,
        figures: figures(line.attempts, all),
        class: "bar",
    };
    let lines: Vec<Bar> = results.iter().map(bar).collect();
    let says: Vec<String> = lines.iter().map(|bar| format!("{}: {}", bar.name, bar.value)).collect();
    bars(id, "Attempts by call result", &says.join("; "), &lines)
}

fn figures(part: u64, whole: u64) -> String {
    format!("{}  ({})", thousands(part), share(part, whole))
}
