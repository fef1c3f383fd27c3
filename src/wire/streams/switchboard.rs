//! Who has which connection: messages out to the right one, connections in from peers alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::line::{LineTrunk, Packet, Target, Transport};

use super::board::Board;
use super::certificate::file_runs_out;
use super::connect::{Stream, prepare};
use super::link::{CONNECT, Link};
use super::talk::{Idle, Talk};
use super::tls::{self, ClientTls};
use super::{Heard, Streams, client_tls};

/// Messages that may wait for one connection.
const QUEUE: usize = 1_024;
/// Connections that come in, of one address and of all.
const PER_PEER: usize = 16;
const ACCEPTED: usize = 256;
/// An accepted connection without a byte goes after so long.
const UNUSED: Duration = Duration::from_mins(15);
/// For connections to say what they were told.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Connections that are left over from an older answer.
const MAX_GONE: usize = 16;

struct Route {
    queue: mpsc::Sender<Packet>,
    up: Arc<AtomicBool>,
    /// It came in.
    accepted: bool,
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

pub(super) struct Switchboard {
    trunks: Vec<LineTrunk>,
    /// By trunk: what its connections are made with, and when our certificate runs out.
    tls: Vec<(Option<ClientTls>, Option<i64>)>,
    /// Connections that are kept.
    kept: BTreeSet<Target>,
    doors: [Option<Door>; 2],
    routes: BTreeMap<Target, Route>,
    /// Each ends with the target it served.
    tasks: JoinSet<Target>,
    from: IpAddr,
    heard: mpsc::Sender<Heard>,
    board: Arc<Board>,
}

enum Step {
    Order(Option<(Target, Packet)>),
    Trunks,
    Came(Transport, io::Result<(TcpStream, SocketAddr)>),
    Over(Target),
}

impl Switchboard {
    /// Under the runtime that will run it.
    pub(super) fn new(
        settings: &Streams,
        trunks: &[LineTrunk],
        from: IpAddr,
        heard: mpsc::Sender<Heard>,
        board: Arc<Board>,
    ) -> io::Result<Self> {
        let mut all = Vec::new();
        for (ix, trunk) in trunks.iter().enumerate() {
            let files = settings.trunks.get(ix).cloned().unwrap_or_default();
            let tls = client_tls(trunk, &files)
                .map_err(|why| io::Error::other(format!("`tls` of the trunk `{}`: {why}", trunk.name)))?;
            let own = files.own.as_ref().filter(|_| tls.is_some());
            all.push((tls, own.and_then(|(certificate, _)| file_runs_out(certificate))));
        }
        let tcp = settings.listen_tcp.map(|at| Door::open(at, None)).transpose()?;
        let tls = match &settings.listen_tls {
            None => None,
            Some((at, files)) => Some(Door::open(*at, Some(tls::server(files).map_err(io::Error::other)?.into()))?),
        };
        let (routes, tasks) = (BTreeMap::new(), JoinSet::new());
        let doors = [tcp, tls];
        let kept = BTreeSet::new();
        Ok(Self { trunks: trunks.to_vec(), tls: all, kept, doors, routes, tasks, from, heard, board })
    }

    /// Until nobody gives orders any more.
    pub(super) async fn run(
        &mut self,
        mut orders: mpsc::Receiver<(Target, Packet)>,
        mut news: watch::Receiver<Vec<LineTrunk>>,
    ) {
        self.connect();
        loop {
            let [tcp, tls] = &self.doors;
            let step = tokio::select! {
                order = orders.recv() => Step::Order(order),
                Ok(()) = news.changed() => Step::Trunks,
                came = accept(tcp.as_ref()) => Step::Came(Transport::Tcp, came),
                came = accept(tls.as_ref()) => Step::Came(Transport::Tls, came),
                Some(Ok(over)) = self.tasks.join_next() => Step::Over(over),
            };
            match step {
                Step::Order(None) => break,
                Step::Order(Some((to, packet))) => self.send(to, packet).await,
                Step::Trunks => {
                    self.trunks.clone_from(&news.borrow_and_update());
                    self.connect();
                }
                Step::Came(over, Ok((stream, addr))) => self.accepted(Target::new(over, addr), stream).await,
                // One that broke off before it was taken, or no descriptor is free: the next one may be better.
                Step::Came(_, Err(error)) => tracing::debug!(%error, "a connection was not taken"),
                Step::Over(target) => {
                    self.routes.remove(&target);
                }
            }
        }
        self.routes.clear();
        let _in_time = timeout(LAST_WORDS, async { while self.tasks.join_next().await.is_some() {} }).await;
    }

