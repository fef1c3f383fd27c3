//! `/api/v1/capture`: all packets of one call, as they went over the wire. The only thing of the API that is not masked;
//! whoever begins it is the only one who gets it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::{Code, Pii, TrunkIx};
use crate::line::{Capture, CaptureState, Over, Wanted};
use crate::store::Store as _;

use super::body::Body;
use super::guard::Who;
use super::{Api, Problem};

/// Either a trunk or a person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    trunk: Option<String>,
    contact: Option<String>,
    /// The waiting included.
    seconds: Option<u64>,
}

type Shared = State<Arc<Api>>;
type Answer = Result<Json<Value>, Problem>;

pub(super) async fn begin(State(api): Shared, Extension(Who(who)): Extension<Who>, body: Body<Ask>) -> Answer {
    let Ask { trunk, contact, seconds } = body.0;
    let time = seconds.map_or(Capture::TIME, Duration::from_secs);
    if time.is_zero() || time > Capture::TIME_MAX {
        let detail = format!("`seconds` is 1 to {}", Capture::TIME_MAX.as_secs());
        return Err(Problem::bad_request(detail));
    }
    let wanted = match (&trunk, &contact) {
        (Some(name), None) => Wanted::Trunk(trunk_ix(&api, name)?),
        (None, Some(key)) => {
            let found = api.store.lock().await.find_contact(&Pii::new(key.clone())).await?;
            Wanted::Contact(found.ok_or_else(|| Problem::not_found("no such contact"))?)
        }
        (Some(_), Some(_)) | (None, None) => return Err(Problem::bad_request("name either a trunk or a contact")),
    };
    let now = api.control.now();
    let mut next = Some(Capture::new(now, wanted, who.clone(), time));
    let mut answer = Err(gone());
    api.control.capture(&mut |one| {
        answer = if let Some(other) = one {
            Err(busy(other))
        } else {
            *one = next.take();
            one.as_ref().map(shown).ok_or_else(gone)
        };
    });
    if answer.is_ok() {
        tracing::info!(
            token = who,
            trunk,
            seconds = time.as_secs(),
            "the next call of this trunk or contact is captured, unmasked"
        );
    }
    answer.map(Json)
}

pub(super) async fn state(State(api): Shared) -> Answer {
    with(&api, |capture| Ok(shown(capture))).map(Json)
}

/// Ends it and keeps what there is.
pub(super) async fn stop(State(api): Shared) -> Answer {
    let now = api.control.now().tick;
    let stopped = with(&api, |capture| {
        capture.stop(now);
        Ok(shown(capture))
    });
    stopped.map(Json)
}

/// Ends it and throws it away. Anybody who may begin one may do so.
pub(super) async fn forget(State(api): Shared) -> Answer {
    let mut last = None;
    api.control.capture(&mut |one| last = one.take());
    last.as_ref().map(|capture| Json(shown(capture))).ok_or_else(gone)
}

pub(super) async fn file(
    State(api): Shared,
    Extension(Who(who)): Extension<Who>,
) -> Result<impl IntoResponse, Problem> {
    let (file, attempt) = with(&api, |capture| {
        let is_over = matches!(capture.state(), CaptureState::Over(_));
        if capture.who() != who || !is_over {
            return Err(busy(capture));
        }
        Ok((Arc::clone(capture.file()), capture.attempt()))
    })?;
    let attempt = attempt.map(|attempt| attempt.to_string());
    tracing::info!(token = who, attempt, packets = file.packets(), "the capture of a call is handed out, unmasked");
    Ok(([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap")], file.bytes().to_vec()))
}

fn with<T>(api: &Api, mut ask: impl FnMut(&mut Capture) -> Result<T, Problem>) -> Result<T, Problem> {
    let mut answer = Err(gone());
    api.control.capture(&mut |one| {
        if let Some(capture) = one {
            answer = ask(capture);
        }
    });
    answer
}

fn trunk_ix(api: &Api, name: &str) -> Result<TrunkIx, Problem> {
    let at = api.facts.trunks.iter().position(|known| known == name);
    at.map(|at| TrunkIx(at as u16)).ok_or_else(|| Problem::not_found("no such trunk"))
}

fn gone() -> Problem {
    Problem::not_found("no call is captured")
}

fn busy(capture: &Capture) -> Problem {
    let who = capture.who();
    let detail = match capture.state() {
        CaptureState::Waiting | CaptureState::Recording => format!("the token `{who}` has a capture under way"),
        CaptureState::Over(_) => format!("the token `{who}` has a capture that it has not fetched yet"),
    };
    Problem::new(StatusCode::CONFLICT, Code::ApiCapture, detail)
}

fn shown(capture: &Capture) -> Value {
    let why = match capture.state() {
        CaptureState::Over(over) => Some(Over::as_str(over)),
        CaptureState::Waiting | CaptureState::Recording => None,
    };
    json!({
        "token": capture.who(),
        "state": capture.state().as_str(),
        "over": why,
        "attempt": capture.attempt().map(|attempt| attempt.to_string()),
        "packets": capture.file().packets(),
        "bytes": capture.file().bytes().len(),
    })
}
