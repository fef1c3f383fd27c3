//! The routes: `/livez`, `/readyz`, an index and the API on one listener, `/metrics` on the other.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::obs::Metrics;

use super::{Api, Health};

/// For `http.listen`. Health and the index answer everybody; the API asks for a token.
pub fn api(health: Health, api: Option<&Arc<Api>>) -> Router {
    let open = Router::new()
        .route("/", get(api_index))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state((health, api.cloned()));
    let routes = match api {
        Some(api) => open.merge(api.router()),
        None => open,
    };
    routes.fallback(super::api::not_found).method_not_allowed_fallback(super::api::not_allowed)
}

/// For `metrics.listen`.
pub fn metrics(metrics: Metrics) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "name": "goldenhour", "see": ["/metrics"] })) }))
        .route("/metrics", get(scrape))
        .fallback(not_found)
        .with_state(metrics)
}

type Shared = (Health, Option<Arc<Api>>);

async fn api_index(State((health, api)): State<Shared>) -> Json<Value> {
    let open = api.is_some_and(|api| api.is_open());
    let see: &[&str] = if open { &["/livez", "/readyz", "/openapi.json"] } else { &["/livez", "/readyz"] };
    let api = if open { "open" } else { "closed: no tokens; see `goldenhour token --help`" };
    Json(json!({
        "name": "goldenhour",
        "version": env!("CARGO_PKG_VERSION"),
        "ready": health.is_ready(),
        "api": api,
        "see": see,
    }))
}

/// 503 once the engine hangs: a supervisor should restart the process.
async fn livez(State((health, _)): State<Shared>) -> (StatusCode, Json<Value>) {
    match health.hangs_for() {
        None => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Some(silence) => {
            let why = format!("the engine has been silent for {} s", silence.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "failed", "why": why })))
        }
    }
}

/// 503 with the reason per check: do not send work here.
async fn readyz(State((health, _)): State<Shared>) -> (StatusCode, Json<Value>) {
    let missing = health.missing();
    if missing.is_empty() {
        return (StatusCode::OK, Json(json!({ "status": "ok" })));
    }
    let why: Map<String, Value> =
        missing.into_iter().map(|(check, why)| (check.as_str().to_owned(), Value::String(why))).collect();
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "why": why })))
}

async fn scrape(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn not_found() -> (StatusCode, Json<Value>) {
    (StatusCode::NOT_FOUND, Json(json!({ "status": "not found", "see": ["/"] })))
}
