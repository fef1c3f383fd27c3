//! `/api/v1/do-not-call`: is somebody on the list, put them there, take them off.
//!
//! Numbers and keys come in bodies, never in paths: those end up in the logs of proxies.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::{Pii, Wall};
use crate::contact::{Country, normalise};
use crate::store::{Browse as _, DncSubjectKey, NewDnc, Store as _};

use super::body::Body;
use super::page::time;
use super::{Api, Problem};

const KEY_MAX: usize = 256;
const REASON_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whom {
    number: Option<String>,
    customer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    number: Option<String>,
    customer: Option<String>,
    /// Without personal data.
    reason: Option<String>,
    until: Option<String>,
}

pub(super) async fn check(State(api): State<Arc<Api>>, Body(whom): Body<Whom>) -> Result<Json<Value>, Problem> {
    let subject = subject(api.facts.country, whom.number, whom.customer)?;
    let now = api.control.now().wall;
    let entry = api.store.lock().await.dnc_entry(&subject).await?;
    let entry = entry.filter(|entry| entry.removed_at.is_none() && entry.until.is_none_or(|until| until > now));
    let mut answer = shown(&api, &subject);
    answer["listed"] = entry.is_some().into();
    answer["since"] = entry.as_ref().map(|entry| time(entry.at)).into();
    answer["until"] = entry.as_ref().and_then(|entry| entry.until).map(time).into();
    answer["source"] = entry.as_ref().map(|entry| entry.source.clone()).into();
    Ok(Json(answer))
}

pub(super) async fn add(State(api): State<Arc<Api>>, Body(entry): Body<Entry>) -> Result<Json<Value>, Problem> {
    let subject = subject(api.facts.country, entry.number, entry.customer)?;
    let at = api.control.now().wall;
    let reason = entry.reason.unwrap_or_else(|| "not stated".to_owned());
    if reason.trim().is_empty() || reason.chars().count() > REASON_MAX || reason.chars().any(char::is_control) {
        return Err(Problem::bad_request("a reason is one line of at most 200 characters"));
    }
    let until = match entry.until.as_deref().map(Wall::parse) {
        None => None,
        Some(Ok(until)) if until > at => Some(until),
        Some(Ok(_)) => return Err(Problem::bad_request("`until` lies in the past")),
        Some(Err(_)) => return Err(Problem::bad_request("`until` is RFC 3339, like 2026-12-01T08:30:00+08:00")),
    };
    let new = NewDnc { subject: subject.clone(), reason, source: "operator", until, at };
    api.store.lock().await.dnc_add(&new).await?;
    let mut answer = shown(&api, &subject);
    answer["listed"] = true.into();
    answer["until"] = until.map(time).into();
    Ok(Json(answer))
}

pub(super) async fn remove(State(api): State<Arc<Api>>, Body(whom): Body<Whom>) -> Result<Json<Value>, Problem> {
    let subject = subject(api.facts.country, whom.number, whom.customer)?;
    let now = api.control.now();
    let removed = api.store.lock().await.dnc_remove(&subject, now).await?;
    let mut answer = shown(&api, &subject);
    answer["removed"] = removed.into();
    Ok(Json(answer))
}

fn subject(
    country: Option<Country>,
    number: Option<String>,
    customer: Option<String>,
) -> Result<DncSubjectKey, Problem> {
    match (number, customer) {
        (Some(number), None) => {
            let number = normalise(&number, country)
                .map_err(|_| Problem::bad_request("this is no dialable number: write + and the country code"))?;
            Ok(DncSubjectKey::Phone(number.e164))
        }
        (None, Some(key)) if !key.trim().is_empty() && key.len() <= KEY_MAX => {
            Ok(DncSubjectKey::Customer(Pii::new(key)))
        }
        (None, Some(_)) => Err(Problem::bad_request("a customer key has 1 to 256 bytes")),
        (Some(_), Some(_)) | (None, None) => Err(Problem::bad_request("give `number` or `customer`, one of them")),
    }
}

/// The same entry looks the same everywhere, and tells nobody the number.
fn shown(api: &Api, subject: &DncSubjectKey) -> Value {
    let (kind, masked) = match subject {
        DncSubjectKey::Phone(number) => ("phone", number.to_string()),
        DncSubjectKey::Customer(key) => ("customer", key.to_string()),
    };
    json!({ "kind": kind, "masked": masked, "fingerprint": api.facts.keys.fingerprint_of(subject) })
}
