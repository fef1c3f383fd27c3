//! Every packet of one call, for whoever asked for it: waits for the next call that matches, and keeps it from its INVITE
//! to its end, within bounds. Nothing is masked.

mod pcap;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, ContactId, LegId, Now, Tick, TrunkIx};
use crate::sip::header::Name;
use crate::sip::ids::attempt_of;
use crate::sip::message::Message;

pub use pcap::Pcap;

/// Which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The next that begins over it. One that comes over from another trunk began there.
    Trunk(TrunkIx),
    /// The next to this person.
    Contact(ContactId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureState {
    Waiting,
    Recording,
    Over(Over),
}

/// Why nothing more is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    CallEnded,
    Time,
    Full,
    Stopped,
}

/// One request for a capture, and what has come of it.
#[derive(Debug)]
pub struct Capture {
    wanted: Wanted,
    /// The name of a token.
    who: String,
    until: Tick,
    /// Authorised for the person that is waited for, and not dialled yet.
    intended: Option<AttemptId>,
    attempt: Option<AttemptId>,
    /// Of its sound, once the line has one for it; RTCP is one above.
    port: Option<u16>,
    /// When its leg ended.
    ended: Option<Tick>,
    over: Option<(Over, Tick)>,
    file: Arc<Pcap>,
}

impl Capture {
    pub const TIME: Duration = Duration::from_mins(2);
    pub const TIME_MAX: Duration = Duration::from_mins(10);
    /// Some ten minutes of G.711 both ways.
    pub const BYTES_MAX: usize = 16 << 20;
    /// After the leg's end: answers that come late, and another trunk that takes the call over.
    const TAIL: Duration = Duration::from_secs(2);
    /// Then for sound. Shorter than its port rests: after that it is another call's.
    const SOUND_TAIL: Duration = Duration::from_millis(500);
    /// Nobody fetches it: voices are not kept longer than that.
    const KEPT: Duration = Duration::from_mins(2);

    /// `time` counts from now, the waiting included.
    pub fn new(now: Now, wanted: Wanted, who: String, time: Duration) -> Self {
        Self {
            wanted,
            who,
            until: now.tick + time.min(Self::TIME_MAX),
            intended: None,
            attempt: None,
            port: None,
            ended: None,
            over: None,
            file: Arc::new(Pcap::new(Self::BYTES_MAX)),
        }
    }

    pub fn who(&self) -> &str {
        &self.who
    }

    pub fn attempt(&self) -> Option<AttemptId> {
        self.attempt
    }

    pub fn state(&self) -> CaptureState {
        match (self.over, self.attempt) {
            (Some((over, _)), _) => CaptureState::Over(over),
            (None, Some(_)) => CaptureState::Recording,
            (None, None) => CaptureState::Waiting,
        }
    }

    pub fn file(&self) -> &Arc<Pcap> {
        &self.file
    }

    /// What time alone brings about. False: it is to be forgotten.
    pub fn settle(&mut self, now: Tick) -> bool {
        let since_end = self.ended.map(|at| now.since(at));
        if since_end.is_some_and(|since| since >= Self::SOUND_TAIL) {
            self.port = None;
        }
        if since_end.is_some_and(|since| since >= Self::TAIL) {
            self.end(now, Over::CallEnded);
        } else if self.until <= now {
            self.end(now, Over::Time);
        }
        self.over.is_none_or(|(_, at)| now.since(at) < Self::KEPT)
    }

    pub fn stop(&mut self, now: Tick) {
        self.end(now, Over::Stopped);
    }

    /// An attempt is about to be asked for. Many never dial.
    pub fn intends(&mut self, attempt: AttemptId, contact: ContactId) {
        if self.wanted == Wanted::Contact(contact) {
            self.intended = Some(attempt);
        }
    }

    /// Before the line hears of it. `hop`: trunks before this one.
    pub fn dials(&mut self, attempt: AttemptId, trunk: TrunkIx, hop: u8) {
        if self.attempt == Some(attempt) {
            // Another trunk takes it over, on another port.
            (self.ended, self.port) = (None, None);
            return;
        }
        let matches = match self.wanted {
            Wanted::Trunk(wanted) => wanted == trunk && hop == 0,
            Wanted::Contact(_) => self.intended == Some(attempt),
        };
        if matches && self.state() == CaptureState::Waiting {
            self.attempt = Some(attempt);
        }
    }

    /// Of a call of which nothing was ever sent there is nothing to tell: the next one is waited for.
    pub fn leg_ended(&mut self, now: Tick, leg: LegId) {
        if self.attempt != Some(leg.0) || self.over.is_some() {
            return;
        }
        if self.file.packets() == 0 {
            (self.attempt, self.port) = (None, None);
        } else {
            self.ended = Some(now);
        }
    }

    /// The leg whose port is not known yet.
    pub fn looks_for_port(&self) -> Option<LegId> {
        let leg = self.attempt.filter(|_| self.port.is_none() && self.state() == CaptureState::Recording);
        leg.map(LegId)
    }

    pub fn hears(&mut self, port: u16) {
        self.port = Some(port);
    }

    pub fn sip(&mut self, now: Now, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let is_ours = |attempt| {
            let message = Message::parse(bytes).ok()?;
            Some(attempt_of(message.get(Name::CallId)?)? == attempt)
        };
        if self.attempt.and_then(is_ours) == Some(true) {
            self.keep(now, from, to, bytes);
        }
    }

    /// `port` is ours.
    pub fn rtp(&mut self, now: Now, port: u16, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if self.port.is_some_and(|rtp| rtp == port || Some(port) == rtp.checked_add(1)) {
            self.keep(now, from, to, bytes);
        }
    }

    fn keep(&mut self, now: Now, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if self.state() == CaptureState::Recording && !Arc::make_mut(&mut self.file).datagram(now.wall, from, to, bytes)
        {
            self.end(now.tick, Over::Full);
        }
    }

    fn end(&mut self, now: Tick, why: Over) {
        self.over.get_or_insert((why, now));
    }
}

impl CaptureState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Recording => "recording",
            Self::Over(_) => "over",
        }
    }
}

impl Over {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallEnded => "call_ended",
            Self::Time => "time",
            Self::Full => "full",
            Self::Stopped => "stopped",
        }
    }
}

#[cfg(test)]
mod tests;
