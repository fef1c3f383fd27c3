//! RTCP packets (RFC 3550 §6): reports of two parties about each other, written and read.

const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const DESCRIPTION: u8 = 202;
const CNAME: u8 = 1;

/// Packets of one datagram that are looked at; nobody needs more than a handful.
const PACKETS_MAX: usize = 32;

/// What one side says about what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    /// The wall clock as NTP counts it: seconds since 1900, 32 bits of fraction.
    pub(super) ntp: u64,
    /// The same instant on the RTP clock.
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) octets: u32,
}

/// What one side says about what it hears of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) ssrc: u32,
    /// In 256ths, since the last report.
    pub(super) fraction_lost: u8,
    /// 24 bits with a sign: doubles count as found.
    pub(super) lost: i32,
    pub(super) highest: u32,
    /// In ticks of the RTP clock.
    pub(super) jitter: u32,
    pub(super) last_report: u32,
    /// In 65,536ths of a second.
    pub(super) delay: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) ssrc: u32,
    /// `None` from a side that sends nothing.
    pub(super) sender: Option<Sender>,
    pub(super) block: Option<Block>,
}

impl Report {
    /// Report and CNAME, in place of what `out` holds (§6.1: every compound has both).
    pub(super) fn write(&self, cname: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let kind = if self.sender.is_some() { SENDER } else { RECEIVER };
        let words = 1 + self.sender.map_or(0, |_| 5) + self.block.map_or(0, |_| 6);
        out.extend_from_slice(&[0x80 | u8::from(self.block.is_some()), kind, 0, words]);
        push(out, &[self.ssrc]);
        if let Some(sender) = self.sender {
            let (seconds, fraction) = ((sender.ntp >> 32) as u32, sender.ntp as u32);
            push(out, &[seconds, fraction, sender.timestamp, sender.packets, sender.octets]);
        }
        if let Some(block) = self.block {
            let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
            let loss = u32::from(block.fraction_lost) << 24 | lost;
            push(out, &[block.ssrc, loss, block.highest, block.jitter, block.last_report, block.delay]);
        }
        // One chunk with one item; at least one zero ends it, up to the next word (§6.5).
        let length = cname.len().min(255);
        let padding = 4 - (2 + length) % 4;
        let words = (4 + 2 + length + padding) / 4;
        out.extend_from_slice(&[0x81, DESCRIPTION, 0, words as u8]);
        push(out, &[self.ssrc]);
        out.extend_from_slice(&[CNAME, length as u8]);
        out.extend(cname.iter().take(length));
        out.extend(std::iter::repeat_n(0, padding));
    }
}

/// What a compound says to us: its first report, with the block about `ssrc`. `None` if it is not well formed (A.2).
/// Everything else in it, BYE too, is stepped over: calls end by SIP, which asks who says so.
pub(super) fn read(bytes: &[u8], ssrc: u32) -> Option<Report> {
    let mut report = None;
    let mut rest = bytes;
    for at in 0..PACKETS_MAX {
        let (&[first, kind, high, low], _) = rest.split_first_chunk::<4>()?;
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let (packet, tail) = rest.split_at_checked(length)?;
        if first >> 6 != 2 || (at == 0 && !matches!(kind, SENDER | RECEIVER)) {
            return None;
        }
        if matches!(kind, SENDER | RECEIVER) {
            let read = read_report(packet.get(4..)?, kind, first & 0x1f, ssrc)?;
            let known = report.get_or_insert(read);
            if known.ssrc == read.ssrc {
                known.block = known.block.or(read.block);
            }
        }
        rest = tail;
        if rest.is_empty() {
            return report;
        }
    }
    None
}

