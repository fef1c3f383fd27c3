//! A lead that may be called, in a campaign with mild rules: tests bend one thing at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, PhoneId, Share, Wall};
use crate::campaign::{
    Attempts, Calendar, CallingHours, Campaign, ConsentRule, DayKind, GoldenHours, GoldenMode, HolidayRule, ListMap,
    Pacing, PacingMode, Policy, Purpose, RankBy, RunDates, Scenario, Status, TrunkUse, WeekHours, Window, ZoneRule,
};
use crate::contact::{CallResult, ZoneIx, Zones};

use super::{Eligibility, Facts, LeadFacts, Ledger, PastDial, Reason, Rule, Verdict, ask};

pub(super) struct World {
    pub campaign: Campaign,
    pub paused: bool,
    pub zones: Zones,
    pub phone_zones: Vec<ZoneIx>,
    pub lead: LeadFacts,
    pub contact: Ledger,
    pub phone: Ledger,
    pub now: Wall,
    pub test_numbers_only: bool,
}

impl World {
    /// Open from 08:00 to 21:00 every day, holidays included, by the clock of `zone`.
    pub(super) fn at(now: &str, zone: &str) -> Self {
        let mut world = Self {
            campaign: campaign(),
            paused: false,
            zones: Zones::default(),
            phone_zones: Vec::new(),
            lead: LeadFacts {
                eligible: Eligibility::Yes,
                segment: 0,
                consent: Some(true),
                list_expires: None,
                attempts_used: 0,
                phone_is_test: true,
                free_of_daily_budget: false,
            },
            contact: Ledger::default(),
            phone: Ledger::default(),
            now: wall(now),
            test_numbers_only: true,
        };
        world.add_zone(zone);
        world
    }

    /// A weekday noon in Shanghai.
    pub(super) fn open() -> Self {
        Self::at("2026-12-01T12:00:00+08:00", "Asia/Shanghai")
    }

    pub(super) fn add_zone(&mut self, name: &str) -> ZoneIx {
        let ix = self.zones.intern(name).unwrap();
        self.phone_zones.push(ix);
        ix
    }

    pub(super) fn policy(&mut self) -> &mut Policy {
        Arc::make_mut(&mut self.campaign.policy)
    }

    /// The same hours for campaign and policy.
    pub(super) fn hours(&mut self, week: &WeekHours) {
        self.campaign.calling_hours.week = week.clone();
        self.policy().hours = week.clone();
    }

    pub(super) fn holidays(&mut self, years: &[i16], days: &[(&str, DayKind)]) {
        let days = days.iter().map(|(day, kind)| (day.parse().unwrap(), *kind)).collect();
        let years: BTreeSet<i16> = years.iter().copied().collect();
        self.campaign.calendar = Some(Arc::new(Calendar { name: "test".into(), version: "1".into(), years, days }));
        self.campaign.calling_hours.holidays = HolidayRule::Closed;
        self.policy().holidays = HolidayRule::Closed;
    }

    /// A finished dial of this campaign, on both ledgers.
    pub(super) fn dialled(&mut self, at: &str, result: CallResult) {
        let dial = dial(self.contact.dials.len() as u128 + 1, wall(at), Some(result));
        self.contact.note(dial);
        self.phone.note(dial);
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            now: self.now,
            campaign: &self.campaign,
            campaign_ix: CampaignIx(0),
            paused: self.paused,
            lead: self.lead,
            phone_id: PhoneId(1),
            phone_zones: &self.phone_zones,
            zones: &self.zones,
            contact: &self.contact,
            phone: &self.phone,
            test_numbers_only: self.test_numbers_only,
        }
    }

    pub(super) fn ask(&self) -> Verdict {
        ask(&self.facts(), Duration::from_secs(30))
    }

    pub(super) fn reasons(&self) -> Vec<Reason> {
        match self.ask() {
            Verdict::Allow => Vec::new(),
            Verdict::Refuse { reasons, .. } => reasons,
        }
    }

    pub(super) fn rules(&self) -> Vec<Rule> {
        self.reasons().iter().map(|reason| reason.rule).collect()
    }

    /// The `until` of a refusal; panics if the call is allowed.
    pub(super) fn until(&self) -> Option<Wall> {
        match self.ask() {
            Verdict::Allow => panic!("allowed"),
            Verdict::Refuse { until, .. } => until,
        }
    }

    pub(super) fn allowed_at(&self, now: Wall) -> bool {
        ask(&Facts { now, ..self.facts() }, Duration::from_secs(30)).allows()
    }

    /// Refused until exactly that instant, and allowed then.
    pub(super) fn assert_opens_at(&self, at: &str) {
        let at = wall(at);
        assert_eq!(self.until(), Some(at), "{:?}", self.reasons());
        assert!(self.allowed_at(at), "refused at its own `until`");
        assert!(!self.allowed_at(Wall(at.0 - 1)), "allowed before `until`");
    }
}

