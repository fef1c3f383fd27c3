//! When we report about a call and what, and what the peer's reports say about us (RFC 3550 §6.3 and §6.4).

use std::net::SocketAddr;
use std::time::Duration;

use super::rtcp::{self, Block, Report, Sender};
use super::{RATE_HZ, Reception};
use crate::base::{Now, Rng, Tick, hex};

/// Between reports on average; with two parties the bandwidth never asks for more (§6.2). The first comes in half of it.
const INTERVAL: Duration = Duration::from_secs(5);

/// §6.3.1: the interval is drawn from 0.5 to 1.5 of itself, and divided by e − 3/2.
const COMPENSATION: f64 = std::f64::consts::E - 1.5;

/// Packets that we sent and the peer reports nothing of: two seconds of a prompt.
const DEAF_AFTER: u32 = 100;

/// From 1900, where NTP begins, to 1970.
const NTP_EPOCH_S: u64 = 2_208_988_800;

/// Counted over a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportStats {
    pub sent: u32,
    /// Well formed, from the peer.
    pub received: u32,
    /// Packets of ours that the peer says it never got; `None` if it never said anything of them.
    pub lost_there: Option<u32>,
    /// From the latest block that answers our last sender report (§6.4.1).
    pub round_trip_us: Option<u32>,
    /// Reports by which the peer heard none of the 100 packets or more that we had sent since the one before.
    pub deaf: u32,
}

/// What we sent, as of now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) ssrc: u32,
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) octets: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Reports {
    next: Tick,
    /// Behind the name and, with the number of reports sent, behind the times: smaller than a generator for every call.
    seed: u64,
    /// Packets sent by the time of our last two reports: who has sent since is a sender (§6.4).
    sent_before: [u32; 2],
    /// Which of the peer's sources the last report was about, and its packets by then.
    source_before: u32,
    expected_before: u32,
    distinct_before: u32,
    /// The middle of the NTP time in the peer's last sender report, and when it came.
    last_report: Option<(u32, Tick)>,
    /// The same of ours, by which a block of the peer says how long a way it has behind it; zero before the first.
    our_report: (u32, Tick),
    /// The peer's word of the highest sequence number heard, and what we had sent when it last grew.
    highest_there: Option<u32>,
    sent_when_heard: u32,
    stats: ReportStats,
}

impl Reports {
    pub(super) fn new(now: Tick, seed: u64) -> Self {
        let mut reports = Self {
            next: now,
            seed,
            sent_before: [0; 2],
            source_before: 0,
            expected_before: 0,
            distinct_before: 0,
            last_report: None,
            our_report: (0, now),
            highest_there: None,
            sent_when_heard: 0,
            stats: ReportStats::default(),
        };
        reports.schedule(now, INTERVAL / 2);
        reports
    }

    pub(super) fn due(&self) -> Tick {
        self.next
    }

    pub(super) fn stats(&self) -> ReportStats {
        self.stats
    }

    /// The report that is due, in place of what `out` holds.
    pub(super) fn write(&mut self, now: Now, sent: &Sent, reception: &Reception, out: &mut Vec<u8>) {
        let [before, last] = self.sent_before;
        let sender = (sent.packets > before).then(|| Sender {
            ntp: ntp(now),
            timestamp: sent.timestamp,
            packets: sent.packets,
            octets: sent.octets,
        });
        self.sent_before = [last, sent.packets];
        if let Some(sender) = sender {
            self.our_report = ((sender.ntp >> 16) as u32, now.tick);
        }
        let report = Report { ssrc: sent.ssrc, sender, block: self.block(now.tick, reception) };
        report.write(cname(self.seed).as_bytes(), out);
        self.stats.sent = self.stats.sent.saturating_add(1);
        self.schedule(now.tick, INTERVAL);
    }