fn read_report(body: &[u8], kind: u8, blocks: u8, ours: u32) -> Option<Report> {
    let (ssrc, mut rest) = word(body)?;
    let mut sender = None;
    if kind == SENDER {
        let [seconds, fraction, timestamp, packets, octets] = words(&mut rest)?;
        sender = Some(Sender { ntp: u64::from(seconds) << 32 | u64::from(fraction), timestamp, packets, octets });
    }
    let mut block = None;
    for _ in 0..blocks {
        let [about, loss, highest, jitter, last_report, delay] = words(&mut rest)?;
        if about == ours && block.is_none() {
            // The sign of 24 bits is carried up.
            let (fraction_lost, lost) = ((loss >> 24) as u8, (loss << 8).cast_signed() >> 8);
            block = Some(Block { ssrc: about, fraction_lost, lost, highest, jitter, last_report, delay });
        }
    }
    Some(Report { ssrc, sender, block })
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*word), rest))
}

fn words<const N: usize>(rest: &mut &[u8]) -> Option<[u32; N]> {
    let mut out = [0; N];
    for place in &mut out {
        (*place, *rest) = word(rest)?;
    }
    Some(out)
}

fn push(out: &mut Vec<u8>, words: &[u32]) {
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Rng, unhex};

    const BLOCK: Block = Block {
        ssrc: 1,
        fraction_lost: 64,
        lost: -3,
        highest: 0x0001_0005,
        jitter: 80,
        last_report: 0x1234_5678,
        delay: 0x0001_8000,
    };
    const SENT: Sender = Sender { ntp: 0xe000_0000_8000_0000, timestamp: 160, packets: 7, octets: 1_120 };

    fn written(report: &Report) -> Vec<u8> {
        let mut out = vec![9; 3];
        report.write(b"0123456789abcdef01234567", &mut out);
        out
    }

    #[test]
    fn a_report_is_laid_out_as_the_rfc_draws_it() {
        let sr = written(&Report { ssrc: 2, sender: Some(SENT), block: Some(BLOCK) });
        let want = "81c8000c00000002e0000000800000 00000000a00000000700000460\
            0000000140fffffd000100050000005012345678000180 0081ca0008000000020118\
            3031323334353637383961626364656630313233343536370000";
        assert_eq!(sr, unhex(&want.replace(' ', "")).unwrap());
        assert_eq!(written(&Report { ssrc: 2, sender: None, block: None })[..8], [0x80, 201, 0, 1, 0, 0, 0, 2]);
    }

    #[test]
    fn a_report_reads_back_as_it_was_written() {
        for sender in [None, Some(SENT)] {
            for block in [None, Some(BLOCK)] {
                let report = Report { ssrc: 2, sender, block };
                let bytes = written(&report);
                assert_eq!((bytes.len() % 4, read(&bytes, 1)), (0, Some(report)));
                assert_eq!(read(&bytes, 5), Some(Report { block: None, ..report }), "a block about somebody else");
            }
        }
    }

    #[test]
    fn a_bye_is_stepped_over_and_a_bye_alone_is_no_report() {
        let bye = [0x81, 203, 0, 1, 0, 0, 0, 2];
        let report = Report { ssrc: 2, sender: None, block: Some(BLOCK) };
        assert_eq!(read(&[written(&report), bye.to_vec()].concat(), 1), Some(report));
        assert_eq!(read(&bye, 1), None);
    }

    #[test]
    fn what_is_shorter_than_it_says_or_not_of_version_two_is_nothing() {
        let whole = written(&Report { ssrc: 2, sender: Some(SENT), block: Some(BLOCK) });
        // Without its description a report is whole too.
        assert!((0..whole.len()).filter(|n| *n != 52).all(|n| read(&whole[..n], 1).is_none()));
        let mut wrong = whole.clone();
        wrong[0] = 0x41;
        assert_eq!(read(&wrong, 1), None);
        let mut more_blocks = whole;
        more_blocks[0] = 0x9f;
        assert_eq!(read(&more_blocks, 1), None);
        assert_eq!(read(&[0x80, 201, 0, 1, 0, 0, 0, 2].repeat(33), 1), None);
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut rng = Rng::seeded(4);
        let whole = written(&Report { ssrc: 2, sender: Some(SENT), block: Some(BLOCK) });
        for _ in 0..100_000 {
            let mut bytes = whole.clone();
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len() as u32) as usize;
                bytes[at] = rng.u32() as u8;
            }
            bytes.truncate(rng.below(100) as usize);
            let _nothing = read(&bytes, 1);
        }
    }
}
