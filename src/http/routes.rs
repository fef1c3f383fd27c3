//! The routes: `/livez`, `/readyz` and an index on one listener, `/metrics` on the other.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::obs::Metrics;

use super::Health;

/// For `http.listen`.
pub fn api(health: Health) -> Router {
    Router::new()
        .route("/", get(api_index))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .fallback(not_found)
        .with_state(health)
}

/// For `metrics.listen`.
pub fn metrics(metrics: Metrics) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "name": "goldenhour", "see": ["/metrics"] })) }))
        .route("/metrics", get(scrape))
        .fallback(not_found)
        .with_state(metrics)
}

async fn api_index(State(health): State<Health>) -> Json<Value> {
    Json(json!({
        "name": "goldenhour",
        "version": env!("CARGO_PKG_VERSION"),
        "ready": health.is_ready(),
        "see": ["/livez", "/readyz"],
    }))
}

/// 503 once the engine hangs: a supervisor should restart the process.
async fn livez(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    match health.hangs_for() {
        None => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Some(silence) => {
            let why = format!("the engine has been silent for {} s", silence.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "failed", "why": why })))
        }
    }
}

/// 503 with the reason per check: do not send work here.
async fn readyz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
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
