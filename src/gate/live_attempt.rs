//! One live attempt per person and per phone. An attempt in doubt after a crash counts as live until it is closed.

use super::{Facts, Reason, Rule};

/// No `until`: nobody knows how long a call lasts. The engine asks again by itself.
pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    for (ledger, whose) in [(facts.contact, "the person"), (facts.phone, "the number")] {
        if ledger.has_live() {
            let detail = format!("{whose} is being called");
            reasons.push(Reason { rule: Rule::LiveAttempt, detail, until: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::CampaignIx;
    use crate::contact::CallResult;
    use crate::gate::fixture::{World, dial};

    #[test]
    fn a_live_attempt_of_any_campaign_blocks_the_person_and_the_number() {
        for on_phone in [false, true] {
            let mut world = World::open();
            let mut live = dial(1, world.now, None);
            live.campaign = CampaignIx(9);
            let ledger = if on_phone { &mut world.phone } else { &mut world.contact };
            ledger.note(live);
            assert_eq!((world.rules(), world.until()), (vec![Rule::LiveAttempt], None));
            let ledger = if on_phone { &mut world.phone } else { &mut world.contact };
            ledger.note(crate::gate::PastDial { result: Some(CallResult::Busy), ..live });
            assert!(world.ask().allows());
        }
    }
}
