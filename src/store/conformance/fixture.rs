//! A campaign with mild rules, rows of a list, and intents as an engine would make them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, Now, Pii, Reach, Rng, Share, Tick, TrunkIx, Wall};
use crate::call::{Codec, MediaQuality, OneWay};
use crate::campaign::{
    Attempts, CallingHours, Campaign, Cap, CapOrigin, CapPer, CapRule, Condition, GoldenHours, ListMap, Policy,
    Purpose, QuietAfter, Scenario, Segment, testing,
};
use crate::contact::{
    CallResult, ClosedWhy, ColumnValue, Columns, ContactKind, LeadState, OutcomeKind, Row, ZoneIx, Zones,
};
use crate::engine::{Context, Intent, LeadRow, Outcome, Times};
use crate::gate::{Eligibility, LeadFacts};
use crate::store::{ListInfo, ModelAlias, Switch, SwitchOf};

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// One whose import has begun, and goes no further.
pub(super) fn any_list() -> ListInfo {
    ListInfo {
        campaign: "spring".into(),
        name: "x".into(),
        sha256: [200; 32],
        expires_after: None,
        model_id: None,
        model_version: None,
        model_alias: ModelAlias::Champion,
    }
}

/// A Tuesday morning in Shanghai.
pub(super) fn tuesday() -> Now {
    Now { tick: Tick(0), wall: Wall::parse("2026-12-01T09:30:00+08:00").unwrap() }
}

/// Always open; three dials of a person and four of a number in two days; quiet for 30 days after a refusal.
pub(super) fn campaign(name: &str) -> Arc<Campaign> {
    let mild = testing::campaign();
    let policy = policy();
    Arc::new(Campaign {
        name: name.into(),
        title: name.into(),
        scenario: Scenario::Installments,
        purpose: Purpose::Marketing,
        owner: "owner".into(),
        list: ListMap { model_id: Some("m".into()), model_version: Some("3".into()), ..mild.list },
        calling_hours: CallingHours { week: policy.hours.clone(), ..mild.calling_hours },
        golden_hours: GoldenHours {
            rate_golden: Share::ONE,
            rate_other: Share::ONE,
            prior_weight_calls: 1,
            learn: crate::campaign::Learn::PerSegment,
            ..mild.golden_hours
        },
        attempts: Attempts { max: 10, ..mild.attempts },
        caps: policy.caps.clone(),
        segments: ["star", "all"]
            .map(|name| Segment { name: name.into(), when: Condition::always(), attempts_max: None })
            .into(),
        policy: Arc::new(policy),
        hash: format!("{:0>64}", name.len()),
        ..mild
    })
}

fn policy() -> Policy {
    let cap = |per, rule| Cap { per, rule, origin: CapOrigin::Policy };
    let within = |max_dials| CapRule::Within { within: 2 * DAY, max_dials: Some(max_dials), max_contacts: None };
    let quiet = CapRule::Quiet { after: QuietAfter::Declined, quiet_for: Some(30 * DAY) };
    let caps = vec![cap(CapPer::Customer, within(3)), cap(CapPer::Phone, within(4)), cap(CapPer::Customer, quiet)];
    Policy {
        title: "mild".into(),
        purposes: vec![Purpose::Marketing],
        hours: testing::week("00:00-24:00"),
        fixed_zone_allowed: false,
        caps,
        attempts_max: 20,
        attempts_max_per_day: 20,
        hash: "00".repeat(32),
        ..testing::policy()
    }
}

pub(super) fn number(n: u32) -> Pii<String> {
    Pii::new(format!("+999{n:09}"))
}

pub(super) fn key(n: u32) -> Pii<String> {
    Pii::new(format!("customer-{n}"))
}

/// Row of customer `n` with these numbers.
pub(crate) fn row(n: u32, phones: &[u32]) -> Row {
    Row {
        line: u64::from(n) + 1,
        key: key(n),
        phones: phones.iter().map(|n| number(*n)).collect(),
        zones: vec!["Asia/Shanghai".into(), "Asia/Urumqi".into()],
        language: Some("zh".into()),
        consent: Some(true),
        tags: vec!["gold".into()],
        attempts_used: 0,
        score: f64::from(n) / 1_000.0,
        value: 1.0,
        columns: Columns(BTreeMap::from([("age".to_owned(), ColumnValue::Integer(40))])),
    }
}

