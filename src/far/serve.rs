//! The gateway on sockets: one thread, one SIP socket, a few RTP sockets.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::base::{Clock, Tick};
use crate::sip::Network;

use super::gateway::{Gateway, Input, Output, Setup};
use super::stats::Stats;
use super::town::Town;

/// Sockets for RTP unless the settings say otherwise; fewer calls need fewer.
const RTP_SOCKETS: usize = 128;
/// Datagrams taken from one socket before the others have their turn.
const BATCH: usize = 64;
/// Larger datagrams do not exist.
const DATAGRAM_MAX: usize = 65_536;
const RTP_MAX: usize = 2_048;

/// A far end to start.
#[derive(Clone)]
pub struct FarConfig {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub town: Town,
    /// Appended to, one JSON line per event, each written at once.
    pub witness_log: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
    pub rtp_sockets: usize,
    /// Who may call.
    pub callers: Vec<Network>,
}

impl FarConfig {
    /// The default town, for callers on this machine alone.
    pub fn new(listen: SocketAddr, clock: Arc<dyn Clock>) -> Self {
        let callers = ["127.0.0.0/8", "::1"].into_iter().filter_map(Network::parse).collect();
        Self { listen, town: Town::default(), witness_log: None, clock, rtp_sockets: RTP_SOCKETS, callers }
    }
}

impl fmt::Debug for FarConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FarConfig({}, {} RTP sockets, witness {:?})", self.listen, self.rtp_sockets, self.witness_log)
    }
}

/// A far end that runs; dropped, it stops.
#[derive(Debug)]
pub struct FarHandle {
    pub sip_addr: SocketAddr,
    stats: Arc<Mutex<Stats>>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl FarHandle {
    /// As of the last SIP datagram or timer.
    pub fn stats(&self) -> Stats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the sockets are closed. Calls that are up are dropped without a word.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the far end's thread has panicked");
        }
    }
}

impl Drop for FarHandle {
    fn drop(&mut self) {
        self.end();
    }
}

