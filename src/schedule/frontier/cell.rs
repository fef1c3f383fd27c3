//! One cell: leads whose chance of an answer is the same at any moment, so that what they are worth depends on their keys.

use crate::base::Wall;
use crate::rank::{Past, Reachability};
use crate::schedule::{SlotFails, ZoneSetIx};

use super::order::{pack, unpack};
use super::side::{Eaten as _, High, Low, Side};
use super::tournament::Head;

/// Everything that the chance of an answer, the calling hours and the golden hours depend on, besides the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// All candidate zones of the phone that will be dialled.
    pub zones: ZoneSetIx,
    pub segment: u8,
    /// Attempts made so far, cut at [`Past::MAX_ATTEMPTS`].
    pub attempts: u8,
    pub fails: SlotFails,
    pub reachability: Reachability,
    /// A callback that was promised: before everything else when its time has come.
    pub promised: bool,
}

impl CellKey {
    /// As the answer model looks at it in a local hour.
    pub fn past(self, hour: u8) -> Past {
        let (attempts, same_hour_fails) = (self.attempts, self.fails.count(hour));
        Past { attempts, same_hour_fails, reachability: self.reachability }
    }
}

/// Position in the frontier's cells. Stable as long as the frontier lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellIx(pub u16);

/// How a cell stands at one moment. Leads are ordered by `tier`, then by [`CellView::worth`], then by lead index.
#[derive(Clone, Debug, PartialEq)]
pub struct CellView {
    /// May its leads be dialled now? Calling hours, golden hours in `only`, the time to ring before closing.
    pub open: bool,
    pub tier: u8,
    /// Above 0; what is not counts as the smallest number above it.
    pub multiplier: f32,
    /// Added to the worth: what a dial costs, below 0. It never orders leads of one cell.
    pub offset: f32,
    /// What waiting for a later slot brings, each `key × multiplier − toll`. Empty where nothing later counts.
    pub later: Vec<Later>,
    /// Does a lead that gains by waiting wait, although a line is free?
    pub waits: bool,
    /// Until when all this holds, at the latest.
    pub until: Wall,
}

/// A later slot, as a lead of the cell sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Later {
    /// As [`CellView::multiplier`], in that slot.
    pub multiplier: f32,
    /// What a dial costs then, and what a line is worth to others.
    pub toll: f32,
}

impl CellView {
    /// Closed until somebody looks again.
    pub const CLOSED: Self =
        Self { open: false, tier: 0, multiplier: 1.0, offset: 0.0, later: Vec::new(), waits: false, until: Wall::MAX };

    /// What dialling now brings more than waiting: key × multiplier + offset − max(0, the best of `later`). As the least of
    /// straight lines it rises up to one key and falls from there on, or rises throughout. In `f64`, where the product of
    /// two `f32` is exact.
    pub fn worth(&self, key: f32) -> f64 {
        let later = self.later.iter().map(|later| f64::from(key) * f64::from(later.multiplier) - f64::from(later.toll));
        self.gain(key) - later.fold(0.0, f64::max)
    }

    /// May a lead of that key go now? Not for less than a dial costs, and not if it waits for more.
    pub fn goes(&self, key: f32) -> bool {
        self.open && self.gain(key) >= 0.0 && !(self.waits && self.worth(key) < 0.0)
    }

    /// By itself, as if there were no later slot.
    fn gain(&self, key: f32) -> f64 {
        f64::from(key) * f64::from(self.multiplier) + f64::from(self.offset)
    }

    /// The key at which a lead is worth most now: a better one gains more by waiting. Infinite if there is none.
    pub(super) fn peak(&self) -> f32 {
        let rises = |later: &&Later| later.multiplier <= self.multiplier;
        let crossing = |steep: &Later| {
            // From here on waiting for `steep` is better than every later slot that is no better than now, and than none.
            let others = self.later.iter().filter(rises).map(|flat| {
                let run = f64::from(steep.multiplier) - f64::from(flat.multiplier);
                (f64::from(steep.toll) - f64::from(flat.toll)) / run
            });
            others.fold(f64::from(steep.toll) / f64::from(steep.multiplier), f64::max)
        };
        let steep = self.later.iter().filter(|later| later.multiplier > self.multiplier);
        let peak = steep.map(crossing).fold(f64::INFINITY, f64::min).max(0.0) as f32;
        // Below what a dial costs nobody goes: those who do must not stand behind them.
        let pays = (-f64::from(self.offset) / f64::from(self.multiplier)) as f32;
        if pays > 0.0 { peak.max(pays.next_up()) } else { peak }
    }

    fn tidy(mut self) -> Self {
        if !(self.multiplier > 0.0 && self.multiplier.is_finite()) {
            self.multiplier = f32::MIN_POSITIVE;
        }
        self.later.retain(|later| later.multiplier > 0.0 && later.multiplier.is_finite() && later.toll.is_finite());
        self
    }
}

