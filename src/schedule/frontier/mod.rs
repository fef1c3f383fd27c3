//! The due queue of one campaign, in memory: best lead first, for ten million leads, without a query or a full sort.

#[cfg(test)]
mod against_model;
mod cell;
mod order;
mod side;
mod tournament;
mod wheel;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Wall;
use crate::rank::{Past, Reachability};

use super::LeadIx;
use cell::Cell;
use order::{pack, push_tight, tidy, unpack};
use tournament::Tournament;
use wheel::Wheel;

pub use cell::{CellIx, CellKey, CellView, Keys, Later};

const MINUTE_US: i64 = 60_000_000;

/// A lead is in one of three places: out (never inserted, popped, removed), queued in one cell, or parked until it is due.
///
/// Cells hold leads whose multipliers are the same at any moment, so the order inside a cell is fixed by `key` and the
/// clock only moves what keys are worth: [`Frontier::refresh`] costs O(cells), and O(1) for each lead that a peak has passed
/// over; [`Frontier::pop`] O(log cells). Whoever is out of calling hours stays in a closed cell; only what waits for an
/// instant of its own (a retry, a quiet period) is parked.
///
/// Memory per lead: 8 bytes of columns, and 8 bytes where it is queued or parked (a quarter more while it lies in an
/// overlay or a bucket, until [`Frontier::refresh`] settles it).
#[derive(Debug)]
pub struct Frontier {
    columns: Columns,
    cells: Vec<Cell>,
    by_key: BTreeMap<CellKey, CellIx>,
    tree: Tournament,
    wheel: Wheel,
    /// Minute 0 of the wheel.
    base: Wall,
    queued: u32,
    /// Of those, in open cells.
    open: u32,
    parked: u32,
    /// The earliest `until` of all views.
    stale_at: Wall,
}

/// By lead index.
#[derive(Debug, Default)]
struct Columns {
    key: Vec<f32>,
    cell: Vec<CellIx>,
    /// Place in the upper two bits, below them how often it was parked: an entry of the wheel with another count is old.
    seat: Vec<u16>,
}

/// What [`Frontier::pop`] hands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    pub lead: LeadIx,
    pub cell: CellIx,
    pub tier: u8,
    /// The view's worth of its key.
    pub index_value: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Out,
    Queued,
    Parked,
}

impl Frontier {
    pub const MAX_CELLS: usize = u16::MAX as usize;

    /// `now` is the origin of its wheel; what is parked for earlier is due at once.
    pub fn new(now: Wall) -> Self {
        Self {
            columns: Columns::default(),
            cells: Vec::new(),
            by_key: BTreeMap::new(),
            tree: Tournament::default(),
            wheel: Wheel::default(),
            base: Wall(now.0.div_euclid(MINUTE_US) * MINUTE_US),
            queued: 0,
            open: 0,
            parked: 0,
            stale_at: Wall::MAX,
        }
    }

    /// Room for so many leads at once, without slack.
    pub fn reserve(&mut self, leads: usize) {
        let more = leads.saturating_sub(self.columns.key.len());
        self.columns.key.reserve_exact(more);
        self.columns.cell.reserve_exact(more);
        self.columns.seat.reserve_exact(more);
    }

    /// The cell of that key; a new one is looked at through `view`. With [`Frontier::MAX_CELLS`] in use a key that is new
    /// is served by the nearest coarser one (the hours of past failures forgotten, then the rest of the past); `None` if there
    /// is none either.
    pub fn cell(&mut self, key: CellKey, view: impl FnOnce(CellKey) -> CellView) -> Option<CellIx> {
        let key = CellKey { attempts: key.attempts.min(Past::MAX_ATTEMPTS), ..key };
        if let Some(known) = self.by_key.get(&key) {
            return Some(*known);
        }
        if self.cells.len() >= Self::MAX_CELLS {
            let coarse = CellKey { fails: super::SlotFails::default(), ..key };
            let coarser = CellKey { attempts: 0, reachability: Reachability::default(), ..coarse };
            return self.by_key.get(&coarse).or_else(|| self.by_key.get(&coarser)).copied();
        }
        let ix = CellIx(self.cells.len() as u16);
        let view = view(key);
        self.stale_at = self.stale_at.min(view.until);
        self.cells.push(Cell::new(key, view));
        self.tree.grow();
        self.by_key.insert(key, ix);
        Some(ix)
    }

    pub fn cell_key(&self, cell: CellIx) -> Option<CellKey> {
        self.cells.get(usize::from(cell.0)).map(|cell| cell.key)
    }

