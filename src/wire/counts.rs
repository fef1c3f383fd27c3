//! What went over the wire, counted by the shard and read by whoever shows it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::base::TrunkIx;
use crate::line::{Counter, Failure, MediaQuality, OneWay, Report, SipCounter, Unanswered};

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
    counters: [AtomicU64; 13],
    rtp_lost: AtomicU64,
    rtp_lost_there: AtomicU64,
    one_way: [AtomicU64; 2],
    jitters: Mutex<Vec<Duration>>,
    /// Datagrams that the kernel would not take.
    send_failed: AtomicU64,
    /// Events that had to wait, by turns.
    sink_full: AtomicU64,
    journal_failed: AtomicU64,
    traces_lost: AtomicU64,
    live_legs: AtomicU64,
    trunks: Box<[TrunkCounts]>,
}

/// Of one trunk.
#[derive(Debug, Default)]
struct TrunkCounts {
    /// By place among `Unanswered::REASONS`.
    unauthorised: [AtomicU64; Unanswered::REASONS.len()],
    registered: AtomicBool,
    /// REGISTERs that were accepted, and that came to nothing.
    registrations: [AtomicU64; 2],
}

impl Counts {
    pub(super) fn new(trunks: usize) -> Self {
        Self { trunks: (0..trunks).map(|_| TrunkCounts::default()).collect(), ..Self::default() }
    }

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

    /// Messages that no trace has because its reader could not keep up.
    pub fn traces_lost(&self) -> u64 {
        read(&self.traces_lost)
    }

    pub fn live_legs(&self) -> u64 {
        read(&self.live_legs)
    }

    /// Challenges of this trunk that went unanswered, by place among `Unanswered::REASONS`.
    pub fn unauthorised(&self, trunk: TrunkIx, reason: usize) -> u64 {
        self.trunks.get(trunk.ix()).and_then(|counts| counts.unauthorised.get(reason)).map_or(0, read)
    }

    pub fn registered(&self, trunk: TrunkIx) -> bool {
        self.trunks.get(trunk.ix()).is_some_and(|counts| counts.registered.load(Ordering::Relaxed))
    }

    /// REGISTERs of this trunk that were accepted, and that came to nothing.
    pub fn registrations(&self, trunk: TrunkIx) -> [u64; 2] {
        self.trunks.get(trunk.ix()).map_or([0; 2], |counts| counts.registrations.each_ref().map(read))
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

    pub(super) fn heard(&self, media: &MediaQuality) {
        self.rtp_lost.fetch_add(media.lost.into(), Ordering::Relaxed);
        self.rtp_lost_there.fetch_add(media.lost_there.unwrap_or(0).into(), Ordering::Relaxed);
        if let Some(one_way) = media.one_way {
            let missing = match one_way {
                OneWay::WeHearNothing => Direction::In,
                OneWay::TheyHearNothing => Direction::Out,
            };
            bump(self.one_way.get(missing as usize));
        }
        let mut jitters = self.jitters.lock().unwrap_or_else(PoisonError::into_inner);
        if media.received > 0 && jitters.len() < JITTERS_MAX {
            jitters.push(Duration::from_micros(media.jitter_us.into()));
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

    pub(super) fn trace_was_lost(&self) {
        bump(Some(&self.traces_lost));
    }

    pub(super) fn went_unauthorised(&self, trunk: TrunkIx, why: &Unanswered) {
        bump(self.trunks.get(trunk.ix()).and_then(|counts| counts.unauthorised.get(why.reason())));
    }

    /// True where it was not registered before and is now.
    pub(super) fn registration(&self, trunk: TrunkIx, report: &Report) -> bool {
        let Some(counts) = self.trunks.get(trunk.ix()) else { return false };
        let [accepted, failed] = &counts.registrations;
        match report {
            Report::Bound { .. } => {
                bump(Some(accepted));
                !counts.registered.swap(true, Ordering::Relaxed)
            }
            Report::Failed { why, .. } => {
                bump(Some(failed));
                if let Failure::Unauthorised(why) = why {
                    self.went_unauthorised(trunk, why);
                }
                false
            }
            Report::Unbound => {
                counts.registered.store(false, Ordering::Relaxed);
                false
            }
        }
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
        Counter::NotAllowed => 12,
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
    fn a_failed_refresh_is_counted_and_the_trunk_stays_registered_until_it_runs_out() {
        let (counts, trunk) = (Counts::new(1), TrunkIx(0));
        let bound = Report::Bound { expires: std::time::Duration::from_mins(1) };
        assert!(counts.registration(trunk, &bound) && !counts.registration(trunk, &bound));
        let why = Failure::Unauthorised(Unanswered::Rejected);
        assert!(!counts.registration(trunk, &Report::Failed { why, again: None }));
        assert!(counts.registered(trunk));
        assert_eq!((counts.registrations(trunk), counts.unauthorised(trunk, 3)), ([2, 1], 1));
        assert!(!counts.registration(trunk, &Report::Unbound) && !counts.registered(trunk));
    }

    #[test]
    fn unanswered_challenges_are_counted_by_trunk_and_reason() {
        let counts = Counts::new(2);
        counts.went_unauthorised(TrunkIx(1), &Unanswered::Rejected);
        counts.went_unauthorised(TrunkIx(2), &Unanswered::Rejected);
        let rejected = Unanswered::REASONS.iter().position(|reason| *reason == "rejected").unwrap();
        assert_eq!([0, 1, 2].map(|trunk| counts.unauthorised(TrunkIx(trunk), rejected)), [0, 1, 0]);
        assert_eq!(counts.unauthorised(TrunkIx(1), 0), 0);
    }

    #[test]
    fn rtp_and_rtcp_are_told_apart_by_their_ports() {
        let counts = Counts::new(1);
        counts.packet(Direction::In, 20_000);
        counts.packet(Direction::In, 20_001);
        counts.packet(Direction::In, 20_001);
        assert_eq!((counts.rtp(Direction::In), counts.rtcp(Direction::In), counts.rtcp(Direction::Out)), (1, 2, 0));
    }

    #[test]
    fn a_call_in_which_nothing_came_counts_as_one_way_and_has_no_jitter() {
        let counts = Counts::new(1);
        counts.heard(&MediaQuality {
            codec: crate::line::Codec::Pcma,
            received: 0,
            lost: 0,
            jitter_us: 0,
            sent: 500,
            lost_there: None,
            round_trip_us: None,
            one_way: Some(OneWay::WeHearNothing),
        });
        assert_eq!((counts.one_way(Direction::In), counts.one_way(Direction::Out)), (1, 0));
        assert!(counts.take_jitters().is_empty());
    }
}
