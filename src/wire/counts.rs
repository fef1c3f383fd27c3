//! What went over the wire, counted by the shard and read by whoever shows it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::line::{Counter, MediaStats, OneWay, SipCounter};

/// Labels of `Counts::sip`, in order.
pub const MESSAGE_CLASSES: [&str; 12] =
    ["invite", "ack", "cancel", "bye", "options", "other", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx"];

/// Calls whose jitter waits to be read; of more, the figures are not kept.
const JITTERS_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

/// Since the start. Read at any time from any thread.
#[derive(Debug, Default)]
pub struct Counts {
    sip: [[AtomicU64; 12]; 2],
    rtp: [AtomicU64; 2],
    rtcp: [AtomicU64; 2],
    counters: [AtomicU64; 12],
    rtp_lost: AtomicU64,
    rtp_lost_there: AtomicU64,
    one_way: [AtomicU64; 2],
    jitters: Mutex<Vec<Duration>>,
    /// Datagrams that the kernel would not take.
    send_failed: AtomicU64,
    /// Events that had to wait, by turns.
    sink_full: AtomicU64,
    journal_failed: AtomicU64,
    live_legs: AtomicU64,
}

impl Counts {
    /// Messages of one of `MESSAGE_CLASSES`.
    pub fn sip(&self, direction: Direction, class: usize) -> u64 {
        self.sip.get(direction as usize).and_then(|row| row.get(class)).map_or(0, read)
    }

    pub fn rtp(&self, direction: Direction) -> u64 {
        self.rtp.get(direction as usize).map_or(0, read)
    }

    pub fn rtcp(&self, direction: Direction) -> u64 {
        self.rtcp.get(direction as usize).map_or(0, read)
    }

    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters.get(place(counter)).map_or(0, read)
    }

    /// Packets of answered legs that never came, noted when a leg ends.
    pub fn rtp_lost(&self) -> u64 {
        read(&self.rtp_lost)
    }

    /// Packets of ours that peers reported as lost, noted when a leg ends.
    pub fn rtp_lost_there(&self) -> u64 {
        read(&self.rtp_lost_there)
    }

    /// Answered legs whose audio went one way: `In`, nothing came; `Out`, the peer heard nothing.
    pub fn one_way(&self, missing: Direction) -> u64 {
        self.one_way.get(missing as usize).map_or(0, read)
    }

    /// Of legs that ended since this was asked last.
    pub fn take_jitters(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.jitters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn send_failed(&self) -> u64 {
        read(&self.send_failed)
    }

    pub fn sink_full(&self) -> u64 {
        read(&self.sink_full)
    }

    pub fn journal_failed(&self) -> u64 {
        read(&self.journal_failed)
    }

    pub fn live_legs(&self) -> u64 {
        read(&self.live_legs)
    }

    pub(super) fn message(&self, direction: Direction, bytes: &[u8]) {
        bump(self.sip.get(direction as usize).and_then(|row| row.get(class(bytes))));
    }

    /// RTP has even ports, RTCP odd ones.
    pub(super) fn packet(&self, direction: Direction, port: u16) {
        let row = if port.is_multiple_of(2) { &self.rtp } else { &self.rtcp };
        bump(row.get(direction as usize));
    }

    pub(super) fn count(&self, counter: Counter) {
        bump(self.counters.get(place(counter)));
    }

    pub(super) fn heard(&self, stats: &MediaStats) {
        self.rtp_lost.fetch_add(stats.reception.lost(), Ordering::Relaxed);
        self.rtp_lost_there.fetch_add(u64::from(stats.reports.lost_there), Ordering::Relaxed);
        if let Some(one_way) = stats.one_way() {
            let missing = match one_way {
                OneWay::WeHearNothing => Direction::In,
                OneWay::TheyHearNothing => Direction::Out,
            };
            bump(self.one_way.get(missing as usize));
        }
        let mut jitters = self.jitters.lock().unwrap_or_else(PoisonError::into_inner);
        if stats.reception.received() > 0 && jitters.len() < JITTERS_MAX {
            jitters.push(stats.reception.jitter());
        }
    }

    pub(super) fn failed_to_send(&self) {
        bump(Some(&self.send_failed));
    }

    pub(super) fn sink_was_full(&self) {
        bump(Some(&self.sink_full));
    }

    pub(super) fn journal_has_failed(&self) {
        bump(Some(&self.journal_failed));
    }

    pub(super) fn legs(&self, live: usize) {
        self.live_legs.store(live as u64, Ordering::Relaxed);
    }
}

fn read(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

fn bump(cell: Option<&AtomicU64>) {
    if let Some(cell) = cell {
        cell.fetch_add(1, Ordering::Relaxed);
    }
}

fn place(counter: Counter) -> usize {
    match counter {
        Counter::Sip(SipCounter::UnknownSource) => 0,
        Counter::Sip(SipCounter::Unreadable) => 1,
        Counter::Sip(SipCounter::StrayResponse) => 2,
        Counter::Sip(SipCounter::RequestRefused) => 3,
        Counter::Sip(SipCounter::InboundInvite) => 4,
        Counter::Sip(SipCounter::Resent) => 5,
        Counter::Sip(SipCounter::Repeated) => 6,
        Counter::Sip(SipCounter::ForkEnded) => 7,
        Counter::Sip(SipCounter::Authenticated) => 8,
        Counter::Sip(SipCounter::LegInUse) | Counter::LegInUse => 9,
        Counter::StrayRtp => 10,
        Counter::PortRefused => 11,
    }
}

/// By the first bytes; whatever is no SIP counts as `other`.
fn class(bytes: &[u8]) -> usize {
    let name = match bytes {
        [b'S', b'I', b'P', b'/', b'2', b'.', b'0', b' ', digit @ b'1'..=b'6', ..] => {
            return 6 + usize::from(digit - b'1');
        }
        [b'I', b'N', b'V', ..] => "invite",
        [b'A', b'C', b'K', ..] => "ack",
        [b'C', b'A', b'N', ..] => "cancel",
        [b'B', b'Y', b'E', ..] => "bye",
        [b'O', b'P', b'T', ..] => "options",
        _ => "other",
    };
    MESSAGE_CLASSES.iter().position(|known| *known == name).unwrap_or(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_first_bytes() {
        let cases: [(&[u8], &str); 6] = [
            (b"INVITE sip:a@b SIP/2.0", "invite"),
            (b"SIP/2.0 180 Ringing", "1xx"),
            (b"SIP/2.0 603 No", "6xx"),
            (b"SIP/2.0 703 No", "other"),
            (b"NOTIFY sip:a@b", "other"),
            (b"", "other"),
        ];
        for (bytes, want) in cases {
            assert_eq!(MESSAGE_CLASSES[class(bytes)], want);
        }
    }

    #[test]
    fn counters_have_places_of_their_own() {
        let counts = Counts::default();
        counts.count(Counter::StrayRtp);
        counts.count(Counter::Sip(SipCounter::Resent));
        counts.count(Counter::Sip(SipCounter::Resent));
        counts.message(Direction::Out, b"BYE sip:a@b SIP/2.0");
        assert_eq!((counts.counter(Counter::StrayRtp), counts.counter(Counter::Sip(SipCounter::Resent))), (1, 2));
        assert_eq!((counts.counter(Counter::PortRefused), counts.sip(Direction::Out, 3)), (0, 1));
    }

    #[test]
    fn rtp_and_rtcp_are_told_apart_by_their_ports() {
        let counts = Counts::default();
        counts.packet(Direction::In, 20_000);
        counts.packet(Direction::In, 20_001);
        counts.packet(Direction::In, 20_001);
        assert_eq!((counts.rtp(Direction::In), counts.rtcp(Direction::In), counts.rtcp(Direction::Out)), (1, 2, 0));
    }

    #[test]
    fn a_call_in_which_nothing_came_counts_as_one_way_and_has_no_jitter() {
        let counts = Counts::default();
        counts.heard(&MediaStats { sent: 500, both_ways: true, ..MediaStats::default() });
        assert_eq!((counts.one_way(Direction::In), counts.one_way(Direction::Out)), (1, 0));
        assert!(counts.take_jitters().is_empty());
    }
}
