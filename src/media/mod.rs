//! RTP both ways for one leg: G.711, telephone events, paced prompts, tones. Packets in, packets and events out.

pub mod dtmf;
mod g711;
mod latch;
mod outgoing;
mod reception;
mod rtp;
mod session;
mod tone;

pub use g711::Codec;
pub use outgoing::{FRAME, FRAME_SAMPLES};
pub use reception::Reception;
pub use rtp::{Header, Packet, RtpError, extend, is_rtcp};
pub use session::{Direction, Input, Output, Params, Session, Stats, Target, Why};
pub use tone::{Tone, silence};

/// Samples per second of everything in this room, and the RTP clock of G.711 and its telephone events.
pub const RATE_HZ: u32 = 8_000;
