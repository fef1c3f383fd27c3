//! SRTP and SRTCP of one leg (RFC 3711, RFC 7714): what leaves is sealed, and what comes is heard only if it verifies.

mod derive;
mod replay;
mod transform;

use std::fmt;

use self::derive::Session;
use self::replay::Sources;
use super::extend;

/// Longer datagrams are no packets of a call.
const PACKET_MAX: usize = 2_048;
/// SRTCP numbers its packets in 31 bits (RFC 3711 §3.4); at one in four seconds nobody reaches the end.
const REPORTS_MAX: u32 = 0x7fff_ffff;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    AesCm128HmacSha1_80,
    AeadAes256Gcm,
}

/// Master key and master salt in one, as SDES writes them; the shorter suite leaves the end alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; 44]);

/// What both sides seal with. Each side has a key of its own (RFC 4568 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    pub suite: Suite,
    pub ours: MasterKey,
    pub theirs: MasterKey,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Seals and opens the packets of one leg.
pub(super) struct Guard {
    keys: Keys,
    sender: Session,
    receiver: Session,
    /// Number of our last packet, with its rollovers. It never goes back while `keys.ours` lives, or two packets would
    /// share a keystream.
    sent: u64,
    sent_reports: u32,
    heard: Sources,
    heard_reports: Sources,
    /// Where packets are opened; it never grows past its first size.
    buffer: Vec<u8>,
}

impl Guard {
    pub(super) fn new(keys: Keys, first_seq: u16) -> Self {
        Self {
            keys,
            sender: Session::derive(keys.suite, &keys.ours),
            receiver: Session::derive(keys.suite, &keys.theirs),
            sent: u64::from(first_seq),
            sent_reports: 0,
            heard: Sources::default(),
            heard_reports: Sources::default(),
            buffer: Vec::with_capacity(PACKET_MAX),
        }
    }

    /// A later offer or answer. The key that stays keeps its numbers; a new one of theirs begins anew (RFC 4568 §6.1).
    pub(super) fn rekey(&mut self, keys: Keys) {
        let suite = keys.suite != self.keys.suite;
        if suite || keys.ours != self.keys.ours {
            self.sender = Session::derive(keys.suite, &keys.ours);
        }
        if suite || keys.theirs != self.keys.theirs {
            self.receiver = Session::derive(keys.suite, &keys.theirs);
            (self.heard, self.heard_reports) = (Sources::default(), Sources::default());
        }
        self.keys = keys;
    }

    /// Seals an RTP packet of ours in place. False: it must not leave.
    pub(super) fn seal(&mut self, packet: &mut Vec<u8>) -> bool {
        let Some(head) = Head::read(packet) else { return false };
        self.sent = extend(self.sent, head.seq);
        self.sender.rtp.seal(head.length, head.ssrc, self.sent, packet).is_some()
    }

    /// As `seal`, for an RTCP compound.
    pub(super) fn seal_report(&mut self, packet: &mut Vec<u8>) -> bool {
        let Some(ssrc) = report_ssrc(packet) else { return false };
        if self.sent_reports >= REPORTS_MAX {
            return false;
        }
        self.sent_reports += 1;
        self.sender.rtcp.seal_report(ssrc, self.sent_reports, packet).is_some()
    }

    /// The RTP packet within, once for each. `None` for what does not verify, and what came before.
    pub(super) fn open(&mut self, sealed: &[u8]) -> Option<&[u8]> {
        let head = Head::read(sealed)?;
        let index = self.heard.index(head.ssrc, head.seq);
        self.heard.is_new(head.ssrc, index).then_some(())?;
        self.take(sealed)?;
        self.receiver.rtp.open(head.length, head.ssrc, index, &mut self.buffer)?;
        self.heard.mark(head.ssrc, index);
        Some(&self.buffer)
    }

    /// As `open`, for an RTCP compound.
    pub(super) fn open_report(&mut self, sealed: &[u8]) -> Option<&[u8]> {
        let ssrc = report_ssrc(sealed)?;
        let index = self.receiver.rtcp.report_index(sealed)?;
        self.heard_reports.is_new(ssrc, u64::from(index)).then_some(())?;
        self.take(sealed)?;
        self.receiver.rtcp.open_report(ssrc, index, &mut self.buffer)?;
        self.heard_reports.mark(ssrc, u64::from(index));
        Some(&self.buffer)
    }

    fn take(&mut self, sealed: &[u8]) -> Option<()> {
        (sealed.len() <= PACKET_MAX).then_some(())?;
        self.buffer.clear();
        self.buffer.extend_from_slice(sealed);
        Some(())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({:?})", self.keys.suite)
    }
}

/// What of an RTP packet is sent in the clear.
struct Head {
    /// With contributors and extension.
    length: usize,
    seq: u16,
    ssrc: u32,
}

impl Head {
    fn read(packet: &[u8]) -> Option<Self> {
        let (&[first, _, s0, s1, _, _, _, _, a, b, c, d], rest) = packet.split_first_chunk::<12>()?;
        (first >> 6 == 2).then_some(())?;
        let contributors = usize::from(first & 0x0f) * 4;
        let mut length = 12 + contributors;
        if first & 0x10 != 0 {
            let (&[_, _, high, low], _) = rest.get(contributors..)?.split_first_chunk::<4>()?;
            length += 4 + usize::from(u16::from_be_bytes([high, low])) * 4;
        }
        (length <= packet.len()).then_some(())?;
        Some(Self { length, seq: u16::from_be_bytes([s0, s1]), ssrc: u32::from_be_bytes([a, b, c, d]) })
    }
}

fn report_ssrc(packet: &[u8]) -> Option<u32> {
    let (&[first, _, _, _, a, b, c, d], _) = packet.split_first_chunk::<8>()?;
    (first >> 6 == 2).then_some(u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests;
