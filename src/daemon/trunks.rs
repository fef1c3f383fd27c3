//! What the line says of its trunks, for metrics and the log: once for each change.

use std::collections::BTreeMap;

use crate::base::{Tick, TrunkIx};
use crate::call::{TrunkDown, TrunkState};
use crate::obs::Metrics;

/// How a trunk stands, in the gauges. Exactly one of its states is 1.
pub fn show(metrics: &Metrics, trunk: &str, state: TrunkState) {
    metrics.trunk_up.set_truth([trunk], state == TrunkState::Up);
    metrics.trunk_state.set_truth([trunk, "up"], state == TrunkState::Up);
    for why in TrunkDown::ALL {
        metrics.trunk_state.set_truth([trunk, why.as_str()], state == TrunkState::Down(why));
    }
}

/// Since when trunks are down.
#[derive(Debug, Default)]
pub struct Trunks {
    down: BTreeMap<TrunkIx, Tick>,
}

impl Trunks {
    pub fn tell(&mut self, now: Tick, ix: TrunkIx, name: &str, state: TrunkState) {
        match state {
            TrunkState::Up => {
                let down_s = self.down.remove(&ix).map(|since| now.since(since).as_secs());
                tracing::info!(trunk.name = name, down_s, "the trunk takes calls again");
            }
            TrunkState::Down(why) => {
                self.down.entry(ix).or_insert(now);
                let (reason, words) = (why.as_str(), words(why));
                match why {
                    // The connection and the registration have said why, each in its own words.
                    TrunkDown::Disconnected | TrunkDown::Unregistered => {
                        tracing::info!(trunk.name = name, reason, "the trunk takes no calls: {words}");
                    }
                    TrunkDown::Silent | TrunkDown::Overloaded | TrunkDown::Failing => {
                        tracing::warn!(trunk.name = name, reason, "the trunk takes no calls: {words}");
                    }
                }
            }
        }
    }
}

/// Why, until when, and what to do.
pub const fn words(why: TrunkDown) -> &'static str {
    match why {
        TrunkDown::Disconnected => "its connection does not stand",
        TrunkDown::Unregistered => "it must be registered and is not",
        TrunkDown::Silent => {
            "it does not answer OPTIONS, or only with 408 or 503, and is asked again every few seconds until it does; is it \
             down, or what lies behind it, is the way there open? For a gateway that never answers them say \
             `options_every: off`"
        }
        TrunkDown::Overloaded => {
            "it answered 503 with Retry-After, and gets the pause that it asked for; if that comes often, lower `max_calls` \
             or `max_cps`"
        }
        TrunkDown::Failing => {
            "five calls in a row came to nothing on it; it is tried again after a pause. Does the gateway reach its own \
             carrier? See docs/runbooks/GoldenhourTrunkDown.md"
        }
    }
}
