//! The far end for trials: people, machines, busy lines and PBX queues on real SIP and RTP.
//!
//! `Gateway` is the machine, pure and in virtual time; `start` and `run` put it on sockets.

mod call;
mod exchange;
mod file;
mod gateway;
mod gbk;
mod media;
mod options;
mod people;
mod ports;
mod queues;
mod refusal;
mod serve;
mod stats;
#[cfg(test)]
mod testing;
mod town;
mod witness;

pub use file::{load, read};
pub use gateway::{Gateway, Input, Output, Setup, Why};
pub use options::{Options, run};
pub use people::fingerprint;
pub use serve::{FarConfig, FarHandle, start};
pub use stats::Stats;
pub use town::{Queue, Segment, Town};
pub use witness::{Seen, Witness};
