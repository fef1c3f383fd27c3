//! A campaign for the tests of this room.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Wall;
pub(super) use crate::campaign::testing::week;
use crate::campaign::{
    Attempts, CallingHours, Campaign, Condition, GoldenHours, GoldenMode, Policy, Purpose, Scenario, Segment, testing,
};
use crate::contact::{ZoneIx, Zones};

pub(super) fn at(text: &str) -> Wall {
    Wall::parse(text).unwrap()
}

pub(super) fn shanghai() -> (Zones, ZoneIx) {
    let mut zones = Zones::default();
    let zone = zones.intern("Asia/Shanghai").unwrap();
    (zones, zone)
}

/// One segment, `all`; a ring of 30 s; attempts 4, one a day, 20 h apart.
pub(super) fn campaign(mode: GoldenMode, calling: &str, golden: &str) -> Campaign {
    let mild = testing::campaign();
    Campaign {
        scenario: Scenario::Installments,
        purpose: Purpose::Marketing,
        policy: Arc::new(policy()),
        segments: vec![Segment { name: "a".into(), when: Condition::always(), attempts_max: None }],
        calling_hours: CallingHours { fallback_zone: Some(ZoneIx(0)), week: week(calling), ..mild.calling_hours },
        golden_hours: GoldenHours { mode, seed: BTreeMap::from([("all".into(), week(golden))]), ..mild.golden_hours },
        attempts: attempts(),
        ..mild
    }
}

pub(super) fn attempts() -> Attempts {
    Attempts { max: 4, max_per_day: 1, min_gap: Duration::from_hours(20), spread: None, stop_after_contact: true }
}

fn policy() -> Policy {
    Policy {
        purposes: vec![Purpose::Marketing],
        hours: week("00:00-24:00"),
        attempts_max: 9,
        attempts_max_per_day: 9,
        ..testing::policy()
    }
}
