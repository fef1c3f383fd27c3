//! Calls of a trunk that signs them (RFC 8224) wait here for their signature, between the engine and the line.

mod signer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::base::{LegId, Now, Tick};
use crate::call::{LegCommand, NotSent};
use crate::obs::Metrics;
use crate::sip::Identity;
use crate::wire::Command;

use super::clock::OsClock;
use super::config::{Config, TrunkConfig, Without};
use super::pump::ToEngine;

use signer::{Call, Signer};
pub use signer::{Signed, Unsigned};

/// Owned by the engine's thread.
#[derive(Debug)]
pub struct Signing {
    /// In the order of the trunks; `None` for one whose calls go unsigned.
    trunks: Vec<Option<Trunk>>,
    /// Bounded by the attempts under way.
    held: BTreeMap<LegId, Held>,
    refused: VecDeque<(LegId, NotSent)>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Trunk {
    name: String,
    signer: Signer,
    timeout: Duration,
    without: Without,
    complained: Option<Tick>,
}

#[derive(Debug)]
struct Held {
    command: Command,
    trunk: usize,
    hop: u8,
    until: Tick,
}

/// Between two complaints about one trunk.
const QUIET: Duration = Duration::from_mins(1);

impl Signing {
    pub fn start(
        config: &Config,
        engine: &SyncSender<ToEngine>,
        clock: &Arc<OsClock>,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let start = |trunk: &TrunkConfig| -> anyhow::Result<Option<Trunk>> {
            let Some(identity) = &trunk.identity else { return Ok(None) };
            open(metrics, &trunk.name);
            Ok(Some(Trunk {
                name: trunk.name.clone(),
                signer: Signer::start(identity, clock, engine)?,
                timeout: identity.timeout,
                without: identity.without,
                complained: None,
            }))
        };
        let trunks = config.trunks.iter().map(start).collect::<anyhow::Result<_>>()?;
        Ok(Self { trunks, held: BTreeMap::new(), refused: VecDeque::new(), metrics: metrics.clone() })
    }

    /// What may go to the line now. A leg that is hung up while its signature is awaited is never dialled.
    pub fn pass(&mut self, now: Now, command: Command) -> Option<Command> {
        match &command.command {
            LegCommand::Dial(_) => self.hold(now, command),
            LegCommand::Hangup => {
                if self.held.remove(&command.leg).is_none() {
                    return Some(command);
                }
                self.refused.push_back((command.leg, NotSent::PermitExpired));
                None
            }
            LegCommand::Play(_) | LegCommand::StopPlay | LegCommand::Refer { .. } => Some(command),
        }
    }

    /// The dial that waited for it, if one does still.
    pub fn signed(&mut self, now: Tick, signed: Signed) -> Option<Command> {
        let held = self.held.get(&signed.leg).filter(|held| held.hop == signed.hop && now < held.until)?;
        let trunk = held.trunk;
        let Held { command, .. } = self.held.remove(&signed.leg)?;
        self.decide(now, trunk, command, signed.identity)
    }

    /// Dials that have waited long enough and go unsigned.
    pub fn expired(&mut self, now: Tick) -> Vec<Command> {
        let late: Vec<Held> = self.held.extract_if(.., |_, held| held.until <= now).map(|(_, held)| held).collect();
        late.into_iter().filter_map(|held| self.decide(now, held.trunk, held.command, Err(Unsigned::Late))).collect()
    }

    pub fn poll_timeout(&self) -> Option<Tick> {
        self.held.values().map(|held| held.until).min()
    }

    /// What the engine must hear of a leg that did not get as far as the line.
    pub fn poll_refused(&mut self) -> Option<(LegId, NotSent)> {
        self.refused.pop_front()
    }

    fn hold(&mut self, now: Now, command: Command) -> Option<Command> {
        let LegCommand::Dial(dial) = &command.command else { return Some(command) };
        let (ix, hop) = (dial.trunk.ix(), dial.hop);
        let (Some(Some(trunk)), Some(number)) = (self.trunks.get(ix), &command.number) else { return Some(command) };
        let until = now.tick + trunk.timeout;
        let call = Call { leg: command.leg, hop, caller_id: &dial.caller_id, number };
        if !trunk.signer.ask(now, &call, until) {
            return self.decide(now.tick, ix, command, Err(Unsigned::Late));
        }
        self.held.insert(command.leg, Held { command, trunk: ix, hop, until });
        None
    }

    fn decide(
        &mut self,
        now: Tick,
        trunk: usize,
        command: Command,
        identity: Result<Identity, Unsigned>,
    ) -> Option<Command> {
        let Some(Some(trunk)) = self.trunks.get_mut(trunk) else { return Some(command) };
        match identity {
            Ok(identity) => {
                self.metrics.trunk_signatures.add([&trunk.name, "signed"], 1);
                Some(Command { identity: Some(identity), ..command })
            }
            Err(why) => {
                self.metrics.trunk_signatures.add([&trunk.name, why.as_str()], 1);
                trunk.complain(now, why);
                if trunk.without == Without::Send {
                    return Some(command);
                }
                self.refused.push_back((command.leg, NotSent::NotSigned));
                None
            }
        }
    }
}

impl Trunk {
    fn complain(&mut self, now: Tick, why: Unsigned) {
        if self.complained.is_some_and(|at| now.since(at) < QUIET) {
            return;
        }
        self.complained = Some(now);
        let (reason, words) = (why.as_str(), why.words());
        match self.without {
            Without::Refuse => {
                tracing::error!(trunk.name = self.name, reason, "calls are not signed and not dialled: {words}");
            }
            Without::Send => tracing::warn!(trunk.name = self.name, reason, "calls go out unsigned: {words}"),
        }
    }
}

/// Every series exists at 0 before the first call.
fn open(metrics: &Metrics, trunk: &str) {
    let faults = [Unsigned::Refused, Unsigned::Late, Unsigned::Unreadable, Unsigned::Unreachable];
    for result in faults.map(Unsigned::as_str).into_iter().chain(["signed"]) {
        metrics.trunk_signatures.open([trunk, result]);
    }
}

#[cfg(test)]
mod tests;
