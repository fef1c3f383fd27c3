//! Where a host name of a gateway leads (RFC 3263): which records to ask for next, and what the answers come to. Whoever
//! asks them is elsewhere.

mod order;
mod records;
mod search;

pub use order::{Route, order};
pub use records::{Naptr, Question, Records, Srv};
pub use search::{Found, Search, Wish};

/// Ways of one name that are kept; whatever stands behind them is never tried.
pub const MAX_ROUTES: usize = 16;
