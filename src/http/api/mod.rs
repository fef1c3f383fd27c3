//! The API under `/api/v1`: campaigns, do-not-call, lists, attempts. One file per thing; `routes.rs` says who may what.

mod attempts;
mod body;
mod campaigns;
mod capture;
mod dnc;
mod guard;
mod limit;
mod lists;
mod page;
mod problem;
mod routes;
mod switches;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use tokio::sync::Mutex;

use crate::contact::Country;
use crate::store::{Keys, Sqlite};

use super::{Control, TokensFile};

use guard::Guard;
use problem::Problem;
use routes::Route;

/// Everything that a request may touch. The store is a connection of the API's own.
pub struct Api {
    control: Arc<dyn Control>,
    store: Mutex<Sqlite>,
    facts: Facts,
    guard: Guard,
}

#[derive(Debug)]
/// What the API knows of the daemon's configuration.
pub struct Facts {
    pub keys: Arc<Keys>,
    /// Of numbers without a country code.
    pub country: Option<Country>,
    /// By name.
    pub trunks: Vec<String>,
}

impl Api {
    pub fn new(control: Arc<dyn Control>, store: Sqlite, facts: Facts, tokens: TokensFile) -> Self {
        Self { control, store: Mutex::new(store), facts, guard: Guard::new(tokens) }
    }

    /// Without a single token nobody may do anything.
    pub fn is_open(&self) -> bool {
        self.guard.knows_anybody(self.control.now().tick)
    }

    pub fn router(self: &Arc<Self>) -> Router {
        routes::router(self)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("guard", &self.guard).finish_non_exhaustive()
    }
}

pub(super) async fn not_found() -> Problem {
    Problem::not_found("no such route; see /openapi.json")
}

pub(super) async fn not_allowed() -> Problem {
    Problem::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        crate::base::Code::ApiRequest,
        "this route has no such method; see /openapi.json",
    )
}
