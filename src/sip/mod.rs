//! SIP: messages, transactions, dialogs, SDP and digest. Bytes in, bytes and events out (RFC 3261).
//!
//! `Ua` is the machine; `recovery` ends what a crash left behind. Everything is read as bytes and echoed verbatim.

pub mod addr;
mod bytes;
pub mod digest;
mod diversion;
pub mod header;
mod identity;
pub mod ids;
mod invite;
pub mod keyring;
pub mod locate;
pub mod message;
pub mod method;
pub mod packet;
pub mod peer;
pub mod recovery;
pub mod register;
pub mod sdp;
pub mod stream;
pub mod target;
pub mod trace;
pub mod transaction;
mod ua;
pub mod uri;
mod validate;
pub mod via;
mod writer;

pub use diversion::is_diversion;
pub use identity::Identity;
pub use invite::Caller;
pub use keyring::{MAX_TRIES, Unanswered};
pub use packet::Packet;
pub use peer::{Credentials, Network, Peer};
pub use register::{Failure, Register, Report};
pub use target::{Target, Transport};
pub use transaction::{Timer, Times};
pub use ua::{
    Cause, Command, Config, Counter, DialogFacts, End, Event, Incoming, Input, Invite, Output, Pong, Side, Tried, Ua,
};

#[cfg(test)]
mod tests;