    /// All cells with how many leads stand queued in them, for the counts that each slot logs.
    pub fn cells(&self) -> impl Iterator<Item = (CellIx, CellKey, &CellView, u32)> {
        self.cells.iter().enumerate().map(|(ix, cell)| (CellIx(ix as u16), cell.key, cell.view(), cell.live))
    }

    /// All cells with the keys of what is queued in them.
    pub fn keys(&mut self) -> impl Iterator<Item = (CellKey, Keys<'_>)> {
        self.cells.iter_mut().map(|cell| (cell.key, cell.keys()))
    }

    /// How many leads of open cells are worth at least so much now, and go. A lead that left its cell since the last
    /// [`Frontier::refresh`] may be counted.
    pub fn count_worth(&self, least: f64) -> usize {
        self.cells.iter().filter(|cell| cell.view().open).map(|cell| cell.count_worth(least)).sum()
    }

    /// What the nth best lead that goes is worth now, near enough: no more than so many are worth that or more. Infinite for
    /// none, minus infinite if there are not so many.
    pub fn worth_of_nth(&self, nth: usize) -> f64 {
        if self.count_worth(f64::NEG_INFINITY) <= nth {
            return f64::NEG_INFINITY;
        }
        let most = self.tree.best_value().unwrap_or(0.0);
        let (mut low, mut high) = (-most.abs().max(1.0) * 1e6, most.next_up());
        // Halving the distance so often tells apart any two that `f32` keys can.
        for _ in 0..64 {
            let middle = f64::midpoint(low, high);
            if self.count_worth(middle) > nth { low = middle } else { high = middle }
        }
        high
    }

    /// Of the leads in open cells that are worth less than that, or do not go, those that `is_drawn` takes. It is asked for
    /// every one of them, in the order of cells.
    pub fn draw(&self, least: f64, mut is_drawn: impl FnMut(LeadIx) -> bool) -> Vec<LeadIx> {
        let mut drawn = Vec::new();
        for (ix, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.view().open) {
            for entry in cell.entries() {
                let (key, lead) = unpack(entry);
                let reached = cell.view().goes(key) && cell.view().worth(key) >= least;
                if !reached && self.columns.entry_stands(entry, CellIx(ix as u16)) && is_drawn(lead) {
                    drawn.push(lead);
                }
            }
        }
        drawn
    }

    /// One that is queued, out of turn. `None`: it is not.
    pub fn take(&mut self, lead: LeadIx) -> Option<Best> {
        let cell = self.columns.cell_of(lead).filter(|_| self.columns.place(lead) == Place::Queued)?;
        let (key, view) = (self.columns.key_of(lead)?, self.cells.get(usize::from(cell.0))?.view());
        let best = Best { lead, cell, tier: view.tier, index_value: view.worth(key) as f32 };
        let open = view.open;
        self.leave(lead);
        open.then_some(best)
    }

    /// Queues a lead as due, wherever it was before. A key below 0 or NaN counts as 0. `false` for a cell that is not here.
    pub fn insert(&mut self, lead: LeadIx, cell: CellIx, key: f32) -> bool {
        if usize::from(cell.0) >= self.cells.len() {
            return false;
        }
        let key = tidy(key);
        if self.columns.stands(lead, cell, key) {
            return true;
        }
        self.leave(lead);
        self.columns.settle(lead, cell, key, Place::Queued);
        self.enqueue(lead, cell, key);
        true
    }

    /// Keeps a lead out of the queue until then (to the minute, never earlier), wherever it was before. One that would wait
    /// for more than seven years rests: only [`Frontier::insert`] or another `park` brings it back, and it costs no entry.
    pub fn park(&mut self, lead: LeadIx, cell: CellIx, key: f32, until: Wall) -> bool {
        if usize::from(cell.0) >= self.cells.len() {
            return false;
        }
        self.leave(lead);
        let tag = self.columns.settle(lead, cell, tidy(key), Place::Parked);
        let ahead = until.0.saturating_sub(self.base.0).max(0);
        let minute = ahead.saturating_add(MINUTE_US - 1) / MINUTE_US;
        self.parked += 1;
        if let Some(minute) = u32::try_from(minute).ok().filter(|minute| *minute < Wheel::LAST) {
            self.wheel.park(minute, tag, lead.0);
        }
        true
    }

    /// Takes it out. `false` if it was out already.
    pub fn remove(&mut self, lead: LeadIx) -> bool {
        self.leave(lead)
    }

