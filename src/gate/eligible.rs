//! The campaign's conditions and segments, as found for this row. A missing value is never a yes.

use crate::campaign::Campaign;

use super::{Eligibility, Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    if let Some(detail) = facts.lead.eligible.why_not(facts.campaign) {
        reasons.push(Reason { rule: Rule::Eligible, detail, until: None });
    }
}

impl Eligibility {
    /// For people, without any value of the row. `None` for one that is eligible.
    pub fn why_not(self, campaign: &Campaign) -> Option<String> {
        let source = |ix: u8| {
            campaign.eligible.get(usize::from(ix)).map_or("a condition", |condition| condition.source.as_str())
        };
        Some(match self {
            Self::Yes => return None,
            Self::No { condition } => format!("not true: {}", source(condition)),
            Self::Missing { condition } => format!("a value is missing for: {}", source(condition)),
            Self::Failed { condition } => format!("could not be computed: {}", source(condition)),
            Self::NoSegment => "no segment takes this lead".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Condition;
    use crate::gate::fixture::World;

    #[test]
    fn anything_but_a_yes_is_refused_and_names_the_condition() {
        let mut world = World::open();
        let named = |source: &str| {
            let mut condition = Condition::always();
            source.clone_into(&mut condition.source);
            condition
        };
        world.campaign.eligible = vec![named("overdue_days == 0"), named("bill >= 1000")];
        for (eligible, words) in [
            (Eligibility::No { condition: 0 }, "not true: overdue_days == 0"),
            (Eligibility::Missing { condition: 1 }, "a value is missing for: bill >= 1000"),
            (Eligibility::Failed { condition: 1 }, "could not be computed: bill >= 1000"),
            (Eligibility::NoSegment, "no segment takes this lead"),
        ] {
            world.lead.eligible = eligible;
            assert_eq!(world.reasons(), [Reason { rule: Rule::Eligible, detail: words.to_owned(), until: None }]);
        }
    }
}
