//! Numbers and texts as few bytes, and back. Whatever cannot be read is `None`: damage is no panic.

use crate::base::Wall;

/// Longer than any text or list that the engine is told of.
const LENGTH_MAX: u64 = 1 << 30;

#[derive(Debug, Default)]
pub(super) struct Pack(pub(super) Vec<u8>);

impl Pack {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn yes(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    /// Seven bits at a time, the lowest first (LEB128).
    pub(super) fn number(&mut self, value: u64) {
        let mut rest = value;
        while rest > 0x7F {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    pub(super) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(super) fn wide(&mut self, value: u128) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn eight(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// By its bits: what comes back is the same number, whatever it is.
    pub(super) fn real(&mut self, value: f64) {
        self.eight(value.to_bits());
    }

    pub(super) fn short_real(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_bits().to_be_bytes());
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(super) fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub(super) fn wall(&mut self, value: Wall) {
        self.signed(value.0);
    }

    pub(super) fn maybe<T>(&mut self, value: Option<T>, mut pack: impl FnMut(&mut Self, T)) {
        self.yes(value.is_some());
        if let Some(value) = value {
            pack(self, value);
        }
    }

    pub(super) fn list<T>(&mut self, values: impl ExactSizeIterator<Item = T>, mut pack: impl FnMut(&mut Self, T)) {
        self.number(values.len() as u64);
        values.for_each(|value| pack(self, value));
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Unpack<'a>(pub(super) &'a [u8]);

impl<'a> Unpack<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn yes(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn wide(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }

    pub(super) fn real(&mut self) -> Option<f64> {
        self.eight().map(f64::from_bits)
    }

    pub(super) fn eight(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn short_real(&mut self) -> Option<f32> {
        self.array().map(u32::from_be_bytes).map(f32::from_bits)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number().filter(|length| *length <= LENGTH_MAX)?;
        let (own, rest) = self.0.split_at_checked(length as usize)?;
        self.0 = rest;
        Some(own)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    pub(super) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(std::str::from_utf8(self.bytes()?).ok()?)
    }

    pub(super) fn wall(&mut self) -> Option<Wall> {
        self.signed().map(Wall)
    }

    #[expect(clippy::option_option, reason = "damage, nothing, or a value")]
    pub(super) fn maybe<T>(&mut self, unpack: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.yes()? { unpack(self).map(Some) } else { Some(None) }
    }

    pub(super) fn list<T>(&mut self, mut unpack: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()?;
        // Every item takes a byte at least, so a wrong length cannot ask for more room than there are bytes.
        let mut items = Vec::with_capacity(usize::try_from(length).ok()?.min(self.0.len()));
        for _ in 0..length {
            items.push(unpack(self)?);
        }
        Some(items)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (own, rest) = self.0.split_at_checked(N)?;
        self.0 = rest;
        own.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_come_back() {
        let mut pack = Pack::default();
        let numbers = [0, 1, 127, 128, 300, u64::MAX];
        let signed = [0, -1, 1, i64::MIN, i64::MAX];
        for value in numbers {
            pack.number(value);
        }
        for value in signed {
            pack.signed(value);
        }
        pack.short_real(f32::NAN);
        pack.text("账");
        let mut unpack = Unpack(&pack.0);
        assert!(numbers.iter().all(|value| unpack.number() == Some(*value)));
        assert!(signed.iter().all(|value| unpack.signed() == Some(*value)));
        assert_eq!(unpack.short_real().map(f32::to_bits), Some(f32::NAN.to_bits()));
        assert_eq!((unpack.text().as_deref(), unpack.is_empty()), (Some("账"), true));
    }

    #[test]
    fn a_length_that_cannot_be_true_asks_for_no_memory() {
        let mut pack = Pack::default();
        pack.number(u64::MAX);
        assert_eq!(Unpack(&pack.0).list(Unpack::byte), None);
        assert_eq!(Unpack(&pack.0).bytes(), None);
    }
}
