//! The top machine: it decides whom to call when, and sees every attempt through to its outcome.

mod bids;
mod book;
mod config;
mod counted;
mod detour;
mod dialling;
#[expect(clippy::module_inception, reason = "the machine of the room has the room's name")]
mod engine;
mod explore;
mod finish;
mod forecast;
mod heard;
mod input;
mod intake;
mod journal;
mod last_gate;
mod lines;
mod live;
mod replan;
mod room;
mod route;
mod run;
mod slots;
mod spend;
mod standing;
mod store;
mod switches;
#[cfg(test)]
pub mod testing;
mod tick;
mod trial;
mod unwritten;
mod usage;
mod view;

pub use bids::Bid;
pub use config::{EngineConfig, GroupSpec, Member, QueueSpec, Spend, TrunkSpec};
pub use counted::{Counted, FinishedCount, IntentAnswer};
pub use engine::Engine;
pub use forecast::{Blocked, Day, Fate, Forecast, Hour, Later, LeadCard, Outlook, Waterfall};
pub use heard::{Heard, tally_of};
pub use input::{Input, OperatorCommand, Output, Why};
pub use journal::{Decisions, Difference, Entry, JournalError, Reader, Recorded, Recorder, Replay, ReplayError};
pub use last_gate::{AsStored, last_gate, refused};
pub use slots::{SlotCount, SlotLog, SlotRow};
pub use spend::{SpendView, Talked, billed_s};
pub use store::{
    Committed, Context, DncRequest, DncSubject, Epoch, InTrial, Intent, LeadRow, LedgerPage, Marks, Outcome, PhoneRow,
    RecoveredAttempt, StoreReply, StoreRequest, Times,
};
pub use switches::Whose;
pub use trial::{Coverage, Mismatch, Tally, Trial, try_set};
pub use usage::day_of;
pub use view::CampaignView;
