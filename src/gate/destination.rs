//! Where the call would go: only to numbers that the trunk's `allow` and `deny` let out. It stops whoever has found a way
//! to have us dial numbers that cost money.

use crate::base::Destination;

use super::{Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    let detail = match facts.destination {
        None | Some(Destination::Allowed) => return,
        Some(Destination::NotListed) => "no prefix that the trunk allows fits the number",
        Some(Destination::Denied) => "the trunk denies a prefix of the number",
    };
    reasons.push(Reason { rule: Rule::Destination, detail: detail.to_owned(), until: None });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::fixture::World;

    #[test]
    fn a_number_that_the_trunk_does_not_let_out_is_refused_for_good() {
        for (destination, says) in [(Destination::NotListed, "no prefix"), (Destination::Denied, "denies")] {
            let mut world = World::open();
            world.destination = Some(destination);
            assert_eq!((world.rules(), world.until()), (vec![Rule::Destination], None));
            let crate::gate::Verdict::Refuse { reasons, .. } = world.ask() else { panic!("{destination:?}") };
            assert!(reasons[0].detail.contains(says), "{reasons:?}");
        }
    }

    #[test]
    fn whoever_has_no_number_says_nothing_of_it() {
        for destination in [None, Some(Destination::Allowed)] {
            let mut world = World::open();
            world.destination = destination;
            assert!(world.ask().allows());
        }
    }
}
