//! Reads pieces of a Parquet file, and none that would unpack to more than memory is meant to hold.

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use thiserror::Error;

/// Of the footer, and of any other piece as it lies in the file.
const PIECE_MAX: u64 = 64 * 1024 * 1024;
/// The length of the footer's own end: its size and `PAR1`.
const TAIL: u64 = 8;

#[derive(Debug)]
pub struct Guard {
    pub file: File,
    /// Of one page, unpacked.
    pub page_max: u64,
}

/// A page or the footer is larger than this.
#[derive(Debug, Error)]
#[error("a piece of more than {0} bytes")]
pub struct TooLarge(pub u64);

impl Length for Guard {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Guard {
    type T = BufReader<File>;

    /// Asked for the header of each page, and for the end of the footer.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        if start.saturating_add(TAIL) != self.len() {
            let mut head = [0; 16];
            let got = self.file.read_at(&mut head, start)?;
            let size = unpacked(head.get(..got).unwrap_or(&[]))
                .ok_or_else(|| ParquetError::General("a page without its size".to_owned()))?;
            within(size, self.page_max)?;
        }
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        within(length as u64, PIECE_MAX)?;
        self.file.get_bytes(start, length)
    }
}

fn within(size: u64, most: u64) -> Result<()> {
    if size > most { Err(ParquetError::External(Box::new(TooLarge(most)))) } else { Ok(()) }
}

/// The second field of `PageHeader` (parquet.thrift): `type`, then `uncompressed_page_size`, both i32. In the compact
/// protocol of Thrift a field that follows its neighbour begins with 0x15, and its number is a zigzag varint.
fn unpacked(head: &[u8]) -> Option<u64> {
    let (_, rest) = varint(head.strip_prefix(&[0x15])?)?;
    let (zigzag, _) = varint(rest.strip_prefix(&[0x15])?)?;
    (zigzag % 2 == 0).then_some(zigzag / 2)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = 1 + bytes.iter().take(5).position(|byte| *byte < 0x80)?;
    let (own, rest) = bytes.split_at_checked(length)?;
    Some((own.iter().rev().fold(0, |n, byte| (n << 7) | u64::from(byte & 0x7f)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_page_is_read_from_its_header() {
        // A data page of 300 bytes: zigzag 600 is 0xd8 0x04.
        assert_eq!(unpacked(&[0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x02]), Some(300));
        assert_eq!(unpacked(&[0x15, 0x04, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f]), Some(i32::MAX as u64));
        for bad in [&[][..], &[0x15], &[0x15, 0x00, 0x25, 0x02], &[0x15, 0x00, 0x15, 0x01], &[0x15, 0x80]] {
            assert_eq!(unpacked(bad), None);
        }
    }
}
