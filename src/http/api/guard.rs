//! Who may come in: a name for each request, a token, how often, how many at once, how long.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::base::{Code, Tick};
use crate::http::{Token, TokensError, TokensFile};

use super::limit::Bucket;
use super::{Api, Problem, Route};

pub(super) struct Guard {
    file: TokensFile,
    known: Mutex<Known>,
    /// For requests without a valid token, all together.
    strangers: Bucket,
    at_once: Semaphore,
    requests: AtomicU64,
}

#[derive(Default)]
struct Known {
    tokens: Vec<Caller>,
    mark: Option<(u64, u64, i64, i64)>,
    looked_at: Option<Tick>,
}

/// A token with what it has used up.
#[derive(Clone)]
struct Caller {
    token: Arc<Token>,
    bucket: Arc<Bucket>,
}

/// The request's name, in every log line about it and in the answer.
#[derive(Clone)]
pub(super) struct RequestName(HeaderValue);

/// The name of the token that a request came with.
#[derive(Clone)]
pub(super) struct Who(pub(super) String);

const REQUEST_ID: &str = "x-request-id";

impl Guard {
    /// A token that was revoked stops working within this.
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    const PER_S: f64 = 20.0;
    const BURST: f64 = 40.0;
    const AT_ONCE: usize = 32;
    const TIME_MAX: Duration = Duration::from_secs(15);

    pub(super) fn new(file: TokensFile) -> Self {
        Self {
            file,
            known: Mutex::default(),
            strangers: Bucket::new(Self::PER_S, Self::BURST),
            at_once: Semaphore::new(Self::AT_ONCE),
            requests: AtomicU64::new(0),
        }
    }

    pub(super) fn knows_anybody(&self, now: Tick) -> bool {
        !self.callers(now).is_empty()
    }

    /// As the file has them. One that cannot be read lets nobody in: it may be the one that revokes somebody.
    fn callers(&self, now: Tick) -> Vec<Caller> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked_at.is_some_and(|at| now.since(at) < Self::LOOK_EVERY) {
            return known.tokens.clone();
        }
        let mark = self.file.mark();
        if known.looked_at.is_none() || mark != known.mark {
            let tokens = self.file.load().unwrap_or_else(|error| {
                tracing::error!(code = %TokensError::CODE, %error, "the API is closed");
                Vec::new()
            });
            let kept = std::mem::take(&mut known.tokens);
            let bucket = |token: &Token| {
                let same = kept.iter().find(|caller| *caller.token == *token);
                same.map_or_else(|| Arc::new(Bucket::new(Self::PER_S, Self::BURST)), |same| Arc::clone(&same.bucket))
            };
            known.tokens =
                tokens.into_iter().map(|token| Caller { bucket: bucket(&token), token: Arc::new(token) }).collect();
            known.mark = mark;
        }
        known.looked_at = Some(now);
        known.tokens.clone()
    }

    fn admit(&self, now: Tick, headers: &HeaderMap, route: &Route) -> Result<Option<Arc<Token>>, Problem> {
        let callers = self.callers(now);
        if callers.is_empty() {
            let detail = "there are no tokens; make one with `goldenhour token new --role viewer`";
            return Err(Problem::new(StatusCode::FORBIDDEN, Code::ApiClosed, detail));
        }
        let Some(role) = route.role else { return within(&self.strangers, now).map(|()| None) };
        let Some(caller) = presented(headers).and_then(|token| {
            let hash = Token::hash(token);
            callers.into_iter().find(|caller| caller.token.sha256 == hash)
        }) else {
            within(&self.strangers, now)?;
            return Err(Problem::new(StatusCode::UNAUTHORIZED, Code::ApiToken, "send `Authorization: Bearer TOKEN`"));
        };
        within(&caller.bucket, now)?;
        if caller.token.role < role {
            let detail = format!("it takes the role `{role}`, and this token is of a {}", caller.token.role);
            return Err(Problem::new(StatusCode::FORBIDDEN, Code::ApiRole, detail));
        }
        Ok(Some(caller.token))
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("file", &self.file.path()).finish_non_exhaustive()
    }
}

/// Every request has a name of ours: what callers send as one could be anything, a number for instance.
pub(super) async fn name_request(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let nth = api.guard.requests.fetch_add(1, Ordering::Relaxed);
    let since = api.control.now().wall.0.unsigned_abs();
    let name = HeaderValue::from_str(&format!("{since:x}-{nth:x}")).unwrap_or(HeaderValue::from_static("-"));
    request.extensions_mut().insert(RequestName(name.clone()));
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, name);
    response
}

pub(super) async fn admit(
    State((api, route)): State<(Arc<Api>, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Response {
    let name = request.extensions().get::<RequestName>().cloned();
    let guard = &api.guard;
    let token = match guard.admit(api.control.now().tick, request.headers(), route) {
        Ok(token) => token,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(Who(token.as_ref().map_or_else(String::new, |token| token.name.clone())));
    let Ok(_turn) = guard.at_once.try_acquire() else {
        return Problem::busy("too many requests at once").into_response();
    };
    let answer = tokio::time::timeout(Guard::TIME_MAX, next.run(request)).await;
    let response = answer.unwrap_or_else(|_| Problem::busy("it took too long").into_response());
    let who = token.as_ref().map_or("-", |token| token.name.as_str());
    let request_id = name.as_ref().and_then(|RequestName(name)| name.to_str().ok()).unwrap_or("-");
    let (status, method, path) = (response.status().as_u16(), route.method, route.path);
    // The route's own path: what stands in the real one is the caller's.
    if method == "GET" {
        tracing::debug!(request_id, token = who, method, path, status, "asked");
    } else {
        tracing::info!(request_id, token = who, method, path, status, "done through the API");
    }
    response
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn within(bucket: &Bucket, now: Tick) -> Result<(), Problem> {
    bucket.take(now).map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        let detail = format!("more than {} a second", Guard::PER_S);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::ApiRate, detail).retry_after(seconds)
    })
}
