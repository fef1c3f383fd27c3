//! Sockets for the line: one thread moves datagrams, RTP and commands in, datagrams, RTP and leg events out.

mod captures;
mod complaints;
mod counts;
mod handle;
mod journal;
mod probe;
mod pump;
mod rtp_sockets;
mod sip_socket;
mod streams;
mod tap;

pub use captures::Captures;
pub use counts::{Counts, Direction, MESSAGE_CLASSES};
pub use handle::{Command, Config, Event, Handle, Order, start};
pub use streams::{Answer, ClientTls, Failure, LinkState, Reply, Streams, TlsFiles, Way, ask, converse};
pub use tap::{Batch, Noted, Tap};