/// Binds everything, so that calls may come as soon as it returns, and serves on a thread of its own.
pub fn start(config: FarConfig) -> anyhow::Result<FarHandle> {
    let sip = bind(config.listen).with_context(|| format!("cannot listen on udp {}", config.listen))?;
    let sip_addr = sip.local_addr()?;
    let count = config.rtp_sockets.min(config.town.max_calls).clamp(1, usize::from(u16::MAX));
    let any_port = SocketAddr::new(config.listen.ip(), 0);
    let rtp = (0..count).map(|_| bind(any_port)).collect::<Result<Vec<_>, _>>().context("cannot open RTP sockets")?;
    let witness = config.witness_log.as_ref().map(|path| {
        let file = File::options().create(true).append(true).open(path);
        file.with_context(|| format!("cannot write {}", path.display()))
    });
    let witness = witness.transpose()?;
    let setup = Setup {
        local: sip_addr,
        rtp: rtp.iter().map(std::net::UdpSocket::local_addr).collect::<Result<_, _>>()?,
        key: key()?,
        callers: config.callers,
        witness: witness.is_some(),
        town: config.town,
    };
    let (stats, stop) = (Arc::new(Mutex::new(Stats::default())), Arc::new(Notify::new()));
    let shared = Shared { clock: config.clock, stats: Arc::clone(&stats), stop: Arc::clone(&stop) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || {
        let local = tokio::task::LocalSet::new();
        if let Err(error) = local.block_on(&runtime, serve(setup, sip, rtp, witness, shared)) {
            tracing::error!(%error, "the far end has stopped");
        }
    };
    let thread = std::thread::Builder::new().name("far".to_owned()).spawn(serve)?;
    Ok(FarHandle { sip_addr, stats, stop, thread: Some(thread) })
}

struct Shared {
    clock: Arc<dyn Clock>,
    stats: Arc<Mutex<Stats>>,
    stop: Arc<Notify>,
}

async fn serve(
    setup: Setup,
    sip: std::net::UdpSocket,
    rtp: Vec<std::net::UdpSocket>,
    witness: Option<File>,
    shared: Shared,
) -> anyhow::Result<()> {
    let sip = Rc::new(UdpSocket::from_std(sip)?);
    let rtp = rtp.into_iter().map(|socket| UdpSocket::from_std(socket).map(Rc::new)).collect::<Result<Vec<_>, _>>()?;
    let pump = Rc::new(RefCell::new(Pump {
        gateway: Gateway::new(setup),
        sip: Rc::clone(&sip),
        rtp: rtp.clone(),
        witness,
        clock: shared.clock,
        stats: shared.stats,
        packet: Vec::with_capacity(RTP_MAX),
        asleep_until: None,
        sooner: Rc::new(Notify::new()),
    }));
    tokio::task::spawn_local(receive(Rc::clone(&pump), sip, None));
    for (port, socket) in (0u16..).zip(rtp) {
        tokio::task::spawn_local(receive(Rc::clone(&pump), socket, Some(port)));
    }
    tokio::select! {
        () = keep_time(pump) => {}
        () = shared.stop.notified() => {}
    }
    Ok(())
}

/// The gateway with its sockets. Nobody holds it while waiting.
struct Pump {
    gateway: Gateway,
    sip: Rc<UdpSocket>,
    rtp: Vec<Rc<UdpSocket>>,
    witness: Option<File>,
    clock: Arc<dyn Clock>,
    stats: Arc<Mutex<Stats>>,
    packet: Vec<u8>,
    /// What the timekeeper sleeps for.
    asleep_until: Option<Tick>,
    /// Wakes the timekeeper: something is due before that.
    sooner: Rc<Notify>,
}

/// Takes what comes in on one socket: RTP on that `port`, or SIP.
async fn receive(pump: Rc<RefCell<Pump>>, socket: Rc<UdpSocket>, port: Option<u16>) {
    let mut buffer = vec![0; if port.is_some() { RTP_MAX } else { DATAGRAM_MAX }];
    while socket.readable().await.is_ok() {
        for _ in 0..BATCH {
            let (length, from) = match socket.try_recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // ICMP of an earlier datagram: whoever it was for has gone, and timers see to that.
                Err(_) => continue,
            };
            let bytes = buffer.get(..length).unwrap_or(&[]);
            let input = match port {
                Some(port) => Input::Rtp { port, from, bytes },
                None => Input::Datagram { from, bytes },
            };
            pump.borrow_mut().handle(input);
        }
        tokio::task::yield_now().await;
    }
}

/// Comes back whenever the gateway wants it.
async fn keep_time(pump: Rc<RefCell<Pump>>) {
    let sooner = Rc::clone(&pump.borrow().sooner);
    loop {
        let wait = pump.borrow_mut().until_next();
        let Some(wait) = wait else {
            sooner.notified().await;
            continue;
        };
        if wait.is_zero() {
            tokio::task::yield_now().await;
        } else if tokio::time::timeout(wait, sooner.notified()).await.is_ok() {
            continue;
        }
        pump.borrow_mut().handle(Input::Timeout);
    }
}

impl Pump {
    fn handle(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.gateway.handle(now, input);
        // Before anybody can hear of it: who gets an answer and asks for the counts finds it counted.
        if !matches!(input, Input::Rtp { .. }) {
            *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = self.gateway.stats();
        }
        while let Some(output) = self.gateway.poll_output() {
            match output {
                Output::Sip { to, bytes } => send(&self.sip, &bytes, to),
                Output::Witness(witness) => self.write(&witness.line()),
            }
        }
        while let Some((port, to)) = self.gateway.poll_packet(&mut self.packet) {
            if let Some(socket) = self.rtp.get(usize::from(port)) {
                send(socket, &self.packet, to);
            }
        }
        let next = self.gateway.poll_timeout().map(|(at, _)| at);
        if next.is_some_and(|at| self.asleep_until.is_none_or(|until| at < until)) {
            self.sooner.notify_one();
        }
    }

    fn until_next(&mut self) -> Option<Duration> {
        self.asleep_until = self.gateway.poll_timeout().map(|(at, _)| at);
        self.asleep_until.map(|at| at.since(self.clock.now().tick))
    }

    fn write(&mut self, line: &str) {
        let Some(file) = &mut self.witness else { return };
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!(%error, "the witness log cannot be written; it ends here");
            self.witness = None;
        }
    }
}

