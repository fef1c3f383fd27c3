//! A campaign for the tests of this room.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Share, Wall};
use crate::campaign::*;
use crate::contact::{ZoneIx, Zones};

pub(super) fn at(text: &str) -> Wall {
    Wall::parse(text).unwrap()
}

pub(super) fn shanghai() -> (Zones, ZoneIx) {
    let mut zones = Zones::default();
    let zone = zones.intern("Asia/Shanghai").unwrap();
    (zones, zone)
}

pub(super) fn week(text: &str) -> WeekHours {
    WeekHours::new(std::array::from_fn(|_| text.split(' ').map(|w| Window::parse(w).unwrap()).collect()))
}

/// One segment, `all`; a ring of 30 s; attempts 4, one a day, 20 h apart.
pub(super) fn campaign(mode: GoldenMode, calling: &str, golden: &str) -> Campaign {
    Campaign {
        name: "c".into(),
        title: String::new(),
        scenario: Scenario::Installments,
        purpose: Purpose::Marketing,
        owner: String::new(),
        status: Status::Active,
        run: RunDates::default(),
        policy: Arc::new(policy()),
        calendar: None,
        consent: ConsentRule::NotRefused,
        list: list(),
        eligible: Vec::new(),
        segments: vec![Segment { name: "a".into(), when: Condition::always(), attempts_max: None }],
        rank_by: RankBy::Score,
        calling_hours: CallingHours {
            zone: ZoneRule::Customer,
            fallback_zone: Some(ZoneIx(0)),
            week: week(calling),
            holidays: HolidayRule::Open,
        },
        golden_hours: GoldenHours {
            mode,
            seed: BTreeMap::from([("all".into(), week(golden))]),
            rate_golden: Share::from_ppm(300_000),
            rate_other: Share::from_ppm(150_000),
            prior_weight_calls: 200,
        },
        pacing: Pacing {
            mode: PacingMode::Agentless,
            ring: Duration::from_secs(30),
            max_call_duration: Duration::from_mins(10),
        },
        attempts: attempts(),
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

pub(super) fn attempts() -> Attempts {
    Attempts { max: 4, max_per_day: 1, min_gap: Duration::from_hours(20), spread: None, stop_after_contact: true }
}

fn policy() -> Policy {
    Policy {
        name: "p".into(),
        version: 1,
        title: String::new(),
        purposes: vec![Purpose::Marketing],
        sources: Vec::new(),
        hours: week("00:00-24:00"),
        holidays: HolidayRule::Open,
        fixed_zone_allowed: true,
        consent: ConsentRule::NotRefused,
        caps: Vec::new(),
        min_ring: Duration::ZERO,
        attempts_max: 9,
        attempts_max_per_day: 9,
        hash: String::new(),
    }
}

fn list() -> ListMap {
    ListMap {
        source: None,
        key: "id".into(),
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
    }
}
