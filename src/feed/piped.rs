//! A table that another thread reads: for readers that borrow from themselves, and that may panic on a damaged file.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::ListError;
use super::csv::{CELL_MAX, LINE_MAX, WIDTH_MAX};
use super::table::{Record, Table};

/// Records in one message, and messages that may wait: a few hundred KiB at most for usual rows.
const BATCH_BYTES: usize = 64 * 1024;
const WAITING: usize = 2;

/// The receiving end.
pub struct Piped {
    from: Receiver<Message>,
    batch: Vec<Packed>,
    at: usize,
    ended: bool,
}

/// The sending end. One row at a time: `cell` for each cell, then `end_row`.
pub struct Sink {
    to: SyncSender<Message>,
    batch: Vec<Packed>,
    bytes: usize,
    row: Packed,
}

/// Nobody reads any more: stop.
pub struct Gone;

#[derive(Debug, Default)]
struct Packed {
    line: u64,
    text: String,
    ends: Vec<usize>,
    flaw: Option<(usize, &'static str)>,
}

enum Message {
    Rows(Vec<Packed>),
    End(Result<(), ListError>),
}

impl Piped {
    /// `read` runs on a thread of its own until it has read everything, or the table is dropped.
    pub fn start(
        name: &str,
        read: impl FnOnce(&mut Sink) -> Result<(), ListError> + Send + 'static,
    ) -> Result<Self, ListError> {
        let (to, from) = sync_channel(WAITING);
        let work = move || {
            let mut sink = Sink { to, batch: Vec::new(), bytes: 0, row: Packed::default() };
            let end = read(&mut sink);
            let _nobody_reads = sink.flush().is_err() || sink.to.send(Message::End(end)).is_err();
        };
        thread::Builder::new().name(name.to_owned()).spawn(work).map_err(ListError::Io)?;
        Ok(Self { from, batch: Vec::new(), at: 0, ended: false })
    }
}

impl Table for Piped {
    fn next(&mut self) -> Result<Option<Record<'_>>, ListError> {
        self.at += 1;
        while self.at >= self.batch.len() {
            if self.ended {
                return Ok(None);
            }
            self.at = 0;
            match self.from.recv() {
                Ok(Message::Rows(batch)) => self.batch = batch,
                Ok(Message::End(end)) => {
                    (self.ended, self.batch) = (true, Vec::new());
                    end?;
                }
                // It ended without saying so: it panicked.
                Err(_) => {
                    (self.ended, self.batch) = (true, Vec::new());
                    return Err(ListError::Damaged("its inner structure contradicts itself".to_owned()));
                }
            }
        }
        let Some(row) = self.batch.get(self.at) else { return Ok(None) };
        Ok(Some(Record { line: row.line, text: &row.text, ends: &row.ends, quoted: false, flaw: row.flaw }))
    }
}

impl Sink {
    /// Refuses what no list needs, so that memory stays bounded.
    pub fn cell(&mut self, text: &str) -> Result<(), ListError> {
        let line = self.row.line;
        if text.len() > CELL_MAX || self.row.text.len() + text.len() > LINE_MAX || self.row.ends.len() >= WIDTH_MAX {
            return Err(ListError::LineTooLong { line });
        }
        self.row.text.push_str(text);
        self.row.ends.push(self.row.text.len());
        Ok(())
    }

    /// The cell put next has lost its value; the row is refused with this reason.
    pub fn flaw(&mut self, why: &'static str) {
        self.row.flaw.get_or_insert((self.row.ends.len(), why));
    }

    pub fn begin_row(&mut self, line: u64) {
        self.row = Packed { line, ..Packed::default() };
    }

    pub fn width(&self) -> usize {
        self.row.ends.len()
    }

    /// A row without anything in it is no row.
    pub fn end_row(&mut self) -> Result<(), Gone> {
        let row = std::mem::take(&mut self.row);
        if row.text.is_empty() && row.flaw.is_none() {
            return Ok(());
        }
        self.bytes += row.text.len() + row.ends.len() * size_of::<usize>() + size_of::<Packed>();
        self.batch.push(row);
        if self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Gone> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        self.to.send(Message::Rows(batch)).map_err(|_| Gone)
    }
}

impl std::fmt::Debug for Piped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piped").field("ended", &self.ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut table: Piped) -> Result<Vec<(u64, Vec<String>)>, ListError> {
        let mut rows = Vec::new();
        while let Some(record) = table.next()? {
            rows.push((record.line, record.iter().map(str::to_owned).collect()));
        }
        Ok(rows)
    }

    #[test]
    fn rows_arrive_in_order_and_empty_ones_do_not() {
        let table = Piped::start("t", |sink| {
            for line in 1..=5_000 {
                sink.begin_row(line);
                sink.cell(if line == 3 { "" } else { "x" })?;
                sink.cell("")?;
                if sink.end_row().is_err() {
                    return Ok(());
                }
            }
            Ok(())
        });
        let rows = all(table.unwrap()).unwrap();
        assert_eq!((rows.len(), rows[2].0, rows[4_998].0), (4_999, 4, 5_000));
    }

    #[test]
    fn a_reader_that_panics_is_a_damaged_list() {
        let table = Piped::start("t", |sink| {
            sink.begin_row(1);
            sink.cell("a")?;
            assert!(sink.width() > 1, "on purpose");
            Ok(())
        });
        assert!(matches!(all(table.unwrap()), Err(ListError::Damaged(_))));
    }

    #[test]
    fn a_cell_without_end_stops_the_table() {
        let table = Piped::start("t", |sink| {
            sink.begin_row(7);
            sink.cell(&"x".repeat(CELL_MAX + 1))
        });
        assert!(matches!(all(table.unwrap()), Err(ListError::LineTooLong { line: 7 })));
    }
}
