//! What a dial is worth: the answer model by segment and slot, and the index that leads are ordered by.

mod answer;
mod explore;
mod learn;
mod logit;
mod past;
mod reachability;
mod shown;
mod slot;
mod tally;
mod value;

pub use answer::{AnswerModel, golden_share};
pub use explore::chance_of_draw;
pub use learn::learn;
pub use logit::{logistic, logit};
pub use past::Past;
pub use reachability::Reachability;
pub use shown::{HourLearned, hours_learned};
pub use slot::Slot;
pub use tally::{Count, Place, Tally, answered};
pub use value::{key, multiplier};
