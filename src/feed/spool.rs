//! Bytes that come once, kept where they can be read twice: a file without a name, gone with the last handle.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::ListError;
use super::csv::LINE_MAX;
use super::source::Fingerprint;

/// Of a list that comes through a pipe, from a database or from the web.
pub const SPOOL_MAX: u64 = 8 * 1024 * 1024 * 1024;

const BUFFER: usize = 64 * 1024;
/// No encoding needs more bytes for a line of `LINE_MAX` bytes of UTF-8.
const RAW_LINE_MAX: u64 = 4 * LINE_MAX as u64;

/// A file in `folder` that no other process can open, and that a crash does not leave behind.
pub fn nameless(folder: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!(".goldenhour-{}-{}.spool", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(name);
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// Reads `from` to its end, and into `into` if there is one. Text whose line has no end stops it early.
pub fn drain(mut from: impl Read, mut into: Option<&mut File>) -> Result<Fingerprint, ListError> {
    let mut hash = Sha256::new();
    let mut lines = Lines::default();
    let mut buffer = vec![0; BUFFER];
    let mut size_bytes = 0;
    loop {
        let got = match from.read(&mut buffer) {
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ListError::Io(error)),
        };
        if got == 0 {
            return Ok(Fingerprint { sha256: hash.finalize().into(), size_bytes });
        }
        let chunk = buffer.get(..got).unwrap_or(&[]);
        lines.look(chunk, size_bytes == 0)?;
        hash.update(chunk);
        size_bytes += got as u64;
        if let Some(file) = &mut into {
            if size_bytes > SPOOL_MAX {
                return Err(ListError::TooLarge(SPOOL_MAX));
            }
            file.write_all(chunk).map_err(ListError::Io)?;
        }
    }
}

pub fn rewind(file: &mut File) -> Result<(), ListError> {
    file.rewind().map_err(ListError::Io)
}

/// Watches for a line without end, in what is not packed.
#[derive(Debug, Default)]
struct Lines {
    packed: bool,
    line: u64,
    since_break: u64,
}

impl Lines {
    fn look(&mut self, chunk: &[u8], first: bool) -> Result<(), ListError> {
        if first {
            self.line = 1;
            self.packed = [&b"\x1f\x8b"[..], b"PK\x03\x04", b"PAR1"].iter().any(|magic| chunk.starts_with(magic));
        }
        if self.packed {
            return Ok(());
        }
        let first_break = chunk.iter().position(|b| *b == b'\n');
        if self.since_break + first_break.unwrap_or(chunk.len()) as u64 > RAW_LINE_MAX {
            return Err(ListError::LineTooLong { line: self.line });
        }
        // A line that lies inside one buffer is short enough.
        match chunk.iter().rposition(|b| *b == b'\n') {
            Some(last) => {
                self.line += chunk.split(|b| *b == b'\n').skip(1).count() as u64;
                self.since_break = (chunk.len() - last - 1) as u64;
            }
            None => self.since_break += chunk.len() as u64,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_has_no_name_and_keeps_what_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = nameless(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let print = drain(&b"abc"[..], Some(&mut file)).unwrap();
        rewind(&mut file).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!((text.as_str(), &print.hex()[..8], print.size_bytes), ("abc", "ba7816bf", 3));
    }

    #[test]
    fn ten_gigabytes_without_a_line_break_stop_after_the_first_quarter_mebibyte() {
        struct Endless(u64);
        impl Read for Endless {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += into.len() as u64;
                assert!(self.0 < 1 << 20, "it reads on");
                into.fill(b'x');
                Ok(into.len())
            }
        }
        let head = b"a,b\n1,2\n".as_slice();
        let error = drain(head.chain(Endless(0)), None).unwrap_err();
        assert!(matches!(error, ListError::LineTooLong { line: 3 }), "{error}");
    }

    #[test]
    fn packed_bytes_have_no_lines() {
        let packed = [&b"PK\x03\x04"[..], &vec![b'x'; 1 << 20]].concat();
        assert_eq!(drain(&*packed, None).unwrap().size_bytes, 4 + (1 << 20));
    }
}
