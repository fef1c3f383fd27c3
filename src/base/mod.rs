//! What every room may use: time, ids, seeded randomness, personal data, diagnostics.

mod authorities;
mod code;
mod diag;
mod hex;
mod id;
mod mac;
mod money;
mod pii;
mod reach;
mod rng;
mod share;
mod time;
mod wav;

pub use authorities::SYSTEM_AUTHORITIES;
pub use code::Code;
pub use diag::{Diagnostic, Severity, SourceText, Span, render, render_json};
pub use hex::{hex, hex_byte, push_hex, unhex};
pub use id::{AttemptId, CampaignIx, ContactId, LeadId, LegId, ListId, PhoneId, QueueIx, Split, TrunkIx};
pub use mac::mac_block;
pub use money::{Money, Tariff};
pub use pii::Pii;
pub use reach::{Destination, Reach, is_test_number};
pub use rng::Rng;
pub use share::Share;
pub use time::{Clock, Now, Tick, Wall};
pub use wav::{PROMPT_MAX_SECONDS, PROMPT_RATE_HZ, WavError, read_prompt};
