//! Why leads are not called at this moment: the waterfall of `plan`, with words.

use serde::Serialize;

use crate::campaign::Campaign;
use crate::engine::Waterfall;

use super::words;

/// `loaded = closed + blocked + later + dialable_now`, as in `plan`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reasons {
    pub loaded: u64,
    pub closed: Vec<Reason>,
    pub blocked: Vec<Reason>,
    /// Of those blocked as not eligible, by the campaign's condition.
    pub ineligible: Vec<Reason>,
    pub later: Vec<Reason>,
    pub dialable_now: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// As in `plan`, metrics and `explain`.
    pub code: String,
    pub says: String,
    pub leads: u64,
}

impl Reasons {
    pub fn of(fall: &Waterfall, campaign: &Campaign) -> Self {
        let reason = |code: &str, says: &str, leads| Reason { code: code.to_owned(), says: says.to_owned(), leads };
        let ineligible = fall.ineligible.iter().filter_map(|(why, leads)| {
            let says = why.why_not(campaign)?;
            Some(Reason { code: "eligible".to_owned(), says, leads: *leads })
        });
        Self {
            loaded: fall.loaded,
            closed: fall.closed.iter().map(|(why, n)| reason(why.as_str(), words::closed(*why), *n)).collect(),
            blocked: fall.blocked.iter().map(|(why, n)| reason(why.as_str(), words::blocked(*why), *n)).collect(),
            ineligible: ineligible.collect(),
            later: fall.later.iter().map(|(why, n)| reason(why.as_str(), words::later(*why), *n)).collect(),
            dialable_now: fall.now,
        }
    }

    /// Of several campaigns. Their conditions have nothing in common, so `ineligible` stays with each.
    pub fn join(mut self, other: &Self) -> Self {
        self.loaded += other.loaded;
        self.dialable_now += other.dialable_now;
        merge(&mut self.closed, &other.closed);
        merge(&mut self.blocked, &other.blocked);
        merge(&mut self.later, &other.later);
        self.ineligible.clear();
        self
    }
}

fn merge(into: &mut Vec<Reason>, from: &[Reason]) {
    for reason in from {
        match into.iter_mut().find(|known| known.code == reason.code) {
            Some(known) => known.leads += reason.leads,
            None => into.push(reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::contact::ClosedWhy;
    use crate::engine::{Blocked, Later};
    use crate::gate::{Eligibility, Rule};

    #[test]
    fn the_reasons_of_several_campaigns_add_up_to_their_leads() {
        let fall = Waterfall {
            loaded: 10,
            closed: BTreeMap::from([(ClosedWhy::Dnc, 1)]),
            blocked: BTreeMap::from([(Blocked::Rule(Rule::Consent), 2), (Blocked::NoPhone, 1)]),
            later: BTreeMap::from([(Later::Retry, 3)]),
            now: 3,
            ..Waterfall::default()
        };
        let one = Reasons::of(&fall, &crate::campaign::testing::campaign());
        let all = Reasons::default().join(&one).join(&one);
        let sum = |reasons: &[Reason]| reasons.iter().map(|reason| reason.leads).sum::<u64>();
        assert_eq!(all.loaded, sum(&all.closed) + sum(&all.blocked) + sum(&all.later) + all.dialable_now);
        assert_eq!((all.loaded, all.blocked.len()), (20, 2));
    }

    #[test]
    fn conditions_of_one_campaign_are_not_those_of_all() {
        let fall = Waterfall { ineligible: BTreeMap::from([(Eligibility::NoSegment, 4)]), ..Waterfall::default() };
        let one = Reasons::of(&fall, &crate::campaign::testing::campaign());
        assert_eq!(one.ineligible[0].leads, 4);
        assert_eq!(one.clone().join(&one).ineligible, []);
    }
}
