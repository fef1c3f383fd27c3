//! HTTP: health, metrics and the API, each small; metrics on a listener of its own.

mod api;
mod control;
mod health;
mod routes;
mod server;
mod tokens;

pub use api::{Api, Facts};
pub use control::{Control, Swapped};
pub use health::{Check, Health};
pub use routes::{api, metrics};
pub use server::{HttpError, bind, serve};
pub use tokens::{Role, Token, TokensError, TokensFile};
