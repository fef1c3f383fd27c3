//! What each trunk has cost today, and whether one call more fits under its cap.
//!
//! Calls that are over count with what they cost, calls under way with what they cost at least: one step of the billing
//! while they ring, the steps begun once they are answered. A new call must fit under the cap beside all of them. What is
//! under way is never ended for money, so a day passes its cap by the further steps of calls under way, and by nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Money, Now, TrunkIx, Wall};
use crate::call::Finished;
use crate::contact::CallResult;

use super::live::{Live, Stage};
use super::{Engine, Spend};

/// Calls of one day over one trunk that were billed alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Talked {
    pub trunk: Arc<str>,
    /// Whole seconds, rounded up.
    pub seconds: u32,
    pub calls: u32,
}

/// How a trunk with a cap stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendView {
    /// Calls under way included.
    pub today: Money,
    pub max_per_day: Money,
    /// One call more does not fit.
    pub used_up: bool,
}

/// What calls under way cost at least. Counted at the beginning of each round; what the round dials comes on top.
#[derive(Debug, Default)]
pub struct Held(BTreeMap<TrunkIx, Money>);

/// The seconds that a carrier bills an attempt for. `None`: nobody answered. A call that was cut off by a crash of ours may
/// have been answered, and nobody knows for how long: it counts as the shortest one.
pub fn billed_s(result: Option<CallResult>, answered: Option<Wall>, ended: Option<Wall>) -> Option<u32> {
    let Some(answered) = answered else {
        return matches!(result, None | Some(CallResult::UnknownCounted)).then_some(0);
    };
    let talk = ended.unwrap_or(answered).since(answered);
    Some(u32::try_from(talk.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX))
}

impl Engine {
    /// What the store counted since the local day began. Trunks of another name are no trunks of ours any more.
    pub(super) fn take_talked(&mut self, since: Wall, calls: &[Talked]) {
        if since != self.today.began() {
            return;
        }
        for of in calls {
            let Some(at) = self.config.trunks.iter().position(|trunk| *trunk.name == *of.trunk) else { continue };
            let ix = TrunkIx(at as u16);
            if let Some(spend) = self.spend(ix) {
                let cost = spend.tariff.cost(Duration::from_secs(of.seconds.into())).times(of.calls);
                *self.today.spent.entry(ix).or_default() += cost;
            }
        }
    }

    /// Before a new call is placed: what is under way has gone on, or is over, or is on another trunk now.
    pub(super) fn recount_held(&mut self, now: Now) {
        self.held.0.clear();
        if self.config.trunks.iter().all(|trunk| trunk.spend.is_none()) {
            return;
        }
        for live in self.lives.iter().filter(|live| self.today.has(live)) {
            if let Some(spend) = self.spend(live.trunk) {
                *self.held.0.entry(live.trunk).or_default() += least(&spend, live, now.wall);
            }
            let next = live.detour.as_ref().and_then(|detour| detour.asked());
            if let Some((trunk, spend)) = next.and_then(|trunk| Some((trunk, self.spend(trunk)?))) {
                *self.held.0.entry(trunk).or_default() += spend.tariff.least();
            }
        }
    }

    /// One call more, which nobody has answered yet.
    pub(super) fn hold(&mut self, trunk: TrunkIx) {
        if let Some(spend) = self.spend(trunk) {
            *self.held.0.entry(trunk).or_default() += spend.tariff.least();
        }
    }

    /// It is over.
    pub(super) fn charge(&mut self, live: &Live, finished: &Finished) {
        let (answered, ended) = (finished.progress.answered, finished.progress.ended);
        let billed = billed_s(Some(finished.result), answered, ended).filter(|_| self.today.has(live));
        if let Some((spend, seconds)) = self.spend(live.trunk).zip(billed) {
            *self.today.spent.entry(live.trunk).or_default() += spend.tariff.cost(Duration::from_secs(seconds.into()));
        }
    }

    /// How many calls more fit under its cap.
    pub(super) fn affords(&self, trunk: TrunkIx) -> u32 {
        let Some(spend) = self.spend(trunk) else { return u32::MAX };
        let left = spend.max_per_day.less(self.spent_today(trunk));
        // Nothing that costs nothing is read from a configuration.
        let calls = left.millionths / spend.tariff.least().millionths.max(1);
        u32::try_from(calls).unwrap_or(u32::MAX)
    }

    /// In their order; `None` of a trunk without a cap.
    pub fn trunks_spend(&self) -> impl Iterator<Item = Option<SpendView>> {
        (0..self.config.trunks.len()).map(|at| self.spend_view(TrunkIx(at as u16)))
    }

    pub(super) fn spend_view(&self, trunk: TrunkIx) -> Option<SpendView> {
        let spend = self.spend(trunk)?;
        let used_up = self.affords(trunk) == 0;
        Some(SpendView { today: self.spent_today(trunk), max_per_day: spend.max_per_day, used_up })
    }

    fn spent_today(&self, trunk: TrunkIx) -> Money {
        let of = |amounts: &BTreeMap<TrunkIx, Money>| amounts.get(&trunk).copied().unwrap_or_default();
        of(&self.today.spent) + of(&self.held.0)
    }

    fn spend(&self, trunk: TrunkIx) -> Option<Spend> {
        self.config.trunk(trunk)?.spend
    }
}

/// What a call under way costs at least.
fn least(spend: &Spend, live: &Live, at: Wall) -> Money {
    let answered = match &live.stage {
        Stage::Asked => None,
        Stage::Dialled(attempt) => attempt.answered_at(),
    };
    answered.map_or(spend.tariff.least(), |answered| spend.tariff.cost(at.since(answered)))
}
