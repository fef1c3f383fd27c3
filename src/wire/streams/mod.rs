//! SIP over TCP and TLS: a thread of its own, so that no handshake holds up a frame of sound. It keeps one connection to
//! each trunk that wants one, and takes connections from peers where the configuration says so.

mod board;
mod certificate;
mod connect;
mod failure;
mod link;
mod probe;
mod switchboard;
mod talk;
mod tls;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

use crate::line::{LineTrunk, Packet, Target, Transport};

use switchboard::Switchboard;

pub use board::{Board, LinkState};
pub use failure::Failure;
pub use probe::{Answer, Reply, Way, ask, converse};
pub use tls::{ClientTls, TlsFiles};

/// Messages between this thread and the pump, either way.
const QUEUE: usize = 4_096;

/// Settings of connections. What stands in it was read from the configuration.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    /// Files of each trunk, by `TrunkIx`; those of a trunk without TLS are not looked at.
    pub trunks: Vec<TlsFiles>,
    pub listen_tcp: Option<SocketAddr>,
    pub listen_tls: Option<(SocketAddr, TlsFiles)>,
}

/// From this thread to the pump.
#[derive(Debug)]
pub(super) enum Heard {
    Framed {
        from: Target,
        bytes: Vec<u8>,
    },
    Connected {
        to: Target,
        ours: SocketAddr,
    },
    Disconnected {
        to: Target,
    },
    Unsent {
        to: Target,
        bytes: Packet,
    },
    /// Somebody who is no peer opened a connection. It is closed.
    Stranger,
    /// A peer sent what is no SIP.
    Garbage,
}

/// The pump's side.
#[derive(Debug)]
pub(super) struct StreamSockets {
    orders: Option<mpsc::Sender<(Target, Packet)>>,
    trunks: watch::Sender<Vec<LineTrunk>>,
    heard: mpsc::Receiver<Heard>,
    /// Taken from `heard` while waiting.
    waiting: VecDeque<Heard>,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

impl StreamSockets {
    /// Opens the listeners and starts the thread, which makes the connections.
    pub(super) fn start(settings: &Streams, trunks: &[LineTrunk], from: IpAddr) -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel(QUEUE);
        let (told, heard) = mpsc::channel(QUEUE);
        let (trunks_in, news) = watch::channel(trunks.to_vec());
        let board = Arc::new(Board::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let made = {
            let _entered = runtime.enter();
            Switchboard::new(settings, trunks, from, told, Arc::clone(&board))
        };
        let mut switchboard = match made {
            Ok(made) => made,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let run = move || runtime.block_on(async move { switchboard.run(inbox, news).await });
        let thread = Some(std::thread::Builder::new().name("wire-streams".into()).spawn(run)?);
        Ok(Self { orders: Some(orders), trunks: trunks_in, heard, waiting: VecDeque::new(), board, thread })
    }

    pub(super) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// False if it cannot be taken: too much waits already. Not one byte is out then.
    pub(super) fn send(&self, to: Target, bytes: Packet) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.try_send((to, bytes)).is_ok())
    }

    /// Names lead elsewhere: connections are made there.
    pub(super) fn set_trunks(&self, trunks: &[LineTrunk]) {
        self.trunks.send_replace(trunks.to_vec());
    }

    pub(super) fn next(&mut self) -> Option<Heard> {
        self.waiting.pop_front().or_else(|| self.heard.try_recv().ok())
    }

    /// Wakes `cx` when there is news.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_empty() {
            match self.heard.poll_recv(cx) {
                Poll::Ready(Some(news)) => self.waiting.push_back(news),
                // A thread that has gone has no news.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

impl Drop for StreamSockets {
    fn drop(&mut self) {
        self.orders = None;
        // Whoever waits to tell us something must not wait for ever.
        self.heard.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the SIP connections panicked");
        }
    }
}

/// The files of a trunk as TLS wants them.
pub(super) fn client_tls(trunk: &LineTrunk, files: &TlsFiles) -> Result<Option<ClientTls>, String> {
    if trunk.transport != Transport::Tls {
        return Ok(None);
    }
    ClientTls::new(files, &trunk.host_name()).map(Some)
}
