//! What every reader of lists gives: one record after the other, its cells as text in one buffer.

use super::ListError;
use super::csv::Shape;

/// A list as rows of cells; the first one is the header.
pub trait Table: Send {
    /// Told once, after the header was understood.
    fn set_shape(&mut self, _: Shape) {}

    /// `None` at the end. After an error there is nothing more to ask for.
    fn next(&mut self) -> Result<Option<Record<'_>>, ListError>;
}

/// One record, unquoted.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Where it begins: the line of a text, the row of a sheet, from 1, the header included.
    pub line: u64,
    pub text: &'a str,
    /// Where each cell ends in `text`.
    pub ends: &'a [usize],
    /// It was cut out of text by its quotes: a line break where none belongs is then an unclosed quote.
    pub quoted: bool,
    /// A cell that lost its value on the way into the file, from 0, and why.
    pub flaw: Option<(usize, &'static str)>,
}

impl<'a> Record<'a> {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, cell: usize) -> Option<&'a str> {
        let end = *self.ends.get(cell)?;
        let start = cell.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.len()).filter_map(|cell| self.get(cell))
    }

    /// The first cell with a character that has no place in a list, from 0.
    pub fn forbidden(&self) -> Option<(usize, char)> {
        if self.text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return None;
        }
        self.iter().enumerate().find_map(|(cell, text)| text.chars().find(|c| is_forbidden(*c)).map(|c| (cell, c)))
    }
}

/// NUL and the other controls but tab and line feed; the marks that turn text around (Unicode UAX #9, table 4); the byte
/// order mark inside text. They hide what a key, a number or a name really is.
pub fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\t' && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
