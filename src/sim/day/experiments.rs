//! Who is held out is never called, whatever happens; the others are.

use super::{Day, row};
use crate::base::{CampaignIx, LeadId};

const EXPERIMENT: &str = "experiment:\n  id: e1\n  arms: { champion: { share: 50% }, nobody: { share: 50%, call: never } }\n  \
     success: accepted\nattempts: { max: 3, max_per_day: 1 }\n";

/// Phones of customers who are held out, and of the others. Each customer has one.
fn arms(day: &Day) -> (Vec<u32>, Vec<u32>) {
    let experiment = day.plan.campaigns[0].experiment.clone().unwrap();
    let is_out = |lead: &crate::engine::LeadRow| experiment.arm(experiment.arm_of(lead.split)).unwrap().held_out;
    let leads = day.store.leads(CampaignIx(0), LeadId(0), usize::MAX);
    let (out, called): (Vec<_>, Vec<_>) = leads.iter().partition(|lead| is_out(lead));
    let phones = |leads: Vec<&crate::engine::LeadRow>| leads.iter().map(|lead| lead.phones[0].phone.0).collect();
    (phones(out), phones(called))
}

#[test]
fn nobody_who_is_held_out_is_ever_called_and_everybody_else_is() {
    let rows: Vec<_> = (1..=40).map(|n| row(n, &[n])).collect();
    let mut day = Day::new(EXPERIMENT, &rows, "2026-12-01T10:00:00+08:00");
    let (held_out, called) = arms(&day);
    assert!(held_out.len() > 8 && called.len() > 8, "{} {}", held_out.len(), called.len());
    day.until("2026-12-01T19:00:00+08:00");
    day.restart();
    day.until("2026-12-04T19:00:00+08:00");
    let mut dialled: Vec<u32> = day.dialled().into_iter().map(|(_, phone)| phone).collect();
    dialled.sort_unstable();
    dialled.dedup();
    assert_eq!(dialled, called);
    assert!(held_out.iter().all(|phone| !dialled.contains(phone)));
}
