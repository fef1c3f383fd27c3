//! One attempt: its state machine, the flow player, and the words in which a leg is commanded and reports back.

mod attempt;
mod leg;
mod player;
mod quality;
mod trunk;

/// Words of the leg that belong to other rooms, for those that may import only this one.
pub use crate::campaign::Prompt;
pub use crate::contact::CallResult;
pub use attempt::{Attempt, AttemptInput, AttemptOutput, Finished, Progress};
pub use leg::{Dial, Digit, LegCommand, LegEnd, LegEvent, NotSent, ReleaseSide};
pub use quality::{Codec, MediaQuality, OneWay};
pub use trunk::{TrunkDown, TrunkState};
