//! Sections of our YAML files, read into values that still remember their places. Nothing here looks at another section.

mod attempts;
mod calendar;
mod campaign;
mod caps;
mod cases;
mod dispositions;
mod experiment;
mod flow;
mod goals;
mod golden;
mod hours;
mod list;
mod policy;
mod rank;
mod reference;

pub use attempts::{RawAttempts, RawRetry};
pub use calendar::calendar;
pub use campaign::{RawCampaign, RawSegment, campaign};
pub use caps::RawCap;
pub use cases::{RawCase, RawPast, RawSubject, RawTestFile, RawTests, RawWhen, test_file};
pub use dispositions::{DispositionSet, RawDisposition, disposition_set};
pub use experiment::{RawArm, RawExperiment};
pub use flow::{RawEnd, RawFlow, RawStep};
pub use goals::{RUNS_MAX, RawGoals, RawSimulate, SEED_MAX};
pub use golden::RawGolden;
pub use hours::{RawHours, RawWeek, RawZone, day_name};
pub use list::RawList;
pub use policy::policy;
pub use reference::Reference;

/// The kinds of files, by their `schema:` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Campaign,
    Policy,
    Calendar,
    Dispositions,
    Tests,
}

impl Schema {
    pub const ALL: [(&'static str, Self); 5] = [
        ("goldenhour/v1", Self::Campaign),
        ("goldenhour/policy/v1", Self::Policy),
        ("goldenhour/calendar/v1", Self::Calendar),
        ("goldenhour/dispositions/v1", Self::Dispositions),
        ("goldenhour/tests/v1", Self::Tests),
    ];
}