/// A wish to dial the lead's phone at this position.
pub(super) fn intent(rng: &mut Rng, now: Now, campaign: &Arc<Campaign>, lead: &LeadRow, phone: usize) -> Intent {
    let mut zones = Zones::default();
    zones.intern("Asia/Shanghai").unwrap();
    Intent {
        attempt: AttemptId::new(now, rng),
        lead: lead.lead,
        contact: lead.contact,
        phone: lead.phones[phone].phone,
        campaign_ix: lead.campaign_ix,
        campaign: Arc::clone(campaign),
        facts: LeadFacts {
            eligible: Eligibility::Yes,
            arm: None,
            segment: 0,
            consent: lead.consent,
            list_expires: lead.list_expires,
            attempts_used: lead.attempts_used,
            phone_is_test: lead.phones[phone].is_test,
            free_of_daily_budget: lead.next_free,
        },
        phone_zones: Arc::from([ZoneIx(0)]),
        zones: Arc::new(zones),
        trunk: TrunkIx(0),
        caller_id: Arc::from("+999000000001"),
        test_numbers_only: true,
        reach: Arc::new(Reach::of_country(None, &[])),
        context: Context {
            list: lead.list,
            score: lead.score,
            value: lead.value,
            p_answer: 0.25,
            index_value: 0.125,
            propensity: 0.1,
            explore: true,
            segment: 0,
            slot_weekday: 1,
            slot_half_hour: 19,
            golden: true,
            attempt_no: 1,
            same_slot_fails: 0,
            reachability: crate::rank::Reachability::default(),
            since_last: Some(HOUR),
            trial: None,
        },
        decided: now,
        law: now.wall,
        permit_until: now.tick + Duration::from_millis(500),
    }
}

/// Nobody answered; again in an hour.
pub(crate) fn no_answer(intent: &Intent, now: Now) -> Outcome {
    Outcome {
        attempt: intent.attempt,
        lead: intent.lead,
        contact: intent.contact,
        phone: intent.phone,
        campaign_ix: intent.campaign_ix,
        revision: 0,
        result: CallResult::NoAnswer,
        disposition: None,
        outcome: OutcomeKind::Neutral,
        contact_kind: ContactKind::Nobody,
        complaint: false,
        times: Times { queued: Some(intent.decided.wall), ended: Some(now.wall), ..Times::default() },
        sip_status: Some(487),
        q850: None,
        by: Some(crate::call::ReleaseSide::Us),
        media: None,
        digits: String::new(),
        callback_at: None,
        free: false,
        phone_dead: false,
        lead_state: LeadState::Waiting { until: now.wall + HOUR },
        next_phone: 0,
        next_free: false,
    }
}

/// The right party said no.
pub(crate) fn declined(intent: &Intent, now: Now) -> Outcome {
    Outcome {
        result: CallResult::Answered,
        disposition: Some(Arc::from("declined")),
        outcome: OutcomeKind::Failure,
        contact_kind: ContactKind::RightParty,
        lead_state: LeadState::Closed(ClosedWhy::Refused),
        digits: "2".into(),
        media: Some(Box::new(heard())),
        ..no_answer(intent, now)
    }
}

fn heard() -> MediaQuality {
    MediaQuality {
        codec: Codec::Pcmu,
        received: 500,
        lost: 7,
        jitter_us: 1_234,
        sent: 400,
        lost_there: None,
        round_trip_us: Some(20_000),
        one_way: Some(OneWay::TheyHearNothing),
    }
}

pub(super) fn closed(outcome: Outcome, why: ClosedWhy) -> Outcome {
    Outcome { lead_state: LeadState::Closed(why), ..outcome }
}

pub(super) fn switch(of: SwitchOf, paused: bool, now: Now) -> Switch {
    Switch { of, paused, hang_up: paused, who: "a test".into(), reason: "bills are rising".into(), at: now.wall }
}
