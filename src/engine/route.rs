//! Which trunk of its group a call goes out on: the best priority that has room, by weight within it.

use crate::base::{Now, Tick, TrunkIx};
use crate::campaign::Campaign;

use super::run::Run;
use super::{Engine, EngineConfig, Member};

/// The trunks of one campaign, and whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// By priority.
    members: Vec<Member>,
    /// What each is owed. Smooth weighted round robin: no randomness, and no bursts on the heavy one.
    owed: Vec<i64>,
}

impl Route {
    /// The group or the trunk that is named, or the only trunk there is. Nothing where neither is.
    pub fn of(campaign: &Campaign, config: &EngineConfig) -> Self {
        let alone = |at: usize| vec![Member { trunk: TrunkIx(at as u16), priority: 1, weight: 1 }];
        let mut members = match &campaign.trunk.group {
            None if config.trunks.len() == 1 => alone(0),
            None => Vec::new(),
            Some(name) => match config.groups.iter().find(|group| group.name == *name) {
                Some(group) => group.members.clone(),
                None => config.trunks.iter().position(|trunk| trunk.name == *name).map(alone).unwrap_or_default(),
            },
        };
        members.sort_by_key(|member| member.priority);
        Self { owed: vec![0; members.len()], members }
    }

    pub fn trunks(&self) -> impl Iterator<Item = TrunkIx> + '_ {
        self.members.iter().map(|member| member.trunk)
    }

    /// The first in order: what can be said of a group in one word.
    pub fn first(&self) -> Option<TrunkIx> {
        self.trunks().next()
    }

    /// Another trunk may take what one of them may not.
    pub fn has_choice(&self) -> bool {
        self.members.len() > 1
    }

    /// Whose turn it is among those that `may` carry one more.
    fn next(&self, may: impl Fn(TrunkIx) -> bool) -> Option<TrunkIx> {
        let mut best: Option<(usize, i64)> = None;
        let mut priority = None;
        for (at, member) in self.members.iter().enumerate() {
            if priority.is_some_and(|found| found != member.priority) {
                break;
            }
            if may(member.trunk) {
                priority = Some(member.priority);
                let owed = self.owed.get(at).copied().unwrap_or(0) + i64::from(member.weight);
                best = best.filter(|(_, most)| *most >= owed).or(Some((at, owed)));
            }
        }
        best.and_then(|(at, _)| self.members.get(at)).map(|member| member.trunk)
    }

    /// It had its turn: each of its rank is owed its weight more, and it alone pays for all. Who could not take part is
    /// owed nothing, so that it does not catch up in a burst.
    fn took(&mut self, trunk: TrunkIx, may: impl Fn(TrunkIx) -> bool) {
        let Some(priority) = self.members.iter().find(|member| member.trunk == trunk).map(|member| member.priority)
        else {
            return;
        };
        let mut all = 0;
        for (member, owed) in self.members.iter().zip(&mut self.owed) {
            if member.priority == priority && (member.trunk == trunk || may(member.trunk)) {
                *owed += i64::from(member.weight);
                all += i64::from(member.weight);
            }
        }
        let at = self.members.iter().position(|member| member.trunk == trunk);
        if let Some(owed) = at.and_then(|at| self.owed.get_mut(at)) {
            *owed -= all;
        }
    }
}

impl Engine {
    /// The trunk for the next call of this campaign. `None`: no trunk has room.
    pub(super) fn next_trunk(&self, now: Now, run: &Run) -> Option<TrunkIx> {
        self.next_trunk_but(now, run, &[])
    }

    /// None of these.
    pub(super) fn next_trunk_but(&self, now: Now, run: &Run, tried: &[TrunkIx]) -> Option<TrunkIx> {
        run.route.next(|trunk| !tried.contains(&trunk) && self.has_room(now.tick, run, trunk))
    }

    pub(super) fn took_turn(&mut self, now: Now, at: usize, trunk: TrunkIx) {
        let Some(run) = self.runs.get(at).filter(|run| run.route.has_choice()) else { return };
        let mut route = run.route.clone();
        route.took(trunk, |other| self.has_room(now.tick, run, other));
        if let Some(run) = self.runs.get_mut(at) {
            run.route = route;
        }
    }

    /// How many dials its trunks may take now, together.
    pub(super) fn trunks_free(&self, now: Tick, run: &Run) -> u32 {
        let free =
            |trunk: TrunkIx| self.trunks.get(trunk.ix()).map_or(0, |limits| limits.free(now).min(self.affords(trunk)));
        self.carrying(run).map(free).fold(0, u32::saturating_add)
    }

    /// When time alone gives one of its trunks one more dial.
    pub(super) fn trunks_next_free(&self, now: Tick, run: &Run) -> Option<Tick> {
        self.carrying(run).filter_map(|trunk| self.trunks.get(trunk.ix())?.next_free(now)).min()
    }

    pub(super) fn carrying<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = TrunkIx> + 'a {
        let carries =
            |trunk: &TrunkIx| self.may_carry(*trunk) && self.has_numbers(run, *trunk) && self.affords(*trunk) > 0;
        run.route.trunks().filter(carries)
    }

    fn has_room(&self, now: Tick, run: &Run, trunk: TrunkIx) -> bool {
        let free = self.trunks.get(trunk.ix()).is_some_and(|limits| limits.free(now) > 0);
        free && self.may_carry(trunk) && self.has_numbers(run, trunk) && self.affords(trunk) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(members: &[(u16, u16)]) -> Route {
        let member = |(at, (priority, weight)): (usize, &(u16, u16))| Member {
            trunk: TrunkIx(at as u16),
            priority: *priority,
            weight: *weight,
        };
        let members: Vec<_> = members.iter().enumerate().map(member).collect();
        Route { owed: vec![0; members.len()], members }
    }

    fn turns(route: &mut Route, count: usize, may: impl Fn(TrunkIx) -> bool + Copy) -> Vec<u16> {
        let mut turn = || {
            let trunk = route.next(may)?;
            route.took(trunk, may);
            Some(trunk.0)
        };
        (0..count).filter_map(|_| turn()).collect()
    }

    #[test]
    fn a_hundred_calls_are_shared_exactly_by_weight_and_never_in_a_burst() {
        let taken = turns(&mut route(&[(1, 60), (1, 40)]), 100, |_| true);
        assert_eq!(taken.iter().filter(|trunk| **trunk == 0).count(), 60);
        assert!(taken.windows(3).all(|three| three != [0, 0, 0] && three != [1, 1, 1]), "{taken:?}");
    }

    #[test]
    fn a_second_priority_is_used_only_while_the_first_has_no_room() {
        let mut route = route(&[(1, 1), (1, 1), (2, 1)]);
        assert!(turns(&mut route, 10, |_| true).iter().all(|trunk| *trunk < 2));
        assert_eq!(turns(&mut route, 3, |trunk| trunk.0 != 0), [1, 1, 1]);
        assert_eq!(turns(&mut route, 2, |trunk| trunk.0 == 2), [2, 2]);
        assert!(turns(&mut route, 2, |_| false).is_empty());
    }

    #[test]
    fn who_was_away_does_not_catch_up() {
        let mut route = route(&[(1, 1), (1, 1)]);
        turns(&mut route, 50, |trunk| trunk.0 == 0);
        let taken = turns(&mut route, 4, |_| true);
        assert_eq!(taken.iter().filter(|trunk| **trunk == 1).count(), 2, "{taken:?}");
    }
}
