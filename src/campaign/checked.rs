//! A campaign after all checks: complete, consistent, defaults and policy filled in. Nothing here can be invalid.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use crate::base::{Diagnostic, SourceText, Span};
use crate::contact::{CallResult, Meaning, Zones};

use super::{
    Arm, Attempts, Calendar, CallingHours, Cap, Condition, Experiment, Flow, Goal, GoldenHours, ListMap, Policy, Rank,
    RankBy, RetryRule, Simulate, TestSet,
};

/// All campaigns of one folder, checked together and swapped together.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Sorted by name.
    pub campaigns: Vec<Arc<Campaign>>,
    /// The zones that campaigns name; the engine interns those of leads into its own copy.
    pub zones: Zones,
    /// Of `list.model.dir`, by campaign: the shell has the disk, and can look whether they are there.
    pub models: Vec<NamedModel>,
    /// Of campaigns and of policy packs, by file; `goldenhour test` runs them.
    pub tests: Vec<TestSet>,
    /// Warnings of the load; errors have no plan.
    pub warnings: Vec<Diagnostic>,
}

/// The folder of a model as a campaign's file names it, relative to the campaigns folder.
#[derive(Clone, Debug)]
pub struct NamedModel {
    pub dir: String,
    pub source: Arc<SourceText>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Campaign {
    pub name: String,
    pub title: String,
    pub scenario: Scenario,
    pub purpose: Purpose,
    pub owner: String,
    pub status: Status,
    pub run: RunDates,
    pub policy: Arc<Policy>,
    pub calendar: Option<Arc<Calendar>>,
    pub consent: ConsentRule,
    pub list: ListMap,
    /// All of them must hold.
    pub eligible: Vec<Condition>,
    /// First match wins. A lead that matches none is not eligible.
    pub segments: Vec<Segment>,
    pub rank: Rank,
    pub calling_hours: CallingHours,
    pub golden_hours: GoldenHours,
    pub pacing: Pacing,
    pub attempts: Attempts,
    pub retry: BTreeMap<CallResult, RetryRule>,
    /// The policy's and the campaign's own.
    pub caps: Vec<Cap>,
    /// Pool name; `None` uses all numbers of the trunk.
    pub caller_id_pool: Option<String>,
    pub trunk: TrunkUse,
    pub agents: Option<AgentsUse>,
    /// What agents say: text per segment name, `default` for the rest.
    pub scripts: BTreeMap<String, Arc<str>>,
    pub flow: Option<Arc<Flow>>,
    pub dispositions: BTreeMap<String, Meaning>,
    pub experiment: Option<Experiment>,
    pub goals: Vec<Goal>,
    pub simulate: Simulate,
    /// SHA-256 of the file, hex: the campaign's version in every outcome.
    pub hash: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    Issuance,
    Activation,
    Spending,
    Installments,
    Collections,
    Retention,
    Revisit,
}

/// Chooses which policies are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    Marketing,
    Service,
    Collection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Draft,
    Active,
    Paused,
    Archived,
}

/// Whole days in `fallback_zone` (UTC without one), both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunDates {
    pub from: Option<Date>,
    pub until: Option<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentRule {
    /// Only with an explicit yes in the list.
    Required,
    /// Anything but an explicit no.
    NotRefused,
}

#[derive(Clone, Debug)]
pub struct Segment {
    pub name: String,
    pub when: Condition,
    pub attempts_max: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pacing {
    pub mode: PacingMode,
    pub ring: Duration,
    pub max_call_duration: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacingMode {
    /// As fast as lines allow: the flow answers.
    Agentless,
    /// One dial per free agent or free seat.
    Progressive,
}

/// `trunk: { group: gw-a, max_calls: 60, max_cps: 5 }`: the campaign's own share, below the trunk's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkUse {
    /// A trunk of the daemon's configuration; `None` takes the only one there is.
    pub group: Option<String>,
    pub max_calls: Option<u32>,
    pub max_cps: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentsUse {
    pub queue: String,
    pub wrap_up: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            mode: PacingMode::Progressive,
            ring: Duration::from_secs(30),
            max_call_duration: Duration::from_mins(10),
        }
    }
}

impl AgentsUse {
    pub const DEFAULT_WRAP_UP: Duration = Duration::from_secs(30);
}

impl Campaign {
    /// Does the other version judge leads as this one does? Then what was found out about them still holds. Flow, scripts
    /// and dispositions judge nobody.
    pub fn judges_as(&self, other: &Self) -> bool {
        self.hash == other.hash && self.policy.hash == other.policy.hash && self.calendar == other.calendar
    }

    /// What agents say to customers of a segment and of an arm: the arm's own script goes before.
    pub fn script<'a>(&'a self, segment: &str, arm: Option<&'a Arm>) -> Option<&'a Arc<str>> {
        let own = arm.and_then(|arm| arm.script.as_ref());
        own.or_else(|| self.scripts.get(segment)).or_else(|| self.scripts.get("default"))
    }

    pub fn segment(&self, ix: u8) -> Option<&Segment> {
        self.segments.get(usize::from(ix))
    }
}

macro_rules! spelled {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

spelled!(Scenario {
    Issuance = "issuance",
    Activation = "activation",
    Spending = "spending",
    Installments = "installments",
    Collections = "collections",
    Retention = "retention",
    Revisit = "revisit",
});
spelled!(Purpose { Marketing = "marketing", Service = "service", Collection = "collection" });
spelled!(Status { Draft = "draft", Active = "active", Paused = "paused", Archived = "archived" });
spelled!(RankBy { Score = "score", ExpectedValue = "expected_value" });
spelled!(PacingMode { Agentless = "agentless", Progressive = "progressive" });