    /// Moves what is due by now into its cells; returns how many.
    pub fn due(&mut self, now: Wall) -> usize {
        let minute = now.0.saturating_sub(self.base.0).max(0) / MINUTE_US;
        let minute = u32::try_from(minute).unwrap_or(Wheel::LAST).min(Wheel::LAST);
        let mut moved = 0;
        while let Some((tag, lead)) = self.wheel.pop(minute) {
            let lead = LeadIx(lead);
            if !self.columns.is_parked(lead, tag) {
                continue;
            }
            let (Some(cell), Some(key)) = (self.columns.cell_of(lead), self.columns.key_of(lead)) else { continue };
            self.columns.settle(lead, cell, key, Place::Queued);
            self.parked -= 1;
            self.enqueue(lead, cell, key);
            moved += 1;
        }
        moved
    }

    /// Looks at every cell anew: at a slot boundary, or when [`Frontier::next_refresh`] has come. Also settles memory.
    pub fn refresh(&mut self, mut view: impl FnMut(CellKey) -> CellView) {
        let columns = &self.columns;
        (self.stale_at, self.open) = (Wall::MAX, 0);
        for (ix, cell) in self.cells.iter_mut().enumerate() {
            cell.settle(|entry| columns.entry_stands(entry, CellIx(ix as u16)));
            cell.look(view(cell.key));
            self.open += if cell.view().open { cell.live } else { 0 };
            self.stale_at = self.stale_at.min(cell.view().until);
            self.tree.put(ix, cell.head());
        }
        self.tree.rebuild();
        if self.wheel.entries() > 2 * self.parked as usize + 4_096 {
            self.wheel.sweep(|tag, lead| columns.is_parked(LeadIx(lead), tag));
        }
    }

    /// New keys for all that are queued or parked, and all cells sorted anew: after new scores.
    pub fn rekey(&mut self, mut key: impl FnMut(LeadIx) -> f32) {
        for cell in &mut self.cells {
            cell.restart();
        }
        let columns = &mut self.columns;
        for (ix, ((old, cell), seat)) in columns.key.iter_mut().zip(&columns.cell).zip(&columns.seat).enumerate() {
            let place = Place::of(*seat);
            if place == Place::Out {
                continue;
            }
            let lead = LeadIx(ix as u32);
            *old = tidy(key(lead));
            if let (Place::Queued, Some(cell)) = (place, self.cells.get_mut(usize::from(cell.0))) {
                cell.append(*old, lead);
            }
        }
        for (ix, cell) in self.cells.iter_mut().enumerate() {
            cell.sort();
            self.tree.put(ix, cell.head());
        }
        self.tree.rebuild();
    }

    /// The best lead that is due in an open cell, taken out.
    pub fn pop(&mut self) -> Option<Best> {
        let best = self.peek()?;
        let at = usize::from(best.cell.0);
        if let Some(cell) = self.cells.get_mut(at) {
            cell.take();
        }
        self.leave(best.lead);
        self.replay(at);
        Some(best)
    }

    /// The same, left in. Drops entries that no longer stand on its way.
    pub fn peek(&mut self) -> Option<Best> {
        loop {
            let (at, _) = self.tree.winner()?;
            let ix = CellIx(at as u16);
            let cell = self.cells.get_mut(at)?;
            let entry = cell.best()?;
            if self.columns.entry_stands(entry, ix) {
                let (key, lead) = unpack(entry);
                let (tier, index_value) = (cell.view().tier, cell.view().worth(key) as f32);
                return Some(Best { lead, cell: ix, tier, index_value });
            }
            cell.take();
            self.replay(at);
        }
    }