/// Two sorted queues, eaten from the peak outwards: what is below it and what is above. Entries that no longer stand are
/// met and dropped when they reach the head.
#[derive(Debug)]
pub(super) struct Cell {
    pub key: CellKey,
    view: CellView,
    peak: f32,
    /// Leads that stand in it; it may hold more entries than that.
    pub live: u32,
    /// Keys up to the peak, the highest first.
    low: Side<Low>,
    /// Keys above it, the lowest first.
    high: Side<High>,
}

impl Cell {
    pub(super) fn new(key: CellKey, view: CellView) -> Self {
        let view = view.tidy();
        Self { key, peak: view.peak(), view, live: 0, low: Side::default(), high: Side::default() }
    }

    pub(super) fn view(&self) -> &CellView {
        &self.view
    }

    pub(super) fn look(&mut self, view: CellView) {
        self.view = view.tidy();
        self.peak = self.view.peak();
        self.share_out();
    }

    /// By the order in which it is eaten: of an entry that `pack` made.
    pub(super) fn push(&mut self, entry: u64) {
        if unpack(entry).0 > self.peak { self.high.push(entry) } else { self.low.push(entry) }
    }

    pub(super) fn best(&self) -> Option<u64> {
        if self.high_is_better() { self.high.best() } else { self.low.best() }
    }

    pub(super) fn take(&mut self) -> Option<u64> {
        if self.high_is_better() { self.high.take() } else { self.low.take() }
    }

    /// What it sends into the tournament.
    pub(super) fn head(&self) -> Option<Head> {
        let (key, lead) = unpack(self.best()?);
        self.view.goes(key).then(|| Head { tier: self.view.tier, value: self.view.worth(key), lead: lead.0 })
    }

    /// Merges big overlays into the runs, drops entries once most do not stand, and gives memory back.
    pub(super) fn settle(&mut self, stands: impl Fn(u64) -> bool) {
        self.low.merge(Side::<Low>::SMALL);
        self.high.merge(Side::<High>::SMALL);
        if self.low.len() + self.high.len() > 2 * self.live as usize + Side::<Low>::SMALL {
            self.low.retain(&stands);
            self.high.retain(&stands);
        }
        self.low.tighten();
        self.high.tighten();
    }

    /// Its keys, best first by the key alone; of entries that no longer stand too. Settles what came in since.
    pub(super) fn keys(&mut self) -> Keys<'_> {
        self.low.merge(0);
        self.high.merge(0);
        Keys { low: self.low.run(), high: self.high.run() }
    }

    /// How many entries are worth at least so much now, and go.
    pub(super) fn count_worth(&self, least: f64) -> usize {
        let worth = |key| self.view.goes(key) && self.view.worth(key) >= least;
        self.low.count_best(worth) + self.high.count_best(worth)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = u64> {
        self.low.entries().chain(self.high.entries())
    }

    /// Empties it for [`Cell::append`], with room for all that stand in it.
    pub(super) fn restart(&mut self) {
        self.high = Side::default();
        self.low.restart(self.live as usize);
    }

    pub(super) fn append(&mut self, key: f32, lead: crate::schedule::LeadIx) {
        self.low.append(pack(key, lead));
    }

    pub(super) fn sort(&mut self) {
        self.low.sort();
        self.share_out();
    }

    pub(super) fn bytes(&self) -> usize {
        self.low.bytes() + self.high.bytes() + self.view.later.capacity() * size_of::<Later>() + size_of::<Self>()
    }

    /// Of two that are worth the same, the one with the lower lead index.
    fn high_is_better(&self) -> bool {
        let (Some(high), low) = (self.high.best(), self.low.best()) else { return false };
        let Some(low) = low else { return true };
        let ((high_key, high_lead), (low_key, low_lead)) = (unpack(high), unpack(low));
        let goes = self.view.goes(high_key).cmp(&self.view.goes(low_key));
        let worth = self.view.worth(high_key).total_cmp(&self.view.worth(low_key));
        goes.then(worth).then(low_lead.cmp(&high_lead)).is_gt()
    }

    /// After the peak has moved.
    fn share_out(&mut self) {
        let peak = self.peak;
        self.low.give(&mut self.high, |key| key > peak);
        self.high.give(&mut self.low, |key| key <= peak);
    }
}

/// The keys of a cell in falling order.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    /// Ascending by what is eaten first, so that the key falls towards the front.
    low: &'a [u64],
    /// The other way round: the key falls towards the end.
    high: &'a [u64],
}

impl Keys<'_> {
    pub fn len(self) -> usize {
        self.low.len() + self.high.len()
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub fn nth(self, at: usize) -> Option<f32> {
        let entry = match at.checked_sub(self.high.len()) {
            None => self.high.get(at).map(|entry| High::packed(*entry)),
            Some(below) => self.low.get(self.low.len().checked_sub(below + 1)?).copied(),
        };
        entry.map(|entry| unpack(entry).0)
    }

    /// How many are at least so high.
    pub fn count_from(self, least: f32) -> usize {
        let key = |entry: u64| unpack(entry).0;
        let high = self.high.partition_point(|entry| key(High::packed(*entry)) >= least);
        high + self.low.len() - self.low.partition_point(|entry| key(*entry) < least)
    }
}
