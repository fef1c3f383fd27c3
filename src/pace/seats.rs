//! The seats of a queue that belongs to somebody else's PBX: how many of its agents we must take to be busy.
//!
//! Nobody tells us when an agent hangs up. A seat is ours from the dial on; it comes back when the attempt fails, or a
//! wrap-up time after the call was handed over by REFER.

use crate::base::Tick;

/// All campaigns that use a queue share one of these.
#[derive(Clone, Debug)]
pub struct Seats {
    total: u32,
    /// With a dial or a call of ours.
    taken: u32,
    /// When the seats that got a call are free again, soonest first; never more than [`Seats::MAX`].
    held: Vec<Tick>,
}

impl Seats {
    /// No queue has more; it bounds what we remember.
    pub const MAX: u32 = 10_000;

    pub fn new(seats: u32) -> Self {
        let total = seats.min(Self::MAX);
        Self { total, taken: 0, held: Vec::with_capacity(total as usize) }
    }

    /// People come or go. Fewer than are busy: none is free until they are done.
    pub fn set_total(&mut self, seats: u32) {
        self.total = seats.min(Self::MAX);
    }

    pub fn free(&self, now: Tick) -> u32 {
        let held = self.held.len() - self.held.partition_point(|until| *until <= now);
        self.total.saturating_sub(self.taken).saturating_sub(held as u32)
    }

    /// A dial has been decided.
    pub fn take(&mut self) {
        self.taken = self.taken.saturating_add(1);
    }

    /// The attempt ended without reaching the queue.
    pub fn release(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// The call went to the queue: the seat it had taken stays busy until then.
    pub fn hold_until(&mut self, now: Tick, until: Tick) {
        self.release();
        self.occupy_until(now, until);
    }

    /// A call went to the queue that had taken no seat, from an agentless campaign.
    pub fn occupy_until(&mut self, now: Tick, until: Tick) {
        let over = self.held.partition_point(|held| *held <= now);
        self.held.drain(..over);
        if self.held.len() >= Self::MAX as usize {
            // No seat is free, whichever of them we forget; the soonest would be the first to count wrongly.
            self.held.remove(0);
        }
        let at = self.held.partition_point(|held| *held <= until);
        self.held.insert(at, until);
    }

    /// When time alone frees a seat; `now` if one is free. `None`: an event must come first.
    pub fn next_free(&self, now: Tick) -> Option<Tick> {
        if self.free(now) > 0 {
            return Some(now);
        }
        // One is free once fewer are held than remain beside the taken ones.
        let room = self.total.checked_sub(self.taken)?.checked_sub(1)? as usize;
        self.held.get(self.held.len().checked_sub(room + 1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_busy_from_the_dial_until_failure() {
        let mut seats = Seats::new(1);
        seats.take();
        assert_eq!((seats.free(Tick(0)), seats.next_free(Tick(0))), (0, None));
        seats.release();
        assert_eq!(seats.free(Tick(0)), 1);
    }

    #[test]
    fn a_seat_that_got_a_call_is_busy_for_wrap_up_and_no_longer() {
        let mut seats = Seats::new(2);
        seats.take();
        seats.take();
        seats.hold_until(Tick(10), Tick(50));
        assert_eq!((seats.free(Tick(49)), seats.next_free(Tick(49))), (0, Some(Tick(50))));
        assert_eq!(seats.free(Tick(50)), 1);
        seats.take();
        assert_eq!(seats.next_free(Tick(50)), None);
    }

    #[test]
    fn calls_beyond_the_seats_push_the_next_free_one_out() {
        let mut seats = Seats::new(1);
        seats.occupy_until(Tick(0), Tick(90));
        seats.occupy_until(Tick(0), Tick(40));
        assert_eq!(seats.next_free(Tick(10)), Some(Tick(90)));
        assert_eq!((seats.free(Tick(89)), seats.free(Tick(90))), (0, 1));
    }

    #[test]
    fn whoever_goes_home_is_dialled_for_no_more_and_those_who_talk_are_counted() {
        let mut seats = Seats::new(3);
        seats.take();
        seats.occupy_until(Tick(0), Tick(40));
        seats.set_total(1);
        assert_eq!((seats.free(Tick(9)), seats.next_free(Tick(9))), (0, None));
        seats.set_total(4);
        assert_eq!((seats.free(Tick(9)), seats.free(Tick(40))), (2, 3));
    }

    #[test]
    fn a_queue_without_seats_never_has_one() {
        let mut seats = Seats::new(0);
        seats.occupy_until(Tick(0), Tick(5));
        assert_eq!((seats.free(Tick(9)), seats.next_free(Tick(9))), (0, None));
    }
}
