//! The same engine in a simulated world: people, carrier, clocks and a store that can crash between any two steps.

mod bill;
mod carrier;
mod clock;
#[cfg(test)]
mod day;
pub mod golden;
mod model_erase;
mod model_import;
mod model_store;
mod population;
mod refusal;
mod rehearsal;
mod scenario;
mod witness;
mod world;

pub use carrier::Carrier;
pub use clock::SimClock;
pub use model_erase::ModelErased;
pub use model_import::{ModelCounts, ModelList};
pub use model_store::{Fault, ModelAttempt, ModelDnc, ModelError, ModelStore, ModelSubject};
pub use population::{Behaviour, Kind, Person, Population};
pub use refusal::{Refusal, refusal_of, rings};
pub use rehearsal::{
    Answers, AttemptRecord, Capacity, Card, Curves, HourFigures, Leads, Record, Rehearsal, Roster, RosterMistake,
    RunFigures, SegmentFigures, Setting, Spread, Verdict,
};
pub use scenario::{Draft, Scenario};
pub use witness::Violation;
pub use world::{Report, World};
