//! The shard's loop: take what has come, let the line work, send what it says, wait for the next cause.

use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::base::{Clock, LegId, Now, Tick, TrunkIx};
use crate::line::{
    self, Counter, Input, LegCommand, LegEvent, Line, MediaQuality, OneWay, Output, Packet, RecoveredLeg, Report,
    SipCounter, Target, Transport, Trouble, Unanswered,
};

use super::complaints::Complaints;
use super::journal::Journal;
use super::probe::Probe;
use super::rtp_sockets::RtpSockets;
use super::sip_socket::SipSocket;
use super::streams::{Heard, StreamSockets};
use super::tap::Tap;
use super::{Captures, Command, Counts, Direction, Event, Order};

/// Datagrams read in one turn, before timers and RTP have their turn too.
const SIP_PER_TURN: usize = 256;
/// Batches of orders taken in one turn.
const BATCHES_PER_TURN: usize = 64;
/// INVITEs that leave in one turn. After a stall of the store many wait, and what a gateway's socket holds of a burst is
/// less than a hundred.
const DIALS_PER_TURN: usize = 32;
/// After a turn with work, so that the next one finds several datagrams: a wake costs more than one of them. It adds as
/// much to the time a gateway waits for us, and lies well below anything that SIP or a person notices.
const NAP: Duration = Duration::from_millis(8);
/// Frames that are due cut the nap short, down to this: packets of many calls still leave together.
const SHORT_NAP: Duration = Duration::from_millis(1);
/// As long as dials wait: so that 16 INVITEs leave in a millisecond, and not many more turns than without it.
const BETWEEN_DIALS: Duration = Duration::from_millis(2);
/// Events that wait for the sink; above this no orders are taken.
const EVENTS_WAITING: usize = 10_000;
/// When a full sink is asked again.
const SINK_AGAIN: Duration = Duration::from_millis(2);
/// What legs and registrations may take to end after the handle is gone.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// By then recovery has said all it has to say.
const RECOVERY: Duration = Duration::from_secs(30);
/// With nothing due at all.
const IDLE: Duration = Duration::from_hours(1);
/// The longest datagram UDP carries.
const DATAGRAM: usize = 65_536;

/// Takes events out of the vector; see `start`.
pub(super) type Sink = Box<dyn FnMut(&mut Vec<Event>) + Send>;

/// Where orders come from and reports go.
pub(super) struct Desk {
    pub(super) inbox: mpsc::Receiver<Vec<Order>>,
    /// Closes when the handle is dropped.
    pub(super) death: mpsc::Receiver<()>,
    pub(super) sink: Sink,
    pub(super) counts: Arc<Counts>,
    pub(super) tap: Option<Tap>,
    pub(super) captures: Arc<Captures>,
    pub(super) ends: Ends,
}

/// Our addresses, as a capture shows them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    sip: SocketAddr,
    media: IpAddr,
}

impl Ends {
    pub(super) fn of(settings: &line::Config) -> Self {
        let media = settings.media.address;
        let mut sip = settings.sip.local;
        if sip.ip().is_unspecified() {
            sip.set_ip(media);
        }
        Self { sip, media }
    }
}

impl Desk {
    /// For the traces, if there are any, and for a capture.
    fn copy(&mut self, now: Now, direction: Direction, far: Target, bytes: &[u8]) {
        if let Some(tap) = &mut self.tap
            && !tap.note(now, direction, far, bytes)
        {
            self.counts.trace_was_lost();
        }
        let (from, to) = way(direction, self.ends.sip, far.addr);
        self.captures.tell(now.tick, |capture| capture.sip(now, from, to, bytes));
    }

    fn copy_rtp(&self, now: Now, direction: Direction, port: u16, far: SocketAddr, bytes: &[u8]) {
        let (from, to) = way(direction, SocketAddr::new(self.ends.media, port), far);
        self.captures.tell(now.tick, |capture| capture.rtp(now, port, from, to, bytes));
    }
}

pub(super) struct Sockets {
    pub(super) sip: SipSocket,
    pub(super) rtp: RtpSockets,
    pub(super) probe: Probe,
    pub(super) streams: StreamSockets,
}

