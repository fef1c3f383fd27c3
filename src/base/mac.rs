//! Keys of HMAC.

/// A key shorter than the block is padded with zeros (RFC 2104 §2); 64 octets are a block of SHA-1 and of SHA-256.
pub fn mac_block<const N: usize>(key: &[u8; N]) -> [u8; 64] {
    const { assert!(N <= 64, "a longer key is hashed first, which nobody here needs") };
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    block
}
