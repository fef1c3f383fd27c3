//! RTP packets (RFC 3550) over `rtp-rs`, told apart from RTCP, with sequence numbers that do not wrap.

use rtp_rs::{RtpPacketBuilder, RtpReader, RtpReaderError};

/// What a packet of ours carries in front of its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub payload_type: u8,
    pub marker: bool,
    pub seq: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// A received packet, in place: without padding, extension and CSRC list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub header: Header,
    pub payload: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    #[error("shorter than its headers say")]
    Truncated,
    #[error("RTP version is not 2")]
    Version,
    #[error("impossible padding length")]
    Padding,
    #[error("payload type above 127")]
    PayloadType,
}

impl<'a> Packet<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        let reader = RtpReader::new(bytes).map_err(|error| match error {
            RtpReaderError::BufferTooShort(_) | RtpReaderError::HeadersTruncated { .. } => RtpError::Truncated,
            RtpReaderError::UnsupportedVersion(_) => RtpError::Version,
            RtpReaderError::PaddingLengthInvalid(_) => RtpError::Padding,
        })?;
        let header = Header {
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            seq: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
        };
        Ok(Self { header, payload: reader.payload() })
    }
}

impl Header {
    /// Replaces what `out` holds by this header and `payload`. Allocates only while `out` grows.
    pub fn write(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), RtpError> {
        let builder = RtpPacketBuilder::new()
            .payload_type(self.payload_type)
            .marked(self.marker)
            .sequence(self.seq.into())
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(payload);
        out.resize(builder.target_length(), 0);
        // The length is right and nothing else can be wrong but the payload type.
        builder.build_into(out).map(|_| ()).map_err(|_| RtpError::PayloadType)
    }
}

/// RTCP on the RTP port (RFC 5761 §4): the second octet lies in 192–223, which no RTP payload type in use reaches.
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes.get(1), Some(192..=223))
}

/// The sequence number nearest to `last` whose low 16 bits are `seq`. Order packets by this and never by
/// `rtp_rs::Seq`, whose `Ord` is not transitive.
pub const fn extend(last: u64, seq: u16) -> u64 {
    let step = seq.wrapping_sub(last as u16) as i16;
    last.saturating_add_signed(step as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { payload_type: 8, marker: true, seq: 65_535, timestamp: u32::MAX, ssrc: 0xdead_beef };

    #[test]
    fn a_packet_reads_back_as_it_was_written() {
        let mut out = vec![9; 400];
        HEADER.write(&[1, 2, 3], &mut out).unwrap();
        assert_eq!(out.len(), 15);
        assert_eq!(Packet::parse(&out), Ok(Packet { header: HEADER, payload: &[1, 2, 3] }));
    }

    #[test]
    fn broken_packets_are_named() {
        let mut out = Vec::new();
        HEADER.write(&[0], &mut out).unwrap();
        assert_eq!(Packet::parse(&out[..11]), Err(RtpError::Truncated));
        out[0] |= 0x20;
        assert_eq!(Packet::parse(&out), Err(RtpError::Padding));
        out[0] = 0x40;
        assert_eq!(Packet::parse(&out), Err(RtpError::Version));
        assert_eq!(Header { payload_type: 128, ..HEADER }.write(&[], &mut out), Err(RtpError::PayloadType));
    }

    #[test]
    fn rtcp_is_told_from_rtp_with_a_marker() {
        assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x80, 207]));
        assert!(!is_rtcp(&[0x80, 0x88]) && !is_rtcp(&[0x80, 0xe5]) && !is_rtcp(&[0x80]));
    }

    #[test]
    fn sequence_numbers_extend_over_the_wrap_in_both_directions() {
        assert_eq!(extend(65_535, 0), 65_536);
        assert_eq!(extend(65_536, 65_535), 65_535);
        assert_eq!(extend(3 * 65_536 + 10, 9), 3 * 65_536 + 9);
        assert_eq!(extend(0, 65_535), 0);
    }
}
