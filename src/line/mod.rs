//! Legs on the wire: one SIP user agent and the media sessions of its legs, in the words of `call`. Nobody else knows both.

mod api;
mod capture;
mod config;
mod health;
mod machine;
mod number;
mod ports;
mod quality;
mod recovery;
mod result;
mod sessions;
mod trouble;

/// What stands in our own interface, so that `wire` needs nobody but us.
pub use crate::call::{Codec, LegCommand, LegEvent, MediaQuality, OneWay, TrunkDown, TrunkState};
pub use crate::sip::locate::Route;
pub use crate::sip::stream::{Broken, Frame, Framer};
pub use crate::sip::{
    Counter as SipCounter, DialogFacts, Failure, Identity, Packet, Report, Target, Transport, Tried, Unanswered,
};
pub use api::{Counter, Input, Output, RecoveredLeg, Why};
pub use capture::{Capture, CaptureState, Over, Pcap, Wanted};
pub use config::{Config, LineTrunk, MediaRange, SrtpKey};
pub use health::HealthTimer;
pub use machine::Line;
pub use number::NumberRule;
pub use result::{RESULTS, Row, unanswered};
pub use trouble::Trouble;

#[cfg(test)]
mod tests;
