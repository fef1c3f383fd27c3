//! The two ways to seal a packet: counter mode with HMAC-SHA-1 (RFC 3711 §4) and AES-256 in GCM (RFC 7714).

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::base::mac_block;

/// Octets of an authentication tag.
const MAC_TAG: usize = 10;
const GCM_TAG: usize = 16;
/// Of a report, these travel in the clear: its first header, and who sent it.
const REPORT_HEAD: usize = 8;
/// In front of a report's number: it is encrypted. Nothing else was agreed on (RFC 4568 §6.3.2).
const ENCRYPTED: u32 = 0x8000_0000;
/// Blocks that are encrypted side by side; a packet of 20 ms of G.711 is ten.
const BATCH: usize = 10;

pub(super) enum Transform {
    Counter(Box<Counter>),
    Gcm(Box<Gcm>),
}

pub(super) struct Counter {
    cipher: Aes128,
    mac: Hmac<Sha1>,
    salt: u128,
}

pub(super) struct Gcm {
    cipher: Aes256Gcm,
    salt: u128,
}

impl Transform {
    pub(super) fn counter(key: [u8; 16], mac: [u8; 20], salt: [u8; 14]) -> Self {
        let (cipher, mac) = (Aes128::new(&Array(key)), Hmac::new(&mac_block(&mac).into()));
        Self::Counter(Box::new(Counter { cipher, mac, salt: big_endian(&salt) << 16 }))
    }

    pub(super) fn gcm(key: [u8; 32], salt: [u8; 12]) -> Self {
        Self::Gcm(Box::new(Gcm { cipher: Aes256Gcm::new(&Array(key)), salt: big_endian(&salt) }))
    }

    /// `head` octets stay readable. `index` is the packet's number with its rollovers.
    pub(super) fn seal(&self, head: usize, ssrc: u32, index: u64, packet: &mut Vec<u8>) -> Option<()> {
        let (clear, payload) = packet.split_at_mut_checked(head)?;
        match self {
            Self::Counter(counter) => {
                keystream(&counter.cipher, counter.iv(ssrc, index), payload);
                let tag = counter.tag(packet, rollovers(index)).finalize().into_bytes();
                packet.extend_from_slice(tag.get(..MAC_TAG)?);
            }
            Self::Gcm(gcm) => {
                let tag = gcm.cipher.encrypt_inout_detached(&gcm.iv(ssrc, index), clear, payload.into()).ok()?;
                packet.extend_from_slice(&tag);
            }
        }
        Some(())
    }

