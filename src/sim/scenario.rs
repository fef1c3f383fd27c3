//! A world drawn from a seed: campaigns as managers write them, contacts with shared phones and odd zones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::base::{CampaignIx, Diagnostic, Money, Pii, Rng, Tariff, TrunkIx, Wall};
use crate::campaign::{Campaign, Folder, load};
use crate::contact::{Columns, Row, Zones};
use crate::engine::{EngineConfig, GroupSpec, Member, QueueSpec, Spend, TrunkSpec};

/// Everything a [`super::World`] begins with.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub start: Wall,
    pub days: u32,
    pub draft: Draft,
    /// What managers save while the daemon runs, over and over in this order.
    pub later: Vec<Draft>,
    /// In the order of the first draft's campaigns.
    pub lists: Vec<Vec<Row>>,
    pub config: EngineConfig,
    /// Chances per simulated hour.
    pub crashes_per_hour: f64,
    pub clock_jumps_per_hour: f64,
    pub dnc_per_hour: f64,
    pub pauses_per_hour: f64,
    pub reloads_per_hour: f64,
    /// Chance that a commit fails or is in doubt.
    pub commit_trouble: f64,
    /// Chance that a trunk turns a call away before anybody hears of it.
    pub trunk_trouble: f64,
}

/// The folder of campaigns as it stands at some time, and what was read from it.
#[derive(Clone, Debug)]
pub struct Draft {
    pub campaigns: Vec<(CampaignIx, Arc<Campaign>)>,
    pub folder: Folder,
    pub zones: Zones,
}

/// With DST changes in the simulated days, half hours, a zone without DST, and the other side of midnight.
const ZONES: [&str; 8] = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Lisbon",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Phoenix",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
];

/// Two days before each: a run of some days crosses them. The last one is an ordinary week.
const STARTS: [&str; 5] = [
    "2026-03-06T06:00:00Z",
    "2026-03-28T06:00:00Z",
    "2026-10-31T06:00:00Z",
    "2026-04-03T12:00:00Z",
    "2026-12-01T00:00:00Z",
];

impl Scenario {
    /// `Err` if the generator writes a campaign that the loader refuses: a bug in one of the two.
    pub fn random(seed: u64) -> Result<Self, Vec<Diagnostic>> {
        let mut rng = Rng::seeded(seed);
        let campaigns = 1 + rng.below(3);
        let draft = Draft::random(&mut rng, &(0..campaigns).collect::<Vec<_>>())?;
        let lists = lists(&mut rng, draft.campaigns.len());
        let start = pick(&mut rng, &STARTS);
        let trouble = rng.chance(0.8);
        let often = |rng: &mut Rng, up_to: f64| if trouble { rng.f64() * up_to } else { 0.0 };
        Ok(Self {
            seed,
            later: later(&mut rng, campaigns)?,
            start: Wall::parse(start).unwrap_or_default(),
            days: 1 + rng.below(3),
            draft,
            lists,
            config: config(&mut rng, seed),
            crashes_per_hour: often(&mut rng, 1.0),
            clock_jumps_per_hour: often(&mut rng, 0.2),
            dnc_per_hour: often(&mut rng, 3.0),
            pauses_per_hour: often(&mut rng, 0.3),
            reloads_per_hour: often(&mut rng, 1.0),
            commit_trouble: often(&mut rng, 0.05),
            trunk_trouble: often(&mut rng, 0.3),
        })
    }
}

impl Draft {
    /// Of the campaigns with these numbers, under a policy of its own.
    fn random(rng: &mut Rng, numbers: &[u32]) -> Result<Self, Vec<Diagnostic>> {
        let mut folder = Folder::default();
        folder.insert("policies/sim.yaml", policy(rng).into_bytes());
        for nth in numbers {
            folder.insert(format!("sim-{nth}.yaml"), campaign(rng, *nth).into_bytes());
        }
        let plan = load(&folder)?;
        let campaigns = numbers.iter().map(|nth| CampaignIx(*nth as u16)).zip(plan.campaigns);
        Ok(Self { campaigns: campaigns.collect(), folder, zones: plan.zones })
    }
}

