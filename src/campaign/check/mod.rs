//! Raw sections → a checked campaign: names are resolved, defaults filled in, and what contradicts is shown.

mod attempts;
mod campaign;
mod caps;
mod flow;
mod golden;
mod hours;
mod names;
mod shared;

pub use campaign::campaign;
pub use names::Names;
pub use shared::Shared;
