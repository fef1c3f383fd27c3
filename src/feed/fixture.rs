//! What the tests of this room share: a mapping, a small list, and its rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, PhoneId, Pii, Wall};
use crate::call::{Codec, MediaQuality, ReleaseSide};
use crate::campaign::{ColumnKind, ColumnSpec, ListMap, ScoreBy};
use crate::contact::{CallResult, ClosedWhy, ColumnValue, Columns, ContactKind, LeadState, OutcomeKind, Row};
use crate::engine::{Context, Outcome, SlotRow, Times};
use crate::rank::{Past, Reachability, Slot};
use crate::store::{OutcomeRow, OutcomeSource, PlanVersion};

use super::{ListError, Parsed, ReadOptions, Reject, Rows};

pub const HEADER: &str = "contact_id,phone_e164,tz,consent,score,attrs_json";

/// `contact_id,phone_e164,tz,consent,score,attrs_json`
pub fn map() -> ListMap {
    ListMap {
        source: None,
        key: "contact_id".into(),
        phones: vec!["phone_e164".into()],
        score: ScoreBy::Column("score".into()),
        country: None,
        encoding: None,
        model_id: None,
        model_version: None,
        value: None,
        zone: Some("tz".into()),
        language: None,
        consent: Some("consent".into()),
        tags: None,
        attempts_used: None,
        attributes: Some("attrs_json".into()),
        columns: BTreeMap::new(),
        expires_after: None,
        refuse_if: crate::campaign::RefuseIf::default(),
    }
}

/// The mapping of the public lists, every role used.
pub fn full_map() -> ListMap {
    let rank = ColumnSpec { kind: ColumnKind::Integer, from: "score_rank".into() };
    ListMap {
        language: Some("lang".into()),
        tags: Some("segment_tags".into()),
        attempts_used: Some("attempts_used".into()),
        columns: [("rank".to_owned(), rank)].into(),
        ..map()
    }
}

/// A list of three good rows.
pub fn good() -> String {
    let row = |n: u32| format!("k{n},+99920000000{n},Asia/Taipei,1,0.{n},\"{{\"\"a\"\":\"\"{n}\"\"}}\"\n");
    format!("{HEADER}\n{}{}{}", row(1), row(2), row(3))
}

/// `good()` with `line` put before its last row.
pub fn with(line: &str) -> String {
    let good = good();
    let cut = good.trim_end().rfind('\n').unwrap() + 1;
    format!("{}{line}\n{}", &good[..cut], &good[cut..])
}

pub fn rows(text: impl Into<Vec<u8>>, map: &ListMap) -> Result<Rows, ListError> {
    Rows::from_reader(std::io::Cursor::new(text.into()), map, &ReadOptions::default())
}

/// Everything in a list: rows and rejects.
pub fn read(text: impl Into<Vec<u8>>, map: &ListMap) -> Result<(Vec<Row>, Vec<Reject>), ListError> {
    let (mut leads, mut rejects) = (Vec::new(), Vec::new());
    for parsed in rows(text, map)? {
        match parsed? {
            Parsed::Row(row) => leads.push(row),
            Parsed::Reject(reject) => rejects.push(reject),
        }
    }
    Ok((leads, rejects))
}

/// The one reject of a list whose other rows are good.
pub fn reject_of(line: &str) -> Reject {
    let (leads, rejects) = read(with(line), &map()).unwrap();
    assert_eq!((leads.len(), rejects.len()), (3, 1), "{line}");
    rejects.into_iter().next().unwrap()
}

