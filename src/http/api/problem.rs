//! Errors of the API: `application/problem+json` (RFC 9457), each with a code of ours and without what was sent.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::base::{Code, Diagnostic, render_json};
use crate::store::StoreError;

#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: Code,
    /// Never repeats what the caller sent: it may be a number.
    detail: String,
    findings: Vec<Diagnostic>,
    retry_after_s: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), findings: Vec::new(), retry_after_s: None }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::ApiRequest, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::ApiNotFound, detail)
    }

    pub fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::ApiBusy, detail).retry_after(1)
    }

    pub fn findings(findings: Vec<Diagnostic>) -> Self {
        let detail = "the campaigns have mistakes; the plan before stays in force";
        Self { findings, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::ApiReload, detail) }
    }

    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::UnknownCampaign(_)) {
            return Self::not_found("no such campaign");
        }
        tracing::error!(code = %error.code(), %error, "the store failed behind the API");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), "the database did not answer; see the log")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("type".into(), format!("urn:goldenhour:error:{}", self.code).into());
        body.insert("title".into(), self.status.canonical_reason().unwrap_or("Error").into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("detail".into(), self.detail.into());
        body.insert("code".into(), self.code.to_string().into());
        if !self.findings.is_empty() {
            // Of campaign files, which hold no personal data.
            body.insert("findings".into(), render_json(&self.findings));
        }
        let mut response = (self.status, Json(Value::Object(body))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