pub(super) struct Pump {
    line: Line,
    clock: Arc<dyn Clock>,
    desk: Desk,
    sockets: Sockets,
    journal: Option<Journal>,
    /// The runtime's clock and ours, read together once.
    origin: (Instant, Tick),
    recovered_at: Option<Tick>,
    /// Taken while waiting.
    batch: Option<Vec<Order>>,
    /// The handle is gone: end by this time.
    closing: Option<Tick>,
    events: Vec<Event>,
    sends: Vec<(Target, Packet)>,
    /// Something went unanswered: ask whether the trunks are there.
    resent: bool,
    complaints: Complaints,
    /// What was read last came from nobody we know: no copy is kept of it.
    stranger: bool,
    /// The gateways were told that we go.
    unregistered: bool,
    datagram: Box<[u8]>,
    packet: Vec<u8>,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    worked: bool,
    /// There is more to read at once.
    more: bool,
}

impl Pump {
    pub(super) fn new(
        line: Line,
        clock: Arc<dyn Clock>,
        desk: Desk,
        sockets: Sockets,
        journal: Option<Journal>,
    ) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "ties the runtime's timers to the clock that was handed in, once"
        )]
        let origin = (Instant::now(), clock.now().tick);
        Self {
            line,
            clock,
            desk,
            sockets,
            journal,
            origin,
            recovered_at: None,
            batch: None,
            closing: None,
            events: Vec::new(),
            sends: Vec::new(),
            resent: false,
            complaints: Complaints::default(),
            stranger: false,
            unregistered: false,
            datagram: vec![0; DATAGRAM].into(),
            packet: Vec::with_capacity(256),
        }
    }

    fn recover(&mut self, legs: Vec<RecoveredLeg>) {
        let now = self.clock.now();
        self.recovered_at = Some(now.tick + RECOVERY);
        self.line.handle(now, Input::Recover(legs));
        self.settle(now);
    }

    /// Until the handle is dropped and the last leg is over.
    pub(super) async fn run(&mut self, left: Vec<RecoveredLeg>) {
        // Until the reactor has looked at a new socket once, it takes it for one that cannot be written to.
        self.sockets.sip.writable().await;
        self.recover(left);
        let mut sleep = pin!(tokio::time::sleep_until(self.origin.0));
        loop {
            let turn = self.turn();
            if self.is_over() {
                return;
            }
            if turn.worked && !turn.more {
                self.nap();
            }
            // The reactor runs only while this task gives way. An order that waits must not keep it from doing so.
            tokio::task::yield_now().await;
            if turn.more {
                continue;
            }
            let wake = self.wake_at().map_or_else(|| self.instant(self.clock.now().tick) + IDLE, |at| self.instant(at));
            sleep.as_mut().reset(wake);
            std::future::poll_fn(|cx| self.poll(cx, sleep.as_mut())).await;
        }
    }

    fn nap(&self) {
        let due = self.line.poll_timeout().map(|(at, _)| at.since(self.clock.now().tick));
        let longest = if self.batch.is_some() { BETWEEN_DIALS } else { NAP };
        std::thread::park_timeout(due.map_or(longest, |due| due.clamp(SHORT_NAP, longest)));
    }

    fn turn(&mut self) -> Turn {
        let now = self.clock.now();
        let mut turn = Turn::default();
        self.find_port(now);
        self.orders(now, &mut turn);
        self.datagrams(now, &mut turn);
        self.streams(now, &mut turn);
        self.packets(now, &mut turn);
        if self.closing.is_some() && !std::mem::replace(&mut self.unregistered, true) {
            self.line.handle(now, Input::Unregister);
        }
        if self.line.poll_timeout().is_some_and(|(at, _)| at <= now.tick) {
            turn.worked = true;
            self.line.handle(now, Input::Timeout);
        }
        if self.recovered_at.take_if(|at| *at <= now.tick).is_some()
            && let Some(journal) = &mut self.journal
        {
            journal.recovered();
        }
        self.settle(now);
        if std::mem::take(&mut self.resent) {
            for to in self.sockets.probe.ask(now.tick) {
                self.line.handle(now, Input::Unreachable { to });
            }
            self.settle(now);
        }
        self.desk.counts.legs(self.line.live_legs());
        turn
    }

    /// The port of a leg that is captured is known a turn after its INVITE, long before its first packet.
    fn find_port(&self, now: Now) {
        let captures = &self.desk.captures;
        let leg = captures.tell(now.tick, |capture| capture.looks_for_port()).flatten();
        if let Some(port) = leg.and_then(|leg| self.line.media_port(leg)) {
            captures.tell(now.tick, |capture| capture.hears(port));
        }
    }

    fn orders(&mut self, now: Now, turn: &mut Turn) {
        let mut dials = 0;
        for _ in 0..BATCHES_PER_TURN {
            if self.events.len() >= EVENTS_WAITING {
                return;
            }
            let Some(batch) = self.batch.take().or_else(|| self.desk.inbox.try_recv().ok()) else { return };
            turn.worked = true;
            let mut batch = batch.into_iter();
            while let Some(order) = batch.next() {
                match order {
                    Order::Command(Command { leg, command, number, identity }) => {
                        dials += usize::from(matches!(command, LegCommand::Dial(_)));
                        self.line.handle(now, Input::Command { leg, command, number, identity });
                        self.take(now);
                    }
                    Order::Trunks(trunks) => {
                        self.sockets.probe = Probe::of(&trunks);
                        self.sockets.streams.set_trunks(&trunks);
                        self.line.set_trunks(trunks);
                    }
                }
                if dials >= DIALS_PER_TURN {
                    self.batch = Some(batch.collect());
                    return;
                }
            }
        }
        turn.more = true;
    }

    fn datagrams(&mut self, now: Now, turn: &mut Turn) {
        for _ in 0..SIP_PER_TURN {
            let Some((from, bytes)) = self.sockets.sip.receive(&mut self.datagram) else { return };
            turn.worked = true;
            self.desk.counts.message(Direction::In, bytes);
            let len = bytes.len();
            self.stranger = false;
            self.line.handle(now, Input::Datagram { from, bytes });
            self.take(now);
            if let (Some(bytes), false) = (self.datagram.get(..len), self.stranger) {
                self.desk.copy(now, Direction::In, Target::udp(from), bytes);
            }
        }
        turn.more = true;
    }

    fn streams(&mut self, now: Now, turn: &mut Turn) {
        for _ in 0..SIP_PER_TURN {
            let Some(news) = self.sockets.streams.next() else { return };
            turn.worked = true;
            match news {
                Heard::Framed { from, bytes } => {
                    self.desk.counts.message(Direction::In, &bytes);
                    // A connection is a peer's.
                    self.desk.copy(now, Direction::In, from, &bytes);
                    self.line.handle(now, Input::Framed { from, bytes: &bytes });
                }
                Heard::Connected { to, ours } => self.line.handle(now, Input::Connected { to, ours }),
                Heard::Disconnected { to } => self.line.handle(now, Input::Disconnected { to }),
                Heard::Unsent { to, bytes } => self.unsent(now, to, &bytes),
                Heard::Stranger => self.desk.counts.count(Counter::Sip(SipCounter::UnknownSource)),
                Heard::Garbage => self.desk.counts.count(Counter::Sip(SipCounter::Unreadable)),
            }
            self.take(now);
        }
        turn.more = true;
    }

    fn unsent(&mut self, now: Now, to: Target, bytes: &[u8]) {
        self.desk.counts.failed_to_send();
        self.line.handle(now, Input::Unsent { to, bytes });
    }

    fn packets(&mut self, now: Now, turn: &mut Turn) {
        let Self { line, sockets, desk, datagram, .. } = self;
        let more = sockets.rtp.receive(datagram, |port, from, bytes| {
            turn.worked = true;
            desk.counts.packet(Direction::In, port);
            desk.copy_rtp(now, Direction::In, port, from, bytes);
            line.handle(now, Input::Rtp { port, from, bytes });
        });
        turn.more |= more;
    }

    /// Everything the line has to say, onto the wire and to the engine.
    fn settle(&mut self, now: Now) {
        self.take(now);
        while let Some((port, to)) = self.line.poll_rtp(&mut self.packet) {
            if self.sockets.rtp.send(port, to, &self.packet) {
                self.desk.counts.packet(Direction::Out, port);
                self.desk.copy_rtp(now, Direction::Out, port, to, &self.packet);
            } else {
                self.desk.counts.failed_to_send();
            }
        }
        // A dialog is in the journal before its ACK is on the wire.
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.flush()
        {
            self.desk.counts.journal_has_failed();
            tracing::error!(%error, "the dialog journal cannot be written: calls that a crash leaves behind may not be ended");
        }
        // What finds no connection may go by datagram instead: at most once for each INVITE.
        while !self.sends.is_empty() {
            let mut batch = std::mem::take(&mut self.sends);
            self.send(now, &batch);
            batch.clear();
            self.take(now);
            if self.sends.is_empty() {
                self.sends = batch;
                break;
            }
        }
        if let Some(tap) = &mut self.desk.tap {
            tap.turn();
        }
        if !self.events.is_empty() {
            (self.desk.sink)(&mut self.events);
            if !self.events.is_empty() {
                self.desk.counts.sink_was_full();
            }
        }
    }

    fn send(&mut self, now: Now, batch: &[(Target, Packet)]) {
        let by_datagram = |(to, _): &&(Target, Packet)| to.transport == Transport::Udp;
        for (to, bytes) in batch {
            self.desk.counts.message(Direction::Out, bytes);
            self.desk.copy(now, Direction::Out, *to, bytes);
            if to.transport != Transport::Udp && !self.sockets.streams.send(*to, bytes.clone()) {
                self.unsent(now, *to, bytes);
            }
        }
        let datagrams = batch.iter().filter(by_datagram).map(|(to, bytes)| (to.addr, &bytes[..]));
        for _ in 0..self.sockets.sip.send_all(datagrams) {
            self.desk.counts.failed_to_send();
        }
    }

    fn take(&mut self, now: Now) {
        while let Some(output) = self.line.poll_output() {
            match output {
                Output::SendSip { to, bytes } => self.sends.push((to, bytes)),
                Output::Leg(leg, event) => self.report(now, leg, event),
                Output::OpenPort(port) => self.open(now, port),
                Output::Journal(facts) => {
                    if let Some(journal) = &mut self.journal {
                        journal.note(&facts);
                    }
                }
                Output::Tried(tried) => {
                    if let Some(journal) = &mut self.journal {
                        journal.note_tried(&tried);
                    }
                }
                Output::Registration { trunk, report } => self.registration(trunk, &report),
                Output::Unauthorised { trunk, why } => self.complain(now, trunk, &why),
                Output::Trouble { leg, trunk, what } => self.trouble(now, leg, trunk, what),
                Output::Trunk { trunk, state } => self.events.push(Event::Trunk { at: now, trunk, state }),
                Output::Count(counter) => {
                    self.resent |= counter == Counter::Sip(SipCounter::Resent);
                    self.stranger |= counter == Counter::Sip(SipCounter::UnknownSource);
                    self.desk.counts.count(counter);
                }
            }
        }
    }

    fn report(&mut self, at: Now, leg: LegId, event: LegEvent) {
        if let LegEvent::Ended(end) = &event {
            if let Some(journal) = &mut self.journal {
                journal.over(leg);
            }
            if let Some(media) = &end.media {
                self.desk.counts.heard(media);
                tell_quality(leg, media);
            }
        }
        if matches!(event, LegEvent::Ended(_) | LegEvent::NotSent(_)) {
            self.desk.captures.tell(at.tick, |capture| capture.leg_ended(at.tick, leg));
        }
        self.events.push(Event::Leg { at, leg, event });
    }

    fn registration(&mut self, ix: TrunkIx, report: &Report) {
        let new = self.desk.counts.registration(ix, report);
        let Some(trunk) = self.line.trunk(ix) else { return };
        let (name, address) = (&trunk.name, trunk.addr);
        match report {
            Report::Bound { expires } if new => {
                tracing::info!(trunk.name = name, trunk.address = %address, expires_s = expires.as_secs(), "registered");
            }
            Report::Bound { .. } => {}
            Report::Failed { why, again } => {
                let again_s = again.map(|again| again.as_secs());
                tracing::warn!(trunk.name = name, trunk.address = %address, again_s, "the gateway does not register us: {why}");
            }
            Report::Unbound if self.closing.is_some() => {
                tracing::info!(trunk.name = name, trunk.address = %address, "no longer registered");
            }
            Report::Unbound => {
                tracing::error!(trunk.name = name, trunk.address = %address, "the registration has run out");
            }
        }
    }

    fn complain(&mut self, now: Now, ix: TrunkIx, why: &Unanswered) {
        self.desk.counts.went_unauthorised(ix, why);
        if let Some(trunk) = self.line.trunk(ix)
            && self.complaints.is_news(now.tick, ix, why)
        {
            tracing::warn!(trunk.name, trunk.address = %trunk.addr, "the gateway wants to know who we are: {why}");
        }
    }

    /// Loud once a minute: one call is enough to find the fault, and each has its line.
    fn trouble(&mut self, now: Now, leg: LegId, ix: TrunkIx, what: Trouble) {
        let Some(trunk) = self.line.trunk(ix) else { return };
        let (name, attempt, remedy) = (&trunk.name, leg.0, what.remedy());
        if self.complaints.is_news(now.tick, ix, what) {
            tracing::warn!(trunk.name = name, %attempt, remedy, "{what}");
        } else {
            tracing::info!(trunk.name = name, %attempt, "{what}");
        }
    }

    fn open(&mut self, now: Now, port: u16) {
        let opened = self.sockets.rtp.open(port);
        if let Err(error) = &opened {
            tracing::warn!(port, %error, "an RTP port of the range cannot be used");
        }
        self.line.handle(now, Input::PortOpened { port, ok: opened.is_ok() });
    }

    fn is_over(&self) -> bool {
        let late = self.closing.is_some_and(|by| by <= self.clock.now().tick);
        late || (self.closing.is_some() && self.line.live_legs() == 0 && !self.line.is_registering())
    }

    fn wake_at(&self) -> Option<Tick> {
        let line = self.line.poll_timeout().map(|(at, _)| at);
        let sink = (!self.events.is_empty()).then(|| self.clock.now().tick + SINK_AGAIN);
        [line, sink, self.closing, self.recovered_at].into_iter().flatten().min()
    }

    fn instant(&self, at: Tick) -> Instant {
        self.origin.0 + at.since(self.origin.1)
    }

    fn poll(&mut self, cx: &mut Context<'_>, sleep: Pin<&mut Sleep>) -> Poll<()> {
        let mut ready = self.sockets.sip.poll_ready(cx).is_ready();
        ready |= self.sockets.rtp.poll_ready(cx).is_ready();
        ready |= self.sockets.streams.poll_ready(cx).is_ready();
        if self.closing.is_none() && self.desk.death.poll_recv(cx).is_ready() {
            self.closing = Some(self.clock.now().tick + LAST_WORDS);
            ready = true;
        }
        if self.batch.is_some() {
            ready |= self.events.len() < EVENTS_WAITING;
        } else if self.events.len() < EVENTS_WAITING
            && let Poll::Ready(Some(batch)) = self.desk.inbox.poll_recv(cx)
        {
            self.batch = Some(batch);
            ready = true;
        }
        if ready || sleep.poll(cx).is_ready() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// From and to.
fn way(direction: Direction, ours: SocketAddr, far: SocketAddr) -> (SocketAddr, SocketAddr) {
    match direction {
        Direction::In => (far, ours),
        Direction::Out => (ours, far),
    }
}

/// What a call sounded like, by its attempt.
fn tell_quality(leg: LegId, media: &MediaQuality) {
    let MediaQuality { codec: _, received, lost, jitter_us, sent, lost_there, round_trip_us, one_way } = *media;
    let (attempt, one_way) = (leg.0, one_way.map(OneWay::as_str));
    tracing::debug!(%attempt, sent, received, lost, lost_there, jitter_us, round_trip_us, one_way, "audio");
}
