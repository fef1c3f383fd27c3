//! One connection while it stands: what comes is cut into messages, what waits is written, silence is filled with pings.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::line::{Broken, Frame, Framer, Packet, Target};

use super::Heard;
use super::connect::Stream;
use super::failure::Failure;

/// After so long without a byte either way we ping (RFC 5626 §4.4.1, and shorter than a firewall's patience).
const PING_AFTER: Duration = Duration::from_secs(25);
/// What a peer may take to accept a message.
const WRITE: Duration = Duration::from_secs(10);
/// For the 400 that explains why we close.
const LAST_WORD: Duration = Duration::from_secs(1);
const READ: usize = 16 * 1024;

/// What is done with silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// Ours: it is kept open.
    Ping,
    /// Theirs, or one that is made as needed: closed after so long.
    Close(Duration),
}

enum Step {
    Read(std::io::Result<usize>),
    Say(Option<Packet>),
    Silence,
}

/// Both ends of one connection.
pub(super) struct Talk {
    from: Target,
    idle: Idle,
    framer: Framer,
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    heard: mpsc::Sender<Heard>,
}

impl Talk {
    pub(super) fn new(from: Target, stream: Box<dyn Stream>, idle: Idle, heard: mpsc::Sender<Heard>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { from, idle, framer: Framer::default(), reader, writer, heard }
    }

    /// Until the connection ends, which is why, or until nobody has anything to say any more. `proof` becomes true with the
    /// first byte that comes: until then a gateway may still refuse us, as with TLS 1.3 a certificate that it does not like.
    pub(super) async fn run(mut self, queue: &mut mpsc::Receiver<Packet>, proof: &mut bool) -> Option<Failure> {
        let mut buffer = vec![0; READ];
        let patience = match self.idle {
            Idle::Ping => PING_AFTER,
            Idle::Close(after) => after,
        };
        loop {
            let step = timeout(patience, async {
                tokio::select! {
                    read = self.reader.read(&mut buffer) => Step::Read(read),
                    packet = queue.recv() => Step::Say(packet),
                }
            });
            let done = match step.await.unwrap_or(Step::Silence) {
                Step::Read(Ok(0)) => Err(Failure::Closed),
                Step::Read(Ok(length)) => {
                    *proof = true;
                    self.hear(buffer.get(..length).unwrap_or_default(), queue).await
                }
                Step::Read(Err(error)) => Err(error.into()),
                Step::Say(Some(packet)) => self.write(&packet).await,
                Step::Say(None) => {
                    let _over = timeout(LAST_WORD, self.writer.shutdown()).await;
                    return None;
                }
                Step::Silence if self.idle == Idle::Ping => {
                    self.framer.pinged();
                    self.write(b"\r\n\r\n").await
                }
                Step::Silence => Err(Failure::Closed),
            };
            if let Err(failure) = done {
                let _over = timeout(LAST_WORD, self.writer.shutdown()).await;
                return Some(failure);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        timeout(WRITE, written).await.map_err(|_| Failure::Stuck)?.map_err(Failure::from)
    }

    /// While the pump is busy with what came before, nothing more is read.
    async fn hear(&mut self, bytes: &[u8], queue: &mut mpsc::Receiver<Packet>) -> Result<(), Failure> {
        self.framer.push(bytes);
        loop {
            match self.framer.next_frame() {
                Ok(None) => return Ok(()),
                Ok(Some(Frame::Ping)) => self.write(b"\r\n").await?,
                Ok(Some(Frame::Message(bytes))) => self.tell(bytes).await?,
                Ok(Some(Frame::Last(head, broken))) => {
                    self.tell(head).await?;
                    if let Ok(Some(answer)) = timeout(LAST_WORD, queue.recv()).await {
                        self.write(&answer).await?;
                    }
                    return Err(Failure::Broken(broken));
                }
                Err(broken) => return Err(self.give_up(broken).await),
            }
        }
    }

    async fn tell(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        self.heard.send(Heard::Framed { from: self.from, bytes }).await.map_err(|_| Failure::Closed)
    }

    async fn give_up(&mut self, broken: Broken) -> Failure {
        // Nobody is left to be told where the shard has gone.
        let _gone = self.heard.send(Heard::Garbage).await;
        Failure::Broken(broken)
    }
}
