//! Tests of campaigns, on the engine's own path: a real engine takes the plan, the ledgers and one lead, and decides.
//!
//! A past is lived through first, by an engine of its own, because a lead's state after an attempt is what the retry
//! rules make of it. What it leaves (ledgers, state, next phone) goes to a second engine in the way in which a daemon
//! that starts reads its store. No rule is written down here a second time.

mod coverage;
mod judge;
mod past;
mod question;
mod stage;
#[cfg(test)]
mod tests;

use crate::base::Span;
use crate::campaign::decode::Spanned;
use crate::campaign::{Rule, TestSet};
use crate::contact::{CallResult, Zones};

pub use coverage::{Coverage, Tally};

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub name: Spanned<String>,
    /// Empty: it passed.
    pub failures: Vec<Mismatch>,
    /// Rules that were expected to say no, and did.
    pub blocked: Vec<Rule>,
    pub segment: Option<String>,
    /// Of the call that was made.
    pub result: Option<CallResult>,
}

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub span: Span,
    pub expected: String,
    pub got: String,
    /// Every reason of the verdict, one each.
    pub verdict: Vec<String>,
}

/// Runs the tests of one file, in their order. `zones` are the plan's.
pub fn try_set(set: &TestSet, zones: &Zones) -> Vec<Trial> {
    let campaign = set.subject.campaign();
    set.cases.iter().map(|case| judge::judge(case, &question::ask(campaign, zones, case))).collect()
}