/// A sealed outcome: answered and accepted on 2026-12-01 at 01:30 UTC plus `n` seconds.
pub fn outcome(n: u64) -> OutcomeRow {
    let at = |seconds: u64| Wall::parse("2026-12-01T01:30:00Z").unwrap() + Duration::from_secs(n + seconds);
    let times = Times {
        authorised: Some(at(0)),
        sent: Some(at(1)),
        ringing: Some(at(2)),
        answered: Some(at(10)),
        ended: Some(at(40)),
        ..Times::default()
    };
    OutcomeRow {
        seal: n,
        hash: [0; 32],
        outcome: Outcome {
            attempt: AttemptId(u128::from(n)),
            lead: LeadId(1),
            contact: ContactId(1),
            phone: PhoneId(1),
            campaign_ix: CampaignIx(0),
            revision: 0,
            result: CallResult::Answered,
            disposition: Some("accepted".into()),
            outcome: OutcomeKind::Success,
            contact_kind: ContactKind::RightParty,
            complaint: false,
            times,
            sip_status: Some(200),
            q850: Some(16),
            by: Some(ReleaseSide::Them),
            media: Some(Box::new(heard())),
            digits: "1".into(),
            callback_at: None,
            free: false,
            phone_dead: false,
            lead_state: LeadState::Closed(ClosedWhy::Success),
            next_phone: 0,
            next_free: false,
        },
        source: OutcomeSource::Engine,
        recorded_at: at(41),
        label: None,
        context: context(),
        campaign: "installment-bill".into(),
        plan: Arc::new(plan_version()),
        authorised_at: at(0),
        decided_at: at(0),
        trunk: "gw-a".into(),
        caller_id: "+999100000001".into(),
        customer_key: Some(Pii::new(format!("=cmd|{n}"))),
        list_name: "installments.csv.gz".into(),
        list_sha256: [0xab; 32],
        consent: Some(true),
        language: Some("en".into()),
        tags: vec!["age=40s".into(), "util=low".into()],
        zones: vec!["Asia/Taipei".into()],
        columns: Columns([("limit".to_owned(), ColumnValue::Number(2.5)), ("attrs".to_owned(), attributes())].into()),
    }
}

/// A tenth was lost on the way to us.
fn heard() -> MediaQuality {
    MediaQuality {
        codec: Codec::Pcma,
        received: 1_350,
        lost: 150,
        jitter_us: 2_500,
        sent: 400,
        lost_there: Some(4),
        round_trip_us: Some(41_250),
        one_way: None,
    }
}

fn attributes() -> ColumnValue {
    ColumnValue::Attributes([("emp.var.rate".to_owned(), ColumnValue::Text("-1.1".into()))].into())
}

fn context() -> Context {
    Context {
        list: ListId(1),
        score: 0.713_106,
        value: 120.0,
        p_answer: 0.3,
        index_value: -0.25,
        propensity: 0.125,
        explore: true,
        segment: 2,
        slot_weekday: 1,
        slot_half_hour: 19,
        golden: true,
        attempt_no: 1,
        same_slot_fails: 0,
        reachability: crate::rank::Reachability::default(),
        since_last: Some(Duration::from_mins(90)),
        trial: None,
    }
}

fn plan_version() -> PlanVersion {
    PlanVersion {
        campaign_ix: CampaignIx(0),
        campaign_hash: "c0ffee".into(),
        policy: "cn-bank-marketing@3".into(),
        policy_hash: "beef".into(),
        scenario: "installments".into(),
        purpose: "marketing".into(),
        rank_by: "expected_value".into(),
        pacing: "progressive".into(),
        ring_ms: 25_000,
        model_id: Some("blend-AB".into()),
        model_version: None,
        model_alias: "champion".into(),
    }
}

/// Two kinds of leads in one half hour.
pub fn slots() -> Vec<SlotRow> {
    let from = Wall::parse("2026-12-01T09:00:00+08:00").unwrap_or_default();
    let row = SlotRow {
        seq: 1,
        campaign: "c".into(),
        campaign_hash: "0".into(),
        from,
        to: from + Duration::from_mins(30),
        chance: 0.01,
        segment: "star".into(),
        slot: Slot::new(1, 540),
        past: Past { attempts: 2, same_hour_fails: 1, reachability: Reachability::WORST },
        eligible: 500,
        dialled: 20,
        drawn: 2,
    };
    vec![row.clone(), SlotRow { seq: 2, past: Past::default(), ..row }]
}
