//! How many dials one campaign may decide now: the smallest of what its mode, its own share and its trunk allow.

use crate::base::Tick;
use crate::campaign::{PacingMode, TrunkUse};

use super::{Limits, Seats, agentless, progressive};

/// One per campaign. The trunk's limits and a queue's seats belong to the engine, because campaigns share them.
#[derive(Clone, Debug)]
pub struct Pacer {
    mode: PacingMode,
    share: Limits,
}

/// Who will talk to the people that answer.
#[derive(Clone, Copy, Debug)]
pub enum Staff<'a> {
    /// No agent is configured.
    Nobody,
    /// Our own: those ready, and how many of them dials in flight already count on.
    Agents { free: u32, promised: u32 },
    /// A queue on the gateway.
    Queue(&'a Seats),
}

impl Pacer {
    pub fn new(mode: PacingMode, share: &TrunkUse) -> Self {
        Self { mode, share: Limits::new(share.max_calls, share.max_cps) }
    }

    /// After a reload: what is under way keeps counting.
    pub fn set(&mut self, mode: PacingMode, share: &TrunkUse) {
        self.mode = mode;
        self.share.set(share.max_calls, share.max_cps);
    }

    pub fn mode(&self) -> PacingMode {
        self.mode
    }

    /// How many dials may be reserved now, where the trunks have room for so many.
    pub fn permits(&self, now: Tick, free: u32, staff: &Staff) -> u32 {
        let people = match self.mode {
            PacingMode::Agentless => agentless::permits(),
            PacingMode::Progressive => progressive::permits(now, staff),
        };
        people.min(self.share.free(now)).min(free)
    }

    /// The instant from which there is a permit by the passing of time alone; `now` if there is one already, `None` if an
    /// event must come first.
    pub fn next_change(&self, now: Tick, trunks_free_at: Tick, staff: &Staff) -> Option<Tick> {
        let people = match self.mode {
            PacingMode::Agentless => Some(agentless::next_free(now)),
            PacingMode::Progressive => progressive::next_free(now, staff),
        };
        Some(people?.max(self.share.next_free(now)?).max(trunks_free_at))
    }

    /// A dial has been decided. Seats are taken apart from this, by whoever knows the queue.
    pub fn reserve(&mut self, trunk: &mut Limits) {
        self.share.reserve();
        trunk.reserve();
    }

    /// Its INVITE has been handed to the line.
    pub fn sent(&mut self, now: Tick, trunk: &mut Limits) {
        self.share.sent(now);
        trunk.sent(now);
    }

    /// It never left.
    pub fn give_back(&mut self, trunk: &mut Limits) {
        self.share.give_back();
        trunk.give_back();
    }

    /// Its leg has ended.
    pub fn ended(&mut self, trunk: &mut Limits) {
        self.share.ended();
        trunk.ended();
    }

