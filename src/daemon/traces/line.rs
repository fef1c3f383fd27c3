//! One message as a line of a trace: attempt, clocks, direction, transport, far address, and what `sip::trace` keeps.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::base::{AttemptId, Tick, Wall};
use crate::sip::trace::{SEPARATOR, note};
use crate::sip::{Target, Transport};
use crate::wire::{Direction, Noted};

/// A line, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub at: Wall,
    pub tick: Tick,
    pub direction: Direction,
    pub far: Target,
    /// Shared by two sendings of one message.
    pub fingerprint: String,
    pub start: String,
    pub cseq: String,
    /// Names and values.
    pub notes: Vec<(String, String)>,
}

/// False, and nothing is written, where the message is of no attempt.
pub(super) fn write(noted: &Noted, message: &[u8], out: &mut String) -> bool {
    let mut kept = String::new();
    let Some(attempt) = note(message, &mut kept) else { return false };
    let arrow = match noted.direction {
        Direction::In => '<',
        Direction::Out => '>',
    };
    let Noted { at, far: Target { transport, addr }, .. } = noted;
    let (wall, tick, over) = (at.wall.0, at.tick.0, transport.word());
    let written = writeln!(
        out,
        "{attempt}{SEPARATOR}{wall}{SEPARATOR}{tick}{SEPARATOR}{arrow}{over}{SEPARATOR}{addr}{SEPARATOR}{kept}"
    );
    written.is_ok()
}

/// `None` for another attempt's line, or for one that was torn.
pub(super) fn read(line: &str, attempt: &str) -> Option<Step> {
    let rest = line.strip_prefix(attempt)?.strip_prefix(SEPARATOR)?;
    let mut fields = rest.split(SEPARATOR);
    let mut field = || fields.next();
    let (at, tick) = (Wall(field()?.parse().ok()?), Tick(field()?.parse().ok()?));
    let way = field()?;
    let direction = match way.get(..1)? {
        "<" => Direction::In,
        ">" => Direction::Out,
        _ => return None,
    };
    let transport = Transport::parse(way.get(1..)?)?;
    let addr: SocketAddr = field()?.parse().ok()?;
    let (fingerprint, start, cseq) = (field()?.to_owned(), field()?.to_owned(), field()?.to_owned());
    let notes =
        fields.filter_map(|note| note.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let notes = notes.collect();
    Some(Step { at, tick, direction, far: Target { transport, addr }, fingerprint, start, cseq, notes })
}

/// The wall clock of any line.
pub(super) fn wall_of(line: &str) -> Option<Wall> {
    let (attempt, rest) = line.split_once(SEPARATOR)?;
    AttemptId::parse(attempt)?;
    rest.split_once(SEPARATOR)?.0.parse().ok().map(Wall)
}
