//! One trunk with one test number and nothing else, for the engine's tests; each bends what it is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Reach;

use super::{EngineConfig, TrunkSpec};

/// `gw` takes so many calls at once and so many new ones a second.
pub fn config(max_calls: u32, max_cps: u32) -> EngineConfig {
    let trunk = TrunkSpec {
        name: "gw".into(),
        live: false,
        max_calls,
        max_cps,
        caller_ids: ["+999100000001".into()].into(),
        pools: BTreeMap::new(),
        shown_max: BTreeMap::new(),
        spend: None,
        reach: Arc::new(Reach::of_country(None, &[])),
    };
    EngineConfig {
        seed: 1,
        trunks: vec![trunk],
        groups: Vec::new(),
        queues: Vec::new(),
        test_numbers_only: true,
        zone: jiff::tz::TimeZone::UTC,
        wall_rate: 1.0,
        permit: EngineConfig::PERMIT,
    }
}