    /// Queued and parked.
    pub fn len(&self) -> usize {
        (self.queued + self.parked) as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Queued, in open and closed cells.
    pub fn due_len(&self) -> usize {
        self.queued as usize
    }

    /// Queued in open cells: what could be dialled now.
    pub fn open_len(&self) -> usize {
        self.open as usize
    }

    /// Is there anybody to dial now? All that is due may be better off waiting.
    pub fn has_best(&self) -> bool {
        self.tree.winner().is_some()
    }

    /// When [`Frontier::due`] may have something to move: never later than the first parked lead, to the minute.
    pub fn next_due(&self) -> Option<Wall> {
        self.wheel.next().map(|minute| Wall(self.base.0.saturating_add(i64::from(minute) * MINUTE_US)))
    }

    /// The earliest `until` of all views: when [`Frontier::refresh`] is next needed.
    pub fn next_refresh(&self) -> Wall {
        self.stale_at
    }

    pub fn key(&self, lead: LeadIx) -> Option<f32> {
        self.columns.key_of(lead)
    }

    /// The cell that it stands in or stood in last.
    pub fn cell_of(&self, lead: LeadIx) -> Option<CellIx> {
        self.columns.cell_of(lead)
    }

    /// How its cell stood when it was last looked at.
    pub fn view_of(&self, lead: LeadIx) -> Option<&CellView> {
        self.columns.cell_of(lead).and_then(|cell| self.cells.get(usize::from(cell.0))).map(Cell::view)
    }

    /// What it holds, allocated room included.
    pub fn bytes(&self) -> usize {
        let index = self.by_key.len() * (size_of::<CellKey>() + size_of::<CellIx>()) * 2;
        let cells: usize = self.cells.iter().map(Cell::bytes).sum();
        self.columns.bytes() + cells + index + self.tree.bytes() + self.wheel.bytes()
    }

    fn enqueue(&mut self, lead: LeadIx, cell: CellIx, key: f32) {
        let at = usize::from(cell.0);
        let Some(cell) = self.cells.get_mut(at) else { return };
        cell.push(pack(key, lead));
        cell.live += 1;
        self.queued += 1;
        self.open += u32::from(cell.view().open);
        self.replay(at);
    }

    /// A cell's head may have changed.
    fn replay(&mut self, at: usize) {
        let head = self.cells.get(at).and_then(Cell::head);
        if head != self.tree.head(at) {
            self.tree.set(at, head);
        }
    }

    fn leave(&mut self, lead: LeadIx) -> bool {
        match self.columns.leave(lead) {
            Place::Out => return false,
            Place::Parked => self.parked -= 1,
            Place::Queued => {
                self.queued -= 1;
                let cell = self.columns.cell_of(lead).unwrap_or_default();
                if let Some(cell) = self.cells.get_mut(usize::from(cell.0)) {
                    cell.live -= 1;
                    self.open -= u32::from(cell.view().open);
                }
            }
        }
        true
    }
}

impl Columns {
    const COUNT: u16 = 0x3FF;

    fn key_of(&self, lead: LeadIx) -> Option<f32> {
        self.key.get(lead.ix()).copied()
    }

    fn cell_of(&self, lead: LeadIx) -> Option<CellIx> {
        self.cell.get(lead.ix()).copied()
    }

    fn place(&self, lead: LeadIx) -> Place {
        self.seat.get(lead.ix()).map_or(Place::Out, |seat| Place::of(*seat))
    }

    fn is_parked(&self, lead: LeadIx, tag: u16) -> bool {
        self.place(lead) == Place::Parked && self.seat.get(lead.ix()).is_some_and(|seat| seat & Self::COUNT == tag)
    }

    fn stands(&self, lead: LeadIx, cell: CellIx, key: f32) -> bool {
        let same_key = self.key_of(lead).is_some_and(|own| own.to_bits() == key.to_bits());
        self.place(lead) == Place::Queued && self.cell_of(lead) == Some(cell) && same_key
    }

    /// Two entries of one lead with the same cell and key are the same entry: whichever is met first is the right one.
    fn entry_stands(&self, entry: u64, cell: CellIx) -> bool {
        let (key, lead) = unpack(entry);
        self.stands(lead, cell, key)
    }

    /// Returns the new count of a lead that is parked.
    fn settle(&mut self, lead: LeadIx, cell: CellIx, key: f32, place: Place) -> u16 {
        while self.key.len() <= lead.ix() {
            push_tight(&mut self.key, 0.0);
            push_tight(&mut self.cell, CellIx::default());
            push_tight(&mut self.seat, Place::Out.bits());
        }
        let at = lead.ix();
        let (Some(own_key), Some(own_cell), Some(seat)) =
            (self.key.get_mut(at), self.cell.get_mut(at), self.seat.get_mut(at))
        else {
            return 0;
        };
        *own_key = key;
        *own_cell = cell;
        let count = if place == Place::Parked { seat.wrapping_add(1) } else { *seat } & Self::COUNT;
        *seat = place.bits() | count;
        count
    }

    fn leave(&mut self, lead: LeadIx) -> Place {
        let place = self.place(lead);
        if let Some(seat) = self.seat.get_mut(lead.ix()) {
            *seat = Place::Out.bits() | (*seat & Self::COUNT);
        }
        place
    }

    fn bytes(&self) -> usize {
        self.key.capacity() * size_of::<f32>()
            + self.cell.capacity() * size_of::<CellIx>()
            + self.seat.capacity() * size_of::<u16>()
    }
}

impl Place {
    const SHIFT: u32 = 14;

    fn of(seat: u16) -> Self {
        match seat >> Self::SHIFT {
            1 => Self::Queued,
            2 => Self::Parked,
            _ => Self::Out,
        }
    }

    fn bits(self) -> u16 {
        match self {
            Self::Out => 0,
            Self::Queued => 1 << Self::SHIFT,
            Self::Parked => 2 << Self::SHIFT,
        }
    }
}

/// The wheel's grain.
pub const GRAIN: Duration = Duration::from_micros(MINUTE_US as u64);
