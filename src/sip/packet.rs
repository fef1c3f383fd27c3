//! A datagram to send: shared, so that a retransmission costs no copy, and silent in logs, for it holds numbers.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes of one datagram. `Debug` shows the length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet(Arc<[u8]>);

impl From<&[u8]> for Packet {
    fn from(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }
}

impl Deref for Packet {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_never_prints_what_it_holds() {
        assert_eq!(format!("{:?}", Packet::from(&b"+999100000001"[..])), "Packet(13 bytes)");
    }
}
