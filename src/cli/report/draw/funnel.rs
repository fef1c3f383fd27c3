//! The funnel: how many leads came to each step, and which share of the step before.

use crate::cli::ahead::thousands;

use super::bars::{Bar, bars};
use super::numbers::share;
use crate::cli::report::figures::Funnel;

pub fn funnel(id: &str, funnel: &Funnel) -> String {
    let steps = funnel.steps();
    let before = std::iter::once(funnel.loaded).chain(steps.iter().map(|(_, count)| *count));
    let bar = |((name, count), before): (&(&str, u64), u64)| Bar {
        name: (*name).to_owned(),
        value: *count,
        figures: if *name == "Loaded" {
            thousands(*count)
        } else {
            format!("{}  ({} of the step before)", thousands(*count), share(*count, before))
        },
        class: "bar",
    };
    let all: Vec<Bar> = steps.iter().zip(before).map(bar).collect();
    let says: Vec<String> = steps.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    bars(id, "Leads by the step that they came to", &says.join(", "), &all)
}
