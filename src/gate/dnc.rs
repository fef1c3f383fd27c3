//! The do-not-call list, by person and by number.

use super::{Facts, Ledger, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    mark(facts, facts.contact, "the person", reasons);
    mark(facts, facts.phone, "the number", reasons);
}

fn mark(facts: &Facts, ledger: &Ledger, whose: &str, reasons: &mut Vec<Reason>) {
    let Some(mark) = ledger.dnc.filter(|mark| mark.holds_at(facts.now)) else { return };
    let detail = format!("{whose} is on the do-not-call list");
    reasons.push(Reason { rule: Rule::Dnc, detail, until: mark.until });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::DncMark;
    use crate::gate::fixture::{World, wall};

    #[test]
    fn a_mark_on_the_person_or_on_the_number_is_enough() {
        let forever = Some(DncMark { until: None });
        let mut world = World::open();
        world.contact.dnc = forever;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Dnc], None));
        world.phone.dnc = forever;
        assert_eq!(world.rules(), [Rule::Dnc, Rule::Dnc]);
        world.contact.dnc = None;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Dnc], None));
    }

    #[test]
    fn a_mark_with_an_end_holds_until_then() {
        let mut world = World::open();
        world.phone.dnc = Some(DncMark { until: Some(wall("2026-12-05T10:00:00+08:00")) });
        world.assert_opens_at("2026-12-05T10:00:00+08:00");
    }
}
