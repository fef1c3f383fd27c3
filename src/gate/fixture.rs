//! A lead that may be called, in a campaign with mild rules: tests bend one thing at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, Destination, PhoneId, Wall};
use crate::campaign::experiment::tests::{arm, experiment};
use crate::campaign::testing::campaign;
pub(super) use crate::campaign::testing::week;
use crate::campaign::{ArmIx, Calendar, Campaign, DayKind, HolidayRule, Policy, WeekHours};
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
    pub destination: Option<Destination>,
    pub trunk_stopped: bool,
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
                arm: None,
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
            destination: None,
            trunk_stopped: false,
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

    /// An experiment, and a contact in its arm that is never called.
    pub(super) fn hold_out(&mut self) {
        self.campaign.experiment = Some(experiment("e1", vec![arm("champion", 98, false), arm("holdout", 2, true)]));
        self.lead.arm = Some(ArmIx(1));
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
            destination: self.destination,
            trunk_stopped: self.trunk_stopped,
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
        callback: false,
    }
}

pub(super) fn days(days: u64) -> Duration {
    Duration::from_hours(days * 24)
}
