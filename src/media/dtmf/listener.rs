//! Hears key presses: one report per press, whichever of its packets are lost, doubled or out of order.

use std::time::Duration;

use super::Event;
use crate::base::Tick;
use crate::media::Header;

/// Sequence numbers are compared only within this time of the last event: later, the 16 bits mean nothing.
const FRESH: Duration = Duration::from_secs(5);

/// How far back a packet may come from to count as a late one of an earlier press.
const MISORDER: i16 = -256;

/// A press longer than the duration field goes on in a new segment, 0xFFFF later (RFC 4733 §2.5.1.3).
const SEGMENT: u32 = 0xffff;

/// How far the start of a segment may be off: senders count from their last update.
const SEGMENT_SLACK: u32 = 800;

#[derive(Clone, Copy, Debug)]
struct Heard {
    ssrc: u32,
    timestamp: u32,
    seq: u16,
    code: u8,
    ended: bool,
    at: Tick,
}

/// Remembers the last press only. A press is reported with its first packet to arrive, be it the last one sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listener {
    last: Option<Heard>,
}

impl Listener {
    /// The key, if this packet is the first of a new press.
    pub fn packet(&mut self, now: Tick, header: &Header, event: Event) -> Option<char> {
        let key = super::key(event.code)?;
        let mut heard = Heard {
            ssrc: header.ssrc,
            timestamp: header.timestamp,
            seq: header.seq,
            code: event.code,
            ended: event.end,
            at: now,
        };
        if let Some(last) = self.last.filter(|last| last.ssrc == header.ssrc) {
            let step = header.seq.wrapping_sub(last.seq) as i16;
            let fresh = now.since(last.at) < FRESH;
            if fresh && (MISORDER..=0).contains(&step) {
                return None;
            }
            if is_same_press(&last, header, event, step, fresh) {
                heard.ended |= last.ended;
                self.last = Some(heard);
                return None;
            }
        }
        self.last = Some(heard);
        Some(key)
    }
}

/// `step` packets after the last event packet: the same press still?
fn is_same_press(last: &Heard, header: &Header, event: Event, step: i16, fresh: bool) -> bool {
    if event.code != last.code {
        return false;
    }
    let later = header.timestamp.wrapping_sub(last.timestamp);
    if later == 0 {
        return true;
    }
    if header.marker || !fresh {
        return false;
    }
    let next_segment = !last.ended && later.abs_diff(SEGMENT) <= SEGMENT_SLACK;
    // Some gateways move the timestamp on with every packet of one press. A new press of the same key is further off:
    // between two presses lie the three end packets of the first, and before an end packet its beginning.
    let moving = (1..=3).contains(&step) && (!last.ended || event.end);
    next_segment || moving
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Line {
        listener: Listener,
        now: Tick,
        heard: String,
    }

    impl Line {
        fn new() -> Self {
            Self { listener: Listener::default(), now: Tick(0), heard: String::new() }
        }

        fn send(&mut self, seq: u16, timestamp: u32, code: u8, marker: bool, end: bool) {
            self.now = self.now + Duration::from_millis(20);
            let header = Header { payload_type: 101, marker, seq, timestamp, ssrc: 7 };
            let event = Event { code, end, volume: 10, duration: 160 };
            self.heard.extend(self.listener.packet(self.now, &header, event));
        }
    }

    #[test]
    fn a_press_with_three_ends_and_doubles_is_heard_once() {
        let mut line = Line::new();
        for (seq, marker, end) in [(1, true, false), (2, false, false), (2, false, false), (3, false, true)] {
            line.send(seq, 1_000, 5, marker, end);
        }
        for seq in [4, 5, 5, 3, 1] {
            line.send(seq, 1_000, 5, false, true);
        }
        assert_eq!(line.heard, "5");
    }

    #[test]
    fn one_surviving_packet_is_enough_whichever_it_is() {
        for (marker, end) in [(true, false), (false, false), (false, true)] {
            let mut line = Line::new();
            line.send(10, 1_000, 1, marker, end);
            line.send(20, 3_000, 1, marker, end);
            line.send(30, 5_000, 2, marker, end);
            assert_eq!(line.heard, "112", "marker {marker}, end {end}");
        }
    }

    #[test]
    fn a_late_packet_of_an_earlier_press_is_no_new_press() {
        let mut line = Line::new();
        line.send(5, 1_000, 1, true, false);
        line.send(12, 3_000, 2, true, false);
        line.send(8, 1_000, 1, false, true);
        line.send(13, 3_000, 2, false, true);
        assert_eq!(line.heard, "12");
    }

    #[test]
    fn a_key_held_for_long_goes_on_in_the_next_segment() {
        let mut line = Line::new();
        line.send(65_530, 0u32.wrapping_sub(100), 9, true, false);
        for n in 0..4u16 {
            line.send(65_531u16.wrapping_add(n * 30), 0xffff - 100 + 0xffff * u32::from(n), 9, false, false);
        }
        assert_eq!(line.heard, "9");
        line.send(500, 900_000, 9, true, false);
        assert_eq!(line.heard, "99");
    }

    #[test]
    fn a_gateway_that_moves_the_timestamp_with_every_packet_presses_once() {
        let mut line = Line::new();
        for n in 0..8u16 {
            line.send(n, 1_000 + 160 * u32::from(n), 3, n == 0, n >= 5);
        }
        assert_eq!(line.heard, "3");
    }

    #[test]
    fn a_press_long_after_the_sequence_wrapped_is_heard() {
        let mut line = Line::new();
        line.send(100, 1_000, 4, true, true);
        line.now = line.now + Duration::from_secs(1_300);
        line.send(90, 1_000 + 1_300 * 8_000, 4, true, false);
        assert_eq!(line.heard, "44");
    }

    #[test]
    fn a_new_source_starts_afresh_and_other_events_are_no_keys() {
        let mut line = Line::new();
        line.send(1, 1_000, 16, true, false);
        line.send(1, 1_000, 8, true, true);
        let header = Header { payload_type: 101, marker: true, seq: 1, timestamp: 1_000, ssrc: 8 };
        let event = Event { code: 8, end: false, volume: 0, duration: 0 };
        assert_eq!(line.listener.packet(line.now, &header, event), Some('8'));
        assert_eq!(line.heard, "8");
    }

    #[test]
    fn a_marker_begins_a_new_press_however_close() {
        let mut line = Line::new();
        line.send(1, 1_000, 6, true, false);
        line.send(2, 1_400, 6, true, false);
        assert_eq!(line.heard, "66");
    }
}
