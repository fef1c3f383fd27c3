//! Lines, rate and seats: taken when a dial is decided, given back when its leg has ended.

use crate::base::{Now, QueueIx};

use super::Engine;
use super::live::Live;

impl Engine {
    pub(super) fn reserve(&mut self, at: usize, live: &Live) {
        let (Some(run), Some(trunk)) = (self.runs.get_mut(at), self.trunks.get_mut(live.trunk.ix())) else { return };
        run.pacer.reserve(trunk);
        if let Some(seats) = live.seat.and_then(|ix| self.seats.get_mut(ix.ix())) {
            seats.take();
        }
    }

    pub(super) fn line_sent(&mut self, now: Now, live_run: usize, trunk: crate::base::TrunkIx) {
        let (Some(run), Some(trunk)) = (self.runs.get_mut(live_run), self.trunks.get_mut(trunk.ix())) else { return };
        run.pacer.sent(now.tick, trunk);
    }

    /// It never left.
    pub(super) fn give_back(&mut self, now: Now, live: &Live) {
        let (Some(run), Some(trunk)) = (self.runs.get_mut(live.run), self.trunks.get_mut(live.trunk.ix())) else {
            return;
        };
        run.pacer.give_back(trunk);
        self.release_seat(live.seat);
        self.decide_soon(now);
    }

    /// Its leg has ended. A seat that took the call over is busy for the campaign's wrap-up; nobody tells us more.
    pub(super) fn line_ended(&mut self, now: Now, live: &Live, connected: bool) {
        let (Some(run), Some(trunk)) = (self.runs.get_mut(live.run), self.trunks.get_mut(live.trunk.ix())) else {
            return;
        };
        run.pacer.ended(trunk);
        let wrap_up = live.campaign.agents.as_ref().map(|agents| agents.wrap_up);
        match (live.seat.and_then(|ix| self.seats.get_mut(ix.ix())), wrap_up) {
            (Some(seats), Some(wrap_up)) if connected => seats.hold_until(now.tick, now.tick + wrap_up),
            _ => self.release_seat(live.seat),
        }
        self.decide_soon(now);
    }

    /// A shift begins or ends: whoever talks stays until they are done.
    pub(super) fn staff_queue(&mut self, now: Now, queue: QueueIx, people: u32) {
        if let Some(seats) = self.seats.get_mut(queue.ix()) {
            seats.set_total(people);
            self.decide_soon(now);
        }
        if let Some(spec) = self.config.queues.get_mut(queue.ix()) {
            spec.seats = people;
        }
    }

    fn release_seat(&mut self, seat: Option<QueueIx>) {
        if let Some(seats) = seat.and_then(|ix| self.seats.get_mut(ix.ix())) {
            seats.release();
        }
    }
}
