//! What became of the packets of one remote source: received, lost, duplicated, late, and how much they jitter.

use std::time::Duration;

use super::{Header, extend};
use crate::base::Tick;

/// RFC 3550 A.1: a larger jump forward, or a smaller one back, is a source that started anew.
const MAX_DROPOUT: i64 = 3_000;
const MAX_MISORDER: i64 = 100;

/// The latest source, as reports count it (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) ssrc: u32,
    /// Cycles and sequence number.
    pub(super) highest: u32,
    pub(super) expected: u32,
    /// Without duplicates.
    pub(super) distinct: u32,
}

/// Counters over all sources of a leg; the sequence state is that of the latest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    received: u64,
    duplicated: u64,
    late: u64,
    sources: u32,
    /// Lost by sources that are gone.
    lost_before: u64,
    ssrc: u32,
    /// Extended sequence numbers: first expected, highest seen; and which of the last 64 up to `highest` were seen.
    first: u64,
    highest: u64,
    seen: u64,
    /// Distinct packets since `first`.
    distinct: u64,
    /// RFC 3550 A.1: where a jump would have to continue to be believed.
    jump_to: Option<u16>,
    transit: Option<u32>,
    /// RFC 3550 A.8, in sixteenths of an RTP clock tick.
    jitter_16: u32,
}

impl Reception {
    /// Counts one packet. `is_audio` is false for telephone events, whose timestamps stand still.
    pub fn packet(&mut self, now: Tick, header: &Header, is_audio: bool) {
        self.received += 1;
        if self.sources == 0 || self.ssrc != header.ssrc {
            self.begin(header);
        } else {
            self.continue_with(header);
        }
        if is_audio {
            self.jitter_of(now, header.timestamp);
        }
    }

    pub fn received(&self) -> u64 {
        self.received
    }

    /// RFC 3550 A.3, without its negative values: duplicates do not hide losses here.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.lost_now()
    }

    pub fn duplicated(&self) -> u64 {
        self.duplicated
    }

    /// Arrived after a packet with a higher sequence number.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many sources were heard: 1 plus every change of SSRC and every restart of the sequence.
    pub fn sources(&self) -> u32 {
        self.sources
    }

    /// Interarrival jitter of RFC 3550 §6.4.1.
    pub fn jitter(&self) -> Duration {
        Duration::from_micros(u64::from(self.jitter_16) * 125 / 16)
    }

    pub(super) fn source(&self) -> Option<Source> {
        (self.sources > 0).then(|| Source {
            ssrc: self.ssrc,
            highest: self.highest.saturating_sub(1 << 16) as u32,
            expected: (self.highest - self.first + 1) as u32,
            distinct: self.distinct as u32,
        })
    }

    fn lost_now(&self) -> u64 {
        if self.sources == 0 { 0 } else { (self.highest - self.first + 1).saturating_sub(self.distinct) }
    }

    fn begin(&mut self, header: &Header) {
        self.lost_before = self.lost();
        self.sources = self.sources.saturating_add(1);
        self.ssrc = header.ssrc;
        // One cycle up, so that a packet sent before the first one received still has a number.
        self.highest = u64::from(header.seq) + (1 << 16);
        (self.first, self.seen, self.distinct) = (self.highest, 1, 1);
        (self.jump_to, self.transit) = (None, None);
    }

    fn continue_with(&mut self, header: &Header) {
        let at = extend(self.highest, header.seq);
        let step = at as i64 - self.highest as i64;
        if !(-MAX_MISORDER..=MAX_DROPOUT).contains(&step) {
            if self.jump_to == Some(header.seq) {
                self.begin(header);
            } else {
                self.jump_to = Some(header.seq.wrapping_add(1));
            }
            return;
        }
        self.jump_to = None;
        if step > 0 {
            self.seen = if step < 64 { (self.seen << step) | 1 } else { 1 };
            self.highest = at;
            self.distinct += 1;
            return;
        }
        let bit = 1u64.checked_shl(step.unsigned_abs() as u32).unwrap_or(0);
        if self.seen & bit != 0 {
            self.duplicated += 1;
            return;
        }
        self.late += 1;
        self.seen |= bit;
        self.first = self.first.min(at);
        self.distinct += 1;
    }

    fn jitter_of(&mut self, now: Tick, timestamp: u32) {
        let arrival = (now.0 / 125) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit {
            let change = (transit.wrapping_sub(before) as i32).unsigned_abs();
            // A source that restarts its timestamps would otherwise spoil the estimate for minutes.
            if change < super::RATE_HZ * 10 {
                self.jitter_16 += change;
                self.jitter_16 -= (self.jitter_16.saturating_sub(change) + 8) >> 4;
            }
        }
        self.transit = Some(transit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(seq: u16, timestamp: u32, ssrc: u32) -> Header {
        Header { payload_type: 8, marker: false, seq, timestamp, ssrc }
    }

    fn after(seqs: &[u16]) -> Reception {
        let mut reception = Reception::default();
        for (n, &seq) in (0..).zip(seqs) {
            reception.packet(Tick(n * 20_000), &header(seq, n as u32 * 160, 1), true);
        }
        reception
    }

    #[test]
    fn losses_duplicates_and_late_packets_are_told_apart_over_the_wrap() {
        let r = after(&[65_533, 65_535, 65_534, 65_534, 0, 3]);
        assert_eq!((r.received(), r.lost(), r.duplicated(), r.late(), r.sources()), (6, 2, 1, 1, 1));
    }

    #[test]
    fn a_packet_older_than_the_first_moves_the_start() {
        let r = after(&[10, 9, 11]);
        assert_eq!((r.lost(), r.late(), r.duplicated()), (0, 1, 0));
        assert_eq!(after(&[10, 8, 11]).lost(), 1);
    }

    #[test]
    fn one_stray_packet_is_not_a_restart_but_two_in_a_row_are() {
        assert_eq!(after(&[10, 40_000, 11]).sources(), 1);
        let r = after(&[10, 12, 40_000, 40_001, 40_002]);
        assert_eq!((r.sources(), r.lost()), (2, 1));
    }

    #[test]
    fn a_new_ssrc_keeps_the_losses_of_the_old_one() {
        let mut r = after(&[1, 3]);
        r.packet(Tick(0), &header(900, 5, 2), true);
        r.packet(Tick(0), &header(902, 5, 2), true);
        assert_eq!((r.received(), r.lost(), r.sources()), (4, 2, 2));
    }

    #[test]
    fn even_spacing_has_no_jitter_and_uneven_spacing_has_the_estimate_of_the_rfc() {
        assert_eq!(after(&[1, 2, 3, 4]).jitter(), Duration::ZERO);
        let mut r = Reception::default();
        for n in 0..2_000u64 {
            // Every second packet 10 ms late: |D| = 80 ticks each time, so J converges to 80 ticks = 10 ms.
            r.packet(Tick(n * 20_000 + (n % 2) * 10_000), &header(n as u16, n as u32 * 160, 1), true);
        }
        assert!((9_000..=10_100).contains(&r.jitter().as_micros()), "{:?}", r.jitter());
    }

    #[test]
    fn a_source_that_moves_its_timestamps_by_hours_does_not_spoil_the_estimate() {
        let mut r = after(&[1, 2]);
        r.packet(Tick(40_000), &header(3, 900_000_000, 1), true);
        assert_eq!(r.jitter(), Duration::ZERO);
    }
}
