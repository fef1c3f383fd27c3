//! Makes one connection: TCP, and TLS where the trunk wants it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::certificate::runs_out;
use super::failure::Failure;
use super::tls::ClientTls;

/// A peer that acknowledges nothing for so long is gone.
const DEAD_AFTER: Duration = Duration::from_secs(10);

/// Bytes both ways, whatever carries them.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) struct Opened {
    pub(super) stream: Box<dyn Stream>,
    /// Our end.
    pub(super) ours: SocketAddr,
    /// When the certificate that was shown runs out, in seconds since 1970.
    pub(super) runs_out: Option<i64>,
}

/// From `from`, which is what the gateway knows us by, in all within `limit`.
pub(super) async fn open(
    to: SocketAddr,
    from: IpAddr,
    tls: Option<&ClientTls>,
    limit: Duration,
) -> Result<Opened, Failure> {
    tokio::time::timeout(limit, connect(to, from, tls)).await.map_err(|_| Failure::Silent)?
}

async fn connect(to: SocketAddr, from: IpAddr, tls: Option<&ClientTls>) -> Result<Opened, Failure> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if from.is_ipv4() == to.is_ipv4() {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let plain = socket.connect(to).await?;
    prepare(&plain)?;
    let ours = plain.local_addr()?;
    let Some(tls) = tls else { return Ok(Opened { stream: Box::new(plain), ours, runs_out: None }) };
    let secret = TlsConnector::from(tls.config.clone()).connect(tls.name.clone(), plain).await?;
    let shown = secret.get_ref().1.peer_certificates().and_then(<[CertificateDer<'_>]>::first);
    let runs_out = shown.and_then(|certificate| runs_out(certificate));
    Ok(Opened { stream: Box::new(secret), ours, runs_out })
}

/// Requests are short and must not wait for one another; a peer that vanished must be noticed.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(DEAD_AFTER * 3).with_interval(DEAD_AFTER))?;
    socket.set_tcp_user_timeout(Some(DEAD_AFTER))
}
