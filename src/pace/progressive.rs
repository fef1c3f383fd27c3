//! One dial for one person who can take the call: nobody who answers waits.

use crate::base::Tick;

use super::Staff;

pub(super) fn permits(now: Tick, staff: &Staff) -> u32 {
    match staff {
        Staff::Nobody => 0,
        Staff::Agents { free, promised } => free.saturating_sub(*promised),
        Staff::Queue(seats) => seats.free(now),
    }
}

pub(super) fn next_free(now: Tick, staff: &Staff) -> Option<Tick> {
    match staff {
        Staff::Nobody => None,
        Staff::Agents { free, promised } => (free > promised).then_some(now),
        Staff::Queue(seats) => seats.next_free(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Seats;

    #[test]
    fn a_dial_in_flight_has_its_agent_already() {
        assert_eq!(permits(Tick(0), &Staff::Agents { free: 5, promised: 3 }), 2);
        assert_eq!(permits(Tick(0), &Staff::Agents { free: 1, promised: 3 }), 0);
        assert_eq!(next_free(Tick(0), &Staff::Agents { free: 1, promised: 1 }), None);
    }

    #[test]
    fn without_anybody_there_is_no_dial() {
        assert_eq!((permits(Tick(0), &Staff::Nobody), next_free(Tick(0), &Staff::Nobody)), (0, None));
    }

    #[test]
    fn free_seats_of_a_queue_count_like_agents() {
        let mut seats = Seats::new(3);
        seats.take();
        assert_eq!(permits(Tick(0), &Staff::Queue(&seats)), 2);
    }
}
