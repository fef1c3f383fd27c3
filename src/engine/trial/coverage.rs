//! Which rules, segments and retry rules of a campaign its tests look at, and which none does.

use std::collections::BTreeMap;

use crate::campaign::{Campaign, CapRule, HolidayRule, Rule, Status, TestSet, TestSubject};
use crate::contact::CallResult;

use super::Trial;

/// Of one campaign or policy pack, over all files that test it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub subject: String,
    /// Rules that this campaign can be refused by, in the order in which they are asked.
    pub rules: Vec<Tally>,
    /// Empty where everybody is in the one segment.
    pub segments: Vec<Tally>,
    /// Call results that `retry` names; empty for a policy pack, which has none.
    pub retries: Vec<Tally>,
}

/// How many tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub name: String,
    pub tests: usize,
}

impl Coverage {
    /// In the order of `sets`, each subject once.
    pub fn of<'a>(tried: impl IntoIterator<Item = (&'a TestSet, &'a [Trial])>) -> Vec<Self> {
        let mut order: Vec<String> = Vec::new();
        let mut by_subject: BTreeMap<String, (&TestSubject, Vec<&Trial>)> = BTreeMap::new();
        for (set, trials) in tried {
            let name = set.subject.name();
            if !by_subject.contains_key(&name) {
                order.push(name.clone());
            }
            by_subject.entry(name).or_insert_with(|| (&set.subject, Vec::new())).1.extend(trials);
        }
        let found = order.into_iter().filter_map(|name| {
            let (subject, trials) = by_subject.get(&name)?;
            Some(of_subject(name, subject, trials))
        });
        found.collect()
    }

    pub fn untested(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|tally| tally.tests == 0).map(|tally| tally.name.as_str())
    }
}

fn of_subject(name: String, subject: &TestSubject, trials: &[&Trial]) -> Coverage {
    let campaign = subject.campaign();
    let has_retry = matches!(subject, TestSubject::Campaign(_));
    let count = |looks: &dyn Fn(&Trial) -> bool| trials.iter().filter(|trial| looks(trial)).count();
    let rules = Rule::ALL
        .iter()
        .filter(|rule| can_refuse(campaign, **rule))
        .map(|rule| Tally { name: rule.as_str().to_owned(), tests: count(&|trial| trial.blocked.contains(rule)) });
    let segments = campaign.segments.iter().filter(|_| campaign.segments.len() > 1).map(|segment| Tally {
        name: segment.name.clone(),
        tests: count(&|trial| trial.segment.as_ref() == Some(&segment.name)),
    });
    let retries = campaign
        .retry
        .keys()
        .filter(|result| has_retry && !is_ours(**result))
        .map(|result| Tally { name: result.as_str().to_owned(), tests: count(&|trial| trial.result == Some(*result)) });
    Coverage { rules: rules.collect(), segments: segments.collect(), retries: retries.collect(), subject: name }
}

/// Failures on our own side: every campaign has a rule for them, named or not.
fn is_ours(result: CallResult) -> bool {
    matches!(result, CallResult::NetworkFailure | CallResult::TrunkRefused | CallResult::Cancelled)
}

/// Could anything in this campaign make the rule say no? Some are left out: one live attempt a person, who is
/// held out of an experiment, numbers found
/// dead, and what a trunk lets out hold everywhere in the same way, and the engine's own tests look after them.
fn can_refuse(campaign: &Campaign, rule: Rule) -> bool {
    let caps = || campaign.caps.iter().chain(&campaign.policy.caps);
    match rule {
        Rule::CampaignState => {
            campaign.run.from.is_some() || campaign.run.until.is_some() || campaign.status != Status::Active
        }
        Rule::ListExpiry => campaign.list.expires_after.is_some(),
        Rule::Eligible => {
            !campaign.eligible.is_empty() || campaign.segments.iter().all(|segment| segment.when.source != "true")
        }
        Rule::Consent => campaign.list.consent.is_some(),
        Rule::Dnc | Rule::CallingHours | Rule::Attempts => true,
        Rule::Holidays => {
            let closed = HolidayRule::Closed;
            campaign.calling_hours.holidays == closed || campaign.policy.holidays == closed
        }
        Rule::ContactCaps => caps().any(|cap| matches!(cap.rule, CapRule::Within { .. })),
        Rule::CoolingOff => caps().any(|cap| matches!(cap.rule, CapRule::Quiet { .. })),
        Rule::Holdout | Rule::LiveAttempt | Rule::Number | Rule::Destination | Rule::Trunk => false,
    }
}
