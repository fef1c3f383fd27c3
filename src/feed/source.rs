//! A list as it lies on disk: its checksum, and its text as a stream of UTF-8 whatever it was packed in.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_8};
use flate2::read::MultiGzDecoder;

use super::ListError;
use super::encoding::{self, Malformed, Utf8Reader};

const BUFFER: usize = 64 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What identifies a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the file as it lies there, compressed or not.
    pub sha256: [u8; 32],
    pub size_bytes: u64,
}

/// UTF-8 lines of a list, without byte order mark.
pub struct Source {
    pub text: Box<dyn BufRead + Send>,
    pub had_bom: bool,
    /// Bytes of the file read so far, for progress.
    pub read_bytes: Arc<AtomicU64>,
}

impl Fingerprint {
    pub fn hex(&self) -> String {
        crate::base::hex(&self.sha256)
    }
}

impl Source {
    /// Plain or gzip, told apart by the first two bytes (RFC 1952 §2.3.1). Without a name the text has to be UTF-8.
    pub fn open(path: &Path, encoding: Option<&str>) -> Result<Self, ListError> {
        let file = File::open(path).map_err(ListError::Io)?;
        Self::from_reader(file, encoding)
    }

    pub fn from_reader(input: impl Read + Send + 'static, encoding: Option<&str>) -> Result<Self, ListError> {
        let encoding = known(encoding)?;
        let read_bytes = Arc::new(AtomicU64::new(0));
        let mut raw = BufReader::with_capacity(BUFFER, Counted { input, read_bytes: Arc::clone(&read_bytes) });
        let head = raw.fill_buf().map_err(ListError::Io)?;
        if head.is_empty() {
            return Err(ListError::Empty("the file has no content"));
        }
        let gzip = head.starts_with(&[0x1f, 0x8b]);
        let plain: Box<dyn BufRead + Send> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER, Gunzip(MultiGzDecoder::new(raw))))
        } else {
            Box::new(raw)
        };
        let (text, had_bom) = decode(plain, encoding)?;
        Ok(Self { text, had_bom, read_bytes })
    }
}

/// UTF-8 is only passed on: whoever cuts it into lines checks it there, and can name the line.
fn decode(
    mut plain: Box<dyn BufRead + Send>,
    encoding: &'static encoding_rs::Encoding,
) -> Result<(Box<dyn BufRead + Send>, bool), ListError> {
    if encoding != UTF_8 {
        return Ok((Box::new(BufReader::with_capacity(BUFFER, Utf8Reader::new(plain, encoding))), false));
    }
    let head = plain.fill_buf().map_err(|e| read_error(e, 0))?;
    if let Some(guess @ ("utf-16le" | "utf-16be")) = encoding::guess(head) {
        let what = format!("the file looks like {guess}, not UTF-8");
        return Err(ListError::Encoding { line: 1, what, guess: Some(guess) });
    }
    let had_bom = head.starts_with(BOM);
    if had_bom {
        plain.consume(BOM.len());
    }
    Ok((plain, had_bom))
}

/// What went wrong below a stream of text, behind line `after`.
pub(super) fn known(encoding: Option<&str>) -> Result<&'static Encoding, ListError> {
    match encoding {
        None => Ok(UTF_8),
        Some(name) => encoding::by_name(name).ok_or_else(|| ListError::UnknownEncoding(name.to_owned())),
    }
}

pub fn read_error(error: io::Error, after: u64) -> ListError {
    match error.get_ref() {
        Some(inner) if inner.is::<Malformed>() => {
            ListError::Encoding { line: after + 1, what: inner.to_string(), guess: None }
        }
        Some(inner) if inner.is::<Damaged>() => ListError::Gzip(error),
        _ => ListError::Io(error),
    }
}

/// Marks errors of the decompressor, which flate2 reports under the same kinds as a disk would.
struct Gunzip<R>(MultiGzDecoder<R>);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Damaged(io::Error);

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        self.0.read(into).map_err(|error| {
            let damaged = matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof);
            if damaged { io::Error::new(InvalidData, Damaged(error)) } else { error }
        })
    }
}

struct Counted<R> {
    input: R,
    read_bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(into)?;
        self.read_bytes.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("had_bom", &self.had_bom).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text).unwrap();
        gz.finish().unwrap()
    }

    fn read(bytes: Vec<u8>, encoding: Option<&str>) -> Result<(String, bool), ListError> {
        let mut source = Source::from_reader(io::Cursor::new(bytes), encoding)?;
        let mut text = String::new();
        source.text.read_to_string(&mut text).map_err(|e| read_error(e, 0))?;
        Ok((text, source.had_bom))
    }

    #[test]
    fn plain_and_packed_and_marked_files_give_the_same_text() {
        let text = "a,b\n1,账\n";
        assert_eq!(read(text.into(), None).unwrap(), (text.to_owned(), false));
        assert_eq!(read(packed(text.as_bytes()), None).unwrap(), (text.to_owned(), false));
        let marked = [BOM, text.as_bytes()].concat();
        assert_eq!(read(marked.clone(), None).unwrap(), (text.to_owned(), true));
        assert_eq!(read(packed(&marked), None).unwrap(), (text.to_owned(), true));
    }

    #[test]
    fn two_gzip_members_are_one_file() {
        let both = [packed(b"a\n"), packed(b"b\n")].concat();
        assert_eq!(read(both, None).unwrap().0, "a\nb\n");
    }

    #[test]
    fn a_packed_file_cut_short_is_damaged_not_short() {
        let mut cut = packed(&b"a,b,c\n".repeat(100));
        cut.truncate(cut.len() - 6);
        assert!(matches!(read(cut, None), Err(ListError::Gzip(_))));
    }

    #[test]
    fn other_encodings_are_read_by_name_and_only_by_name() {
        let text = "键,账单\n";
        let (gb, _, _) = encoding_rs::GB18030.encode(text);
        assert_eq!(read(gb.to_vec(), Some("GB18030")).unwrap().0, text);
        let wide: Vec<u8> = "key,x,y,z\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(wide.clone(), Some("utf-16le")).unwrap().0, "key,x,y,z\n");
        assert!(matches!(read(wide, None), Err(ListError::Encoding { guess: Some("utf-16le"), .. })));
        assert!(matches!(read(b"a".to_vec(), Some("klingon")), Err(ListError::UnknownEncoding(_))));
    }

    #[test]
    fn an_empty_file_is_an_error() {
        assert!(matches!(read(Vec::new(), None), Err(ListError::Empty(_))));
        assert!(matches!(read(b"a\xff".to_vec(), Some("gb18030")), Err(ListError::Encoding { .. })));
    }
}
