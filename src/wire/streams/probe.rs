//! One question over a connection of its own, for `doctor`: does somebody answer, and if not, why not?

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::line::{Frame, Framer};

use super::connect::open;
use super::failure::Failure;
use super::link::CONNECT;
use super::tls::ClientTls;

const READ: usize = 4_096;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The message that `wanted` chose; `None` if nothing of the kind came in time.
    pub message: Option<Vec<u8>>,
    /// When the gateway's certificate runs out, in seconds since 1970.
    pub runs_out: Option<i64>,
}

/// Connects, sends what `question` makes of our end of the connection, and waits up to `patience`. Blocks.
pub fn ask(
    to: SocketAddr,
    from: IpAddr,
    tls: Option<&ClientTls>,
    patience: Duration,
    question: impl FnOnce(SocketAddr) -> Vec<u8>,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Answer, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(Failure::from)?.block_on(async {
        let mut opened = open(to, from, tls, CONNECT).await?;
        let asked = timeout(patience, async {
            opened.stream.write_all(&question(opened.ours)).await?;
            opened.stream.flush().await?;
            answer(&mut *opened.stream, wanted).await
        });
        let message = match asked.await {
            Err(_) => None,
            Ok(found) => Some(found?),
        };
        Ok(Answer { message, runs_out: opened.runs_out })
    })
}

async fn answer(stream: &mut dyn super::connect::Stream, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, Failure> {
    let mut framer = Framer::default();
    let mut buffer = [0; READ];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        framer.push(buffer.get(..length).unwrap_or_default());
        while let Some(frame) = framer.next_frame().map_err(Failure::Broken)? {
            match frame {
                Frame::Message(bytes) if wanted(&bytes) => return Ok(bytes),
                Frame::Message(_) | Frame::Last(..) | Frame::Ping => {}
            }
        }
    }
}
