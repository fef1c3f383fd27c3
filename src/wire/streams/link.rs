//! The connection to one trunk: made at the start, kept, and made again with growing pauses.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::line::{Packet, Target};

use super::Heard;
use super::board::Board;
use super::connect::open;
use super::failure::Failure;
use super::talk::{Idle, Talk};
use super::tls::ClientTls;

/// To make a connection, TLS included.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// Where an INVITE waits for it: the permit to dial lasts no longer.
const CONNECT_NOW: Duration = Duration::from_millis(400);
/// After the first failure; doubled by every further one.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection made as needed goes after so long without a byte: longer than a phone rings.
const UNUSED: Duration = Duration::from_mins(10);

pub(super) struct Link {
    pub(super) to: Target,
    pub(super) from: IpAddr,
    pub(super) tls: Option<ClientTls>,
    /// Messages are taken while this is true, and refused at once otherwise: none may be sent long after its time.
    pub(super) up: Arc<AtomicBool>,
    pub(super) heard: mpsc::Sender<Heard>,
    pub(super) board: Arc<Board>,
}

impl Link {
    /// Until the queue closes.
    pub(super) async fn keep(self, mut queue: mpsc::Receiver<Packet>) {
        let mut pause = Duration::ZERO;
        // What the log has said already.
        let mut said = None;
        while self.refuse_for(&mut queue, pause).await {
            let failure = match open(self.to.addr, self.from, self.tls.as_ref(), CONNECT).await {
                Ok(opened) => {
                    self.refuse_waiting(&mut queue).await;
                    self.board.up(self.to, opened.runs_out);
                    self.up.store(true, Ordering::Release);
                    self.say(Heard::Connected { to: self.to, ours: opened.ours }).await;
                    let talk = Talk::new(self.to, opened.stream, Idle::Ping, self.heard.clone());
                    let mut proof = false;
                    let ended = talk.run(&mut queue, &mut proof).await;
                    if proof {
                        (pause, said) = (Duration::ZERO, None);
                    }
                    self.up.store(false, Ordering::Release);
                    self.say(Heard::Disconnected { to: self.to }).await;
                    match ended {
                        None => return,
                        Some(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            self.board.down(self.to, &failure, said.as_ref() != Some(&failure));
            said = Some(failure);
            pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
        }
    }

    /// For requests that are too long for UDP: one connection, which the first of them waits for.
    pub(super) async fn once(self, mut queue: mpsc::Receiver<Packet>) {
        match open(self.to.addr, self.from, None, CONNECT_NOW).await {
            Ok(opened) => {
                let talk = Talk::new(self.to, opened.stream, Idle::Close(UNUSED), self.heard.clone());
                let _ended: Option<Failure> = talk.run(&mut queue, &mut false).await;
            }
            Err(failure) => tracing::info!(to = %self.to, %failure, "too long for UDP, and TCP is not to be had"),
        }
        queue.close();
        self.refuse_waiting(&mut queue).await;
    }

    /// False once the queue is closed.
    async fn refuse_for(&self, queue: &mut mpsc::Receiver<Packet>, pause: Duration) -> bool {
        let waiting = timeout(pause, async {
            while let Some(bytes) = queue.recv().await {
                self.say(Heard::Unsent { to: self.to, bytes }).await;
            }
        });
        waiting.await.is_err()
    }

    async fn refuse_waiting(&self, queue: &mut mpsc::Receiver<Packet>) {
        while let Ok(bytes) = queue.try_recv() {
            self.say(Heard::Unsent { to: self.to, bytes }).await;
        }
    }

    async fn say(&self, what: Heard) {
        // A shard that has gone needs no news.
        let _gone = self.heard.send(what).await;
    }
}