/// Hours, caps, retries and keys change, and now and then a campaign's file is gone for a while.
fn later(rng: &mut Rng, campaigns: u32) -> Result<Vec<Draft>, Vec<Diagnostic>> {
    let mut drafts = Vec::new();
    for _ in 0..=rng.below(3) {
        let kept: Vec<u32> = (0..campaigns).filter(|_| rng.chance(0.85)).collect();
        drafts.push(Draft::random(rng, &kept)?);
    }
    Ok(drafts)
}

fn config(rng: &mut Rng, seed: u64) -> EngineConfig {
    EngineConfig {
        seed,
        trunks: [(1, "gw-a"), (2, "gw-b"), (3, "gw-c")].map(|(nth, name)| trunk(rng, name, spend(seed, nth))).into(),
        groups: vec![GroupSpec { name: "gw".into(), members: (0..3).map(|ix| member(rng, ix)).collect() }],
        queues: vec![QueueSpec { name: "desk".into(), uri: "sip:8001@127.0.0.1".into(), seats: 1 + rng.below(6) }],
        test_numbers_only: true,
        zone: jiff::tz::TimeZone::UTC,
        wall_rate: 1.0,
        permit: EngineConfig::PERMIT,
    }
}

fn trunk(rng: &mut Rng, name: &str, spend: Option<Spend>) -> TrunkSpec {
    TrunkSpec {
        shown_max: BTreeMap::new(),
        spend,
        reach: Arc::new(crate::base::Reach::of_country(None, &[])),
        name: name.into(),
        live: false,
        max_calls: 1 + rng.below(20),
        max_cps: 1 + rng.below(5),
        caller_ids: ["+999100000001".into(), "+999100000002".into()].into(),
        pools: BTreeMap::new(),
    }
}

fn member(rng: &mut Rng, ix: u16) -> Member {
    Member { trunk: TrunkIx(ix), priority: 1 + rng.below(2) as u16, weight: 1 + rng.below(3) as u16 }
}

/// Of every other trunk: a day is good for some dozen short calls, and long ones use it up.
fn spend(seed: u64, nth: u64) -> Option<Spend> {
    let mut rng = Rng::seeded(seed ^ nth << 40 ^ 0x0053_5045_4E44);
    let mut millionths = |up_to: u32| Money::from_millionths(u64::from(rng.below(up_to)));
    let (per_minute, per_call) = (millionths(100_000) + Money::from_millionths(1), millionths(20_000));
    let tariff = Tariff { per_minute, per_call, billed_by_s: 1 + rng.below(60) };
    let max_per_day = tariff.least().times(1 + rng.below(40));
    rng.chance(0.5).then_some(Spend { max_per_day, tariff })
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from.get(rng.below(from.len() as u32) as usize).copied().unwrap_or_default()
}