    /// Leaves in `packet` what `seal` was given. What does not verify must not be looked at.
    pub(super) fn open(&self, head: usize, ssrc: u32, index: u64, packet: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Counter(counter) => {
                let end = packet.len().checked_sub(MAC_TAG).filter(|end| *end >= head)?;
                let (body, tag) = packet.split_at_mut_checked(end)?;
                counter.tag(body, rollovers(index)).verify_truncated_left(tag).ok()?;
                keystream(&counter.cipher, counter.iv(ssrc, index), body.get_mut(head..)?);
                packet.truncate(end);
            }
            Self::Gcm(gcm) => {
                let end = packet.len().checked_sub(GCM_TAG).filter(|end| *end >= head)?;
                let (body, tag) = packet.split_at_mut_checked(end)?;
                let (clear, payload) = body.split_at_mut_checked(head)?;
                let tag = Tag::try_from(&*tag).ok()?;
                gcm.cipher.decrypt_inout_detached(&gcm.iv(ssrc, index), clear, payload.into(), &tag).ok()?;
                packet.truncate(end);
            }
        }
        Some(())
    }

    pub(super) fn seal_report(&self, ssrc: u32, index: u32, packet: &mut Vec<u8>) -> Option<()> {
        let (clear, payload) = packet.split_first_chunk_mut::<REPORT_HEAD>()?;
        let number = (ENCRYPTED | index).to_be_bytes();
        match self {
            Self::Counter(counter) => {
                keystream(&counter.cipher, counter.iv(ssrc, u64::from(index)), payload);
                let tag = counter.tag(packet, number).finalize().into_bytes();
                packet.extend_from_slice(&number);
                packet.extend_from_slice(tag.get(..MAC_TAG)?);
            }
            Self::Gcm(gcm) => {
                let (iv, known) = (gcm.iv(ssrc, u64::from(index)), known(*clear, number));
                let tag = gcm.cipher.encrypt_inout_detached(&iv, &known, payload.into()).ok()?;
                packet.extend_from_slice(&tag);
                packet.extend_from_slice(&number);
            }
        }
        Some(())
    }

    /// The number of a sealed report. `None` where it says that it is not encrypted.
    pub(super) fn report_index(&self, packet: &[u8]) -> Option<u32> {
        let end = match self {
            Self::Counter(_) => packet.len().checked_sub(MAC_TAG)?,
            Self::Gcm(_) => packet.len(),
        };
        let (_, number) = packet.get(..end)?.split_last_chunk::<4>()?;
        let number = u32::from_be_bytes(*number);
        (number & ENCRYPTED != 0).then_some(number & !ENCRYPTED)
    }

    pub(super) fn open_report(&self, ssrc: u32, index: u32, packet: &mut Vec<u8>) -> Option<()> {
        let number = (ENCRYPTED | index).to_be_bytes();
        match self {
            Self::Counter(counter) => {
                let end = packet.len().checked_sub(4 + MAC_TAG).filter(|end| *end >= REPORT_HEAD)?;
                let (body, tail) = packet.split_at_mut_checked(end)?;
                counter.tag(body, number).verify_truncated_left(tail.get(4..)?).ok()?;
                keystream(&counter.cipher, counter.iv(ssrc, u64::from(index)), body.get_mut(REPORT_HEAD..)?);
                packet.truncate(end);
            }
            Self::Gcm(gcm) => {
                let end = packet.len().checked_sub(4 + GCM_TAG).filter(|end| *end >= REPORT_HEAD)?;
                let (body, tail) = packet.split_at_mut_checked(end)?;
                let (clear, payload) = body.split_first_chunk_mut::<REPORT_HEAD>()?;
                let (iv, known) = (gcm.iv(ssrc, u64::from(index)), known(*clear, number));
                let tag = Tag::try_from(tail.get(..GCM_TAG)?).ok()?;
                gcm.cipher.decrypt_inout_detached(&iv, &known, payload.into(), &tag).ok()?;
                packet.truncate(end);
            }
        }
        Some(())
    }
}

impl Counter {
    /// RFC 3711 §4.1.1.
    fn iv(&self, ssrc: u32, index: u64) -> u128 {
        self.salt ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16
    }

    /// Over the packet and what is not in it (§4.2): the rollovers, or in reports the number.
    fn tag(&self, packet: &[u8], beside: [u8; 4]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(packet);
        mac.update(&beside);
        mac
    }
}

impl Gcm {
    /// RFC 7714 §8.1 and §9.1: 16 zeros, SSRC, and the number in 48 bits, xor the salt.
    fn iv(&self, ssrc: u32, index: u64) -> Nonce<aes_gcm::aead::consts::U12> {
        let iv = self.salt ^ u128::from(ssrc) << 48 ^ u128::from(index);
        let [_, _, _, _, iv @ ..] = iv.to_be_bytes();
        iv.into()
    }
}

/// Adds the keystream that begins at `iv`, whose last 16 bits count blocks.
pub(super) fn keystream<C>(cipher: &C, iv: u128, data: &mut [u8])
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut counter = iv;
    for run in data.chunks_mut(16 * BATCH) {
        let mut blocks: [Array<u8, U16>; BATCH] = Default::default();
        let used = run.len().div_ceil(16);
        for block in blocks.iter_mut().take(used) {
            *block = counter.to_be_bytes().into();
            counter = counter.wrapping_add(1);
        }
        cipher.encrypt_blocks(blocks.get_mut(..used).unwrap_or_default());
        run.iter_mut().zip(blocks.iter().flatten()).for_each(|(to, key)| *to ^= key);
    }
}

fn rollovers(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RFC 7714 §9.2: what of a report is known but not secret.
fn known(clear: [u8; REPORT_HEAD], number: [u8; 4]) -> [u8; REPORT_HEAD + 4] {
    let mut known = [0; REPORT_HEAD + 4];
    known.iter_mut().zip(clear.into_iter().chain(number)).for_each(|(to, from)| *to = from);
    known
}

fn big_endian(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}
