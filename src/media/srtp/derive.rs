//! Session keys from a master key (RFC 3711 §4.3, RFC 7714 §11), at a key derivation rate of zero: once for each key.

use aes::cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes::{Aes128, Aes256};

use super::transform::{Transform, keystream};
use super::{MasterKey, Suite};

/// One side's keys for both kinds of packets.
pub(super) struct Session {
    pub(super) rtp: Transform,
    pub(super) rtcp: Transform,
}

impl Session {
    pub(super) fn derive(suite: Suite, master: &MasterKey) -> Self {
        // Labels of §4.3.2: cipher key, authentication key, salt.
        Self { rtp: transform(suite, master, [0, 1, 2]), rtcp: transform(suite, master, [3, 4, 5]) }
    }
}

fn transform(suite: Suite, MasterKey(master): &MasterKey, [cipher, mac, salt]: [u8; 3]) -> Transform {
    match suite {
        Suite::AesCm128HmacSha1_80 => {
            let prf = Prf { cipher: Aes128::new(&Array(part(master, 0))), salt: part(master, 16) };
            Transform::counter(prf.draw(cipher), prf.draw(mac), prf.draw(salt))
        }
        Suite::AeadAes256Gcm => {
            // Its salt is two octets shorter: zeros follow.
            let prf = Prf { cipher: Aes256::new(&Array(part(master, 0))), salt: part(master, 32) };
            Transform::gcm(prf.draw(cipher), prf.draw(salt))
        }
    }
}

/// `N` octets from `at`, and zeros where there are none.
fn part<const N: usize>(of: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(of.iter().skip(at)).for_each(|(to, from)| *to = *from);
    out
}

/// AES in counter mode over label and salt.
pub(super) struct Prf<C> {
    pub(super) cipher: C,
    pub(super) salt: [u8; 14],
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> Prf<C> {
    pub(super) fn draw<const N: usize>(&self, label: u8) -> [u8; N] {
        let mut salt = 0_u128;
        for byte in self.salt {
            salt = salt << 8 | u128::from(byte);
        }
        // The label stands before 48 bits of the packet's number over the rate, which are zero.
        let x = salt ^ u128::from(label) << 48;
        let mut out = [0; N];
        keystream(&self.cipher, x << 16, &mut out);
        out
    }
}
