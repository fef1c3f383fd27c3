//! Starts a shard and talks to it from other threads.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::base::{Clock, LegId, Now, Pii, TrunkIx};
use crate::line::{self, Identity, LegCommand, LegEvent, Line, LineTrunk, RecoveredLeg, TrunkState};

use super::journal::Journal;
use super::probe::Probe;
use super::pump::{Desk, Ends, Pump, Sink, Sockets};
use super::rtp_sockets::RtpSockets;
use super::sip_socket::SipSocket;
use super::streams::{Board, LinkState, StreamSockets, Streams};
use super::tap::Tap;
use super::{Captures, Counts};

/// Settings of one shard.
#[derive(Debug)]
pub struct Config {
    /// Where SIP is received. RTP is bound to the same address.
    pub listen: SocketAddr,
    /// With a port of 0 in `sip.local` the bound one is announced.
    pub line: line::Config,
    /// TCP and TLS, beside that.
    pub streams: Streams,
    /// The dialog journal; two files with this name and `.a` and `.b`.
    pub journal: Option<PathBuf>,
    /// Legs without an outcome, from the store. Their dialogs are looked up in the journal.
    pub recover: Vec<RecoveredLeg>,
    /// Batches of orders that may wait.
    pub queue: usize,
    /// Copies of messages for traces of calls.
    pub tap: Option<Tap>,
    /// Where somebody may ask for all packets of a call.
    pub captures: Arc<Captures>,
}

/// One leg's command. The number goes with `Dial` alone, and a signature where there is one.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the words of `call`")]
pub struct Command {
    pub leg: LegId,
    pub command: LegCommand,
    pub number: Option<Pii<String>>,
    pub identity: Option<Identity>,
}

#[derive(Debug)]
pub enum Order {
    Command(Command),
    /// After a reload; trunks keep their places.
    Trunks(Vec<LineTrunk>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Leg {
        at: Now,
        leg: LegId,
        event: LegEvent,
    },
    /// How a trunk stands from now on; at the start each is up.
    Trunk {
        at: Now,
        trunk: TrunkIx,
        state: TrunkState,
    },
}

/// A running shard. Dropping it ends it: legs that were told to hang up have two seconds to do so.
#[derive(Debug)]
pub struct Handle {
    orders: mpsc::Sender<Vec<Order>>,
    /// Nothing is ever sent on it: the shard ends when it closes.
    life: Option<mpsc::Sender<()>>,
    counts: Arc<Counts>,
    captures: Arc<Captures>,
    board: Arc<Board>,
    local: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// Opens the sockets, ends what a crash left behind, and runs until the handle is dropped.
///
/// `sink` is called once for each turn with events; what it leaves in the vector is offered again soon after. It must
/// not block: while it takes nothing, no orders are taken either.
pub fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    sink: impl FnMut(&mut Vec<Event>) + Send + 'static,
) -> io::Result<Handle> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let opened = {
        let _entered = runtime.enter();
        open(config, clock, Box::new(sink))
    };
    let (mut pump, recover, mut handle) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            // A runtime that is only dropped waits for its threads, which panics inside the caller's own runtime.
            runtime.shutdown_background();
            return Err(error);
        }
    };
    let run = move || {
        runtime.block_on(async move {
            pump.run(recover).await;
        });
    };
    handle.thread = Some(std::thread::Builder::new().name("wire".into()).spawn(run)?);
    Ok(handle)
}

/// The sockets of the runtime that is entered, and a handle without a thread.
fn open(config: Config, clock: Arc<dyn Clock>, sink: Sink) -> io::Result<(Pump, Vec<RecoveredLeg>, Handle)> {
    let Config { listen, line: mut settings, streams, journal, mut recover, queue, tap, captures } = config;
    let sip = SipSocket::bind(listen)?;
    let local = sip.local_addr()?;
    if settings.sip.local.port() == 0 {
        settings.sip.local.set_port(local.port());
    }
    let journal = journal.map(|path| Journal::open(&path)).transpose()?;
    for leg in &mut recover {
        leg.dialog = journal.as_ref().and_then(|journal| journal.found(leg.leg)).map(Box::new);
        leg.tried = journal.as_ref().and_then(|journal| journal.tried(leg.leg));
    }
    let (orders, inbox) = mpsc::channel(queue.max(1));
    let counts = Arc::new(Counts::new(settings.trunks.len()));
    let probe = Probe::of(&settings.trunks);
    let rtp = RtpSockets::new(listen.ip(), &settings.media);
    let streams = StreamSockets::start(&streams, &settings.trunks, listen.ip())?;
    let board = streams.board();
    let (life, death) = mpsc::channel(1);
    let ends = Ends::of(&settings);
    let desk = Desk { inbox, death, sink, counts: Arc::clone(&counts), tap, captures: Arc::clone(&captures), ends };
    let pump = Pump::new(Line::new(settings), clock, desk, Sockets { sip, rtp, probe, streams }, journal);
    Ok((pump, recover, Handle { orders, life: Some(life), counts, captures, board, local, thread: None }))
}

impl Handle {
    /// For whoever gives orders: `try_send`, or `blocking_send` from a thread that may wait.
    pub fn orders(&self) -> mpsc::Sender<Vec<Order>> {
        self.orders.clone()
    }

    /// Gives the orders back if the queue is full or the shard is gone.
    pub fn order(&self, batch: Vec<Order>) -> Result<(), Vec<Order>> {
        self.orders.try_send(batch).map_err(mpsc::error::TrySendError::into_inner)
    }

    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// The ones of the configuration.
    pub fn captures(&self) -> &Arc<Captures> {
        &self.captures
    }

    /// How the connections to trunks stand, in their order; `None` for one that datagrams go to.
    pub fn links(&self) -> Vec<Option<LinkState>> {
        self.board.links()
    }

    /// The SIP socket's own address.
    pub fn local(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.life = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the wire thread panicked");
        }
    }
}
