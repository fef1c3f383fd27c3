//! HTTP: health and metrics, each small and on a listener of its own.

mod health;
mod routes;
mod server;

pub use health::{Check, Health};
pub use routes::{api, metrics};
pub use server::{HttpError, bind, serve};