fn policy(rng: &mut Rng) -> String {
    let (from, to) = (7 + rng.below(3), 18 + rng.below(5));
    let sunday = if rng.chance(0.5) { "[]" } else { r#"["10:00-17:00"]"# };
    format!(
        "schema: goldenhour/policy/v1\npolicy: sim\nversion: 1\ntitle: simulated\npurposes: [marketing]\n\
         sources: [\"drawn from a seed\"]\nconsent: {}\n\
         calling_hours: {{ mon-sat: [\"{from:02}:00-{to:02}:00\"], sun: {sunday}, holidays: open }}\n\
         attempts: {{ max: {}, max_per_day: {} }}\n\
         contact_caps:\n  - {{ per: customer, within: 7d, max_dials: {} }}\n  - {{ per: phone, within: 24h, max_dials: {} }}\n  \
         - {{ per: customer, after: declined, quiet_for: 60d }}\n  - {{ per: customer, after: complaint, quiet_for: forever }}\n",
        if rng.chance(0.5) { "required" } else { "not_refused" },
        1 + rng.below(6),
        1 + rng.below(3),
        1 + rng.below(6),
        1 + rng.below(3),
    )
}

fn campaign(rng: &mut Rng, nth: u32) -> String {
    let mut yaml = format!(
        "schema: goldenhour/v1\ncampaign: sim-{nth}\ntitle: simulated\nscenario: activation\npurpose: marketing\n\
         status: active\nuse: {{ policy: sim@1 }}\n\
         list: {{ key: key, phones: [phone], model: {{ score: score }} }}\ntrunk: {{ group: gw }}\n\
         calling_hours: {{ fallback_zone: Asia/Shanghai }}\n"
    );
    let by = pick(rng, &["score", "expected_value"]);
    let mode = pick(rng, &["prefer", "prefer", "only"]);
    let _infallible = writeln!(yaml, "rank: {{ by: {by} }}");
    let _infallible = writeln!(
        yaml,
        "golden_hours: {{ mode: {mode}, learn: \"off\", seed: {{ all: [\"{:02}:00-{:02}:30\"] }} }}",
        10 + rng.below(3),
        14 + rng.below(3)
    );
    let pacing = pick(rng, &["agentless", "progressive"]);
    let _infallible = writeln!(yaml, "pacing: {{ mode: {pacing}, ring: {}s }}", 15 + rng.below(30));
    if pacing == "progressive" {
        yaml.push_str("agents: { queue: desk, wrap_up: 30s }\n");
    }
    if rng.chance(0.7) {
        let _infallible = writeln!(yaml, "attempts: {{ max: 1, max_per_day: 1, min_gap: {}h }}", rng.below(30));
    }
    let _infallible = writeln!(
        yaml,
        "retry:\n  busy: {{ after: {}m, max: 2, free: {} }}\n  no_answer: {{ after: {}h, max: 3, other_daypart: true, next_phone: true }}\n  \
         vacant_number: {{ phone: dead, next_phone: true }}\n  powered_off: {{ after: 4h, max: 2, prefer: evening }}",
        5 + rng.below(30),
        rng.below(2),
        1 + rng.below(30),
    );
    yaml.push_str(FLOW);
    yaml
}

const FLOW: &str = r#"
flow:
  start: ask
  steps:
    ask: { collect: { digits: 1, timeout: 5s, tries: 2 }, on: { "1": accept, "2": later, "3": desk, "9": opt_out, timeout: bye } }
    accept: { disposition: accepted, then: hangup }
    later: { disposition: thinking, then: hangup }
    desk: { then: "transfer:desk" }
    opt_out: { disposition: do_not_call, then: hangup }
    bye: { then: hangup }
dispositions:
  accepted: { outcome: success, contact: right_party, then: final }
  thinking: { outcome: neutral, contact: right_party, then: callback }
  do_not_call: { outcome: failure, contact: right_party, then: dnc_customer }
"#;

/// Contacts in one or more campaigns, some with several phones, some sharing one with others. One list per campaign.
fn lists(rng: &mut Rng, campaigns: usize) -> Vec<Vec<Row>> {
    let contacts = 5 + rng.below(60);
    let numbers = (contacts * 4 / 5).max(3);
    let mut lists = vec![Vec::new(); campaigns];
    for contact in 0..contacts {
        let zone = pick(rng, &ZONES);
        let mut phones: Vec<u32> = Vec::new();
        for _ in 0..=rng.below(3) {
            let phone = rng.below(numbers);
            if !phones.contains(&phone) {
                phones.push(phone);
            }
        }
        let consent = if rng.chance(0.9) { Some(true) } else { None };
        for list in &mut lists {
            if rng.chance(0.7) {
                let line = list.len() as u64 + 2;
                list.push(Row {
                    line,
                    key: Pii::new(format!("customer-{contact}")),
                    phones: phones.iter().map(|n| Pii::new(format!("+999{:09}", 500_000_000 + n))).collect(),
                    zones: vec![zone.to_owned()],
                    language: None,
                    consent,
                    tags: Vec::new(),
                    attempts_used: u16::from(rng.chance(0.1)),
                    score: rng.f64(),
                    value: 1.0,
                    columns: Columns::default(),
                });
            }
        }
    }
    lists
}
