//! Names on the wire that can be made again from the attempt alone: branch and tag are keyed hashes of its id, so that a
//! daemon that crashed can still CANCEL what it started.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::{AttemptId, LegId, mac_block};

/// Characters of a Call-ID of ours.
const UUID_LEN: usize = 36;
/// Hex digits of a keyed name: 96 bits.
const HEX: usize = 24;
/// `z9hG4bK` and the hex digits.
pub const BRANCH_LEN: usize = 7 + HEX;
/// A branch parameter.
pub type Branch = [u8; BRANCH_LEN];
/// A From or To tag of ours.
pub type Tag = [u8; HEX];

/// What a branch is for; requests that share a CSeq number must not share a branch (RFC 3261 §13.2.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The INVITE (and its CANCEL and non-2xx ACK): the number of the trunk tried times 16, and the number of the target
    /// tried within it. Both count from 0 and end at 15.
    Invite(u8),
    /// ACK of a 2xx, by fingerprint of the To tag.
    Ack(u64),
    /// Any other request of ours within a dialog, by fingerprint of the To tag.
    Request(u64),
}

/// The keyed hash behind all names of one daemon. The key must outlive restarts.
#[derive(Clone)]
pub struct Ids {
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    pub fn new(key: &[u8; 32]) -> Self {
        Self { mac: Hmac::new(&mac_block(key).into()) }
    }

    /// `z9hG4bK` + HMAC-SHA256(key, id, CSeq, hop), cut to 96 bits.
    pub fn branch(&self, leg: LegId, cseq: u32, hop: Hop) -> Branch {
        let (kind, value) = match hop {
            Hop::Invite(n) => (0u8, u64::from(n)),
            Hop::Ack(tag) => (1, tag),
            Hop::Request(tag) => (2, tag),
        };
        let mut branch = *b"z9hG4bK000000000000000000000000";
        let hex = self.hex(&[&leg.0.bytes(), &cseq.to_be_bytes(), &[b'b', kind], &value.to_be_bytes()]);
        if let Some(tail) = branch.get_mut(7..) {
            tail.copy_from_slice(&hex);
        }
        branch
    }

    /// Our tag in every dialog of this leg: From where we call, To where we are called.
    pub fn tag(&self, leg: LegId) -> Tag {
        self.hex(&[&leg.0.bytes(), b"t"])
    }

    /// The leg behind a Call-ID: the attempt it spells, or a keyed hash of what a stranger chose.
    pub fn leg(&self, call_id: &[u8]) -> LegId {
        if let Some(id) = canonical_uuid(call_id) {
            return LegId(AttemptId(id));
        }
        let digest = self.digest(&[call_id, b"c"]);
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        LegId(AttemptId::from_bytes(id))
    }

    /// A client nonce for digest answers (RFC 7616 §3.4): unguessable without the key.
    pub fn cnonce(&self, leg: LegId, nonce: &[u8], count: u32) -> Tag {
        self.hex(&[&leg.0.bytes(), nonce, &count.to_be_bytes(), b"n"])
    }

    /// A number for waits that two sides must not choose alike (RFC 3261 §14.1).
    pub fn draw(&self, leg: LegId, cseq: u32) -> u64 {
        let digest = self.digest(&[&leg.0.bytes(), &cseq.to_be_bytes(), b"w"]);
        digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    fn hex(&self, parts: &[&[u8]]) -> Tag {
        let mut text = [0; HEX];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.digest(parts)) {
            if let [high, low] = pair {
                *high = hex_digit(byte >> 4);
                *low = hex_digit(byte & 15);
            }
        }
        text
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The attempt that a Call-ID spells. Ids of attempts are of version 7 (RFC 9562 §5.7); heartbeats and strangers have others.
pub fn attempt_of(call_id: &[u8]) -> Option<AttemptId> {
    canonical_uuid(call_id).filter(|id| id >> 76 & 15 == 7).map(AttemptId)
}

/// The hyphenated text of a leg's id, its Call-ID.
pub fn call_id(leg: LegId) -> [u8; UUID_LEN] {
    let mut text = [b'-'; UUID_LEN];
    let mut rest = text.as_mut_slice();
    for (index, byte) in leg.0.bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            rest.split_off_first_mut();
        }
        for nibble in [byte >> 4, byte & 15] {
            if let Some(digit) = rest.split_off_first_mut() {
                *digit = hex_digit(nibble);
            }
        }
    }
    text
}

pub const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// Exactly the text that `call_id` makes: lower case, hyphens in their places.
fn canonical_uuid(text: &[u8]) -> Option<u128> {
    let text: &[u8; UUID_LEN] = text.try_into().ok()?;
    let mut rest = text.as_slice();
    let mut value = 0u128;
    for (nth, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if nth > 0 {
            rest = rest.strip_prefix(b"-")?;
        }
        let (part, tail) = rest.split_at_checked(digits)?;
        let mut number = 0u64;
        for &byte in part {
            let nibble = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            number = number << 4 | u64::from(nibble);
        }
        value = value << (4 * digits) | u128::from(number);
        rest = tail;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg() -> LegId {
        LegId(AttemptId(0x0190_0000_0000_7000_8000_0000_0000_00ff))
    }

    #[test]
    fn a_call_id_spells_its_leg_and_only_in_canonical_form() {
        let ids = Ids::new(&[7; 32]);
        let text = call_id(leg());
        assert_eq!(String::from_utf8(text.to_vec()).unwrap(), leg().0.to_string());
        assert_eq!(ids.leg(&text), leg());
        assert_ne!(ids.leg(&text.to_ascii_uppercase()), leg());
        for at in [0, 8, 9, 13, 18, 23, 35] {
            let mut other = text;
            other[at] = if other[at] == b'-' { b'0' } else { b'-' };
            assert_ne!(ids.leg(&other), leg(), "{at}");
        }
        assert_ne!(ids.leg(b"a@b"), ids.leg(b"a@c"));
    }

    #[test]
    fn names_depend_on_key_leg_cseq_and_hop() {
        let ids = Ids::new(&[7; 32]);
        let branch = ids.branch(leg(), 1, Hop::Invite(0));
        assert!(branch.starts_with(b"z9hG4bK"));
        assert_eq!(branch, Ids::new(&[7; 32]).branch(leg(), 1, Hop::Invite(0)));
        let others = [
            Ids::new(&[8; 32]).branch(leg(), 1, Hop::Invite(0)),
            ids.branch(LegId::default(), 1, Hop::Invite(0)),
            ids.branch(leg(), 2, Hop::Invite(0)),
            ids.branch(leg(), 1, Hop::Invite(1)),
            ids.branch(leg(), 1, Hop::Ack(0)),
            ids.branch(leg(), 1, Hop::Request(0)),
        ];
        assert!(others.iter().all(|other| *other != branch));
    }
}