    /// Calls of this campaign under way, and dials reserved.
    pub fn busy(&self) -> u32 {
        self.share.busy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn share(max_calls: Option<u32>, max_cps: Option<u32>) -> TrunkUse {
        TrunkUse { group: None, max_calls, max_cps }
    }

    #[test]
    fn the_smallest_of_mode_share_and_trunk_decides() {
        let pacer = Pacer::new(PacingMode::Agentless, &share(Some(4), None));
        let free = |pacer: &Pacer, trunk: &Limits| pacer.permits(Tick(0), trunk.free(Tick(0)), &Staff::Nobody);
        assert_eq!(free(&pacer, &Limits::new(Some(60), Some(10))), 4);
        assert_eq!(free(&pacer, &Limits::new(Some(60), Some(3))), 3);
        assert_eq!(free(&pacer, &Limits::new(Some(2), None)), 2);
        let pacer = Pacer::new(PacingMode::Progressive, &share(Some(4), None));
        assert_eq!(pacer.permits(Tick(0), u32::MAX, &Staff::Agents { free: 1, promised: 0 }), 1);
    }

    #[test]
    fn two_campaigns_on_one_trunk_share_its_lines_and_its_rate() {
        let mut trunk = Limits::new(Some(3), Some(2));
        let mut a = Pacer::new(PacingMode::Agentless, &share(None, None));
        let mut b = a.clone();
        a.reserve(&mut trunk);
        b.reserve(&mut trunk);
        a.sent(Tick(0), &mut trunk);
        b.sent(Tick(5), &mut trunk);
        assert_eq!(a.permits(Tick(5), trunk.free(Tick(5)), &Staff::Nobody), 0);
        assert_eq!(
            trunk.next_free(Tick(5)).and_then(|at| a.next_change(Tick(5), at, &Staff::Nobody)),
            Some(Tick(1_010_000))
        );
        assert_eq!(b.permits(Tick(3_000_000), trunk.free(Tick(3_000_000)), &Staff::Nobody), 1);
        b.ended(&mut trunk);
        assert_eq!(b.permits(Tick(3_000_000), trunk.free(Tick(3_000_000)), &Staff::Nobody), 2);
    }

    #[test]
    fn a_pacer_waits_for_the_last_of_its_limits() {
        let mut seats = Seats::new(1);
        seats.occupy_until(Tick(0), Tick(7_000_000));
        let mut pacer = Pacer::new(PacingMode::Progressive, &share(None, Some(1)));
        let mut trunk = Limits::new(None, None);
        pacer.reserve(&mut trunk);
        pacer.sent(Tick(0), &mut trunk);
        assert_eq!(
            trunk.next_free(Tick(1)).and_then(|at| pacer.next_change(Tick(1), at, &Staff::Queue(&seats))),
            Some(Tick(7_000_000))
        );
        seats.take();
        assert_eq!(trunk.next_free(Tick(1)).and_then(|at| pacer.next_change(Tick(1), at, &Staff::Queue(&seats))), None);
    }

    /// Two campaigns on one trunk, asked and answered at random; every ceiling is checked at every step.
    #[test]
    fn under_random_traffic_no_ceiling_is_ever_passed() {
        const SECOND: u64 = 1_000_000;
        let (trunk_calls, trunk_cps, own_calls, own_cps) = (25, 9, 18, 6);
        for seed in 0..40 {
            let mut rng = Rng::seeded(seed);
            let mut trunk = Limits::new(Some(trunk_calls), Some(trunk_cps));
            let mut pacers =
                [(); 2].map(|()| Pacer::new(PacingMode::Agentless, &share(Some(own_calls), Some(own_cps))));
            let (mut reserved, mut live) = ([0u32; 2], [0u32; 2]);
            let mut sent: Vec<(u64, usize)> = Vec::new();
            let mut now = 0;
            for _ in 0..4_000 {
                now += u64::from(rng.below(20_000));
                let which = rng.below(2) as usize;
                let pacer = &mut pacers[which];
                for _ in 0..pacer.permits(Tick(now), trunk.free(Tick(now)), &Staff::Nobody).min(rng.below(5)) {
                    pacer.reserve(&mut trunk);
                    reserved[which] += 1;
                }
                if reserved[which] > 0 && rng.chance(0.6) {
                    reserved[which] -= 1;
                    if rng.chance(0.1) {
                        pacer.give_back(&mut trunk);
                    } else {
                        pacer.sent(Tick(now), &mut trunk);
                        live[which] += 1;
                        sent.push((now, which));
                    }
                }
                if live[which] > 0 && rng.chance(0.3) {
                    live[which] -= 1;
                    pacer.ended(&mut trunk);
                }
                let lately: Vec<usize> = sent.iter().filter(|(at, _)| now - at < SECOND).map(|(_, who)| *who).collect();
                assert!(lately.len() <= trunk_cps as usize && live[0] + live[1] <= trunk_calls, "seed {seed} at {now}");
                for one in 0..2 {
                    let own = lately.iter().filter(|who| **who == one).count();
                    assert!(own <= own_cps as usize && live[one] <= own_calls, "seed {seed} at {now}");
                    assert_eq!(pacers[one].busy(), reserved[one] + live[one]);
                }
            }
            assert!(sent.len() > 100, "seed {seed}: {}", sent.len());
        }
    }
}
