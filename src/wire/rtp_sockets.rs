//! RTP and RTCP sockets: bound in pairs, once, kept for the next leg, and read when they have something. No task and no scan for each of
//! thousands: a port that becomes readable puts its number on a list and wakes the pump.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::net::UdpSocket;

use crate::line::MediaRange;

/// Packets read of one port in one turn.
const PER_PORT: usize = 16;

#[derive(Debug)]
pub(super) struct RtpSockets {
    bind: IpAddr,
    first: u16,
    /// By port, from the first of the range.
    sockets: Vec<Option<Port>>,
    ready: Arc<Ready>,
    /// Of the list, while it is worked on.
    turn: Vec<u16>,
}

#[derive(Debug)]
struct Port {
    socket: UdpSocket,
    waker: Waker,
}

/// Ports that may have something to read, and who wants to know.
#[derive(Debug, Default)]
struct Ready(Mutex<(Vec<u16>, Option<Waker>)>);

#[derive(Debug)]
struct PortWaker {
    port: u16,
    ready: Arc<Ready>,
}

impl Wake for PortWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut list = self.ready.lock();
        list.0.push(self.port);
        if let Some(pump) = list.1.take() {
            pump.wake();
        }
    }
}

impl Ready {
    fn lock(&self) -> std::sync::MutexGuard<'_, (Vec<u16>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RtpSockets {
    pub(super) fn new(bind: IpAddr, range: &MediaRange) -> Self {
        let count = usize::from(range.last_port.saturating_sub(range.first_port)) + 1;
        Self {
            bind,
            first: range.first_port,
            sockets: std::iter::repeat_with(|| None).take(count).collect(),
            ready: Arc::default(),
            turn: Vec::new(),
        }
    }

    /// The port and the one above, for RTCP: both or none.
    pub(super) fn open(&mut self, port: u16) -> io::Result<()> {
        let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let (rtp, rtcp) = (self.bound(port)?, self.bound(above)?);
        for (port, opened) in [(port, rtp), (above, rtcp)] {
            let place = self.index(port).and_then(|ix| self.sockets.get_mut(ix)).ok_or(io::ErrorKind::InvalidInput)?;
            arm(place.insert(opened));
        }
        Ok(())
    }

    fn bound(&self, port: u16) -> io::Result<Port> {
        let socket = std::net::UdpSocket::bind((self.bind, port))?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let waker = Waker::from(Arc::new(PortWaker { port, ready: Arc::clone(&self.ready) }));
        Ok(Port { socket, waker })
    }

    /// False if the kernel would not take it: RTP is not sent twice.
    pub(super) fn send(&self, port: u16, to: SocketAddr, bytes: &[u8]) -> bool {
        self.at(port).is_some_and(|port| port.socket.try_send_to(bytes, to).is_ok())
    }

    /// Reads what has come, up to `PER_PORT` packets of each port. True if there may be more at once.
    pub(super) fn receive(&mut self, buffer: &mut [u8], mut each: impl FnMut(u16, SocketAddr, &[u8])) -> bool {
        let mut turn = std::mem::take(&mut self.turn);
        std::mem::swap(&mut turn, &mut self.ready.lock().0);
        let mut more = false;
        for port in turn.drain(..) {
            let Some(known) = self.at(port) else { continue };
            if read(&known.socket, buffer, |from, bytes| each(port, from, bytes)) {
                arm(known);
            } else {
                more = true;
                self.ready.lock().0.push(port);
            }
        }
        self.turn = turn;
        more
    }

    /// Wakes `cx` when a port has something to read.
    pub(super) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut list = self.ready.lock();
        if !list.0.is_empty() {
            return Poll::Ready(());
        }
        if !list.1.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            list.1 = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn index(&self, port: u16) -> Option<usize> {
        port.checked_sub(self.first).map(usize::from)
    }

    fn at(&self, port: u16) -> Option<&Port> {
        self.sockets.get(self.index(port)?)?.as_ref()
    }
}

/// Asks to be told of the next packet; at once if there is one already.
fn arm(port: &Port) {
    if port.socket.poll_recv_ready(&mut Context::from_waker(&port.waker)).is_ready() {
        port.waker.wake_by_ref();
    }
}

/// True when the socket is empty.
fn read(socket: &UdpSocket, buffer: &mut [u8], mut each: impl FnMut(SocketAddr, &[u8])) -> bool {
    for _ in 0..PER_PORT {
        match socket.try_recv_from(buffer) {
            Ok((length, from)) => each(from, buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            // An ICMP error of what we sent; the peer's silence says the same.
            Err(_) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An even port that is free, and the socket that holds the one above.
    fn half_a_pair() -> (u16, std::net::UdpSocket) {
        loop {
            let above = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let port = above.local_addr().unwrap().port();
            if port % 2 == 1 && std::net::UdpSocket::bind(("127.0.0.1", port - 1)).is_ok() {
                return (port - 1, above);
            }
        }
    }

    #[test]
    fn a_pair_is_bound_whole_or_not_at_all() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _entered = runtime.enter();
        let (port, taken) = half_a_pair();
        let here: IpAddr = [127, 0, 0, 1].into();
        let range = MediaRange { address: here, first_port: port, last_port: port + 1 };
        let mut sockets = RtpSockets::new(here, &range);
        assert!(sockets.open(port).is_err());
        assert!(sockets.at(port).is_none(), "the even one alone is of no use");
        drop(taken);
        sockets.open(port).unwrap();
        assert!(sockets.at(port).is_some() && sockets.at(port + 1).is_some());
    }
}
