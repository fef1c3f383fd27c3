//! `/api/v1/attempts`: the latest ones, and one with all its revisions. Numbers are masked, keys are not shown.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::base::AttemptId;
use crate::call::{MediaQuality, OneWay};
use crate::store::{AttemptRow, Browse as _, OutcomeRow, Store as _};

use super::page::{Page, time};
use super::{Api, Problem};

pub(super) async fn recent(State(api): State<Arc<Api>>, page: Page) -> Result<Json<Value>, Problem> {
    let (limit, before) = page.read(AttemptId::parse)?;
    let attempts = api.store.lock().await.attempts(before, limit).await?;
    Ok(Json(json!({ "attempts": attempts.iter().map(shown).collect::<Vec<_>>() })))
}

pub(super) async fn one(State(api): State<Arc<Api>>, Path(attempt): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::not_found("no such attempt");
    let attempt = AttemptId::parse(&attempt).ok_or_else(missing)?;
    let mut store = api.store.lock().await;
    let row = store.attempt_row(attempt).await?.ok_or_else(missing)?;
    let outcomes = store.attempt(attempt).await?;
    let mut answer = shown(&row);
    answer["outcomes"] = outcomes.iter().map(outcome).collect();
    Ok(Json(answer))
}

fn shown(row: &AttemptRow) -> Value {
    json!({
        "attempt": row.attempt.to_string(),
        "campaign": row.campaign,
        "authorised_at": time(row.authorised_at),
        "ended_at": row.ended_at.map(time),
        "trunk": row.trunk,
        "number": row.number.as_ref().map(ToString::to_string),
        "call_result": row.result.map(crate::contact::CallResult::as_str),
        "disposition": row.disposition,
        "attempt_no": row.attempt_no,
        "golden": row.golden,
        "revisions": row.revisions,
    })
}

fn media(heard: &MediaQuality) -> Value {
    json!({
        "codec": heard.codec.as_str(),
        "received": heard.received,
        "lost": heard.lost,
        "jitter_ms": heard.jitter_ms(),
        "sent": heard.sent,
        "lost_there": heard.lost_there,
        "round_trip_ms": heard.round_trip_ms(),
        "one_way": heard.one_way.map(OneWay::as_str),
    })
}

/// Keys that were pressed are not shown: a flow may have asked for anything.
fn outcome(row: &OutcomeRow) -> Value {
    let (outcome, times) = (&row.outcome, &row.outcome.times);
    json!({
        "revision": outcome.revision,
        "source": row.source.as_str(),
        "recorded_at": time(row.recorded_at),
        "seal": (row.seal > 0).then_some(row.seal),
        "call_result": outcome.result.as_str(),
        "disposition": outcome.disposition.as_deref(),
        "outcome": outcome.outcome.as_str(),
        "sip_status": outcome.sip_status,
        "media": outcome.media.as_deref().map(media),
        "sent_at": times.sent.map(time),
        "ringing_at": times.ringing.map(time),
        "answered_at": times.answered.map(time),
        "connected_at": times.connected.map(time),
        "ended_at": times.ended.map(time),
        "policy": row.plan.policy,
        "campaign_hash": row.plan.campaign_hash,
    })
}
