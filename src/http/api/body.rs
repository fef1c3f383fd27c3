//! A JSON body, bounded, whose mistakes are told without repeating it.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::base::Code;

use super::Problem;

pub(super) struct Body<T>(pub(super) T);

const BYTES_MAX: usize = 16 * 1_024;

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if !kind.trim_start().starts_with("application/json") {
            let detail = "send `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::ApiRequest, detail));
        }
        let bytes = to_bytes(request.into_body(), BYTES_MAX).await.map_err(|_| {
            let detail = format!("a body has at most {BYTES_MAX} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ApiRequest, detail)
        })?;
        let mistake = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            Problem::bad_request(format!("the body is not what this route takes, at line {line}, column {column}"))
        };
        serde_json::from_slice(&bytes).map(Self).map_err(mistake)
    }
}
