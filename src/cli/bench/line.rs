//! `goldenhour bench line`: the line alone, SIP and RTP without scheduling, gate and database, against a gateway that
//! answers. `bench originate --line` runs it beside SIPp.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::{Context, bail};

use super::figures::{Figures, rounded};
use super::site::free_udp;
use super::stopwatch::pause;
use super::usage::Process;
use crate::base::{AttemptId, Clock, LegId, Pii, Rng, Tick, TrunkIx};
use crate::call::{Dial, LegCommand, LegEvent};
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;
use crate::daemon::OsClock;
use crate::line::{self, LineTrunk, MediaRange};
use crate::sip;
use crate::wire::{self, Command, Direction, Event, Handle, MESSAGE_CLASSES, Order};

/// Place calls with the line alone, without scheduling and database: what one shard costs
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// A gateway that answers every call
    #[arg(long, value_name = "ADDR")]
    peer: SocketAddr,
    /// Calls a second
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
    /// Seconds for which an answered call is held
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=120))]
    hold: u64,
    /// Seconds to wait after the last call, until nothing may be asked for again; then memory is looked at once more
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=120))]
    rest: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut caller = Caller::start(args)?;
    let figures = caller.measure(args)?;
    output::answer(args.json, &figures, None)
}

/// How long a turn of the caller is: what it orders in one goes to the shard as one batch.
const TURN: Duration = Duration::from_millis(5);
/// Without one event.
const PATIENCE: Duration = Duration::from_mins(1);

struct Caller {
    handle: Handle,
    clock: Arc<OsClock>,
    events: Receiver<Vec<Event>>,
    rng: Rng,
    /// Answered calls that are held, the earliest first.
    held: std::collections::VecDeque<(Tick, LegId)>,
    sent: u32,
    answered: u32,
    ended: u32,
    peak: Peak,
}

/// When the most calls were live.
#[derive(Clone, Copy, Debug, Default)]
struct Peak {
    legs: u64,
    rss: u64,
}

impl Caller {
    fn start(args: &Args) -> anyhow::Result<Self> {
        let clock = Arc::new(OsClock::new());
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, free_udp()?));
        let media = MediaRange { address: local.ip(), first_port: 10_000, last_port: 59_999 };
        let settings =
            line::Config::new(sip::Config::new(local, [7; 32]), vec![LineTrunk::new(args.peer)], media, 1, [1; 32]);
        let (sender, events) = sync_channel(4_096);
        let sink = move |events: &mut Vec<Event>| {
            if let Err(TrySendError::Full(back)) = sender.try_send(std::mem::take(events)) {
                *events = back;
            }
        };
        let config = wire::Config {
            listen: local,
            line: settings,
            streams: wire::Streams::default(),
            journal: None,
            recover: Vec::new(),
            queue: 1_024,
            tap: None,
            captures: Arc::default(),
        };
        let handle = wire::start(config, Arc::clone(&clock) as Arc<dyn Clock>, sink).context("the line")?;
        let (rng, held) = (Rng::seeded(1), std::collections::VecDeque::new());
        Ok(Self { handle, clock, events, rng, held, sent: 0, answered: 0, ended: 0, peak: Peak::default() })
    }

    fn measure(&mut self, args: &Args) -> anyhow::Result<Figures> {
        let process = Process::this();
        let idle_rss = process.rss_bytes()?;
        let from = process.cpu_s()?;
        self.place_all(args, process)?;
        let cpu_s = process.cpu_s()? - from;
        let finished_rss = process.rss_bytes()?;
        pause(Duration::from_secs(args.rest));
        let counts = self.handle.counts();
        let invite = MESSAGE_CLASSES.iter().position(|class| *class == "invite").unwrap_or(0);
        let resent = counts.sip(Direction::Out, invite).saturating_sub(u64::from(args.calls));
        let per = |bytes: u64, calls: u64| (bytes.saturating_sub(idle_rss) as f64 / calls.max(1) as f64).round();
        let mut figures = Figures::default();
        figures.set("rate_cps", args.rate).set("calls", args.calls).set("hold_s", args.hold);
        figures.set("failed", args.calls - self.answered).set("resent_invites", resent);
        figures.set("cpu_s", rounded(cpu_s, 3)).set("calls_per_cpu_s", (f64::from(args.calls) / cpu_s).round());
        figures.set("live_calls_at_peak", self.peak.legs);
        figures.set("rss_bytes_per_live_call", per(self.peak.rss, self.peak.legs));
        figures.set("rss_bytes_per_finished_call", per(finished_rss, u64::from(args.calls)));
        figures.set("rss_bytes_after_rest", process.rss_bytes()?).set("rss_bytes_idle", idle_rss);
        Ok(figures)
    }

    fn place_all(&mut self, args: &Args, process: Process) -> anyhow::Result<()> {
        let began = self.clock.now().tick;
        let hold = Duration::from_secs(args.hold);
        let mut heard = began;
        let mut looked = began;
        while self.ended < args.calls {
            pause(TURN);
            let now = self.clock.now().tick;
            let mut orders = Vec::new();
            while let Ok(events) = self.events.try_recv() {
                heard = now;
                self.take(events, now + hold, &mut orders);
            }
            while let Some((_, leg)) = self.held.pop_front_if(|(until, _)| *until <= now) {
                orders.push(order(leg, LegCommand::Hangup, None));
            }
            let due = (now.since(began).as_secs_f64() * f64::from(args.rate)) as u32;
            while self.sent < due.min(args.calls) {
                self.sent += 1;
                orders.push(self.dial());
            }
            if !orders.is_empty() && self.handle.order(orders).is_err() {
                bail!("the line takes no more orders at this rate");
            }
            if now.since(looked) > Duration::from_millis(200) {
                looked = now;
                self.look(process)?;
            }
            if now.since(heard) > PATIENCE {
                bail!("{} of {} calls came to no end", args.calls - self.ended, args.calls);
            }
        }
        Ok(())
    }

    fn take(&mut self, events: Vec<Event>, until: Tick, orders: &mut Vec<Order>) {
        for event in events {
            let Event::Leg { leg, event, .. } = event else { continue };
            match event {
                LegEvent::Answered => {
                    self.answered += 1;
                    if until <= self.clock.now().tick {
                        orders.push(order(leg, LegCommand::Hangup, None));
                    } else {
                        self.held.push_back((until, leg));
                    }
                }
                LegEvent::Ended(_) | LegEvent::NotSent(_) => self.ended += 1,
                LegEvent::Sent
                | LegEvent::Ringing
                | LegEvent::EarlyMedia
                | LegEvent::Digit(_)
                | LegEvent::PlayDone
                | LegEvent::Referred { .. }
                | LegEvent::Silent => {}
            }
        }
    }

    fn dial(&mut self) -> Order {
        let now = self.clock.now();
        let dial = Dial {
            trunk: TrunkIx(0),
            hop: 0,
            caller_id: "+999100000001".into(),
            ring: Duration::from_mins(1),
            permit_until: now.tick + Duration::from_secs(5),
        };
        let number = format!("+9992{:08}", self.sent);
        order(LegId(AttemptId::new(now, &mut self.rng)), LegCommand::Dial(dial), Some(number))
    }

    fn look(&mut self, process: Process) -> anyhow::Result<()> {
        let (legs, rss) = (self.handle.counts().live_legs(), process.rss_bytes()?);
        if legs > self.peak.legs {
            self.peak = Peak { legs, rss };
        }
        Ok(())
    }
}

fn order(leg: LegId, command: LegCommand, number: Option<String>) -> Order {
    Order::Command(Command { leg, command, number: number.map(Pii::new), identity: None })
}
