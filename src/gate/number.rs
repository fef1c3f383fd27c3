//! The number itself: not dead, and a test number as long as no trunk is live.

use super::{Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    if facts.phone.dead {
        refuse(reasons, "the number was found dead");
    }
    if facts.test_numbers_only && !facts.lead.phone_is_test {
        refuse(reasons, "only test numbers may be dialled until a trunk is live");
    }
}

fn refuse(reasons: &mut Vec<Reason>, detail: &str) {
    reasons.push(Reason { rule: Rule::Number, detail: detail.to_owned(), until: None });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::fixture::World;

    #[test]
    fn a_dead_number_is_never_dialled_again() {
        let mut world = World::open();
        world.phone.dead = true;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Number], None));
    }

    #[test]
    fn until_a_trunk_is_live_only_test_numbers_are_dialled() {
        for (test_numbers_only, is_test, allowed) in
            [(true, true, true), (true, false, false), (false, true, true), (false, false, true)]
        {
            let mut world = World::open();
            world.test_numbers_only = test_numbers_only;
            world.lead.phone_is_test = is_test;
            assert_eq!(world.ask().allows(), allowed, "{test_numbers_only} {is_test}");
        }
    }
}