    /// To every target that wants a connection and has none.
    fn connect(&mut self) {
        self.board.set_trunks(self.trunks.iter().map(|trunk| (trunk.name.clone(), trunk.targets())).collect());
        let mut wanted = BTreeMap::new();
        for (ix, trunk) in self.trunks.iter().enumerate().filter(|(_, trunk)| !trunk.is_nowhere()) {
            let (tls, runs_out) = self.tls.get(ix).cloned().unwrap_or_default();
            for to in trunk.targets().into_iter().filter(|to| to.transport.is_reliable()) {
                wanted.insert(to, (tls.clone(), runs_out));
            }
        }
        self.let_go(&wanted.keys().copied().collect());
        for (to, (tls, runs_out)) in wanted {
            if !self.kept.insert(to) {
                continue;
            }
            self.board.open(to, runs_out);
            let (link, queue) = self.link(to, tls, false);
            self.tasks.spawn(async move {
                link.keep(queue).await;
                to
            });
        }
    }

    /// A connection that no name leads to any more stays while it stands: calls may be on it. There are not many of them.
    fn let_go(&mut self, wanted: &BTreeSet<Target>) {
        let gone: Vec<Target> = self.kept.difference(wanted).copied().collect();
        for (at, to) in gone.iter().enumerate() {
            let stands = self.routes.get(to).is_some_and(|route| route.up.load(Ordering::Acquire));
            if !stands || at + MAX_GONE < gone.len() {
                self.kept.remove(to);
                self.routes.remove(to);
                self.board.close(*to);
            }
        }
    }

    async fn send(&mut self, to: Target, packet: Packet) {
        if !self.routes.contains_key(&to) && self.may_be_made(to) {
            let (link, queue) = self.link(to, None, true);
            self.tasks.spawn(async move {
                link.once(queue).await;
                to
            });
        }
        let route = self.routes.get(&to).filter(|route| route.up.load(Ordering::Acquire));
        let left = match route {
            None => Some(packet),
            Some(route) => route.queue.try_send(packet).err().map(mpsc::error::TrySendError::into_inner),
        };
        if let Some(bytes) = left {
            self.tell(Heard::Unsent { to, bytes }).await;
        }
    }

    /// TCP to a trunk that is otherwise spoken to by datagrams.
    fn may_be_made(&self, to: Target) -> bool {
        let datagrams = |trunk: &LineTrunk| {
            trunk.transport == Transport::Udp && trunk.targets().iter().any(|known| known.addr == to.addr)
        };
        to.transport == Transport::Tcp && self.trunks.iter().any(datagrams)
    }

    fn link(&mut self, to: Target, tls: Option<ClientTls>, up: bool) -> (Link, mpsc::Receiver<Packet>) {
        let (queue, up) = (mpsc::channel(QUEUE), Arc::new(AtomicBool::new(up)));
        let (heard, board) = (self.heard.clone(), Arc::clone(&self.board));
        self.routes.insert(to, Route { queue: queue.0, up: Arc::clone(&up), accepted: false });
        (Link { to, from: self.from, tls, up, heard, board }, queue.1)
    }

    /// A stranger's connection is closed without a byte.
    async fn accepted(&mut self, from: Target, stream: TcpStream) {
        if !self.trunks.iter().any(|trunk| trunk.owns(from)) {
            return self.tell(Heard::Stranger).await;
        }
        let accepted = || self.routes.iter().filter(|(_, route)| route.accepted);
        let of_peer = accepted().filter(|(target, _)| target.addr.ip() == from.addr.ip()).count();
        if of_peer >= PER_PEER || accepted().count() >= ACCEPTED || prepare(&stream).is_err() {
            tracing::warn!(%from, "a peer has opened too many connections; this one is closed");
            return;
        }
        let [_, tls_door] = &self.doors;
        let acceptor = tls_door.as_ref().and_then(|door| door.tls.clone()).filter(|_| from.transport == Transport::Tls);
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        self.routes.insert(from, Route { queue, up: Arc::new(AtomicBool::new(true)), accepted: true });
        let heard = self.heard.clone();
        self.tasks.spawn(async move {
            let stream: Box<dyn Stream> = match acceptor {
                None => Box::new(stream),
                Some(acceptor) => match timeout(CONNECT, acceptor.accept(stream)).await {
                    Ok(Ok(secret)) => Box::new(secret),
                    Ok(Err(error)) => {
                        tracing::warn!(%from, %error, "a peer's TLS handshake failed");
                        return from;
                    }
                    Err(_) => return from,
                },
            };
            let ended = Talk::new(from, stream, Idle::Close(UNUSED), heard).run(&mut waiting, &mut false).await;
            tracing::debug!(%from, ?ended, "a peer's connection is over");
            from
        });
    }

    async fn tell(&self, what: Heard) {
        // A pump that has gone needs no news.
        let _gone = self.heard.send(what).await;
    }
}

impl Door {
    fn open(at: SocketAddr, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener: TcpListener::from_std(listener)?, tls })
    }
}

async fn accept(door: Option<&Door>) -> io::Result<(TcpStream, SocketAddr)> {
    match door {
        Some(door) => door.listener.accept().await,
        None => std::future::pending().await,
    }
}
