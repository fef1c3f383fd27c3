//! The one pass over finished attempts: everything that is counted of a campaign, attempt by attempt.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::Wall;
use crate::contact::CallResult;
use crate::store::PlanVersion;

use super::attempt::Attempt;
use super::golden::Week;
use super::group::Counts;
use super::people::People;

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub all: Counts,
    /// By position in the campaign's file.
    pub segments: BTreeMap<u8, Counts>,
    pub week: Week,
    /// By the hour of the contact's clock.
    pub hours: BTreeMap<u8, Counts>,
    /// Those that were never sent too.
    pub results: BTreeMap<CallResult, u64>,
    pub people: People,
    pub late_successes: u64,
    pub versions: BTreeMap<(String, String), Version>,
}

/// What attempts were decided under.
#[derive(Clone, Debug)]
pub struct Version {
    pub policy: String,
    pub models: Vec<String>,
    pub attempts: u64,
    pub first: Wall,
    pub last: Wall,
}

/// How calls ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultCount {
    pub code: &'static str,
    pub says: &'static str,
    pub attempts: u64,
}

impl Tally {
    /// Models of one campaign version that are listed; more would mean that every list had its own.
    const MODELS: usize = 8;

    pub fn add(&mut self, attempt: &Attempt, at: Wall, plan: &PlanVersion) {
        *self.results.entry(attempt.result).or_default() += 1;
        self.late_successes += u64::from(attempt.is_late_success());
        let Some(reach) = attempt.reach() else { return };
        self.all.add(attempt, reach);
        self.segments.entry(attempt.segment).or_default().add(attempt, reach);
        self.week.add(attempt, reach);
        self.hours.entry(attempt.half_hour / 2).or_default().add(attempt, reach);
        self.people.add(attempt, reach);
        self.note_version(at, plan);
    }

    fn note_version(&mut self, at: Wall, plan: &PlanVersion) {
        let key = (plan.campaign_hash.clone(), plan.policy_hash.clone());
        let version = self.versions.entry(key).or_insert_with(|| Version {
            policy: plan.policy.clone(),
            models: Vec::new(),
            attempts: 0,
            first: at,
            last: at,
        });
        version.attempts += 1;
        version.first = version.first.min(at);
        version.last = version.last.max(at);
        let Some(id) = &plan.model_id else { return };
        let model = plan.model_version.as_ref().map_or_else(|| id.clone(), |version| format!("{id} {version}"));
        if version.models.len() < Self::MODELS && !version.models.contains(&model) {
            version.models.push(model);
        }
    }
}

pub fn results<'a>(all: impl Iterator<Item = &'a Tally>) -> Vec<ResultCount> {
    let mut counts: BTreeMap<CallResult, u64> = BTreeMap::new();
    for tally in all {
        for (result, count) in &tally.results {
            *counts.entry(*result).or_default() += count;
        }
    }
    let mut lines: Vec<ResultCount> = counts
        .iter()
        .map(|(result, n)| ResultCount { code: result.as_str(), says: super::words::result(*result), attempts: *n })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.attempts));
    lines
}

#[cfg(test)]
pub fn plan() -> PlanVersion {
    PlanVersion {
        campaign_ix: crate::base::CampaignIx(0),
        campaign_hash: "c0ffee".into(),
        policy: "p@1".into(),
        policy_hash: "beef".into(),
        scenario: "installments".into(),
        purpose: "marketing".into(),
        rank_by: "score".into(),
        pacing: "progressive".into(),
        ring_ms: 25_000,
        model_id: Some("blend-AB".into()),
        model_version: None,
        model_alias: "champion".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::figures::attempt::{talked, unanswered};
    use crate::contact::OutcomeKind;

    #[test]
    fn what_was_never_sent_is_a_result_and_nothing_else() {
        let plan = plan();
        let mut tally = Tally::default();
        tally.add(&Attempt { result: CallResult::Void, ..unanswered() }, Wall(5), &plan);
        tally.add(&unanswered(), Wall(7), &plan);
        tally.add(&talked(OutcomeKind::Success), Wall(3), &plan);
        assert_eq!((tally.all.dialled, tally.people.tried(), tally.late_successes), (2, 1, 0));
        let shown: Vec<_> = results([&tally].into_iter()).iter().map(|line| (line.code, line.attempts)).collect();
        assert_eq!(shown, [("answered", 1), ("no_answer", 1), ("void", 1)]);
        assert_eq!(tally.hours.get(&10).unwrap().dialled, 2);
        let version = tally.versions.values().next().unwrap();
        assert_eq!((version.attempts, version.first, version.last), (2, Wall(3), Wall(7)));
        assert_eq!(version.models, ["blend-AB"]);
    }

    #[test]
    fn a_version_lists_each_of_its_models_once_and_no_more_than_a_reader_would_read() {
        let mut tally = Tally::default();
        for nth in (0..20).chain(0..20) {
            tally.add(&unanswered(), Wall(nth), &PlanVersion { model_id: Some(format!("m{nth}")), ..plan() });
        }
        let version = tally.versions.values().next().unwrap();
        assert_eq!(version.models, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
        assert_eq!(version.attempts, 40);
    }

    #[test]
    fn results_come_by_their_number() {
        let mut tally = Tally::default();
        for attempt in [talked(OutcomeKind::Neutral), unanswered(), unanswered()] {
            tally.add(&attempt, Wall(0), &plan());
        }
        let shown: Vec<_> = results([&tally].into_iter()).iter().map(|line| line.code).collect();
        assert_eq!(shown, ["no_answer", "answered"]);
    }
}
