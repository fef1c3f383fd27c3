//! Campaigns as code: YAML in, a checked `Campaign` out, with every mistake shown at its place.

mod attempts;
mod calendar;
mod caps;
mod check;
mod checked;
mod condition;
pub mod decode;
pub(crate) mod experiment;
mod expression;
mod flow;
mod folder;
mod goals;
mod golden;
mod hours;
mod list;
mod load;
mod policy;
mod prompt;
mod rank;
mod read;
mod rule;
pub mod schema;
mod source;
#[cfg(test)]
pub mod testing;
mod tests_case;
mod tests_expect;
mod tests_moment;

pub use attempts::{Attempts, Daypart, RetryRule, Spread};
pub use calendar::{Calendar, DayKind, UnpublishedYear};
pub use caps::{Cap, CapOrigin, CapPer, CapRule, QuietAfter};
pub use checked::{
    AgentsUse, Campaign, ConsentRule, NamedModel, Pacing, PacingMode, Plan, Purpose, RunDates, Scenario, Segment,
    Status, TrunkUse,
};
pub use condition::{Condition, Figures, Truth};
pub use experiment::{Arm, ArmIx, Experiment};
pub use expression::{Kind, Mistake, Vocabulary};
pub use flow::{Collect, Flow, FlowEnd, Key, Promise, Step, StepIx};
pub use folder::{Folder, KnownNames};
pub use goals::{Compare, Figure, Flaw, Goal, Requirement, Simulate, Unit};
pub use golden::{GoldenHours, GoldenMode, Learn};
pub use hours::{CallingHours, HolidayRule, Minute, WeekHours, Window, ZoneRule};
pub use list::{ColumnKind, ColumnSpec, ListMap, RefuseIf, ScoreBy};
pub use load::load;
pub use policy::Policy;
pub use prompt::Prompt;
pub use rank::{Rank, RankBy};
pub use rule::Rule;
pub use source::ListSource;
pub use tests_case::{
    Past, PastEvent, Said, TestCall, TestCase, TestCustomer, TestDnc, TestMoment, TestPhone, TestSet, TestSubject, When,
};
pub use tests_expect::{Deferred, Expect};
pub use tests_moment::{MomentError, parse_moment, show_moment};
