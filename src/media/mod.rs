//! RTP both ways for one leg: G.711, key presses, paced prompts, tones; RTCP. Packets in, packets and events out.

pub mod dtmf;
mod g711;
mod latch;
mod outgoing;
mod reception;
mod reports;
mod rtcp;
mod rtp;
mod session;
mod srtp;
mod tone;

pub use g711::Codec;
pub use outgoing::{FRAME, FRAME_SAMPLES};
pub use reception::Reception;
pub use reports::ReportStats;
pub use rtp::{Header, Packet, RtpError, extend, is_rtcp};
pub use session::{Direction, Input, OneWay, Output, Params, Session, Stats, Target, Why};
pub use srtp::{Keys, MasterKey, Suite};
pub use tone::{Tone, silence};

/// Samples per second of everything in this room, and the RTP clock of G.711 and its telephone events.
pub const RATE_HZ: u32 = 8_000;
