//! Questions over a connection of its own, for `doctor`: does somebody answer, and if not, why not?

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

/// What follows a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Wait,
    Say(Vec<u8>),
    Done,
}

/// Who asks whom.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    pub to: SocketAddr,
    pub from: IpAddr,
    pub tls: Option<&'a ClientTls>,
    /// For all answers together.
    pub patience: Duration,
}

/// Connects, sends what `question` makes of our end of the connection, and waits for the message that is `wanted`. Blocks.
pub fn ask(
    way: Way<'_>,
    question: impl FnOnce(SocketAddr) -> Vec<u8>,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Answer, Failure> {
    let mut message = None;
    let runs_out = converse(way, question, |bytes| {
        if wanted(bytes) {
            message = Some(bytes.to_vec());
            return Reply::Done;
        }
        Reply::Wait
    })?;
    Ok(Answer { message, runs_out })
}

/// As `ask`, with as many messages as `hear` has answers to. Says when the gateway's certificate runs out.
pub fn converse(
    way: Way<'_>,
    question: impl FnOnce(SocketAddr) -> Vec<u8>,
    hear: impl FnMut(&[u8]) -> Reply,
) -> Result<Option<i64>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(Failure::from)?.block_on(async {
        let mut opened = open(way.to, way.from, way.tls, CONNECT).await?;
        let question = question(opened.ours);
        let talked = timeout(way.patience, talk(&mut *opened.stream, &question, hear));
        // Out of time: what was heard until then is all there is.
        talked.await.unwrap_or(Ok(()))?;
        Ok(opened.runs_out)
    })
}

async fn talk(
    stream: &mut dyn super::connect::Stream,
    question: &[u8],
    mut hear: impl FnMut(&[u8]) -> Reply,
) -> Result<(), Failure> {
    let mut framer = Framer::default();
    let mut buffer = [0; READ];
    say(stream, question).await?;
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        framer.push(buffer.get(..length).unwrap_or_default());
        while let Some(frame) = framer.next_frame().map_err(Failure::Broken)? {
            match frame {
                Frame::Message(bytes) => match hear(&bytes) {
                    Reply::Wait => {}
                    Reply::Say(bytes) => say(stream, &bytes).await?,
                    Reply::Done => return Ok(()),
                },
                Frame::Last(..) | Frame::Ping => {}
            }
        }
    }
}

async fn say(stream: &mut dyn super::connect::Stream, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}
