//! What the engine is told of the world around it: trunks, queues, and which numbers may be dialled at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{Money, QueueIx, Reach, Tariff, TrunkIx};

#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Of attempt ids and of exploration. The same seed and the same inputs give the same outputs.
    pub seed: u64,
    /// [`TrunkIx`] is the position here.
    pub trunks: Vec<TrunkSpec>,
    /// Several trunks under one name. No trunk has the name of a group.
    pub groups: Vec<GroupSpec>,
    /// [`QueueIx`] is the position here.
    pub queues: Vec<QueueSpec>,
    /// Refuse every number that is not a test number, whatever the trunk says.
    pub test_numbers_only: bool,
    /// Whose midnight ends the day of our own numbers.
    pub zone: TimeZone,
    /// Wall seconds per second of the tick: 1, but for a daemon started with `--clock-rate`.
    pub wall_rate: f64,
    /// How long an authorisation may be used, in monotonic time from before it was asked for.
    pub permit: Duration,
}

#[derive(Clone, Debug)]
pub struct TrunkSpec {
    pub name: String,
    /// A trunk into the real world. Until it is, only test numbers go out on it.
    pub live: bool,
    pub max_calls: u32,
    pub max_cps: u32,
    /// Our own numbers on it; never empty.
    pub caller_ids: Arc<[Arc<str>]>,
    /// Some of them, by the names that campaigns use.
    pub pools: BTreeMap<String, Arc<[Arc<str>]>>,
    /// How often one of its numbers may be shown in a day; without an entry, as often as you like.
    pub shown_max: BTreeMap<Arc<str>, u32>,
    /// `None`: as much as it comes to.
    pub spend: Option<Spend>,
    /// The numbers that may be dialled over it.
    pub reach: Arc<Reach>,
}

/// What calls over a trunk cost, and how much they may cost in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    pub max_per_day: Money,
    pub tariff: Tariff,
}

#[derive(Clone, Debug)]
pub struct GroupSpec {
    pub name: String,
    /// Each trunk once.
    pub members: Vec<Member>,
}

/// As SRV records have it (RFC 2782): the lowest priority first, within it by weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub trunk: TrunkIx,
    pub priority: u16,
    /// At least 1.
    pub weight: u16,
}

/// A PBX queue to transfer to. Without agents of our own, its seats are what progressive pacing counts.
#[derive(Clone, Debug)]
pub struct QueueSpec {
    pub name: String,
    pub uri: String,
    pub seats: u32,
}

impl TrunkSpec {
    /// Of a pool, or all of them. `None`: this trunk has no such pool.
    pub fn numbers(&self, pool: Option<&str>) -> Option<&[Arc<str>]> {
        match pool {
            None => Some(&self.caller_ids),
            Some(name) => self.pools.get(name).map(AsRef::as_ref),
        }
    }
}

impl EngineConfig {
    /// Longer and a paused node would dial on stale facts, shorter and a slow disk would void calls.
    pub const PERMIT: Duration = Duration::from_millis(500);

    pub fn trunk(&self, ix: TrunkIx) -> Option<&TrunkSpec> {
        self.trunks.get(ix.ix())
    }

    pub fn queue(&self, name: &str) -> Option<(QueueIx, &QueueSpec)> {
        let at = self.queues.iter().position(|queue| queue.name == name)?;
        Some((QueueIx(at as u16), self.queues.get(at)?))
    }

    pub fn test_numbers_only_on(&self, trunk: TrunkIx) -> bool {
        self.test_numbers_only || !self.trunk(trunk).is_some_and(|spec| spec.live)
    }
}
