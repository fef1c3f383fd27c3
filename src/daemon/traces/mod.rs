//! Traces of calls: what the line said and heard, summed up and masked before it is written, in files that grow no
//! further than they may. A thread of its own does it; whatever goes wrong costs traces and never a call.

mod line;
mod read;
mod shelf;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use crate::base::Wall;
use crate::wire::{Batch, Tap};

pub use line::Step;
pub use read::{Found, find};
use shelf::Shelf;

/// Text that is written at once.
const PIECE: usize = 32 * 1024;

/// The thread that writes. It ends when the tap has gone, with all that was handed over on disk.
#[derive(Debug)]
pub(super) struct Traces {
    /// Lines that could not be written.
    lost: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Traces {
    /// Files of this run and of those before it may fill `bytes_max` together.
    pub(super) fn start(folder: PathBuf, bytes_max: u64, began: Wall) -> io::Result<(Tap, Self)> {
        let (tap, from) = Tap::new();
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer { shelf: Shelf::new(folder, bytes_max, began), lost: Arc::clone(&lost), is_broken: false };
        let thread = std::thread::Builder::new().name("traces".to_owned()).spawn(move || writer.run(&from))?;
        Ok((tap, Self { lost, thread }))
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// After the line has ended.
    pub(super) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the thread of the traces panicked");
        }
    }
}

struct Writer {
    shelf: Shelf,
    lost: Arc<AtomicU64>,
    /// The last writing failed; that has been said.
    is_broken: bool,
}

impl Writer {
    fn run(mut self, from: &Receiver<Batch>) {
        while let Ok(batch) = from.recv() {
            self.batch(&batch);
        }
    }

    fn batch(&mut self, batch: &Batch) {
        let (mut text, mut lines) = (String::new(), 0);
        for (noted, message) in batch.messages() {
            lines += u64::from(line::write(noted, message, &mut text));
            if text.len() >= PIECE {
                self.keep(&mut text, &mut lines);
            }
        }
        self.keep(&mut text, &mut lines);
    }

    fn keep(&mut self, text: &mut String, lines: &mut u64) {
        if text.is_empty() {
            return;
        }
        let written = self.shelf.append(text);
        if let Err(error) = &written {
            self.lost.fetch_add(*lines, Ordering::Relaxed);
            if !self.is_broken {
                tracing::warn!(folder = %self.shelf.folder().display(), %error, "traces of calls cannot be written and are not kept; calls go on");
            }
        }
        self.is_broken = written.is_err();
        text.clear();
        *lines = 0;
    }
}

#[cfg(test)]
mod tests;
