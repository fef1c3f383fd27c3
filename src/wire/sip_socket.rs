//! The SIP socket over UDP, as the pump wants it: never blocking, every error of a datagram kept to that datagram.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use rustix::net::addr::SocketAddrArg as _;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

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
    /// Datagrams of one system call.
    const BATCH: usize = 64;

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

    /// In their order, many with one call of the kernel (sendmmsg(2)). Returns how many it would not take: their
    /// transactions send them again.
    pub(super) fn send_all<'b>(&self, datagrams: impl Iterator<Item = (SocketAddr, &'b [u8])>) -> usize {
        let mut refused = 0;
        let mut datagrams = datagrams.peekable();
        while datagrams.peek().is_some() {
            let (addresses, bytes): (Vec<_>, Vec<_>) =
                datagrams.by_ref().take(Self::BATCH).map(|(to, bytes)| (to.as_any(), [IoSlice::new(bytes)])).unzip();
            refused += self.send_batch(&addresses, &bytes);
        }
        refused
    }

    /// Of one call the kernel takes some and then stops at the first that it refuses; only that one is passed over.
    fn send_batch(&self, addresses: &[SocketAddrAny], bytes: &[[IoSlice<'_>; 1]]) -> usize {
        let mut nothing: Vec<_> = addresses.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let parts = addresses.iter().zip(bytes).zip(&mut nothing);
        let mut headers: Vec<_> = parts.map(|((to, bytes), none)| MMsgHdr::new_with_addr(to, bytes, none)).collect();
        let (mut at, mut refused) = (0, 0);
        while let Some(rest) = headers.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match sendmmsg(&self.out, rest, SendFlags::empty()) {
                Ok(sent) if sent > 0 => at += sent,
                Ok(_) | Err(_) => (at, refused) = (at + 1, refused + 1),
            }
        }
        refused
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram longer than UDP carries is refused by the kernel.
    #[tokio::test]
    async fn what_the_kernel_refuses_is_passed_over_and_the_rest_goes_out_in_order() {
        let ours = SipSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = peer.local_addr().unwrap();
        let too_long = vec![0; 70_000];
        let mut sent: Vec<Vec<u8>> = (0..150_u8).map(|n| vec![n]).collect();
        sent.insert(3, too_long.clone());
        sent.insert(70, too_long);
        let refused = ours.send_all(sent.iter().map(|bytes| (to, &bytes[..])));
        assert_eq!(refused, 2);
        let mut buffer = [0; 16];
        for n in 0..150 {
            let length = peer.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..length], [n]);
        }
    }
}
