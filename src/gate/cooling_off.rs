//! Quiet periods after a refusal, a complaint, a call we abandoned, or a conversation.

use crate::base::Wall;
use crate::campaign::{CapRule, QuietAfter};
use crate::contact::CallResult;

use super::contact_caps::{caps, ledger};
use super::{Facts, Ledger, PastDial, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    for cap in caps(facts.campaign) {
        let CapRule::Quiet { after, quiet_for } = cap.rule else { continue };
        let Some(at) = last(ledger(facts, cap.per), after) else { continue };
        let until = quiet_for.map(|quiet| at + quiet);
        if until.is_none_or(|until| facts.now < until) {
            let (what, owner) = (after.as_str(), cap.origin.as_str());
            let detail = match until {
                Some(_) => format!("quiet since {at} after: {what} ({owner})"),
                None => format!("quiet for ever after: {what} ({owner})"),
            };
            reasons.push(Reason { rule: Rule::CoolingOff, detail, until });
        }
    }
}

fn last(ledger: &Ledger, after: QuietAfter) -> Option<Wall> {
    let newest = |holds: fn(&PastDial) -> bool| ledger.dials.iter().filter(|d| holds(d)).map(|d| d.at).max();
    match after {
        QuietAfter::Declined => ledger.refused_at,
        QuietAfter::Complaint => ledger.complained_at,
        QuietAfter::Abandoned => ledger.abandoned_at.max(newest(|dial| dial.result == Some(CallResult::Abandoned))),
        QuietAfter::Machine => newest(|dial| dial.result == Some(CallResult::Machine)),
        QuietAfter::Contact => newest(PastDial::may_be_contact),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Cap, CapOrigin, CapPer};
    use crate::gate::fixture::{World, days, wall};

    fn quiet(per: CapPer, after: QuietAfter, for_days: Option<u64>) -> World {
        let mut world = World::open();
        let rule = CapRule::Quiet { after, quiet_for: for_days.map(days) };
        world.campaign.caps = vec![Cap { per, rule, origin: CapOrigin::Campaign }];
        world
    }

    const THEN: &str = "2026-11-30T10:00:00+08:00";
    const OPENS: &str = "2027-01-29T10:00:00+08:00";

    #[test]
    fn after_a_refusal_a_complaint_or_an_abandoned_call_it_is_quiet_for_so_long() {
        for after in [QuietAfter::Declined, QuietAfter::Complaint, QuietAfter::Abandoned] {
            let mut world = quiet(CapPer::Customer, after, Some(60));
            assert!(world.ask().allows());
            match after {
                QuietAfter::Declined => world.contact.refused_at = Some(wall(THEN)),
                QuietAfter::Complaint => world.contact.complained_at = Some(wall(THEN)),
                QuietAfter::Abandoned | QuietAfter::Machine | QuietAfter::Contact => {
                    world.contact.abandoned_at = Some(wall(THEN));
                }
            }
            assert_eq!(world.rules(), [Rule::CoolingOff], "{after:?}");
            world.assert_opens_at(OPENS);
        }
    }

    #[test]
    fn after_a_conversation_it_is_quiet_and_after_an_answer_alone_it_is_not() {
        let mut world = quiet(CapPer::Customer, QuietAfter::Contact, Some(60));
        world.dialled(THEN, CallResult::Answered);
        assert!(world.ask().allows());
        world.contact.dials[0].contact = true;
        world.assert_opens_at(OPENS);
    }

    #[test]
    fn an_abandoned_dial_is_enough_even_if_nobody_noted_the_person() {
        let mut world = quiet(CapPer::Phone, QuietAfter::Abandoned, Some(60));
        world.dialled(THEN, CallResult::Abandoned);
        world.assert_opens_at(OPENS);
    }

    #[test]
    fn behind_a_machine_the_number_rests_and_behind_silence_it_does_not() {
        let mut world = quiet(CapPer::Phone, QuietAfter::Machine, Some(60));
        world.dialled(THEN, CallResult::NoAnswer);
        assert!(world.ask().allows());
        world.dialled(THEN, CallResult::Machine);
        world.assert_opens_at(OPENS);
    }

    #[test]
    fn for_ever_has_no_end() {
        let mut world = quiet(CapPer::Customer, QuietAfter::Complaint, None);
        world.contact.complained_at = Some(wall("2001-01-01T00:00:00Z"));
        assert_eq!((world.rules(), world.until()), (vec![Rule::CoolingOff], None));
    }

    #[test]
    fn the_phones_quiet_is_not_the_persons() {
        let mut world = quiet(CapPer::Phone, QuietAfter::Declined, Some(60));
        world.contact.refused_at = Some(wall(THEN));
        assert!(world.ask().allows());
        world.phone.refused_at = Some(wall(THEN));
        assert_eq!(world.rules(), [Rule::CoolingOff]);
    }
}
