//! Key presses: telephone events (RFC 4733) both ways, and the tones themselves (ITU-T Q.23) from peers without them.

mod ear;
mod listener;
mod presser;

pub use ear::Ear;
pub use listener::Listener;
pub use presser::{Press, Presser};

/// One event payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// 0–9, 10 `*`, 11 `#`, 12–15 `A`–`D`; above that: flash, tones, modems (not keys).
    pub code: u8,
    pub end: bool,
    /// In −dBm0, 0–63.
    pub volume: u8,
    /// In ticks of the RTP clock, from the packet's timestamp on.
    pub duration: u16,
}

const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

impl Event {
    /// Reads the first block of a payload (RFC 4733 §2.3). The reserved bit is ignored, as it says.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[code, flags, high, low, ..] = payload else { return None };
        let (end, volume) = (flags & 0x80 != 0, flags & 0x3f);
        Some(Self { code, end, volume, duration: u16::from_be_bytes([high, low]) })
    }

    pub const fn bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, (self.volume & 0x3f) | if self.end { 0x80 } else { 0 }, high, low]
    }
}

/// The key of an event code; `None` for events that are no keys.
pub fn key(code: u8) -> Option<char> {
    KEYS.get(usize::from(code)).copied()
}

/// The event code of a key.
pub fn code(key: char) -> Option<u8> {
    KEYS.iter().position(|&k| k == key).map(|at| at as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let event = Event { code: 11, end: true, volume: 10, duration: 800 };
        assert_eq!(event.bytes(), [11, 0x8a, 3, 32]);
        assert_eq!(Event::parse(&event.bytes()), Some(event));
        assert_eq!(Event::parse(&[1, 2, 3]), None);
    }

    #[test]
    fn keys_and_codes_are_inverse_and_nothing_else_is_a_key() {
        assert!((0..16).all(|c| key(c).and_then(code) == Some(c)));
        assert_eq!((key(16), code('x'), code('a')), (None, None, None));
    }
}
