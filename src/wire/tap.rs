//! Copies of SIP messages for whoever keeps traces of calls: small, in batches, and never in the way of the line.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crate::base::Now;
use crate::line::Target;

use super::Direction;

/// Batches that wait for the reader.
const QUEUE: usize = 16;
/// Bytes of one batch, which grows while the queue is full. What comes past it is counted and not kept.
const BATCH_MAX: usize = 1 << 20;
/// Nothing shorter is SIP: keep-alives.
const SHORTEST: usize = 16;

/// The pump's end.
#[derive(Debug)]
pub struct Tap {
    to: SyncSender<Batch>,
    batch: Batch,
}

/// Messages of one turn, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    notes: Vec<Noted>,
}

/// What is not in a message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// When the turn began that sent or read it.
    pub at: Now,
    pub direction: Direction,
    pub far: Target,
    len: usize,
}

impl Tap {
    pub fn new() -> (Self, Receiver<Batch>) {
        let (to, from) = sync_channel(QUEUE);
        (Self { to, batch: Batch::default() }, from)
    }

    /// False if there is no room for it.
    pub fn note(&mut self, at: Now, direction: Direction, far: Target, bytes: &[u8]) -> bool {
        let len = bytes.len();
        if len < SHORTEST {
            return true;
        }
        let fits = self.batch.bytes.len() + len <= BATCH_MAX;
        if fits {
            self.batch.bytes.extend_from_slice(bytes);
            self.batch.notes.push(Noted { at, direction, far, len });
        }
        fits
    }

    /// Hands over what there is; with a full queue it waits here.
    pub fn turn(&mut self) {
        if self.batch.notes.is_empty() {
            return;
        }
        let next = Batch {
            bytes: Vec::with_capacity(self.batch.bytes.len()),
            notes: Vec::with_capacity(self.batch.notes.len()),
        };
        match self.to.try_send(std::mem::replace(&mut self.batch, next)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(kept)) => self.batch = kept,
        }
    }
}

impl Batch {
    pub fn messages(&self) -> impl Iterator<Item = (&Noted, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.notes.iter().map(move |noted| {
            let (message, behind) = rest.split_at_checked(noted.len).unwrap_or((rest, &[]));
            rest = behind;
            (noted, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"BYE sip:a@b SIP/2.0\r\n\r\n";

    fn far() -> Target {
        Target::udp(([127, 0, 0, 1], 5060).into())
    }

    #[test]
    fn a_turn_hands_its_messages_over_in_their_order() {
        let (mut tap, from) = Tap::new();
        tap.note(Now::default(), Direction::In, far(), MESSAGE);
        tap.note(Now::default(), Direction::In, far(), b"\r\n\r\n");
        tap.note(Now::default(), Direction::Out, far(), b"SIP/2.0 200 OK\r\n\r\n");
        tap.turn();
        tap.turn();
        let batch = from.try_recv().unwrap();
        let said: Vec<_> = batch.messages().map(|(noted, bytes)| (noted.direction, bytes)).collect();
        assert_eq!(said, [(Direction::In, MESSAGE), (Direction::Out, b"SIP/2.0 200 OK\r\n\r\n")]);
        assert!(from.try_recv().is_err(), "a turn without a message hands nothing over");
    }

    #[test]
    fn a_reader_that_sleeps_costs_messages_and_never_room() {
        let (mut tap, from) = Tap::new();
        let message = vec![b'a'; 60_000];
        let mut lost = 0;
        for _ in 0..100 {
            lost += usize::from(!tap.note(Now::default(), Direction::In, far(), &message));
            tap.turn();
        }
        let kept: usize = from.try_iter().map(|batch| batch.notes.len()).sum();
        assert_eq!(kept, QUEUE);
        let waiting = tap.batch.notes.len();
        assert!(tap.batch.bytes.len() <= BATCH_MAX);
        assert_eq!((lost > 0, lost), (true, 100 - kept - waiting));
        tap.turn();
        assert_eq!(from.try_recv().unwrap().notes.len(), waiting, "what waited goes with the next turn");
    }
}