/// A datagram that cannot go out now is lost, as in any network: SIP repeats it, RTP has a gap.
fn send(socket: &UdpSocket, bytes: &[u8], to: SocketAddr) {
    if let Err(error) = socket.try_send_to(bytes, to) {
        tracing::debug!(%error, "a datagram was not sent");
    }
}

fn bind(addr: SocketAddr) -> std::io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(addr)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Behind tags, and behind the keys of SRTP.
#[expect(clippy::disallowed_methods, reason = "drawn once per process, here")]
fn key() -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AttemptId, LegId, Now, Pii, TrunkIx, Wall};
    use crate::sip::{self, Command, End, Event, Invite, Peer, Ua, sdp};
    use std::time::Instant;

    struct RealClock(Instant);

    impl Clock for RealClock {
        #[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
        fn now(&self) -> Now {
            Now { tick: Tick(self.0.elapsed().as_micros() as u64), wall: Wall(1_800_000_000_000_000) }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
    fn clock() -> Arc<RealClock> {
        Arc::new(RealClock(Instant::now()))
    }

    /// Calls once over real sockets; waits at most five seconds for anything to come.
    fn call_once(far: SocketAddr, clock: &RealClock) -> End {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let local = socket.local_addr().unwrap();
        let mut ua = Ua::new(sip::Config { peers: vec![Peer::new(far)], ..sip::Config::new(local, [3; 32]) });
        let invite = Invite {
            leg: LegId(AttemptId(1)),
            trunk: TrunkIx(0),
            hop: 0,
            permit_until: crate::base::Tick::MAX,
            request_uri: Pii::new(format!("sip:+999100000001@{far}")),
            from_user: Pii::new("+999100000099".to_owned()),
            from_display: None,
            asserted: None,
            identity: None,
            ring_timeout: Duration::from_secs(40),
            media: sdp::Local { rtp: "127.0.0.1:9".parse().unwrap(), prefer: sdp::Codec::Pcma, srtp: None },
        };
        ua.handle(clock.now(), sip::Input::Command(Command::Invite(Box::new(invite))));
        let mut buffer = [0; 4096];
        let mut ended = None;
        loop {
            while let Some(output) = ua.poll_output() {
                if let sip::Output::Send { to, bytes } = output {
                    socket.send_to(&bytes, to.addr).unwrap();
                } else if let sip::Output::Event { event: Event::Ended(end), .. } = output {
                    ended = Some(end);
                }
            }
            if let Some(end) = ended {
                return end;
            }
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            ua.handle(clock.now(), sip::Input::Datagram { from, bytes: &buffer[..length] });
        }
    }

    #[test]
    fn a_call_over_real_sockets_is_answered_counted_and_written_down() {
        let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
        let log = folder.path().join("witness.jsonl");
        let mut town = crate::far::testing::nobody(|people| people.busy = 1.0);
        town.people.pace = 0.01;
        let mut config = FarConfig::new("127.0.0.1:0".parse().unwrap(), Arc::<RealClock>::clone(&clock) as _);
        (config.town, config.witness_log, config.rtp_sockets) = (town, Some(log.clone()), 2);
        let far = start(config).unwrap();
        let end = call_once(far.sip_addr, &clock);
        assert_eq!((end.status, end.q850), (Some(486), Some(17)));
        assert_eq!((far.stats().invites, far.stats().refused), (1, 1));
        far.stop();
        let lines = std::fs::read_to_string(log).unwrap();
        let seen: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&seen[0]["event"], &seen[0]["will"]), (&"invite".into(), &"busy".into()));
        assert_eq!(seen[0]["call_id"], AttemptId(1).to_string());
        assert_eq!(seen[1]["event"], "ended");
    }

    #[test]
    fn an_address_in_use_is_an_error_and_a_stopped_far_end_frees_its_own() {
        let first = start(FarConfig::new("127.0.0.1:0".parse().unwrap(), clock())).unwrap();
        let addr = first.sip_addr;
        let error = start(FarConfig::new(addr, clock())).unwrap_err();
        assert!(format!("{error:#}").contains(&addr.to_string()));
        first.stop();
        drop(start(FarConfig::new(addr, clock())).unwrap());
    }
}
