//! A new plan in place of the old one: what it does to campaigns at work, to their leads, and to attempts under way.

use std::sync::Arc;

use crate::base::{CampaignIx, Now};
use crate::campaign::{Campaign, ZoneRule};
use crate::contact::{ZoneIx, Zones};
use crate::gate::Rule;
use crate::schedule::LeadIx;

use super::Engine;
use super::run::Run;

impl Engine {
    /// All at once. Attempts under way go on to their ends under the plan they began with.
    pub(super) fn take_plan(&mut self, now: Now, campaigns: Vec<(CampaignIx, Arc<Campaign>)>, zones: &Zones) {
        if self.runs.is_empty() {
            self.zones = Arc::new(zones.clone());
        }
        for run in &mut self.runs {
            run.retired = campaigns.iter().all(|(ix, _)| *ix != run.ix);
        }
        for (ix, campaign) in campaigns {
            let campaign = self.with_our_zones(campaign, zones);
            match self.runs.iter_mut().find(|run| run.ix == ix) {
                Some(run) => run.replace(campaign, &self.config),
                None => self.runs.push(Run::new(now.wall, ix, campaign, &self.config)),
            }
        }
        // What the gate put aside while the file was gone, it looks at again.
        for at in 0..self.runs.len() {
            self.unblock(now, at, Rule::CampaignState);
        }
        self.decide_soon(now);
    }

