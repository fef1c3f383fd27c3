//! Tells an engine everything again, and holds what it decides now against what was decided then.

use std::fmt;
use std::sync::Arc;

use crate::base::{CampaignIx, Diagnostic, Now, Wall};
use crate::campaign::{Campaign, Folder, Plan, load};
use crate::engine::{Engine, Input};

use super::decisions::{Decisions, Notes};
use super::{Entry, Recorded};

/// Fed with every entry of a journal in order, until one says that something differs.
#[derive(Debug, Default)]
pub struct Replay {
    engine: Option<Engine>,
    /// Instead of the files of the journal.
    rules: Option<Plan>,
    plan: Plan,
    inputs: u64,
    decisions: u64,
    version: String,
    ended: Option<String>,
}

#[derive(Debug)]
pub enum ReplayError {
    /// The files in the journal do not load in this version of the program.
    Plan(Vec<Diagnostic>),
    Differs(Box<Difference>),
}

/// The first input after which the two runs are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// From 1.
    pub input: u64,
    pub kind: &'static str,
    pub at: Wall,
    /// Position of the first other decision after that input, from 1. Without one only counts differ.
    pub decision: Option<usize>,
    /// `None`: nothing more was decided.
    pub expected: Option<String>,
    pub got: Option<String>,
}

impl Replay {
    /// `rules`: a plan to be used instead of each that the journal brings.
    pub fn new(rules: Option<Plan>) -> Self {
        Self { rules, ..Self::default() }
    }

    pub fn feed(&mut self, entry: Entry) -> Result<(), ReplayError> {
        match entry {
            Entry::Head { version, began, config } => {
                self.version = version;
                self.engine = Some(Engine::new(began, config));
                Ok(())
            }
            Entry::Files(folder) => self.take_files(&folder),
            Entry::Input { now, input, followed } => self.tell(now, input, &followed),
            Entry::End { why } => {
                self.ended = Some(why);
                Ok(())
            }
        }
    }

    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Requests to the store and commands to legs, all as they were.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Of the program that wrote it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Why it ends where it ends; `None` before the end.
    pub fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    fn take_files(&mut self, folder: &Folder) -> Result<(), ReplayError> {
        if self.rules.is_none() {
            self.plan = load(folder).map_err(ReplayError::Plan)?;
        }
        Ok(())
    }

    fn tell(&mut self, now: Now, recorded: Recorded, followed: &Decisions) -> Result<(), ReplayError> {
        self.inputs += 1;
        let kind = recorded.as_str();
        let input = match recorded {
            Recorded::Plan(places) => self.plan(&places),
            Recorded::Input(input) => input,
        };
        let Some(engine) = &mut self.engine else { return Ok(()) };
        engine.handle(now, input);
        let mut notes = Notes::default();
        while let Some(output) = engine.poll_output() {
            notes.note(&output);
        }
        let got = notes.take();
        if got == *followed {
            self.decisions += got.lines.len() as u64;
            return Ok(());
        }
        Err(ReplayError::Differs(Box::new(first_difference(self.inputs, kind, now.wall, followed, &got))))
    }

    /// A campaign that the rules do not have is not in the plan any more.
    fn plan(&self, places: &[(CampaignIx, String)]) -> Input {
        let plan = self.rules.as_ref().unwrap_or(&self.plan);
        let named = |name: &str| plan.campaigns.iter().find(|campaign| campaign.name == name);
        let place = |(ix, name): &(CampaignIx, String)| Some((*ix, Arc::clone(named(name)?)));
        let campaigns: Vec<(CampaignIx, Arc<Campaign>)> = places.iter().filter_map(place).collect();
        Input::Plan(campaigns, plan.zones.clone())
    }
}

fn first_difference(input: u64, kind: &'static str, at: Wall, expected: &Decisions, got: &Decisions) -> Difference {
    let longest = expected.lines.len().max(got.lines.len());
    let nth = (0..longest).find(|nth| expected.lines.get(*nth) != got.lines.get(*nth));
    let line = |of: &Decisions| nth.and_then(|nth| of.lines.get(nth)).cloned();
    Difference { input, kind, at, decision: nth.map(|nth| nth + 1), expected: line(expected), got: line(got) }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input {}, {}, at {}: ", self.input, self.kind, self.at)?;
        let Some(nth) = self.decision else {
            return f.write_str("the decisions are the same, but what was counted differs");
        };
        let nothing = "nothing more";
        let (expected, got) = (self.expected.as_deref().unwrap_or(nothing), self.got.as_deref().unwrap_or(nothing));
        write!(f, "decision {nth}\n  expected  {expected}\n  got       {got}")
    }
}
