//! Pages: newest first, so many at a time, behind the last one seen.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::base::Wall;

use super::Problem;

/// `?limit=N&before=ID`
pub(super) struct Page {
    pub(super) limit: usize,
    before: Option<String>,
    mistake: Option<&'static str>,
}

const LIMIT: usize = 50;
const LIMIT_MAX: usize = 500;

impl Page {
    /// Refused here and not on the way in, so that every route answers as its own.
    pub(super) fn read<T>(self, id: impl Fn(&str) -> Option<T>) -> Result<(usize, Option<T>), Problem> {
        if let Some(mistake) = self.mistake {
            return Err(Problem::bad_request(mistake));
        }
        let before = match self.before.as_deref() {
            Some(text) => Some(id(text).ok_or_else(|| Problem::bad_request("`before` is no such id"))?),
            None => None,
        };
        Ok((self.limit, before))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut page = Self { limit: LIMIT, before: None, mistake: None };
        for pair in parts.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("limit", value)) => match value.parse() {
                    Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => page.limit = limit,
                    Ok(_) | Err(_) => page.mistake = Some("`limit` is a number from 1 to 500"),
                },
                Some(("before", value)) => page.before = Some(value.to_owned()),
                Some(_) | None => page.mistake = Some("only `limit` and `before` are known here"),
            }
        }
        Ok(page)
    }
}

/// RFC 3339, UTC.
pub(super) fn time(at: Wall) -> String {
    at.timestamp().to_string()
}
