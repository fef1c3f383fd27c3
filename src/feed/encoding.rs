//! Which encoding a file is in, and turning it into UTF-8 as it streams past.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, Encoding, GB18030};

/// By its label in the WHATWG list (`gb18030`, `gbk`, `big5`, `utf-16le`, …).
pub fn by_name(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(name.trim().as_bytes())
}

/// What bytes that are not UTF-8 most likely are. `None` where a guess would be a coin toss.
pub fn guess(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] => return Some("utf-16le"),
        [0xfe, 0xff, ..] => return Some("utf-16be"),
        _ => {}
    }
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    if bytes.len() >= 8 && zeros(1) * 3 > bytes.len() && zeros(0) == 0 {
        return Some("utf-16le");
    }
    if bytes.len() >= 8 && zeros(0) * 3 > bytes.len() && zeros(1) == 0 {
        return Some("utf-16be");
    }
    looks_like_gb18030(bytes).then_some("gb18030")
}

/// Nearly any pair of high bytes is some GB18030 character, but only Chinese text is mostly made of the 6,763 common
/// ideographs of GB 2312 (rows 16 to 87: lead byte 0xB0 to 0xF7, trail byte from 0xA1).
fn looks_like_gb18030(bytes: &[u8]) -> bool {
    let whole = bytes.len() - usize::from(cut_in_two(bytes));
    let bytes = bytes.get(..whole).unwrap_or(bytes);
    if bytes.is_ascii() || GB18030.decode_without_bom_handling_and_without_replacement(bytes).is_none() {
        return false;
    }
    let (mut pairs, mut common, mut at) = (0, 0, 0);
    while let Some(lead) = bytes.get(at) {
        let trail = bytes.get(at + 1).copied().unwrap_or(0);
        at += if *lead < 0x80 { 1 } else { 2 };
        pairs += usize::from(*lead >= 0x80);
        common += usize::from((0xb0..=0xf7).contains(lead) && trail >= 0xa1);
    }
    common * 2 >= pairs
}

/// Does a sample end after the first byte of a pair?
fn cut_in_two(bytes: &[u8]) -> bool {
    bytes.iter().rev().take_while(|b| **b >= 0x80).count() % 2 == 1
}

/// A reader of any encoding as UTF-8. Malformed bytes are an error, never a replacement character.
pub struct Utf8Reader<R> {
    input: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_len: usize,
    ended: bool,
    flushed: bool,
    out: Vec<u8>,
    out_at: usize,
    out_len: usize,
}

/// Inside an [`io::Error`]: these bytes are not what they were said to be.
#[derive(Debug, thiserror::Error)]
#[error("a byte sequence that does not exist in {0}")]
pub struct Malformed(pub &'static str);

const CHUNK: usize = 32 * 1024;

impl<R: Read> Utf8Reader<R> {
    pub fn new(input: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        let (raw, out) = (vec![0; CHUNK], vec![0; CHUNK]);
        Self { input, decoder, raw, raw_at: 0, raw_len: 0, ended: false, flushed: false, out, out_at: 0, out_len: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.out_at == self.out_len && !self.flushed {
            if self.raw_at == self.raw_len && !self.ended {
                self.raw_len = self.input.read(&mut self.raw)?;
                self.raw_at = 0;
                self.ended = self.raw_len == 0;
            }
            let raw = self.raw.get(self.raw_at..self.raw_len).unwrap_or(&[]);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(raw, &mut self.out, self.ended);
            self.raw_at += read;
            (self.out_at, self.out_len) = (0, written);
            match result {
                DecoderResult::InputEmpty => self.flushed = self.ended,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let name = self.decoder.encoding().name();
                    return Err(io::Error::new(io::ErrorKind::InvalidData, Malformed(name)));
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.refill()?;
        let ready = self.out.get(self.out_at..self.out_len).unwrap_or(&[]);
        let n = ready.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.out_at += n;
        Ok(n)
    }
}

impl<R> std::fmt::Debug for Utf8Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Utf8Reader").field("encoding", &self.decoder.encoding().name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "客户号,电话,姓名\n客户一,+999200000001,账单分期\n";

    #[test]
    fn chinese_text_is_recognised_and_other_bytes_are_not_guessed_at() {
        let (gb, _, _) = GB18030.encode(TEXT);
        assert_eq!(guess(&gb), Some("gb18030"));
        assert_eq!(guess(b"caf\xe9,stra\xdfe,na\xefve"), None);
        let wide: Vec<u8> = TEXT.replace(|c: char| !c.is_ascii(), "x").bytes().flat_map(|b| [b, 0]).collect();
        assert_eq!(guess(&wide), Some("utf-16le"));
        assert_eq!(guess(b"\xfe\xff\0a"), Some("utf-16be"));
    }

    #[test]
    fn a_long_text_streams_through_across_the_borders_of_the_buffers() {
        let long = TEXT.repeat(4_000);
        let (gb, _, _) = GB18030.encode(&long);
        let mut out = String::new();
        Utf8Reader::new(&*gb, GB18030).read_to_string(&mut out).unwrap();
        assert!(out == long);
    }

    #[test]
    fn bytes_that_do_not_exist_in_the_encoding_are_an_error() {
        let error = Utf8Reader::new(&b"abc\xff\xff"[..], GB18030).read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.get_ref().unwrap().is::<Malformed>());
        let cut = Utf8Reader::new(&b"abc\xb0"[..], GB18030).read_to_end(&mut Vec::new());
        assert!(cut.is_err());
    }

    #[test]
    fn encodings_are_found_by_their_usual_names() {
        assert_eq!(by_name(" GBK "), Some(encoding_rs::GBK));
        assert_eq!(by_name("utf-8"), Some(encoding_rs::UTF_8));
        assert_eq!(by_name("klingon"), None);
    }
}
