//! A campaign with mild rules for the tests of every room; each bends what it is about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Share;

use super::{
    Attempts, CallingHours, Campaign, ConsentRule, GoldenHours, GoldenMode, HolidayRule, Learn, ListMap, Pacing,
    PacingMode, Policy, Purpose, Rank, RankBy, RefuseIf, RunDates, Scenario, ScoreBy, Status, TrunkUse, WeekHours,
    Window, ZoneRule,
};

/// Open from 08:00 to 21:00 every day by the contact's clock; hardly any budget, no caps, no segments, no flow.
pub fn campaign() -> Campaign {
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
        list: list(),
        eligible: Vec::new(),
        segments: Vec::new(),
        rank: Rank { by: RankBy::Score, ..Rank::default() },
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
            learn: Learn::Off,
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
        experiment: None,
        goals: Vec::new(),
        simulate: crate::campaign::Simulate::default(),
        hash: String::new(),
    }
}

pub fn policy() -> Policy {
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
        precedence: 0,
        hash: String::new(),
    }
}

/// The same windows every day: `"09:00-12:00 13:30-20:00"`.
pub fn week(windows: &str) -> WeekHours {
    let windows: Vec<Window> = windows.split_whitespace().map(|text| Window::parse(text).unwrap()).collect();
    WeekHours::new(std::array::from_fn(|_| windows.clone()))
}

fn list() -> ListMap {
    ListMap {
        source: None,
        key: "key".into(),
        phones: vec!["phone".into()],
        score: ScoreBy::Column("score".into()),
        country: None,
        encoding: None,
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
        refuse_if: RefuseIf::default(),
    }
}
