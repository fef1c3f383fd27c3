//! Reads CSV by RFC 4180, strictly where leniency would swallow rows, and never holds more than one record.
//!
//! A common reader takes an unclosed quote for a very long cell and makes one row of three without a word. This one
//! knows where a quote was opened, and stops when what follows looks like rows of their own.

use std::io::{BufRead, Read};

use super::ListError;
use super::encoding;
use super::source::read_error;
use super::table::{Record, Table};

/// Of one line, and of one record that goes over several.
pub const LINE_MAX: usize = 64 * 1024;
/// Of one cell.
pub const CELL_MAX: usize = 16 * 1024;
/// Of one header.
pub const WIDTH_MAX: usize = 4_096;

/// Pulls one record after the other; the buffers are used again.
#[derive(Debug)]
pub struct Records<R> {
    input: R,
    /// The last line taken from `input`, from 1.
    line: u64,
    bytes: Vec<u8>,
    text: String,
    ends: Vec<usize>,
    shape: Option<Shape>,
}

/// How a row of this file looks, once the header is known.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub width: usize,
    /// A column with telephone numbers.
    pub phone: usize,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self { input, line: 0, bytes: Vec::new(), text: String::new(), ends: Vec::new(), shape: None }
    }

    pub fn set_shape(&mut self, shape: Shape) {
        self.shape = Some(shape);
    }

    /// `None` at the end. Lines without anything on them are skipped. After an error there is nothing more to ask for.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ListError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.bytes.is_empty() {
                break;
            }
        }
        self.text.clear();
        self.ends.clear();
        let first = self.line;
        let mut open = None;
        loop {
            let line = utf8(&self.bytes, self.line)?;
            if let Some(opened) = open
                && self.shape.is_some_and(|shape| shape.fits(line))
            {
                return Err(ListError::Quote { opened, noticed: self.line });
            }
            open = split(line, self.line, open, &mut self.text, &mut self.ends)?;
            let Some(opened) = open else { break };
            self.text.push('\n');
            let cell = self.text.len() - self.ends.last().copied().unwrap_or(0);
            if cell > CELL_MAX || self.text.len() > LINE_MAX || !self.read_line()? {
                return Err(ListError::Quote { opened, noticed: self.line });
            }
        }
        Ok(Some(Record { line: first, text: &self.text, ends: &self.ends, quoted: true, flaw: None }))
    }

    /// Fills `bytes` with the next line, without its end. False at the end of the file.
    fn read_line(&mut self) -> Result<bool, ListError> {
        self.bytes.clear();
        let cap = LINE_MAX as u64 + 2;
        let got =
            (&mut self.input).take(cap).read_until(b'\n', &mut self.bytes).map_err(|e| read_error(e, self.line))?;
        self.line += u64::from(got > 0);
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
            if self.bytes.last() == Some(&b'\r') {
                self.bytes.pop();
            }
        }
        if self.bytes.len() > LINE_MAX {
            return Err(ListError::LineTooLong { line: self.line });
        }
        Ok(got > 0)
    }
}

impl<R: BufRead + Send> Table for Records<R> {
    fn set_shape(&mut self, shape: Shape) {
        Self::set_shape(self, shape);
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, ListError> {
        Self::next(self)
    }
}

impl Shape {
    /// Would this line be a row, if no quote were open? Its cells are counted and the telephone column looked at.
    fn fits(self, line: &str) -> bool {
        let mut cells = line.split(',');
        let phone = cells.by_ref().nth(self.phone).unwrap_or("");
        let digits = phone.bytes().filter(u8::is_ascii_digit).count();
        let others = phone.bytes().all(|b| b.is_ascii_digit() || b" +-()\"".contains(&b));
        self.phone + 1 + cells.count() == self.width && digits >= 7 && others
    }
}

fn utf8(bytes: &[u8], line: u64) -> Result<&str, ListError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let guess = encoding::guess(bytes);
        let what = match guess {
            Some(name) => format!("the file looks like {name}, not UTF-8"),
            None => format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1),
        };
        ListError::Encoding { line, what, guess }
    })
}

