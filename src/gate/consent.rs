//! Consent as the list tells it. Of campaign and policy the stricter rule holds.

use crate::campaign::ConsentRule;

use super::{Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    let required = [facts.campaign.consent, facts.campaign.policy.consent].contains(&ConsentRule::Required);
    let detail = match facts.lead.consent {
        Some(true) => return,
        None if !required => return,
        None => "no consent is on record, and it is required",
        Some(false) => "consent was refused",
    };
    reasons.push(Reason { rule: Rule::Consent, detail: detail.to_owned(), until: None });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::fixture::World;

    #[test]
    fn of_campaign_and_policy_the_stricter_rule_holds() {
        let (required, lax) = (ConsentRule::Required, ConsentRule::NotRefused);
        for (campaign, policy, consent, allowed) in [
            (lax, lax, None, true),
            (lax, lax, Some(true), true),
            (lax, lax, Some(false), false),
            (required, lax, None, false),
            (lax, required, None, false),
            (required, required, Some(true), true),
            (required, required, Some(false), false),
        ] {
            let mut world = World::open();
            world.campaign.consent = campaign;
            world.policy().consent = policy;
            world.lead.consent = consent;
            let rules = if allowed { vec![] } else { vec![Rule::Consent] };
            assert_eq!(world.rules(), rules, "{campaign:?} {policy:?} {consent:?}");
        }
    }
}
