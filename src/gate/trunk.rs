//! The trunk itself: not stopped by an operator.

use super::{Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    if facts.trunk_stopped {
        let detail = "the trunk is stopped by an operator".to_owned();
        reasons.push(Reason { rule: Rule::Trunk, detail, until: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::fixture::World;

    #[test]
    fn on_a_stopped_trunk_nobody_is_dialled_until_somebody_ends_it() {
        let mut world = World::open();
        world.trunk_stopped = true;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Trunk], None));
    }
}