/// Cuts one line into cells. `open` is the line where a quote was opened that is still open; returned likewise.
fn split(
    line: &str,
    number: u64,
    mut open: Option<u64>,
    text: &mut String,
    ends: &mut Vec<usize>,
) -> Result<Option<u64>, ListError> {
    let mut rest = line;
    loop {
        if ends.len() > WIDTH_MAX {
            return Err(ListError::LineTooLong { line: number });
        }
        if let Some(opened) = open {
            let Some((inside, after)) = rest.split_once('"') else {
                text.push_str(rest);
                return Ok(open);
            };
            text.push_str(inside);
            if let Some(after) = after.strip_prefix('"') {
                text.push('"');
                rest = after;
                continue;
            }
            ends.push(text.len());
            if after.is_empty() {
                return Ok(None);
            }
            let Some(after) = after.strip_prefix(',') else {
                return Err(ListError::Quote { opened, noticed: number });
            };
            (rest, open) = (after, None);
        }
        if let Some(after) = rest.strip_prefix('"') {
            (rest, open) = (after, Some(number));
            continue;
        }
        let (cell, after) = rest.split_once(',').map_or((rest, None), |(cell, after)| (cell, Some(after)));
        text.push_str(cell);
        ends.push(text.len());
        let Some(after) = after else { return Ok(None) };
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &str) -> Result<Vec<Vec<String>>, ListError> {
        let mut records = Records::new(input.as_bytes());
        let mut out = Vec::new();
        while let Some(record) = records.next()? {
            if out.is_empty() {
                let shape = Shape { width: record.len(), phone: 1 };
                out.push(record.iter().map(str::to_owned).collect());
                records.set_shape(shape);
            } else {
                out.push(record.iter().map(str::to_owned).collect());
            }
        }
        Ok(out)
    }

    /// Not ours: the `csv` crate as a second opinion on well-formed input.
    fn oracle(input: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input.as_bytes());
        reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn well_formed_text_reads_as_the_csv_crate_reads_it() {
        for input in [
            "a,b,c\n1,2,3\n",
            "a,b\r\n\"x, y\",\"he said \"\"no\"\"\"\r\n\r\n,\n",
            "a,b\n\"two\nlines\",z\n",
            "a\n\"\"\n",
            "a,b\n1,",
            "账单,b\n\"分期\",5\" pipe\n",
        ] {
            assert_eq!(all(input).unwrap(), oracle(input), "{input:?}");
        }
    }

    #[test]
    fn generated_tables_survive_the_csv_writer_and_our_reader() {
        let cells = ["", "a", ",", "\"", "x\"y", "\"\"", "账", " a ", "a,b", "l1\nl2"];
        let mut rng = crate::base::Rng::seeded(5);
        for _ in 0..300 {
            let table: Vec<Vec<&str>> =
                (0..4).map(|_| (0..3).map(|_| cells[rng.below(cells.len() as u32) as usize]).collect()).collect();
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            assert_eq!(all(&text).unwrap(), table);
        }
    }

    #[test]
    fn a_quote_that_stays_open_to_the_end_is_found_where_it_was_opened() {
        let error = all("k,p,n\n1,+999200000001,\"x\n2,y,z\n").unwrap_err();
        assert!(matches!(error, ListError::Quote { opened: 2, .. }), "{error}");
    }

    #[test]
    fn a_quote_closed_by_the_next_quoted_cell_is_found() {
        let error = all("k,p,n\n1,+999200000001,\"x\n2,y,\"z\"\n").unwrap_err();
        assert!(matches!(error, ListError::Quote { opened: 2, noticed: 3 }), "{error}");
    }

    #[test]
    fn a_quote_that_swallows_exactly_one_row_is_found() {
        let error = all("k,p,n\n1,+999200000001,\"x\n2,+999200000002,\"\n3,+999200000003,a\n").unwrap_err();
        assert!(matches!(error, ListError::Quote { opened: 2, noticed: 3 }), "{error}");
    }

    #[test]
    fn an_honest_cell_of_several_lines_is_kept_and_counted_as_lines() {
        let mut records = Records::new("k,p,n\n1,2,\"a\nb, c\"\n4,5,6\n".as_bytes());
        let lines: Vec<u64> = std::iter::from_fn(|| records.next().unwrap().map(|r| r.line)).collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn an_endless_line_stops_at_the_cap() {
        let mut records = Records::new(std::io::BufReader::new(std::io::repeat(b'x')));
        assert!(matches!(records.next(), Err(ListError::LineTooLong { line: 1 })));
        assert!(records.bytes.capacity() <= 4 * LINE_MAX);
    }

    #[test]
    fn an_endless_quoted_cell_stops_at_the_cap() {
        let input = format!("\"{}", "x\n".repeat(LINE_MAX));
        assert!(matches!(all(&input), Err(ListError::Quote { opened: 1, .. })));
    }

    #[test]
    fn a_line_of_exactly_the_cap_passes() {
        let input = format!("{}\r\nb\n", "x".repeat(LINE_MAX));
        assert_eq!(all(&input).unwrap().len(), 2);
        assert!(all(&format!("{}\n", "x".repeat(LINE_MAX + 1))).is_err());
    }

    #[test]
    fn characters_that_hide_something_are_named_with_their_cell() {
        for bad in ['\0', '\u{1b}', '\u{202e}', '\u{2066}', '\u{7f}', '\u{85}', '\r', '\u{feff}'] {
            let input = format!("a,b\nx,y{bad}z\n");
            let mut records = Records::new(input.as_bytes());
            assert_eq!(records.next().unwrap().unwrap().forbidden(), None);
            assert_eq!(records.next().unwrap().unwrap().forbidden(), Some((1, bad)));
        }
        let mut records = Records::new("账\t单,\"a\nb\"\n".as_bytes());
        assert_eq!(records.next().unwrap().unwrap().forbidden(), None);
    }
}