    pub(super) fn leads_read(&mut self, now: Now, campaign: CampaignIx) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.ix == campaign) {
            run.reading = false;
            self.decide_soon(now);
        }
    }

    /// The attempt that held a lead is over: it takes in what came of it meanwhile.
    pub(super) fn renew(&mut self, now: Now, at: usize, lead: LeadIx) {
        let row = self.runs.get_mut(at).and_then(|run| run.renewals.remove(&lead));
        if let Some(row) = row {
            self.admit_one(now, at, &row);
        }
    }

    /// Each plan numbers its zones from zero. Ours go on from the first plan and from the leads.
    fn with_our_zones(&mut self, campaign: Arc<Campaign>, theirs: &Zones) -> Arc<Campaign> {
        let mut hours = campaign.calling_hours.clone();
        let ours = Arc::make_mut(&mut self.zones);
        let mut ours = |ix: ZoneIx| ours.intern(theirs.name(ix)).unwrap_or(ix);
        hours.fallback_zone = hours.fallback_zone.map(&mut ours);
        hours.zone = match hours.zone {
            ZoneRule::Customer => ZoneRule::Customer,
            ZoneRule::Fixed(ix) => ZoneRule::Fixed(ours(ix)),
        };
        if hours == campaign.calling_hours {
            return campaign;
        }
        Arc::new(Campaign { calling_hours: hours, ..Campaign::clone(&campaign) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::{AttemptId, ContactId, LeadId, LegId, ListId, PhoneId, Split, Wall};
    use crate::call::{Digit, LegCommand, LegEnd, LegEvent, ReleaseSide};
    use crate::campaign::{Folder, load};
    use crate::contact::{CallResult, ColumnValue, Columns, LeadState};
    use crate::engine::{Input, LeadRow, Outcome, Output, PhoneRow, StoreReply, StoreRequest, testing};

    const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [marketing]\n\
         sources: [\"of a test\"]\nconsent: not_refused\n\
         calling_hours: { mon-sun: [\"00:00-24:00\"], holidays: open }\nattempts: { max: 9, max_per_day: 9 }\n";

    const YOUNG: &str = "{ name: young, when: \"age < 40\" }";
    const OLD: &str = "{ name: old, when: \"age >= 40\" }";

    /// What two versions of a campaign may differ in.
    struct Version<'a> {
        eligible: &'a str,
        segments: [&'a str; 2],
        busy_after: &'a str,
        yes: &'a str,
        more: &'a str,
    }

    const A: Version<'_> =
        Version { eligible: "age > 0", segments: [YOUNG, OLD], busy_after: "10m", yes: "accepted", more: "" };

    /// Lead 1 is one of those who are never called.
    const HELD_OUT: &str = "experiment: { id: e, arms: { champion: { share: 1% }, nobody: { share: 99%, call: never } }, \
         success: accepted }\n";

    impl Version<'_> {
        fn plan(&self) -> Input {
            let Self { eligible, segments: [first, second], busy_after, yes, more } = self;
            let yaml = format!(
                "schema: goldenhour/v1\ncampaign: c\ntitle: c\nscenario: activation\npurpose: marketing\n\
                 owner: nobody\nstatus: active\nuse: {{ policy: p@1 }}\n\
                 list:\n  key: key\n  phones: [phone]\n  model: {{ score: score }}\n  \
                 columns: {{ age: {{ type: integer, from: age }} }}\n\
                 eligible: {{ all_of: [\"{eligible}\"] }}\nsegments: [{first}, {second}]\n\
                 calling_hours: {{ fallback_zone: Asia/Shanghai }}\nrank: {{ by: score }}\n\
                 pacing: {{ mode: agentless, ring: 30s }}\nattempts: {{ max: 9, max_per_day: 9, min_gap: 0s }}\n\
                 retry: {{ busy: {{ after: {busy_after}, max: 3 }} }}\n\
                 flow:\n  start: ask\n  steps:\n    \
                 ask: {{ collect: {{ digits: 1, timeout: 5s, tries: 1 }}, on: {{ \"1\": yes-please, timeout: bye }} }}\n    \
                 yes-please: {{ disposition: {yes}, then: hangup }}\n    bye: {{ then: hangup }}\n\
                 dispositions:\n  accepted: {{ outcome: success, contact: right_party, then: final }}\n  \
                 agreed: {{ outcome: success, contact: right_party, then: final }}\n{more}"
            );
            let mut folder = Folder::default();
            folder.insert("policies/p.yaml", POLICY.as_bytes());
            folder.insert("c.yaml", yaml.as_bytes());
            let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
            Input::Plan(vec![(CampaignIx(0), plan.campaigns[0].clone())], plan.zones)
        }
    }

    fn lead(n: u32, age: i64) -> LeadRow {
        LeadRow {
            lead: LeadId(n),
            contact: ContactId(n),
            split: Split::default(),
            campaign_ix: CampaignIx(0),
            list: ListId(1),
            list_expires: None,
            phones: vec![PhoneRow { phone: PhoneId(n), is_test: true, dead: false, zones: Vec::new() }],
            score: 0.5,
            value: 1.0,
            consent: Some(true),
            attempts_used: 0,
            columns: Columns(BTreeMap::from([("age".to_owned(), ColumnValue::Integer(age))])),
            state: LeadState::Waiting { until: Wall(0) },
            next_phone: 0,
            next_free: false,
        }
    }

    /// The engine, a store that says yes, and what came out.
    struct Trial {
        engine: Engine,
        now: Now,
        intents: Vec<(AttemptId, LeadId, u8)>,
        outcomes: Vec<Outcome>,
    }

    impl Trial {
        fn new(lines: u32) -> Self {
            let now = Now { wall: Wall::parse("2026-12-01T10:00:00+08:00").unwrap(), ..Now::default() };
            let engine = Engine::new(now, testing::config(lines, 100));
            let mut trial = Self { engine, now, intents: Vec::new(), outcomes: Vec::new() };
            trial.give(A.plan());
            trial
        }

        fn give(&mut self, input: Input) {
            self.now = self.now.plus(std::time::Duration::from_millis(20));
            self.engine.handle(self.now, input);
            while let Some(output) = self.engine.poll_output() {
                match output {
                    Output::Store(StoreRequest::Authorise(intent)) => {
                        self.intents.push((intent.attempt, intent.lead, intent.context.segment));
                        let attempt = intent.attempt;
                        self.engine.handle(self.now, Input::Stored(vec![StoreReply::Authorised { attempt }]));
                    }
                    Output::Leg(leg, LegCommand::Dial(_)) => {
                        self.engine.handle(self.now, Input::Leg(leg, LegEvent::Sent));
                        self.engine.handle(self.now, Input::Leg(leg, LegEvent::Ringing));
                    }
                    Output::Leg(leg, LegCommand::Hangup) => self.engine.handle(self.now, ended(leg, None)),
                    Output::Store(StoreRequest::Finish(outcome)) => self.outcomes.push(*outcome),
                    Output::Leg(..)
                    | Output::Store(StoreRequest::Dnc(_) | StoreRequest::Reroute(_) | StoreRequest::Slot(_))
                    | Output::Count(_) => {}
                }
            }
        }

        fn a_moment(&mut self) {
            for _ in 0..100 {
                self.give(Input::Timeout);
            }
        }

        fn segment(&self) -> Option<u8> {
            self.engine.runs[0].cell(LeadIx(0)).map(|key| key.segment)
        }
    }

    fn ended(leg: LegId, unanswered: Option<CallResult>) -> Input {
        let end =
            LegEnd { unanswered, sip_status: None, q850: None, by: ReleaseSide::Them, media: None, unheard: false };
        Input::Leg(leg, LegEvent::Ended(end))
    }

    #[test]
    fn an_attempt_finishes_under_the_flow_and_dispositions_it_began_with() {
        let mut trial = Trial::new(5);
        trial.give(Input::Leads(vec![lead(1, 30)]));
        let leg = LegId(trial.intents[0].0);
        trial.give(Version { yes: "agreed", ..A }.plan());
        trial.give(Input::Leg(leg, LegEvent::Answered));
        trial.give(Input::Leg(leg, LegEvent::Digit(Digit::new('1').unwrap())));
        assert_eq!(trial.outcomes[0].disposition.as_deref(), Some("accepted"));
    }

    #[test]
    fn an_attempt_is_followed_by_the_retry_rule_it_began_with() {
        for (version, minutes) in [(A, 10), (Version { busy_after: "3h", ..A }, 10)] {
            let mut trial = Trial::new(5);
            trial.give(Input::Leads(vec![lead(1, 30)]));
            let leg = LegId(trial.intents[0].0);
            trial.give(version.plan());
            trial.give(ended(leg, Some(CallResult::Busy)));
            let LeadState::Waiting { until } = trial.outcomes[0].lead_state else { panic!("{:?}", trial.outcomes) };
            let after = until.since(trial.now.wall).as_secs() / 60;
            assert!((minutes - 1..=minutes + 1).contains(&after), "again after {after} minutes");
        }
    }

    #[test]
    fn nobody_is_dialled_by_what_an_older_plan_thought_of_them() {
        let mut trial = Trial::new(1);
        trial.give(Input::Leads(vec![lead(1, 30), lead(2, 50), lead(3, 30)]));
        let leg = LegId(trial.intents[0].0);
        trial.give(Version { eligible: "age > 40", ..A }.plan());
        trial.give(ended(leg, Some(CallResult::Rejected)));
        trial.a_moment();
        assert_eq!(trial.intents.len(), 1, "dialled before the leads had come again");
        trial.give(Input::Leads(vec![lead(1, 30), lead(2, 50), lead(3, 30)]));
        trial.give(Input::LeadsRead(CampaignIx(0)));
        trial.a_moment();
        let dialled: Vec<LeadId> = trial.intents.iter().map(|(_, lead, _)| *lead).collect();
        assert_eq!(dialled, [dialled[0], LeadId(2)], "only lead 2 is eligible now");
    }

    #[test]
    fn whom_a_new_version_holds_out_is_not_even_called_again_and_may_be_when_it_is_over() {
        let mut trial = Trial::new(5);
        trial.give(Input::Leads(vec![lead(1, 30)]));
        let attempt = trial.intents[0].0;
        trial.give(ended(LegId(attempt), Some(CallResult::Busy)));
        trial.give(Input::Stored(vec![StoreReply::Finished { attempt, fresh: true }]));
        for (version, calls) in [(Version { more: HELD_OUT, ..A }, 1), (A, 2)] {
            trial.give(version.plan());
            trial.give(Input::Leads(vec![lead(1, 30)]));
            trial.give(Input::LeadsRead(CampaignIx(0)));
            trial.now = trial.now.plus(std::time::Duration::from_mins(12));
            trial.a_moment();
            assert_eq!(trial.intents.len(), calls);
        }
    }

    #[test]
    fn a_lead_whose_number_is_being_called_is_asked_again_later() {
        let mut trial = Trial::new(5);
        let housemate = LeadRow { phones: lead(1, 30).phones, ..lead(2, 30) };
        trial.give(Input::Leads(vec![lead(1, 30), housemate]));
        trial.a_moment();
        assert_eq!(trial.intents.len(), 1, "one call at a time for a number");
        trial.give(ended(LegId(trial.intents[0].0), Some(CallResult::Rejected)));
        trial.now = trial.now.plus(std::time::Duration::from_mins(45));
        trial.a_moment();
        let dialled: Vec<LeadId> = trial.intents.iter().map(|(_, lead, _)| *lead).collect();
        assert_eq!(dialled, [LeadId(1), LeadId(2)]);
    }

    #[test]
    fn the_same_plan_again_stops_nobody() {
        let mut trial = Trial::new(1);
        trial.give(A.plan());
        trial.give(Input::Leads(vec![lead(1, 30)]));
        assert_eq!(trial.intents.len(), 1);
    }

    #[test]
    fn a_lead_under_an_attempt_gets_its_new_segment_when_that_is_over() {
        let mut trial = Trial::new(1);
        trial.give(Input::Leads(vec![lead(1, 30)]));
        assert_eq!(trial.segment(), Some(0));
        let leg = LegId(trial.intents[0].0);
        trial.give(Version { segments: [OLD, YOUNG], ..A }.plan());
        trial.give(Input::Leads(vec![lead(1, 30)]));
        trial.give(Input::LeadsRead(CampaignIx(0)));
        assert_eq!(trial.segment(), Some(0), "it is the attempt's until then");
        trial.give(ended(leg, Some(CallResult::Busy)));
        assert_eq!(trial.segment(), Some(1));
        trial.a_moment();
        assert_eq!(trial.intents.len(), 1, "and waits for its retry");
        trial.now = trial.now.plus(std::time::Duration::from_mins(12));
        trial.a_moment();
        assert_eq!(trial.intents[1].2, 1);
    }

    #[test]
    fn a_row_read_before_the_last_outcome_was_written_brings_nobody_back() {
        let mut trial = Trial::new(1);
        trial.give(Input::Leads(vec![lead(1, 30)]));
        let (attempt, ..) = trial.intents[0];
        trial.give(ended(LegId(attempt), Some(CallResult::Busy)));
        trial.give(Input::Leads(vec![lead(1, 30)]));
        trial.a_moment();
        assert_eq!(trial.intents.len(), 1, "dialled again at once");
        trial.give(Input::Stored(vec![StoreReply::Finished { attempt, fresh: true }]));
        trial.give(Input::Leads(vec![lead(1, 30)]));
        assert_eq!(trial.intents.len(), 2, "what the store says from now on holds");
    }
}
