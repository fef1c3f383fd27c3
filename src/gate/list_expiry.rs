//! A list is a promise about scores and consent at one moment; it does not hold for ever.

use super::{Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    let Some(expires) = facts.lead.list_expires.filter(|expires| facts.now >= *expires) else { return };
    reasons.push(Reason { rule: Rule::ListExpiry, detail: format!("the list expired at {expires}"), until: None });
}

#[cfg(test)]
mod tests {
    use crate::base::Wall;
    use crate::gate::Rule;
    use crate::gate::fixture::World;

    #[test]
    fn a_list_is_good_until_the_moment_it_expires() {
        let mut world = World::open();
        world.lead.list_expires = Some(Wall(world.now.0 + 1));
        assert!(world.ask().allows());
        world.lead.list_expires = Some(world.now);
        assert_eq!((world.rules(), world.until()), (vec![Rule::ListExpiry], None));
    }
}