pub(super) fn wall(text: &str) -> Wall {
    Wall::parse(text).unwrap()
}

pub(super) fn dial(attempt: u128, at: Wall, result: Option<CallResult>) -> PastDial {
    PastDial {
        attempt: AttemptId(attempt),
        at,
        campaign: CampaignIx(0),
        phone: PhoneId(1),
        result,
        contact: false,
        free: false,
    }
}

/// The same windows every day: `"09:00-12:00 13:30-20:00"`.
pub(super) fn week(windows: &str) -> WeekHours {
    let windows: Vec<Window> = windows.split_whitespace().map(|text| Window::parse(text).unwrap()).collect();
    WeekHours::new(std::array::from_fn(|_| windows.clone()))
}

pub(super) fn days(days: u64) -> Duration {
    Duration::from_hours(days * 24)
}

fn policy() -> Policy {
    Policy {
        name: "mild".into(),
        version: 1,
        title: String::new(),
        purposes: vec![Purpose::Collection],
        sources: Vec::new(),
        hours: week("08:00-21:00"),
        holidays: HolidayRule::Open,
        fixed_zone_allowed: true,
        consent: ConsentRule::NotRefused,
        caps: Vec::new(),
        attempts_max: 50,
        attempts_max_per_day: 10,
        min_ring: Duration::ZERO,
        hash: String::new(),
    }
}

fn campaign() -> Campaign {
    Campaign {
        name: "c".into(),
        title: String::new(),
        scenario: Scenario::Collections,
        purpose: Purpose::Collection,
        owner: String::new(),
        status: Status::Active,
        run: RunDates::default(),
        policy: Arc::new(policy()),
        calendar: None,
        consent: ConsentRule::NotRefused,
        list: ListMap {
            source: None,
            key: "key".into(),
            phones: vec!["phone".into()],
            score: "score".into(),
            model_id: None,
            model_version: None,
            value: None,
            zone: None,
            language: None,
            consent: None,
            tags: None,
            attempts_used: None,
            attributes: None,
            columns: BTreeMap::new(),
            expires_after: None,
            refuse_if: crate::campaign::RefuseIf::default(),
        },
        eligible: Vec::new(),
        segments: Vec::new(),
        rank_by: RankBy::Score,
        calling_hours: CallingHours {
            zone: ZoneRule::Customer,
            fallback_zone: None,
            week: week("08:00-21:00"),
            holidays: HolidayRule::Open,
        },
        golden_hours: GoldenHours {
            mode: GoldenMode::Prefer,
            seed: BTreeMap::new(),
            rate_golden: Share::from_ppm(300_000),
            rate_other: Share::from_ppm(150_000),
            prior_weight_calls: 200,
        },
        pacing: Pacing {
            mode: PacingMode::Agentless,
            ring: Duration::from_secs(30),
            max_call_duration: Duration::from_mins(10),
        },
        attempts: Attempts {
            max: 50,
            max_per_day: 10,
            min_gap: Duration::ZERO,
            spread: None,
            stop_after_contact: false,
        },
        retry: BTreeMap::new(),
        caps: Vec::new(),
        caller_id_pool: None,
        trunk: TrunkUse { group: None, max_calls: None, max_cps: None },
        agents: None,
        scripts: BTreeMap::new(),
        flow: None,
        dispositions: BTreeMap::new(),
        hash: String::new(),
    }
}
