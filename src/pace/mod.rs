//! How many dials now: by lines, by rate, and by the people who will take the calls.

mod agentless;
mod limits;
mod lines;
mod pacer;
mod progressive;
mod rate_limit;
mod seats;

pub use limits::Limits;
pub use lines::Lines;
pub use pacer::{Pacer, Staff};
pub use rate_limit::RateLimit;
pub use seats::Seats;