    /// False if it is no report of the peer.
    pub(super) fn receive(&mut self, now: Tick, sent: &Sent, bytes: &[u8]) -> bool {
        let Some(report) = rtcp::read(bytes, sent.ssrc).filter(|report| report.ssrc != sent.ssrc) else {
            return false;
        };
        self.stats.received = self.stats.received.saturating_add(1);
        if let Some(sender) = report.sender {
            self.last_report = Some(((sender.ntp >> 16) as u32, now));
        }
        let highest = report.block.map(|block| block.highest);
        if let Some(block) = report.block {
            self.stats.lost_there = Some(u32::try_from(block.lost).unwrap_or(0));
            self.stats.round_trip_us = self.round_trip_us(now, &block).or(self.stats.round_trip_us);
        }
        if highest.is_some() && highest != self.highest_there {
            (self.highest_there, self.sent_when_heard) = (highest, sent.packets);
        } else if sent.packets.wrapping_sub(self.sent_when_heard) >= DEAF_AFTER {
            self.stats.deaf = self.stats.deaf.saturating_add(1);
            self.sent_when_heard = sent.packets;
        }
        true
    }

    /// Less what the peer says it kept the report for. On a clock of ours that cannot jump, and only for the report we sent
    /// last, so that a peer that says nonsense is not believed.
    fn round_trip_us(&self, now: Tick, block: &Block) -> Option<u32> {
        let (report, at) = self.our_report;
        let kept = Duration::from_micros(u64::from(block.delay) * 1_000_000 / 65_536);
        let way = now.since(at).checked_sub(kept).filter(|_| report != 0 && report == block.last_report)?;
        u32::try_from(way.as_micros()).ok()
    }

    /// `None` if nothing was heard since the last report (§6.4.1).
    fn block(&mut self, now: Tick, reception: &Reception) -> Option<Block> {
        if self.source_before != reception.sources() {
            (self.source_before, self.expected_before, self.distinct_before) = (reception.sources(), 0, 0);
        }
        let source = reception.source().filter(|source| source.distinct > self.distinct_before)?;
        let expected = source.expected.saturating_sub(self.expected_before);
        let lost = expected.saturating_sub(source.distinct.saturating_sub(self.distinct_before));
        let fraction_lost = lost.saturating_mul(256).checked_div(expected).map_or(0, |share| share.min(255) as u8);
        (self.expected_before, self.distinct_before) = (source.expected, source.distinct);
        let since = self.last_report.map(|(report, at)| (report, now.since(at).as_micros() * 65_536 / 1_000_000));
        Some(Block {
            ssrc: source.ssrc,
            fraction_lost,
            lost: i32::try_from(source.expected.saturating_sub(source.distinct)).unwrap_or(i32::MAX),
            highest: source.highest,
            jitter: (reception.jitter().as_micros() * u128::from(RATE_HZ) / 1_000_000) as u32,
            last_report: since.map_or(0, |(report, _)| report),
            delay: since.map_or(0, |(_, delay)| delay as u32),
        })
    }

    fn schedule(&mut self, now: Tick, mean: Duration) {
        let draw = Rng::seeded(self.seed ^ u64::from(self.stats.sent)).f64();
        self.next = now + mean.mul_f64((0.5 + draw) / COMPENSATION);
    }
}

/// 96 random bits, others for every call, so that it names nobody (RFC 7022 §4.2).
fn cname(seed: u64) -> String {
    let mut name = [0; 12];
    Rng::seeded(seed.rotate_left(32)).fill(&mut name);
    hex(&name)
}

fn ntp(now: Now) -> u64 {
    let micros = now.wall.0.max(0).unsigned_abs();
    let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
    (micros / 1_000_000 + NTP_EPOCH_S) << 32 | fraction
}

/// Where reports of the peer come from: its RTCP address, or the host its RTP comes from. They act on figures alone.
pub(super) fn is_of_peer(from: SocketAddr, rtp: SocketAddr, rtcp: Option<SocketAddr>) -> bool {
    from.ip() == rtp.ip() || Some(from) == rtcp
}
