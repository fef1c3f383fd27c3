//! What a dial is worth: the answer model by segment and slot, and the index that leads are ordered by.

mod answer;
mod slot;
mod value;

pub use answer::{AnswerModel, golden_share};
pub use slot::Slot;
pub use value::{index_value, key, multiplier};
