//! A view of a database as the text of a CSV list, row by row, while it is read.

use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use futures_core::Stream;
use sqlx::Row;
use tokio::time::timeout;

use crate::feed::ListError;

#[cfg(feature = "postgres")]
use super::postgres::read as postgres;
use super::{DatabaseSource, SILENCE_MAX, sqlite};

/// Bytes in one message, and messages that may wait.
const CHUNK: usize = 64 * 1024;
const WAITING: usize = 4;

/// The text, as it comes out of the database's own thread.
pub struct ViewText {
    from: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

/// Where a reader of a database puts its rows.
pub struct Lines {
    to: SyncSender<io::Result<Vec<u8>>>,
    writer: csv::Writer<Vec<u8>>,
}

/// Asks for the whole view in one statement, which sees one moment of the database.
pub fn csv_of(database: DatabaseSource, view: String) -> Result<ViewText, ListError> {
    let (to, from) = sync_channel(WAITING);
    let mut lines = Lines { to: to.clone(), writer: csv::Writer::from_writer(Vec::with_capacity(CHUNK)) };
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let read = runtime.and_then(|runtime| {
            runtime.block_on(async {
                match &database {
                    DatabaseSource::Sqlite(path) => sqlite::read(path, &view, &mut lines).await,
                    DatabaseSource::Postgres { url, password } => {
                        postgres(url, password.as_ref(), &view, &mut lines).await
                    }
                }
            })
        });
        let end = read.and_then(|()| lines.end());
        if let Err(error) = end {
            let _nobody_reads = to.send(Err(error));
        }
    };
    thread::Builder::new().name("sql list".to_owned()).spawn(work).map_err(ListError::Io)?;
    let mut text = ViewText { from, chunk: Vec::new(), at: 0 };
    // The first chunk tells whether there is a view at all; what breaks later is an error of reading.
    text.refill().map_err(|error| ListError::Unreachable(error.to_string()))?;
    Ok(text)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "stands for the reader of the feature `postgres`")]
async fn postgres(_: &str, _: Option<&super::Hidden>, _: &str, _: &mut Lines) -> io::Result<()> {
    Err(io::Error::other(ListError::NoFeature("postgres")))
}

impl Lines {
    /// One row, or the header.
    pub fn put<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
        self.writer.write_record(cells).map_err(io::Error::other)?;
        if self.writer.get_ref().len() >= CHUNK { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> io::Result<()> {
        let fresh = csv::Writer::from_writer(Vec::with_capacity(CHUNK));
        let full = std::mem::replace(&mut self.writer, fresh).into_inner();
        let bytes = full.map_err(|error| io::Error::other(error.to_string()))?;
        self.to.send(Ok(bytes)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    fn end(&mut self) -> io::Result<()> {
        self.send()?;
        self.to.send(Ok(Vec::new())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl ViewText {
    fn refill(&mut self) -> io::Result<()> {
        let gone = |_| Err(io::Error::other("the database's reader stopped"));
        self.chunk = self.from.recv().unwrap_or_else(gone)?;
        self.at = 0;
        Ok(())
    }
}

impl Read for ViewText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && !self.chunk.is_empty() {
            self.refill()?;
        }
        let ready = self.chunk.get(self.at..).unwrap_or(&[]);
        let n = ready.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}

/// `"schema"."view"`: the parser of sources lets letters, digits and `_` through, and nothing else.
pub fn quoted(view: &str) -> String {
    let words: Vec<String> = view.split('.').map(|word| format!("\"{word}\"")).collect();
    words.join(".")
}

/// The header and every row of what a view gives, `cell` by cell.
pub async fn copy<R: Row>(
    mut rows: Pin<&mut impl Stream<Item = Result<R, sqlx::Error>>>,
    view: &str,
    lines: &mut Lines,
    cell: impl Fn(&R, usize) -> Result<String, sqlx::Error>,
) -> io::Result<()> {
    let mut cells: Vec<String> = Vec::new();
    loop {
        let row = timeout(SILENCE_MAX, next(rows.as_mut())).await.map_err(|_| late(view))?;
        let Some(row) = row else { return Ok(()) };
        let row = row.map_err(|error| refused(view, &error))?;
        if cells.is_empty() {
            lines.put(row.columns().iter().map(sqlx::Column::name))?;
        }
        cells.clear();
        for at in 0..row.columns().len() {
            cells.push(cell(&row, at).map_err(|error| refused(view, &error))?);
        }
        lines.put(cells.iter().map(String::as_str))?;
    }
}

/// The next row, `None` behind the last.
async fn next<S: Stream>(mut rows: Pin<&mut S>) -> Option<S::Item> {
    poll_fn(|context| rows.as_mut().poll_next(context)).await
}

pub fn late(view: &str) -> io::Error {
    io::Error::other(format!("{view}: no row in time"))
}

/// What the database said, without the values that it may quote.
pub fn refused(what: &str, error: &sqlx::Error) -> io::Error {
    let why = if let sqlx::Error::Database(error) = error {
        without_value(error.message())
    } else if let sqlx::Error::Io(error) = error {
        error.to_string()
    } else if let sqlx::Error::Protocol(what) = error {
        what.clone()
    } else if let sqlx::Error::Tls(error) = error {
        format!("TLS: {error}")
    } else {
        "the connection failed".to_owned()
    };
    io::Error::other(format!("{what}: {why}"))
}

/// `invalid input syntax for type integer: "…"`: what follows the colon is somebody's.
fn without_value(message: &str) -> String {
    let line = message.lines().next().unwrap_or("");
    let said = line.split(": \"").next().unwrap_or(line);
    said.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_database_says_is_told_without_the_value_that_it_quotes() {
        let message = "invalid input syntax for type integer: \"+999200000001\"\nCONTEXT: x";
        assert_eq!(without_value(message), "invalid input syntax for type integer");
        assert_eq!(without_value("relation \"leads\" does not exist"), "relation \"leads\" does not exist");
    }

    #[test]
    fn a_view_is_quoted_word_by_word() {
        assert_eq!(quoted("mart.leads"), "\"mart\".\"leads\"");
    }
}
