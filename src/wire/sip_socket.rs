//! The SIP socket over UDP, as the pump wants it: never blocking, every error of a datagram kept to that datagram.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

#[derive(Debug)]
pub(super) struct SipSocket {
    socket: tokio::net::UdpSocket,
    /// The same socket without a reactor, which would refuse to send before it has looked at the socket once: the
    /// CANCELs of a recovery are the first thing that a process has to say.
    out: std::net::UdpSocket,
}

impl SipSocket {
    /// What the kernel may hold for us while nobody reads: some thousands of messages. Its default is a few hundred, less
    /// than come in while a busy host lets this thread wait; every one that is dropped is answered late, or never. The
    /// kernel gives at most `net.core.rmem_max`.
    const RECEIVE_BUFFER: usize = 4 << 20;

    /// Under the runtime that will read it.
    pub(super) fn bind(listen: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(listen)?;
        socket.set_nonblocking(true)?;
        socket2::SockRef::from(&socket).set_recv_buffer_size(Self::RECEIVE_BUFFER)?;
        let out = socket.try_clone()?;
        Ok(Self { socket: tokio::net::UdpSocket::from_std(socket)?, out })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next datagram, or `None` if there is none now. An ICMP error that waits in the queue is passed over: an
    /// unconnected socket is not told whom it concerns.
    pub(super) fn receive<'b>(&self, buffer: &'b mut [u8]) -> Option<(SocketAddr, &'b [u8])> {
        /// ICMP errors in a row.
        const PASSED_OVER: usize = 64;
        for _ in 0..PASSED_OVER {
            match self.socket.try_recv_from(buffer) {
                Ok((length, from)) => return buffer.get(..length).map(|bytes| (from, bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) => {}
            }
        }
        None
    }

    /// False if the kernel would not take it: the transaction sends it again.
    pub(super) fn send(&self, to: SocketAddr, bytes: &[u8]) -> bool {
        self.out.send_to(bytes, to).is_ok()
    }

    pub(super) async fn writable(&self) {
        if let Err(error) = self.socket.writable().await {
            tracing::error!(%error, "the SIP socket is out of order");
        }
    }

    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(cx)
    }
}
