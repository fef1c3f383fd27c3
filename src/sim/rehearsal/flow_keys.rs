//! What somebody presses in a flow who means yes, or no: the shortest way to a step that says so.

use std::collections::{BTreeSet, VecDeque};

use crate::campaign::{Campaign, Flow, FlowEnd, Key, Step, StepIx};
use crate::contact::{ContactKind, OutcomeKind};

/// Keys from the first step on. `None` where the flow has no such way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowKeys {
    pub yes: Option<Vec<char>>,
    pub no: Option<Vec<char>>,
}

impl FlowKeys {
    /// A yes is a success, else a transfer to people; a no is a failure.
    pub fn of(campaign: &Campaign) -> Self {
        let Some(flow) = &campaign.flow else { return Self::default() };
        let meant = |step: &Step, outcome: OutcomeKind| {
            let meaning = step.disposition.as_ref().and_then(|name| campaign.dispositions.get(name));
            meaning.is_some_and(|meaning| meaning.outcome == outcome && meaning.contact == ContactKind::RightParty)
        };
        let handed_over = |step: &Step| matches!(step.then, Some(FlowEnd::Transfer { .. }));
        Self {
            yes: way_to(flow, |step| meant(step, OutcomeKind::Success)).or_else(|| way_to(flow, handed_over)),
            no: way_to(flow, |step| meant(step, OutcomeKind::Failure)),
        }
    }
}

/// Breadth first: a step is looked at once.
fn way_to(flow: &Flow, wanted: impl Fn(&Step) -> bool) -> Option<Vec<char>> {
    let mut open = VecDeque::from([(flow.start, Vec::new())]);
    let mut seen: BTreeSet<StepIx> = BTreeSet::from([flow.start]);
    while let Some((at, keys)) = open.pop_front() {
        let Some(step) = flow.steps.get(usize::from(at.0)) else { continue };
        if wanted(step) {
            return Some(keys);
        }
        for (key, to) in &step.on {
            let pressed = match key {
                Key::Digits(digits) => digits.chars().collect(),
                Key::Timeout => Vec::new(),
                Key::Failed => continue,
            };
            if seen.insert(*to) {
                open.push_back((*to, [keys.clone(), pressed].concat()));
            }
        }
    }
    None
}
