//! A JSON body, bounded, whose mistakes are told without repeating it.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::base::Code;

use super::Problem;

pub(super) struct Body<T>(pub(super) T);

/// As [`Body`]; without a byte it is the default.
pub(super) struct MaybeBody<T>(pub(super) T);

const BYTES_MAX: usize = 16 * 1_024;

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = bytes_of(request).await?;
        if is_json { parse(&bytes).map(Self) } else { Err(not_json()) }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = bytes_of(request).await?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse(&bytes).map(Self),
            (false, false) => Err(not_json()),
        }
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    kind.trim_start().starts_with("application/json")
}

fn not_json() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::ApiRequest, "send `Content-Type: application/json`")
}

async fn bytes_of(request: Request) -> Result<Bytes, Problem> {
    to_bytes(request.into_body(), BYTES_MAX).await.map_err(|_| {
        let detail = format!("a body has at most {BYTES_MAX} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ApiRequest, detail)
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::bad_request(format!("the body is not what this route takes, at line {line}, column {column}"))
    })
}
