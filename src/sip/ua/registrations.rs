//! The registrations of all trunks, and what they need from the user agent around them.

use std::net::SocketAddr;

use crate::base::{LegId, Rng, Tick, TrunkIx};
use crate::sip::invite::Caller;
use crate::sip::message::Message;
use crate::sip::peer::Peer;
use crate::sip::register::{Input, Output as Said, Registration};
use crate::sip::target::Target;
use crate::sip::transaction::Timer;

use super::api::{Config, Counter, Output};
use super::context::Cx;

#[derive(Debug)]
pub(super) struct Registrations {
    /// In the order of their trunks; most trunks have none.
    by_trunk: Vec<(TrunkIx, Registration)>,
    rng: Rng,
    /// `Unregister` has come.
    closed: bool,
}

impl Registrations {
    pub(super) fn new(config: &Config, rng: Rng) -> Self {
        let mut all = Self { by_trunk: Vec::new(), rng, closed: false };
        all.set_peers(&[], &config.peers);
        all
    }

    /// Keeps what did not change. A trunk that is another one now registers anew; its old binding runs out.
    pub(super) fn set_peers(&mut self, before: &[Peer], after: &[Peer]) {
        let mut old = std::mem::take(&mut self.by_trunk);
        for (at, peer) in after.iter().enumerate() {
            let trunk = TrunkIx(at as u16);
            let Some(wish) = &peer.register else { continue };
            let known = old.iter().position(|(ix, _)| *ix == trunk && before.get(at) == Some(peer));
            if let Some(known) = known {
                self.by_trunk.push(old.swap_remove(known));
            } else if !self.closed {
                self.by_trunk.push((trunk, Registration::new(wish.clone(), self.rng.fork())));
            }
        }
    }

    pub(super) fn unregister(&mut self, cx: &mut Cx, now: Tick) {
        self.closed = true;
        for (trunk, registration) in &mut self.by_trunk {
            handle(cx, now, *trunk, registration, Input::Unregister);
        }
    }

    pub(super) fn on_timeout(&mut self, cx: &mut Cx, now: Tick) {
        for (trunk, registration) in &mut self.by_trunk {
            if is_reachable(cx, *trunk) && registration.poll_timeout().is_some_and(|(at, _)| at <= now) {
                handle(cx, now, *trunk, registration, Input::Timeout);
            }
        }
    }

    pub(super) fn on_unreachable(&mut self, cx: &mut Cx, now: Tick, to: SocketAddr) {
        for (trunk, registration) in &mut self.by_trunk {
            if cx.peer(*trunk).is_some_and(|peer| peer.addr == to) {
                handle(cx, now, *trunk, registration, Input::Unreachable);
            }
        }
    }

    pub(super) fn on_connected(&mut self, cx: &mut Cx, now: Tick, to: Target) {
        for (trunk, registration) in &mut self.by_trunk {
            if cx.peer(*trunk).is_some_and(|peer| peer.target() == to) {
                handle(cx, now, *trunk, registration, Input::Connected);
            }
        }
    }

    /// False where it is the answer to none of them.
    pub(super) fn on_response(
        &mut self,
        cx: &mut Cx,
        now: Tick,
        (id, from): (LegId, TrunkIx),
        response: &Message<'_>,
        status: u16,
    ) -> bool {
        let ours =
            |(trunk, registration): &&mut (TrunkIx, Registration)| *trunk == from && registration.owns(id, response);
        let Some((trunk, registration)) = self.by_trunk.iter_mut().find(ours) else { return false };
        handle(cx, now, *trunk, registration, Input::Response(response, status));
        true
    }

    /// A trunk that was never connected to has nothing to wait for but its connection.
    pub(super) fn poll_timeout(&self, cx: &Cx) -> Option<(Tick, Timer)> {
        let ready = self.by_trunk.iter().filter(|(trunk, _)| is_reachable(cx, *trunk));
        ready.filter_map(|(_, registration)| registration.poll_timeout()).min()
    }

    pub(super) fn may_dial(&self, trunk: TrunkIx, now: Tick) -> bool {
        let found = self.by_trunk.iter().find(|(ix, _)| *ix == trunk);
        found.is_none_or(|(_, registration)| registration.may_dial(now))
    }

    pub(super) fn is_asking(&self) -> bool {
        self.by_trunk.iter().any(|(_, registration)| registration.is_asking())
    }
}

fn is_reachable(cx: &Cx, trunk: TrunkIx) -> bool {
    cx.peer(trunk).is_some_and(|peer| !peer.is_nowhere() && (!peer.transport.is_reliable() || peer.our_end.is_some()))
}

fn handle(cx: &mut Cx, now: Tick, trunk: TrunkIx, registration: &mut Registration, input: Input<'_>) {
    let Some(peer) = cx.config.peers.get(trunk.ix()) else { return };
    registration.handle(&Caller { config: &cx.config, ids: &cx.ids, peer }, now, input);
    while let Some(said) = registration.poll_output() {
        cx.out.push_back(match said {
            Said::Send(to, bytes) => Output::Send { to, bytes },
            Said::Resent => Output::Count(Counter::Resent),
            Said::Authenticated => Output::Count(Counter::Authenticated),
            Said::Report(report) => Output::Registration { trunk, report },
        });
    }
}
